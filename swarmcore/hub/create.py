"""``swarmcore create``: a new cluster at a hub."""

import urllib.error
import urllib.request

from swarmcore.errors import ConfigError, SwarmError

_ANSWER_SECONDS = 30.0
_LONGEST = 200


def create_cluster(hub: str) -> tuple[str, str]:
    """Ask a hub for a new cluster.

    Args:
        hub: its URL, as ``https://HOST/v1``.

    Returns:
        The token, and the discovery that it belongs in.

    Raises:
        ConfigError: there is no hub, or no URL.
        SwarmError: the hub refused, or does not answer.
    """
    if not hub:
        raise ConfigError(
            "no hub is named, and the public one is gone since 2019; run 'swarmcore hub', and give "
            "its URL with --hub or in SWARMCORE_HUB"
        )
    scheme, separator, rest = hub.rstrip("/").partition("://")
    if scheme not in ("http", "https") or not separator or not rest:
        raise ConfigError(f"--hub {hub}: not a URL of the form https://HOST/v1")
    request = urllib.request.Request(f"{scheme}://{rest}/clusters", b"", method="POST")
    try:
        with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS) as answer:
            token = answer.read(_LONGEST).decode("ascii").strip()
    except urllib.error.HTTPError as error:
        text = error.read(_LONGEST).decode(errors="replace").strip()
        raise SwarmError(f"{hub}: status {error.code}: {text}") from None
    except (OSError, ValueError) as error:
        raise SwarmError(f"{hub}: {getattr(error, 'reason', error)}") from None
    kind = "token" if scheme == "https" else "token+http"
    return token, f"{kind}://{rest}/{token}"
