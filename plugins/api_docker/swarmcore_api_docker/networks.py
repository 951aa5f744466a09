"""Networks: one of local scope lives on one engine, and whatever names it goes there.

Lists come from the caches; everything else is the engine's own answer.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from http import HTTPStatus
from typing import Any

import trio

from swarmcore.config import references
from swarmcore.config.folding import with_known_spelling
from swarmcore.config.gates import Need, needs_of_connect
from swarmcore.config.network_labels import has_own_labels
from swarmcore.config.prefixes import endpoint_without_prefixes
from swarmcore.config.spelling import endpoint_with_docker_spelling
from swarmcore.errors import BadRequest, Conflict, EngineError, NotFound
from swarmcore.filters import parse_filters
from swarmcore.messages import Answer, dump_json
from swarmcore.model import Container
from swarmcore.node import PREDEFINED_NETWORKS, Node, is_swarm_manager
from swarmcore.protocols import Cluster, Engine, Exchange, Route
from swarmcore.versions import ApiVersion
from swarmcore_api_docker.containers import as_own, engine_path, version_of
from swarmcore_api_docker.fan_out import ask_all
from swarmcore_api_docker.network_creation import has_no_pool, labelled
from swarmcore_api_docker.network_listing import (
    Network,
    all_networks,
    find_network,
    is_taken,
    list_networks,
    made_network,
    merge_inspections,
    show_network,
)
from swarmcore_api_docker.outcomes import require_success
from swarmcore_api_docker.pruning import read_prune, sum_reports
from swarmcore_api_docker.routed import ALL, CACHES, CHOSEN, CONTAINER, HOLDER, LISTED, PRUNED
from swarmcore_api_docker.siting import Site, answering_engine, split_node
from swarmcore_api_docker.spanning_networks import endpoint_holders, makers, shares
from swarmcore_api_docker.version_gates import require_heeded

#: Engines of older versions make a second network of one name unless told to look.
_LOOKS_FOR_DUPLICATES = ApiVersion(1, 44)
#: Engines of older versions give a network addresses that it was not to have.
_WITHOUT_IPV4 = Need("EnableIPv4", ApiVersion(1, 48))
_JSON = ((b"Content-Type", b"application/json"),)
_CREATE = "node/ of Name; Driver and CheckDuplicate"
_CONNECT = "names become ids"
_MERGED = "Containers of all engines that it spans"


class Networks:
    """Answers for networks; knows which names are being taken just now.

    Args:
        classic: lists show ``node/name``, and a network is an overlay where engines have a cluster
            store and the client names no driver, as in Swarm classic.
    """

    def __init__(self, *, classic: bool = False) -> None:
        self._classic = classic
        self._creating: dict[str, trio.Event] = {}

    def routes(self) -> list[Route]:
        """Every route below ``/networks``."""
        return [
            Route("GET", "/networks", self.show_list, routed=CACHES, rewrites=LISTED),
            Route("GET", "/networks/{id}", inspect, routed=HOLDER, rewrites=_MERGED),
            Route("POST", "/networks/create", self.create, routed=CHOSEN, rewrites=_CREATE),
            Route("POST", "/networks/prune", prune, routed=ALL, rewrites=PRUNED),
            Route("POST", "/networks/{id}/connect", connect, routed=CONTAINER, rewrites=_CONNECT),
            Route(
                "POST", "/networks/{id}/disconnect", disconnect, routed=CONTAINER, rewrites=_CONNECT
            ),
            Route("DELETE", "/networks/{id}", remove, routed=HOLDER),
        ]

    async def show_list(self, exchange: Exchange) -> None:
        """``GET /networks``: from the caches, those of engines that answer."""
        nodes = [engine.node for engine in exchange.cluster.engines()]
        filters = parse_filters(exchange.request.query.get("filters"))
        await exchange.send_json(await list_networks(nodes, filters, classic=self._classic))

    async def create(self, exchange: Exchange) -> None:
        """``POST /networks/create``: on the node that is named, else on one that is chosen.

        Who is told that a name is taken looks for that network at once, as compose does; so a
        create of a name that is being taken waits until it is there, or is not.

        Raises:
            Conflict: the cluster has a network of that name.
            BadRequest: the node is too old for what is asked.
        """
        body = await _read_object(
            exchange,
            *("Name", "Driver", "CheckDuplicate", "EnableIPv4", "Labels", "Scope", "Attachable"),
        )
        cluster = exchange.cluster
        pinned, name = split_node(cluster.nodes(), str(body.get("Name") or ""))
        while name in self._creating:
            await self._creating[name].wait()
        if self._classic and not body.get("Driver") and _has_store(cluster.nodes()):
            body["Driver"] = "overlay"
        able = makers(cluster.engines(), body, pinned)
        among = [pinned] if pinned else cluster.nodes()
        if able:
            among = [node for node in cluster.nodes() if shares(node, pinned)]
        if is_taken(among, name):
            raise Conflict(f"network with name {name} already exists")
        needs = _needs(body, version_of(exchange))
        site = Site(cluster, body.get("Labels"), needs)
        if able:
            engine = site.choose_maker(able)
        elif pinned:
            engine = answering_engine(cluster, pinned, f"network {name}")
        else:
            engine = site.choose(network=name)
        require_heeded(engine, needs)
        body |= {"Name": name, "Driver": body.get("Driver") or "bridge"}
        if not able:
            body = labelled(body, pinned)
        self._creating[name] = trio.Event()
        try:
            answer = await _create_on(exchange, engine, body, None if able else site)
            while not (able or pinned) and has_no_pool(answer):
                other = site.choose_other()
                if other is None:
                    break
                answer = await _create_on(exchange, other, body, site)
            await exchange.send(as_own(answer))
        finally:
            self._creating.pop(name).set()


async def _create_on(
    exchange: Exchange, engine: Engine, body: Mapping[str, Any], site: Site | None
) -> Answer:
    """Have *engine* make a network; it is expected there, unless it spans engines."""
    if engine.node.api_version < _LOOKS_FOR_DUPLICATES:
        body = {**body, "CheckDuplicate": True}
    with site.expected_on(engine) if site else nullcontext():
        answer = await engine.call(
            "POST",
            engine_path(exchange, "networks", "create"),
            body=dump_json(body),
            headers=_JSON,
            version=version_of(exchange),
        )
        if answer.ok:
            _show_made(engine, body, answer)
        await _refreshing(engine)(answer.status)
        return answer


def _show_made(engine: Engine, body: Mapping[str, Any], answer: Answer) -> None:
    """The engine has made it: that is known, whatever can be read."""
    with suppress(ValueError, KeyError, TypeError):  # an odd answer is the client's, too
        id = str(answer.json()["Id"])
        if id not in engine.node.networks:
            engine.put_network(made_network(id, body))


def _has_store(nodes: Sequence[Node]) -> bool:
    """Whether overlays can be made in a cluster store, as engines before release 23 have it."""
    return any(node.info.get("ClusterStore") for node in nodes)


def _needs(body: Mapping[str, Any], version: ApiVersion) -> Sequence[Need]:
    """What the engine of a new network must know; a client of an older version cannot ask."""
    asks = body.get("EnableIPv4") is False and version >= _WITHOUT_IPV4.since
    return (_WITHOUT_IPV4,) if asks else ()


async def _read_object(exchange: Exchange, *known: str) -> dict[str, Any]:
    body = await exchange.read_json()
    if not isinstance(body, dict):
        raise BadRequest("the request needs a body: a JSON object")
    return with_known_spelling(body, known)


def _refreshing(engine: Engine) -> Callable[[int], Awaitable[None]]:
    """Bring the cache up to date; an engine's event does so too, should this fail."""

    async def settle(status: int) -> None:
        with suppress(EngineError):
            await engine.refresh_networks()

    return settle


