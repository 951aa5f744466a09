"""Image names that moved away from a node: kept out of its engine's answers, and taken away there.

An engine goes on calling an image by a name that was given to another one elsewhere since.  As long
as only placement is concerned that does no harm; before the engine itself is to make something of
its names, as a build, a prune or a removal does, they are taken from it.
"""

import logging
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote, urlencode
from weakref import WeakValueDictionary

import trio

from swarmcore.errors import EngineError
from swarmcore.images import split_image
from swarmcore.messages import Answer
from swarmcore.protocols import Cluster, Engine

log = logging.getLogger(__name__)
#: How long an engine may take to lose one name.
_UNTAG_SECONDS = 30.0
#: Node id -> held while names are taken there, so that nothing that was given since is taken.
_taking: WeakValueDictionary[str, trio.Lock] = WeakValueDictionary()


async def take_away(cluster: Cluster, engine: Engine, names: Collection[str] | None = None) -> None:
    """Take names that moved away from the images that *engine* still calls so.

    The images stay, nameless where they have no other name, as on one engine.  Where that fails
    the log tells, and the names go on being passed over.

    Args:
        cluster: knows what names mean.
        engine: whose.
        names: which of ``Node.moved_names``; ``None`` for all.
    """
    if not engine.node.moved_names:
        return
    lock = _taking.setdefault(engine.node.id, trio.Lock())
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
                    # It may have been given to the right image while others were taken.
                    if engine.node.moved_names.get(name) == id:
                        await _untag(engine, name, id)
                await engine.refresh_images()
            except EngineError as error:
                log.warning("taking old image names away on %s: %s", engine.node.name, error)


async def _untag(engine: Engine, name: str, id: str) -> None:
    """Take a name away, and nothing else.

    An engine that is asked to remove an image's last name removes the image, or refuses.  So the
    name of an image that has no other is given first to an image that has another one.

    Raises:
        EngineError: it does not answer.
    """
    images = engine.node.images
    lender = id if _is_tagged(images.get(id)) else None
    if lender is None:
        lender = next((each for each, image in images.items() if _is_tagged(image)), None)
    if lender is None:
        log.info("image name %s stays on %s, which has no other image", name, engine.node.name)
        return
    # Not in halves: between the two requests the name means a third image there.
    with trio.move_on_after(_UNTAG_SECONDS, shield=True) as scope:
        answer = await _lend_and_remove(engine, name, None if lender == id else lender)
        if not answer.ok:
            log.warning("image name %s stays on %s: %s", name, engine.node.name, answer.message)
    if scope.cancelled_caught:
        log.warning("image name %s stays on %s: it does not answer", name, engine.node.name)


async def _lend_and_remove(engine: Engine, name: str, lender: str | None) -> Answer:
    """Give *name* to the image *lender*, if there is one, and remove the name."""
    if lender is not None:
        repository, rest = split_image(name)
        query = urlencode({"repo": repository, "tag": rest.removeprefix(":")})
        answer = await engine.call("POST", f"/images/{quote(lender, safe=':')}/tag?{query}")
        if not answer.ok:
            return answer
    return await engine.call("DELETE", f"/images/{quote(name, safe='/:@')}?noprune=1")


def _is_tagged(image: Mapping[str, Any] | None) -> bool:
    """Whether an image keeps a name; engines before API 1.43 list ``<none>:<none>`` for none."""
    tags = image.get("RepoTags") or () if image is not None else ()
    return any(not tag.startswith("<none>") for tag in tags)
