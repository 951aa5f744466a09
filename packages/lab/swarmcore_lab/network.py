"""The lab's network: one bridge with a /24 of its own, one cable for each engine.

Knows links and addresses.  The bridge's name is claimed in the kernel, which makes the
subnet unique among labs that run at the same time.
"""

import contextlib
import ipaddress
import json
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swarmcore_lab.errors import LabError
from swarmcore_lab.machine import run, start_time, wait_until

#: Bridges of labs are called by this and the third octet of their subnet.
PREFIX = "swl"
_FIRST_ENGINE = 11
_GONE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Owner:
    """Who made a bridge: the process, and the folder its lab lives in."""

    pid: int
    started: str
    folder: str

    def is_alive(self) -> bool:
        """Whether that very process still runs."""
        return start_time(self.pid) == self.started


@dataclass(frozen=True, slots=True)
class Cable:
    """A link from the bridge into a network namespace, and the address over there."""

    bridge: str
    link: str
    ip: str

    def plug(self, pid: int) -> None:
        """Lay the cable from the bridge into the network namespace of a process.

        Args:
            pid: a process in that namespace, as numbered out here.

        Raises:
            LabError: the link could not be made.
        """
        inside = ("nsenter", f"--net=/proc/{pid}/ns/net", "ip")
        peer = ("peer", "name", "eth0", "address", _mac(self.ip), "netns", str(pid))
        run("ip", "link", "add", self.link, "type", "veth", *peer)
        run("ip", "link", "set", self.link, "master", self.bridge)
        run("ip", "link", "set", self.link, "up")
        run(*inside, "address", "add", f"{self.ip}/24", "dev", "eth0")
        run(*inside, "link", "set", "lo", "up")
        run(*inside, "link", "set", "eth0", "up")

    def unplug(self) -> None:
        """Take the link away; it would go with the namespace, but some time later.

        Raises:
            LabError: it would not go.
        """
        link = Path("/sys/class/net") / self.link
        if link.exists():
            with contextlib.suppress(LabError):  # the namespace's own clean-up may be faster
                run("ip", "link", "delete", self.link)
            wait_until(lambda: not link.exists(), f"{self.link} to go", seconds=_GONE_SECONDS)

    def cut(self) -> None:
        """Pull it: packets are lost in silence, as on a real network."""
        run("ip", "link", "set", self.link, "down")

    def mend(self) -> None:
        """Put it back."""
        run("ip", "link", "set", self.link, "up")


class Network:
    """One bridge of the lab, up from :meth:`open` to :meth:`close`.

    Attributes:
        id: the short id of the lab, also the bridge's name ("swl17").
        subnet: its /24.
        gateway: the machine's own address in it.
    """

    def __init__(self, octet: int) -> None:
        """Store the number; nothing is made yet."""
        self.id = f"{PREFIX}{octet}"
        self.subnet = ipaddress.IPv4Network(f"10.231.{octet}.0/24")
        self.gateway = str(self.subnet[1])
        self._cables = 0
        self._lock = threading.Lock()

    def open(self) -> None:
        """Bring the bridge up with its address.

        Raises:
            LabError: the bridge is not ours to configure any more.
        """
        run("ip", "link", "set", self.id, "type", "bridge", "stp_state", "0", "forward_delay", "0")
        # A bridge without an address of its own takes the lowest of its ports', and changes it,
        # unknown to its neighbours, when ports come and go.
        run("ip", "link", "set", self.id, "address", _mac(self.gateway))
        run("ip", "address", "add", f"{self.gateway}/24", "dev", self.id)
        run("ip", "link", "set", self.id, "up")

    def set_owner(self, folder: Path) -> None:
        """Write on the bridge whose it is, so that leftovers of dead labs can be told."""
        pid = os.getpid()
        run(
            "ip", "link", "set", self.id, "alias", f"swarmcore-lab {pid} {start_time(pid)} {folder}"
        )

    def close(self) -> None:
        """Take the bridge away, and cables of namespaces that are just going.

        Raises:
            LabError: a link would not go.
        """
        for link in Path("/sys/class/net").glob(f"{self.id}v*"):
            Cable(self.id, link.name, "").unplug()
        if (Path("/sys/class/net") / self.id).exists():
            run("ip", "link", "delete", self.id)

    def allocate(self) -> Cable:
        """Reserve a cable: the name of its link and the address at its far end.

        Raises:
            LabError: the subnet is used up.
        """
        with self._lock:
            number = self._cables
            self._cables += 1
        if _FIRST_ENGINE + number > 254:
            raise LabError(f"lab {self.id}: no address left in {self.subnet}")
        return Cable(self.id, f"{self.id}v{number}", str(self.subnet[_FIRST_ENGINE + number]))


def claim_network() -> Network:
    """Make a bridge under a name, and so a subnet, that nobody else uses.

    Raises:
        LabError: all are taken, or bridges cannot be made here.
    """
    taken = _taken_subnets()
    start = os.getpid()
    for step in range(250):
        network = Network(1 + (start + step) % 250)
        if any(network.subnet.overlaps(subnet) for subnet in taken):
            continue
        try:
            run("ip", "link", "add", network.id, "type", "bridge")
        except LabError as error:
            if "File exists" in str(error):
                continue
            raise
        return network
    raise LabError("lab: no free subnet among 10.231.1.0/24 to 10.231.250.0/24")


def owners() -> dict[str, Owner]:
    """The bridges of all labs on this machine that say whose they are."""
    found = {}
    for link in _ip_json("link", "show", "type", "bridge"):
        words = str(link.get("ifalias", "")).split(" ", 3)
        if link["ifname"].startswith(PREFIX) and len(words) == 4 and words[0] == "swarmcore-lab":
            found[link["ifname"]] = Owner(int(words[1]), words[2], words[3])
    return found


def _mac(ip: str) -> str:
    """A link address that stays with an IPv4 address, as a machine keeps its network card."""
    return "02:00:" + ":".join(f"{byte:02x}" for byte in ipaddress.IPv4Address(ip).packed)


def _taken_subnets() -> list[ipaddress.IPv4Network]:
    # A wide route (10.0.0.0/8 of a VPN) is no obstacle: ours is narrower and wins.
    routes = _ip_json("-4", "route", "show", "table", "all")
    words = [str(route["dst"]) for route in routes if route.get("dst", "default") != "default"]
    subnets = [ipaddress.IPv4Network(word, strict=False) for word in words]
    return [subnet for subnet in subnets if subnet.prefixlen >= 16]


def _ip_json(*arguments: str) -> list[dict[str, Any]]:
    text = run("ip", "-json", *arguments)
    found: list[dict[str, Any]] = json.loads(text or "[]")
    return found
