"""The output of ``swarmcore plugins --routes``: the routes of all installed plugins.

The table in ``docs/api.md`` is made from the same rows.
"""

import json
from collections.abc import Iterable, Sequence
from itertools import groupby

from swarmcore.plugins.catalogue import installed
from swarmcore.plugins.inspection import in_columns
from swarmcore.plugins.plugins import Plugins
from swarmcore.plugins.selection import load_installed
from swarmcore.protocols import Route

#: The name of a plugin and one of its routes.
OwnedRoute = tuple[str, Route]


def installed_routes() -> list[OwnedRoute]:
    """The routes of a manager that loads all installed plugins, in the plugins' order.

    Raises:
        PluginError: a plugin is broken, or two plugins have the same route.
    """
    known = installed()
    plugins = Plugins(known=known)
    load_installed(plugins, known)
    return plugins.routes()


def routes_as_table(routes: Sequence[OwnedRoute]) -> str:
    """Format routes as text in columns."""
    cells = [
        (route.method, route.template, plugin, route.routed, route.rewrites)
        for plugin, route in routes
    ]
    return in_columns(cells)


def routes_as_json(routes: Sequence[OwnedRoute]) -> str:
    """Format routes as a JSON list of objects."""
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
    """Format routes as a Markdown table; adjacent routes with the same notes share a row."""
    rows = ["| route | who is asked | what is rewritten |", "| --- | --- | --- |"]
    for (routed, rewrites), same in groupby(routes, lambda each: (each.routed, each.rewrites)):
        paths = "<br>".join(f"`{method} {path}`" for path, method in _by_path(same))
        rows.append(f"| {paths} | {routed} | {rewrites} |".replace("  ", " "))
    return "".join(f"{row}\n" for row in rows)


def _by_path(routes: Iterable[Route]) -> list[tuple[str, str]]:
    """Each path with its methods, in order."""
    methods: dict[str, list[str]] = {}
    for route in routes:
        methods.setdefault(route.template, []).append(route.method)
    return [(path, " ".join(of)) for path, of in methods.items()]
