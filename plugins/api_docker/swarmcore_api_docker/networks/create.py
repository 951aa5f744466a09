"""``POST /networks/create``: on the node that is named, else on one that is chosen."""

import re
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from typing import Any

import trio

from swarmcore.config.gates import Need
from swarmcore.config.network_labels import BY_ENGINE, SUBNET_BY
from swarmcore.errors import Conflict
from swarmcore.json_values import as_object
from swarmcore.messages import Answer, dump_json
from swarmcore.node import Node
from swarmcore.protocols import Engine, Exchange, Route
from swarmcore.versions import ApiVersion
from swarmcore_api_docker.colocation import Site, answering_engine, pinned_labels, split_node
from swarmcore_api_docker.compat.version_gates import require_heeded
from swarmcore_api_docker.networks.find import is_taken
from swarmcore_api_docker.networks.spanning import makers, shares
from swarmcore_api_docker.requests import (
    client_answer,
    engine_path,
    read_object,
    refresh_quietly,
    version_of,
)
from swarmcore_api_docker.route_notes import CHOSEN

#: The engines' words for it, by release.
_NO_POOL = re.compile("non-overlapping IPv[46] address pool|pools have been fully subnetted")
#: Drivers whose networks span engines.
_SPANNING = frozenset({"overlay"})


def has_no_pool(answer: Answer) -> bool:
    """Whether an engine made no network because its address pools are used up."""
    return not answer.ok and _NO_POOL.search(answer.message) is not None


def labelled(body: Mapping[str, Any], pinned: Node | None) -> dict[str, Any]:
    """A create's *body* that says who chose the subnet and the node, for later moves.

    Args:
        body: in Docker's spelling.
        pinned: the node that the client named.
    """
    labels = pinned_labels(body.get("Labels"), pinned)
    if _subnet_is_engines(body):
        labels[SUBNET_BY] = BY_ENGINE
    return {**body, "Labels": labels} if labels else dict(body)


def _subnet_is_engines(body: Mapping[str, Any]) -> bool:
    ipam = {key.lower(): value for key, value in as_object(body.get("IPAM")).items()}
    if ipam.get("config") or body.get("Driver") in _SPANNING:
        return False
    return not any(body.get(key) for key in ("ConfigOnly", "ConfigFrom", "Ingress", "Scope"))


#: Engines of older versions make a second network of one name unless told to look.
_LOOKS_FOR_DUPLICATES = ApiVersion(1, 44)
#: Engines of older versions give a network addresses that it was not to have.
_WITHOUT_IPV4 = Need("EnableIPv4", ApiVersion(1, 48))
_JSON = ((b"Content-Type", b"application/json"),)
_REWRITES = "node/ of Name; Driver and CheckDuplicate"


class NetworkCreation:
    """Makes networks; knows which names are being taken just now.

    Args:
        classic: a network is an overlay where engines have a cluster store and the client names no
            driver, as in Swarm classic.
    """

    def __init__(self, *, classic: bool = False) -> None:
        self._classic = classic
        self._creating: dict[str, trio.Event] = {}

    def routes(self) -> list[Route]:
        """The one path."""
        path = "/networks/create"
        return [Route("POST", path, self.create, routed=CHOSEN, rewrites=_REWRITES)]

    async def create(self, exchange: Exchange) -> None:
        """``POST /networks/create``: on the node that is named, else on one that is chosen.

        Who is told that a name is taken looks for that network at once, as compose does; so a
        create of a name that is being taken waits until it is there, or is not.

        Raises:
            Conflict: the cluster has a network of that name.
            BadRequest: the node is too old for what is asked.
        """
        body = await read_object(
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
            await exchange.send(client_answer(answer))
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
        await refresh_quietly(engine.refresh_networks)
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


def made_network(id: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A network as far as the request that made it tells, until its engine describes it.

    Args:
        id: that the engine gave it.
        body: of the request.
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
