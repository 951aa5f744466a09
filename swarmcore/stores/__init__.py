"""Common parts of stores: locations, following a list of engines, leader election.

``stores.http``, the HTTP client for stores, is imported from its own module.
"""

from swarmcore.stores.doubted_lists import Patience
from swarmcore.stores.election import Seat, SeatElection, Session, SessionLost
from swarmcore.stores.key_election import Holder, KeyElection, LeaderKey
from swarmcore.stores.location import (
    Location,
    describe_entry,
    parse_location,
    read_entries,
    read_label,
    read_tls,
)
from swarmcore.stores.settings import ElectionWithSettings
from swarmcore.stores.watching import (
    Report,
    Seen,
    StoreError,
    bare_reason,
    follow,
    poll,
    still_in_force,
)

__all__ = [
    "ElectionWithSettings",
    "Holder",
    "KeyElection",
    "LeaderKey",
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
]
