"""Encoded heads of answers, which are kept because most answers have the heads of earlier ones."""

from typing import Any

from swarmcore import clock
from swarmcore.http.framing import Framing, answer_framing, answer_head, http_date, names_of
from swarmcore.http.messages import Headers

#: The largest number of heads of answers that are kept.
_KEPT_HEADS = 256


class AnswerHeads:
    """Encoded heads of answers, kept during the second of their ``Date``."""

    def __init__(self) -> None:
        self._second = 0
        self._date = b""
        self._written: dict[Any, tuple[bytes, Framing]] = {}

    def write(self, *answer: Any) -> tuple[bytes, Framing]:
        """Return the head of an answer, and its body's framing; arguments as for ``_write``."""
        now = int(clock.unix_seconds())
        if now != self._second or len(self._written) > _KEPT_HEADS:
            self._second, self._date = now, http_date(now)
            self._written.clear()
        found = self._written.get(answer)
        if found is None:
            found = self._written[answer] = self._write(*answer)
        return found

    def _write(
        self,
        status: int,
        headers: Headers,
        common: Headers,
        reason: bytes,
        no_body: bool,
        http10: bool,
        close: bool,
    ) -> tuple[bytes, Framing]:
        names = names_of(headers)
        method = "HEAD" if no_body else "GET"
        framing = answer_framing(method, status, names, http10=http10)
        added = [pair for pair in common if pair[0].lower() not in names]
        if b"date" not in names:
            added.append((b"Date", self._date))
        if framing is Framing.CHUNKED:
            added.append((b"Transfer-Encoding", b"chunked"))
        if close or framing is Framing.CLOSE:
            added.append((b"Connection", b"close"))
        return answer_head(status, (*headers, *added), reason=reason, http10=http10), framing
