"""Finds the route for a path.

Docker's names may contain slashes (``/images/registry/team/app:1/json``), so a template is matched
by the text before its first placeholder and after its last one; longer endings come first.  Pure.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Generic, Protocol, TypeVar
from urllib.parse import quote, unquote_to_bytes

_PLACEHOLDER = re.compile(r"\{([a-zA-Z_]+)\}")
_SLASHES = re.compile(r"/{2,}")
#: Characters that Go does not escape in a path.
_UNESCAPED = "$&+,/:;=@"


class Routed(Protocol):
    """A route as the router uses it."""

    @property
    def method(self) -> str:
        """Upper case."""
        ...

    @property
    def template(self) -> str:
        """A path; a ``{placeholder}`` matches one or more characters, including slashes."""
        ...


R = TypeVar("R", bound=Routed)


def origin_form(target: str) -> str:
    """*target* in origin form; converts the absolute form (RFC 9112, 3.2)."""
    path, mark, query = target.partition("?")
    if path.startswith("/") or "://" not in path:
        return target
    return "/" + path.partition("://")[2].partition("/")[2] + mark + query


def clean_target(target: str) -> str | None:
    """*target* with a clean path, to which engines redirect; ``None`` if its path is clean.

    Repeated slashes become one, and segments ``.`` and ``..``, also escaped ones, are resolved.

    Args:
        target: as sent, decoded as Latin-1.
    """
    if target.startswith("/") and not ("//" in target or "/." in target or "%" in target):
        return None
    origin = origin_form(target)
    path, mark, query = origin.partition("?")
    decoded = unquote_to_bytes(path.encode("latin-1")).decode("latin-1")
    if not decoded.startswith("/") or ("//" not in decoded and "/." not in decoded):
        return None
    segments: list[str] = []
    for segment in decoded.split("/"):
        if segment == "..":
            segments[-1:] = []
        elif segment not in ("", "."):
            segments.append(segment)
    clean = "/" + "/".join(segments)
    if decoded.endswith("/") and segments:
        clean += "/"
    if clean == decoded:
        return None
    host = target[: len(target) - len(origin)] if target.endswith(origin) else ""
    return host + quote(clean.encode("latin-1"), safe=_UNESCAPED) + mark + query


def clean_path(path: str) -> str:
    """*path* without repeated slashes and without a slash at the end."""
    if "//" in path:
        path = _SLASHES.sub("/", path)
    return path.rstrip("/") or "/" if path.endswith("/") else path


def shape(template: str) -> str:
    """*template* without the names of its placeholders; routes of the same shape conflict."""
    return _PLACEHOLDER.sub("{}", template)


class _Pattern(Generic[R]):
    """A template with placeholders, prepared for matching."""

    __slots__ = ("_fixed", "_names", "_pattern", "head", "route", "tail")

    def __init__(self, route: R) -> None:
        self.route = route
        # text, name, text, name, ..., text
        pieces = _PLACEHOLDER.split(route.template)
        self.head, self.tail = pieces[0], pieces[-1]
        self._names = pieces[1::2]
        self._fixed = sum(len(piece.split("/")) for piece in pieces[::2])
        self._pattern = re.compile("(.+)".join(re.escape(piece) for piece in pieces[::2]), re.S)

    @property
    def rank(self) -> tuple[int, int, int]:
        """Sort key, more specific first: longer ending, more fixed text, longer beginning."""
        return (-self.tail.count("/"), -self._fixed, -len(self.head))

    def match(self, path: str) -> dict[str, str] | None:
        head, tail = self.head, self.tail
        if not (path.startswith(head) and path.endswith(tail)):
            return None
        if len(self._names) == 1:
            captured = path[len(head) : len(path) - len(tail)]
            return {self._names[0]: captured} if captured else None
        found = self._pattern.fullmatch(path)
        return dict(zip(self._names, found.groups(), strict=True)) if found else None


class Router(Generic[R]):
    """Routes, indexed by method and first segment.

    Args:
        routes: the routes; no two may have the same method and shape.
    """

    def __init__(self, routes: Iterable[R]) -> None:
        self._exact: dict[tuple[str, str], R] = {}
        self._open: dict[tuple[str, str], list[_Pattern[R]]] = {}
        for route in routes:
            if _PLACEHOLDER.search(route.template):
                key = (route.method, _first_segment(route.template))
                self._open.setdefault(key, []).append(_Pattern(route))
            else:
                self._exact[route.method, route.template] = route
        for patterns in self._open.values():
            patterns.sort(key=lambda pattern: pattern.rank)

    def match(self, method: str, path: str) -> tuple[R, Mapping[str, str]] | None:
        """Find the route of a request and the values of its placeholders.

        Args:
            method: upper case.
            path: percent-decoded and clean, without version prefix.

        Returns:
            ``None`` for an unknown path or method; Docker answers 404 to both.
        """
        exact = self._exact.get((method, path))
        if exact is not None:
            return exact, {}
        # Engines redirect paths with dot segments, so such a segment must not match a placeholder.
        if "/." in path and not {".", ".."}.isdisjoint(path.split("/")):
            return None
        for pattern in self._open.get((method, _first_segment(path)), ()):
            params = pattern.match(path)
            if params is not None:
                return pattern.route, params
        return None


def _first_segment(path: str) -> str:
    return path[1:].partition("/")[0]
