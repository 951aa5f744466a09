"""Pull tickets: where a client's pull must go, and where its create will come back to.

A create whose image its node lacks answers 404; the client pulls, with its own credentials, and
creates again.  The ticket ties the three together.  Pure: times come as arguments.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from swarmcore.images import normal_image

#: Creates of clients that pull at the same time, by far.
_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Ticket:
    """One create that waits for a pull.

    Attributes:
        client: the client's key.
        image: normalised.
        name: as the client gave it; empty when it left the name to us.
        node_id: where the create was placed.
        reservation: id of the reservation that keeps its claim there.
        pull_by: trio time until which a pull belongs to this create.  Clients pull as soon as they
            have the 404; a later pull is one of its own.
        expires: trio time until which the create may come back.
    """

    client: str
    image: str
    name: str
    node_id: str
    reservation: str
    pull_by: float
    expires: float


class Tickets:
    """All tickets, oldest first.

    Args:
        limit: how many are kept at once; beyond that the oldest goes.
    """

    def __init__(self, limit: int = _LIMIT) -> None:
        self._limit = limit
        self._tickets: dict[str, Ticket] = {}

    def __len__(self) -> int:
        return len(self._tickets)

    def put(self, ticket: Ticket) -> list[Ticket]:
        """Keep *ticket*; returns those that had to go for it."""
        self._tickets[ticket.reservation] = ticket
        surplus = list(self._tickets.values())[: max(len(self._tickets) - self._limit, 0)]
        for old in surplus:
            del self._tickets[old.reservation]
        return surplus

    def take(
        self, client: str, image: str, name: str, is_pulled: Callable[[Ticket], bool]
    ) -> Ticket | None:
        """The ticket that a create comes back with, oldest first; it is used up.

        Args:
            client: the client's key.
            image: as the client named it.
            name: as the client gave it.  Without one, creates that are still waiting for their
                pulls look the same as one that comes back, so only a pulled image tells.
            is_pulled: whether the ticket's node has the image by now.
        """
        for ticket in self.of(client, image):
            if ticket.name == name and (name or is_pulled(ticket)):
                return self._tickets.pop(ticket.reservation)
        return None

    def of(self, client: str, image: str | None = None) -> Iterator[Ticket]:
        """A client's tickets, of one image or of all."""
        wanted = None if image is None else normal_image(image)
        for ticket in list(self._tickets.values()):
            if ticket.client == client and wanted in (None, ticket.image):
                yield ticket

    def renew(self, ticket: Ticket, expires: float) -> None:
        """The create of *ticket* may come back until *expires* (trio time)."""
        self._tickets[ticket.reservation] = replace(ticket, expires=expires)

    def void(self, client: str, image: str) -> list[Ticket]:
        """Nobody will come back for *image*: its pull failed; returns what was voided."""
        voided = list(self.of(client, image))
        for ticket in voided:
            del self._tickets[ticket.reservation]
        return voided

    def expire(self, now: float) -> None:
        """Forget those whose time (trio's) has passed; their reservations expire by themselves."""
        for ticket in list(self._tickets.values()):
            if ticket.expires <= now:
                del self._tickets[ticket.reservation]
