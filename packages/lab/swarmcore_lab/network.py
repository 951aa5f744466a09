"""The lab's network: one bridge with a /24 subnet, and one cable (a veth link) for each engine.

The lab takes its subnet by making a bridge of that name in the kernel, so that labs which run at
the same time have different subnets.
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

#: The names of the bridges consist of this prefix and the third octet of their subnet.
PREFIX = "swl"
_FIRST_ENGINE = 11
_GONE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that made a bridge, and the folder of its lab."""

    pid: int
    started: str
    folder: str

    def is_alive(self) -> bool:
        """Return whether that process still runs; its start time is compared as well as its pid."""
        return start_time(self.pid) == self.started


@dataclass(frozen=True, slots=True)
class Cable:
    """A link from the bridge into a network namespace, and the address at its far end."""

    bridge: str
    link: str
    ip: str

    def plug(self, pid: int) -> None:
        """Make the link from the bridge into the network namespace of a process.

        Args:
            pid: the id of a process in that namespace, as seen outside of it.

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
        """Remove the link now; the kernel removes it some time after the namespace.

        Raises:
            LabError: it could not be removed.
        """
        link = Path("/sys/class/net") / self.link
        if link.exists():
            with contextlib.suppress(LabError):  # the kernel may have removed it meanwhile
                run("ip", "link", "delete", self.link)
            wait_until(lambda: not link.exists(), f"{self.link} to go", seconds=_GONE_SECONDS)

    def cut(self) -> None:
        """Cut the connection: packets are lost without an error, as on a real network."""
        run("ip", "link", "set", self.link, "down")

    def mend(self) -> None:
        """Connect it again."""
        run("ip", "link", "set", self.link, "up")


class Network:
    """One bridge of the lab; it exists between :meth:`open` and :meth:`close`.

    Attributes:
        id: the short id of the lab and the name of the bridge ("swl17").
        subnet: its /24 subnet.
        gateway: the machine's address in the subnet.
    """

    def __init__(self, octet: int) -> None:
        """Store the third octet of the subnet; nothing is made yet."""
        self.id = f"{PREFIX}{octet}"
        self.subnet = ipaddress.IPv4Network(f"10.231.{octet}.0/24")
        self.gateway = str(self.subnet[1])
        self._cables = 0
        self._lock = threading.Lock()

    def open(self) -> None:
        """Bring the bridge up with its address.

        Raises:
            LabError: another program has changed the bridge.
        """
        run("ip", "link", "set", self.id, "type", "bridge", "stp_state", "0", "forward_delay", "0")
        # Without a link address of its own, a bridge takes the lowest one of its ports and changes
        # it when ports come and go; its neighbours are not told.
        run("ip", "link", "set", self.id, "address", _mac(self.gateway))
        run("ip", "address", "add", f"{self.gateway}/24", "dev", self.id)
        run("ip", "link", "set", self.id, "up")

    def set_owner(self, folder: Path) -> None:
        """Write the owner into the bridge's alias, so that bridges of dead labs are recognised."""
        pid = os.getpid()
        run(
            "ip", "link", "set", self.id, "alias", f"swarmcore-lab {pid} {start_time(pid)} {folder}"
        )

    def close(self) -> None:
        """Remove the bridge, and cables whose namespaces are being removed.

        Raises:
            LabError: a link could not be removed.
        """
        for link in Path("/sys/class/net").glob(f"{self.id}v*"):
            Cable(self.id, link.name, "").unplug()
        if (Path("/sys/class/net") / self.id).exists():
            run("ip", "link", "delete", self.id)

    def allocate(self) -> Cable:
        """Reserve a cable: the name of its link and the address at its far end.

        Raises:
            LabError: the subnet has no free address.
        """
        with self._lock:
            number = self._cables
            self._cables += 1
        if _FIRST_ENGINE + number > 254:
            raise LabError(f"lab {self.id}: no address left in {self.subnet}")
        return Cable(self.id, f"{self.id}v{number}", str(self.subnet[_FIRST_ENGINE + number]))


def claim_network() -> Network:
    """Make a bridge with a free name, and so with a free subnet.

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
    """Return the bridges of all labs on this machine with their owners, by name."""
    found = {}
    for link in _ip_json("link", "show", "type", "bridge"):
        words = str(link.get("ifalias", "")).split(" ", 3)
        if link["ifname"].startswith(PREFIX) and len(words) == 4 and words[0] == "swarmcore-lab":
            found[link["ifname"]] = Owner(int(words[1]), words[2], words[3])
    return found


def _mac(ip: str) -> str:
    """Return a link address made from an IPv4 address, so that a restarted engine keeps it."""
    return "02:00:" + ":".join(f"{byte:02x}" for byte in ipaddress.IPv4Address(ip).packed)


def _taken_subnets() -> list[ipaddress.IPv4Network]:
    # A wide route (10.0.0.0/8 of a VPN) is no obstacle, because the more specific route wins.
    routes = _ip_json("-4", "route", "show", "table", "all")
    words = [str(route["dst"]) for route in routes if route.get("dst", "default") != "default"]
    subnets = [ipaddress.IPv4Network(word, strict=False) for word in words]
    return [subnet for subnet in subnets if subnet.prefixlen >= 16]


def _ip_json(*arguments: str) -> list[dict[str, Any]]:
    text = run("ip", "-json", *arguments)
    found: list[dict[str, Any]] = json.loads(text or "[]")
    return found
