"""One create, from its request to its end: engines are asked, one after the other.

``admission`` decides and reserves; here the engine of the chosen node is asked, its answer read,
and the next node tried where the failure is the node's.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

from swarmcore.cluster.placement.admission import Admission
from swarmcore.cluster.placement.engine_create import Meaning, ask_to_create, read_meaning, settle
from swarmcore.cluster.placement.placement import Placement
from swarmcore.cluster.placement.relocation import CannotMove, CannotRecreate
from swarmcore.cluster.rename import free_stale_name
from swarmcore.container_config import ContainerConfig
from swarmcore.errors import EngineError, EngineUnreachable, NotFound
from swarmcore.http.messages import Answer, Request, error_answer
from swarmcore.images import can_be_id, has_moved, is_called, shown_image
from swarmcore.node import Node, find_image_source, image_test
from swarmcore.protocols import Carry, Placed
from swarmcore.versions import ApiVersion

log = logging.getLogger(__name__)

T = TypeVar("T")


class Abandoned(Exception):
    """The client has gone: nobody waits for the answer any more."""


class Create:
    """One create, from the first placement to its end.

    Args:
        placement: shared by all creates.
        config: what the client asked for.
        request: the client's, with its API version.
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
        self._request = request
        self._carry = carry
        self._admission = Admission(placement, config, request.client.key)
        self._is_abandoned = False
        self._waiting = trio.CancelScope()

    @property
    def _config(self) -> ContainerConfig:
        """What was asked for, as the last decision knows it."""
        return self._admission.config

    def abandon(self) -> None:
        """The client has gone: no engine is asked that was not asked yet."""
        self._is_abandoned = True
        self._waiting.cancel()

    async def run(self) -> Placed:
        """Create somewhere, or say why not; see ``protocols.Cluster.create_container``.

        Asks whether this manager may place before it decides, and again at the last moment before
        an engine is asked: connecting takes time, and so does a process that is stopped for a
        while.

        Must not be cancelled once an engine was asked: the caller sees to that.
        """
        await free_stale_name(self._placement, self._config.name)
        self._placement.permit()
        try:
            return await self._create_on(await self._unless_abandoned(self._admission.admit))
        finally:
            self._admission.end()

    async def _unless_abandoned(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do *work*, which ends when the client goes.

        Raises:
            Abandoned: the client has gone.
        """
        with trio.CancelScope() as self._waiting:
            if not self._is_abandoned:
                return await work()
        raise Abandoned(f"whoever asked for {self._config.name} has gone")

    async def _create_on(self, node: Node) -> Placed:
        """Ask *node*, then other nodes as long as that may help."""
        while True:
            failure: EngineUnreachable | None = None
            answer = Answer(503)
            meaning = Meaning.NODE_FAULT
            try:
                await self._placement.relocation.gather(self._config, node)
                answer = await self._ask(node)
                meaning = read_meaning(answer)
            except CannotMove as error:
                log.info("creating %s on %s is decided anew: %s", self._config.name, node.name,
                         error)  # fmt: skip
                node = self._admission.place_anew()
                continue
            except CannotRecreate as error:
                answer = error.answer
            except EngineUnreachable as error:
                if error.sent:
                    self._note_failure(node, str(error))
                    self._admission.await_engine(exists=False)
                    raise
                # The engine may be at work on it yet: nobody wants what it makes.
                self._placement.members.orphans.abandon(self._config.swarm_id, node.id)
                failure = error
            match meaning:
                case Meaning.CREATED:
                    await self._settle(node, answer)
                case Meaning.NODE_FAULT | Meaning.MISSING_IMAGE:
                    if meaning is Meaning.NODE_FAULT:
                        self._note_failure(node, str(failure or answer.message))
                    other = self._admission.move(node, with_image=meaning is Meaning.MISSING_IMAGE)
                    if other is not None:
                        log.info("creating %s on %s instead of %s", self._config.name,
                                 other.name, node.name)  # fmt: skip
                        node = other
                        continue
            if failure is not None:
                raise failure
            if meaning is Meaning.MISSING_IMAGE:
                self._admission.await_pull()
            return Placed(answer, node)

    def _note_failure(self, node: Node, reason: str) -> None:
        """Creating failed on *node* for a reason that is the node's: say so, and remember it."""
        placement, config = self._placement, self._config
        log.warning("creating %s on %s failed: %s", config.name, node.name, reason)
        placement.scheduler.note_failure(node)
        placement.decisions.note_failure(config.swarm_id, node.name, f"the create failed: {reason}")

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
        if not await self._bring_image(node):
            return error_answer(404, f"No such image: {shown_image(self._config.image)}")
        slots = self._placement.slots
        await self._unless_abandoned(lambda: slots.acquire(node.id))
        try:
            for image in (self._config.image, *self._config.mounted_images):
                if self._means_another(node, image):
                    return error_answer(404, f"No such image: {shown_image(image)}")
            return await ask_to_create(engine, self._config, self._version, self._placement.permit)
        finally:
            slots.release(node.id)

    @property
    def _version(self) -> ApiVersion:
        """The client's API version."""
        return self._request.version or self._placement.members.snapshot.api_version

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
            Abandoned: the client has gone before.
        """
        placement, config, carry = self._placement, self._config, self._carry
        if carry is None or image_test(config.image)(node):
            return True
        source = find_image_source(config.image, node, placement.nodes())
        if source is None:
            return True
        try:
            await self._unless_abandoned(lambda: carry(config.image, source, node))
        except EngineError as error:
            placement.note_failed_carrying(config, source, node, error)
            return False
        return True

    async def _settle(self, node: Node, answer: Answer) -> None:
        """Make the cache show the container before the client hears of it."""
        is_known = False
        try:
            engine = self._placement.members.by_node(node.id)
            is_known = await settle(engine, self._config, self._version, answer)
        except NotFound as error:
            log.warning("engine %s created %s, reading it failed: %r", node.name,
                        self._config.name, error)  # fmt: skip
        if not is_known:
            self._admission.await_engine(exists=True)
        self._placement.listener.container_placed(self._config, node)
