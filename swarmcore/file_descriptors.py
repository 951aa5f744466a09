"""How many files this process may open: every connection of a client or to an engine is one."""

import logging
import resource

log = logging.getLogger(__name__)

#: A thousand followers of logs take two each, and engines some more.
_ENOUGH = 4096


def raise_descriptor_limit() -> None:
    """Raise the soft limit of open files to the hard one, as Go programs do at their start.

    Warns where even that is little; a limit that cannot be raised stays.
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
            "at most %d open files: clients beyond about %d at once must wait; raise the hard "
            "limit (ulimit -Hn, LimitNOFILE=)",
            hard, hard // 2,
        )  # fmt: skip
