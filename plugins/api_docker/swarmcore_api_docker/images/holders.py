"""Which engines have an image, and which of them to ask."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain

from swarmcore.errors import NotFound
from swarmcore.images import (
    can_be_image,
    has_image,
    is_called,
    named_ids,
    names_of_image,
    shown_image,
)
from swarmcore.messages import Query
from swarmcore.node import Node
from swarmcore.protocols import Cluster, Engine
from swarmcore_api_docker.compat.version_gates import able_engines
from swarmcore_api_docker.yielding import Pace


def find_holders(cluster: Cluster, name: str, *, to_save: bool = False) -> list[Engine]:
    """The engines that answer and have an image, in the order of their names.

    Of a name that no image can have it is the first that answers, which refuses it in its words.

    Args:
        cluster: whose engines.
        name: as the client wrote it.
        to_save: engines name a missing image that is to be saved as it was written.

    Raises:
        NotFound: none; Docker's text.
    """
    found = [engine for engine in cluster.engines() if _has(engine, name)]
    # A name goes before the beginning of an id, as on one engine: "cafe" may be both.
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
    """The one of *holders* to ask about an image.

    One image may have an id of its own on each engine; the one most engines agree on is taken, and
    among equals the first engine's, so that one question has one answer.
    """
    ids = {id(engine): named_ids(engine.node.images, name) for engine in holders}
    counts = Counter(image for found in ids.values() for image in found)
    return max(holders, key=lambda engine: max(map(counts.__getitem__, ids[id(engine)]), default=0))


async def find_common_holders(cluster: Cluster, names: Sequence[str]) -> list[Engine]:
    """The engines that have all of *names*: the archives of two engines cannot be joined.

    Raises:
        NotFound: an image that nobody has, or no engine that has all; says where each is.
    """
    pace, places = Pace(), dict[str, list[Engine]]()
    for name in names:
        places[name] = find_holders(cluster, name, to_save=True)
        await pace.keep()
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


def choose_pusher(cluster: Cluster, repository: str, query: Query) -> Engine:
    """The engine that pushes the tag in *query*, or without one all tags that it has: the most.

    Where none has anything to push it is the first that answers: it says so as engines do, in the
    progress of its answer.

    Raises:
        BadRequest: what has it is too old for a parameter.
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
