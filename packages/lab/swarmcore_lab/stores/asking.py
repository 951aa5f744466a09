"""Send one HTTP request to a store, independently of the discovery under test."""

import ssl
import urllib.error
import urllib.request

#: Time limits: readiness is asked repeatedly, other requests are sent once.
READY_SECONDS, ANSWER_SECONDS = 5.0, 30.0


def ask(
    url: str,
    body: bytes | None = None,
    *,
    method: str | None = None,
    seconds: float = ANSWER_SECONDS,
    context: ssl.SSLContext | None = None,
) -> bytes:
    """Send a request and return the body of the answer.

    Args:
        url: the URL.
        body: the request's body; with a body, the default method is POST.
        method: the HTTP method.
        seconds: the time limit.
        context: the TLS settings.

    Raises:
        OSError: there was no answer, or an error; the text has its status and body.
    """
    request = urllib.request.Request(url, body, method=method)
    try:
        with urllib.request.urlopen(request, timeout=seconds, context=context) as answer:
            read: bytes = answer.read()
            return read
    except urllib.error.HTTPError as error:
        with error:  # closes the connection
            raise OSError(f"{url}: {error.code} {error.read()!r}") from None
