"""The load generator: one process that asks by plain sockets over epoll, as cheaply as it can.

``generator`` is the handle of the process, ``process`` its main loop.  ``conversation`` drives many
clients that each wait for an answer before they ask again, ``scripts`` are what they ask;
``streams`` moves bytes, ``events`` listens.
"""

from benchmarks.load.generator import Generator, LoadFailed

__all__ = ["Generator", "LoadFailed"]
