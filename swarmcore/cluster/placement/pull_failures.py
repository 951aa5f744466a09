"""Failed pulls: a pull that failed for a reason of the node's counts against the node.

The client's mistakes (no such image, access denied) fail on every node, and count against none.
Nothing here awaits.
"""

import logging
import re
import time
from collections.abc import Iterable

from swarmcore.errors import EngineError
from swarmcore.images import normal_image, registry_of
from swarmcore.model import FailedPulls
from swarmcore.node import Node

log = logging.getLogger(__name__)

#: An engine that was mended is tried again after so long, or when others do no better.
_REMEMBERED_SECONDS = 600.0
#: Clients choose images' names, and by them the registries: the latest are kept, and not whole.
_MOST_SCOPES = 64
_LONGEST_TEXT = 500
#: What engines say of names that no registry has, or does not give to this client.
_CLIENTS_FAULT = re.compile(
    "access denied|requested access to the resource is denied|unauthorized"
    "|authentication required|no basic auth credentials|incorrect username or password"
    "|manifest unknown|name unknown|repository does not exist|manifest for .* not found"
    "|not found: |: not found|invalid reference|does not match the specified platform",
    re.IGNORECASE,
)
#: The image has nothing for this node's machine; another node may be of another kind.
_OF_IMAGE = re.compile(
    "no matching manifest|image operating system|no match for platform", re.IGNORECASE
)
#: The machine takes no image, wherever it comes from.
_OF_MACHINE = re.compile(
    "no space left on device|disk quota exceeded|read-only file system|input/output error"
    "|cannot allocate memory",
    re.IGNORECASE,
)


def scope_of_failure(image: str, error: EngineError) -> str | None:
    """What a pull's failure concerns; see ``FailedPulls.scope``.

    Args:
        image: as the client named it.
        error: of the engine that pulled.

    Returns:
        ``None`` where it is the client's own.
    """
    text = str(error)
    if _OF_MACHINE.search(text):
        return ""
    if _OF_IMAGE.search(text):
        return normal_image(image)
    # A registry counts requests (429) by the address that they come from: another may go on.
    refused = 400 <= error.status < 500 and error.status != 429
    if refused or _CLIENTS_FAULT.search(text):
        return None
    return registry_of(image)


def note_pulled(node: Node, image: str) -> None:
    """*image* was pulled on *node*: its registry can be reached from there, and there is room."""
    if node.failed_pulls:
        mended = {"", registry_of(image), normal_image(image)}
        node.failed_pulls = {
            scope: failed for scope, failed in node.failed_pulls.items() if scope not in mended
        }


def note_failed_pull(node: Node, image: str, error: EngineError, now: float) -> bool:
    """A pull of *image* failed on *node*.

    Args:
        node: which.
        image: as the client named it.
        error: the engine's.
        now: trio time.

    Returns:
        Whether it was the node's failure, and counts against it.
    """
    scope = scope_of_failure(image, error)
    if scope is None:
        log.info("pulling %s on %s failed: %s", image, node.name, error)
        return False
    log.warning("pulling %s on %s failed, which counts against the node: %s", image, node.name,
                error)  # fmt: skip
    _count(node, scope, image, str(error), now)
    return True


def note_failed_carrying(node: Node, image: str, error: EngineError, now: float) -> None:
    """*image*, which another engine gave, could not be had by *node*, and its engine said so.

    Args:
        node: which.
        image: as the client named it.
        error: the engine's.
        now: trio time.
    """
    scope = "" if _OF_MACHINE.search(str(error)) else normal_image(image)
    _count(node, scope, image, str(error), now)


def _count(node: Node, scope: str, image: str, reason: str, now: float) -> None:
    known = node.failed_pulls.get(scope)
    failed = FailedPulls(
        scope=scope,
        count=known.count + 1 if known else 1,
        image=image[:_LONGEST_TEXT],
        reason=reason[:_LONGEST_TEXT],
        at=time.time(),
        until=now + _REMEMBERED_SECONDS,
    )
    others = [each for each in node.failed_pulls.values() if each.scope != scope]
    latest = sorted([*others, failed], key=lambda each: each.until)[-_MOST_SCOPES:]
    node.failed_pulls = {each.scope: each for each in latest}


def forget_failed_pulls(nodes: Iterable[Node], now: float) -> None:
    """Forget those that are long ago.

    Args:
        nodes: all.
        now: trio time.
    """
    for node in nodes:
        if any(failed.until <= now for failed in node.failed_pulls.values()):
            node.failed_pulls = {
                scope: failed for scope, failed in node.failed_pulls.items() if failed.until > now
            }
