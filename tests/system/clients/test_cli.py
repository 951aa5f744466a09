"""The ``docker`` command of two releases: each group of its commands.

``tests/system`` tests the commands in more detail.  Here one engine and a cluster get the same
commands and must give the same answers.  One container serves several groups, because starting a
container takes most of the time.
"""

import io
import json
import tarfile

import pexpect
import pytest

from tests.system.docker import detach
from tests.system.tars import tar_of

CLI = "docker command"
RELEASES = ("20.10", "28")
STILL = ["sh", "-c", "trap 'exit 12' USR1; trap exit TERM; while :; do sleep 0.1; done"]


@pytest.fixture(params=RELEASES)
def docker(request, target, make_docker, versions):
    """The command of each release with the target, with the classic builder."""
    docker = make_docker(request.param, target.host, DOCKER_BUILDKIT="0")
    told = docker("version", "--format", "{{.Client.Version}}").partition("+")[0]
    versions[CLI] = " and ".join(sorted({told, *versions.get(CLI, told).split(" and ")}))
    return docker


def left(terminal):
    """Return the exit status of a command in *terminal*, after its end."""
    terminal.expect(pexpect.EOF)
    terminal.close()
    return terminal.exitstatus


@pytest.mark.client(CLI, "tells versions and info, over TCP, a unix socket, and contexts")
def test_contexts(target, docker, tmp_path):
    assert docker("version", "--format", "{{.Server.Os}}") == "linux"
    assert docker("info", "--format", "{{.OSType}} {{.ServerErrors}}") == "linux []"
    host = docker.environment.pop("DOCKER_HOST")
    docker.environment["DOCKER_CONFIG"] = str(tmp_path)
    docker("context", "create", "socket", "--docker", f"host={target.socket}")
    assert docker("--context", "socket", "version", "--format", "{{.Server.Os}}") == "linux"
    docker("context", "create", "tcp", "--docker", f"host={host}")
    docker("context", "use", "tcp")
    assert docker("images", "-q", "busybox")


@pytest.mark.client(CLI, "runs containers: settings, input, output, exit status, errors")
def test_run(docker):
    settings = ("-e", "A=1", "-w", "/tmp", "-u", "1000", "-h", "inside", "--tmpfs", "/scratch")
    settings += ("-m", "64m", "--cpus", "0.5", "--read-only", "--name", "box")
    script = "cat; echo $A $PWD $(id -u) $(hostname); touch /scratch/made; touch /tmp/made; exit 7"
    done = docker.run("run", "-i", *settings, "busybox", "sh", "-c", script, input="in\n")
    assert (done.stdout, done.returncode) == ("in\n1 /tmp 1000 inside\n", 7)
    assert done.stderr == "touch: /tmp/made: Read-only file system\n"
    done = docker.run("start", "-ai", "box", input="again\n")
    assert done.stdout.startswith("again\n1 /tmp")
    assert done.returncode == 7
    assert docker.run("run", "--rm", "busybox", "/nope").returncode == 127
    unknown = docker.run("run", "--rm", "--network", "nowhere", "busybox", "true")
    assert unknown.returncode == 125
    assert "Error response from daemon: " in unknown.stderr
    assert "network nowhere " in unknown.stderr


@pytest.mark.client(CLI, "runs in a terminal, leaves it by keys, and attaches again")
def test_terminal(docker, target):
    docker.environment["DOCKER_HOST"] = target.socket  # over TCP its own detach keys are an error
    script = "until stty size | grep '33 101'; do :; done; read word; echo back $word; exit 4"
    terminal = docker.terminal("run", "-it", "--name", "box", "busybox", "sh", "-c", script)
    terminal.expect("33 101")
    detach(terminal, "\x10", "\x11")
    assert terminal.exitstatus == 0
    other = docker.terminal("exec", "-it", "box", "sh", "-c", script.partition("read")[0] + "tty")
    other.expect("33 101")
    other.expect("/dev/")
    assert left(other) == 0
    terminal = docker.terminal("attach", "box")
    terminal.sendline("again")
    terminal.expect("back again")
    assert left(terminal) == 4


