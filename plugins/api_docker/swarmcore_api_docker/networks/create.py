"""``POST /networks/create``: on the node that the client names, otherwise on a chosen node."""

import re
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from typing import Any

import trio

from swarmcore.container_config.references import BY_ENGINE, SUBNET_BY
from swarmcore.container_config.version_gates import Need
from swarmcore.errors import Conflict
from swarmcore.http.messages import JSON_HEADERS, Answer, dump_json
from swarmcore.json_values import UNREADABLE, as_object
from swarmcore.node import Node
from swarmcore.protocols import Engine, Exchange, Route
from swarmcore.request_limits import check_labels
from swarmcore.versions import ApiVersion
from swarmcore_api_docker.colocation import (
    Colocation,
    answering_engine,
    split_node,
    with_node_constraint,
)
from swarmcore_api_docker.compat.version_gates import require_heeded
from swarmcore_api_docker.networks.find import is_taken
from swarmcore_api_docker.networks.spanning import able_makers, shares_networks
from swarmcore_api_docker.requests import (
    client_answer,
    engine_path,
    read_object,
    refresh_quietly,
    version_of,
)
from swarmcore_api_docker.route_notes import CHOSEN

#: The errors of various engine releases when their address pools are used up.
_NO_POOL = re.compile("non-overlapping IPv[46] address pool|pools have been fully subnetted")
#: Drivers whose networks span engines.
_SPANNING = frozenset({"overlay"})
#: Before this version, engines make a second network of the same name unless the request has
#: ``CheckDuplicate``.
_LOOKS_FOR_DUPLICATES = ApiVersion(1, 44)
#: Before this version, engines ignore the field and give the network IPv4 addresses.
_WITHOUT_IPV4 = Need("EnableIPv4", ApiVersion(1, 48))
_REWRITES = "node/ of Name; Driver and CheckDuplicate"


class NetworkCreation:
    """Creates networks, and remembers the names that are being created at the moment.

    Args:
        classic: a network without a driver is an overlay if engines have a cluster store, as in
            Swarm classic.
    """

    def __init__(self, *, classic: bool = False) -> None:
        self._classic = classic
        self._creating: dict[str, trio.Event] = {}

    def routes(self) -> list[Route]:
        """Return the route of the create."""
        path = "/networks/create"
        return [Route("POST", path, self.create, routed=CHOSEN, rewrites=_REWRITES)]

    async def create(self, exchange: Exchange) -> None:
        """``POST /networks/create``: on the node that the client names, otherwise on a chosen node.

        A second create of a name waits until the first one ends.  A client that is refused because
        the name is taken looks for that network at once, as compose does, and must find it.

        Raises:
            Conflict: the cluster has a network of that name.
            BadRequest: the engine is too old for a field of the request.
        """
        body = await read_object(
            exchange,
            *("Name", "Driver", "CheckDuplicate", "EnableIPv4", "Labels", "Scope", "Attachable"),
        )
        check_labels(body.get("Labels"))
        cluster = exchange.cluster
        pinned, name = split_node(cluster.nodes(), str(body.get("Name") or ""))
        while name in self._creating:
            await self._creating[name].wait()
        if self._classic and not body.get("Driver") and _has_store(cluster.nodes()):
            body["Driver"] = "overlay"
        spanning_makers = able_makers(cluster.engines(), body, pinned)
        among = [pinned] if pinned else cluster.nodes()
        if spanning_makers:
            among = [node for node in cluster.nodes() if shares_networks(node, pinned)]
        if is_taken(among, name):
            raise Conflict(f"network with name {name} already exists")
        needs = _needs(body, version_of(exchange))
        colocation = Colocation(cluster, body.get("Labels"), needs)
        if spanning_makers:
            engine = colocation.choose_maker(spanning_makers)
        elif pinned:
            engine = answering_engine(cluster, pinned, f"network {name}")
        else:
            engine = colocation.choose(network=name)
        require_heeded(engine, needs)
        body |= {"Name": name, "Driver": body.get("Driver") or "bridge"}
        if not spanning_makers:
            body = _with_own_labels(body, pinned)
        self._creating[name] = trio.Event()
        try:
            answer = await _create_on(
                exchange, engine, body, None if spanning_makers else colocation
            )
            while not (spanning_makers or pinned) and _has_no_pool(answer):
                other = colocation.choose_other()
                if other is None:
                    break
                answer = await _create_on(exchange, other, body, colocation)
            await exchange.send(client_answer(answer))
        finally:
            self._creating.pop(name).set()


