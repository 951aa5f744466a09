"""The limits of this machine: servers that do as little as possible, and a fast proxy.

``servers`` use trio, as the manager does; ``haproxy`` starts Debian's HAProxy.
"""

from benchmarks.floor.starting import start_floors

__all__ = ["start_floors"]
