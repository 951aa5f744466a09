"""What the contracts of all kinds share: a plugin is found by its entry point, and fits."""

from collections.abc import Mapping
from typing import ClassVar

from swarmcore.plugins.catalogue import PluginInfo, find
from swarmcore.plugins.plugins import Plugins


class PluginContract:
    """One installed plugin.

    Attributes:
        kind: the first word of the entry point's name.
        name: the rest of it: what a user types.
        hook: what the plugin must implement.
        options: ``--cluster-opt`` (a discovery: ``--discovery-opt``) keys and values to test with.
    """

    kind: ClassVar[str]
    hook: ClassVar[str]
    name: ClassVar[str]
    options: ClassVar[Mapping[str, str]] = {}

    @property
    def entry_point(self) -> str:
        """The plugin's full name."""
        return f"{self.kind}_{self.name}"

    def load(self) -> Plugins:
        """A plugin set of its own for each test, with this one plugin in it."""
        plugins = Plugins(self.options)
        plugins.load([self.entry_point])
        return plugins

    def test_the_plugin_is_installed_under_its_name(self) -> None:
        """``pip`` knows its distribution and version: error messages and listings name them."""
        info: PluginInfo = find(self.entry_point)
        assert info.distribution not in ("", "?")
        assert info.version not in ("", "?")

    def test_the_plugin_implements_its_kinds_hook(self) -> None:
        """And no hook that this core does not specify: loading checks that."""
        assert self.load().implementers(self.hook) == [self.entry_point]