async def _create_on(
    exchange: Exchange, engine: Engine, body: Mapping[str, Any], colocation: Colocation | None
) -> Answer:
    """Let *engine* make a network.

    Args:
        exchange: the client's request.
        engine: the engine that makes it.
        body: the body for the engine.
        colocation: counts the network on that engine meanwhile; ``None`` for a network that spans
            engines.
    """
    if engine.node.api_version < _LOOKS_FOR_DUPLICATES:
        body = {**body, "CheckDuplicate": True}
    with colocation.expected_on(engine) if colocation else nullcontext():
        answer = await engine.call(
            "POST",
            engine_path(exchange, "networks", "create"),
            body=dump_json(body),
            headers=JSON_HEADERS,
            version=version_of(exchange),
        )
        if answer.ok:
            _put_created(engine, body, answer)
        await refresh_quietly(engine.refresh_networks)
        return answer


def _put_created(engine: Engine, body: Mapping[str, Any], answer: Answer) -> None:
    """Put the new network into the cache, in case the engine cannot be read again."""
    # The client gets the engine's answer even if it is malformed.
    with suppress(*UNREADABLE):
        id = str(answer.json()["Id"])
        if id not in engine.node.networks:
            engine.put_network(network_from_request(id, body))


def _has_store(nodes: Sequence[Node]) -> bool:
    """Return whether engines have a cluster store for overlays (releases before 23)."""
    return any(node.info.get("ClusterStore") for node in nodes)


def _needs(body: Mapping[str, Any], version: ApiVersion) -> Sequence[Need]:
    """Return the fields that the engine must know, of those that the client's version has."""
    asks = body.get("EnableIPv4") is False and version >= _WITHOUT_IPV4.since
    return (_WITHOUT_IPV4,) if asks else ()


def network_from_request(id: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document of a new network, made from its request until the engine is read.

    Args:
        id: the id that the engine gave it.
        body: the body of the request.
    """
    is_overlay = body.get("Driver") == "overlay"
    return {
        "Name": body.get("Name") or "",
        "Id": id,
        "Scope": body.get("Scope") or ("swarm" if is_overlay else "local"),
        "Driver": body.get("Driver") or "bridge",
        "EnableIPv6": bool(body.get("EnableIPv6")),
        "IPAM": body.get("IPAM") or {"Driver": "default", "Options": {}, "Config": []},
        "Internal": bool(body.get("Internal")),
        "Attachable": bool(body.get("Attachable")),
        "Ingress": bool(body.get("Ingress")),
        "ConfigFrom": body.get("ConfigFrom") or {"Network": ""},
        "ConfigOnly": bool(body.get("ConfigOnly")),
        "Containers": {},
        "Options": body.get("Options") or {},
        "Labels": body.get("Labels") or {},
    }


def _has_no_pool(answer: Answer) -> bool:
    """Return whether an engine made no network because its address pools are used up."""
    return not answer.ok and _NO_POOL.search(answer.message) is not None


def _with_own_labels(body: Mapping[str, Any], pinned: Node | None) -> dict[str, Any]:
    """Return *body* with labels for a later move of the network.

    The labels record whether the engine chose the subnet, and the node that the client named.

    Args:
        body: the body of a create, in Docker's spelling.
        pinned: the node that the client named, if it named one.
    """
    labels = with_node_constraint(body.get("Labels"), pinned)
    if _engine_chooses_subnet(body):
        labels[SUBNET_BY] = BY_ENGINE
    return {**body, "Labels": labels} if labels else dict(body)


def _engine_chooses_subnet(body: Mapping[str, Any]) -> bool:
    ipam = {key.lower(): value for key, value in as_object(body.get("IPAM")).items()}
    if ipam.get("config") or body.get("Driver") in _SPANNING:
        return False
    return not any(body.get(key) for key in ("ConfigOnly", "ConfigFrom", "Ingress", "Scope"))
