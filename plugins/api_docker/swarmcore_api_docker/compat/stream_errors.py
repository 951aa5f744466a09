"""What a stream still says when its engine is lost in the middle of it.  Pure.

Each kind of stream has its own form of an error, which clients show as an engine's own.
"""

from swarmcore.messages import dump_json
from swarmcore_api_docker.compat.progress_lines import error_line

_FRAME_HEAD = 8
#: The stream of a frame that carries an error of the daemon; Docker's own client stops there.
_SYSTEM_ERROR = 3


class ProgressErrorTail:
    """For JSON lines that tell how work goes: a last line with the error, as engines end them."""

    ends_cleanly = True

    def __init__(self) -> None:
        self._in_line = False

    def feed(self, data: bytes) -> None:
        """See ``protocols.ErrorTail``."""
        self._in_line = not data.endswith(b"\n")

    def error_tail(self, reason: str) -> bytes:
        """See ``protocols.ErrorTail``."""
        return (b"\n" if self._in_line else b"") + dump_json(error_line(reason))


class WaitErrorTail:
    """For ``wait``: bare text, or to who waits for an exit to come, an object with the error.

    ``docker wait`` and ``attach`` show what is no JSON as the error that it is (20.10 that it is
    none); of an object ``wait`` would print the status, and succeed.  ``docker run`` shows it.

    Args:
        condition: what is waited for; ``docker run`` names one.
    """

    ends_cleanly = True

    def __init__(self, condition: str = "") -> None:
        self._explains = condition in ("next-exit", "removed")
        self._seen = False

    def feed(self, data: bytes) -> None:
        """See ``protocols.ErrorTail``."""
        self._seen = True

    def error_tail(self, reason: str) -> bytes:
        """See ``protocols.ErrorTail``."""
        if self._seen:
            return b""
        if self._explains:
            return dump_json({"StatusCode": -1, "Error": {"Message": reason}})
        return reason.encode() + b"\n"


class OutputErrorTail:
    """For frames of output and errors: a frame of the daemon's, then the answer is cut off.

    A client that does not know such frames sees at least that the end is none.  Nothing is said
    in the middle of another frame.
    """

    ends_cleanly = False

    def __init__(self) -> None:
        self._head = b""
        self._left = 0

    def feed(self, data: bytes) -> None:
        """See ``protocols.ErrorTail``."""
        at = 0
        while at < len(data):
            if self._left:
                taken = min(self._left, len(data) - at)
                self._left -= taken
            else:
                taken = min(_FRAME_HEAD - len(self._head), len(data) - at)
                self._head += data[at : at + taken]
                if len(self._head) == _FRAME_HEAD:
                    self._left, self._head = int.from_bytes(self._head[4:]), b""
            at += taken

    def error_tail(self, reason: str) -> bytes:
        """See ``protocols.ErrorTail``."""
        if self._head or self._left:
            return b""
        text = reason.encode()
        return bytes((_SYSTEM_ERROR, 0, 0, 0)) + len(text).to_bytes(4) + text
