"""What a client asked to create, read once for placement and forwarded field by field."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from swarmcore.model import Claim


@dataclass(frozen=True, slots=True)
class ContainerConfig:
    """The body of ``POST /containers/create``, as placement reads it.

    Attributes:
        name: without slash; empty when the client left it to us.
        body: what the engine will get: scheduling expressions taken out of ``Env`` and kept in
            labels; every field we do not know untouched.
        image: as the client named it.
        labels: the body's labels, scheduling ones included.
        constraints, affinities, whitelists, reschedule_policies: expressions, labels' first.
        claim: CPUs, memory and host ports.
        platform: the ``platform`` query parameter, or empty.
        swarm_id: label ``com.docker.swarm.id``.
        network_mode: ``HostConfig.NetworkMode``.
        exposed_ports: keys of ``ExposedPorts``: ``80/tcp``.
        volumes_from, links: names of the containers depended on, without options.
    """

    name: str
    body: Mapping[str, Any]
    image: str
    labels: Mapping[str, str]
    constraints: tuple[str, ...] = ()
    affinities: tuple[str, ...] = ()
    whitelists: tuple[str, ...] = ()
    reschedule_policies: tuple[str, ...] = ()
    claim: Claim = Claim()  # noqa: RUF009  (frozen)
    platform: str = ""
    swarm_id: str = ""
    network_mode: str = ""
    exposed_ports: tuple[str, ...] = ()
    volumes_from: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
