"""HTTP messages without sockets and framing: a request, an answer, a query.  Pure."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from swarmcore.errors import BadRequest
from swarmcore.versions import JSON_ERRORS, ApiVersion

#: Header lists keep order, duplicates and the case in which they came.
Headers = tuple[tuple[bytes, bytes], ...]

#: What Go's engine reads as false in a query; everything else is true.
_FALSE = frozenset({"", "0", "no", "false", "none"})
#: Characters of a query that may be malformed.
_ODD = re.compile("[;%]")
#: An invalid escape, as much of it as Go shows.
_ESCAPE_FAULT = re.compile("%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)


def find_header(headers: Headers, name: bytes) -> bytes | None:
    """The first value of header *name* (any case), or ``None``."""
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), None)


class Query:
    """A query string as ordered pairs, read the way the engine reads it.

    A malformed query is refused when a handler first looks at it: as at engines, a path that takes
    no parameters answers whatever follows its question mark.

    Raises:
        BadRequest: by all that looks at the parameters, where the text was malformed.
    """

    __slots__ = ("_fault", "_read")

    def __init__(self, pairs: Iterable[tuple[str, str]] = (), *, fault: str = "") -> None:
        self._read = tuple(pairs)
        self._fault = fault

    @classmethod
    def parse(cls, text: str) -> "Query":
        """Read the part of a request target after ``?``."""
        if _ODD.search(text) and (fault := _fault_of(text)):
            return cls(fault=fault)
        return cls(parse_qsl(text, keep_blank_values=True))

    @property
    def _pairs(self) -> tuple[tuple[str, str], ...]:
        if self._fault:
            raise BadRequest(self._fault)
        return self._read

    def get(self, key: str, default: str = "") -> str:
        """The first value of *key*."""
        return next((value for name, value in self._pairs if name == key), default)

    def get_all(self, key: str) -> list[str]:
        """Every value of *key*, in order."""
        return [value for name, value in self._pairs if name == key]

    def flag(self, key: str) -> bool:
        """A boolean: empty, ``0``, ``no``, ``false`` and ``none`` (any case) are false."""
        return self.get(key).strip().lower() not in _FALSE

    def replace(self, **changes: str | None) -> "Query":
        """A copy with each key set once to its new value, or gone where that is ``None``."""
        kept = [pair for pair in self._pairs if pair[0] not in changes]
        kept += [(key, value) for key, value in changes.items() if value is not None]
        return Query(kept)

    def __contains__(self, key: str) -> bool:
        return any(name == key for name, _ in self._pairs)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)

    def __bool__(self) -> bool:
        return bool(self._pairs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Query) and self._pairs == other._pairs

    def __hash__(self) -> int:
        return hash(self._pairs)

    def __str__(self) -> str:
        return urlencode(self._pairs)

    def __repr__(self) -> str:
        return f"Query({urlencode(self._read)!r})"


def _fault_of(text: str) -> str:
    """What Go finds wrong with a query, in Go's words; empty for a well-formed one."""
    if ";" in text:
        return "invalid semicolon separator in query"
    faults = (_ESCAPE_FAULT.search(part) for pair in text.split("&") for part in pair.split("="))
    found = next(filter(None, faults), None)
    return f'invalid URL escape "{found[0]}"' if found else ""


@dataclass(frozen=True, slots=True)
class Client:
    """The client that sent a request.

    Attributes:
        host: the peer's IP address; ``unix`` on a unix socket.
        identity: the subject of its TLS client certificate, empty without one.
    """

    host: str
    identity: str = ""

    @property
    def key(self) -> str:
        """Equal for two requests of one client: the certificate's subject, else the address."""
        return self.identity or self.host


@dataclass(frozen=True, slots=True)
class Request:
    """One request's head.

    Attributes:
        method: upper case.
        target: as it was sent, version prefix and query included.
        path: percent-decoded, without the version prefix.
        query: the parsed query.
        version: API version of the path; ``None`` without a prefix.
        headers: as they came.
        client: the peer.
        params: what the route's template captured.
    """

    method: str
    target: str
    path: str
    query: Query
    version: ApiVersion | None
    headers: Headers
    client: Client
    params: Mapping[str, str] = field(default_factory=dict)

    def header(self, name: str) -> str | None:
        """The first value of a header, decoded as Latin-1."""
        value = find_header(self.headers, name.encode("ascii"))
        return None if value is None else value.decode("latin-1")

    def with_params(self, params: Mapping[str, str]) -> "Request":
        """This request, as the route that matched it sees it."""
        return replace(self, params=params)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer in memory: for the small JSON that the API is mostly made of."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        return self.status < 400

    def json(self) -> Any:
        """The body, parsed.

        Raises:
            ValueError: not JSON.
        """
        return json.loads(self.body)

    @property
    def message(self) -> str:
        """The text of an error: Docker's ``message``, or the body as it is."""
        try:
            return str(self.json()["message"])
        except (ValueError, KeyError, TypeError):
            return self.body.decode("utf-8", "replace").strip()


def dump_json(value: Any) -> bytes:
    """Compact JSON with the newline that engines end their bodies with."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def json_answer(value: Any, status: int = 200) -> Answer:
    """An answer whose body is *value* as JSON."""
    return Answer(status, ((b"Content-Type", b"application/json"),), dump_json(value))


def error_answer(status: int, message: str, version: ApiVersion | None = None) -> Answer:
    """Docker's error form.

    Args:
        status: 400 or above.
        message: why.
        version: the client's API version; before 1.24 an error is plain text.
    """
    if version is None or version >= JSON_ERRORS:
        return json_answer({"message": message}, status)
    headers = (
        (b"Content-Type", b"text/plain; charset=utf-8"),
        (b"X-Content-Type-Options", b"nosniff"),
    )
    return Answer(status, headers, message.encode() + b"\n")
