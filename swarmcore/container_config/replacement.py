"""Which existing containers a new container replaces.

Some tools create the new container before they remove the old one, which works on one engine as
nothing collides before the start.  Compose marks replacements by labels and names (both
generations); other tools rename the old container first (watchtower itself, Portainer, scripts).
Pure.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from swarmcore.model import Container, HostPort
from swarmcore.node import Node

_COMPOSE = "com.docker.compose"
_PROJECT, _SERVICE = f"{_COMPOSE}.project", f"{_COMPOSE}.service"
_REPLACE, _ONE_OFF = f"{_COMPOSE}.replace", f"{_COMPOSE}.oneoff"
#: Labels that together identify one replica of a compose service.
_PLACE = (_PROJECT, _SERVICE, f"{_COMPOSE}.container-number")
#: ``1a2d5445ec25_web``: compose v2 gives such a name to the new container until the old one is
#: removed, compose v1 to the old container.
_BESIDE = re.compile(r"([0-9a-f]{12})_(.+)")


@dataclass(frozen=True, slots=True)
class Replacement:
    """A container that is about to be created.

    Attributes:
        name: without slash.
        labels: labels of the create.
        ports: host ports that it claims.
    """

    name: str
    labels: Mapping[str, str]
    ports: Sequence[HostPort] = ()

    @property
    def is_marked(self) -> bool:
        """Whether labels or the name mark it as a replacement, so that any node may have the old
        container; otherwise only a container that had its name before can be replaced."""
        return (
            _REPLACE in self.labels
            or _SERVICE in self.labels
            or _BESIDE.fullmatch(self.name) is not None
        )

    def replaced(self, nodes: Iterable[Node]) -> Iterator[str]:
        """The ids of the containers on *nodes* that it replaces."""
        beside = _BESIDE.fullmatch(self.name)
        words = {self.labels.get(_REPLACE, ""), beside[1] if beside else ""} - {""}
        service = self.labels.get(_SERVICE)
        for node in nodes:
            if self._may_replace_on(node, words, service):
                for container in node.containers.values():
                    if self._names(container) or (
                        container.id not in node.starting
                        and (self._succeeds(container) or self._takes_over(container, node))
                    ):
                        yield container.id

    def _may_replace_on(self, node: Node, words: Collection[str], service: str | None) -> bool:
        """Whether *node* may have a container that it replaces; avoids visiting all containers.

        Args:
            node: the node.
            words: names and ids that the labels and the name of the create refer to.
            service: the compose service of the create.
        """
        return (
            any(word in node.container_words for word in words)
            or (service is not None and service in node.container_label_values(_SERVICE))
            or node.renamed_from(self.name) != ""
        )

    def _names(self, container: Container) -> bool:
        """Whether one of the two names is the other's, prefixed by the id of the old container."""
        id = container.id[:12]
        return self.name == f"{id}_{container.name}" or container.name == f"{id}_{self.name}"

    def _succeeds(self, container: Container) -> bool:
        """Whether the labels mark *container* as replaced.

        Except by its id, a container that waits for its first start is never replaced, as two
        concurrent creates may have the same labels.
        """
        replaced, project = self.labels.get(_REPLACE), self.labels.get(_PROJECT)
        if replaced == container.id:
            return True
        if replaced == container.name and project == container.labels.get(_PROJECT):
            return True
        place = [self.labels.get(label) for label in _PLACE]
        one_off = self.labels.get(_ONE_OFF, "").lower() == "true"
        return (
            None not in place
            and not one_off
            and place == [container.labels.get(label) for label in _PLACE]
            and container.labels.get(_ONE_OFF, "").lower() != "true"
        )

    def _takes_over(self, container: Container, node: Node) -> bool:
        """Whether *container* previously had this name, and has a port that is requested now.

        The previous name alone is not enough, as it may have been given up long ago.
        """
        return container.id == node.renamed_from(self.name) and any(
            asked.clashes(port) for asked in self.ports for port in container.claim.ports
        )
