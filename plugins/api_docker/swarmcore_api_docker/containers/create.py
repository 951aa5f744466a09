"""``POST /containers/create``, and the explanation of a create that is not carried out."""

from dataclasses import replace
from functools import partial

from swarmcore import chance
from swarmcore.container_config import ContainerConfig
from swarmcore.container_config.published_ports import is_elsewhere, loopback_ports, manager_address
from swarmcore.container_config.version_gates import PLATFORM
from swarmcore.errors import BadRequest
from swarmcore.http.messages import Answer, dump_json
from swarmcore.image_supply.transfer import ImageTransfer
from swarmcore.json_values import reading_answer
from swarmcore.node import Node
from swarmcore.printable import printable
from swarmcore.protocols import Exchange, Handler, Placed, Route
from swarmcore_api_docker.containers.explanation import explanation_document
from swarmcore_api_docker.requests import client_answer, version_of
from swarmcore_api_docker.route_notes import CHOSEN, MANAGER
from swarmcore_api_docker.volumes.plugins import discover_plugins
from swarmcore_api_docker.yielding import run_large

#: With this header, a create answers with an explanation and does nothing.
EXPLAIN = "X-Swarmcore-Explain"
_REWRITES = (
    "instructions in Env and Labels; names of other objects; the swarm's id in Labels;"
    " names of GPUs for their number; the node's address for the manager's in PortBindings"
)


def routes(transfer: ImageTransfer, *, classic: bool = False) -> list[Route]:
    """Return the routes of creates and explanations.

    Args:
        transfer: copies images to the nodes of new containers.
        classic: ignore malformed expressions in labels, as Swarm classic did.
    """
    create, explain = _create(transfer, lenient=classic), _explain(lenient=classic)
    return [
        Route("POST", "/containers/create", create, routed=CHOSEN, rewrites=_REWRITES),
        Route("POST", "/swarmcore/explain", explain, routed=MANAGER),
    ]


def _create(transfer: ImageTransfer, *, lenient: bool) -> Handler:
    """Return the handler of creates; with ``X-Swarmcore-Explain: 1`` it only explains."""
    explain = _explain(lenient=lenient)

    async def create(exchange: Exchange) -> None:
        match exchange.request.header(EXPLAIN):
            case None:
                config = await _read_config(exchange, lenient=lenient)
                # A create may wait for free resources; the wait ends if the client goes away.
                async with exchange.watching():
                    placed = await _place(exchange, config, transfer)
                    await exchange.send(
                        with_port_warning(client_answer(placed.answer), config, placed.node)
                    )
            case "1":
                await explain(exchange)
            case other:
                raise BadRequest(f"{EXPLAIN}: {other}: send 1, or leave the header out")

    return create


async def _place(exchange: Exchange, config: ContainerConfig, transfer: ImageTransfer) -> Placed:
    """Create the container; the cluster copies its image to the chosen node if necessary."""
    cluster = exchange.cluster
    await discover_plugins(cluster, config.volume_plugins.values())
    return await cluster.create_container(config, exchange.request, partial(transfer.copy, cluster))


def _explain(*, lenient: bool) -> Handler:
    """Return the handler of ``POST /swarmcore/explain``: the decision for a create, and why."""

    async def explain(exchange: Exchange) -> None:
        cluster = exchange.cluster
        config = await _read_config(exchange, lenient=lenient)
        explained = await cluster.explain_container(config)
        await exchange.send_json(
            explanation_document(explained, cluster.strategy_name, cluster.filter_names)
        )

    return explain


async def _read_config(exchange: Exchange, *, lenient: bool) -> ContainerConfig:
    body = await exchange.read_json()
    if not isinstance(body, dict):
        raise BadRequest("config cannot be empty in order to create a container")
    query = exchange.request.query
    version = version_of(exchange)
    parse = partial(
        ContainerConfig.parse,
        body,
        name=query.get("name"),
        platform=query.get("platform") if version >= PLATFORM.since else "",
        swarm_id=new_swarm_id(),
        version=version,
        lenient=lenient,
        manager_ip=manager_address(exchange.request.header("host") or ""),
    )
    return await run_large(parse, len(await exchange.read_body()))


def new_swarm_id() -> str:
    """Return 64 random hex digits whose first twelve are not all decimal.

    Clients show the first twelve digits as a short id, and also write numbers in the same places;
    a short id of decimal digits would be ambiguous.
    """
    while True:
        id = chance.token_hex(32)
        if not id[:12].isdecimal():
            return id


def with_port_warning(answer: Answer, config: ContainerConfig, node: Node) -> Answer:
    """Return the answer to a create, with a warning if the client cannot reach published ports.

    A client cannot reach ports on the loopback address of a node that is not the manager's machine.

    Args:
        answer: the engine's answer.
        config: the container's config.
        node: the node where the container is.
    """
    ports = loopback_ports(config.body.get("HostConfig")) if is_elsewhere(node.ip) else ()
    if answer.status != 201 or not ports:
        return answer
    with reading_answer(node.name, "POST /containers/create"):
        document = answer.json()
        told = list(document.get("Warnings") or ())
    warning = f"{', '.join(ports)} is published on loopback: only"
    warning += f" {printable(node.name)} itself reaches it"
    return replace(answer, body=dump_json({**document, "Warnings": [*told, warning]}))
