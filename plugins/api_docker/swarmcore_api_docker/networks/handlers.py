"""Change networks: connect, disconnect, remove and prune."""

from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from swarmcore.container_config import references
from swarmcore.container_config.engine_body import endpoint_without_prefixes
from swarmcore.container_config.normalize import endpoint_with_docker_spelling
from swarmcore.container_config.version_gates import needs_of_connect
from swarmcore.errors import Conflict, NotFound
from swarmcore.http.messages import Answer, dump_json
from swarmcore.model import Container
from swarmcore.node import PREDEFINED_NETWORKS, Node
from swarmcore.protocols import Engine, Exchange, ResponseHooks, Route
from swarmcore_api_docker.compat.version_gates import require_heeded
from swarmcore_api_docker.fanout.gather import ask_all, require_success
from swarmcore_api_docker.networks.find import (
    Network,
    all_networks,
    find_network,
    named_network,
    network_engines,
)
from swarmcore_api_docker.prune import check_report, read_prune_request, sum_reports
from swarmcore_api_docker.requests import engine_path, read_object, refresh_quietly
from swarmcore_api_docker.route_notes import ALL, CONTAINER, HOLDER, PRUNED

_CONNECT = "names become ids"


def routes() -> list[Route]:
    """Return the routes that change networks."""
    return [
        Route("POST", "/networks/prune", prune, routed=ALL, rewrites=PRUNED),
        Route("POST", "/networks/{id}/connect", connect, routed=CONTAINER, rewrites=_CONNECT),
        Route("POST", "/networks/{id}/disconnect", disconnect, routed=CONTAINER, rewrites=_CONNECT),
        Route("DELETE", "/networks/{id}", remove, routed=HOLDER),
    ]


async def connect(exchange: Exchange) -> None:
    """``POST /networks/{id}/connect``: on the engine of the container."""
    body = await read_object(exchange, "Container", "EndpointConfig")
    network = named_network(exchange)
    container = exchange.cluster.find_container(str(body.get("Container") or ""))
    engine = exchange.cluster.engine_of(container)
    if "EndpointConfig" in body:
        endpoint = endpoint_with_docker_spelling(body["EndpointConfig"])
        require_heeded(engine, needs_of_connect(endpoint))
        body["EndpointConfig"] = endpoint_without_prefixes(endpoint, engine.node)
    async with exchange.cluster.bringing([network.id], engine):
        network = _network_for(named_network(exchange), container, engine.node)
        await _change(exchange, "connect", network, container, engine, body)


def _network_for(network: Network, container: Container, node: Node) -> Network:
    """Return the network that a container of *node* is to be connected to.

    For a predefined network, such as ``bridge``, it is the network of that node's engine.

    Raises:
        Conflict: the container cannot be on that network; the text says where both are.
    """
    if network.name in PREDEFINED_NETWORKS:
        return find_network([node], network.name)
    if network.is_spanning:
        if references.find_network(node, network.id) is None:
            raise Conflict(
                f"network {network.name} is only on engines that share it with"
                f" {network.nodes[0].name}, container {container.name} is on {node.name}"
            )
    elif node not in network.nodes:
        raise Conflict(
            f"network {network.name} is only on {network.nodes[0].name}, container"
            f" {container.name} is on {node.name}: create one where the other is"
        )
    return network


async def disconnect(exchange: Exchange) -> None:
    """``POST /networks/{id}/disconnect``: on the engine of the container.

    With ``Force``, an engine of the network removes the endpoint of a container that is gone.
    """
    body = await read_object(exchange, "Container", "Force")
    network = named_network(exchange)
    try:
        container = exchange.cluster.find_container(str(body.get("Container") or ""))
    except NotFound:
        if not body.get("Force"):
            raise
        await _force_disconnect(exchange, network, body)
        return
    if body.get("Force") and network.document.get("Scope") == "global":
        node = exchange.cluster.engine(container.node_id).node
        if not node.health:
            # Any engine of the cluster store can remove the endpoint by the container's name.
            body["Container"] = container.name
            await _force_disconnect(exchange, network, body)
            return
    engine = exchange.cluster.engine_of(container)
    network = _network_for(network, container, engine.node)
    await _change(exchange, "disconnect", network, container, engine, body)


async def _force_disconnect(exchange: Exchange, network: Network, body: dict[str, Any]) -> None:
    """Remove the endpoint of a container that its own engine cannot disconnect."""
    engine = network_engines(exchange, network)[0]
    path = engine_path(exchange, "networks", network.id, "disconnect")

    async def settle(status: int) -> None:
        await refresh_quietly(engine.refresh_networks)

    await exchange.relay(engine, path, body=dump_json(body), hooks=ResponseHooks(on_status=settle))


async def _change(
    exchange: Exchange,
    verb: str,
    network: Network,
    container: Container,
    engine: Engine,
    body: dict[str, Any],
) -> None:
    async def settle(status: int) -> None:
        if network.is_spanning:
            # An engine lists a spanning network only while it has containers on it.
            await refresh_quietly(engine.refresh_networks)
        await engine.refresh_container(container.id)

    await exchange.relay(
        engine,
        engine_path(exchange, "networks", network.id, verb),
        body=dump_json({**body, "Container": container.id}),
        hooks=ResponseHooks(on_status=settle),
    )


async def remove(exchange: Exchange) -> None:
    """``DELETE /networks/{id}``: one engine removes a spanning network for all."""
    network = named_network(exchange)
    engine = network_engines(exchange, network)[0]

    async def settle(status: int) -> None:
        if status == HTTPStatus.NO_CONTENT:
            for each in exchange.cluster.engines():
                each.forget_network(network.id)
        else:
            await refresh_quietly(engine.refresh_networks)

    path = engine_path(exchange, "networks", network.id)
    await exchange.relay(engine, path, hooks=ResponseHooks(on_status=settle))


async def _refresh(engine: Engine) -> None:
    await refresh_quietly(engine.refresh_networks)


async def prune(exchange: Exchange) -> None:
    """``POST /networks/prune``: on every engine that answers.

    The first engine that prunes a spanning network removes it; it is reported once.
    """
    engines, query, _ = await read_prune_request(exchange)
    known = all_networks(engine.node for engine in engines)
    version = exchange.request.version

    async def ask(engine: Engine) -> Answer:
        answer = await engine.call("POST", f"/networks/prune?{query}", version=version)
        await refresh_quietly(engine.refresh_networks)
        if answer.ok:
            check_report(engine, answer, "POST /networks/prune", "NetworksDeleted")
        return answer

    answers = require_success("pruning networks", await ask_all(engines, ask))
    report = sum_reports(answers, "NetworksDeleted")
    if names := report["NetworksDeleted"]:
        report["NetworksDeleted"] = _without_repetitions(names, known)
        # An engine's cache may still have a network that another engine removed after it was read.
        spanning = {network.name for network in known if network.is_spanning} & set(names)
        await ask_all(engines if spanning else (), _refresh)
    await exchange.send_json(report)


def _without_repetitions(names: Sequence[str], networks: Sequence[Network]) -> list[str]:
    """Return *names*, each at most as often as there were networks of that name."""
    left = Counter(network.name for network in networks)
    kept = []
    for name in names:
        left[name] -= 1
        if left[name] >= 0 or name not in left:
            kept.append(name)
    return kept
