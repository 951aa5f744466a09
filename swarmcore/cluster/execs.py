"""Which engine holds an exec: remembered when it was created here, asked for otherwise."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from urllib.parse import quote

import trio

from swarmcore.engine import Engine
from swarmcore.errors import EngineError, NotFound, Unavailable
from swarmcore.model import State

#: An exec is used within seconds of its creation; forgetting one costs a question to all engines.
_REMEMBERED = 10_000
#: A slow engine must not hold up the answer that no engine has it.
_SEARCH_SECONDS = 10.0


class Execs:
    """Exec ids and their engines.

    Args:
        engines: the healthy ones, now.
        by_node: node id -> engine; raises NotFound.
    """

    def __init__(
        self, engines: Callable[[], Sequence[Engine]], by_node: Callable[[str], Engine]
    ) -> None:
        self._engines = engines
        self._by_node = by_node
        self._nodes: OrderedDict[str, str] = OrderedDict()

    def remember(self, exec_id: str, node_id: str) -> None:
        """The engine of *node_id* just created *exec_id*."""
        self._nodes[exec_id] = node_id
        self._nodes.move_to_end(exec_id)
        if len(self._nodes) > _REMEMBERED:
            self._nodes.popitem(last=False)

    async def find(self, exec_id: str) -> Engine:
        """The engine that holds *exec_id*.

        Raises:
            NotFound: none does; Docker's text.
            Unavailable: there is no healthy engine to ask, or the one that has it is not.
        """
        remembered = self._remembered(exec_id)
        if remembered is not None:
            if remembered.node.state is not State.HEALTHY:
                raise Unavailable(f"Exec {exec_id} running on unhealthy node {remembered.label}")
            return remembered
        found = await self._search(exec_id)
        if found is None:
            raise NotFound(f"No such exec instance: {exec_id}")
        self.remember(exec_id, found.node.id)
        return found

    def _remembered(self, exec_id: str) -> Engine | None:
        node_id = self._nodes.get(exec_id)
        if node_id is None:
            return None
        try:
            return self._by_node(node_id)
        except NotFound:
            del self._nodes[exec_id]
            return None

    async def _search(self, exec_id: str) -> Engine | None:
        """Ask every engine; the first that knows the exec ends the search."""
        found: list[Engine] = []
        path = f"/exec/{quote(exec_id, safe='')}/json"
        with trio.move_on_after(_SEARCH_SECONDS):
            async with trio.open_nursery() as nursery:

                async def ask(engine: Engine) -> None:
                    try:
                        answer = await engine.call("GET", path)
                    except EngineError:
                        return  # it is counted where it happened; the others may know
                    if answer.ok:
                        found.append(engine)
                        nursery.cancel_scope.cancel()

                for engine in self._engines():
                    nursery.start_soon(ask, engine)
        return found[0] if found else None
