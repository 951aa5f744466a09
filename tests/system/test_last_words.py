"""Engines are lost under clients that follow something: each client gets an error and fails.

Three engines are lost at once, each in another way, with the real commands of two releases.
"""

import subprocess
from typing import NamedTuple

import pytest

RELEASES = ("20.10", "28")
#: Ends when told to, and after some minutes even if nobody is left to tell it.
TICK = "trap 'exit 1' TERM; for i in $(seq 900); do echo tick; sleep 0.2; done"
#: The release 20.10 shows what is no JSON as just that, and nothing else that fails has a text.
WORDLESS = {("20.10", "wait"), ("20.10", "attach")}


class Outage(NamedTuple):
    """A failure of an engine, and its end."""

    engine: str
    begin: str
    end: str


OUTAGES = {
    "killed": Outage("old", "kill", "restart"),
    "hung": Outage("middle", "pause", "resume"),
    "cut off": Outage("new", "cut", "mend"),
}


class Follower:
    """A command that has some output before its engine is lost, and its expected end."""

    def __init__(self, docker, *words, shows="tick", on="stdout"):
        self.process = docker.start(*words, stdin=subprocess.PIPE)
        self._shows = shows
        self._output = getattr(self.process, on)

    def wait_shown(self):
        while self._shows and not (line := self._output.readline()).strip().endswith(self._shows):
            assert line, self.process.stderr.read()

    def last_words(self):
        _, said = self.process.communicate(timeout=60)
        return said


def follow(docker, kind, node, folder):
    """Begin one *kind* of work on *node*."""
    site = f"constraint:node=={node}"
    box = f"on-{node}"
    if kind == "wait":
        return Follower(docker, "wait", box, shows="")
    if kind == "logs":
        return Follower(docker, "logs", "-f", box)
    if kind == "attach":
        return Follower(docker, "attach", box)
    if kind == "exec":
        return Follower(docker, "exec", "-i", box, "sh", "-c", "echo tick; cat")
    if kind == "run":
        return Follower(docker, "run", "-i", "-e", site, "busybox", "sh", "-c", TICK)
    docker.environment["DOCKER_BUILDKIT"] = "1" if kind == "buildkit" else "0"
    words = ("build", "--no-cache", "--build-arg", site, str(folder))
    return Follower(docker, *words, on="stderr" if kind == "buildkit" else "stdout")


KINDS = [
    *((cli, kind) for cli in RELEASES for kind in ("wait", "logs", "attach", "exec", "run")),
    ("20.10", "build"),
    ("20.10", "buildkit"),
]


@pytest.fixture(scope="module")
def followers(shared_fleet, tmp_path_factory):
    """(outage, release, kind) -> its follower, after all three engines were lost."""
    folder = tmp_path_factory.mktemp("context")
    (folder / "Dockerfile").write_text(f"FROM busybox\nRUN {TICK}\n")
    docker = shared_fleet.docker()
    for node in shared_fleet.engines:
        site = f"constraint:node=={node}"
        docker("run", "-d", "--name", f"on-{node}", "-e", site, "busybox", "sh", "-c", TICK)
    followers = {
        (name, cli, kind): follow(shared_fleet.docker(cli), kind, outage.engine, folder)
        for name, outage in OUTAGES.items()
        for cli, kind in KINDS
    }
    for follower in followers.values():
        follower.wait_shown()
    lost = [(shared_fleet.engines[outage.engine], outage) for outage in OUTAGES.values()]
    try:
        for engine, outage in lost:
            getattr(engine, outage.begin)()
        yield followers
    finally:
        for follower in followers.values():
            follower.process.kill()
            follower.process.communicate()
        for engine, outage in lost:
            getattr(engine, outage.end)()
        shared_fleet.manager.wait_healthy(3)
        docker.remove_all()


@pytest.mark.parametrize(("cli", "kind"), KINDS, ids=[" ".join(each) for each in KINDS])
@pytest.mark.parametrize("outage", OUTAGES)
def test_a_follower_gets_an_error_that_names_the_lost_engine(followers, outage, cli, kind):
    follower = followers[outage, cli, kind]
    said = follower.last_words()
    assert follower.process.returncode not in (0, None), said
    if (cli, kind) not in WORDLESS:
        node = OUTAGES[outage].engine
        words = (f"engine {node}: ", f"engine {node} does not answer any more")
        assert any(text in said for text in (*words, f"unhealthy node {node}")), said
