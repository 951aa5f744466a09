"""Removes orphans: containers that an engine makes after their create has moved to another node.

If a connection breaks during a create and the engine shows no container, the create moves to
another node.  The first engine may still be working on the request and make a container later.  No
client knows that container and it has never been started.  It is removed, so that one create makes
one container.
"""

import logging
from collections.abc import Callable

import trio

from swarmcore.engine import Engine
from swarmcore.errors import EngineError, NotFound
from swarmcore.model import Container

log = logging.getLogger(__name__)

#: How many abandoned creates are remembered; an engine may return after hours.
_REMEMBERED = 10_000


class Orphans:
    """Removes the containers of abandoned creates.

    Args:
        engine_of: returns the engine of a node id; raises ``NotFound``.
    """

    def __init__(self, engine_of: Callable[[str], Engine]) -> None:
        self._engine_of = engine_of
        #: Pairs of swarm id and node id, oldest first.
        self._abandoned: dict[tuple[str, str], None] = {}
        self._leaving: set[str] = set()
        self._nursery: trio.Nursery | None = None

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run the removals until cancelled."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            task_status.started()
            await trio.sleep_forever()

    def abandon(self, swarm_id: str, node_id: str) -> None:
        """Record that a create left that node: a container that it makes there is an orphan."""
        self._abandoned[swarm_id, node_id] = None
        if len(self._abandoned) > _REMEMBERED:
            del self._abandoned[next(iter(self._abandoned))]

    def expect(self, swarm_id: str, node_id: str) -> None:
        """Record that a create begins on that node; clients may use a swarm id again."""
        self._abandoned.pop((swarm_id, node_id), None)

    def remove_if_orphan(self, container: Container) -> bool:
        """Remove *container*, which an engine reports, if it is an orphan; return whether it is.

        A container that has been started is not an orphan: a user found it on its engine.
        """
        if (container.swarm_id, container.node_id) not in self._abandoned:
            return False
        if self._nursery is None or container.state != "created":
            return False
        if container.id not in self._leaving:
            self._leaving.add(container.id)
            self._nursery.start_soon(self._remove, container)
        return True

    async def _remove(self, container: Container) -> None:
        """Try once to remove *container*; the engine's next full list leads to another try."""
        name, id = container.name, container.id
        try:
            engine = self._engine_of(container.node_id)
            log.info("removing container %s (%s) from %s: its create has moved to another node",
                     name, id[:12], engine.label)  # fmt: skip
            answer = await engine.call("DELETE", f"/containers/{id}?v=1")
            if answer.ok or answer.status == 404:
                engine.forget_container(id)
            else:
                log.warning("cannot remove container %s, whose create has moved, from %s: %s",
                            name, engine.label, answer.message)  # fmt: skip
        except (EngineError, NotFound) as error:
            log.info("container %s is not removed yet, trying again: %s", name, error)
        finally:
            self._leaving.discard(id)
