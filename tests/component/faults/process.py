"""A manager in a process of its own, whose memory and descriptors a test can read."""

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from swarmcore.testing.ports import free_port

SWARMCORE = Path(sys.executable).with_name("swarmcore")
_START_SECONDS = 100


class ManagerProcess:
    """``swarmcore manage`` on a loopback port; its log is in ``log``."""

    def __init__(self, folder, *arguments, stderr=None):
        self.port, self.log = free_port(), folder / "log"
        command = [SWARMCORE, "manage", "-H", f"tcp://127.0.0.1:{self.port}", *arguments]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stderr=stderr or log)

    def wait(self, condition):
        """Poll until *condition* is true."""
        ends = time.monotonic() + _START_SECONDS
        while not condition():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < ends, self.log.read_text()
            time.sleep(0.05)

    def connect(self):
        """Return a raw connection."""
        return socket.create_connection(("127.0.0.1", self.port), 60)

    def ask(self, method, path, body=None):
        """Send one request; return the status and the text of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def serves(self, count=0):
        """Return whether it answers, with *count* healthy engines."""
        try:
            rows = json.loads(self.ask("GET", "/info")[1])["SystemStatus"]
        except OSError:
            return False
        return [value for name, value in rows if name.strip().endswith("Status")].count(
            "Healthy"
        ) == count

    @property
    def memory(self):
        """Return the resident memory in bytes."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) * 1024

    @property
    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


@contextmanager
def running(folder, *arguments, engines=0, **options):
    """Run a manager until the end of the block."""
    manager = ManagerProcess(folder, *arguments, **options)
    try:
        manager.wait(lambda: manager.serves(engines))
        yield manager
    finally:
        if manager.process.poll() is None:
            manager.process.kill()
        manager.process.wait()
