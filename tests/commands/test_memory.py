"""What large creates cost, and that their memory is given back."""

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from swarmcore.testing.ports import free_port

SWARMCORE = Path(sys.executable).with_name("swarmcore")
#: MB; without the limits and the returning it was 450, and stayed.
_MOST, _LASTING = 230, 40


@pytest.fixture
def manager():
    """A manager without engines; yields its port and its process."""
    port = free_port()
    command = [SWARMCORE, "manage", "-H", f"127.0.0.1:{port}", "127.0.0.1:1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if "Listening" in line:
                break
        yield port, process
        process.kill()


def resident_mb(process, what="VmRSS"):
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(rf"{what}:\s+(\d+)", status)[1]) // 1024


def create(port, body):
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    with closing(connection):
        connection.request("POST", "/containers/create", body, {"Content-Type": "application/json"})
        return connection.getresponse().status


def test_ten_creates_with_megabytes_are_bounded_and_their_memory_is_returned(manager):
    port, process = manager
    before = resident_mb(process)
    env = [f"A{number}={'x' * 330}" for number in range(11_900)]
    large = json.dumps({"Image": "x", "Env": env}).encode()
    labels = json.dumps({"Image": "x", "Labels": {"a": "x" * 3_000_000}}).encode()
    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(lambda _: create(port, large), range(10))) == {503}
        assert set(pool.map(lambda _: create(port, labels), range(10))) == {400}
    assert resident_mb(process, "VmHWM") - before < _MOST
    for _ in range(600):
        if resident_mb(process) - before < _LASTING:
            return
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.1)
    pytest.fail(f"{resident_mb(process) - before} MB are not given back")
