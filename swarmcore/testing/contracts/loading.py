"""The base of all contracts: the plugin is found by its entry point and implements its hook."""

from collections.abc import Mapping
from typing import ClassVar

from swarmcore.plugins.catalogue import PluginInfo, find
from swarmcore.plugins.plugins import Plugins


class PluginContract:
    """The tests of any plugin.

    Attributes:
        kind: the first word of the entry point's name.
        name: the rest of the entry point's name, which users write.
        hook: the hook that the plugin must implement.
        options: the keys and values of ``--cluster-opt`` (for a discovery: ``--discovery-opt``) for
            the tests.
    """

    kind: ClassVar[str]
    hook: ClassVar[str]
    name: ClassVar[str]
    options: ClassVar[Mapping[str, str]] = {}

    @property
    def entry_point(self) -> str:
        """The full name of the entry point."""
        return f"{self.kind}_{self.name}"

    def load(self) -> Plugins:
        """Return a new plugin set that contains only this plugin."""
        plugins = Plugins(self.options)
        plugins.load([self.entry_point])
        return plugins

    def test_the_plugin_is_installed_under_its_name(self) -> None:
        """Its distribution and version are known, for error messages and listings."""
        info: PluginInfo = find(self.entry_point)
        assert info.distribution not in ("", "?")
        assert info.version not in ("", "?")

    def test_the_plugin_implements_its_kinds_hook(self) -> None:
        """It implements no unknown hook; loading would refuse it."""
        assert self.load().implementers(self.hook) == [self.entry_point]
