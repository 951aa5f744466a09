"""Where a new network or volume goes: what a client wrote, else what belongs together, else the
scheduler's choice.

An object of local scope binds every container that uses it, so those of one compose project, or of
one job of CI, go to one node as long as that takes them: a container can then use all of them.  One
that nothing uses yet goes to its first container; what is there counts like containers, so that
none is filled up.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from swarmcore.config import ContainerConfig, Need
from swarmcore.config.references import without_node
from swarmcore.errors import BadRequest, NoNodeFits, Unavailable
from swarmcore.images import has_image, normal_image, shown_image, split_image
from swarmcore.json_values import as_object
from swarmcore.node import Node, is_spanning
from swarmcore.protocols import Cluster, Engine

_PROJECT = "com.docker.compose.project"
#: Labels that say what belongs together.  GitLab's runner prepares each volume of a job by a
#: container of its own, so that none follows any more, before a container uses them all.
_GROUPS = (_PROJECT, "com.gitlab.gitlab-runner.job.id")
#: How long the first object of a project counts as a container, which others will follow: else all
#: projects that begin at once would begin on the node that has the fewest containers by now.
_BEGINNING_SECONDS = 3.0


def split_node(
    nodes: Sequence[Node], text: str, *, slashes: bool = False
) -> tuple[Node | None, str]:
    """The node and the name in ``node/name``; no node where *text* is a name alone.

    Args:
        nodes: every one.
        text: as the client wrote it.
        slashes: whether the name itself may have some.

    Raises:
        BadRequest: what stands before the slash is no node, and names have none.
    """
    for node in nodes:
        if (short := without_node(text, node)) != text:
            return node, short
    if "/" in text and not slashes:
        raise BadRequest(f"no node is called {text.partition('/')[0]}: write node/name, or a name")
    return None, text


def answering_engine(cluster: Cluster, node: Node, what: str) -> Engine:
    """The engine of *node*.

    Args:
        cluster: whose node it is.
        node: which.
        what: is there, for the error: ``volume data``.

    Raises:
        Unavailable: it does not answer at the moment.
    """
    if not node.health:
        raise Unavailable(f"{what} is on node {node.name}, which does not answer")
    return cluster.engine(node.id)


class Site:
    """Where one new object goes, and that it is expected there.

    Args:
        cluster: chooses.
        labels: the object's, as the client sent them; constraints among them hold.
        needs: what its engine must know.
        volume: the name of a new volume.
        plugin: makes that volume; empty where the engine does.

    Raises:
        BadRequest: labels that are none, or a malformed constraint.
    """

    def __init__(
        self,
        cluster: Cluster,
        labels: Any,
        needs: Sequence[Need] = (),
        *,
        volume: str = "",
        plugin: str = "",
    ) -> None:
        read = ContainerConfig.parse({"Labels": labels or {}})
        self._cluster = cluster
        self._plugin = plugin
        self._config = replace(
            read,
            needs=tuple(needs),
            volumes=(volume,) if volume else (),
            volume_plugins={volume: plugin} if plugin else {},
            slashed_volumes=(volume,) if "/" in volume else (),
        )
        groups = ((label, read.labels.get(label, "")) for label in _GROUPS)
        #: The label and the value that those share which it belongs to.
        self._group = next((each for each in groups if each[1]), None)
        self._tried: list[Engine] = []

    def choose(self, *, network: str = "") -> Engine:
        """The engine for an object that may go anywhere.

        Where a container waits for a network of that name; else where its group has something, a
        network say; else where it has an image, which a build before has left there; else the
        scheduler's choice.

        Args:
            network: the name of the object, where it is one.

        Raises:
            NoNodeFits: and why.
        """
        everywhere = self._cluster.engines()
        # Where no engine has the plugin, any of them says so in its own words.
        engines = list(filter(self._is_able, everywhere)) or everywhere
        for belongs in self._preferences(network):
            together = [each for each in engines if belongs(each.node)]
            try:
                return self._chosen(together)
            except NoNodeFits:
                pass
        return self._chosen(engines)

    def choose_other(self) -> Engine | None:
        """Another engine than those that were chosen before; ``None`` when none fits."""
        others = [each for each in self._cluster.engines() if each not in self._tried]
        try:
            return self._chosen(others)
        except NoNodeFits:
            return None

    def _chosen(self, engines: Sequence[Engine]) -> Engine:
        engine = self._cluster.choose(self._config, engines)
        self._tried.append(engine)
        return engine

    def _preferences(self, network: str) -> Iterator[Callable[[Node], bool]]:
        if network:
            yield lambda node: node.belongings.is_used(("network", network))
        if group := self._group:
            yield lambda node: _has_part_of(node, *group)
            yield lambda node: _has_image_of(node, *group)

    def _is_able(self, engine: Engine) -> bool:
        return not self._plugin or self._plugin in engine.node.ties.drivers

    def allowed(self, engines: Sequence[Engine]) -> list[Engine]:
        """Those of *engines* that take the object, at least one.

        Raises:
            NoNodeFits: and why.
        """
        found = []
        for engine in engines:
            with suppress(NoNodeFits):
                found.append(self._cluster.choose(self._config, [engine]))
        return found or [self._cluster.choose(self._config, engines)]

    def choose_maker(self, engines: Sequence[Engine]) -> Engine:
        """The engine that makes an object for all engines that it spans.

        It binds nobody to that engine, so whether a container would fit there does not matter.

        Args:
            engines: that can make it and answer, at least one.

        Raises:
            NoNodeFits: constraints among the labels allow none of them.
        """
        try:
            return self._cluster.choose(self._config, engines)
        except NoNodeFits:
            if self._config.constraints:
                raise
            return engines[0]

    @contextmanager
    def expected_on(self, engine: Engine) -> Iterator[None]:
        """Have decisions know of the object while *engine* makes it."""
        begins = self._group and not _has_part_of(engine.node, *self._group)
        linger = _BEGINNING_SECONDS if begins else 0
        with self._cluster.expecting(self._config, engine, linger):
            yield


def wants_image(node: Node, names: Sequence[str]) -> bool:
    """Whether containers of *node* run an image of these names, or a compose project there does.

    Compose calls the image of a service ``project-service``, its first generation
    ``project_service``, and says nothing else of the project when it builds.

    Args:
        node: which.
        names: of images, with or without tag.
    """
    normal = {normal_image(name) for name in names}
    if any(normal_image(each.image) in normal for each in node.containers.values()):
        return True
    begun = tuple(split_image(shown_image(name))[0] for name in names)
    return any(
        name.startswith((f"{project}_", f"{project}-"))
        for project in _groups_of(node, _PROJECT)
        for name in begun
    )


def has_any_image(node: Node, names: Sequence[str]) -> bool:
    """Whether *node* has an image of one of these names."""
    return any(has_image(node, name) for name in names)


def _groups_of(node: Node, label: str) -> set[str]:
    """The groups by *label* that have something on *node*, or are about to.

    What spans engines is nowhere in particular.
    """
    objects = (*node.networks.values(), *node.volumes.values())
    own = (_value(document, label) for document in objects if not is_spanning(document))
    return {*node.container_label_values(label), *own} - {"", None}


def _has_part_of(node: Node, label: str, group: str) -> bool:
    return group in _groups_of(node, label)


def _has_image_of(node: Node, label: str, group: str) -> bool:
    return any(_value(document, label) == group for document in node.images.values())


def _value(document: Mapping[str, Any], label: str) -> Any:
    return (document.get("Labels") or {}).get(label)


_CONSTRAINTS = "com.docker.swarm.constraints"


def pinned_labels(labels: Any, pinned: Node | None) -> dict[str, Any]:
    """The labels of an object that stays on the node that the client named, if it named one."""
    read = dict(as_object(labels))
    if pinned is not None and _CONSTRAINTS not in read:
        read[_CONSTRAINTS] = json.dumps([f"node=={pinned.name}"])
    return read
