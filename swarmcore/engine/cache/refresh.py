"""Reads an engine's objects into its node: whole lists, or single objects named by events.

If answers arrive out of order, the answer to the later request is kept.
"""

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from swarmcore.engine.cache.answers import (
    IMAGE_FIELDS,
    Objects,
    RepeatedList,
    check_fields,
    fingerprint,
    read_answer,
    read_networks,
    read_volumes,
)
from swarmcore.engine.cache.asked_together import AskedTogether
from swarmcore.engine.cache.container_reader import ContainerReader, inspection_path
from swarmcore.engine.cache.documents import (
    Stale,
    agrees,
    by_key,
    differs,
    needs_inspection,
    shared_changes,
    with_summary,
)
from swarmcore.engine.cache.kept_documents import is_kept
from swarmcore.engine.cache.link_aliases import Links, find_named, links_of, with_aliases
from swarmcore.engine.cache.parallel_reads import read_each
from swarmcore.engine.cache.single_flight import CachedList, SingleFlight
from swarmcore.engine.registry import CacheListener
from swarmcore.errors import EngineError, EngineRefused
from swarmcore.http.messages import Answer
from swarmcore.json_bytes import write_json
from swarmcore.model import Container
from swarmcore.node import Node

log = logging.getLogger(__name__)

_CONTAINERS = "/containers/json?all=1"
_IMAGES = "/images/json?all=1"
#: How many removed containers and networks are remembered, so that a late answer does not add one
#: again.  Engines never reuse ids.
_TOMBSTONES = 4096
#: So many containers are inspected by requests that are sent at once.
_AT_ONCE = 8


