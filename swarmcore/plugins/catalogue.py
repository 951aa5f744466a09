"""The installed plugins: entry points of the group ``swarmcore.plugins`` with their distributions.

``installed`` reads the metadata of all packages, which takes 20 ms; nothing here imports a plugin.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import Message
from importlib.metadata import EntryPoint, entry_points

from swarmcore.errors import PluginConflict, PluginNotFound
from swarmcore.similar import did_you_mean

GROUP = "swarmcore.plugins"

#: A kind that only the command line loads, for commands of plugins.
COMMAND_KIND = "command"

#: The hook that a plugin of a kind must implement.
KIND_HOOKS = {
    "discovery": "swarmcore_discovery",
    "strategy": "swarmcore_strategy",
    "filter": "swarmcore_filter",
    "weigher": "swarmcore_weigher",
    COMMAND_KIND: "swarmcore_commands",
}

#: Kinds that are loaded whenever they are installed, unless ``--without`` names them.
LOADED_WHEN_INSTALLED = frozenset({"api", "ext"})


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """The origin of a plugin.

    Attributes:
        name: the name for ``--plugin``.
        distribution, version: the package that provides it; empty for a module or a file.
        target: the module, or the path of the file.
        point: the entry point; ``None`` for a module or a file.
    """

    name: str
    distribution: str = ""
    version: str = ""
    target: str = ""
    point: EntryPoint | None = field(default=None, repr=False, compare=False)

    @property
    def kind(self) -> str:
        """The first word of an entry point's name, such as ``discovery`` or ``api``."""
        return self.name.partition("_")[0]

    def __str__(self) -> str:
        """For messages: ``'strategy_x' (acme-x 9.9.9, acme_x)``."""
        facts = [f"{self.distribution} {self.version}".strip(), self.target]
        known = ", ".join(fact for fact in facts if fact and fact != self.name)
        return f"{self.name!r} ({known})" if known else repr(self.name)


def installed() -> list[PluginInfo]:
    """All installed plugins, sorted by name; a name of two distributions appears twice."""
    found = [_info(point) for point in entry_points(group=GROUP)]
    return sorted(found, key=lambda info: (info.name, info.distribution))


def find(name: str, among: Sequence[PluginInfo] | None = None) -> PluginInfo:
    """The installed plugin called *name*.

    Args:
        name: the name of an entry point.
        among: the result of ``installed``, if known already.

    Raises:
        PluginNotFound: there is none; the message lists the installed ones.
        PluginConflict: there are two; the message names both distributions.
    """
    known = installed() if among is None else among
    matches = [info for info in known if info.name == name]
    if not matches:
        raise PluginNotFound(f"no plugin is called {name!r}; {hint(name, known)}")
    if len(matches) > 1:
        raise PluginConflict(conflict(matches))
    return matches[0]


def hint(name: str, known: Sequence[PluginInfo]) -> str:
    """The installed plugin that *name* may mean, else all installed ones, for messages."""
    return did_you_mean(name, {info.name for info in known}, listing(known))


def listing(known: Sequence[PluginInfo], kind: str = "") -> str:
    """``installed: a, b``, for messages; only names of *kind* if given."""
    names = sorted({info.name for info in known if kind in ("", info.kind)})
    if not names:
        return "none is installed; 'pip install swarmcore-manager[standard]' brings the usual ones"
    return f"installed: {', '.join(names)}"


def conflict(matches: Sequence[PluginInfo]) -> str:
    """The message for two plugins with the same name."""
    return f"two plugins claim one name: {matches[0]} and {matches[1]}"


def conflicting(known: Sequence[PluginInfo]) -> set[str]:
    """Names that more than one entry point has."""
    return {name for name, count in Counter(info.name for info in known).items() if count > 1}


def _info(point: EntryPoint) -> PluginInfo:
    metadata = point.dist.metadata if point.dist else Message()
    # A damaged dist-info folder lacks a key; the other plugins must still be listed.
    name, version = (str(metadata[key]) if key in metadata else "?" for key in ("Name", "Version"))
    return PluginInfo(point.name, name, version, point.value, point)