@pytest.fixture
def box(docker):
    """A container ``box`` that serves files, and has some output and some changed files."""
    script = "echo first; echo err >&2; touch /made; exec httpd -f -p 80"
    id = docker("run", "-d", "--name", "box", "-p", "80", "busybox", "sh", "-c", script)
    docker("exec", "box", "sh", "-c", "until wget -qO- localhost/made; do :; done")
    return id


@pytest.mark.client(CLI, "runs commands in a container: settings, input, output, detached")
@pytest.mark.client(CLI, "copies files, folders and archives in both directions")
@pytest.mark.client(CLI, "shows logs, stats, processes, ports and changes of a container")
@pytest.mark.client(CLI, "lists and inspects containers with formats and filters")
def test_a_container_that_runs(docker, box, tmp_path):
    # Before other commands run in the container, which would count.
    assert docker("stats", "--no-stream", "--format", "{{.Name}} {{.PIDs}}", "box") == "box 1"
    following = docker.start("logs", "-f", "box")
    assert following.stdout.readline() == "first\n"
    run_commands(docker)
    copy(docker, tmp_path)
    look_in(docker)
    find(docker, box)
    docker("kill", "box")
    assert following.communicate(timeout=60) == ("", "err\n")
    assert following.returncode == 0


def run_commands(docker):
    settings = ("-e", "A=1", "-w", "/tmp", "-u", "1000")
    script = "cat; echo $A $PWD $(id -u); echo err >&2; exit 9"
    done = docker.run("exec", "-i", *settings, "box", "sh", "-c", script, input="in\n")
    assert (done.stdout, done.stderr, done.returncode) == ("in\n1 /tmp 1000\n", "err\n", 9)
    docker("exec", "-d", "box", "touch", "/mark")
    docker("exec", "box", "sh", "-c", "until test -e /mark; do :; done")


def copy(docker, folder):
    (folder / "in").mkdir()
    (folder / "in" / "word").write_text("hello")
    docker("cp", str(folder / "in"), "box:/tmp")
    docker("cp", "box:/tmp/in/.", str(folder / "out"))
    assert (folder / "out" / "word").read_text() == "hello"
    docker("cp", "-", "box:/tmp", input=tar_of("piped", b"through"), text=False)
    with tarfile.open(fileobj=io.BytesIO(docker("cp", "box:/tmp/piped", "-", text=False))) as tar:
        assert tar.extractfile("piped").read() == b"through"
    missing = docker.run("cp", "box:/nowhere", str(folder))
    assert missing.returncode == 1
    assert "nowhere" in missing.stderr


def look_in(docker):
    last = docker.run("logs", "-n", "1", "-t", "box")
    assert (last.stdout + last.stderr).partition("Z ")[2] in ("first\n", "err\n")
    assert docker("logs", "--until", "2020-01-01T00:00:00", "box") == ""
    assert "httpd -f" in docker("top", "box", "-o", "pid,args")
    assert "A /made" in docker("diff", "box")
    port = docker("port", "box", "80").splitlines()[0].rpartition(":")[2]
    assert f"{port}->80/tcp" in docker("ps", "--format", "{{.Ports}}")


def find(docker, id):
    docker("create", "--name", "other", "--label", "tier=back", "busybox")
    assert docker("ps", "--format", "{{.Names}} {{.Image}} {{.State}}") == "box busybox running"
    rows = docker("ps", "-a", "--format", "{{json .}}").splitlines()
    assert [json.loads(row)["Names"] for row in rows] == ["other", "box"]
    for wanted, name in (("label=tier", "other"), ("status=running", "box"), ("name=^bo", "box")):
        assert docker("ps", "-a", "-f", wanted, "--format", "{{.Names}}") == name
    assert docker("ps", "-ql") != id[:12]
    states = docker("inspect", "-f", "{{.Id}} {{.State.Status}}", id, id[:8], "box").splitlines()
    assert states == [f"{id} running"] * 3
    assert json.loads(docker("inspect", "-s", "--type", "container", "box"))[0]["SizeRootFs"]
    missing = docker.run("inspect", "ghost")
    assert (missing.stdout, missing.returncode) == ("[]\n", 1)
    assert "No such object: ghost" in missing.stderr


