"""Moves one container: a copy on another node takes its place.

A container of a lost engine is fenced, copied and started; its engine removes the original before
it counts as healthy again (``duplicates``).  A container of a healthy engine is copied, stopped,
started on the other node and removed; if something fails, the original is started again.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from urllib.parse import quote

import trio

from swarmcore.cluster.moves.copies import (
    awaits_first_start,
    copy_config,
    former_ids,
    has_to_run,
    request_of,
)
from swarmcore.cluster.moves.duplicates import remove
from swarmcore.cluster.moves.local_volumes import VOLUMES, may_abandon, volumes_left_behind
from swarmcore.cluster.moves.move_log import MoveLog
from swarmcore.cluster.placement.create import Create
from swarmcore.cluster.placement.placement import Placement
from swarmcore.cluster.placement.recreation import recreate_network
from swarmcore.cluster.placement.relocation import CannotRecreate
from swarmcore.concurrency import Completion
from swarmcore.container_config.references import find_network
from swarmcore.engine import Engine
from swarmcore.errors import Conflict, EngineError, EngineRefused, NotFound
from swarmcore.http.messages import JSON_HEADERS, Answer, dump_json
from swarmcore.json_values import as_object
from swarmcore.model import Container, State
from swarmcore.node import Node, can_be_recreated
from swarmcore.protocols import Carry, Fence, MoveRecord, MoveState, Placed

log = logging.getLogger(__name__)

#: How long a lost engine is asked whether it still answers, before its containers are copied.
_ASK_SECONDS = 3.0


class CannotMove(Conflict):
    """The container must not be moved now; the text says why."""


class Mover:
    """Moves containers.

    Args:
        placement: decides where the copies go.
        fences: returns what must be done before the containers of a lost node are copied.
        completion: completes moves whose caller is cancelled.
    """

    def __init__(
        self,
        placement: Placement,
        fences: Callable[[Node], Sequence[Fence]],
        completion: Completion,
    ) -> None:
        self._placement = placement
        self._members = placement.members
        self._duplicates = placement.members.duplicates
        self._fences = fences
        self._completion = completion
        self._bringing = trio.Lock()
        self._log = MoveLog()

    def latest(self) -> Sequence[MoveRecord]:
        """See ``protocols.Moves``."""
        return self._log.latest()

    def unfinished(self) -> Sequence[MoveRecord]:
        """See ``protocols.Moves``."""
        return [
            each
            for each in self._log.not_moved()
            if each.state == "moving" or self._is_left(each.source_id)
        ]

    def _is_left(self, node_id: str) -> bool:
        """Whether containers still have to leave a node."""
        try:
            node = self._members.by_node(node_id).node
        except NotFound:
            return False
        is_emptied = node.drained is not None and node.drained.moves
        return node.state is State.UNHEALTHY or is_emptied

    def counts(self) -> Mapping[MoveState, int]:
        """See ``protocols.Moves``."""
        return self._log.counts()

    async def wait_ended(self, container: Container) -> bool:
        """See ``protocols.Moves``."""
        return await self._duplicates.wait_moved(container.id)

    def holding(self, container: Container) -> AbstractContextManager[None]:
        """See ``protocols.Moves``."""
        return self._duplicates.holding(container.id)

    async def move(self, container: Container, carry: Carry | None = None) -> Placed:
        """Move *container* to another node; see ``protocols.Moves``.

        Raises:
            CannotMove: it is being moved, its engine has come back, or it would lose data.
            NoNodeFits: no other node can take it.
            EngineError: an engine failed.
            NotPrimary: another manager leads.
        """
        return await self._completion.finish(lambda: self._record(container, carry))

    async def _record(self, original: Container, carry: Carry | None) -> Placed:
        holder = self._members.by_node(original.node_id)
        with self._log.recording(original, holder.label) as outcome:
            self._check(original, holder.node)
            with self._duplicates.moving(original):
                placed = await self._move(original, holder, carry)
            outcome.ended(placed)
            return placed

    async def _move(self, original: Container, holder: Engine, carry: Carry | None) -> Placed:
        if holder.node.state is State.HEALTHY:
            return await self._move_from_healthy(original, holder, carry)
        return await self._move_from_lost(original, holder, carry)

    def _check(self, original: Container, node: Node) -> None:
        called = original.called
        if self._duplicates.is_moving(original.id):
            raise CannotMove(f"container {called} is being moved already")
        if original.id not in node.containers or self._duplicates.is_stale(original):
            raise CannotMove(f"container {called} was moved already, or is gone")
        if self._placement.reservations.is_unseen(original.swarm_id or original.id):
            raise CannotMove(f"whether {called} was copied is unknown until its engine is back")
        if awaits_first_start(original) and not self._duplicates.may_be_started(original):
            raise CannotMove(f"the move that made {called} has not ended, and its original runs")
        if node.state is State.HEALTHY and self._duplicates.is_held(original.id):
            raise CannotMove(f"a client is changing container {called}")
        if node.state is State.HEALTHY and node.drained is None:
            raise CannotMove(f"container {called} stays on {node.name}: the node is not drained")
        if as_object(original.detail.get("HostConfig")).get("AutoRemove"):
            raise CannotMove(f"container {called} is removed when it ends (--rm)")
        left = volumes_left_behind(original, node)
        if left and not may_abandon(original):
            raise CannotMove(
                f"container {called} stays on {node.name}: its volumes there"
                f" ({', '.join(left)}) would stay behind; label {VOLUMES}=abandon allows that"
            )

    async def _move_from_lost(
        self, original: Container, holder: Engine, carry: Carry | None
    ) -> Placed:
        await self._fence(holder)
        await self._require_silence(original, holder)
        placed = await self._copy(original, holder, carry, partial(self._require_lost, holder))
        if placed.answer.status != 201:
            return placed
        await self._switch(original, holder, placed)
        return placed

    async def _fence(self, holder: Engine) -> None:
        """Make sure that nothing runs on the lost engine, as far as plugins can do that.

        Raises:
            CannotMove: a plugin could not do it.
        """
        for fence in self._fences(holder.node):
            try:
                await fence()
            except Exception as error:
                raise CannotMove(f"node {holder.label} is not fenced: {error}") from error

    async def _require_silence(self, original: Container, holder: Engine) -> None:
        """Check that the lost engine does not answer.

        Raises:
            CannotMove: it answers.
        """
        answer: Answer | None = None
        with trio.move_on_after(_ASK_SECONDS):
            try:
                answer = await holder.call("GET", f"/containers/{original.id}/json")
            except EngineError as error:
                log.debug("%s is not asked: %s", holder.label, error)
        if answer is not None and answer.ok:
            raise CannotMove(f"engine {holder.label} answers again, {original.called} stays there")

    def _require_lost(self, holder: Engine) -> None:
        """Check that the lost engine has not come back.

        Raises:
            CannotMove: it has.
        """
        if holder.node.state is State.HEALTHY or self._duplicates.is_returning(holder.node.id):
            raise CannotMove(f"engine {holder.label} has come back")

    async def _take_endpoints(self, original: Container, taker: Engine) -> None:
        """Disconnect *original* from networks that span engines, which know it by its name.

        A cluster store keeps the endpoints of lost engines; the copy could not start beside them.
        Failures are left to the start, whose message says more.
        """
        networks = as_object(as_object(original.detail.get("NetworkSettings")).get("Networks"))
        for name, endpoint in networks.items():
            id = str(as_object(endpoint).get("NetworkID") or name)
            if as_object(taker.node.networks.get(id)).get("Scope") != "global":
                continue
            body = dump_json({"Container": original.name, "Force": True})
            path = f"/networks/{quote(id, safe='')}/disconnect"
            answer = await taker.call("POST", path, body=body, headers=JSON_HEADERS)
            if not answer.ok:
                log.info("%s stays connected to %s: %s", original.called, name, answer.message)

    # ---- from a healthy engine

    async def _move_from_healthy(
        self, original: Container, holder: Engine, carry: Carry | None
    ) -> Placed:
        placed = await self._copy(original, holder, carry, _nothing)
        if placed.answer.status != 201:
            return placed
        await self._switch(original, holder, placed)
        try:
            await remove(holder, original.id)
        except EngineError as error:
            log.warning("%s (%s) is stopped and stays on %s until its engine is restarted: %s",
                        original.called, original.id[:12], holder.label, error)  # fmt: skip
        return placed

    # ---- both

    async def _copy(
        self,
        original: Container,
        holder: Engine,
        carry: Carry | None,
        permit: Callable[[], None],
    ) -> Placed:
        """Create the copy on some node.

        Args:
            original: the container.
            holder: its engine.
            carry: copies its image.
            permit: called just before an engine is asked.
        """
        config = copy_config(original, holder.node)
        bring = partial(self._bring_networks, config.networks, holder.node)
        create = Create(self._placement, config, request_of(original), carry, permit, prepare=bring)
        return await create.run()

    async def _bring_networks(self, networks: Sequence[str], left: Node, node: Node) -> None:
        """Create the networks of a container on *node*, if only the node that it leaves has them.

        The new networks name the old ones in a label, so that these are removed when their engine
        is back and nothing uses them.

        Raises:
            CannotRecreate: the engine refuses a network.
            EngineError: the engine does not answer.
        """
        taker = self._members.by_node(node.id)
        async with self._bringing:  # containers of one project are moved side by side
            for text in networks:
                network = find_network(left, text)
                if network is None or not can_be_recreated(network) or find_network(node, text):
                    continue
                again = recreate_network(network)
                made = await taker.call(
                    "POST", again.create, body=dump_json(again.body), headers=JSON_HEADERS
                )
                if not made.ok:
                    raise CannotRecreate(made)
                name = str(network["Name"])
                log.info("created network %s of %s on %s", name, left.name, node.name)
                self._duplicates.hide_network(left, name)
                await taker.refresh_networks()

    async def _switch(self, original: Container, holder: Engine, placed: Placed) -> None:
        """Let the copy take the place of *original*.

        Raises:
            CannotMove: the lost engine has come back; the copy was removed.
            EngineError: an engine failed.  The copy was removed and *original* counts, unless the
                copy's engine was lost: then the copy counts, and is moved with that engine's
                containers.
        """
        taker = self._members.by_node(placed.node.id)
        copy_id = str(placed.answer.json()["Id"])
        was_healthy = holder.node.state is State.HEALTHY
        is_stopped = False
        try:
            if original.running and was_healthy:
                await _expect(holder, "POST", f"/containers/{original.id}/stop")
                is_stopped = True
            await self._take_endpoints(original, taker)
            if has_to_run(original):
                # The original must not run on an engine that can be reached.
                permit = _nothing if was_healthy else partial(self._require_lost, holder)
                await start(taker, copy_id, permit)
        except (CannotMove, EngineError):
            if await _try_to_remove(taker, copy_id):
                if is_stopped:
                    await start(holder, original.id)
            else:
                self._end(original, holder, taker, copy_id)
            raise
        self._end(original, holder, taker, copy_id)

    def _end(self, original: Container, holder: Engine, taker: Engine, copy_id: str) -> None:
        """Show the copy instead of the original, which the lost engine may still have."""
        copy = taker.node.containers.get(copy_id)
        if copy is not None:
            self._duplicates.take_over(copy)
            self._members.announce_move(copy, holder.label)
        if holder.node.state is not State.HEALTHY:
            holder.forget_container(original.id)
        log.info("moved container %s from %s to %s as %s", original.called, holder.label,
                 taker.label, copy_id[:12])  # fmt: skip

    def interrupted(self) -> Collection[str]:
        """See ``protocols.Moves``."""
        return self._duplicates.interrupted()

    def give_up_copies(self) -> None:
        """Give up copies that may appear late, and whose original a client has removed since."""
        for reservation in self._placement.reservations.doubtful():
            former = former_ids(reservation.labels)
            if former and not self._duplicates.is_shown(former[0]):
                self._members.orphans.abandon(reservation.id, reservation.node_id)
                self._placement.reservations.end(reservation.id)

    async def finish_interrupted(self) -> None:
        """See ``protocols.Moves``."""
        engines = self._members.snapshot.healthy
        for engine in engines:
            try:
                await self._duplicates.finish(engine)
            except EngineError as error:
                log.warning("a second copy is left: %s", error)
        for engine in engines:
            for copy in list(engine.node.containers.values()):
                if self._duplicates.may_be_started(copy):
                    await _finish(engine, copy)


async def _finish(engine: Engine, copy: Container) -> None:
    log.info("starting %s on %s: its move was interrupted", copy.called, engine.label)
    try:
        await start(engine, copy.id)
    except EngineError as error:
        log.warning("%s on %s does not start: %s", copy.called, engine.label, error)


def _nothing() -> None:
    """Permit a request."""


async def start(engine: Engine, id: str, permit: Callable[[], None] = _nothing) -> None:
    """Start a container and wait until the cache shows it.

    Args:
        engine: the engine of the container.
        id: the full container id.
        permit: called just before the engine is asked; its exceptions are passed on.

    Raises:
        EngineError: the engine refused, or did not answer.
    """
    settle = engine.settling(id, "start")
    answer = await _expect(engine, "POST", f"/containers/{id}/start", permit)
    await settle(answer.status)


async def _expect(
    engine: Engine, method: str, path: str, permit: Callable[[], None] = _nothing
) -> Answer:
    """Send a request that must succeed.

    Raises:
        EngineError: the engine refused, or did not answer.
    """
    answer = await engine.call(method, path, permit=permit)
    if not answer.ok:
        raise EngineRefused(engine.label, answer.status, answer.message)
    return answer


async def _try_to_remove(engine: Engine, id: str) -> bool:
    """Remove the copy of a move that failed; return whether that succeeded."""
    try:
        await remove(engine, id)
    except EngineError as error:
        log.warning("container %s is left on %s: %s", id[:12], engine.label, error)
        return False
    return True
