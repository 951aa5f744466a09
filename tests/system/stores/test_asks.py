"""asks with the anyio that pip chooses for it, which is older than trio: the third column.

This environment has the other two: httpx, and asks with today's anyio.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.manager import SWARMCORE
from tests.system.stores.hub import HubProcess

pytestmark = pytest.mark.docker

#: Made by scripts/setup: what ``pip install asks==3.0.0`` brings along, and nothing else.
ASKS = Path(sys.prefix) / "asks"


@pytest.fixture
def run():
    """Run a command with asks' own anyio; return its output."""
    assert ASKS.exists(), f"no {ASKS}: run scripts/setup"

    def run(*command):
        done = subprocess.run(
            command,
            env={**os.environ, "PYTHONPATH": str(ASKS)},
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_the_discoverys_contract_holds_with_an_anyio_of_2023(run):
    version = "import anyio, importlib.metadata as m; print(anyio.__file__, m.version('anyio'))"
    file, number = run(sys.executable, "-c", version).split()
    assert Path(file).is_relative_to(ASKS)
    assert number.startswith("3.")
    tests = str(Path(__file__).with_name("test_hub.py"))
    # Those who give options to this run do not mean that one.
    own = ("-p", "no:cacheprovider", "-o", "addopts=--import-mode=importlib", "-q")
    told = run(sys.executable, "-m", "pytest", *own, f"{tests}::TestByAsks")
    assert " passed" in told
    assert "skipped" not in told


def test_the_command_finds_engines_with_an_anyio_of_2023(run, tmp_path):
    hub = HubProcess(tmp_path, "--rate", "0")
    hub.start()
    try:
        token = hub.create()
        hub.ask("POST", f"/v1/clusters/{token}?ttl=600", b"10.0.0.1:2375")
        uri = f"token+http://127.0.0.1:{hub.port}/v1/{token}"
        told = run(SWARMCORE, "list", "--discovery-opt", "token.client=asks", uri)
        assert told == "10.0.0.1:2375\n"
    finally:
        hub.kill()
