"""The Dev Containers CLI: a container for development, described by devcontainer.json.

The folder itself is mounted, because engines of the lab see this machine's files, like engines with
a shared disk.
"""

import json

import pytest
from swarmcore_lab.releases import cache_dir

DEVCONTAINERS = "devcontainers CLI"
DOCKERFILE = "FROM busybox\nARG WORD\nRUN echo $WORD >/word\n"
BUILT = {
    "build": {"dockerfile": "Dockerfile", "args": {"WORD": "hello"}},
    "containerEnv": {"COLOUR": "green"},
    "mounts": ["source=cache,target=/cache,type=volume"],
    "postCreateCommand": "touch /cache/created && cp /word created",
    "postStartCommand": "echo started >>starts",
}
COMPOSED = {
    "dockerComposeFile": "compose.yaml",
    "service": "app",
    "workspaceFolder": "/workspace",
}
COMPOSE = """
services:
  app:
    image: busybox
    command: ["sh", "-c", "trap exit TERM; while true; do sleep 0.1; done"]
    volumes: ["..:/workspace"]
    depends_on: [db]
  db:
    image: busybox
    command: ["sh", "-c", "trap exit TERM; while true; do sleep 0.1; done"]
"""


@pytest.fixture
def workspace(tmp_path):
    """A folder for development; ``describe`` writes its description."""
    folder = tmp_path / "shop"
    (folder / ".devcontainer").mkdir(parents=True)
    (folder / ".devcontainer" / "Dockerfile").write_text(DOCKERFILE)
    (folder / ".devcontainer" / "compose.yaml").write_text(COMPOSE)
    return folder


@pytest.fixture
def devcontainer(target, lab, versions, run_client, workspace):
    """Run a command of the CLI in the workspace; return its last output, as JSON or text."""
    folder = cache_dir() / "node" / "node_modules" / "@devcontainers" / "cli"
    versions[DEVCONTAINERS] = json.loads((folder / "package.json").read_text())["version"]
    cli = lab.cli("28")
    path = f"{cli.path.parent}:{cli.env['PATH']}:/usr/local/bin"
    environment = {**cli.env, "PATH": path, "HOME": str(workspace.parent)}

    def run(command, *arguments):
        program = ("node", str(folder / "devcontainer.js"), command)
        where = ("--workspace-folder", str(workspace))
        done = run_client(target, *program, *where, *arguments, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def describe(workspace, description):
    (workspace / ".devcontainer" / "devcontainer.json").write_text(json.dumps(description))


@pytest.mark.client(DEVCONTAINERS, "builds, starts, runs what is to follow, and is found again")
@pytest.mark.client(DEVCONTAINERS, "runs commands in the container, in the mounted folder")
def test_dockerfile(devcontainer, workspace, sdk):
    describe(workspace, BUILT)
    up = json.loads(devcontainer("up"))
    assert up["outcome"] == "success"
    assert (workspace / "created").read_text() == "hello\n"
    told = devcontainer("exec", "sh", "-c", "echo $COLOUR; pwd; ls /cache")
    assert told.split() == ["green", up["remoteWorkspaceFolder"], "created"]
    assert json.loads(devcontainer("up"))["containerId"] == up["containerId"]
    sdk.containers.get(up["containerId"]).stop(timeout=1)
    assert json.loads(devcontainer("up"))["containerId"] == up["containerId"]
    assert (workspace / "starts").read_text() == "started\n" * 2
    again = json.loads(devcontainer("up", "--remove-existing-container"))
    assert again["containerId"] != up["containerId"]
    assert len(sdk.containers.list(all=True)) == 1


@pytest.mark.client(DEVCONTAINERS, "brings up a compose project and works in one of its services")
def test_compose(devcontainer, workspace):
    describe(workspace, COMPOSED)
    assert json.loads(devcontainer("up"))["composeProjectName"] == "shop_devcontainer"
    (workspace / "data").write_text("what it says")
    assert devcontainer("exec", "cat", "data") == "what it says"
    assert "1 packets received" in devcontainer("exec", "ping", "-c", "1", "db")
