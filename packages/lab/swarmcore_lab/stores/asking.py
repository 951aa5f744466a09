"""One HTTP request to a store, as somebody else would send it."""

import ssl
import urllib.error
import urllib.request

#: Whether a store is ready is asked again and again; what a test writes is written once.
READY_SECONDS, ANSWER_SECONDS = 5.0, 30.0


def ask(
    url: str,
    body: bytes | None = None,
    *,
    method: str | None = None,
    seconds: float = ANSWER_SECONDS,
    context: ssl.SSLContext | None = None,
) -> bytes:
    """The answer's body.

    Args:
        url: where to.
        body: sent as it is; a POST where there is one and no *method*.
        method: of HTTP.
        seconds: to wait for.
        context: for TLS.

    Raises:
        OSError: no answer, or a refusal, whose status and text it has.
    """
    request = urllib.request.Request(url, body, method=method)
    try:
        with urllib.request.urlopen(request, timeout=seconds, context=context) as answer:
            read: bytes = answer.read()
            return read
    except urllib.error.HTTPError as error:
        with error:  # it is the connection, too
            raise OSError(f"{url}: {error.code} {error.read()!r}") from None
