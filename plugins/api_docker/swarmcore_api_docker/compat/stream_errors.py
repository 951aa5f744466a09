"""Report in a stream that the engine was lost.  Pure.

Each kind of stream has its own form of an error.  Clients show it like an error of the engine.
"""

from struct import Struct

from swarmcore.http.messages import dump_json
from swarmcore_api_docker.compat.progress_lines import error_line

#: The bytes of a frame's head: stream number, three zeros, and the size of the data (4 bytes).
_FRAME_HEAD = 8
_read_size = Struct(">4xI").unpack_from
#: The stream number of an error of the daemon; Docker's own client stops at such a frame.
_SYSTEM_ERROR = 3


class ProgressErrorTail:
    """For progress in JSON lines: adds a last line with the error, as engines write it."""

    ends_cleanly = True

    def __init__(self) -> None:
        self._in_line = False

    def feed(self, data: bytes | memoryview) -> None:
        """See ``protocols.ErrorTail``."""
        self._in_line = data[-1:] != b"\n"

    def error_tail(self, reason: str) -> bytes:
        """See ``protocols.ErrorTail``."""
        return (b"\n" if self._in_line else b"") + dump_json(error_line(reason))


class WaitErrorTail:
    """For ``wait``: adds plain text, or a JSON object with the error for ``docker run``.

    ``docker wait`` and ``docker attach`` print a body that is not JSON as an error (release 20.10
    prints that it is not JSON).  For a JSON object, ``docker wait`` would print the status and exit
    0.  ``docker run`` shows the error in the JSON object.

    Args:
        condition: the parameter ``condition`` of the request.  Only ``docker run`` uses
            ``next-exit`` or ``removed``.
    """

    ends_cleanly = True

    def __init__(self, condition: str = "") -> None:
        self._reads_object = condition in ("next-exit", "removed")
        self._seen = False

    def feed(self, data: bytes | memoryview) -> None:
        """See ``protocols.ErrorTail``."""
        self._seen = True

    def error_tail(self, reason: str) -> bytes:
        """See ``protocols.ErrorTail``."""
        if self._seen:
            return b""
        if self._reads_object:
            return dump_json({"StatusCode": -1, "Error": {"Message": reason}})
        return reason.encode() + b"\n"


class OutputErrorTail:
    """For framed output: adds a frame with the error, and then cuts the answer off.

    A client that does not know such a frame still sees from the cut that the output is incomplete.
    No error is added in the middle of another frame.
    """

    ends_cleanly = False

    def __init__(self) -> None:
        #: The beginning of a frame's head.
        self._head = b""
        #: Bytes of the current frame's data that are still to come.
        self._left = 0

    def feed(self, data: bytes | memoryview) -> None:
        """See ``protocols.ErrorTail``."""
        at = self._left
        if self._head:
            missing = _FRAME_HEAD - len(self._head)
            self._head += data[:missing]
            if len(data) < missing:
                return
            at = missing + _read_size(self._head)[0]
            self._head = b""
        last = len(data) - _FRAME_HEAD
        read = _read_size
        while at <= last:  # a local function and no slice: a frame costs 0.1 µs
            at += _FRAME_HEAD + read(data, at)[0]
        self._left = max(0, at - len(data))
        self._head = bytes(data[at:])

    def error_tail(self, reason: str) -> bytes:
        """See ``protocols.ErrorTail``."""
        if self._head or self._left:
            return b""
        text = reason.encode()
        return bytes((_SYSTEM_ERROR, 0, 0, 0)) + len(text).to_bytes(4) + text
