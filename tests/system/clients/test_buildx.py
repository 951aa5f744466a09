"""BuildKit with its two clients: buildx, and the ``docker build`` of 20.10.

``tests/system/test_build.py`` tests both builders in more detail, with refusals and constraints.
"""

import os
import re
import shutil
import signal
import subprocess
import tarfile
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

BUILDX = "buildx"
OLD = "docker build with BuildKit"


@pytest.fixture
def buildx(target, make_docker, versions):
    """``docker`` of release 28, whose ``build`` is buildx with the ``docker`` driver."""
    docker = make_docker("28", target.host, DOCKER_BUILDKIT="1")
    versions[BUILDX] = docker("buildx", "version").split()[1].partition("+")[0]
    return docker


@pytest.fixture
def old(target, make_docker, versions):
    """``docker`` of release 20.10, which contains a client of BuildKit."""
    docker = make_docker("20.10", target.host, DOCKER_BUILDKIT="1")
    versions[OLD] = docker("version", "--format", "{{.Client.Version}}").partition("+")[0]
    return docker


@pytest.fixture
def context(tmp_path):
    """Make a folder to build from; its file ``word`` differs from that of every earlier build."""

    def make(*lines: str) -> Path:
        (tmp_path / "word").write_text(f"{uuid.uuid4().hex}\n")
        (tmp_path / "Dockerfile").write_text("\n".join(lines) + "\n")
        return tmp_path

    return make


@pytest.fixture
def agent(tmp_path):
    """The socket of an ssh agent with one key, and that key."""
    key, address = tmp_path / "key", tmp_path / "agent"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    with subprocess.Popen(
        ["ssh-agent", "-D", "-a", str(address)], stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()  # it says where it listens once it does
        environment = {**os.environ, "SSH_AUTH_SOCK": str(address)}
        subprocess.run(["ssh-add", "-q", str(key)], env=environment, check=True)
        yield str(address), key.with_suffix(".pub").read_text()
        process.terminate()


def put_program(name: str, root: Path) -> None:
    """Copy a program of this machine, and the libraries that it needs, into *root*."""
    program = shutil.which(name)
    libraries = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    for path in (program, *re.findall(r"(/\S+) \(", libraries)):
        to = root / path.removeprefix("/")
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, to)


def build_with_secrets(docker, folder, agent):
    address, key = agent
    put_program("ssh-add", folder / "root")
    (folder / "secret").write_text("hush\n")
    docker.environment["SSH_AUTH_SOCK"] = address
    given = ("--secret", f"id=word,src={folder / 'secret'}", "--ssh", "default")
    docker("build", "-t", "lab/made:1", *given, str(folder))
    told = docker("run", "--rm", "lab/made:1", "cat", "/secret", "/keys", "/word")
    assert told == f"hush\n{key}{(folder / 'word').read_text().strip()}"


SECRETS = (
    "FROM busybox",
    "COPY root word /",
    "RUN --mount=type=secret,id=word cat /run/secrets/word >/secret",
    "RUN --mount=type=ssh ssh-add -L >/keys",
)


@pytest.mark.client(BUILDX, "builds with a secret and an ssh agent, and runs what it built")
def test_secrets(buildx, context, agent):
    build_with_secrets(buildx, context(*SECRETS), agent)


@pytest.mark.client(OLD, "builds with a secret and an ssh agent, and runs what it built")
def test_secrets_of_old(old, context, agent):
    build_with_secrets(old, context(*SECRETS), agent)


@pytest.mark.client(BUILDX, "exports to a folder and to an archive here")
def test_output(buildx, context):
    folder = context("FROM scratch", "COPY word /out/")
    word = (folder / "word").read_bytes()
    buildx("buildx", "build", "-o", f"type=local,dest={folder / 'made'}", str(folder))
    assert (folder / "made" / "out" / "word").read_bytes() == word
    buildx("buildx", "build", "-o", f"type=tar,dest={folder / 'made.tar'}", str(folder))
    with tarfile.open(folder / "made.tar") as tar:
        assert tar.extractfile("out/word").read() == word


