"""Remove moved image names from an engine.

A name has moved if another engine gave it to another image later: this engine still has the name on
the old image.  Scheduling and lists ignore such names.  The engine itself would use them, so they
are removed before a build, a prune or a removal on that engine.
"""

import logging
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote, urlencode
from weakref import WeakValueDictionary

import trio

from swarmcore.errors import EngineError
from swarmcore.http.messages import Answer
from swarmcore.images import split_image
from swarmcore.protocols import ClusterView, Engine

log = logging.getLogger(__name__)
#: How long an engine may take to remove one name.
_UNTAG_SECONDS = 30.0
#: Node id -> lock.  Without it, a second removal could remove a name that another request has given
#: to the right image meanwhile.
_removal_locks: WeakValueDictionary[str, trio.Lock] = WeakValueDictionary()


async def remove_moved_names(
    cluster: ClusterView, engine: Engine, names: Collection[str] | None = None
) -> None:
    """Remove moved names from the images that still have them on *engine*.

    The images stay; an image whose only name has moved has no name then.  A failure is logged; the
    names then stay on the engine, and the manager ignores them as before.

    Args:
        cluster: the cluster, which knows the image that each name means.
        engine: the engine to remove the names from.
        names: some of ``Node.moved_names``; ``None`` for all.
    """
    if not engine.node.moved_names:
        return
    lock = _removal_locks.setdefault(engine.node.id, trio.Lock())
    async with lock:
        moved = {
            name: id
            for name, id in engine.node.moved_names.items()
            if names is None or name in names
        }
        if not moved:
            return
        with cluster.image_names.setting_aside(engine.node, moved):
            try:
                for name, id in moved.items():
                    # An earlier removal may have taken so long that the name is right by now.
                    if engine.node.moved_names.get(name) == id:
                        await _untag(engine, name, id)
                await engine.refresh_images()
            except EngineError as error:
                log.warning("taking old image names away on %s: %s", engine.node.name, error)


async def _untag(engine: Engine, name: str, id: str) -> None:
    """Remove one name from an image and keep the image.

    If an engine is asked to remove the last name of an image, it removes the image or refuses.  So
    the last name is first given to another image that has a name of its own (the lender).

    Raises:
        EngineError: the engine does not answer.
    """
    images = engine.node.images
    lender = id if _is_tagged(images.get(id)) else None
    if lender is None:
        lender = next((each for each, image in images.items() if _is_tagged(image)), None)
    if lender is None:
        log.info("image name %s stays on %s, which has no other image", name, engine.node.name)
        return
    # Shielded: between the two requests the name means the lender's image on this engine.
    with trio.move_on_after(_UNTAG_SECONDS, shield=True) as scope:
        answer = await _lend_and_remove(engine, name, None if lender == id else lender)
        if not answer.ok:
            log.warning("image name %s stays on %s: %s", name, engine.node.name, answer.message)
    if scope.cancelled_caught:
        log.warning("image name %s stays on %s: it does not answer", name, engine.node.name)


async def _lend_and_remove(engine: Engine, name: str, lender: str | None) -> Answer:
    """Give *name* to the image *lender* (unless it is ``None``), then remove the name from it."""
    if lender is not None:
        repository, rest = split_image(name)
        query = urlencode({"repo": repository, "tag": rest.removeprefix(":")})
        answer = await engine.call("POST", f"/images/{quote(lender, safe=':')}/tag?{query}")
        if not answer.ok:
            return answer
    return await engine.call("DELETE", f"/images/{quote(name, safe='/:@')}?noprune=1")


def _is_tagged(image: Mapping[str, Any] | None) -> bool:
    """Return whether an image has a name; before API 1.43, ``<none>:<none>`` means no name."""
    tags = image.get("RepoTags") or () if image is not None else ()
    return any(not tag.startswith("<none>") for tag in tags)
