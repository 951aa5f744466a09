"""The place of a cluster's list: a hub's base URL and a token, parsed from ``token://``."""

import ipaddress
import os
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from swarmcore.addresses import parse_address
from swarmcore.errors import ConfigError
from swarmcore.protocols import DiscoveryOptions, DiscoveryURI

#: Time limit of an answer, in addition to the time that the hub may wait.
ANSWER_SECONDS = 10.0
#: Size limit; larger than any list of a hub.
LARGEST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Place:
    """A cluster's list at a hub.

    Attributes:
        base: URL of the hub, without name and password and without a slash at its end.
        token: identifies the cluster.  It grants write access, so it is never shown completely.
        user, password: for Basic authorization; may be empty.
    """

    base: str
    token: str
    user: str = ""
    password: str = ""

    @property
    def cluster(self) -> str:
        """URL of the list."""
        return f"{self.base}/clusters/{quote(self.token, safe='')}"

    @property
    def authorization(self) -> Mapping[str, str]:
        """The headers for authorization."""
        if not self.user:
            return {}
        pair = f"{self.user}:{self.password}".encode()
        return {"Authorization": f"Basic {b64encode(pair).decode()}"}

    def __str__(self) -> str:
        return f"{self.base}/clusters/{self.token[:6]}..."


def parse_place(uri: DiscoveryURI, options: DiscoveryOptions) -> Place:
    """Split the URI at the last slash into hub and token, as Swarm classic does.

    Args:
        uri: ``token`` uses https; ``token+http`` uses plain http, for a hub on this machine.
        options: ``token.insecure=1`` allows plain http to other machines.

    Raises:
        ConfigError: no token, no hub, or plain http to a hub for which it is not allowed.
    """
    left, _, token = uri.rest.rpartition("/")
    if not token:
        raise ConfigError(f"{uri.scheme}://{left}: token is empty")
    if not left:
        return _at_default_hub(token)
    scheme = "http" if uri.scheme == "token+http" else "https"
    userinfo, at, server = left.rpartition("@")
    parts = urlsplit(f"{scheme}://{server}")
    try:
        parse_address(f"tcp://{_with_port(parts.netloc)}")
    except ConfigError as error:
        raise ConfigError(f"{uri.scheme}://{server}/...: {error}") from None
    allowed = options.options.get("token.insecure") in ("1", "true")
    if scheme == "http" and not allowed and not _stays_here(parts.hostname or ""):
        raise ConfigError(
            f"token+http://{server}/...: the token would be sent in plain text; use token:// "
            "with a hub that has a certificate, or --discovery-opt token.insecure=1"
        )
    user, _, password = userinfo.partition(":") if at else ("", "", "")
    return Place(f"{scheme}://{server.rstrip('/')}", token, unquote(user), unquote(password))


def _at_default_hub(token: str) -> Place:
    hub = os.environ.get("SWARMCORE_HUB", "").rstrip("/")
    if not hub.startswith(("https://", "http://")):
        raise ConfigError(
            f"token://{token[:6]}... names no hub, and Docker's public hub ended in 2019: run "
            "'swarmcore hub', and write token://HOST:PORT/v1/TOKEN or set SWARMCORE_HUB"
        )
    return Place(hub, token)


def _with_port(netloc: str) -> str:
    bare = netloc.rpartition("]")[2] if netloc.startswith("[") else netloc
    return netloc if ":" in bare else f"{netloc}:443"


def _stays_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
