"""Where a cluster's list is: a hub's base URL and a token, out of ``token://``."""

import ipaddress
import os
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from swarmcore.addresses import parse_address
from swarmcore.errors import ConfigError
from swarmcore.protocols import DiscoveryOptions, DiscoveryURI

#: In which a hub must answer, beside the time for which it was asked to wait.
ANSWER_SECONDS = 10.0
#: Longer than any list of engines that a hub keeps.
LARGEST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Place:
    """A cluster's list at a hub.

    Attributes:
        base: URL of the hub without name and password, without a slash at its end.
        token: which cluster; whoever knows it may change the list, so it is never shown whole.
        user, password: for Basic authorization; empty without.
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
        """Headers that say who asks."""
        if not self.user:
            return {}
        pair = f"{self.user}:{self.password}".encode()
        return {"Authorization": f"Basic {b64encode(pair).decode()}"}

    def __str__(self) -> str:
        return f"{self.base}/clusters/{self.token[:6]}..."


def parse_place(uri: DiscoveryURI, options: DiscoveryOptions) -> Place:
    """Split at the last slash, as classic does: hub to the left, token to the right.

    Args:
        uri: ``token`` speaks https; ``token+http`` does not, and is for this machine's own hub.
        options: ``token.insecure=1`` allows plain http to others.

    Raises:
        ConfigError: no token, no hub, or a hub that must not be asked in plain text.
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
            f"token://{token[:6]}... names no hub, and the public one is gone since 2019; run "
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
