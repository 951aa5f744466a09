"""``docker build`` through the manager: both builders, real clients, engines of three releases."""

import json
import os
import signal
import tarfile
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.system.tars import tar_of

#: The builders, by release of the CLI and what its ``DOCKER_BUILDKIT`` is.
BUILDERS = {"classic": ("20.10", "0"), "buildkit": ("20.10", "1"), "buildx": ("28", "1")}


@pytest.fixture(params=BUILDERS)
def builder(request, fleet, make_docker):
    """The CLI with one of the builders."""
    release, buildkit = BUILDERS[request.param]
    return make_docker(release, fleet.manager.host, DOCKER_BUILDKIT=buildkit)


@pytest.fixture
def image(fleet):
    """The name of an image that no engine has before or after the test."""
    name = f"built-{uuid.uuid4().hex[:12]}"
    yield name
    for engine in fleet.engines:
        fleet.direct(engine).run("rmi", "-f", name)


@pytest.fixture
def context(tmp_path):
    """Return a folder with a Dockerfile of the given lines and a file ``hello``."""

    def make(*lines: str) -> Path:
        (tmp_path / "hello").write_text("hello from the context\n")
        (tmp_path / "Dockerfile").write_text("\n".join(lines) + "\n")
        return tmp_path

    return make


def holders(fleet, image):
    """Return the engines that have *image*."""
    return [name for name in fleet.engines if fleet.direct(name)("images", "-q", image)]


def is_running(command):
    """Return whether a process of the machine has the command line *command*."""
    wanted = b"".join(word.encode() + b"\0" for word in command)
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has just ended
            if path.read_bytes() == wanted:
                return True
    return False


def test_a_built_image_runs_on_its_node(builder, fleet, context, image):
    folder = context("FROM busybox", "COPY hello /hello", "RUN echo built > /built")
    builder("build", "-t", image, str(folder))
    assert len(holders(fleet, image)) == 1
    ran = builder("run", "--rm", image, "cat", "/hello", "/built")
    assert ran == "hello from the context\nbuilt"


def test_a_failing_step_fails_the_build_and_says_why(builder, context, image):
    done = builder.run("build", "-t", image, str(context("FROM busybox", "RUN exit 23")))
    assert done.returncode != 0
    assert "23" in done.stderr
    assert "exit 23" in done.stdout + done.stderr


