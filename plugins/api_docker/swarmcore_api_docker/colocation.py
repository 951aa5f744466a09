"""Choose the node of a new network or volume, near the objects that it belongs to.

A container can run only on the node of its local networks and volumes.  So all objects of one
compose project, or of one CI job, are made on one node while that node accepts them; then a
container can use all of them.  The scheduler counts an object that no container uses yet as one
container, so that objects alone do not fill up a node.
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
#: Labels that say which objects belong together.  GitLab's runner mounts each volume of a job in a
#: separate container first, and all of them in one container later.
#: container of its own before one container uses all of them, so volumes must be together already.
_GROUPS = (_PROJECT, "com.gitlab.gitlab-runner.job.id")
#: How long the first object of a project counts as a container.  Without this, projects that begin
#: at the same time would all begin on the node that has the fewest containers at that moment.
#: time would otherwise all begin on the node that has the fewest containers at that moment.
_BEGINNING_SECONDS = 3.0


def split_node(
    nodes: Sequence[Node], text: str, *, slashes: bool = False
) -> tuple[Node | None, str]:
    """Split ``node/name``.

    Args:
        nodes: every node.
        text: as the client wrote it.
        slashes: whether the name itself may contain slashes.

    Returns:
        The node and the name; ``None`` and *text* if *text* names no node.

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
    """Return the engine of *node*.

    Args:
        cluster: the cluster of *node*.
        node: a registered node.
        what: the object on that node, for the text of the error: ``volume data``.

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
        needs: fields of the request that the engine must know.
        volume: the name of a new volume; empty for a network.
        plugin: the plugin that makes the volume; empty if the engine itself makes it.

    Raises:
        BadRequest: *labels* is not an object of strings, or has a malformed constraint.
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
        """Choose the engine for an object that may go to any node.

        The scheduler chooses among the first of these groups in which an engine accepts the object:
        engines with a container that waits for a network of that name; engines with an object of
        the same project or job; engines with an image of it, left by an earlier build; all engines.

        Args:
            network: the name of a new network; empty for a volume.

        Raises:
            NoNodeFits: no engine accepts the object; the text gives the reasons.
        """
        everywhere = self._cluster.engines()
        # If no engine has the plugin, any engine may be asked: it answers with Docker's error.
        engines = list(filter(self._is_able, everywhere)) or everywhere
        for belongs in self._preferences(network):
            together = [each for each in engines if belongs(each.node)]
            try:
                return self._chosen(together)
            except NoNodeFits:
                pass
        return self._chosen(engines)

    def choose_other(self) -> Engine | None:
        """Choose an engine that was not chosen before; ``None`` if no other one accepts."""
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
        """Return the engines of *engines* that accept the object, at least one.

        Raises:
            NoNodeFits: no engine accepts the object; the text gives the reasons.
        """
        found = []
        for engine in engines:
            with suppress(NoNodeFits):
                found.append(self._cluster.choose(self._config, [engine]))
        return found or [self._cluster.choose(self._config, engines)]

    def choose_maker(self, engines: Sequence[Engine]) -> Engine:
        """Choose the engine that makes an object which spans several engines.

        Containers that use such an object may run on other engines, so the engine need not have
        room for a container.

        Args:
            engines: engines that answer and can make the object, at least one.

        Raises:
            NoNodeFits: constraints among the labels allow none of the engines.
        """
        try:
            return self._cluster.choose(self._config, engines)
        except NoNodeFits:
            if self._config.constraints:
                raise
            return engines[0]

    @contextmanager
    def expected_on(self, engine: Engine) -> Iterator[None]:
        """Count the object in scheduling decisions while *engine* makes it."""
        is_first = self._group and not _has_part_of(engine.node, *self._group)
        linger = _BEGINNING_SECONDS if is_first else 0
        with self._cluster.expecting(self._config, engine, linger):
            yield


def wants_image(node: Node, names: Sequence[str]) -> bool:
    """Return whether a newly built image will probably be used on *node*.

    It will if containers there run an image of one of these names, or if the names belong to a
    compose project that has objects there.  Compose names the image of a service
    ``project-service`` (version 1: ``project_service``); a build says nothing else about its
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
    """Return whether *node* has an image of one of these names."""
    return any(has_image(node, name) for name in names)


def _groups_of(node: Node, label: str) -> set[str]:
    """Return the values of *label* of objects on *node*, and of objects being made there.

    Objects that span engines are not counted, because they belong to several nodes.
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
    """Return *labels* with a constraint on the node that the client named, if it named one.

    A later move of the object obeys that constraint.
    """
    read = dict(as_object(labels))
    if pinned is not None and _CONSTRAINTS not in read:
        read[_CONSTRAINTS] = json.dumps([f"node=={pinned.name}"])
    return read
