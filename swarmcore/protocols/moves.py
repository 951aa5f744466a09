"""Moving containers to other nodes, as plugins use it."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from swarmcore.http.messages import Client
from swarmcore.model import Container
from swarmcore.protocols.placing import Carry, Placed

#: State of a move: under way, done, or failed so that the container stays where it is.
MoveState = Literal["moving", "moved", "failed"]


@dataclass(frozen=True, slots=True)
class MoveRecord:
    """The latest move of one container.

    Attributes:
        id: full id of the original.
        name: the container's name.
        source: name of the node that it leaves.
        source_id: id of that node.
        target: name of the node of the copy; empty if there is none yet.
        copy_id: full id of the copy; empty if there is none yet.
        state: see ``MoveState``.
        error: why the last attempt failed; empty otherwise.
        attempts: the number of attempts so far.
        time: Unix seconds of the last change.
    """

    id: str
    name: str
    source: str
    source_id: str = ""
    target: str = ""
    copy_id: str = ""
    state: MoveState = "moving"
    error: str = ""
    attempts: int = 1
    time: float = 0.0


class Moves(Protocol):
    """Moves containers, and tells of moves."""

    async def move(self, container: Container, carry: Carry | None = None) -> Placed:
        """Create a copy of *container* on another node, and start it if *container* was running.

        The copy has the same name, swarm id, labels, image and networks, and is placed by all
        rules.  A container of a lost engine is fenced first (``swarmcore_fence``); its engine
        removes the original before it counts as healthy again.  A container of a healthy engine,
        whose node must be drained, is stopped just before the copy is started, and removed then.
        Volumes are never removed.

        Args:
            container: any container of a registered engine.
            carry: copies its image; see ``create_container``.

        Returns:
            The engine's answer to the create, and the node.  If its status is not 201, nothing has
            changed; 404 means that the image has to be pulled for ``move_client``.

        Raises:
            Conflict: it must not be moved now: it is being moved, a client changes it, its engine
                has come back, or volumes with a local driver would stay behind; the text says
                which.
            NoNodeFits: no other node can take it; the text gives the reasons.
            EngineError: an engine failed; the container stays where it is.
            NotPrimary: another manager leads.
        """
        ...

    async def wait_ended(self, container: Container) -> bool:
        """Wait while *container* is being moved.

        Returns:
            Whether it was being moved, so that it has to be looked up again.
        """
        ...

    def holding(self, container: Container) -> AbstractContextManager[None]:
        """Do not move *container* from a healthy engine while the block runs.

        For a request that changes it: the copy of a move would not have the change.
        """
        ...

    async def finish_interrupted(self) -> None:
        """Leave one of the two containers of each move that another manager did not finish.

        A copy is removed if its original still runs, and started otherwise; failures are logged.
        """
        ...

    def interrupted(self) -> Collection[str]:
        """The ids of the containers whose copies were never started, and that nobody moves now.

        A copy may appear late: an engine carries out a create whose client has gone.
        """
        ...

    def latest(self) -> Sequence[MoveRecord]:
        """The latest moves, newest first; the manager keeps a thousand."""
        ...

    def unfinished(self) -> Sequence[MoveRecord]:
        """The latest moves that are under way, and those that failed while the container's node is
        still lost or to be emptied; newest first."""
        ...

    def counts(self) -> Mapping[MoveState, int]:
        """How many attempts ended as ``moved`` or ``failed`` since the start."""
        ...


#: Makes sure that no container of an engine runs any more; raises an exception if it cannot.
Fence = Callable[[], Awaitable[None]]


def move_client(container: Container) -> Client:
    """The client of a move, for which the container's image is pulled; see ``Pulls``."""
    return Client(f"move of {container.id}")
