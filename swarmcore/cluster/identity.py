"""This manager's own identity."""

import hashlib
from pathlib import Path

_MACHINE_ID = Path("/etc/machine-id")


def identify(host_name: str) -> str:
    """An id that a restart on the same machine finds again without having stored it."""
    try:
        machine = _MACHINE_ID.read_text().strip()
    except OSError:
        machine = ""
    return hashlib.sha256(f"swarmcore {machine} {host_name}".encode()).hexdigest()
