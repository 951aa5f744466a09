"""One create, from the client's request to the answer.

``admission`` decides and reserves.  This module asks the engine of the chosen node, reads its
answer, and tries the next node if the failure was caused by the node.
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
from swarmcore.errors import EngineError, EngineUnreachable, NotFound, SwarmError
from swarmcore.http.messages import Answer, Request, error_answer
from swarmcore.images import can_be_id, has_moved, is_called, shown_image
from swarmcore.node import Node, find_image_source, image_test
from swarmcore.protocols import Carry, Placed
from swarmcore.versions import ApiVersion

log = logging.getLogger(__name__)

T = TypeVar("T")


class Abandoned(Exception):
    """The client has disconnected, so the create is given up."""


class Create:
    """One create, from the first decision to its end.

    Args:
        placement: shared by all creates.
        config: the configuration that the client sent.
        request: the client's request, with its API version.
        carry: copies images between nodes; see ``protocols.Cluster.create_container``.
        permit: called just before an engine is asked, after the check of leadership; its exceptions
            end the create.
        prepare: called with the chosen node before its engine is asked.
    """

    def __init__(
        self,
        placement: Placement,
        config: ContainerConfig,
        request: Request,
        carry: Carry | None = None,
        permit: Callable[[], None] = lambda: None,
        prepare: Callable[[Node], Awaitable[None]] | None = None,
    ) -> None:
        self._placement = placement
        self._prepare = prepare
        self._permit_more = permit
        self._request = request
        self._carry = carry
        self._admission = Admission(placement, config, request.client.key)
        self._is_abandoned = False
        self._waiting = trio.CancelScope()

    @property
    def _config(self) -> ContainerConfig:
        """The configuration, completed at the last decision."""
        return self._admission.config

    def abandon(self) -> None:
        """Give the create up: the client has disconnected.  No further engine is asked."""
        self._is_abandoned = True
        self._waiting.cancel()

    async def run(self) -> Placed:
        """Create the container on some node; see ``protocols.Cluster.create_container``.

        Leadership is checked before the decision and again just before the request is sent to the
        engine: connecting takes time, and the process may have been stopped meanwhile.

        Must not be cancelled once an engine has been asked; the caller ensures that.
        """
        if not self._config.copies:  # otherwise its engine may be lost and not answer
            await free_stale_name(self._placement, self._config.name)
        self._placement.permit()
        began = trio.current_time()
        try:
            placed = await self._create_on(await self._unless_abandoned(self._admission.admit))
        except SwarmError as error:
            log.info("refused %s (%s): %s", self._config.name, self._config.image, error)
            raise
        finally:
            self._admission.end()
        self._log_end(placed, trio.current_time() - began)
        return placed

    def _log_end(self, placed: Placed, seconds: float) -> None:
        config, answer, record = self._config, placed.answer, self._admission.record
        if answer.status == 201 and record is not None:
            log.info("created %s (%s) on %s, which %d of %d nodes could take, in %.0f ms",
                     config.name, config.image, placed.node.name, record.fitting, record.asked,
                     seconds * 1000)  # fmt: skip
        else:
            log.info("%s refused %s (%s) with status %d: %s", placed.node.name, config.name,
                     config.image, answer.status, answer.message)  # fmt: skip

    async def _unless_abandoned(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run *work*; cancel it if the client disconnects.

        Raises:
            Abandoned: the client has disconnected.
        """
        with trio.CancelScope() as self._waiting:
            if not self._is_abandoned:
                return await work()
        raise Abandoned(f"the client that asked for container {self._config.name} has disconnected")

    async def _create_on(self, node: Node) -> Placed:
        """Ask *node*, then other nodes while they may succeed."""
        while True:
            failure: EngineUnreachable | None = None
            answer = Answer(503)
            meaning = Meaning.NODE_FAULT
            try:
                await self._placement.relocation.gather(self._config, node)
                if self._prepare is not None:
                    await self._prepare(node)
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
                # The engine may still be working on it: if it makes a container, remove it.
                self._placement.members.orphans.abandon(self._config.swarm_id, node.id)
                failure = error
            match meaning:
                case Meaning.CREATED:
                    await self._settle(node, answer)
                case Meaning.NODE_FAULT | Meaning.MISSING_IMAGE:
                    why = str(failure or answer.message)
                    is_missing = meaning is Meaning.MISSING_IMAGE
                    if not is_missing:
                        self._note_failure(node, why)
                    why = f"the create failed on {node.name}: {why}"
                    other = self._admission.move(node, why, with_image=is_missing)
                    if other is not None:
                        log.info("creating %s on %s instead of %s", self._config.name,
                                 other.name, node.name)  # fmt: skip
                        node = other
                        continue
                case Meaning.USER_FAULT:
                    text = f"the engine refused the create: {answer.message}"
                    self._placement.decisions.note_failure(self._config.swarm_id, node.name, text)
            if failure is not None:
                raise failure
            if meaning is Meaning.MISSING_IMAGE:
                self._admission.await_pull()
            return Placed(answer, node)

    def _note_failure(self, node: Node, reason: str) -> None:
        """Log and remember that creating failed on *node* for a reason of the node."""
        placement, config = self._placement, self._config
        log.warning("creating %s on %s failed: %s", config.name, node.name, reason)
        placement.scheduler.note_failure(node)
        placement.decisions.note_failure(config.swarm_id, node.name, f"the create failed: {reason}")

    # ---- asking an engine

    async def _ask(self, node: Node) -> Answer:
        """Ask *node*'s engine to create; copy the image there first if another node can give it.

        An image whose name has moved away on the node counts as missing.

        Raises:
            EngineUnreachable: the engine did not answer; ``sent`` if the outcome is unknown.
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
            return await ask_to_create(engine, self._config, self._version, self._permit)
        finally:
            slots.release(node.id)

    def _permit(self) -> None:
        self._placement.permit()
        self._permit_more()

    @property
    def _version(self) -> ApiVersion:
        """The client's API version."""
        return self._request.version or self._placement.members.snapshot.api_version

    def _means_another(self, node: Node, image: str) -> bool:
        """Whether *node*'s engine would resolve *image* to another image than the current one.

        That is so if the name was given to another image elsewhere, or if *image* looks like an id
        prefix and is an image name on other nodes only.
        """
        if has_moved(node, image):
            return True
        if not can_be_id(image) or is_called(node, image):
            return False
        return any(is_called(other, image) for other in self._placement.nodes())

    async def _bring_image(self, node: Node) -> bool:
        """Copy the image to *node* if the node lacks it and another node can give it.

        Returns:
            Whether *node* should be asked to create: ``False`` if copying failed.

        Raises:
            Abandoned: the client has disconnected.
        """
        placement, config, carry = self._placement, self._config, self._carry
        if carry is None or image_test(config.image)(node):
            return True
        holders = placement.scheduler.holders(config.image, placement.nodes())
        source = find_image_source(config.image, node, holders)
        if source is None:
            return True
        try:
            await self._unless_abandoned(lambda: carry(config.image, source, node))
        except EngineError as error:
            placement.note_failed_carrying(config, source, node, error)
            return False
        return True

    async def _settle(self, node: Node, answer: Answer) -> None:
        """Wait until the cache shows the new container, before the client gets the answer."""
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
