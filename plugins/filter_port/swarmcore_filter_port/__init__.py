"""Nodes whose host ports are free: ``--filter port``."""

from collections.abc import Iterator

from swarmcore import hookimpl
from swarmcore.protocols import ContainerConfig, Node, Rule

#: ``-p 8000-9000:8000-9000`` asks for 1,001: nobody reads a refusal of 10 KB that lists them all.
_MOST_NAMED = 8


@hookimpl
def swarmcore_filter() -> "PortFilter":
    return PortFilter()


class PortFilter:
    """Refuses nodes on which a published port, or one on the host's network, is held already.

    Protocol and host address count; of a range one free port is enough.  Containers in every
    state hold their ports, and so do placements that are not containers yet.
    """

    name = "port"

    def rules(self, config: ContainerConfig) -> Iterator[Rule]:
        """One rule for all ports together; none without ports."""
        ports = config.claim.ports
        if not ports:
            return

        def check(node: Node) -> str | None:
            clash = node.port_clash(ports)
            if clash is None:
                return None
            port, holder = clash
            taken = f"taken by {holder}"
            return taken if len(ports) == 1 else f"{port} {taken}"

        names = ", ".join(str(port) for port in ports[:_MOST_NAMED])
        if len(ports) > _MOST_NAMED:
            names += f" and {len(ports) - _MOST_NAMED} more"
        yield Rule(f"port {names}" if len(ports) == 1 else f"ports {names}", check)
