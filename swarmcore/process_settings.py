"""Settings of the manager's process: the limit of open files, and the garbage collector."""

import gc
import logging
import resource

log = logging.getLogger(__name__)

#: Enough for a thousand clients that follow logs, with two connections each.
_ENOUGH = 4096
#: New objects, and collections of the younger generation, after which a generation is collected.
_COLLECT_AFTER = (50_000, 10, 10)


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
