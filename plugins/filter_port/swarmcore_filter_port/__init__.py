"""Nodes whose host ports are free: ``--filter port``."""

from collections.abc import Iterator

from swarmcore import hookimpl
from swarmcore.model import HostPort
from swarmcore.protocols import ContainerConfig, Rule

#: ``-p 8000-9000:8000-9000`` asks for 1,001: nobody reads a refusal of 10 KB that lists them all.
_MOST_NAMED = 8


@hookimpl
def swarmcore_filter() -> "PortFilter":
    return PortFilter()


class PortFilter:
    """Refuses nodes on which a published port, or one on the host's network, is held already.

    Protocol and host address count; of a range one free port is enough.  What runs holds its
    ports, so do placements that are not containers yet and containers that wait for their first
    start.  As on an engine, stopped containers are in nobody's way before they start again; still
    nodes are preferred where none claims the port.
    """

    name = "port"

    def rules(self, config: ContainerConfig) -> Iterator[Rule]:
        """A rule and a wish for all ports together; none without ports."""
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
        yield Rule(text, lambda node: worded(node.port_clash(ports), "taken by"))
        yield Rule(
            f"no claim on {text}",
            lambda node: worded(node.port_clash(ports, claimed=True), "claimed by"),
            soft=True,
        )