@pytest.mark.client(CLI, "pauses, restarts, kills, waits, renames, updates, stops, removes")
@pytest.mark.client(CLI, "follows events with filters")
def test_life(docker):
    box = docker("run", "-d", "--name", "box", "busybox", *STILL)
    since = docker("inspect", "-f", "{{.State.StartedAt}}", "box")
    about = ("--since", since, "-f", f"container={box}", "-f", "event=die", "-f", "event=rename")
    events = docker.start("events", *about, "--format", "{{.Action}}")
    docker("pause", "box")
    docker("unpause", "box")
    docker("rename", "box", "crate")
    assert events.stdout.readline() == "rename\n"
    docker("update", "-m", "32m", "--memory-swap", "64m", "--restart", "on-failure:2", "crate")
    limits = "{{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}"
    assert docker("inspect", "-f", limits, "crate") == f"{32 << 20} 2"
    docker("update", "--restart", "no", "crate")
    docker("restart", "crate")
    waiting = docker.start("wait", "crate")
    # Until it ends: what it is to do is set a moment after its start.
    docker.run("exec", "crate", "sh", "-c", "while kill -USR1 1; do sleep 0.1; done")
    assert waiting.communicate(timeout=60)[0] == "12\n"
    docker("start", "crate")
    assert docker("stop", "crate") == "crate"
    assert [events.stdout.readline() for _ in range(3)] == ["die\n"] * 3
    events.terminate()
    events.communicate(timeout=60)
    assert docker("rm", "crate") == "crate"
    for verb in ("start", "kill", "logs", "rm", "wait"):
        done = docker.run(verb, box)
        assert done.returncode == 1, verb
        assert f"No such container: {box}" in done.stderr, verb


@pytest.mark.client(CLI, "tags, lists, inspects and removes images, and tells their history")
@pytest.mark.client(CLI, "commits, exports, imports, saves and loads")
def test_images(docker, tmp_path):
    docker("create", "--name", "work", "busybox")
    docker("cp", "-", "work:/", input=tar_of("made", b"kept"), text=False)
    docker("commit", "-m", "why", "-c", "LABEL by=cli", "work", "lab/made:1")
    docker("export", "-o", str(tmp_path / "files.tar"), "work")
    docker("import", "-c", "CMD cat /made", str(tmp_path / "files.tar"), "lab/imported:1")
    assert docker("run", "--rm", "lab/imported:1") == "kept"
    docker("tag", "lab/made:1", "lab/saved:1")
    docker("save", "-o", str(tmp_path / "image.tar"), "lab/saved:1")
    assert docker("rmi", "lab/saved:1") == "Untagged: lab/saved:1"
    assert docker("load", "-i", str(tmp_path / "image.tar")) == "Loaded image: lab/saved:1"
    row = ("images", "--format", "{{.Repository}}:{{.Tag}}")
    assert docker(*row, "-f", "label=by", "lab/saved") == "lab/saved:1"
    labels = "{{.Id}} {{.Config.Labels.by}}"
    saved, made = docker("image", "inspect", "-f", labels, "lab/saved:1", "lab/made:1").splitlines()
    assert saved == made
    assert made.endswith(" cli")
    assert len(docker("history", "-q", "lab/made:1").splitlines()) == 2
    missing = docker.run("rmi", "lab/none:1")
    assert missing.returncode == 1
    assert "No such image: lab/none:1" in missing.stderr


