"""Addresses of engines: ``host:port``, ``tcp://``, ``unix://``, ``ssh://``.

A text such as ``10.0.0.[1:3]:2375`` stands for several addresses, as in Swarm classic's discovery.
"""

import re
from dataclasses import dataclass
from typing import Literal

from swarmcore.errors import ConfigError

Scheme = Literal["tcp", "unix", "ssh"]

_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+(%[A-Za-z0-9._-]+)?\]")
_DEFAULT_SSH_PORT = 22


@dataclass(frozen=True, slots=True)
class Address:
    """The address of one engine, in canonical form.

    Attributes:
        scheme: how to connect.
        host: name or IP address without brackets; empty for ``unix``.
        port: TCP or ssh port; 0 for ``unix``.
        path: socket path for ``unix``; for ``ssh`` the socket on the remote machine, empty for its
            default.
        user: login name for ``ssh``, otherwise empty.
    """

    scheme: Scheme
    host: str = ""
    port: int = 0
    path: str = ""
    user: str = ""

    @property
    def hostport(self) -> str:
        """``host:port`` with brackets around IPv6 addresses, as Swarm classic prints engines."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def __str__(self) -> str:
        match self.scheme:
            case "tcp":
                return self.hostport
            case "unix":
                return f"unix://{self.path}"
            case "ssh":
                user = f"{self.user}@" if self.user else ""
                port = "" if self.port == _DEFAULT_SSH_PORT else f":{self.port}"
                host = f"[{self.host}]" if ":" in self.host else self.host
                return f"ssh://{user}{host}{port}{self.path}"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach *host*, a name or an IP address without brackets."""
    return host in ("localhost", "::1") or host.startswith("127.")


def parse_address(text: str) -> Address:
    """Parse one engine address.

    Args:
        text: ``host:port``, ``tcp://host:port``, ``unix:///path`` or ``ssh://[user@]host[:port]``.

    Raises:
        ConfigError: malformed; the message has the text and the rule.
    """
    scheme, separator, rest = text.strip().partition("://")
    if not separator:
        scheme, rest = "tcp", text.strip()
    match scheme:
        case "tcp":
            return _parse_tcp(rest, text)
        case "unix":
            if not rest.startswith("/"):
                raise ConfigError(f"address {text!r}: a unix socket needs an absolute path")
            return Address("unix", path=rest)
        case "ssh":
            return _parse_ssh(rest, text)
    raise ConfigError(f"address {text!r}: unknown scheme {scheme!r}; known: tcp, unix, ssh")


def _parse_tcp(rest: str, text: str) -> Address:
    host, separator, port = rest.rpartition(":")
    if not separator or (rest.startswith("[") and rest.endswith("]")):
        raise ConfigError(f"address {text!r}: missing port in address")
    return Address("tcp", host=_host(host, text), port=_port(port, text))


def _parse_ssh(rest: str, text: str) -> Address:
    authority, slash, path = rest.partition("/")
    user, _, hostport = authority.rpartition("@")
    if user.startswith("-"):
        raise ConfigError(f"address {text!r}: a login name must not start with a dash")
    host, separator, port = hostport.rpartition(":")
    if not separator or hostport.endswith("]"):
        host, port = hostport, str(_DEFAULT_SSH_PORT)
    return Address(
        "ssh", host=_host(host, text), port=_port(port, text), path=slash + path, user=user
    )


def _host(host: str, text: str) -> str:
    if not _HOST.fullmatch(host) or host.startswith("-"):
        if host.count(":") > 1:
            raise ConfigError(f"address {text!r}: too many colons; write IPv6 as [addr]:port")
        raise ConfigError(f"address {text!r}: {host!r} is not a host name or IP address")
    return host.removeprefix("[").removesuffix("]")


def _port(port: str, text: str) -> int:
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise ConfigError(f"address {text!r}: port {port!r} is not a number from 1 to 65535")
    return int(port)


# ---- ranges


_RANGE = re.compile(r"\[([0-9]+):([0-9]+)\]", re.ASCII)

#: Maximum size of a range; larger ones are taken for typing errors.
LARGEST = 65_536


def expand(text: str) -> list[str]:
    """All texts that *text* stands for, in ascending order.

    Args:
        text: a text with at most one ``[FIRST:LAST]``, both inclusive.  As in Swarm classic,
            leading zeros are lost, a range with FIRST above LAST is empty, and a text with two
            ranges is not expanded.

    Raises:
        ConfigError: the range is larger than ``LARGEST``.
    """
    ranges = list(_RANGE.finditer(text))
    if len(ranges) != 1:
        return [text]
    found = ranges[0]
    if max(len(found[1]), len(found[2])) > 18 or int(found[2]) - int(found[1]) >= LARGEST:
        raise ConfigError(f"{text!r}: a range may stand for {LARGEST} addresses at most")
    before, after = text[: found.start()], text[found.end() :]
    return [f"{before}{number}{after}" for number in range(int(found[1]), int(found[2]) + 1)]
