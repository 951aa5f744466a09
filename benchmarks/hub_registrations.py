"""How many registrations a hub takes in a second, on this machine.

    .venv/bin/python benchmarks/hub_registrations.py [SECONDS]

Starts ``swarmcore hub`` on loopback, registers engines of one cluster over eight kept connections
for that long (10), then asks for the list.  Each answer means that the engine is on disk.
"""

import http.client
import json
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

from swarmcore.testing.ports import free_port

SWARMCORE = Path(sys.executable).with_name("swarmcore")

_CONNECTIONS = 8


def main() -> None:
    """Print what was measured."""
    seconds = int(sys.argv[1]) if sys.argv[1:] else 10
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        listen = f"127.0.0.1:{port}"
        hub = subprocess.Popen(
            [SWARMCORE, "hub", "-H", listen, "--data-dir", folder, "--rate", "0"]
        )
        try:
            measure(port, seconds)
        finally:
            hub.terminate()
            hub.wait()


def measure(port: int, seconds: int) -> None:
    """Register, then list."""
    token = create(port)
    took: list[float] = []
    ends = time.monotonic() + seconds
    threads = [
        threading.Thread(target=register, args=(port, token, number, ends, took))
        for number in range(_CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took.sort()
    print(f"{len(took) / seconds:.0f} registrations/s over {_CONNECTIONS} connections")
    print(f"one takes {took[len(took) // 2] * 1e3:.1f} ms, 99 of 100 at most "
          f"{took[len(took) * 99 // 100] * 1e3:.1f} ms")  # fmt: skip
    began = time.monotonic()
    listed = json.loads(ask(port, "GET", f"/v1/clusters/{token}"))
    print(f"the list of {len(listed)} engines takes {(time.monotonic() - began) * 1e3:.1f} ms")


def create(port: int) -> str:
    """A cluster's token, as soon as the hub answers."""
    while True:
        with suppress(OSError):
            return ask(port, "POST", "/v1/clusters").decode()
        time.sleep(0.05)


def register(port: int, token: str, number: int, ends: float, took: list[float]) -> None:
    """Register a thousand engines again and again, as heartbeats do."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with closing(connection):
        count = 0
        while (began := time.monotonic()) < ends:
            body = b"n%d-%d:2375" % (number, count % 1000)
            connection.request("POST", f"/v1/clusters/{token}?ttl=180", body)
            with connection.getresponse() as answer:
                if answer.status != 200:
                    raise SystemExit(f"status {answer.status}: {answer.read()!r}")
                answer.read()
            took.append(time.monotonic() - began)
            count += 1


def ask(port: int, method: str, path: str) -> bytes:
    """The body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with closing(connection):
        connection.request(method, path)
        with connection.getresponse() as answer:
            return answer.read()


if __name__ == "__main__":
    main()