class Refresher:
    """Reads one engine into one node.

    Args:
        node: the node to update.
        ask: sends GET to a path; returns the answer, whatever its status; raises
            ``EngineUnreachable``.
        ask_several: the same for several paths.
        listener: notified of changes.
    """

    def __init__(
        self,
        node: Node,
        ask: Callable[[str], Awaitable[Answer]],
        ask_several: Callable[[Sequence[str]], Awaitable[Sequence[Answer]]],
        listener: CacheListener,
    ) -> None:
        self._node = node
        self._together = AskedTogether(ask, ask_several)
        self.ask = self._together.ask
        self._ask_several = ask_several
        self._listener = listener
        self._questions = 0
        #: Container id -> number of the request whose answer is in the cache.
        self._believed: dict[str, int] = {}
        #: Number of the request whose answer is the image list in the cache.
        self._believed_images = 0
        #: Fingerprint of the last list of containers, and the node's ``container_changes`` when the
        #: cache was equal to it.
        self._listed: tuple[bytes, int] | None = None
        self._images_listed = b""
        self._gone: OrderedDict[str, None] = OrderedDict()
        #: Ids of containers of which only the create's answer is known.
        self._unread: set[str] = set()
        self._closed = False
        self._list_containers = SingleFlight(lambda: self._read_containers(full=False))
        self._list_images = SingleFlight(lambda: self._read_images(live=True))
        self._single: dict[str, SingleFlight] = {}
        self._reader = ContainerReader(node)
        self._networks_read = RepeatedList(lambda answer: read_networks(node.name, answer))
        self._volumes_read = RepeatedList(lambda answer: read_volumes(node.name, answer))
        #: The network list and the volume list.
        self.network_list = CachedList(self._ask_networks, self._show_networks)
        self.volume_list = CachedList(self._ask_volumes, self._show_volumes)

    # ---- whole lists

    async def everything(self, *, full: bool) -> None:
        """Read all lists.

        Args:
            full: whether to inspect every container, even if its summary has not changed.

        Raises:
            EngineError: containers or images cannot be read.
        """
        # A network or volume driver that hangs must not make the engine unusable.
        others = partial(self._or_keep, self.networks), partial(self._or_keep, self.volumes)
        reads = partial(self.containers, full=full), partial(self.images, live=False), *others
        if full:
            for read in reads:
                await read()
        else:
            with self._together.batch(_CONTAINERS, _IMAGES, "/networks", "/volumes"):
                await read_each(reads, lambda read: read())

    async def containers(self, *, full: bool) -> None:
        """Read the container list, and inspect containers that have changed.

        Args:
            full: whether to inspect every container.

        Raises:
            EngineError: the list cannot be read, or the engine became unreachable.
        """
        await (self._read_containers(full=True) if full else self._list_containers())

    async def _read_containers(self, *, full: bool) -> None:
        known, changes = dict(self._node.containers), self._node.container_changes
        question = self._next_question()
        answer = await self.ask(_CONTAINERS)
        listed = await fingerprint(answer)
        if not (full or self._unread) and self._listed == (listed, self._node.container_changes):
            return
        summaries = by_key(await read_answer(self._node.name, _CONTAINERS, answer, list), "Id")
        is_quiet = changes == self._node.container_changes
        for id in known.keys() - summaries.keys():
            self.forget(id)  # containers created meanwhile are not in *known* and stay
        doubtful: dict[str, bytes] = {}
        for id, summary in summaries.items():
            container, encoded = known.get(id), write_json(summary)
            if full or container is None or id in self._unread:
                doubtful[id] = encoded
            elif agrees(container, summary) and is_kept(container.summary, encoded):
                continue  # usual, and known without decoding
            elif needs_inspection(container, summary):
                doubtful[id] = encoded
            elif differs(container, summary):
                kept = self._reader.keep_summary(encoded)
                self._put(with_summary(container, summary, kept), question)
        is_equal = is_quiet and not doubtful
        self._listed = (listed, self._node.container_changes) if is_equal else None
        brief = {id: {key: summaries[id].get(key) for key in ("State", "Names")} for id in doubtful}
        del answer, summaries  # Python objects: ten times the memory of *doubtful*
        ids = list(doubtful)
        parts = [ids[at : at + _AT_ONCE] for at in range(0, len(ids), _AT_ONCE)]
        await read_each(parts, lambda part: self._inspect_all(part, doubtful, question))
        if brief and self._shows(brief, question):
            self._listed = (listed, self._node.container_changes)

    def _shows(self, listed: Mapping[str, Mapping[str, Any]], question: int) -> bool:
        """Whether the node has the containers of *listed*, no others, and all from *question*."""
        known = self._node.containers
        return len(known) == len(listed) and all(
            self._believed.get(id) == question and agrees(known[id], summary)
            for id, summary in listed.items()
        )

    async def images(self, *, live: bool = True) -> None:
        """Read the image list; see ``SingleFlight``.

        Args:
            live: see ``CacheListener.images_read``.

        Raises:
            EngineError: it cannot be read.
        """
        await (self._list_images() if live else self._read_images(live=False))

    async def _read_images(self, *, live: bool) -> None:
        question = self._next_question()
        answer = await self.ask(_IMAGES)
        listed = await fingerprint(answer)
        images = None
        if live or listed != self._images_listed:
            images = by_key(await read_answer(self._node.name, _IMAGES, answer, list), "Id")
            check_fields(self._node.name, "GET /images/json", images, IMAGE_FIELDS)
        if self._closed or question < self._believed_images:
            return  # a later request was answered earlier
        self._believed_images = question
        if images is not None:
            self._images_listed = listed
            self._node.images = images
            self._listener.images_read(self._node, images, live=live)
        if not live:
            await self._listener.settle_image_names(self._node)

    async def networks(self) -> None:
        """Read the network list; see ``SingleFlight``.

        Raises:
            EngineError: it cannot be read.
        """
        await self.network_list.read()

    async def volumes(self) -> None:
        """Read the volume list; see ``SingleFlight``.

        Raises:
            EngineError: it cannot be read.
        """
        await self.volume_list.read()

    async def _ask_networks(self) -> Objects:
        networks = await self._networks_read.objects(await self.ask("/networks"))
        if self._gone.keys().isdisjoint(networks):
            return networks
        return {id: each for id, each in networks.items() if id not in self._gone}

    async def _ask_volumes(self) -> Objects:
        return await self._volumes_read.objects(await self.ask("/volumes"))

    def _show_networks(self, networks: Objects) -> None:
        if not self._closed:
            before, self._node.networks = self._node.networks, networks
            self._tell_of(before, networks, Stale(networks=True))

    def _show_volumes(self, volumes: Objects) -> None:
        if not self._closed:
            before, self._node.volumes = self._node.volumes, volumes
            self._tell_of(before, volumes, Stale(volumes=True))

    # ---- single objects

    async def stale(self, stale: Stale) -> None:
        """Read what is stale.

        Raises:
            EngineError: a part of it cannot be read.
        """
        for id in stale.gone:
            self.forget(id)
        for id in stale.networks_gone:
            self.forget_network(id)
        if stale.volumes or self.volume_list.lacks(stale.volumes_made, stale.volumes_gone):
            # Before containers: reading a container ends the reservation that counts its volumes.
            await self._or_keep(self.volumes)
        created = {id for id in stale.created if not self.knows(id)}
        await read_each(stale.containers | created, self.container)
        if stale.images:
            await self.images()
        if stale.networks or self.network_list.lacks(stale.networks_made):
            await self._or_keep(self.networks)

    def knows(self, id: str) -> bool:
        """Whether the cache has the container as described by its engine."""
        return id in self._node.containers and id not in self._unread

    async def container(self, id: str) -> Container | None:
        """Read one container; see ``SingleFlight``.

        Args:
            id: the full id, 64 digits.

        Returns:
            The container as it is now in the cache; ``None`` if the engine does not have it.

        Raises:
            EngineError: it cannot be read.
        """
        read = self._single.setdefault(id, SingleFlight(lambda: self._read_container(id)))
        try:
            await read()
        finally:
            if read.is_idle and self._single.get(id) is read:
                del self._single[id]
        return self._node.containers.get(id)

    async def _read_container(self, id: str) -> None:
        question = self._next_question()
        filters = quote(write_json({"id": [id]}))
        path = f"{_CONTAINERS}&filters={filters}"
        listed = by_key(await read_answer(self._node.name, path, await self.ask(path), list), "Id")
        if id in listed:
            inspected = await self.ask(inspection_path(id))
            await self._learn(id, write_json(listed[id]), inspected, question)
        else:
            self.forget(id)

    def acknowledge(self, container: Container) -> None:
        """Add a container that the engine has created but that cannot be read now.

        It is read as soon as possible.
        """
        if not self._closed and container.id not in self._gone:
            self._unread.add(container.id)
            self._show(container)

    def forget(self, id: str) -> None:
        """Remove a container for good: late answers do not add it again."""
        self._bury(id)
        self._believed.pop(id, None)
        self._unread.discard(id)
        container = self._node.drop_container(id)
        if container is not None:
            self._listener.container_dropped(container)
            self._relink(links_of(container), frozenset())

    def forget_network(self, id: str) -> None:
        """Remove a network for good: late answers do not add it again."""
        self._bury(id)
        if id in self.network_list:
            self.network_list.drop(id)

    def close(self) -> None:
        """Clear the node and ignore all later answers."""
        self._closed = True
        self._node.networks = self._node.volumes = {}
        for id in list(self._node.containers):
            self.forget(id)

    # ---- steps

    async def _inspect_all(
        self, ids: Sequence[str], summaries: Mapping[str, bytes], question: int
    ) -> None:
        """Inspect containers and update the cache; see ``_learn``."""
        answers = await self._ask_several([inspection_path(id) for id in ids])
        for id, answer in zip(ids, answers, strict=True):
            await self._learn(id, summaries[id], answer, question)

    async def _learn(self, id: str, summary: bytes, answer: Answer, question: int) -> None:
        """Update the cache.

        Args:
            id: the full id of a container, 64 digits.
            summary: its object in the answer to *question*.
            answer: the answer to its inspection.
            question: number of the list request; the inspection counts as no newer than it.
        """
        try:
            container = await self._reader.read(id, summary, answer)
        except EngineRefused as error:
            if error.status != 404:
                raise
            self.forget(id)
            return
        if container is not None:
            self._put(container, question)

    def _bury(self, id: str) -> None:
        self._gone[id] = None
        if len(self._gone) > _TOMBSTONES:
            self._gone.popitem(last=False)

    def _put(self, container: Container, question: int) -> None:
        """Store a container, unless the answer to a later request is stored already."""
        if self._closed or container.id in self._gone:
            return
        if question < self._believed.get(container.id, 0):
            return
        self._believed[container.id] = question
        self._unread.discard(container.id)
        self._show(container)

    def _show(self, container: Container) -> None:
        links = links_of(self._node.containers.get(container.id))
        self._node.put_container(container)
        self._listener.container_put(container)
        self._relink(links, links_of(container))

    def _relink(self, before: Links, now: Links) -> None:
        """Update the alias names of containers when another container's links change."""
        for name in {name for name, _ in before ^ now}:
            linked = find_named(self._node.containers.values(), name)
            if linked is not None:
                self._show(with_aliases(linked, name, before, now))

    def _tell_of(self, before: Objects, now: Objects, stale: Stale) -> None:
        """Report which spanning objects appeared or disappeared between two reads of a list."""
        if changed := shared_changes(before, now):
            self._listener.spanning_changed(self._node, changed, stale)

    def _next_question(self) -> int:
        self._questions += 1
        return self._questions

    async def _or_keep(self, read: Callable[[], Awaitable[None]]) -> None:
        try:
            await read()
        except EngineError as error:
            log.warning("engine %s: keeping an older list: %s", self._node.name, error)
