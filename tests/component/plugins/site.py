"""A folder of fake distributions, and the texts of small plugins for them."""

import textwrap

from swarmcore.options import Options, parse_discovery

DEFAULT_FILTERS = [
    *("health", "port", "containerslots", "dependency", "affinity", "constraint", "whitelist"),
    "platform",
]
STRATEGY = """
    from types import SimpleNamespace
    from swarmcore import hookimpl

    @hookimpl
    def swarmcore_strategy():
        return SimpleNamespace(name=__name__, weigh=lambda config, node: [0])
"""
FILTER = """
    from types import SimpleNamespace
    from swarmcore import hookimpl

    @hookimpl
    def swarmcore_filter():
        return SimpleNamespace(name=__name__, rules=lambda config: [])
"""
SHELVES = """
    from swarmcore import hookimpl
    from swarmcore.protocols import Route

    @hookimpl
    def swarmcore_routes():
        async def show(exchange):
            pass

        yield Route("GET", "/acme/shelves", show, routed="the caches", rewrites="filter node")
        yield Route("POST", "/acme/shelves/{name}", show)
"""
DISCOVERY = """
    from types import SimpleNamespace
    from swarmcore import hookimpl

    @hookimpl
    def swarmcore_discovery(uri):
        return SimpleNamespace(watch=None, name=__name__) if uri.scheme == "SCHEME" else None
"""
ROUTES = """
    from swarmcore import hookimpl

    @hookimpl
    def swarmcore_routes():
        return []
"""


class Site:
    """A folder on the path, which contains all distributions that can be found."""

    def __init__(self, folder):
        self.folder = folder

    def module(self, name, text):
        path = self.folder / f"{name}.py"
        path.write_text(textwrap.dedent(text))
        return path

    def install(self, name, text=STRATEGY, distribution=None, version="1.0", target=None):
        """Install a distribution with one entry point, whose target is its module."""
        distribution = distribution or f"acme-{name.replace('_', '-')}"
        target = target or f"acme_{name}"
        self.module(target, text)
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        info.joinpath("METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        )
        info.joinpath("entry_points.txt").write_text(f"[swarmcore.plugins]\n{name} = {target}\n")
        return info

    def install_defaults(self):
        self.install("strategy_spread")
        for name in DEFAULT_FILTERS:
            self.install(f"filter_{name}", FILTER)
        self.install("discovery_nodes", DISCOVERY.replace("SCHEME", "nodes"))
        self.install("api_docker", ROUTES)


def options(discovery="n1:1", **changes):
    return Options(parse_discovery(discovery), **changes)


def filters_of(plugins):
    return [each.name.removeprefix("acme_filter_") for each in plugins.filters()]
