"""Selects nodes of the requested platform: ``--filter platform``."""

from collections.abc import Iterator

from swarmcore import hookimpl
from swarmcore.protocols import Aspect, ContainerConfig, Node, Rule
from swarmcore_filter_platform.platforms import Platform, parse_platform, runs

#: Label of nodes that emulate further platforms: a list separated by commas.
LABEL = "swarm.platforms"


@hookimpl
def swarmcore_filter() -> "PlatformFilter":
    return PlatformFilter()


class PlatformFilter:
    """Refuses nodes that cannot run programs of the requested platform."""

    name = "platform"

    def rules(self, config: ContainerConfig) -> Iterator[Rule]:
        """One rule for a valid platform; the engine refuses an invalid one.

        There is no rule if no node of the cluster runs the platform: the chosen engine then answers
        404 until its image has that platform, which makes clients pull it.  For a build the rule is
        soft, as a build may be for another platform.
        """
        wanted = parse_platform(config.platform)
        if wanted is None:
            return

        def check(node: Node) -> str | None:
            platforms = node_platforms(node)
            if not platforms or any(runs(each, wanted) for each in platforms):
                return None
            return f"runs {', '.join(map(str, platforms))}"

        if not config.known_nodes or any(check(node) is None for node in config.known_nodes):
            yield Rule(
                f"platform {wanted}",
                check,
                soft=not config.image,
                key=wanted,
                reads=(Aspect.MACHINE,),
            )


def node_platforms(node: Node) -> list[Platform]:
    """The platforms that *node* runs, its own first; empty if its engine does not report it."""
    system, architecture = node.info.get("OSType"), node.info.get("Architecture")
    if not (system and architecture):
        return []
    texts = [f"{system}/{architecture}", *node.labels.get(LABEL, "").split(",")]
    return [each for text in texts if (each := parse_platform(text.strip())) is not None]
