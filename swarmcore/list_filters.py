"""Docker's ``filters`` parameter of lists, prunes and event streams, interpreted as by engines.

Each key has values, and each value a mark that is true or false: ``{"label": {"a": false}}``.  In a
list of values, ``{"label": ["a"]}``, all marks are true.  Engines use the mark only where they
compare for equality: a value with a false mark never equals anything, but it counts as a value, so
a filter with only such values matches nothing rather than everything.
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
    """The parsed ``filters`` parameter.

    Args:
        fields: key -> value -> mark.
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, Mapping[str, bool]] | None = None) -> None:
        self._fields = {key: dict(values) for key, values in (fields or {}).items()}

    @classmethod
    def of(cls, lists: Mapping[str, Collection[str]]) -> "Filters":
        """Filters whose marks are all true."""
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
        """The values of *key*, whatever their marks."""
        return tuple(self._fields.get(key, ()))

    def refuse_unknown(self, known: Collection[str]) -> None:
        """Check that all keys are *known*.

        Raises:
            BadRequest: there is another key; the text is an engine's.
        """
        for key in self._fields:
            if key not in known:
                raise invalid(key)

    def flag(self, key: str, *, default: bool = False) -> bool:
        """The value of a boolean key; *default* if it is not given.

        Raises:
            BadRequest: the value is neither true nor false, or both are given.
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
        """A test whether a text equals a value with a true mark; always true without values."""
        marks = self._fields.get(key)
        if not marks:
            return _pass
        return frozenset(value for value, mark in marks.items() if mark).__contains__

    def beginning(self, key: str) -> Test:
        """A test whether a text begins with one of the values; always true without values."""
        values = self.values(key)
        return (lambda text: text.startswith(values)) if values else _pass

    def matching(self, key: str) -> Test:
        """A test whether a text equals a value, or contains a match of a value as a pattern.

        Raises:
            BadRequest: too many patterns, or a pattern that needs too much memory.
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
        """A test whether labels satisfy all values, each of the form ``name`` or ``name=text``."""
        wanted = [value.partition("=") for value in self.values(key)]
        return lambda labels: all(
            name in labels and (not equals or labels[name] == text) for name, equals, text in wanted
        )

    # ---- changing

    def without(self, *keys: str) -> "Filters":
        """These filters without some keys."""
        return Filters({key: of for key, of in self._fields.items() if key not in keys})

    def adding(self, key: str, value: str) -> "Filters":
        """These filters with one more value, with a true mark."""
        return Filters({**self._fields, key: {**self._fields.get(key, {}), value: True}})

    def encode(self) -> str:
        """The parameter's text in the form that all engines accept."""
        return json.dumps(self._fields)


def _pass(text: str) -> bool:
    return True


def invalid(key: str, value: str | None = None, reason: str = "") -> BadRequest:
    """An engine's error about a filter key, or about a value with the reason."""
    if value is None:
        return BadRequest(f"invalid filter '{key}'" if key else "invalid filter")
    return BadRequest(f"invalid filter '{key}={value}'{reason and f': {reason}'}")


def parse_filters(text: str) -> Filters:
    """Parse the ``filters`` parameter, in either of its forms.

    Either all keys have lists, or all have marks.  As for engines, ``null`` stands for a key
    without values, for a false mark, or for an empty text in a list.  If a key is given twice, the
    last one counts.

    Args:
        text: the parameter's value; empty without one.

    Raises:
        BadRequest: not JSON, of another form, or more values than ``request_limits`` allows.
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
    """A JSON object as a list of pairs, so that duplicate keys are checked, too."""


class _OtherFormError(ValueError):
    """The values do not have the form that was tried."""


def _marked(of: Any) -> dict[str, bool]:
    """Parse an object of values with marks."""
    pairs = _Object() if of is None else of
    if isinstance(pairs, _Object) and all(isinstance(mark, bool | None) for _, mark in pairs):
        return {_text(value): bool(mark) for value, mark in pairs}
    raise _OtherFormError


def _listed(of: Any) -> dict[str, bool]:
    """Parse a list of values."""
    values = [] if of is None else of
    is_list = isinstance(values, list) and not isinstance(values, _Object)
    if is_list and all(isinstance(value, str | None) for value in values):
        return {_text(value or ""): True for value in values}
    raise _OtherFormError


def _text(text: str) -> str:
    """*text* with unpaired surrogates replaced by U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
