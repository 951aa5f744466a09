"""The media type of a container's output, for the client's API version.  Pure.

From API 1.42 on, a client decides by the media type whether the output is framed.  Older engines
call the output of every attach raw, and send no media type for logs.
"""

from collections.abc import Callable

from swarmcore.http.messages import Headers
from swarmcore.versions import ApiVersion

RAW = b"application/vnd.docker.raw-stream"
FRAMED = b"application/vnd.docker.multiplexed-stream"
#: The first version with a type of its own for framed output.
_SINCE = ApiVersion(1, 42)


def has_expected_type(client: ApiVersion, engine: ApiVersion) -> bool:
    """Return whether the engine sends the media type that the client expects.

    Args:
        client: the client's API version.
        engine: the newest API version of the engine.
    """
    return client < _SINCE or engine >= _SINCE


def output_type_mapper(
    client: ApiVersion, engine: ApiVersion, *, terminal: bool
) -> Callable[[Headers], Headers] | None:
    """Return a hook that gives an engine's answer the media type that the client expects.

    Args:
        client: the client's API version.
        engine: the newest API version of the engine.
        terminal: whether the container has a terminal, so that its output has no frames.

    Returns:
        A function of the headers; ``None`` if they need no change.
    """
    if has_expected_type(client, engine):
        return None
    wanted = RAW if terminal else FRAMED

    def map_headers(headers: Headers) -> Headers:
        return _with_type(headers, wanted)

    return map_headers


def _with_type(headers: Headers, wanted: bytes) -> Headers:
    """Return *headers* with *wanted* as the type of the output; other media types stay."""
    mapped, found = [], False
    for name, value in headers:
        if name.lower() == b"content-type":
            found = True
            mapped.append((name, wanted if value == RAW else value))
        else:
            mapped.append((name, value))
    return tuple(mapped) if found else (*mapped, (b"Content-Type", wanted))
