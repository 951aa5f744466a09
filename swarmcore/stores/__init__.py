"""What stores have in common: where things are kept, how a list is followed, who leads."""

from swarmcore.stores.campaign import Seat, SeatElection, Session
from swarmcore.stores.following import (
    Report,
    Seen,
    StoreError,
    bare_reason,
    follow,
    poll,
    still_in_force,
)
from swarmcore.stores.guard import SessionLost
from swarmcore.stores.location import (
    Location,
    describe_entry,
    parse_location,
    read_entries,
    read_label,
    read_tls,
)
from swarmcore.stores.patience import Patience
from swarmcore.stores.securing import store_context

__all__ = [
    "Location",
    "Patience",
    "Report",
    "Seat",
    "SeatElection",
    "Seen",
    "Session",
    "SessionLost",
    "StoreError",
    "bare_reason",
    "describe_entry",
    "follow",
    "parse_location",
    "poll",
    "read_entries",
    "read_label",
    "read_tls",
    "still_in_force",
    "store_context",
]
