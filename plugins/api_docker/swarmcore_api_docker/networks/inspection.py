"""``GET /networks/{id}``: live; the containers of all engines that the network spans."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from swarmcore.config.network_labels import has_own_labels, without_own_labels
from swarmcore.messages import Answer, json_answer
from swarmcore.protocols import Cluster, Engine, Exchange, ResponseHooks, Route
from swarmcore_api_docker.fanout.gather import ask_all
from swarmcore_api_docker.networks.find import Network, named_network, network_engines
from swarmcore_api_docker.networks.spanning import endpoint_holders
from swarmcore_api_docker.requests import client_answer, engine_path
from swarmcore_api_docker.route_notes import HOLDER

_REWRITES = "Containers of all engines that it spans"


def routes() -> list[Route]:
    """The one path."""
    return [Route("GET", "/networks/{id}", inspect, routed=HOLDER, rewrites=_REWRITES)]


async def inspect(exchange: Exchange) -> None:
    """``GET /networks/{id}``: live; the containers of all engines that the network spans."""
    network = named_network(exchange)
    engines = network_engines(exchange, network)
    path = engine_path(exchange, "networks", network.id)
    if not network.is_spanning:
        show = show_network if has_own_labels(network.document) else None
        await exchange.relay(engines[0], path, hooks=ResponseHooks(map_response=show))
        return
    engines += _late_holders(exchange.cluster, network, engines)
    version = exchange.request.version
    replies = await ask_all(engines, lambda engine: engine.call("GET", path, version=version))
    answers = [answer for _, answer in replies.answers]
    found = [answer.json() for answer in answers if answer.ok]
    if found:
        await exchange.send_json(merge_inspections(found))
    elif answers:
        await exchange.send(client_answer(answers[0]))
    else:
        raise replies.failures[0][1]


def _late_holders(cluster: Cluster, network: Network, asked: Sequence[Engine]) -> Sequence[Engine]:
    """Engines that answer and have containers on *network*, beside *asked*."""
    known = {engine.node.id for engine in asked}
    nodes = [each.node for each in cluster.engines() if each.node.health]
    holders = endpoint_holders(nodes, network.id)
    return [cluster.engine(node.id) for node in holders if node.id not in known]


def merge_inspections(documents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What several engines say of one network: the first's word, everybody's containers and peers.

    An engine of a cluster store shows the containers of others too, as ``ep-`` and the endpoint's
    id; their own engines know what they are called.
    """
    merged = dict(without_own_labels(documents[0]))
    merged["Containers"] = _merge_endpoints(documents)
    for key in ("Peers", "Services"):
        told = [document[key] for document in documents if document.get(key)]
        if told:
            merged[key] = _merge_told(told)
    return merged


def _merge_endpoints(documents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for document in documents:
        endpoints = document.get("Containers") or {}
        # The last container has left that engine, which will take its own endpoint away.
        if not all(id.startswith(_BALANCER) for id in endpoints):
            found = {**endpoints, **found}
    named = {_endpoint_id(endpoint) for id, endpoint in found.items() if not _is_remote(id)}
    return {
        id: endpoint
        for id, endpoint in found.items()
        if not _is_remote(id) or _endpoint_id(endpoint) not in named
    }


#: What the endpoint of an engine of a swarm is called, by which services are balanced.
_BALANCER = "lb-"


def _is_remote(id: str) -> bool:
    return id.startswith("ep-")


def _endpoint_id(endpoint: Any) -> str:
    return str(endpoint.get("EndpointID")) if isinstance(endpoint, Mapping) else ""


def _merge_told(told: Sequence[Any]) -> Any:
    """Lists of objects without repetitions, or objects by key; the first's kind is theirs."""
    if isinstance(told[0], Mapping):
        return {key: each[key] for each in reversed(told) for key in each}
    kept: list[Any] = []
    for each in chain.from_iterable(told):
        if each not in kept:
            kept.append(each)
    return kept


def show_network(answer: Answer) -> Answer:
    """An inspected network as clients see it."""
    return json_answer(without_own_labels(answer.json()), answer.status)