@pytest.mark.client(CLI, "pulls, also on a run; pushes; reads a manifest; asks for a search")
def test_registry(docker, registry, tmp_path):
    image, own = f"{registry.address}/tool:1", f"{registry.address}/own:1"
    assert docker("run", "--rm", image, "echo", "pulled") == "pulled"
    docker("tag", image, own)
    assert "digest: sha256:" in docker("push", own)
    docker("rmi", image, own)
    assert f"Downloaded newer image for {image}" in docker("pull", image)
    assert f"Image is up to date for {image}" in docker("pull", image)
    missing = docker.run("pull", f"{registry.address}/none:1")
    assert missing.returncode == 1
    assert f"manifest for {registry.address}/none:1 not found" in missing.stderr
    nothing = docker.run("search", f"{registry.address}/tool")  # this registry has no search
    assert nothing.returncode == 1
    assert "Error response from daemon: " in nothing.stderr
    docker.environment |= {"DOCKER_CONFIG": str(tmp_path), "DOCKER_CLI_EXPERIMENTAL": "enabled"}
    assert json.loads(docker("manifest", "inspect", "--insecure", image))["layers"]


@pytest.mark.client(CLI, "builds with the classic builder: arguments, target, standard input")
def test_build(docker, tmp_path):
    lines = ("FROM busybox AS first", "ARG word", "COPY data /", "RUN echo $word >>/data",
             "FROM first AS second", "RUN exit 3")  # fmt: skip
    (tmp_path / "data").write_text("data\n")
    (tmp_path / "Dockerfile").write_text("\n".join(lines) + "\n")
    arguments = ("--build-arg", "word=hello", "--target", "first", "-t", "lab/made:1")
    assert "Successfully tagged lab/made:1" in docker("build", *arguments, str(tmp_path))
    assert docker("run", "--rm", "lab/made:1", "cat", "/data").split() == ["data", "hello"]
    failed = docker.run("build", "--build-arg", "word=hello", str(tmp_path))
    assert failed.returncode != 0
    assert "The command '/bin/sh -c exit 3' returned a non-zero code: 3" in failed.stderr
    docker("build", "-t", "lab/made:2", "-", input="FROM busybox\nLABEL from=stdin\n")


@pytest.mark.client(CLI, "makes, connects, lists and removes networks, on which names are found")
@pytest.mark.client(CLI, "makes, lists and removes volumes, which keep data")
@pytest.mark.client(CLI, "tells what disk is used, and prunes")
def test_networks_and_volumes(docker):
    docker("network", "create", "--label", "tier=back", "backend")
    assert docker("volume", "create", "--label", "tier=back", "data") == "data"
    together = ("--network", "backend", "-v", "data:/data")
    script = "touch /data/made; exec httpd -f"
    docker("run", "-d", "--name", "box", *together, "busybox", "sh", "-c", script)
    seen = "until wget -qO- box/etc/hostname; do :; done; ls /data"
    told = docker("run", "--name", "user", *together, "busybox", "sh", "-c", seen)
    assert told.splitlines()[1:] == ["made"]
    assert docker("network", "ls", "-f", "label=tier", "--format", "{{.Name}}") == "backend"
    assert docker("volume", "ls", "-qf", "label=tier") == "data"
    assert docker("network", "inspect", "-f", "{{len .Containers}}", "backend") == "1"
    assert docker("volume", "inspect", "-f", "{{.Driver}}", "data") == "local"
    for kind, name, why in (("network", "backend", "has active"), ("volume", "data", "in use")):
        busy = docker.run(kind, "rm", name)
        assert busy.returncode == 1, kind
        assert why in busy.stderr, kind
    docker("network", "disconnect", "backend", "box")
    docker("network", "connect", "--alias", "store", "backend", "box")
    tell_and_prune(docker)


def tell_and_prune(docker):
    counts = docker("system", "df", "--format", "{{.Type}} {{.TotalCount}} {{.Active}}")
    assert {"Containers 2 1", "Local Volumes 1 1"} <= set(counts.splitlines())
    assert "user" in docker("system", "df", "-v")
    docker("kill", "box")
    told = docker("system", "prune", "-f")
    assert "Deleted Networks:\nbackend" in told
    assert "Total reclaimed space" in told
    assert docker("ps", "-aq") == ""
    assert docker("volume", "rm", "data") == "data"
