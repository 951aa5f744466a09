"""Which events a client asked for: the engine's rules, on the engine's own objects."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

_Event = Mapping[str, Any]
_Test = Callable[[_Event], bool]

#: Actions with a suffix; asked for without it, they match by their beginning.
_SUFFIXED = frozenset({"health_status", "exec_create", "exec_start"})
#: Keys that name an object of that kind, by id or name or the beginning of either.
_KINDS = ("container", "volume", "network", "daemon", "plugin", "service", "secret", "config")


def compile_event_filters(filters: Mapping[str, Sequence[str]]) -> _Test:
    """Make the test of one event.

    Values of a key are alternatives (labels must all hold), keys must all hold, and an unknown key
    is ignored, as the engine does.

    Args:
        filters: as ``Query.filters`` reads them.

    Returns:
        Takes the event as it is sent, ``node.name`` among its attributes.
    """
    tests = [
        _COMPILERS[key](tuple(values))
        for key, values in filters.items()
        if key in _COMPILERS and values
    ]
    return lambda event: all(test(event) for test in tests)


def _attributes(event: _Event) -> Mapping[str, str]:
    return (event.get("Actor") or {}).get("Attributes") or {}


def _actor_id(event: _Event) -> str:
    return str((event.get("Actor") or {}).get("ID") or "")


def _by_field(field: str) -> Callable[[tuple[str, ...]], _Test]:
    return lambda values: lambda event: event.get(field, "") in values


def _by_action(values: tuple[str, ...]) -> _Test:
    if _SUFFIXED.isdisjoint(values):
        return lambda event: event.get("Action", "") in values
    return lambda event: str(event.get("Action", "")).startswith(values)


def _by_object(values: tuple[str, ...]) -> _Test:
    def test(event: _Event) -> bool:
        name = _attributes(event).get("name", "")
        return _actor_id(event).startswith(values) or name.startswith(values)

    return test


def _by_image(values: tuple[str, ...]) -> _Test:
    def test(event: _Event) -> bool:
        attribute = "name" if event.get("Type") == "image" else "image"
        texts = {_actor_id(event), _attributes(event).get(attribute, "")}
        texts |= {_without_tag(text) for text in texts}
        return not texts.isdisjoint(values)

    return test


def _without_tag(image: str) -> str:
    """``team/tool:1`` -> ``team/tool``; a port's colon is not a tag's."""
    name = image.partition("@")[0]
    head, colon, tag = name.rpartition(":")
    return head if colon and "/" not in tag else name


def _by_label(values: tuple[str, ...]) -> _Test:
    wanted = [value.partition("=") for value in values]

    def test(event: _Event) -> bool:
        labels = _attributes(event)
        return all(
            key in labels and (not equals or labels[key] == value) for key, equals, value in wanted
        )

    return test


def _by_node(values: tuple[str, ...]) -> _Test:
    def test(event: _Event) -> bool:
        attributes = _attributes(event)
        return attributes.get("node.name") in values or attributes.get("node.id") in values

    return test


_COMPILERS: dict[str, Callable[[tuple[str, ...]], _Test]] = {
    "type": _by_field("Type"),
    "scope": _by_field("scope"),
    "event": _by_action,
    "image": _by_image,
    "label": _by_label,
    "node": _by_node,
    **dict.fromkeys(_KINDS, _by_object),
}