def test_a_context_from_standard_input(builder, context, image, tmp_path):
    folder = context("FROM busybox", "COPY hello /hello")
    archive = tmp_path / "context.tar"
    with tarfile.open(archive, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name in ("Dockerfile", "hello"):
            tar.add(folder / name, name)
    with archive.open("rb") as standard_input:
        builder("build", "-t", image, "-", stdin=standard_input)
    assert builder("run", "--rm", image, "cat", "/hello") == "hello from the context"


@pytest.mark.parametrize("kind", ["classic", "buildkit"])
@pytest.mark.parametrize("node", ["old", "middle", "new"])
def test_a_build_argument_constrains_the_node(fleet, make_docker, context, image, kind, node):
    release, buildkit = BUILDERS[kind]
    docker = make_docker(release, fleet.manager.host, DOCKER_BUILDKIT=buildkit)
    folder = context("FROM busybox", "ARG kept", "RUN echo $kept > /kept")
    arguments = ("--build-arg", f"constraint:node=={node}", "--build-arg", "kept=as it is")
    told = docker("build", "-t", image, *arguments, str(folder))
    assert "constraint" not in told  # the engine would warn of an argument it does not consume
    assert holders(fleet, image) == [node]
    assert docker("run", "--rm", image, "cat", "/kept") == "as it is"


def test_a_constraint_that_no_node_meets_is_refused(fleet, make_docker, context, image):
    docker = make_docker("20.10", fleet.manager.host, DOCKER_BUILDKIT="0")
    folder = str(context("FROM busybox"))
    done = docker.run("build", "-t", image, "--build-arg", "constraint:node==moon", folder)
    assert done.returncode != 0
    assert "constraint node==moon" in done.stderr


def test_a_build_that_is_interrupted_ends_on_its_engine(builder, fleet, context, image, wait_until):
    step = f"echo {uuid.uuid4().hex}; sleep 987; echo"
    folder = context("FROM busybox", f"RUN {step}")
    client = builder.start("build", "-t", image, str(folder), start_new_session=True)

    wait_until(lambda: is_running(["/bin/sh", "-c", step]), "the step to run")
    os.killpg(client.pid, signal.SIGINT)
    client.communicate(timeout=60)
    assert client.returncode != 0
    wait_until(lambda: not is_running(["/bin/sh", "-c", step]), "the step to be ended")


def test_five_builds_at_once(builder, fleet, context, image):
    folder = context("FROM busybox", "ARG number", "RUN echo $number > /number")

    def build(number):
        tag = f"{image}:{number}"
        builder("build", "-t", tag, "--build-arg", f"number={number}", str(folder))
        return builder("run", "--rm", tag, "cat", "/number")

    try:
        with ThreadPoolExecutor(5) as pool:
            assert list(pool.map(build, range(5))) == list("01234")
    finally:
        for engine in fleet.engines:
            fleet.direct(engine).run("rmi", "-f", *(f"{image}:{number}" for number in range(5)))


# ---- bases that another engine has


@pytest.fixture
def base(fleet):
    """The name of an image that is committed on ``new`` through the manager, and removed later."""
    name = f"base-{uuid.uuid4().hex[:12]}:1"
    docker = fleet.docker()
    docker("run", "--name", "base", "-e", "constraint:node==new", "busybox",
           "sh", "-c", "echo the base > /base")  # fmt: skip
    docker("commit", "base", name)
    docker("rm", "base")
    yield name
    for engine in fleet.engines:
        fleet.direct(engine).run("rmi", "-f", name)


ON_OLD = ("--build-arg", "constraint:node==old")


@pytest.fixture
def classic(fleet, make_docker):
    return make_docker("20.10", fleet.manager.host, DOCKER_BUILDKIT="0")


def test_a_build_from_an_image_of_another_engine_is_as_on_one_engine(
    fleet, classic, make_docker, context, base, image
):
    folder = context("FROM " + base, "RUN cat /base")
    one = make_docker("20.10", f"tcp://{fleet.engines['new'].address}", DOCKER_BUILDKIT="0")
    told = one("build", "-t", image, str(folder))
    one("rmi", image)
    assert "the base" in told
    assert "the base" in classic("build", "-t", image, *ON_OLD, str(folder))
    assert holders(fleet, image) == ["old"]
    assert holders(fleet, base) == ["old", "new"]


def test_a_base_image_is_found_in_every_place_of_its_name(fleet, classic, context, base, image):
    repository, _, tag = base.partition(":")
    folder = context("ARG TAG", f"FROM {repository}:$TAG AS one", "FROM busybox",
                     f"COPY --from={base} /base /copied", "RUN cat /copied")  # fmt: skip
    (folder / "0").mkdir()
    (folder / "0" / "large").write_bytes(os.urandom(1 << 20))
    (folder / "Dockerfile").rename(folder / "Elsewhere")
    told = classic("build", "-t", image, "--compress", *ON_OLD, "--build-arg", f"TAG={tag}",
                   "-f", str(folder / "Elsewhere"), str(folder))  # fmt: skip
    assert "the base" in told
    assert holders(fleet, base) == ["old", "new"]


def test_without_a_constraint_the_build_goes_where_its_base_is(
    fleet, classic, context, base, image
):
    classic("build", "-t", image, str(context("FROM " + base)))
    assert holders(fleet, image) == holders(fleet, base) == ["new"]


@pytest.mark.parametrize("node", ["old", "middle"])
def test_buildkit_with_its_context_in_the_body_finds_its_base(fleet, base, image, node):
    """dockerode builds in this way; the tag must exist when the answer ends."""
    arguments = quote(json.dumps({"constraint:node": f"={node}"}))
    context = tar_of("Dockerfile", f"FROM {base}\nRUN cat /base\n".encode())
    url = f"http://127.0.0.1:{fleet.manager.port}/build?version=2&t={image}&buildargs={arguments}"
    request = urllib.request.Request(url, context, {"Content-Type": "application/x-tar"})
    with urllib.request.urlopen(request, timeout=100) as answer:
        lines = [json.loads(line) for line in answer]
    made = [line["aux"]["ID"] for line in lines if line.get("id") == "moby.image.id"]
    assert made == [fleet.manager.get(f"/images/{image}/json")["Id"]], lines[-1]
    assert holders(fleet, image) == [node]


def test_the_error_of_a_buildkit_session_says_where_its_base_is(
    fleet, make_docker, context, base, image
):
    docker = make_docker("20.10", fleet.manager.host, DOCKER_BUILDKIT="1")
    done = docker.run("build", "-t", image, *ON_OLD, str(context("FROM " + base)))
    assert done.returncode == 1
    assert f"image {base} is on new: --build-arg constraint:node==new builds there" in done.stderr
    docker(
        "build", "-t", image, "--build-arg", "constraint:node==new", str(context("FROM " + base))
    )


def test_a_build_goes_where_its_network_is(fleet, classic, context, image):
    labels = 'com.docker.swarm.constraints=["node==middle"]'
    classic("network", "create", "--label", labels, "build-net")
    try:
        folder = str(context("FROM busybox", "RUN cat /etc/hosts"))
        for network in ("build-net", "middle/build-net"):
            classic("build", "--no-cache", "--network", network, "-t", image, folder)
            assert holders(fleet, image) == ["middle"]
            fleet.direct("middle")("rmi", image)
    finally:
        classic("network", "rm", "build-net")
    done = classic.run("build", "--no-cache", "--network", "build-net", "-t", image, folder)
    assert done.returncode == 1
    assert "network build-net not found" in done.stderr
