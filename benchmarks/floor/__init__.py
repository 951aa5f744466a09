"""What this machine can do at best: servers that do the least, and a proxy known to be fast.

``servers`` are in trio, as the manager is; ``haproxy`` starts Debian's HAProxy.
"""

from benchmarks.floor.starting import start_floors

__all__ = ["start_floors"]
