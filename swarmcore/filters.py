"""Docker's ``filters``: what a list, a prune or a stream of events is about, read as engines do.

Every key has values, and every value a mark, which is true or false: ``{"label": {"a": false}}``.
A list of values, ``{"label": ["a"]}``, marks all of them true.  Only where an engine compares for
equality it looks at the mark; a value that is marked false is never equal, but it is a value: a
filter that has only such values lets nothing through, rather than everything.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from typing import Any, NoReturn

from swarmcore.errors import BadRequest
from swarmcore.patterns import PatternTooLargeError, is_plain, matcher
from swarmcore.request_limits import FILTER_PATTERNS, FILTER_VALUES, check_count

Test = Callable[[str], bool]

_TRUE, _FALSE = frozenset({"1", "true"}), frozenset({"0", "false"})


class Filters:
    """What was asked for, key by key.

    Args:
        fields: key -> value -> mark.
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, Mapping[str, bool]] | None = None) -> None:
        self._fields = {key: dict(values) for key, values in (fields or {}).items()}

    @classmethod
    def of(cls, lists: Mapping[str, Collection[str]]) -> "Filters":
        """Filters whose values are all marked true."""
        return cls({key: dict.fromkeys(values, True) for key, values in lists.items()})

    def __contains__(self, key: str) -> bool:
        return key in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __bool__(self) -> bool:
        return bool(self._fields)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Filters) and self._fields == other._fields

    def __hash__(self) -> int:
        return hash(self.encode())

    def __repr__(self) -> str:
        return f"Filters({self._fields!r})"

    # ---- reading

    def values(self, key: str) -> tuple[str, ...]:
        """The values of *key*, whatever their marks are."""
        return tuple(self._fields.get(key, ()))

    def refuse_unknown(self, known: Collection[str]) -> None:
        """Refuse keys that are not *known*.

        Raises:
            BadRequest: in an engine's words.
        """
        for key in self._fields:
            if key not in known:
                raise invalid(key)

    def flag(self, key: str, *, default: bool = False) -> bool:
        """A key that is true or false; *default* without it.

        Raises:
            BadRequest: neither, or both.
        """
        marks = self._fields.get(key)
        if marks is None:
            return default
        true, false = (any(marks.get(word) for word in words) for words in (_TRUE, _FALSE))
        if true == false:
            raise invalid(key, f"[{' '.join(marks)}]" if marks else None)
        return true

    # ---- comparing

    def equal(self, key: str) -> Test:
        """A test of one text: a value that is marked true; without values everything passes."""
        marks = self._fields.get(key)
        if not marks:
            return _pass
        return frozenset(value for value, mark in marks.items() if mark).__contains__

    def beginning(self, key: str) -> Test:
        """A test of one text: one that begins with a value; without values everything passes."""
        values = self.values(key)
        return (lambda text: text.startswith(values)) if values else _pass

    def matching(self, key: str) -> Test:
        """A test of one text: one that is a value, or that a value as a pattern is found in.

        Raises:
            BadRequest: too many patterns, or one that would take too much memory.
        """
        marks = self._fields.get(key)
        if not marks:
            return _pass
        check_count(
            sum(not is_plain(value) for value in marks), FILTER_PATTERNS, f"patterns of {key!r}"
        )
        try:
            exact, found = self.equal(key), matcher(marks)
        except PatternTooLargeError as error:
            raise invalid(key, f"[{' '.join(marks)}]"[:200], str(error)) from None
        return lambda text: exact(text) or found(text)

    def labelled(self, key: str) -> Callable[[Mapping[str, str]], bool]:
        """A test of labels: each value, ``name`` or ``name=text``, holds for them."""
        wanted = [value.partition("=") for value in self.values(key)]
        return lambda labels: all(
            name in labels and (not equals or labels[name] == text) for name, equals, text in wanted
        )

    # ---- changing

    def without(self, *keys: str) -> "Filters":
        """These filters less some keys."""
        return Filters({key: of for key, of in self._fields.items() if key not in keys})

    def adding(self, key: str, value: str) -> "Filters":
        """These filters with one more value, marked true."""
        return Filters({**self._fields, key: {**self._fields.get(key, {}), value: True}})

    def encode(self) -> str:
        """As every engine reads them."""
        return json.dumps(self._fields)


def _pass(text: str) -> bool:
    return True


def invalid(key: str, value: str | None = None, reason: str = "") -> BadRequest:
    """An engine's error of a filter: what it says of a key, of a value, and why."""
    if value is None:
        return BadRequest(f"invalid filter '{key}'" if key else "invalid filter")
    return BadRequest(f"invalid filter '{key}={value}'{reason and f': {reason}'}")


def parse_filters(text: str) -> Filters:
    """Read the parameter ``filters``, in both of its forms.

    All keys have lists, or all have marks; ``null`` is a key without values, a value marked false,
    or the empty text in a list, as engines read it.  Of a key that is given twice the last counts.

    Args:
        text: of the query; empty without one.

    Raises:
        BadRequest: no JSON, of another shape, or more values than one request may have.
    """
    if not text:
        return Filters()
    try:
        read = json.loads(text, object_pairs_hook=_Object, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise invalid("") from None
    if read is None:
        return Filters()
    if not isinstance(read, _Object):
        raise invalid("")
    for read_values in (_marked, _listed):
        with suppress(_OtherFormError):
            fields = {_text(key): read_values(of) for key, of in read}
            check_count(sum(map(len, fields.values())), FILTER_VALUES, "filter values")
            return Filters(fields)
    raise invalid("")


class _Object(list[tuple[str, Any]]):
    """An object in JSON, keys that come twice among its pairs: each must be of the right form."""


class _OtherFormError(ValueError):
    """The values are not of the form that was tried."""


def _marked(of: Any) -> dict[str, bool]:
    """An object of values and marks."""
    pairs = _Object() if of is None else of
    if isinstance(pairs, _Object) and all(isinstance(mark, bool | None) for _, mark in pairs):
        return {_text(value): bool(mark) for value, mark in pairs}
    raise _OtherFormError


def _listed(of: Any) -> dict[str, bool]:
    """A list of values."""
    values = [] if of is None else of
    is_list = isinstance(values, list) and not isinstance(values, _Object)
    if is_list and all(isinstance(value, str | None) for value in values):
        return {_text(value or ""): True for value in values}
    raise _OtherFormError


def _text(text: str) -> str:
    """Half a surrogate pair is no character, and read as U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
