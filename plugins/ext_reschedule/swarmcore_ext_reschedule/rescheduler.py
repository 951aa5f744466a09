"""Watches for lost and drained nodes, and moves their containers side by side."""

import logging
from collections.abc import Sequence
from random import Random

import trio

from swarmcore import chance
from swarmcore.errors import SwarmError
from swarmcore.protocols import Cluster, Container, Node
from swarmcore_ext_reschedule.move_images import MoveImages
from swarmcore_ext_reschedule.policy import (
    Settings,
    is_lost,
    is_to_be_emptied,
    may_be_moved,
    pause_seconds,
)

log = logging.getLogger(__name__)

#: How often nodes are looked at.  A state, unlike a notification, cannot be missed: a manager that
#: has just become primary finds the nodes that its predecessor lost.
_LOOK_SECONDS = 1.0
#: After which time a copy that was not started counts as left by its manager.  Another manager of
#: the same engines may be moving the container, which takes as long as the original takes to stop.
_INTERRUPTED_SECONDS = 120.0
#: The container's image is missing on the chosen node.
_MISSING = 404


class Rescheduler:
    """Moves the containers of lost and drained nodes as long as this manager is the primary.

    Args:
        cluster: the cluster.
        settings: the operator's settings.
        random: source of randomness for pauses.
    """

    def __init__(self, cluster: Cluster, settings: Settings, random: Random | None = None) -> None:
        self._cluster = cluster
        self._settings = settings
        self._random = random or chance.source()
        self._images = MoveImages(cluster)
        self._slots = trio.CapacityLimiter(settings.parallel)
        #: Id of a lost node -> trio time at which it was first seen lost.
        self._lost_since: dict[str, float] = {}
        #: Ids of containers that a task is moving, or has moved: an engine may list a container
        #: for some time after it was moved.
        self._taken: set[str] = set()
        #: The healthy nodes at the last look; ``None`` while another manager leads.
        self._healthy: set[str] | None = None
        #: Id of a container whose copy was never started -> trio time at which that was first seen.
        self._interrupted: dict[str, float] = {}
        #: What the last look found: while it is the same and no node is lost, the next look would
        #: find the same.
        self._seen: object = None

    async def run(self) -> None:
        """Move containers until cancelled."""
        async with trio.open_nursery() as nursery:
            while True:
                revision = self._cluster.revision
                seen = revision.contents, revision.descriptions, self._cluster.is_primary
                if seen != self._seen or self._lost_since or self._interrupted:
                    self._seen = seen
                    await self._look(nursery)
                await trio.sleep(_LOOK_SECONDS)

    async def _look(self, nursery: trio.Nursery) -> None:
        """Begin to move the containers that have to leave their nodes now."""
        nodes = self._cluster.nodes()
        self._note_lost(nodes)
        if self._cluster.is_primary:
            await self._finish_interrupted(nodes)
            for node in nodes:
                if self._must_leave(node):
                    self._begin(node, nursery)
        else:
            self._healthy = None

    def _note_lost(self, nodes: Sequence[Node]) -> None:
        now = trio.current_time()
        lost = {node.id for node in nodes if is_lost(node)}
        self._lost_since = {id: self._lost_since.get(id, now) for id in lost}

    async def _finish_interrupted(self, nodes: Sequence[Node]) -> None:
        """Finish moves of other managers when this one begins to lead, when a node returns, and
        when a copy that another manager asked for is not started in time."""
        healthy = {node.id for node in nodes if node.health}
        now, before = trio.current_time(), self._interrupted
        found = {id: before.get(id, now) for id in self._cluster.moves.interrupted()}
        is_due = any(now - since >= _INTERRUPTED_SECONDS for since in found.values())
        if self._healthy is None or healthy - self._healthy or is_due:
            await self._cluster.moves.finish_interrupted()
            found = dict.fromkeys(found, now)
        self._healthy, self._interrupted = healthy, found

    def _must_leave(self, node: Node) -> bool:
        """Whether containers have to leave *node* now."""
        if is_to_be_emptied(node):
            return True
        since = self._lost_since.get(node.id)
        if since is None or not is_lost(node):
            return False
        return trio.current_time() - since >= self._settings.after_seconds

    def _begin(self, node: Node, nursery: trio.Nursery) -> None:
        for container in list(node.containers.values()):
            if container.id not in self._taken and may_be_moved(container):
                self._taken.add(container.id)
                nursery.start_soon(self._move, container, node)

    async def _move(self, container: Container, node: Node) -> None:
        """Try to move *container* until it is gone from *node* or may stay there."""
        attempts = 0
        while self._cluster.is_primary and self._must_leave(node):
            current = node.containers.get(container.id)
            if current is None:
                break
            async with self._slots:
                if await self._try(current):
                    return
            attempts += 1
            await trio.sleep(pause_seconds(attempts, self._random))
        self._taken.discard(container.id)
        self._seen = None  # the next look may begin again

    async def _try(self, container: Container) -> bool:
        """Make one attempt; return whether the container has moved."""
        try:
            answer = (await self._cluster.moves.move(container, self._images.carry)).answer
            if answer.status == _MISSING:
                await self._images.pull(container)
                answer = (await self._cluster.moves.move(container, self._images.carry)).answer
        except SwarmError as error:
            log.warning("container %s stays on its node for now: %s", container.called, error)
            return False
        if answer.status != 201:
            log.warning("container %s stays on its node for now: %s",
                        container.called, answer.message)  # fmt: skip
        return answer.status == 201
