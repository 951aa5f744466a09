"""What ``swarmcore plugins --routes`` shows: the routes of installed plugins, and who is asked.

The same rows make the table of ``docs/api.md``.
"""

import json
from collections.abc import Iterable, Sequence
from itertools import groupby

from swarmcore.plugins.catalogue import installed
from swarmcore.plugins.inspection import in_columns
from swarmcore.plugins.plugins import Plugins
from swarmcore.plugins.selection import load_installed
from swarmcore.protocols import Route

#: The name of a plugin, and one of its routes.
OwnedRoute = tuple[str, Route]


def installed_routes() -> list[OwnedRoute]:
    """The routes that a manager with every installed plugin answers, in the plugins' order.

    Raises:
        PluginError: a plugin is broken, or two claim one route; one line.
    """
    plugins = Plugins()
    load_installed(plugins, installed())
    return plugins.routes()


def routes_as_table(routes: Sequence[OwnedRoute]) -> str:
    """For people: one line each, in columns."""
    cells = [
        (route.method, route.template, plugin, route.routed, route.rewrites)
        for plugin, route in routes
    ]
    return in_columns(cells)


def routes_as_json(routes: Sequence[OwnedRoute]) -> str:
    """For scripts: a list of objects."""
    facts = [
        {
            "plugin": plugin,
            "method": route.method,
            "path": route.template,
            "routed": route.routed,
            "rewrites": route.rewrites,
        }
        for plugin, route in routes
    ]
    return json.dumps(facts, indent=2) + "\n"


def routes_as_markdown(routes: Iterable[Route]) -> str:
    """For a page: neighbours with the same answer are one row."""
    rows = ["| route | who is asked | what is rewritten |", "| --- | --- | --- |"]
    for (routed, rewrites), same in groupby(routes, lambda each: (each.routed, each.rewrites)):
        paths = "<br>".join(f"`{method} {path}`" for path, method in _by_path(same))
        rows.append(f"| {paths} | {routed} | {rewrites} |".replace("  ", " "))
    return "".join(f"{row}\n" for row in rows)


def _by_path(routes: Iterable[Route]) -> list[tuple[str, str]]:
    """Each path once, with its methods."""
    methods: dict[str, list[str]] = {}
    for route in routes:
        methods.setdefault(route.template, []).append(route.method)
    return [(path, " ".join(of)) for path, of in methods.items()]
