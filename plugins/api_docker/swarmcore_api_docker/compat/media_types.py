"""The media type of a container's output, as the client's API version has it.  Pure.

From API 1.42 on a client tells by it whether the output comes in frames; older engines call every
attach raw, and logs nothing at all.
"""

from collections.abc import Callable

from swarmcore.messages import Headers
from swarmcore.versions import ApiVersion

RAW = b"application/vnd.docker.raw-stream"
FRAMED = b"application/vnd.docker.multiplexed-stream"
#: Tells them apart.
_SINCE = ApiVersion(1, 42)


def names_output(asked: ApiVersion, spoken: ApiVersion) -> bool:
    """Whether an engine's own media type is what the client's version expects.

    Args:
        asked: the client's version.
        spoken: the newest of the engine.
    """
    return asked < _SINCE or spoken >= _SINCE


def name_output(
    asked: ApiVersion, spoken: ApiVersion, *, terminal: bool
) -> Callable[[Headers], Headers] | None:
    """What to do with the headers of an engine's answer; ``None`` for nothing.

    Args:
        asked: the client's version.
        spoken: the newest of the engine.
        terminal: the output is that of a terminal, which has no frames.
    """
    if names_output(asked, spoken):
        return None
    wanted = RAW if terminal else FRAMED

    def map_headers(headers: Headers) -> Headers:
        return _with_type(headers, wanted)

    return map_headers


def _with_type(headers: Headers, wanted: bytes) -> Headers:
    """*headers* with another ``Content-Type``, where it stood; other types than output's stay."""
    mapped, found = [], False
    for name, value in headers:
        if name.lower() == b"content-type":
            found = True
            mapped.append((name, wanted if value == RAW else value))
        else:
            mapped.append((name, value))
    return tuple(mapped) if found else (*mapped, (b"Content-Type", wanted))
