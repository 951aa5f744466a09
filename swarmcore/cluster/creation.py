"""One create, from its first placement to its end: ask an engine, and know what the answer means.

Everything that decides is synchronous; only the asking awaits.  What creates share (reservations,
tickets, names) is ``placement``'s.
"""

import logging
import re
import time
from enum import Enum, auto

import trio

from swarmcore.cluster.acknowledged import created_container
from swarmcore.cluster.admission import Admission
from swarmcore.cluster.asking import ask_to_create
from swarmcore.cluster.moves import NotMade, Stays
from swarmcore.cluster.placement import Placement
from swarmcore.cluster.renaming import free_stale_name
from swarmcore.cluster.tickets import Ticket
from swarmcore.config import ContainerConfig
from swarmcore.config.endpoints import divide_endpoints
from swarmcore.config.references import without_node
from swarmcore.engine import Engine
from swarmcore.errors import EngineError, EngineUnreachable, NotFound
from swarmcore.http.messages import Answer, Request, error_answer
from swarmcore.images import can_be_id, has_image, has_moved, is_called, normal_image, shown_image
from swarmcore.node import Node, find_image_source, image_test
from swarmcore.protocols import Carry, Placed

log = logging.getLogger(__name__)

_MISSING_IMAGE = re.compile("no such image|image with reference", re.IGNORECASE)
#: Failures that another node need not share, in the engines' words.
_NODE_FAULT = re.compile(
    "port is already allocated|address already in use|no space left on device"
    "|device or resource busy|input/output error|read-only file system|cannot allocate memory",
    re.IGNORECASE,
)
#: How soon after its 404 a client's pull begins; one that comes later is a pull of its own.
_PULL_SECONDS = 15.0


class Meaning(Enum):
    """What an engine's answer to a create means for us."""

    CREATED = auto()
    MISSING_IMAGE = auto()
    NODE_FAULT = auto()
    USER_FAULT = auto()


def read_meaning(answer: Answer) -> Meaning:
    """Whose matter an answer is: another node may do better only where it is this node's fault."""
    if answer.status == 201:
        return Meaning.CREATED
    if answer.status == 404 and _MISSING_IMAGE.search(answer.message):
        return Meaning.MISSING_IMAGE
    if answer.status >= 500 and _NODE_FAULT.search(answer.message):
        return Meaning.NODE_FAULT
    return Meaning.USER_FAULT


class Abandoned(Exception):
    """Nobody waits for the answer any more."""


