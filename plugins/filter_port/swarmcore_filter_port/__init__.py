"""Refuses nodes whose host ports are in use: ``--filter port``."""

from collections.abc import Iterator

from swarmcore import hookimpl
from swarmcore.model import HostPort
from swarmcore.protocols import Aspect, ContainerConfig, Rule

#: How many ports a refusal lists; ``-p 8000-9000:8000-9000`` requests 1,001 ports.
_MOST_NAMED = 8
#: The verdicts for more ports are not kept, as their keys would take much memory.
_MOST_KEPT = 64


@hookimpl
def swarmcore_filter() -> "PortFilter":
    return PortFilter()


class PortFilter:
    """Refuses nodes on which a requested host port is held; includes ports on the host's network.

    Protocol and host address are taken into account; for a range, one free port is enough.
    Containers that run hold their ports, and so do creates under way and containers that wait for
    their first start.  Stopped containers do not, as on an engine, but nodes on which no container
    claims the port are preferred.
    """

    name = "port"

    def rules(self, config: ContainerConfig) -> Iterator[Rule]:
        """A hard and a soft rule for all ports together; none without ports."""
        ports = config.claim.ports
        if not ports:
            return
        alone = len(ports) == 1

        def worded(clash: tuple[HostPort, str] | None, by: str) -> str | None:
            if clash is None:
                return None
            port, holder = clash
            return f"{by} {holder}" if alone else f"{port} {by} {holder}"

        names = ", ".join(str(port) for port in ports[:_MOST_NAMED])
        if len(ports) > _MOST_NAMED:
            names += f" and {len(ports) - _MOST_NAMED} more"
        text = f"port {names}" if alone else f"ports {names}"
        is_kept = len(ports) <= _MOST_KEPT
        yield Rule(
            text,
            lambda node: worded(node.port_clash(ports), "taken by"),
            key=("taken", ports) if is_kept else None,
            reads=(Aspect.CONTAINERS,),
        )
        yield Rule(
            f"no claim on {text}",
            lambda node: worded(node.port_clash(ports, claimed=True), "claimed by"),
            soft=True,
            key=("claimed", ports) if is_kept else None,
            reads=(Aspect.CONTAINERS,),
        )
