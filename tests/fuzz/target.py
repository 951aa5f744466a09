"""The manager under test, and raw connections to it."""

import contextlib
import http.client
import json
import re
import select
import socket
import struct
import time
from pathlib import Path
from urllib.parse import quote

#: How long anything may take to be answered: less than the 20 s that half a head is waited for.
DEADLINE_SECONDS = 15.0
#: An answer whose end is somebody's to decide has come, and nothing follows.
QUIET_SECONDS = 0.02
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


class Target:
    """The manager that is fuzzed."""

    def __init__(self, process, port, log):
        self.process, self.port, self.log = process, port, log
        self.cases = 0
        self._plain = self._connection()

    # ---- one case

    def throw(self, pieces, end):
        """Send raw bytes, then ``shut`` the sending side, ``close`` or ``reset``; return statuses.

        After ``shut`` the manager must end the connection, whatever bytes it got.
        """
        self.cases += 1
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            said = b""
            with contextlib.suppress(ConnectionError):  # it has refused, and may not read on
                for piece in pieces:
                    client.sendall(piece)
                said = self._finish(client, b"".join(pieces), end)
        self.check_alive()
        return self._statuses(said, b"".join(pieces))

    def ask(self, method, target, body=b"", headers=(), *, endless=False):
        """Send one well-framed request; return status and body of the whole answer.

        An *endless* answer counts as ended when no more bytes come; status 0 if it has not begun.
        """
        self.cases += 1
        lines = [f"{method} {target} HTTP/1.1", "Host: x", "Connection: close", *headers]
        if body or method in ("POST", "PUT"):
            lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            client.sendall(head + body)
            said = self._receive(client, head, QUIET_SECONDS if endless else None)
        self.check_alive()
        if endless and not said:
            return 0, b""
        [status] = self._statuses(said, head + body)[-1:]
        return status, said.partition(b"\r\n\r\n")[2]

    def check_alive(self):
        """Check that a plain request is answered, on one connection through all cases."""
        self._plain.request("GET", "/_ping")
        with self._plain.getresponse() as answer:
            assert (answer.status, answer.read()) == (200, b"OK")

    def revive(self):
        """Make sure that a container ``box`` runs, whatever cases have done to it."""
        self._post("/images/create?fromImage=busybox&tag=latest")
        self._post("/containers/create?name=box", b'{"Image": "busybox", "Cmd": ["serve"]}')
        self._post("/containers/box/start")
        self._post("/volumes/create", b'{"Name": "data"}')
        self._post("/networks/create", b'{"Name": "net"}')

    def hang_up(self):
        self._plain.close()

    # ---- what it has become

    def descriptors(self):
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def memory(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024

    def tidy(self):
        """Remove the objects that cases made, so that only a leak can grow."""
        for container in self._get("/containers/json?all=1"):
            self._delete(f"/containers/{container['Id']}?force=1")
        for network in self._get("/networks"):
            self._delete(f"/networks/{network['Id']}")
        for volume in self._get("/volumes")["Volumes"] or ():
            self._delete(f"/volumes/{quote(volume['Name'], safe='')}?force=1")

    def _get(self, path):
        self._plain.request("GET", path)
        with self._plain.getresponse() as answer:
            return json.load(answer)

    def _delete(self, path):
        self._plain.request("DELETE", path)
        with self._plain.getresponse() as answer:
            answer.read()

    def _post(self, path, body=b""):
        self._plain.request("POST", path, body, {"Content-Type": "application/json"})
        with self._plain.getresponse() as answer:
            answer.read()

    def _connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_SECONDS)

    # ---- reading

    def _finish(self, client, sent, end):
        if end == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if end != "shut":
            return b""
        with contextlib.suppress(OSError):  # it has hung up already
            client.shutdown(socket.SHUT_WR)
        # A client that may be hijacked ends its input and still wants its output.
        return self._receive(client, sent, QUIET_SECONDS if b"pgrade" in sent else None)

    def _receive(self, client, sent, quiet):
        """Receive until the end of the connection, or until no bytes come for *quiet*."""
        said = bytearray()
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            left = deadline - time.monotonic()
            if not select.select([client], [], [], quiet or max(0, left))[0]:
                assert quiet is not None or left > 0, f"no end to {sent[:500]!r}: {said[-500:]!r}"
                if quiet is not None:
                    return bytes(said)
                continue
            try:
                data = client.recv(1 << 16)
            except ConnectionResetError:
                return bytes(said)
            if not data:
                return bytes(said)
            said += data

    def _statuses(self, said, sent):
        assert not said or _STATUS.match(said), f"{sent[:500]!r} was answered {said[:200]!r}"
        statuses = [int(status) for status in _STATUS.findall(said)]
        if 500 in statuses:  # an engine's own, whose log has its cause; never the manager's
            assert b"was not answered" not in said, f"{sent[:2000]!r}"
            assert "Traceback" not in self.log.read_text(), f"{sent[:2000]!r}"
        return statuses


def is_healthy(target):
    assert target.process.poll() is None, target.log.read_text()
    try:
        rows = target._get("/info")["SystemStatus"]
    except OSError:
        target.hang_up()
        return False
    return [value for key, value in rows if "Status" in key] == ["Healthy", "Healthy"]


def wait_until(state, what, seconds=60):
    """Poll *state* until it is true; fail, naming *what*, after *seconds*."""
    deadline = time.monotonic() + seconds
    while not state():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.05)
