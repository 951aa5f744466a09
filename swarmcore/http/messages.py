"""HTTP messages without sockets and framing: requests, answers, queries.  Pure."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from swarmcore.errors import BadRequest
from swarmcore.json_values import UNREADABLE
from swarmcore.versions import JSON_ERRORS, ApiVersion

#: Headers with order, duplicates and case preserved.
Headers = tuple[tuple[bytes, bytes], ...]
JSON_HEADERS: Headers = ((b"Content-Type", b"application/json"),)

#: Query values that engines read as false; all others are true.
_FALSE = frozenset({"", "0", "no", "false", "none"})
#: Characters that may make a query malformed.
_ODD = re.compile("[;%]")
#: An invalid escape, as far as Go shows it in errors.
_ESCAPE_FAULT = re.compile("%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)


def find_header(headers: Headers, name: bytes) -> bytes | None:
    """The first value of header *name* (any case), or ``None``."""
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), None)


class Query:
    """A query string as ordered pairs, parsed as engines do.

    A malformed query is refused when a handler first uses it.  As on engines, a path without
    parameters is answered whatever its query is.

    Raises:
        BadRequest: raised by all methods that use the parameters, if the text was malformed.
    """

    __slots__ = ("_fault", "_read")

    def __init__(self, pairs: Iterable[tuple[str, str]] = (), *, fault: str = "") -> None:
        self._read = tuple(pairs)
        self._fault = fault

    @classmethod
    def parse(cls, text: str) -> "Query":
        """Parse the part of a request target after ``?``."""
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
        """All values of *key*, in order."""
        return [value for name, value in self._pairs if name == key]

    def flag(self, key: str) -> bool:
        """A boolean: empty, ``0``, ``no``, ``false`` and ``none`` (in any case) are false."""
        return self.get(key).strip().lower() not in _FALSE

    def replace(self, **changes: str | None) -> "Query":
        """A copy in which each key has exactly the given value, or is removed if it is ``None``."""
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
    """The error in a query with Go's text; empty if the query is well-formed."""
    if ";" in text:
        return "invalid semicolon separator in query"
    faults = (_ESCAPE_FAULT.search(part) for pair in text.split("&") for part in pair.split("="))
    found = next(filter(None, faults), None)
    return f'invalid URL escape "{found[0]}"' if found else ""


@dataclass(frozen=True, slots=True)
class Client:
    """The client that sent a request.

    Attributes:
        host: IP address of the peer; ``unix`` on a unix socket.
        identity: subject of its TLS client certificate; empty without one.
    """

    host: str
    identity: str = ""

    @property
    def key(self) -> str:
        """A key that is equal for requests of the same client: certificate subject, or address."""
        return self.identity or self.host


@dataclass(frozen=True, slots=True)
class Request:
    """The head of a request.

    Attributes:
        method: upper case.
        target: as sent, with version prefix and query.
        path: percent-decoded, without version prefix.
        query: the parsed query.
        version: API version of the path; ``None`` without a prefix.
        headers: as sent.
        client: the client.
        params: values of the placeholders in the route's template.
        chosen_id: the client's id for the request; empty if there is none that can be used.
    """

    method: str
    target: str
    path: str
    query: Query
    version: ApiVersion | None
    headers: Headers
    client: Client
    params: Mapping[str, str] = field(default_factory=dict)
    chosen_id: bytes = b""

    def header(self, name: str) -> str | None:
        """The first value of a header, decoded as Latin-1."""
        value = find_header(self.headers, name.encode("ascii"))
        return None if value is None else value.decode("latin-1")

    def with_params(self, params: Mapping[str, str]) -> "Request":
        """This request with the values of the placeholders in its route's template."""
        return replace(self, params=params)


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer in memory, as used for small JSON."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        return self.status < 400

    def json(self) -> Any:
        """Parse the body as JSON.

        Raises:
            ValueError: not JSON.
        """
        return json.loads(self.body)

    @property
    def message(self) -> str:
        """The text of an error: Docker's ``message``, or the body."""
        try:
            return str(self.json()["message"])
        except UNREADABLE:
            return self.body.decode("utf-8", "replace").strip()


def dump_json(value: Any) -> bytes:
    """Compact JSON with a newline at the end, as engines send it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def json_answer(value: Any, status: int = 200) -> Answer:
    """An answer whose body is *value* as JSON."""
    return Answer(status, JSON_HEADERS, dump_json(value))


def error_answer(status: int, message: str, version: ApiVersion | None = None) -> Answer:
    """An error answer in Docker's form.

    Args:
        status: 400 or above.
        message: the error text.
        version: the client's API version; before 1.24 an error is plain text.
    """
    if version is None or version >= JSON_ERRORS:
        return json_answer({"message": message}, status)
    headers = (
        (b"Content-Type", b"text/plain; charset=utf-8"),
        (b"X-Content-Type-Options", b"nosniff"),
    )
    return Answer(status, headers, message.encode() + b"\n")
