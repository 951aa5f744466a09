"""Recognises stale containers, whose place a copy has taken, and removes them.

An engine that was lost may return with containers that were moved meanwhile.  They are removed
before the engine counts as healthy, so that no two copies run on engines that the manager can
reach.  Volumes are never removed.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import trio

from swarmcore.cluster.moves.copies import awaits_first_start, replaced_by, same_container
from swarmcore.engine import Engine
from swarmcore.errors import EngineRefused, NotFound
from swarmcore.model import Container, State
from swarmcore.names import NameIndex
from swarmcore.node import Node, Thing

log = logging.getLogger(__name__)

#: How many moved containers are remembered; an engine may return after weeks.
_REMEMBERED = 100_000


class Duplicates:
    """Knows which containers are stale because a copy exists.

    Args:
        index: the containers of the cluster; those that clients must not see are taken out of it.
        engine_of: returns the engine of a node id; raises ``NotFound``.
    """

    def __init__(self, index: NameIndex, engine_of: Callable[[str], Engine]) -> None:
        self._index = index
        self._engine_of = engine_of
        #: Id of an original -> its copy.  The entry stays when a client removes the copy, so that
        #: the original does not come back with its engine.
        self._copies: dict[str, Container] = {}
        #: Ids of originals whose copy was never started.
        self._unstarted: set[str] = set()
        #: Id of a stale container -> its node.
        self._node_of: dict[str, str] = {}
        #: Id of a container that is being moved -> its node, and an event for the end of the move.
        self._moving: dict[str, tuple[str, trio.Event]] = {}
        #: Id of a container -> the number of requests by which clients change it now.
        self._held: Counter[str] = Counter()
        #: Ids of nodes whose engines have come back and wait for the end of moves.
        self._returning: set[str] = set()
        #: Id of a lost node -> its networks that were created again elsewhere.
        self._hidden: dict[str, set[Thing]] = {}

    # ---- moves

    @contextmanager
    def moving(self, original: Container) -> Iterator[None]:
        """Mark *original* as being moved while the block runs.

        Until ``take_over`` is called, clients see the original and not the copy.
        """
        ended = trio.Event()
        self._moving[original.id] = original.node_id, ended
        try:
            yield
        finally:
            del self._moving[original.id]
            ended.set()

    def is_moving(self, id: str) -> bool:
        """Whether the container *id* is being moved now."""
        return id in self._moving

    def interrupted(self) -> set[str]:
        """The ids of originals whose copy was never started, and that are not being moved."""
        return {id for id in self._unstarted if id not in self._moving}

    async def wait_moved(self, id: str) -> bool:
        """Wait until the container *id* is not being moved; return whether it was."""
        was_moving = False
        while (move := self._moving.get(id)) is not None:
            was_moving = True
            await move[1].wait()
        return was_moving

    @contextmanager
    def holding(self, id: str) -> Iterator[None]:
        """Mark the container *id* as being changed by a client while the block runs."""
        self._held[id] += 1
        try:
            yield
        finally:
            self._held[id] -= 1
            if not self._held[id]:
                del self._held[id]

    def is_held(self, id: str) -> bool:
        """Whether a client is changing the container *id*, so that it must stay where it is."""
        return id in self._held

    def may_be_started(self, copy: Container) -> bool:
        """Whether the move that made *copy* was interrupted, and no original runs that is known."""
        for id in replaced_by(copy):
            shown = self._index.get(id)
            holder = self._find_engine(shown.node_id if shown else self._node_of.get(id, ""))
            original = holder.node.containers.get(id) if holder is not None else None
            is_running = original is not None and original.running
            if id in self._moving or (is_running and holder is not None and _is_healthy(holder)):
                return False
        return awaits_first_start(copy)

    def is_shown(self, id: str) -> bool:
        """Whether clients see the container *id*."""
        return self._index.get(id) is not None

    def is_stale(self, container: Container) -> bool:
        """Whether a copy has taken the place of *container*."""
        copy = self._copies.get(container.id)
        return copy is not None and same_container(container, copy)

    def is_returning(self, node_id: str) -> bool:
        """Whether the engine of a node has come back, so that nothing more is moved from it."""
        return node_id in self._returning

    def hide_network(self, node: Node, name: str) -> None:
        """Hide a network of a lost node, which was created again elsewhere, until its engine is
        back: clients would find two of that name."""
        thing: Thing = ("network", name)
        self._hidden.setdefault(node.id, set()).add(thing)
        node.objects.hide(thing)

    def take_over(self, copy: Container) -> None:
        """Show *copy* to clients instead of the containers that it replaces: it was moved."""
        self._show(copy)
        for id in replaced_by(copy):
            self._replace(id, copy)

    # ---- containers that engines report

    def note(self, container: Container) -> None:
        """Note a container that an engine reports.

        Clients see it unless it is stale, or its move has not ended.
        """
        if self._is_second(container):
            self.hide(container)
        else:
            self._show(container)

    def _is_second(self, container: Container) -> bool:
        """Whether clients must see another copy instead of *container*, which an engine reports."""
        former = replaced_by(container)
        if any(id in self._moving for id in former):
            return True
        for id in former:
            self._replace(id, container)
        if not self.is_stale(container):
            return False
        self._node_of[container.id] = container.node_id
        return True

    def note_gone(self, container: Container) -> None:
        """Note that an engine no longer has a container.

        If it is a copy that was never started, its move has failed, and its original counts again.
        """
        holder = self._find_engine(container.node_id)
        if holder is not None and _is_healthy(holder):  # a lost engine may still have it
            self._node_of.pop(container.id, None)
        if not awaits_first_start(container):
            return
        for id in replaced_by(container):
            copy = self._copies.get(id)
            if copy is not None and copy.id == container.id:
                self._restore(id)

    def _replace(self, id: str, copy: Container) -> None:
        original = self._index.get(id)
        if original is not None and same_container(original, copy):
            self._node_of[id] = original.node_id
            self.hide(original)
        self._forget(id)
        self._copies[id] = copy  # the latest at the end
        if awaits_first_start(copy):
            self._unstarted.add(id)
        if len(self._copies) > _REMEMBERED:
            oldest = next(iter(self._copies))
            self._forget(oldest)
            self._node_of.pop(oldest, None)

    def _forget(self, id: str) -> None:
        self._copies.pop(id, None)
        self._unstarted.discard(id)

    def _restore(self, id: str) -> None:
        self._forget(id)
        holder = self._find_engine(self._node_of.pop(id, ""))
        original = holder.node.containers.get(id) if holder is not None else None
        if original is not None:
            self._show(original)

    # ---- what clients see

    def hide(self, container: Container) -> None:
        """Take a container out of the index and of lists; its engine still has it."""
        self._index.drop(container)
        holder = self._find_engine(container.node_id)
        if holder is not None:
            holder.node.hide_container(container.id)

    def _show(self, container: Container) -> None:
        self._index.put(container)
        holder = self._find_engine(container.node_id)
        if holder is not None:
            holder.node.show_container(container.id)

    # ---- engines that return

    async def clear(self, engine: Engine) -> None:
        """Remove stale containers before *engine* counts as healthy.

        These are containers of *engine* with a copy elsewhere, and containers of other engines
        whose copies *engine* has.  A copy that was never started gives way to a running original:
        its move was interrupted.

        Raises:
            EngineError: an engine did not remove a container; try again later.
        """
        node_id = engine.node.id
        self._returning.add(node_id)
        try:
            for source, ended in list(self._moving.values()):
                if source == node_id:
                    await ended.wait()
            await self.finish(engine)
            for thing in self._hidden.pop(node_id, ()):
                engine.node.objects.show(thing)
        finally:
            self._returning.discard(node_id)

    async def finish(self, engine: Engine) -> None:
        """Leave one of the two copies of each container of *engine*, in moves that have ended or
        whose manager has died.

        Raises:
            EngineError: an engine did not remove a container.
        """
        # Each step waits for an engine, and others may report containers meanwhile.
        while (found := self._next_pair(engine)) is not None:
            await self._clear_pair(*found)

    def _next_pair(self, engine: Engine) -> tuple[str, Container, Engine] | None:
        """An original that can be removed or restored now, with its copy and its engine.

        Args:
            engine: has the original or the copy; it is healthy, or about to become healthy.
        """
        for id, copy in self._copies.items():
            holder = self._find_engine(self._node_of.get(id, ""))
            if holder is engine:
                return id, copy, holder
            if holder is not None and copy.node_id == engine.node.id and _is_healthy(holder):
                return id, copy, holder
        return None

    async def _clear_pair(self, id: str, copy: Container, holder: Engine) -> None:
        """Remove the original *id* from *holder*, or the copy if the move was interrupted."""
        if self._is_interrupted(id, copy, holder):
            self._restore(id)
            self.hide(copy)
            taker = self._find_engine(copy.node_id)
            # An engine that is pending has just been read, and is about to become healthy.
            if taker is not None and taker.node.state in (State.HEALTHY, State.PENDING):
                log.info("removing %s (%s) from %s: its move was interrupted, and it runs on %s",
                         copy.name, copy.id[:12], taker.label, holder.label)  # fmt: skip
                await remove(taker, copy.id)
            return
        log.info("removing %s (%s) from %s: it was moved to another node",
                 copy.name, id[:12], holder.label)  # fmt: skip
        await remove(holder, id)
        self._node_of.pop(id, None)

    def _is_interrupted(self, id: str, copy: Container, holder: Engine) -> bool:
        """Whether the original *id* still runs on *holder*, and *copy* was never started."""
        original = holder.node.containers.get(id)
        taker = self._find_engine(copy.node_id)
        known = taker.node.containers.get(copy.id) if taker is not None else None
        return (
            original is not None
            and original.running
            and known is not None
            and awaits_first_start(known)
        )

    def _find_engine(self, node_id: str) -> Engine | None:
        try:
            return self._engine_of(node_id)
        except NotFound:
            return None


def _is_healthy(engine: Engine) -> bool:
    return engine.node.state is State.HEALTHY


async def remove(engine: Engine, id: str) -> None:
    """Kill and remove a container; its volumes stay.

    Raises:
        EngineError: the engine refused, or did not answer.
    """
    answer = await engine.call("DELETE", f"/containers/{id}?force=1")
    if not answer.ok and answer.status != 404:
        raise EngineRefused(engine.label, answer.status, answer.message)
    engine.forget_container(id)
