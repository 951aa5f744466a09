"""``GET /containers/{name}/json``: the engine's document, with the node and reachable ports."""

import json
from typing import Any

from swarmcore.http.messages import Answer, dump_json
from swarmcore.node import Node
from swarmcore.protocols import Exchange, ResponseHooks, Route
from swarmcore_api_docker.containers.ports import show_bindings
from swarmcore_api_docker.requests import engine_path, locate_container
from swarmcore_api_docker.route_notes import CONTAINER

#: In a document without these, no port needs another address.
_ANYWHERE = (b'"0.0.0.0"', b'"::"')
_REWRITES = "Node added; HostIp"


def routes() -> list[Route]:
    """The one path."""
    path = "/containers/{name}/json"
    return [Route("GET", path, inspect, routed=CONTAINER, rewrites=_REWRITES)]


def show_container(answer: Answer, node: Node) -> Answer:
    """The engine's answer with ``Node`` added and ``HostIp`` made reachable.

    Every other field stays as the engine wrote it.  When no port is bound to every address, the
    engine's bytes are not parsed at all.
    """
    tail = b',"Node":' + json.dumps(describe_node(node), ensure_ascii=False).encode() + b"}\n"
    body = answer.body.rstrip()
    if body.endswith(b"}") and len(body) > 2 and not any(text in body for text in _ANYWHERE):
        return _with_body(answer, body[:-1] + tail)
    document = json.loads(body)
    settings = document.get("NetworkSettings")
    if isinstance(settings, dict) and settings.get("Ports"):
        settings["Ports"] = show_bindings(settings["Ports"], node.ip)
    return _with_body(answer, dump_json({**document, "Node": describe_node(node)}))


def describe_node(node: Node) -> dict[str, Any]:
    """The ``Node`` object of Swarm classic; CPUs and memory without overcommitment."""
    return {
        "ID": node.id,
        "IP": node.ip,
        "Addr": node.address,
        "Name": node.name,
        "Cpus": node.cpus,
        "Memory": node.memory,
        "Labels": dict(node.labels),
    }


def _with_body(answer: Answer, body: bytes) -> Answer:
    return Answer(answer.status, answer.headers, body)


async def inspect(exchange: Exchange) -> None:
    """``GET /containers/{name}/json``."""
    container, engine = locate_container(exchange)
    await exchange.relay(
        engine,
        engine_path(exchange, "containers", container.id, "json"),
        hooks=ResponseHooks(map_response=lambda answer: show_container(answer, engine.node)),
    )