@pytest.mark.client(OLD, "exports to a folder; is told of a step that fails; prunes")
def test_output_of_old(old, context):
    folder = context("FROM scratch AS files", "COPY word /out/", "FROM busybox", "RUN exit 23")
    made = folder / "made"
    old("build", "-o", str(made), "--target", "files", str(folder))
    assert (made / "out" / "word").read_text() == (folder / "word").read_text()
    failed = old.run("build", "--no-cache", str(folder))
    assert failed.returncode == 1
    assert "exit code: 23" in failed.stderr
    assert "Total reclaimed space: " in old("builder", "prune", "-f")


@pytest.mark.client(BUILDX, "tells builders; builds from cache; tells what the cache holds; prunes")
def test_cache(buildx, context):
    assert re.search(r"default +running", buildx("buildx", "ls"))
    assert "Status:           running" in buildx("buildx", "inspect")
    folder = context("FROM busybox", "COPY word /", "RUN cat /word >/copy")

    def steps():
        told = buildx.run("buildx", "build", "--load", "-t", "lab/made:1", str(folder)).stderr
        numbers = re.findall(r"^#(\d+) \[./3\] (?:COPY|RUN)", told, re.MULTILINE)
        return {re.search(rf"^#{each} (CACHED|DONE)", told, re.MULTILINE)[1] for each in numbers}

    assert steps() == {"DONE"}
    assert steps() == {"CACHED"}
    assert "Reclaimable:" in buildx("buildx", "du")
    buildx("rmi", "lab/made:1")
    assert "Total:" in buildx("buildx", "prune", "-af")
    assert steps() == {"DONE"}


@pytest.mark.client(BUILDX, "pushes what it built, which is pulled where it is run")
def test_push(buildx, context, registry):
    image = f"{registry.address}/built:{uuid.uuid4().hex}"
    folder = context("FROM busybox", "COPY word /")
    buildx("buildx", "build", "--push", "-t", image, str(folder))
    buildx("rmi", image)
    ran = buildx("run", "--rm", image, "cat", "/word")
    assert ran == (folder / "word").read_text().strip()


@pytest.mark.client(BUILDX, "builds ten images at once")
def test_many(buildx, context):
    lines = ("ARG number", "COPY word /", "RUN echo $number >/number", "LABEL number=$number")
    folder = context("FROM busybox", *lines)

    def build(number):
        tag = f"lab/made:{number}"
        buildx("build", "-t", tag, "--build-arg", f"number={number}", str(folder))
        return buildx("image", "inspect", "-f", "{{.Config.Labels.number}}", tag)

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(build, range(10))) == list("0123456789")


@pytest.mark.client(BUILDX, "is interrupted, and so is the build")
def test_interrupt(buildx, context, wait_until):
    step = f"echo {uuid.uuid4().hex}; sleep 987; echo"
    folder = context("FROM busybox", f"RUN {step}")
    client = buildx.start("build", "--progress=plain", str(folder), start_new_session=True)
    wait_until(lambda: is_running(step), "the step to run")
    os.killpg(client.pid, signal.SIGINT)
    client.communicate(timeout=60)
    assert client.returncode != 0
    wait_until(lambda: not is_running(step), "the step to be ended")


def is_running(step):
    """Return whether a shell of a build runs *step* on any engine."""
    return subprocess.run(["pgrep", "-f", "--", step], capture_output=True).returncode == 0


@pytest.mark.client(OLD, "builds on the node that a constraint among its arguments names")
def test_constraint(target, old, context, shared_fleet):
    folder = context("FROM busybox", "COPY word /")
    old("build", "-t", "lab/made:1", "--build-arg", "constraint:node==new", str(folder))
    at = shared_fleet.engines["new"].api
    assert at.call("GET", "/images/lab/made:1/json")["RepoTags"] == ["lab/made:1"]
    assert old("run", "--rm", "lab/made:1", "cat", "/word")