# ---- reading


def _find(exchange: Exchange) -> Network:
    nodes = [engine.node for engine in exchange.cluster.engines()]
    return find_network(nodes, exchange.request.params["id"])


def _engines(exchange: Exchange, network: Network) -> list[Engine]:
    """The engines that list *network* and answer, swarm managers first.

    Raises:
        Unavailable: there are none.
    """
    alive = [node for node in network.nodes if node.health] or list(network.nodes)
    alive.sort(key=lambda node: not is_swarm_manager(node.info))
    what = f"network {network.name}"
    return [answering_engine(exchange.cluster, node, what) for node in alive]


async def inspect(exchange: Exchange) -> None:
    """``GET /networks/{id}``: live; the containers of all engines that the network spans."""
    network = _find(exchange)
    engines = _engines(exchange, network)
    path = engine_path(exchange, "networks", network.id)
    if not network.is_spanning:
        rewrite = show_network if has_own_labels(network.document) else None
        await exchange.relay(engines[0], path, rewrite=rewrite)
        return
    engines += _late_holders(exchange.cluster, network, engines)
    version = exchange.request.version
    replies = await ask_all(engines, lambda engine: engine.call("GET", path, version=version))
    answers = [answer for _, answer in replies.answers]
    found = [answer.json() for answer in answers if answer.ok]
    if found:
        await exchange.send_json(merge_inspections(found))
    elif answers:
        await exchange.send(as_own(answers[0]))
    else:
        raise replies.failures[0][1]


