"""``swarmcore create``: creates a cluster at a hub."""

import urllib.error
import urllib.request
from base64 import b64encode
from urllib.parse import unquote

from swarmcore.errors import ConfigError, SwarmError
from swarmcore.http.tls import client_context
from swarmcore.model import TLSFiles

_ANSWER_SECONDS = 30.0
_LONGEST = 200


def create_cluster(hub: str, tls: TLSFiles) -> tuple[str, str]:
    """Create a cluster at a hub.

    Args:
        hub: URL of the hub, such as ``https://HOST/v1`` or ``https://NAME:PASSWORD@HOST/v1``.
        tls: the trusted CA and our key pair.

    Returns:
        The token, and the discovery URI with it, without a password.

    Raises:
        ConfigError: the URL is missing or malformed, or a TLS file cannot be used.
        SwarmError: the hub refused, or does not answer.
    """
    if not hub:
        raise ConfigError(
            "no hub is named, and Docker's public hub ended in 2019: run 'swarmcore hub', and give "
            "its URL with --hub or in SWARMCORE_HUB"
        )
    scheme, separator, rest = hub.rstrip("/").partition("://")
    userinfo, _, place = rest.rpartition("@")
    if scheme not in ("http", "https") or not separator or not place:
        shown = hub.rpartition("@")[2]
        raise ConfigError(f"--hub {shown}: not a URL of the form https://HOST/v1")
    hub = f"{scheme}://{place}"
    request = urllib.request.Request(f"{hub}/clusters", b"", method="POST")
    if userinfo:
        coded = b64encode(unquote(userinfo).encode()).decode()
        request.add_header("Authorization", f"Basic {coded}")
    context = client_context(tls)
    try:
        with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS, context=context) as answer:
            token = answer.read(_LONGEST).decode("ascii").strip()
    except urllib.error.HTTPError as error:
        text = error.read(_LONGEST).decode(errors="replace").strip()
        raise SwarmError(f"{hub}: status {error.code}: {text}") from None
    except (OSError, ValueError) as error:
        raise SwarmError(f"{hub}: {getattr(error, 'reason', error)}") from None
    kind = "token" if scheme == "https" else "token+http"
    return token, f"{kind}://{place}/{token}"
