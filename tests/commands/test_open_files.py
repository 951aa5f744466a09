"""A manager with few open files, and more idle connections than these."""

import contextlib
import http.client
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from swarmcore.testing.ports import free_port

SWARMCORE = Path(sys.executable).with_name("swarmcore")


@pytest.fixture
def manager():
    """A manager with at most 256 open files; yields its port and its log, which ends with it."""
    port, said = free_port(), []
    command = [SWARMCORE, "manage", "-H", f"127.0.0.1:{port}", "127.0.0.1:1"]
    with subprocess.Popen(
        ["prlimit", "--nofile=256:256", *command], stderr=subprocess.PIPE, text=True
    ) as process:
        for line in process.stderr:
            said.append(line)
            if "Listening" in line:
                break

        def stop():
            process.terminate()
            said.append(process.stderr.read())
            return "".join(said)

        yield port, stop
        process.kill()


def test_idle_connections_do_not_keep_new_clients_out(manager):
    port, stop = manager
    with contextlib.ExitStack() as idle:
        for _ in range(400):
            idle.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
        for _ in range(20):
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            with contextlib.closing(client):
                client.request("GET", "/info")
                assert json.load(client.getresponse())["Name"]
    said = stop()
    assert said.count("closing the connections that are idle longest") == 1
    assert "Traceback" not in said
