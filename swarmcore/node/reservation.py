"""A placement that no engine shows yet."""

from collections.abc import Mapping
from dataclasses import dataclass

from swarmcore.model import Claim
from swarmcore.node.belongings import Thing


@dataclass(frozen=True, slots=True, eq=False)
class Reservation:
    """A placement that the engine does not show yet: of a container, a network or a volume.

    Attributes:
        id: the container's swarm id.
        name: the container name it holds, without slash; empty for what is no container.
        node_id: where.
        image: what it will run, as the client named it; empty for what is no container.
        claim: what it takes.
        labels: its labels, for affinity.
        expires: trio time after which it is void.
        volumes: names of volumes that there will be.
        networks: names and ids of networks that it will be on.
    """

    id: str
    name: str
    node_id: str
    image: str
    claim: Claim
    labels: Mapping[str, str]
    expires: float
    volumes: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()

    @property
    def words(self) -> set[str]:
        """What it answers to: its swarm id, also the short one, and its name."""
        return {self.id, self.id[:12], self.name} - {""}

    @property
    def called(self) -> str:
        """What refusals call it: its name, or its short id."""
        return self.name or self.id[:12]

    @property
    def things(self) -> frozenset[Thing]:
        """The networks and volumes that its container will use."""
        volumes: tuple[Thing, ...] = tuple(("volume", name) for name in self.volumes if self.image)
        return frozenset((*volumes, *(("network", word) for word in self.networks)))
