"""``GET /images/{name}/json`` and ``history``: from an engine that has the image."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from swarmcore.http.messages import Answer, dump_json
from swarmcore.images import familiar_image, without_moved_names
from swarmcore.node import Node
from swarmcore.protocols import Exchange, ResponseHooks, Route
from swarmcore_api_docker.compat.version_gates import able_engines
from swarmcore_api_docker.images.holders import agreed_holder, find_holders
from swarmcore_api_docker.requests import engine_path
from swarmcore_api_docker.route_notes import HOLDER

_NAMES = "names that mean another image"


def routes() -> list[Route]:
    """Return the routes of inspecting an image, and of its history."""
    return [
        Route("GET", "/images/{name}/json", inspect, routed=HOLDER, rewrites=_NAMES),
        Route("GET", "/images/{name}/history", show_history, routed=HOLDER, rewrites=_NAMES),
    ]


async def inspect(exchange: Exchange) -> None:
    """``GET /images/{name}/json``: from an engine that has the image."""
    name = exchange.request.params["name"]
    engine = agreed_holder(find_holders(exchange.cluster, name), name)
    await exchange.relay(
        engine,
        engine_path(exchange, "images", name, "json"),
        hooks=_hooks(engine.node, show_detail),
    )


async def show_history(exchange: Exchange) -> None:
    """``GET /images/{name}/history``: from an engine that has the image."""
    name = exchange.request.params["name"]
    holders = find_holders(exchange.cluster, name)
    engine = agreed_holder(able_engines(holders, "history", exchange.request.query), name)
    await exchange.relay(
        engine,
        engine_path(exchange, "images", name, "history"),
        hooks=_hooks(engine.node, show_layers),
    )


def _hooks(node: Node, show: Callable[[Answer, Node], Answer]) -> ResponseHooks:
    """Pass the answer of *node* through *show* if names have moved away from that node."""
    moved = bool(node.moved_names)
    return ResponseHooks(map_response=(lambda answer: show(answer, node)) if moved else None)


def show_detail(answer: Answer, node: Node) -> Answer:
    """Return the answer to ``GET /images/{name}/json`` without names that moved away."""
    return _with_json(answer, without_moved_names(node.moved_names, json.loads(answer.body)))


def show_layers(answer: Answer, node: Node) -> Answer:
    """Return the answer to ``GET /images/{name}/history`` without names that moved away."""
    layers = [_without_tags(layer, node) for layer in json.loads(answer.body)]
    return _with_json(answer, layers)


def _without_tags(layer: Mapping[str, Any], node: Node) -> Mapping[str, Any]:
    tags = layer.get("Tags") or ()
    kept = [tag for tag in tags if node.moved_names.get(familiar_image(tag)) != layer.get("Id")]
    return layer if len(kept) == len(tags) else {**layer, "Tags": kept or None}


def _with_json(answer: Answer, value: Any) -> Answer:
    return Answer(answer.status, answer.headers, dump_json(value))
