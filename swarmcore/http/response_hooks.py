"""Hooks for an engine's response on its way to the client.

A handler passes one ``ResponseHooks`` to ``Exchange.relay``, which calls the hooks.  Pure.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from swarmcore.http.messages import Answer, Headers


class ErrorTail(Protocol):
    """Makes the error that a client gets if the engine is lost during a stream.

    Each kind of stream has its own format of errors.
    """

    def feed(self, data: bytes | memoryview) -> None:
        """Observe a piece of the response's body that is being sent to the client.

        Args:
            data: valid only during the call.
        """
        ...

    def error_tail(self, reason: str) -> bytes:
        """The data to append; ``b""`` if the stream's format cannot contain an error.

        Args:
            reason: the error text, which names the engine.
        """
        ...

    @property
    def ends_cleanly(self) -> bool:
        """Whether the response ends properly after the error, instead of being cut off."""
        ...


@dataclass(frozen=True, slots=True)
class ResponseHooks:
    """Hooks for one response.

    Attributes:
        on_status: awaited once with the status, before the client can see the end of the response;
            used to bring the cache up to date.  A ``SwarmError`` is logged and ignored.
        on_status_at: when *on_status* is called.  ``body``: before the head if the response has no
            body, otherwise before the body's first byte.  ``end``: after the body's last byte and
            before its end, for a response that reports progress.
        map_response: transforms the complete response.  Only for small JSON.  Not called for
            errors, nor for ``HEAD``.
        map_headers: transforms the headers of a response that is no error; also called for
            responses that switch the protocol.
        map_data: transforms each piece of a successful response without a length; called with
            ``b""`` at the end, to return data that was held back.
        on_engine_lost: makes the error if the engine is lost during a successful response without a
            length.  Without it, and for all other responses, the client's response is cut off.
    """

    on_status: Callable[[int], Awaitable[None]] | None = None
    on_status_at: Literal["body", "end"] = "body"
    map_response: Callable[[Answer], Answer] | None = None
    map_headers: Callable[[Headers], Headers] | None = None
    map_data: Callable[[bytes], bytes] | None = None
    on_engine_lost: ErrorTail | None = None


#: The response is passed on unchanged.
NO_HOOKS: Final = ResponseHooks()
