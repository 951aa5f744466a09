"""``swarmcore plugins``: lists installed plugins, which of them load, and which are broken."""

import sys

from swarmcore.command_line import Call, Command, Option, Usage
from swarmcore.printable import printable

PLUGINS_OPTIONS = (
    Option("json", "print JSON, for scripts", kind="switch", default=("false",), place="start"),
    Option(
        "routes",
        "print the HTTP routes of the plugins, and which engines they ask",
        kind="switch",
        default=("false",),
        place="start",
    ),
)


def _run(call: Call) -> int:
    call.refuse_words()
    settings = call.settings({})
    status = 0
    wants_json = settings["json"].value
    if settings["routes"].value:
        from swarmcore.plugins.route_listing import (
            installed_routes,
            routes_as_json,
            routes_as_table,
        )

        routes = installed_routes()
        text = routes_as_json(routes) if wants_json else routes_as_table(routes)
    else:
        from swarmcore.plugins.inspection import as_json, as_table, inspect_installed
        from swarmcore.plugins.selection import is_loaded_by_default

        rows = inspect_installed()
        text = as_json(rows) if wants_json else as_table(rows)
        status = int(any(row.problem and is_loaded_by_default(row.info) for row in rows))
    sys.stdout.write(printable(text, keep="\n"))
    return status


PLUGINS = Command(
    Usage(
        "plugins",
        "list installed plugins, and which of them load or are broken",
        "",
        PLUGINS_OPTIONS,
    ),
    _run,
)