class Creation:
    """One create, from the first placement to its end.

    Args:
        placement: shared by all creates.
        config: what the client asked for.
        request: who asks, and in which API version.
        carry: see ``protocols.Cluster.create_container``.
    """

    def __init__(
        self,
        placement: Placement,
        config: ContainerConfig,
        request: Request,
        carry: Carry | None = None,
    ) -> None:
        self._placement = placement
        self._config = config
        self._request = request
        self._carry = carry
        self._admission = Admission(placement, config, request.client.key)
        self._asked_name = config.name
        self._excluded: set[str] = set()
        #: The node that lacked the image first; where the pull will go.
        self._lacking: Node | None = None
        #: Whether the reservation outlives this create.
        self._kept = False
        self._abandoned = False
        self._waiting = trio.CancelScope()

    def abandon(self) -> None:
        """Whoever asked has gone: no engine is asked that was not asked yet."""
        self._abandoned = True
        self._waiting.cancel()

    async def run(self) -> Placed:
        """Create somewhere, or say why not; see ``protocols.Cluster.create_container``.

        Asks for leave before it decides, and again at the last moment before an engine is asked:
        connecting takes time, and so does a process that is stopped for a while.

        Must not be cancelled once an engine was asked: the caller sees to that.
        """
        await free_stale_name(self._placement, self._config.name)
        self._placement.permit()
        try:
            return await self._create_on(await self._admit())
        finally:
            if self._admission.node is not None and not self._kept:
                self._placement.reservations.end(self._admission.config.swarm_id)

    async def _admit(self) -> Node:
        """Reserve, after waiting for room where that was asked for.

        Raises:
            Abandoned: whoever asked has gone before.
        """
        with trio.CancelScope() as self._waiting:
            if not self._abandoned:
                node = await self._admission.reserve()
                self._config = self._admission.config
                return node
        raise Abandoned(f"whoever asked for {self._config.name} has gone")

    async def _create_on(self, node: Node) -> Placed:
        """Ask *node*, then other nodes as long as that may help."""
        while True:
            failure: EngineUnreachable | None = None
            answer = Answer(503)
            meaning = Meaning.NODE_FAULT
            try:
                await self._placement.moves.gather(self._config, node)
                answer = await self._ask(node)
                meaning = read_meaning(answer)
            except Stays as error:
                log.info("creating %s on %s is decided anew: %s", self._config.name, node.name,
                         error)  # fmt: skip
                node = self._place_anew()
                continue
            except NotMade as error:
                answer = error.answer
            except EngineUnreachable as error:
                if error.sent:
                    self._note_failure(node, str(error))
                    self._await_engine(exists=False)
                    raise
                # Should the engine be at work on it yet, what it makes is nobody's.
                self._placement.members.strays.give_up(self._config.swarm_id, node.id)
                failure = error
            match meaning:
                case Meaning.CREATED:
                    await self._settle(node, answer)
                case Meaning.NODE_FAULT | Meaning.MISSING_IMAGE:
                    if meaning is Meaning.NODE_FAULT:
                        self._note_failure(node, str(failure or answer.message))
                    other = self._move(node, with_image=meaning is Meaning.MISSING_IMAGE)
                    if other is not None:
                        log.info("creating %s on %s instead of %s", self._config.name,
                                 other.name, node.name)  # fmt: skip
                        node = other
                        continue
            if failure is not None:
                raise failure
            if meaning is Meaning.MISSING_IMAGE:
                self._wait_for_pull()
            return Placed(answer, node)

    # ---- deciding: nothing here awaits

    def _note_failure(self, node: Node, reason: str) -> None:
        """Creating failed on *node* for a reason that is the node's: say so, and remember it."""
        placement, config = self._placement, self._config
        log.warning("creating %s on %s failed: %s", config.name, node.name, reason)
        placement.scheduler.note_failure(node)
        placement.decisions.note_failure(config.swarm_id, node.name, f"the create failed: {reason}")

    def _move(self, node: Node, *, with_image: bool) -> Node | None:
        """Give *node* up for another, if there is one that may do better, and reserve there."""
        placement = self._placement
        if with_image and self._lacking is None:
            self._lacking = node
        self._excluded.add(node.id)
        placement.reservations.end(self._config.swarm_id)
        # Under classic's defaults no alternate is tried, but a node that has the image is.
        most = max(placement.alternates, 1) if with_image else placement.alternates
        if len(self._excluded) > most:
            return None
        self._config = placement.inform(self._config)
        others = [other for other in placement.nodes() if other.id not in self._excluded]
        if with_image:
            others = [other for other in others if has_image(other, self._config.image)]
        found = placement.place_if_any(self._config, others, "alternate")
        if found is not None:
            placement.reserve(self._config, found)
        return found

    def _place_anew(self) -> Node:
        """Decide again, because something that was to follow stays where it is.

        Raises:
            NoNodeFits: without that no node does.
        """
        placement = self._placement
        placement.reservations.end(self._config.swarm_id)
        self._config = placement.inform(self._config)
        others = [other for other in placement.nodes() if other.id not in self._excluded]
        node = placement.place(self._config, others, "alternate")
        placement.reserve(self._config, node)
        return node

    def _wait_for_pull(self) -> None:
        """Keep the claim where the pull will go, and remember who will come back to it.

        Until the pull begins, that is for a moment only: not every client pulls.
        """
        placement, node = self._placement, self._lacking
        if node is None or placement.scheduler.decide(self._config, [node]).error is not None:
            return
        reservation = placement.reservations.make(self._config, node)
        placement.reservations.free_name(reservation.id)
        expires = self._keep(_PULL_SECONDS)
        ticket = Ticket(
            client=self._request.client.key,
            image=normal_image(self._config.image),
            name=self._asked_name,
            node_id=node.id,
            reservation=reservation.id,
            pull_by=expires,
            expires=expires,
        )
        for surplus in placement.tickets.put(ticket):
            placement.reservations.end(surplus.reservation)

    def _keep(self, seconds: float) -> float:
        """Leave the reservation behind for a while; returns until when."""
        self._kept = True
        expires = trio.current_time() + seconds
        self._placement.reservations.keep_until(self._config.swarm_id, expires)
        return expires

    def _await_engine(self, *, exists: bool) -> None:
        """Leave the reservation behind until the engine shows the container that it may have."""
        self._kept = True
        now = trio.current_time()
        self._placement.reservations.await_engine(self._config.swarm_id, now, exists=exists)

    # ---- asking

    async def _ask(self, node: Node) -> Answer:
        """Have *node*'s engine create, once the image is there where another engine can give it.

        Of an image name that moved away there it has no image.

        Raises:
            EngineUnreachable: it did not; ``sent`` when nobody knows.
        """
        members = self._placement.members
        try:
            engine = members.by_node(node.id)
        except NotFound:
            raise EngineUnreachable(node.name, f"engine {node.name} has left") from None
        version = self._request.version or members.roll.api_version
        missing = error_answer(404, f"No such image: {shown_image(self._config.image)}")
        if not await self._bring_image(node):
            return missing
        await self._wait_for_turn(node)
        try:
            for image in (self._config.image, *self._config.mounted_images):
                if self._means_another(node, image):
                    return error_answer(404, f"No such image: {shown_image(image)}")
            return await ask_to_create(engine, self._config, version, self._placement.permit)
        finally:
            self._placement.turns.give_back(node.id)

    def _means_another(self, node: Node, image: str) -> bool:
        """Whether *node*'s engine would take another image for the one that is meant.

        The name was given anew elsewhere, or it has a name's digits at the beginning of an id while
        another node has the name.
        """
        if has_moved(node, image):
            return True
        if not can_be_id(image) or is_called(node, image):
            return False
        return any(is_called(other, image) for other in self._placement.nodes())

    async def _bring_image(self, node: Node) -> bool:
        """Have the image carried to *node* where that lacks it and another can give it.

        Returns:
            Whether *node* is to be asked: ``False`` where carrying failed.

        Raises:
            Abandoned: whoever asked has gone before.
        """
        placement, image = self._placement, self._config.image
        if self._carry is None or image_test(image)(node):
            return True
        source = find_image_source(image, node, placement.nodes())
        if source is None:
            return True
        with trio.CancelScope() as self._waiting:
            if not self._abandoned:
                try:
                    await self._carry(image, source, node)
                except EngineError as error:
                    placement.note_failed_carrying(self._config, source, node, error)
                    return False
                return True
        raise Abandoned(f"whoever asked for {self._config.name} has gone")

    async def _wait_for_turn(self, node: Node) -> None:
        """Wait until *node*'s engine has few enough creates under way.

        Raises:
            Abandoned: whoever asked has gone before.
        """
        with trio.CancelScope() as self._waiting:
            if not self._abandoned:
                await self._placement.turns.take(node.id)
                return
        raise Abandoned(f"whoever asked for {self._config.name} has gone")

    async def _settle(self, node: Node, answer: Answer) -> None:
        """Make the cache show the container before the client hears of it."""
        try:
            id, engine = str(answer.json()["Id"]), self._placement.members.by_node(node.id)
        except (NotFound, ValueError, KeyError, TypeError) as error:
            log.warning("engine %s created %s, reading it failed: %r", node.name,
                        self._config.name, error)  # fmt: skip
            self._await_engine(exists=True)
        else:
            await self._settle_on(engine, id)
        self._placement.listener.container_placed(self._config, node)

    async def _settle_on(self, engine: Engine, id: str) -> None:
        config, node = self._config, engine.node
        named = [without_node(name, node) for name in config.volumes]
        version = self._request.version or self._placement.members.roll.api_version
        later = divide_endpoints(config.body_for(node), node, version)[1]
        try:
            await engine.settle_created(id, named, is_complete=not later)
            if config.links:
                await engine.refresh_containers()  # what is linked has one more name
        except EngineError as error:
            log.warning(
                "engine %s created %s, reading it failed: %s", node.name, config.name, error
            )
            if id not in node.containers:
                engine.acknowledge(created_container(id, config, node, time.time()))