def _late_holders(cluster: Cluster, network: Network, asked: Sequence[Engine]) -> Sequence[Engine]:
    """Engines that answer and have containers on *network*, beside *asked*."""
    known = {engine.node.id for engine in asked}
    nodes = [each.node for each in cluster.engines() if each.node.health]
    holders = endpoint_holders(nodes, network.id)
    return [cluster.engine(node.id) for node in holders if node.id not in known]


# ---- changing


async def connect(exchange: Exchange) -> None:
    """``POST /networks/{id}/connect``: on the engine of the container."""
    body = await _read_object(exchange, "Container", "EndpointConfig")
    network = _find(exchange)
    container = exchange.cluster.find_container(str(body.get("Container") or ""))
    engine = exchange.cluster.engine_of(container)
    if "EndpointConfig" in body:
        endpoint = endpoint_with_docker_spelling(body["EndpointConfig"])
        require_heeded(engine, needs_of_connect(endpoint))
        body["EndpointConfig"] = endpoint_without_prefixes(endpoint, engine.node)
    async with exchange.cluster.bringing([network.id], engine):
        network = _reached(_find(exchange), container, engine.node)
        await _change(exchange, "connect", network, container, engine, body)


def _reached(network: Network, container: Container, node: Node) -> Network:
    """What *network* is to a container of *node*; ``bridge``, say, is its own engine's.

    Raises:
        Conflict: it cannot be on that network; says where both are.
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

    With ``Force`` a container that is no more is cut off by an engine of the network.
    """
    body = await _read_object(exchange, "Container", "Force")
    network = _find(exchange)
    try:
        container = exchange.cluster.find_container(str(body.get("Container") or ""))
    except NotFound:
        if not body.get("Force"):
            raise
        await _cut_off(exchange, network, body)
        return
    if body.get("Force") and network.document.get("Scope") == "global":
        node = exchange.cluster.engine(container.node_id).node
        if not node.health:  # any engine of the store may take its endpoint away, by its name
            body["Container"] = container.name
            await _cut_off(exchange, network, body)
            return
    engine = exchange.cluster.engine_of(container)
    network = _reached(network, container, engine.node)
    await _change(exchange, "disconnect", network, container, engine, body)


async def _cut_off(exchange: Exchange, network: Network, body: dict[str, Any]) -> None:
    """Take the endpoint of a container away that its engine cannot disconnect."""
    engine = _engines(exchange, network)[0]
    path = engine_path(exchange, "networks", network.id, "disconnect")
    await exchange.relay(engine, path, body=dump_json(body), settle=_refreshing(engine))


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
            await _refreshing(engine)(status)  # it may show there from now on, or no more
        await engine.refresh_container(container.id)

    await exchange.relay(
        engine,
        engine_path(exchange, "networks", network.id, verb),
        body=dump_json({**body, "Container": container.id}),
        settle=settle,
    )


async def remove(exchange: Exchange) -> None:
    """``DELETE /networks/{id}``: one that spans engines is removed by one of them, for all."""
    network = _find(exchange)
    engine = _engines(exchange, network)[0]

    async def settle(status: int) -> None:
        if status == HTTPStatus.NO_CONTENT:
            for each in exchange.cluster.engines():
                each.forget_network(network.id)
        else:
            await _refreshing(engine)(status)

    path = engine_path(exchange, "networks", network.id)
    await exchange.relay(engine, path, settle=settle)


async def prune(exchange: Exchange) -> None:
    """``POST /networks/prune``: on every engine that answers.

    One that spans engines is removed by whoever comes first, and told once.
    """
    engines, query, _ = await read_prune(exchange)
    known = all_networks(engine.node for engine in engines)
    version = exchange.request.version

    async def ask(engine: Engine) -> Answer:
        answer = await engine.call("POST", f"/networks/prune?{query}", version=version)
        await _refreshing(engine)(answer.status)
        return answer

    answers = require_success("pruning networks", await ask_all(engines, ask))
    report = sum_reports(answers, "NetworksDeleted")
    if names := report["NetworksDeleted"]:
        report["NetworksDeleted"] = _once_each(names, known)
        # Some had been read again before another engine removed what they share.
        spanning = {network.name for network in known if network.is_spanning} & set(names)
        await ask_all(engines if spanning else (), lambda engine: _refreshing(engine)(0))
    await exchange.send_json(report)


def _once_each(names: Sequence[str], networks: Sequence[Network]) -> list[str]:
    """*names* as often as there were networks called so."""
    left = Counter(network.name for network in networks)
    kept = []
    for name in names:
        left[name] -= 1
        if left[name] >= 0 or name not in left:
            kept.append(name)
    return kept
