"""Finds containers by name or id in the whole cluster, and invents names.

The index is updated as engines report containers and creates reserve names, so a look-up need not
visit every node.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from random import Random

from swarmcore.errors import BadRequest, Conflict, NotFound
from swarmcore.model import Container

_SHORT = 12

#: Text -> its containers, nearly always one: a tuple takes a quarter of the memory of a dict.
_Holders = dict[str, tuple[Container, ...]]


class NameIndex:
    """All containers by ids and names, and the names that are reserved.

    Args:
        node_name: returns the name of a node id, for ``node/name``.
    """

    def __init__(self, node_name: Callable[[str], str] = lambda id: "") -> None:
        self._node_name = node_name
        self._by_id: dict[str, Container] = {}
        self._by_name: _Holders = {}
        self._by_swarm_id: _Holders = {}
        self._reserved: dict[str, str] = {}
        #: Previous name -> ids of the containers that had it, and id -> its previous name.
        self._by_former_name: dict[str, set[str]] = {}
        self._former_names: dict[str, str] = {}
        #: Sorted ids and swarm ids, for look-ups by prefix.
        self._ids: list[str] = []

    def __len__(self) -> int:
        return len(self._by_id)

    # ---- updating

    def put(self, container: Container) -> None:
        """Add a container, or replace its former state."""
        known = self._by_id.get(container.id)
        if known is not None:
            self._unlink(known)
            if known.name != container.name:
                self._forget_former_name(container.id)
                self._former_names[container.id] = known.name
                self._by_former_name.setdefault(known.name, set()).add(container.id)
        self._link(container)

    def drop(self, container: Container) -> None:
        """Remove a container, unless it has moved to another node."""
        known = self._by_id.get(container.id)
        if known is not None and known.node_id == container.node_id:
            self._unlink(known)
            self._forget_former_name(container.id)

    def reserve(self, name: str, reservation: str) -> None:
        """Reserve *name*; the caller has checked that it is free."""
        if name:
            self._reserved[name] = reservation

    def release(self, name: str, reservation: str) -> None:
        """Release *name*, if this reservation still holds it."""
        if self._reserved.get(name) == reservation:
            del self._reserved[name]

    def _link(self, container: Container) -> None:
        self._by_id[container.id] = container
        insort(self._ids, container.id)
        for name in container.names:
            _add(self._by_name, name, container)
        if swarm_id := container.swarm_id:
            if swarm_id not in self._by_swarm_id:
                insort(self._ids, swarm_id)
            _add(self._by_swarm_id, swarm_id, container)

    def _unlink(self, container: Container) -> None:
        del self._by_id[container.id]
        self._remove_id(container.id)
        for name in container.names:
            _remove(self._by_name, name, container)
        if swarm_id := container.swarm_id:
            _remove(self._by_swarm_id, swarm_id, container)
            if swarm_id not in self._by_swarm_id:
                self._remove_id(swarm_id)

    def _forget_former_name(self, id: str) -> None:
        name = self._former_names.pop(id, None)
        if name is not None:
            self._by_former_name[name].discard(id)
            if not self._by_former_name[name]:
                del self._by_former_name[name]

    def _remove_id(self, id: str) -> None:
        del self._ids[bisect_left(self._ids, id)]

    # ---- queries

    def holder(self, name: str) -> Container | str | None:
        """The container that has *name*, or the id of its reservation; ``None`` if it is free."""
        for container in self._by_name.get(name, ()):
            return container
        return self._reserved.get(name)

    def get(self, id: str) -> Container | None:
        """The container with the full id *id*."""
        return self._by_id.get(id)

    def formerly(self, name: str) -> list[Container]:
        """The containers whose previous name was *name*."""
        return [self._by_id[id] for id in self._by_former_name.get(name, ())]

    def has_swarm_id(self, swarm_id: str) -> bool:
        """Whether a container has this swarm id."""
        return swarm_id in self._by_swarm_id

    def find(self, text: str) -> Container:
        """The container that *text* refers to.

        The order is an engine's: a full id (or swarm id), a name (or ``node/name``), the first
        twelve digits of an id, an id prefix.  (Swarm classic looked for twelve digits before names,
        and so could remove another container than an engine would.)

        Raises:
            NotFound: there is none; the text is Docker's.
            BadRequest: a prefix of several ids, or empty; the text is Docker's.
            Conflict: containers of several nodes have the name; the text lists the full names.
        """
        if not text:
            raise BadRequest('invalid name or ID supplied: ""')
        found = self._by_id.get(text) or self._by_swarm_identity(text)
        if found is None:
            found = self._only(self._named(text.removeprefix("/")), text)
        if found is None:
            found = self._by_short_id(text)
        if found is None:
            found = self._by_beginning(text)
        if found is None:
            raise NotFound(f"No such container: {text}")
        return found

    def _by_swarm_identity(self, text: str) -> Container | None:
        """The container with the swarm id *text*, if there is exactly one."""
        holders = self._by_swarm_id.get(text, ())
        return holders[0] if len(holders) == 1 else None

    def _by_short_id(self, text: str) -> Container | None:
        """The container whose id, or else swarm id, begins with the twelve digits *text*."""
        if len(text) != _SHORT:
            return None
        begun = self._begun(text)
        holders = [found for found in begun if found.id.startswith(text)] or begun
        return holders[0] if len(holders) == 1 else None

    def _named(self, name: str) -> list[Container]:
        found = list(self._by_name.get(name, ()))
        node, slash, rest = name.partition("/")
        if slash:
            found += [
                container
                for container in self._by_name.get(rest, ())
                if node in (container.node_id, self._node_name(container.node_id))
            ]
        return found

    def _only(self, found: Sequence[Container], text: str) -> Container | None:
        if len(found) < 2:
            return found[0] if found else None
        own = [container for container in found if container.name == text.removeprefix("/")]
        if len(own) == 1:
            return own[0]
        forms = sorted(
            f"{self._node_name(container.node_id) or container.node_id}/{container.name}"
            for container in found
        )
        raise Conflict(f"{text} is the name of several containers: write {' or '.join(forms)}")

    def _by_beginning(self, text: str) -> Container | None:
        begun = self._begun(text)
        if len(begun) > 1:
            raise BadRequest(f"Multiple IDs found with provided prefix: {text}")
        return begun[0] if begun else None

    def _begun(self, text: str) -> list[Container]:
        """Containers with an id that begins with *text*; stops after a few."""
        found: dict[str, Container] = {}
        for id in self._from(text):
            holders = self._by_swarm_id.get(id) or (self._by_id[id],)
            found.update((holder.id, holder) for holder in holders)
            if len(found) > 2:
                break
        return list(found.values())

    def _from(self, beginning: str) -> Iterator[str]:
        start = bisect_left(self._ids, beginning)
        following = (self._ids[place] for place in range(start, len(self._ids)))
        return takewhile(lambda id: id.startswith(beginning), following)


def _add(holders: _Holders, text: str, container: Container) -> None:
    others = holders.get(text)
    holders[text] = (*others, container) if others else (container,)


def _remove(holders: _Holders, text: str, container: Container) -> None:
    others = tuple(each for each in holders.pop(text, ()) if each.id != container.id)
    if others:
        holders[text] = others


# ---- inventing names

_MOODS = (
    "able agile airy alert amber apt awake balmy blithe bold brief bright brisk calm candid chief"
    " civil clever cosy crisp dapper deft dewy early easy exact fair fleet fond frank fresh gentle"
    " glad golden hardy hazel honest humble keen kind level light limber lively lucid lunar mellow"
    " mild neat nimble noble plain polite prime quick quiet ready robust rosy sage sandy serene"
    " silver sleek smart snug solar sound spry steady still subtle sunny sure tidy upbeat vivid"
    " warm wise witty"
)
_THINGS = (
    "acorn alder anchor anvil arbor aspen badger barge beacon birch bobbin brook buoy cairn canoe"
    " cedar chisel clover comet cove crane dune ember falcon fern finch fjord forge gable garnet"
    " glade grove gull harbor hazel heron hinge ibis inlet ivy jetty kestrel kettle lantern lark"
    " ledge lichen linnet loom maple marten meadow mesa mill moss oriole otter paddle pebble petrel"
    " pine plover prism quarry quartz raven reed ridge rudder sedge shoal sparrow spruce swift"
    " tarn thicket tide timber trellis valley willow wren"
)
_TRIES = 4


def invent_name(random: Random, taken: Callable[[str], bool]) -> str:
    """A free name such as ``quiet_heron``, with a number if many names are taken.

    Args:
        random: source of randomness.
        taken: whether a name is in use.
    """
    for number_limit in (0, 10, 100, 1000, 10_000):
        for _ in range(_TRIES):
            name = _pair(random)
            if number_limit:
                name = f"{name}{random.randrange(number_limit)}"
            if not taken(name):
                return name
    while taken(name := f"{_pair(random)}{random.getrandbits(64)}"):
        pass
    return name


def _pair(random: Random) -> str:
    return f"{random.choice(_MOODS.split())}_{random.choice(_THINGS.split())}"
