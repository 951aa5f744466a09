"""The id of a request, which its engines, its log lines and its answer have.

A client may choose it with the header ``X-Request-Id``.  Pure, except for the current id.
"""

import re
from contextvars import ContextVar

#: What a client may choose: short and printable, as it is written to the log.
_FIT = re.compile(rb"[!-~]{1,128}")
_current: ContextVar[bytes] = ContextVar("request id", default=b"")


def chosen_id(value: bytes | None) -> bytes:
    """The id in the header of a client; empty if there is none that can be used."""
    return value if value is not None and _FIT.fullmatch(value) else b""


#: Lets an id be that of this task, and of tasks that it starts from now on.
set_request_id = _current.set
#: The id of the request for which this task works; empty if it works for none.
current_request_id = _current.get


def add_request_id(head: bytes, request_id: bytes) -> bytes:
    """Add the header to an encoded head.

    Heads are kept encoded, and each id is different, so it is added last.

    Args:
        head: with the empty line at its end.
        request_id: the id; if it is empty, the head stays as it is.
    """
    return b"%bX-Request-Id: %b\r\n\r\n" % (head[:-2], request_id) if request_id else head
