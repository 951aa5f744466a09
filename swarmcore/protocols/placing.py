"""Placing containers, networks and volumes on engines, as API plugins use it."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from swarmcore.container_config import ContainerConfig
from swarmcore.http.messages import Answer, Request
from swarmcore.model import Claim, Container
from swarmcore.node import Node
from swarmcore.protocols.decisions import Explanation
from swarmcore.protocols.engines import Engine


@dataclass(frozen=True, slots=True)
class Placed:
    """A created container: the engine's answer and the node that holds the container."""

    answer: Answer
    node: Node


#: Copies an image to another node; called with the image name, the source and the target node.
Carry = Callable[[str, Node, Node], Awaitable[None]]


class Placing(Protocol):
    """Choosing engines, creating containers on them, and reserving resources meanwhile."""

    async def create_container(
        self, config: ContainerConfig, request: Request, carry: Carry | None = None
    ) -> Placed:
        """Place and create a container.  A failure of one node leads to the next candidate.

        Args:
            config: the container's configuration.
            request: the client's request: its identity and API version.
            carry: copies an image to the chosen node if that node lacks it and another node has it;
                may raise ``EngineError``.  The create continues on the same node with the same
                reservation.

        Returns:
            The engine's answer: 201, or an error that the client's request caused.

        Raises:
            Conflict: the name is taken.
            BadRequest: an expression is malformed.
            NoNodeFits: no node can take the container; the text gives the reasons.
            NotPrimary: another manager leads.
        """
        ...

    async def explain_container(self, config: ContainerConfig) -> Explanation:
        """Say where ``create_container`` would place a container now, and why.

        Nothing is created or reserved.  Claims that are held for a pull count as taken, including
        those of the same client.

        Raises:
            Conflict: the name is taken.
            BadRequest: an expression is malformed.
        """
        ...

    async def rename_container(self, container: Container, name: str, request: Request) -> Answer:
        """Rename a container; the new name is reserved until the engine has answered.

        Raises:
            Conflict: the name is taken.
        """
        ...

    def choose(self, config: ContainerConfig, engines: Sequence[Engine] | None = None) -> Engine:
        """Choose the engine for a network or a volume, by the same rules as for a container.

        Use it together with ``expecting``.

        Args:
            config: holds the labels and constraints that placement evaluates.
            engines: the engines to choose from; ``None``: every registered engine.

        Raises:
            NoNodeFits: no engine fits; the text gives the reasons.
            BadRequest: an expression is malformed.
        """
        ...

    def expecting(
        self, config: ContainerConfig, engine: Engine, linger: float = 0
    ) -> AbstractContextManager[None]:
        """Count a network or a volume as a container of *engine* while the block runs.

        An object that is being created is not yet in the engine's lists; concurrent decisions must
        still take it into account.

        Args:
            config: the config that ``choose`` was called with; its ``volumes`` name the volumes
                that will exist.
            engine: the engine that creates the object.
            linger: seconds for which the object still counts after the block.
        """
        ...

    def growing(self, container: Container, claim: Claim) -> AbstractContextManager[None]:
        """Reserve the additional memory and CPUs of an update while the block runs.

        Args:
            container: the container that is updated.  If it shrinks, nothing more is reserved.
            claim: the resources of the container after the update.

        Raises:
            Conflict: the node has not enough free resources.
        """
        ...

    def bringing(
        self, networks: Sequence[str], engine: Engine
    ) -> AbstractAsyncContextManager[None]:
        """Move unused networks to *engine*, for a container of that engine.

        Networks that are in use stay where they are.  A moved network gets a new id, so look it up
        again inside the block.  While the block runs, the networks move nowhere else.

        Args:
            networks: names or ids, as in ``ContainerConfig.networks``.
            engine: the engine that holds the container.

        Raises:
            EngineError: *engine* refuses to create a network; has its status and message.
        """
        ...

    def turn(self, engine: Engine) -> AbstractAsyncContextManager[None]:
        """Take a slot for starting something on *engine*; waits while ``swarm.starts`` starts are
        under way there.  ``create_container`` takes its own slot."""
        ...
