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

#: In a document without these addresses, no port needs another address.
_ANYWHERE = (b'"0.0.0.0"', b'"::"')
_REWRITES = "Node added; HostIp"
#: JSON strings have a backslash before a quotation mark, so these can only be keys.
_SETTINGS = b',"NetworkSettings":{'
_PORTS = '"Ports":{'
_read_value = json.JSONDecoder().raw_decode


def routes() -> list[Route]:
    """Return the route of inspecting a container."""
    path = "/containers/{name}/json"
    return [Route("GET", path, inspect, routed=CONTAINER, rewrites=_REWRITES)]


def show_container(answer: Answer, node: Node) -> Answer:
    """Return the engine's answer with ``Node`` added and ``HostIp`` made reachable.

    All other fields stay as the engine wrote them.  The changes are inserted into the engine's
    bytes, because parsing and encoding a whole document would take a third of the request's time.
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
    """Return *body* with other ``NetworkSettings.Ports``; ``b""`` if these are not in their place.

    The usual place: ``NetworkSettings`` is a key of the document, and has no other object before
    ``Ports``.
    """
    key = body.rfind(_SETTINGS)
    if key < 0:
        return b""
    begin = key + len(_SETTINGS) - 1
    shown = _show_settings(body[begin:], node_ip)
    return body[:begin] + shown if shown else b""


@lru_cache(maxsize=1024)
def _show_settings(rest: bytes, node_ip: str) -> bytes:
    """Return *rest*, which begins with the settings, with other ports; ``b""`` if that is odd.

    The settings of a container seldom change from one inspection to the next.
    """
    try:
        text = rest.decode()
        settings, end = _read_value(text)
        if text[end:] != "}":
            json.loads(text[end:].replace(",", "{", 1))  # in an inner object, one "}" too many
        if not settings.get("Ports"):
            return rest
        ports_begin = text.index(_PORTS) + len(_PORTS) - 1
        ports, ports_end = _read_value(text, ports_begin)
    except ValueError:
        return b""
    if "{" in text[1:ports_begin] or ports != settings["Ports"]:
        return b""
    shown = json.dumps(show_bindings(ports, node_ip), separators=(",", ":"), ensure_ascii=False)
    return f"{text[:ports_begin]}{shown}{text[ports_end:]}".encode()


def describe_node(node: Node) -> dict[str, Any]:
    """Return the ``Node`` object of Swarm classic; CPUs and memory are without overcommitment."""
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
