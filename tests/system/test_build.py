"""``docker build`` through the manager: both builders, real clients, engines of three releases."""

import os
import signal
import tarfile
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

#: The builders, by release of the CLI and what its ``DOCKER_BUILDKIT`` is.
BUILDERS = {"classic": ("20.10", "0"), "buildkit": ("20.10", "1"), "buildx": ("28", "1")}


@pytest.fixture(params=BUILDERS)
def builder(request, fleet, make_docker):
    """The CLI, with one of the builders."""
    release, buildkit = BUILDERS[request.param]
    return make_docker(release, fleet.manager.host, DOCKER_BUILDKIT=buildkit)


@pytest.fixture
def image(fleet):
    """The name of an image that no engine has, before or after."""
    name = f"built-{uuid.uuid4().hex[:12]}"
    yield name
    for engine in fleet.engines:
        fleet.direct(engine).run("rmi", "-f", name)


@pytest.fixture
def context(tmp_path):
    """A folder with a Dockerfile of the given lines and a file ``hello``."""

    def make(*lines: str) -> Path:
        (tmp_path / "hello").write_text("hello from the context\n")
        (tmp_path / "Dockerfile").write_text("\n".join(lines) + "\n")
        return tmp_path

    return make


def holders(fleet, image):
    """The engines that have *image*."""
    return [name for name in fleet.engines if fleet.direct(name)("images", "-q", image)]


def is_running(command):
    """Whether a process of the machine was started as *command*."""
    wanted = b"".join(word.encode() + b"\0" for word in command)
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has just ended
            if path.read_bytes() == wanted:
                return True
    return False


def test_what_was_built_runs_where_it_was_built(builder, fleet, context, image):
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
