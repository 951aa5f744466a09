"""``GET /containers/{name}/json``: the engine's document, with the node and reachable ports."""

import json
from functools import lru_cache
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
#: A quotation mark in a string has a backslash before it, so these are keys wherever they stand.
_SETTINGS = b',"NetworkSettings":{'
_PORTS = '"Ports":{'
_read_value = json.JSONDecoder().raw_decode


def routes() -> list[Route]:
    """The one path."""
    path = "/containers/{name}/json"
    return [Route("GET", path, inspect, routed=CONTAINER, rewrites=_REWRITES)]


def show_container(answer: Answer, node: Node) -> Answer:
    """The engine's answer with ``Node`` added and ``HostIp`` made reachable.

    Every other field stays as the engine wrote it: what changes is put among the engine's bytes,
    because reading and writing a whole document would cost a third of the request.
    """
    body = answer.body.rstrip()
    if body.startswith(b"{") and body.endswith(b"}") and len(body) > 2:
        if any(text in body for text in _ANYWHERE):
            body = _with_reachable_ports(body, node.ip)
        if body:
            return _with_body(answer, b'%b,"Node":%b}\n' % (body[:-1], _node_text(node)))
    document = answer.json()
    settings = document.get("NetworkSettings")
    if isinstance(settings, dict) and settings.get("Ports"):
        settings["Ports"] = show_bindings(settings["Ports"], node.ip)
    return _with_body(answer, dump_json({**document, "Node": describe_node(node)}))


def _with_reachable_ports(body: bytes, node_ip: str) -> bytes:
    """*body* with other ``NetworkSettings.Ports``; ``b""`` where these are in no usual place.

    In the usual place ``NetworkSettings`` is a key of the document, and before its ``Ports`` it has
    no other object.
    """
    key = body.rfind(_SETTINGS)
    if key < 0:
        return b""
    begin = key + len(_SETTINGS) - 1
    try:
        text = body[begin:].decode()
        settings, end = _read_value(text)
        if text[end:] != "}":
            json.loads(text[end:].replace(",", "{", 1))  # an inner object has a brace too many
        if not settings.get("Ports"):
            return body
        ports_begin = text.index(_PORTS) + len(_PORTS) - 1
        ports, ports_end = _read_value(text, ports_begin)
    except ValueError:
        return b""
    if "{" in text[1:ports_begin] or ports != settings["Ports"]:
        return b""
    shown = json.dumps(show_bindings(ports, node_ip), separators=(",", ":"), ensure_ascii=False)
    return body[:begin] + f"{text[:ports_begin]}{shown}{text[ports_end:]}".encode()


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


def _node_text(node: Node) -> bytes:
    described = describe_node(node)
    labels = described.pop("Labels")
    return _write_node(tuple(described.items()), tuple(labels.items()))


@lru_cache(maxsize=4096)
def _write_node(fields: tuple[tuple[str, Any], ...], labels: tuple[tuple[str, str], ...]) -> bytes:
    return dump_json({**dict(fields), "Labels": dict(labels)}).rstrip()


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
