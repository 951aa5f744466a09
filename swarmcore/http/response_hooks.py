"""What a handler does with an engine's response on its way to the client.

A handler passes one ``ResponseHooks`` to ``Exchange.relay``; whatever carries the response calls
the hooks.  Pure.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from swarmcore.http.messages import Answer, Headers


class ErrorTail(Protocol):
    """The error that a client still reads when the engine of a stream is lost in the middle of it.

    Each kind of stream has its own form of an error.
    """

    def feed(self, data: bytes) -> None:
        """Take note of a piece of the response's body that has been sent to the client."""
        ...

    def error_tail(self, reason: str) -> bytes:
        """What the client still gets; ``b""`` where the stream's form has no place for an error.

        Args:
            reason: names the engine.
        """
        ...

    @property
    def ends_cleanly(self) -> bool:
        """Whether the response ends properly after the error, instead of being cut off."""
        ...


@dataclass(frozen=True, slots=True)
class ResponseHooks:
    """What happens to one response.

    Attributes:
        on_status: awaited with the status, once, before the client can see the end of the
            response.  For bringing the cache up to date.  A ``SwarmError`` is logged and ignored.
        on_status_at: when *on_status* is called.  ``body``: before the head where the response has
            no body, else before the body's first byte.  ``end``: after the body's last byte and
            before its end, for a response that reports the progress of the work.
        map_response: the response is read whole, passed through, and sent.  Only for small JSON.
            Not called for an error, nor for ``HEAD``.
        map_headers: changes the headers of a response that is no error, hijacks included.
        map_data: each piece of a successful response without a length passes through, and at the
            end ``b""``, for what the hook has held back.
        on_engine_lost: words the error when the engine is lost in the middle of a successful
            response without a length.  Without it, and for all other responses, the client's
            response is cut off.
    """

    on_status: Callable[[int], Awaitable[None]] | None = None
    on_status_at: Literal["body", "end"] = "body"
    map_response: Callable[[Answer], Answer] | None = None
    map_headers: Callable[[Headers], Headers] | None = None
    map_data: Callable[[bytes], bytes] | None = None
    on_engine_lost: ErrorTail | None = None


#: The response goes to the client as it comes.
NO_HOOKS: Final = ResponseHooks()
