"""What the key-value stores have in common: where things are kept, how a list is followed."""

from swarmcore.stores.following import Report, StoreError, follow
from swarmcore.stores.location import Location, describe_entry, parse_location, read_entries
from swarmcore.stores.securing import store_context

__all__ = [
    "Location",
    "Report",
    "StoreError",
    "describe_entry",
    "follow",
    "parse_location",
    "read_entries",
    "store_context",
]
