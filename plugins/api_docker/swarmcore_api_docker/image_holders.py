"""Which engines have an image, and which of them to ask."""

from collections import Counter
from collections.abc import Sequence

from swarmcore.errors import NotFound
from swarmcore.protocols import Cluster, Engine
from swarmcore_api_docker.image_names import image_ids, image_names, shown_name


def find_holders(cluster: Cluster, name: str) -> list[Engine]:
    """The engines that answer and have an image, in the order of their names.

    Raises:
        NotFound: none; Docker's text.
    """
    found = [engine for engine in cluster.engines() if _has(engine, name)]
    if not found:
        raise NotFound(f"No such image: {shown_name(name)}")
    return found


def _has(engine: Engine, name: str) -> bool:
    return bool(engine.node.health and image_ids(engine.node, name))


def agreed_holder(holders: Sequence[Engine], name: str) -> Engine:
    """The one of *holders* to ask about an image.

    One name may mean different images on different engines; the one most engines agree on is
    taken, and among equals the first engine's, so that one question has one answer.
    """
    ids = {id(engine): image_ids(engine.node, name) for engine in holders}
    counts = Counter(image for found in ids.values() for image in found)
    return max(holders, key=lambda engine: max(counts[image] for image in ids[id(engine)]))


def find_common_holders(cluster: Cluster, names: Sequence[str]) -> list[Engine]:
    """The engines that have all of *names*: the archives of two engines cannot be joined.

    Raises:
        NotFound: an image that nobody has, or no engine that has all; says where each is.
    """
    places = {name: find_holders(cluster, name) for name in names}
    common = [
        engine
        for engine in cluster.engines()
        if all(engine in holders for holders in places.values())
    ]
    if not common:
        told = "; ".join(
            f"{name} is on {', '.join(engine.node.name for engine in holders)}"
            for name, holders in places.items()
        )
        raise NotFound(f"no node has all of these images, save them one by one: {told}")
    return common


def find_repository_holders(cluster: Cluster, repository: str) -> list[Engine]:
    """The engines that have any tag of *repository*, those with most of its tags first.

    Raises:
        NotFound: none; Docker's text.
    """
    prefix = shown_name(repository).rpartition(":")[0] + ":"
    counts = {
        engine.node.id: sum(
            name.startswith(prefix)
            for image in engine.node.images.values()
            for name in image_names(image)
        )
        for engine in cluster.engines()
        if engine.node.health
    }
    found = [engine for engine in cluster.engines() if counts.get(engine.node.id)]
    if not found:
        raise NotFound(f"An image does not exist locally with the tag: {repository}")
    return sorted(found, key=lambda engine: -counts[engine.node.id])
