"""The filters of ``docker events``, with the engine's rules.  Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from swarmcore.list_filters import Filters

_Event = Mapping[str, Any]
_Test = Callable[[_Event], bool]
#: Actions with a suffix (``exec_start: sh``); a filter without the suffix matches them.
_SUFFIXED = frozenset({"health_status", "exec_create", "exec_start"})
#: Filters by object: the value is an id, a name, or the beginning of either.
_KINDS = ("container", "volume", "network", "daemon", "plugin", "service", "secret", "config")


def compile_event_filters(filters: Filters) -> _Test:
    """Compile filters into a test of one event.

    An event passes if every filter holds.  A filter holds if one of its values matches; for labels,
    all values must match.  Unknown filters are ignored, as by an engine.

    Returns:
        A test of an event in the form that clients get, with ``node.name`` among its attributes.
    """
    tests = [_COMPILERS[key](filters) for key in filters if key in _COMPILERS]
    return lambda event: all(test(event) for test in tests)


def _attributes(event: _Event) -> Mapping[str, str]:
    return (event.get("Actor") or {}).get("Attributes") or {}


def _actor_id(event: _Event) -> str:
    return str((event.get("Actor") or {}).get("ID") or "")


def _by_field(key: str, field: str) -> Callable[[Filters], _Test]:
    def compile_field(filters: Filters) -> _Test:
        wanted = filters.equal(key)
        return lambda event: wanted(str(event.get(field, "")))

    return compile_field


def _by_action(filters: Filters) -> _Test:
    suffixed = not _SUFFIXED.isdisjoint(filters.values("event"))
    wanted = filters.beginning("event") if suffixed else filters.equal("event")
    return lambda event: wanted(str(event.get("Action", "")))


def _by_object(kind: str) -> Callable[[Filters], _Test]:
    def compile_object(filters: Filters) -> _Test:
        wanted = filters.beginning(kind)
        return lambda event: (
            wanted(_actor_id(event)) or wanted(str(_attributes(event).get("name", "")))
        )

    return compile_object


def _by_image(filters: Filters) -> _Test:
    wanted = filters.equal("image")

    def test(event: _Event) -> bool:
        attribute = "name" if event.get("Type") == "image" else "image"
        texts = {_actor_id(event), _attributes(event).get(attribute, "")}
        texts |= {_without_tag(text) for text in texts}
        return any(wanted(text) for text in texts)

    return test


def _without_tag(image: str) -> str:
    """``team/tool:1`` -> ``team/tool``; the colon before a port stays."""
    name = image.partition("@")[0]
    head, colon, tag = name.rpartition(":")
    return head if colon and "/" not in tag else name


def _by_label(filters: Filters) -> _Test:
    holds = filters.labelled("label")
    return lambda event: holds(_attributes(event))


def _by_node(filters: Filters) -> _Test:
    values = filters.values("node")

    def test(event: _Event) -> bool:
        attributes = _attributes(event)
        return (
            not values
            or attributes.get("node.name") in values
            or attributes.get("node.id") in values
        )

    return test


_COMPILERS: dict[str, Callable[[Filters], _Test]] = {
    "type": _by_field("type", "Type"),
    "scope": _by_field("scope", "scope"),
    "event": _by_action,
    "image": _by_image,
    "label": _by_label,
    "node": _by_node,
    **{kind: _by_object(kind) for kind in _KINDS},
}
