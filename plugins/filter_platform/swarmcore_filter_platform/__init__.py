"""Nodes that run the platform that is asked for: ``--filter platform``."""

from collections.abc import Iterator

from swarmcore import hookimpl
from swarmcore.protocols import ContainerConfig, Node, Rule
from swarmcore_filter_platform.platforms import Platform, parse_platform, runs

#: A label of nodes that emulate: more platforms, separated by commas.
LABEL = "swarm.platforms"


@hookimpl
def swarmcore_filter() -> "PlatformFilter":
    return PlatformFilter()


class PlatformFilter:
    """Refuses nodes whose machines run other programs."""

    name = "platform"

    def rules(self, config: ContainerConfig) -> Iterator[Rule]:
        """One rule for a platform that can be read; the engine refuses another in its own words.

        None where no node of the cluster runs it, as a lone engine has none: that answers 404 until
        its image is of that platform, which makes clients pull it.  A build may be of a platform
        that its node does not run, so for it that is a wish.
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
            yield Rule(f"platform {wanted}", check, soft=not config.image)


def node_platforms(node: Node) -> list[Platform]:
    """What *node* runs: its machine's platform first; nothing when its engine does not tell."""
    system, architecture = node.info.get("OSType"), node.info.get("Architecture")
    if not (system and architecture):
        return []
    texts = [f"{system}/{architecture}", *node.labels.get(LABEL, "").split(",")]
    return [each for text in texts if (each := parse_platform(text.strip())) is not None]
