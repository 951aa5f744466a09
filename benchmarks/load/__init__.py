"""The load generator: one process with plain sockets over epoll, with as little work as possible.

``generator`` is the handle of the process, and ``process`` its main loop.  ``conversation`` runs
many clients that each wait for an answer before the next request, and ``scripts`` has their
requests.  ``streams`` transfers bytes, and ``events`` listens to events.
"""

from benchmarks.load.generator import Generator, LoadFailed

__all__ = ["Generator", "LoadFailed"]
