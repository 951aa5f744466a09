"""Failed pulls: a pull that failed because of the node counts against that node.

Errors of the client (no such image, access denied) would occur on every node and do not count.
Nothing here awaits.
"""

import logging
import re
from collections.abc import Iterable

from swarmcore import clock
from swarmcore.errors import EngineError
from swarmcore.images import normal_image, registry_of
from swarmcore.model import FailedPulls
from swarmcore.node import Node

log = logging.getLogger(__name__)

#: How long a failure counts; the node may have been repaired since.
_REMEMBERED_SECONDS = 600.0
#: Clients choose image names and so registries: limits of the entries per node and of their texts.
_MOST_SCOPES = 64
_LONGEST_TEXT = 500
#: Messages about images that do not exist or that the client may not pull.
_CLIENTS_FAULT = re.compile(
    "access denied|requested access to the resource is denied|unauthorized"
    "|authentication required|no basic auth credentials|incorrect username or password"
    "|manifest unknown|name unknown|repository does not exist|manifest for .* not found"
    "|not found: |: not found|invalid reference|does not match the specified platform",
    re.IGNORECASE,
)
#: The image has no variant for this node's platform; a node of another platform may pull it.
_OF_IMAGE = re.compile(
    "no matching manifest|image operating system|no match for platform", re.IGNORECASE
)
#: The node cannot store any image.
_OF_MACHINE = re.compile(
    "no space left on device|disk quota exceeded|read-only file system|input/output error"
    "|cannot allocate memory",
    re.IGNORECASE,
)


def scope_of_failure(image: str, error: EngineError) -> str | None:
    """What a failed pull says about its node; see ``FailedPulls.scope``.

    Args:
        image: as the client named it.
        error: the error of the engine that pulled.

    Returns:
        Empty for the node as a whole, an image name, or a registry; ``None`` if the failure is the
        client's.
    """
    text = str(error)
    if _OF_MACHINE.search(text):
        return ""
    if _OF_IMAGE.search(text):
        return normal_image(image)
    # Registries limit requests (429) per IP address, so another node may succeed.
    refused = 400 <= error.status < 500 and error.status != 429
    if refused or _CLIENTS_FAULT.search(text):
        return None
    return registry_of(image)


def note_pulled(node: Node, image: str) -> None:
    """Record a successful pull: forget the node's failures with this image and its registry."""
    if node.failed_pulls:
        mended = {"", registry_of(image), normal_image(image)}
        node.failed_pulls = {
            scope: failed for scope, failed in node.failed_pulls.items() if scope not in mended
        }


def note_failed_pull(node: Node, image: str, error: EngineError, now: float) -> bool:
    """Record that a pull of *image* failed on *node*.

    Args:
        node: the node that pulled.
        image: as the client named it.
        error: the engine's error.
        now: trio time.

    Returns:
        Whether the failure counts against the node.
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
    """Record that *node*'s engine failed to load *image*, which another engine provided.

    Args:
        node: the node that should have got the image.
        image: as the client named it.
        error: the engine's error.
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
        at=clock.unix_seconds(),
        until=now + _REMEMBERED_SECONDS,
    )
    others = [each for each in node.failed_pulls.values() if each.scope != scope]
    latest = sorted([*others, failed], key=lambda each: each.until)[-_MOST_SCOPES:]
    node.failed_pulls = {each.scope: each for each in latest}


def forget_failed_pulls(nodes: Iterable[Node], now: float) -> None:
    """Forget failures that no longer count.

    Args:
        nodes: all nodes.
        now: trio time.
    """
    for node in nodes:
        pulls = node.failed_pulls
        if pulls and any(failed.until <= now for failed in pulls.values()):
            node.failed_pulls = {
                scope: failed for scope, failed in pulls.items() if failed.until > now
            }
