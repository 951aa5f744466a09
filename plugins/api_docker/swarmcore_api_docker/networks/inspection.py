"""``GET /networks/{id}``: read from the engines, with the containers of all engines."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from swarmcore.container_config.references import has_own_labels, without_own_labels
from swarmcore.http.messages import Answer, json_answer
from swarmcore.json_values import reading_answer
from swarmcore.protocols import ClusterView, Engine, Exchange, ResponseHooks, Route
from swarmcore_api_docker.fanout.gather import ask_all
from swarmcore_api_docker.networks.find import Network, named_network, network_engines
from swarmcore_api_docker.networks.spanning import nodes_with_endpoints
from swarmcore_api_docker.requests import client_answer, engine_path
from swarmcore_api_docker.route_notes import HOLDER

#: The beginning of the ids of endpoints by which engines of a swarm balance the load of services.
_BALANCER = "lb-"
_REWRITES = "Containers of all engines that it spans"


def routes() -> list[Route]:
    """Return the route of inspecting a network."""
    return [Route("GET", "/networks/{id}", inspect, routed=HOLDER, rewrites=_REWRITES)]


async def inspect(exchange: Exchange) -> None:
    """``GET /networks/{id}``."""
    network = named_network(exchange)
    engines = network_engines(exchange, network)
    path = engine_path(exchange, "networks", network.id)
    if not network.is_spanning:
        show = show_network if has_own_labels(network.document) else None
        await exchange.relay(engines[0], path, hooks=ResponseHooks(map_response=show))
        return
    engines += _other_holders(exchange.cluster, network, engines)
    version = exchange.request.version

    async def ask(engine: Engine) -> tuple[Answer, dict[str, Any]]:
        answer = await engine.call("GET", path, version=version)
        if not answer.ok:
            return answer, {}
        with reading_answer(engine.node.name, f"GET {exchange.request.path}"):
            return answer, merge_inspections([answer.json()])

    replies = await ask_all(engines, ask)
    found = [document for _, (answer, document) in replies.answers if answer.ok]
    if found:
        await exchange.send_json(merge_inspections(found))
    elif replies.answers:
        await exchange.send(client_answer(replies.answers[0][1][0]))
    else:
        raise replies.failures[0][1]


def _other_holders(
    cluster: ClusterView, network: Network, asked: Sequence[Engine]
) -> Sequence[Engine]:
    """Return engines, other than *asked*, that answer and have containers on *network*."""
    known = {engine.node.id for engine in asked}
    nodes = [each.node for each in cluster.engines() if each.node.health]
    holders = nodes_with_endpoints(nodes, network.id)
    return [cluster.engine(node.id) for node in holders if node.id not in known]


def merge_inspections(documents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Merge the documents of a network from several engines into one.

    The result is the first engine's document with the containers and peers of all engines.  An
    engine of a cluster store also lists containers of other engines, under ``ep-`` and the id of
    the endpoint; those are left out if their own engine lists them by id.

    Args:
        documents: the documents of the engines, at least one.
    """
    merged = dict(without_own_labels(documents[0]))
    merged["Containers"] = _merge_endpoints(documents)
    for key in ("Peers", "Services"):
        values = [document[key] for document in documents if document.get(key)]
        if values:
            merged[key] = _merge_values(values)
    return merged


def _merge_endpoints(documents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for document in documents:
        endpoints = document.get("Containers") or {}
        # With only a load balancer left, the engine has no container on it and will remove it.
        if not all(id.startswith(_BALANCER) for id in endpoints):
            found = {**endpoints, **found}
    named = {_endpoint_id(endpoint) for id, endpoint in found.items() if not _is_remote(id)}
    return {
        id: endpoint
        for id, endpoint in found.items()
        if not _is_remote(id) or _endpoint_id(endpoint) not in named
    }


def _is_remote(id: str) -> bool:
    return id.startswith("ep-")


def _endpoint_id(endpoint: Any) -> str:
    return str(endpoint.get("EndpointID")) if isinstance(endpoint, Mapping) else ""


def _merge_values(values: Sequence[Any]) -> Any:
    """Join lists without repetitions, or objects by key; the first engine takes precedence."""
    if isinstance(values[0], Mapping):
        return {key: each[key] for each in reversed(values) for key in each}
    kept: list[Any] = []
    for each in chain.from_iterable(values):
        if each not in kept:
            kept.append(each)
    return kept


def show_network(answer: Answer) -> Answer:
    """Return the answer to an inspect without the manager's own labels."""
    return json_answer(without_own_labels(answer.json()), answer.status)
