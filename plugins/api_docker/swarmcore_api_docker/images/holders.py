"""Find the engines that have an image, and choose the engine to ask."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain

from swarmcore.errors import NotFound
from swarmcore.http.messages import Query
from swarmcore.images import (
    can_be_image,
    has_image,
    is_called,
    named_ids,
    names_of_image,
    shown_image,
)
from swarmcore.node import Node
from swarmcore.protocols import ClusterView, Engine
from swarmcore_api_docker.compat.version_gates import able_engines
from swarmcore_api_docker.yielding import Yielder


def find_holders(cluster: ClusterView, name: str, *, to_save: bool = False) -> list[Engine]:
    """Return the engines that answer and have an image, in the order of their names.

    For an invalid name, the result is the first engine that answers: its answer is Docker's error.

    Args:
        cluster: the cluster whose engines are searched.
        name: a name, an id or the beginning of an id, as the client wrote it.
        to_save: whether the error has the image name as the client wrote it, as in an engine's
            answer to a save.

    Raises:
        NotFound: no engine has it; the text is Docker's.
    """
    found = [engine for engine in cluster.engines() if _has(engine, name)]
    # A name takes precedence over the beginning of an id, as in an engine: "cafe" can be both.
    if named := [engine for engine in found if is_called(engine.node, name)]:
        return named
    if found:
        return found
    if not can_be_image(name):
        return list(cluster.healthy_engines()[:1])
    raise NotFound(f"No such image: {name if to_save else shown_image(name)}")


def _has(engine: Engine, name: str) -> bool:
    return bool(engine.node.health and has_image(engine.node, name))


def agreed_holder(holders: Sequence[Engine], name: str) -> Engine:
    """Choose the engine to ask about an image, always the same for the same question.

    The name may mean another image id on each engine.  The id that most engines have is taken; if
    several ids are equally frequent, the id of the first engine.

    Args:
        holders: engines that have an image of that name, at least one.
        name: the image's name.
    """
    ids = {id(engine): named_ids(engine.node.images, name) for engine in holders}
    counts = Counter(image for found in ids.values() for image in found)
    return max(holders, key=lambda engine: max(map(counts.__getitem__, ids[id(engine)]), default=0))


async def find_common_holders(cluster: ClusterView, names: Sequence[str]) -> list[Engine]:
    """Return the engines that have all of *names*; archives of two engines cannot be joined.

    Raises:
        NotFound: no engine has one of the images, or no engine has all; the text tells where each
            image is.
    """
    yielder, places = Yielder(), dict[str, list[Engine]]()
    for name in names:
        places[name] = find_holders(cluster, name, to_save=True)
        await yielder.checkpoint()
    common = [
        engine
        for engine in cluster.engines()
        if all(engine in holders for holders in places.values())
    ]
    if not common:
        places_text = "; ".join(
            f"{name} is on {', '.join(engine.node.name for engine in holders)}"
            for name, holders in places.items()
        )
        raise NotFound(f"no node has all of these images, save them one by one: {places_text}")
    return common


def choose_pusher(cluster: ClusterView, repository: str, query: Query) -> Engine:
    """Choose the engine that pushes: one that has the tag, or the one with the most tags.

    If no engine has anything to push, it is the first engine that answers, whose progress then
    reports the error.

    Args:
        cluster: the cluster whose engines are searched.
        repository: the name to push, without a tag.
        query: the query of the request.  Without ``tag``, an engine pushes all tags that it has.

    Raises:
        BadRequest: the engines that have it are too old for a parameter in *query*.
        Unavailable: no engine answers.
    """
    healthy = cluster.healthy_engines()
    if tag := query.get("tag"):
        name = f"{repository}:{tag}"
        holders = able_engines([each for each in healthy if _has(each, name)], "push", query)
        return agreed_holder(holders, name) if holders else healthy[0]
    prefix = shown_image(repository).rpartition(":")[0] + ":"
    counts = {each.node.id: _count_tags(each.node, prefix) for each in healthy}
    holders = able_engines([each for each in healthy if counts[each.node.id]], "push", query)
    return max(holders, key=lambda each: counts[each.node.id]) if holders else healthy[0]


def _count_tags(node: Node, prefix: str) -> int:
    names = chain.from_iterable(map(names_of_image, node.images.values()))
    return sum(name.startswith(prefix) for name in names)
