"""Managers with one store, each with its own connection to it, and the times when they led."""

import re
import signal
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from swarmcore_lab.freezing import FreezingProxy

from swarmcore.testing.ports import free_port
from tests.system.manager import Manager
from tests.system.waiting import wait_until

_LOGGED = re.compile(
    r"^(\S+) INFO \S+ Leader Election: Cluster leadership "
    r"(acquired|lost) \(term (\d+)(?:, held until (\S+))?\)$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Mandate:
    """A time of leading, by the clocks of the leaders."""

    port: int
    term: int
    began: float
    ended: float


def mandates_in(log, port, killed_at=None):
    """Return the times of leading in the text of a log; a mandate that did not end has no end.

    Args:
        log: the text.
        port: identifies the manager.
        killed_at: when the manager was killed, in seconds since 1970.
    """
    found = []
    for stamp, what, term, until in _LOGGED.findall(log):
        if what == "acquired":
            began = datetime.fromisoformat(stamp).timestamp()
            found.append(Mandate(port, int(term), began, float("inf")))
        else:
            ended = datetime.fromisoformat(until).timestamp()
            found[-1] = Mandate(port, int(term), found[-1].began, ended)
    if killed_at and found and found[-1].ended == float("inf"):
        last = found[-1]
        found[-1] = Mandate(last.port, last.term, last.began, killed_at)
    return found


class Member:
    """One manager with its own connection to the store, and *more* options."""

    def __init__(self, store, prefix, log, ttl_seconds, *more):
        self.proxy = FreezingProxy(store.port)
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        uri = store.uri(prefix).replace(f":{store.port}", f":{self.proxy.port}")
        options = ["--replication", f"--replication-ttl={ttl_seconds}s", *more]
        self.manager = Manager(port, [*options, "--advertise", self.address, uri], log)
        self.killed_at = None

    def signal(self, number):
        self.manager.process.send_signal(number)
        if number == signal.SIGKILL:
            self.killed_at = time.time()
            self.manager.process.wait()
            self.manager.process = None

    def role(self):
        """Return the first rows of ``info``: the role and, for a replica, the primary."""
        rows = dict(self.manager.get("/info")["SystemStatus"])
        return rows["Role"], rows.get("Primary")

    def mandates(self):
        """Return the times when it led, from its log; the current mandate has no end."""
        return mandates_in(self.manager.log.read_text(), self.manager.port, self.killed_at)

    def end(self):
        if self.manager.process is not None:
            self.manager.process.send_signal(signal.SIGCONT)
            self.signal(signal.SIGKILL)


class Managers:
    """All managers; they use the list of engines in the store."""

    def __init__(self, members, ttl_seconds):
        self.members = members
        self.ttl_seconds = ttl_seconds

    def mandates(self):
        """Return the mandates of all managers, in the order of their beginnings."""
        found = [mandate for member in self.members for mandate in member.mandates()]
        return sorted(found, key=lambda mandate: mandate.began)

    def leader(self):
        """Return the manager that was elected last."""
        port = self.mandates()[-1].port
        return next(member for member in self.members if member.manager.port == port)

    def wait_settled(self, members=None):
        """Wait until one manager leads, and all managers know it."""

        def settled():
            roles = [member.role() for member in members or self.members]
            led_by = self.mandates()[-1:]
            if not led_by:
                return False
            address = f"127.0.0.1:{led_by[0].port}"
            return Counter(roles) == Counter(
                {("primary", None): 1, ("replica", address): len(roles) - 1}
            )

        wait_until(settled, "one primary, known to all")

    def wait_successor(self, mandate):
        """Wait until another manager leads than in *mandate*; return the new mandate."""

        def found():
            later = [each for each in self.mandates() if each.term > mandate.term]
            return later[0] if later else None

        return wait_until(found, f"a successor of {mandate}", 10 * self.ttl_seconds)
