"""Fake engines: they answer a manager's requests so fast that the manager is what is measured.

Each process runs many engines, each on its own loopback port, in one loop over epoll.  Answers are
bytes that are prepared in advance, or are put together from such bytes.  ``farm`` starts the
processes, ``server`` is their loop, ``engine`` is one engine, ``documents`` has its JSON, and
``bodies`` its streams.
"""

from benchmarks.fake_engines.farm import Farm

__all__ = ["Farm"]
