"""Settings of the manager's process: open files, the garbage collector, and unused memory."""

import ctypes
import gc
import logging
import resource
from collections.abc import Callable

import trio

from swarmcore.threads import in_thread

log = logging.getLogger(__name__)

#: Enough for a thousand clients that follow logs, with two connections each.
_ENOUGH = 4096
#: New objects, and collections of the younger generation, after which a generation is collected.
_COLLECT_AFTER = (50_000, 10, 10)
#: Interval of looking for unused memory, and how much of it is worth returning.
_LOOK_SECONDS = 10.0
_MUCH_BYTES = 16 << 20


def raise_descriptor_limit() -> None:
    """Raise the soft limit of open files to the hard limit, as Go programs do.

    Logs a warning if the limit is low; does nothing if it cannot be raised.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError) as error:
            log.warning("the limit of open files stays %d: cannot raise it to %d: %s",
                        soft, hard, error)  # fmt: skip
            return
        log.debug("raised the limit of open files from %d to %d", soft, hard)
    if 0 <= hard < _ENOUGH:
        log.warning(
            "the limit of open files is %d: of more than %d connections, idle ones are closed, and "
            "clients with requests may have to wait; raise the hard limit (ulimit -Hn, "
            "LimitNOFILE=)",
            hard, hard // 2,
        )  # fmt: skip


def relax_garbage_collection() -> None:
    """Collect garbage less often, and never visit what the start has made.

    What is known of thousands of containers is millions of objects that stay.  By default one large
    request lets Python visit all of them, which keeps every other request waiting.  Reference
    counts free nearly everything without the collector.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


class _MallInfo(ctypes.Structure):
    """The C library's ``struct mallinfo2``; see mallinfo(3)."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


class UnusedMemory:
    """Gives memory back that large requests or answers have used.

    glibc keeps freed memory for later: after ten creates with bodies of 4 MB, a manager kept 200 MB
    that it did not use.  Does nothing with a C library without these functions.
    """

    def __init__(self) -> None:
        libc = ctypes.CDLL(None)
        self._can = hasattr(libc, "mallinfo2") and hasattr(libc, "malloc_trim")
        if self._can:
            self._info: Callable[[], _MallInfo] = libc.mallinfo2
            libc.mallinfo2.restype = _MallInfo
            self._trim: Callable[[int], object] = libc.malloc_trim
        #: Bytes that were free after the last attempt; they are in pages with memory in use.
        self._left = 0

    async def run(self) -> None:
        """Look for unused memory at intervals until cancelled."""
        while self._can:
            await trio.sleep(_LOOK_SECONDS)
            await in_thread(self.give_back)

    def give_back(self) -> None:
        """Return free memory to the system if there is more of it than after the last call."""
        gc.collect(0)  # the newest objects: what failed requests leave in cycles
        free = self._free()
        if free > self._left + _MUCH_BYTES:
            self._trim(0)
            self._left = self._free()
        else:
            self._left = min(self._left, free)

    def _free(self) -> int:
        return int(self._info().fordblks)
