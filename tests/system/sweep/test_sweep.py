"""Two hundred ``docker`` commands, one after another, with engines and with their manager.

The manager's output is compared word for word with an engine's.  ``docs/compatibility.md`` has
every difference, with its reason.
"""

import concurrent.futures
import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

COMMANDS = Path(__file__).with_name("commands.txt").read_text().splitlines()
PAGE = Path(__file__).parents[3] / "docs" / "compatibility.md"
NODES = {"sweep-old": "20.10", "sweep-middle": "26.1", "sweep-new": "28.5"}
#: What no two runs have in common: ids, moments, spans, addresses, process ids, node names.
UNLIKE = [
    # A second thread of `docker run` writes this line; whether and where is chance.
    (re.compile(r'time="[^"]*".*error waiting for container: .*\n'), ""),
    (re.compile(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b"), "ID"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ][0-9:.]+ ?(Z|[+-]\d\d:?\d\d( UTC)?)"), "MOMENT"),
    (re.compile(r"(Less than a second|About a minute|\d+ (second|minute)s?)( ago)?"), "SPAN"),
    (re.compile(r"round-trip.*"), "ROUND-TRIP"),
    (re.compile(r"\b(10|172)\.\d+\.\d+\.\d+\b"), "ADDRESS"),
    (re.compile(r"\bsweep-(old|middle|new)\b"), "NODE"),
    (re.compile(r"\b\d{1,7}(?= +\d+ +\d+ +\d\d:\d\d)|(?<=PID\n)\d+"), "PID"),
    (re.compile(r"[ \t]+"), " "),
]
PROCESSES = re.compile(r"^(root) .*( sleep 1000)$", re.MULTILINE)

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]  # for a busy machine


class Said(NamedTuple):
    status: int
    out: str
    err: str


def sweep(docker, folder) -> list[Said]:
    """Run every command with one address."""
    folder.mkdir()
    # All speak the version that is announced for the oldest of them, and build without BuildKit.
    docker.environment |= {
        "DOCKER_API_VERSION": "1.41", "DOCKER_BUILDKIT": "0", "DOCKER_CONFIG": str(folder),
    }  # fmt: skip
    return [say(docker, shlex.split(command)) for command in COMMANDS]


def say(docker, arguments) -> Said:
    done = docker.run(*arguments, stdin=subprocess.DEVNULL, errors="replace")
    return Said(done.returncode, alike(done.stdout), alike(done.stderr))


def alike(text: str) -> str:
    """Return *text* without the parts that differ between any two runs."""
    text = PROCESSES.sub(r"\1\2", text)
    for unlike, word in UNLIKE:
        text = unlike.sub(word, text)
    return text


def documented() -> dict[str, str]:
    """Return command -> the reason of the manager's different answer, from the page."""
    rows = PAGE.read_text().partition("<!-- sweep -->")[2].partition("<!-- /sweep -->")[0]
    return dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", rows, re.MULTILINE))


@pytest.fixture(scope="module")
def places(lab, start_manager):
    """Engines of three releases that no other test uses, and their manager."""
    engines = lab.start_engines(
        [{"name": name, "release": release} for name, release in NODES.items()]
    )
    lab.image(engines)
    manager = start_manager(",".join(engine.address for engine in engines))
    manager.wait_healthy(len(engines))
    yield {engine.name: f"tcp://{engine.address}" for engine in engines}, manager.host
    manager.stop()
    for engine in engines:
        engine.stop()


def test_every_difference_is_documented_with_its_reason(places, make_docker, tmp_path):
    engines, manager = places
    with concurrent.futures.ThreadPoolExecutor(len(engines)) as pool:
        at_engines = list(
            pool.map(lambda name: sweep(make_docker("28", engines[name]), tmp_path / name), engines)
        )
    at_manager = sweep(make_docker("28", manager), tmp_path / "manager")
    differing = {
        command: {"manager": said, "engines": [each[number] for each in at_engines]}
        for number, (command, said) in enumerate(zip(COMMANDS, at_manager, strict=True))
        if all(said != each[number] for each in at_engines)
    }
    unknown = {command: differing[command] for command in differing.keys() - documented().keys()}
    assert unknown == {}, json.dumps(unknown, indent=1)
    assert documented().keys() - differing.keys() == set(), "these differ no longer"


def test_the_sweep_is_as_long_as_the_page_says():
    assert len(COMMANDS) >= 150
    assert all(reason.strip() for reason in documented().values())
