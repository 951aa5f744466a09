"""``GET /containers/json``: from the caches; only sizes are asked of the engines."""

import json
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from swarmcore.messages import Answer
from swarmcore.model import Container
from swarmcore.node import Node
from swarmcore.protocols import Cluster, Engine, Exchange, Route
from swarmcore_api_docker.container_filters import Surroundings
from swarmcore_api_docker.fan_out import ask_all
from swarmcore_api_docker.fragments import Fragments, NameStyle, add_sizes
from swarmcore_api_docker.listing import parse_list_query, select
from swarmcore_api_docker.routed import CACHES

_JSON = ((b"Content-Type", b"application/json"),)
_ROUTED = f"{CACHES}; with size the engines"
_REWRITES = "filter node; Names, Ports, Status; Labels of the node"
#: Above this many, a query that names each would be longer than engines accept.
_MOST_IDS_IN_A_QUERY = 1000


class ContainerList:
    """Answers the list; keeps the containers encoded between two of them.

    Args:
        names: how to show names.
    """

    def __init__(self, names: NameStyle) -> None:
        self._fragments = Fragments(names)

    def routes(self) -> list[Route]:
        """The list, and classic's second name for it."""
        return [
            Route("GET", path, self.show, routed=_ROUTED, rewrites=_REWRITES)
            for path in ("/containers/json", "/containers/ps")
        ]

    async def show(self, exchange: Exchange) -> None:
        """``GET /containers/json``."""
        cluster = exchange.cluster
        nodes = [engine.node for engine in cluster.engines()]
        around = Surroundings(cluster.find_container, nodes)
        ask = await parse_list_query(exchange.request.query, around)
        chosen = await select(nodes, ask)
        sizes = await _ask_sizes(cluster, chosen) if ask.size else {}
        now = time.time()
        encode = self._fragments.encode
        parts = [encode(container, node, now) for container, node in chosen]
        if ask.size:
            parts = [
                add_sizes(part, sizes.get(container.id, {}))
                for part, (container, _) in zip(parts, chosen, strict=True)
            ]
        await exchange.send(Answer(200, _JSON, b"[" + b",".join(parts) + b"]\n"))


async def _ask_sizes(
    cluster: Cluster, chosen: Sequence[tuple[Container, Node]]
) -> dict[str, dict[str, Any]]:
    """Container id -> its object with sizes; without those of engines that did not answer."""
    wanted: dict[str, list[str]] = {}
    for container, node in chosen:
        wanted.setdefault(node.id, []).append(container.id)

    async def ask(engine: Engine) -> list[dict[str, Any]]:
        ids = wanted[engine.node.id]
        path = "/containers/json?all=1&size=1"
        if len(ids) <= _MOST_IDS_IN_A_QUERY:
            path += f"&filters={quote(json.dumps({'id': ids}))}"
        answer = await engine.call("GET", path)
        return list(answer.json()) if answer.ok else []

    engines = [engine for engine in cluster.engines() if engine.node.id in wanted]
    replies = await ask_all([engine for engine in engines if engine.node.health], ask)
    return {item["Id"]: item for _, items in replies.answers for item in items}
