"""``/swarmcore/nodes``: showing, draining and labelling nodes."""

from typing import Any

from swarmcore import clock
from swarmcore.errors import BadRequest, NotFound
from swarmcore.http.routing import clean_path
from swarmcore.model import Drain
from swarmcore.node import MOST_OVERCOMMIT, OVERCOMMIT_LABEL, Node, read_overcommit
from swarmcore.protocols import Exchange, Route
from swarmcore.similar import did_you_mean
from swarmcore_operations.routes.node_document import node_document

#: Maximum length of a reason, which is part of every refusal.
_LONGEST_TEXT = 200


def routes() -> list[Route]:
    """The routes below ``/swarmcore/nodes``."""
    return [
        Route("GET", "/swarmcore/nodes", show_nodes, routed="the caches"),
        Route("GET", "/swarmcore/nodes/{node}", show_node, routed="the caches"),
        Route("POST", "/swarmcore/nodes/{node}/drain", drain, routed="the manager"),
        Route("POST", "/swarmcore/nodes/{node}/undrain", undrain, routed="the manager"),
        Route("POST", "/swarmcore/nodes/{node}/labels", label, routed="the manager"),
    ]


async def show_nodes(exchange: Exchange) -> None:
    """Send all nodes, including pending ones."""
    await exchange.send_json([node_document(node) for node in exchange.cluster.nodes()])


async def show_node(exchange: Exchange) -> None:
    """Send one node."""
    await exchange.send_json(node_document(_named(exchange)))


async def drain(exchange: Exchange) -> None:
    """Drain one node; a new drain replaces an earlier one."""
    fields = await _read_object(exchange)
    node, client = _named(exchange), exchange.request.client
    reason = _read_text(fields, "Reason")
    author = _read_text(fields, "Author") or client.key
    drained = Drain(reason, author, clock.unix_seconds(), moves=_read_switch(fields, "Move"))
    await exchange.cluster.drain_node(node, drained)
    await _answer(exchange, node)


async def undrain(exchange: Exchange) -> None:
    """End the drain of one node."""
    node = _named(exchange)
    await exchange.cluster.drain_node(node, None)
    await _answer(exchange, node)


async def label(exchange: Exchange) -> None:
    """Add labels to one node, or remove added labels."""
    changes = await _read_object(exchange)
    node = _named(exchange)
    for key, value in changes.items():
        _check_label(node, key, value)
    await exchange.cluster.label_node(node, changes)
    await _answer(exchange, node)


async def _answer(exchange: Exchange, node: Node) -> None:
    """Send the node, and whether the setting survives a restart."""
    kept = exchange.cluster.keeps_node_settings
    await exchange.send_json(node_document(node) | {"Kept": kept})


def _named(exchange: Exchange) -> Node:
    """The node that the path names.

    Raises:
        NotFound: there is none; suggests similar names.
        BadRequest: there are several; the text has their addresses.
    """
    text = exchange.request.params["node"]
    nodes = exchange.cluster.nodes()
    found = [node for node in nodes if text in _names(node)]
    if len(found) > 1:
        addresses = ", ".join(node.address for node in found)
        raise BadRequest(
            f"{len(found)} nodes are called {text}: use an address instead: {addresses}"
        )
    if not found:
        words = [word for node in nodes for word in (node.name, node.address) if word]
        hint = did_you_mean(text, words, "'swarmcore nodes' lists them")
        raise NotFound(f"No such node: {text}; {hint}")
    return found[0]


def _names(node: Node) -> tuple[str, ...]:
    """The texts by which a path may name a node; repeated slashes as in ``unix://`` become one."""
    engine_id = node.id.partition("|")[0]
    return node.name, clean_path(node.address), clean_path(node.id), engine_id


async def _read_object(exchange: Exchange) -> dict[str, Any]:
    fields = await exchange.read_json()
    if fields is None:
        return {}
    if not isinstance(fields, dict):
        raise BadRequest("the body must be a JSON object")
    return fields


def _read_text(fields: dict[str, Any], key: str) -> str:
    text = fields.get(key) or ""
    if not isinstance(text, str) or len(text) > _LONGEST_TEXT or not text.isprintable():
        raise BadRequest(f"{key} must be one line of text of at most {_LONGEST_TEXT} characters")
    return text.strip()


def _read_switch(fields: dict[str, Any], key: str) -> bool:
    value = fields.get(key)
    if not (value is None or isinstance(value, bool)):
        raise BadRequest(f"{key} must be true or false")
    return bool(value)


def _check_label(node: Node, key: str, value: Any) -> None:
    """Check that a constraint can use a label.

    Raises:
        BadRequest: it cannot; the text names the label.
    """
    if key == "node":
        raise BadRequest(
            "label node: in constraints, this key means the node's name; choose another"
        )
    if not key or "=" in key or not key.isprintable() or " " in key:
        raise BadRequest(f"{key!r} cannot be the key of a label: use no spaces and no equals signs")
    if value is None:
        if key in node.labels and key not in node.added_labels:
            raise BadRequest(
                f"label {key} of {node.name or node.address} is set by its engine: only added"
                " labels can be removed; you can give this one another value"
            )
    elif not isinstance(value, str) or not value.isprintable():
        raise BadRequest(f"label {key}: the value must be one line of text, or null")
    elif key == OVERCOMMIT_LABEL and read_overcommit(value) is None:
        raise BadRequest(
            f"label {key}: {value!r} is not a fraction above -1, at most {MOST_OVERCOMMIT:g}"
        )
