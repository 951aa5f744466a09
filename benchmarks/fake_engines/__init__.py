"""Fake engines: they answer what a manager asks, fast enough that the manager is what is measured.

Each process holds many engines, each on a port of its own on loopback, in one loop over epoll.
Answers are bytes that were made before, or are put together from such bytes.  ``farm`` starts the
processes; ``server`` is their loop, ``engine`` one engine, ``documents`` its JSON, ``bodies`` what
streams.
"""

from benchmarks.fake_engines.farm import Farm

__all__ = ["Farm"]
