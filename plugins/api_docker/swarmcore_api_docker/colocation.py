"""Choose the node of a new network or volume: together with the objects that it belongs to.

An object of local scope binds every container that uses it to its node.  So the objects of one
compose project, or of one CI job, go to one node while that node accepts them: a container can use
all of them then.  The scheduler counts an object that no container uses yet like a container, so
that no node is filled up with objects.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from swarmcore.container_config import ContainerConfig, Need
from swarmcore.container_config.references import without_node
from swarmcore.errors import BadRequest, NoNodeFits, Unavailable
from swarmcore.images import has_image, normal_image, shown_image, split_image
from swarmcore.json_values import as_object
from swarmcore.node import Node, is_spanning
from swarmcore.protocols import Cluster, Engine

_CONSTRAINTS = "com.docker.swarm.constraints"
_PROJECT = "com.docker.compose.project"
#: Labels that say which objects belong together.  GitLab's runner uses each volume of a job in a
#: container of its own before one container uses all of them, so volumes must be together already.
_GROUPS = (_PROJECT, "com.gitlab.gitlab-runner.job.id")
#: How long the first object of a project counts as a container.  Projects that begin at the same
#: time would otherwise all begin on the node that has the fewest containers at that moment.
_BEGINNING_SECONDS = 3.0


def split_node(
    nodes: Sequence[Node], text: str, *, slashes: bool = False
) -> tuple[Node | None, str]:
    """Split ``node/name``; the node is ``None`` where *text* is only a name.

    Args:
        nodes: every node.
        text: as the client wrote it.
        slashes: whether the name itself may contain slashes.

    Raises:
        BadRequest: the text before the slash is not a node, and the name may not contain slashes.
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
        cluster: the cluster of *node*.
        node: a registered node.
        what: the object that is on it, for the error: ``volume data``.

    Raises:
        Unavailable: the engine does not answer at the moment.
    """
    if not node.health:
        raise Unavailable(f"{what} is on node {node.name}, which does not answer")
    return cluster.engine(node.id)


class Colocation:
    """Chooses the engine of one new object.

    Args:
        cluster: the cluster, which has the scheduler.
        labels: the object's labels as the client sent them; constraints among them must hold.
        needs: fields that the engine must know.
        volume: the name of a new volume; empty for a network.
        plugin: the volume plugin that makes it; empty where the engine does.

    Raises:
        BadRequest: *labels* is not an object of texts, or has a malformed constraint.
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
        #: The label and value that all objects of its group share, or ``None``.
        self._group = next((each for each in groups if each[1]), None)
        self._tried: list[Engine] = []

    def choose(self, *, network: str = "") -> Engine:
        """The engine for an object that may go anywhere.

        It is the first of these that accepts the object: one where a container waits for a network
        of that name; one that has an object of its group; one that has an image of its group, left
        by an earlier build; any other that the scheduler chooses.

        Args:
            network: the name of a new network; empty for a volume.

        Raises:
            NoNodeFits: no engine accepts it; says why.
        """
        everywhere = self._cluster.engines()
        # Where no engine has the plugin, whichever is chosen says so in its own words.
        engines = list(filter(self._is_able, everywhere)) or everywhere
        for belongs in self._preferences(network):
            together = [each for each in engines if belongs(each.node)]
            try:
                return self._chosen(together)
            except NoNodeFits:
                pass
        return self._chosen(engines)

    def choose_other(self) -> Engine | None:
        """An engine that was not chosen before; ``None`` when no other accepts the object."""
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
            yield lambda node: node.objects.is_used(("network", network))
        if group := self._group:
            yield lambda node: _has_part_of(node, *group)
            yield lambda node: _has_image_of(node, *group)

    def _is_able(self, engine: Engine) -> bool:
        return not self._plugin or self._plugin in engine.node.ties.drivers

    def allowed(self, engines: Sequence[Engine]) -> list[Engine]:
        """Those of *engines* that accept the object, at least one.

        Raises:
            NoNodeFits: none does; says why.
        """
        found = []
        for engine in engines:
            with suppress(NoNodeFits):
                found.append(self._cluster.choose(self._config, [engine]))
        return found or [self._cluster.choose(self._config, engines)]

    def choose_maker(self, engines: Sequence[Engine]) -> Engine:
        """The engine that makes an object for all engines that it spans.

        Such an object binds no container to that engine, so that an engine without room for a
        container will do, too.

        Args:
            engines: engines that answer and can make it, at least one.

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
        """Count the object in decisions while *engine* makes it."""
        is_first = self._group and not _has_part_of(engine.node, *self._group)
        linger = _BEGINNING_SECONDS if is_first else 0
        with self._cluster.expecting(self._config, engine, linger):
            yield


def wants_image(node: Node, names: Sequence[str]) -> bool:
    """Whether a newly built image is likely to be used on *node*.

    It is when containers there run an image of one of these names, or when the names are those of a
    compose project that has something there.  Compose names the image of a service
    ``project-service`` (version 1: ``project_service``), and a build says nothing else about the
    project.

    Args:
        node: the node.
        names: names of the image, with or without a tag.
    """
    normal = {normal_image(name) for name in names}
    if any(normal_image(each.image) in normal for each in node.containers.values()):
        return True
    repositories = tuple(split_image(shown_image(name))[0] for name in names)
    return any(
        name.startswith((f"{project}_", f"{project}-"))
        for project in _groups_of(node, _PROJECT)
        for name in repositories
    )


def has_any_image(node: Node, names: Sequence[str]) -> bool:
    """Whether *node* has an image of one of these names."""
    return any(has_image(node, name) for name in names)


def _groups_of(node: Node, label: str) -> set[str]:
    """The groups by *label* that have an object on *node*, or are about to.

    Objects that span engines do not count: they are on no node in particular.
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


def with_node_constraint(labels: Any, pinned: Node | None) -> dict[str, Any]:
    """*labels* with a constraint on the node that the client named, if it named one.

    A later move of the object obeys that constraint.
    """
    read = dict(as_object(labels))
    if pinned is not None and _CONSTRAINTS not in read:
        read[_CONSTRAINTS] = json.dumps([f"node=={pinned.name}"])
    return read
