"""The map holds: imports go down, plugins know only what plugins may know, pure stays pure."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "swarmcore"

#: Level 0 and 1: values in, values out.
PURE = {
    "addresses", "cluster/image_dates", "compat", "config/claims", "config/config", "config/counts",
    "config/devices",
    "config/endpoints", "config/folding", "config/gates", "config/instructions", "config/prefixes",
    "config/references",
    "config/spelling", "engine/backoff", "engine/cache", "engine/link_aliases", "engine/specs",
    "errors", "events", "expr",
    "expression_rules", "filters", "image_names", "images", "json_values", "limits",
    "messages", "model", "names",
    "node/census", "node/gpus", "node/image_shelf",
    "node/node", "node/ports", "command_line/command",
    "command_line/durations", "command_line/flags", "command_line/tls", "command_line/usage",
    "options/option_tables", "options/weights", "patterns", "ranges",
    "relay/forwarding", "response_hooks", "routing", "scheduler/devices",
    "scheduler/failures", "scheduler/needs", "scheduler/ranking", "scheduler/refusals",
    "scheduler/room", "scheduler/scheduler", "scheduler/step", "scheduler/weighers",
    "server/bodies", "texts", "server/framing", "server/limits", "sizes", "stores/location",
    "versions", "weighing",
}  # fmt: skip
#: What a pure module must not import: the world.
WORLD = {"trio", "httpx", "httpcore", "h11", "socket", "ssl", "pluggy", "stevedore", "time", "os"}
#: What a plugin may import of the core: the words, pure functions, and what plugins see.
PLUGIN_FACING = {
    "addresses", "compat", "config", "errors", "events", "expr", "expression_rules", "filters",
    "hookimpl", "images", "json_values", "limits", "messages", "model", "names", "node",
    "patterns", "protocols", "ranges", "routing", "sizes", "stores", "versions", "weighing",
}  # fmt: skip
#: What a plugin with commands may import besides: to read options, to serve, to ask a manager.
COMMAND_FACING = {"command_line", "http", "server", "tls"}


def imported(path: Path) -> set[str]:
    """Every module that a file imports, dotted; ``from swarmcore import x`` as ``swarmcore.x``."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
            if node.module == "swarmcore":
                found |= {f"swarmcore.{alias.name}" for alias in node.names}
    return found


def modules(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


@pytest.mark.parametrize("name", sorted(PURE))
def test_a_pure_module_imports_nothing_of_the_world(name):
    assert {module.partition(".")[0] for module in imported(CORE / f"{name}.py")} & WORLD == set()


PLUGINS = sorted(path for path in (ROOT / "plugins").iterdir() if path.is_dir())


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda path: path.name)
def test_a_plugin_imports_only_what_is_meant_for_plugins(folder):
    package = folder / f"swarmcore_{folder.name}"
    has_commands = "\ncommand_" in (folder / "pyproject.toml").read_text()
    allowed = PLUGIN_FACING | COMMAND_FACING if has_commands else PLUGIN_FACING
    for path in modules(package):
        for module in imported(path):
            top, _, rest = module.partition(".")
            if top == "swarmcore" and rest:
                assert rest.partition(".")[0] in allowed, f"{path}: imports {module}"
            assert not top.startswith("swarmcore_") or top == package.name, f"{path}: {module}"


@pytest.mark.parametrize(
    ("library", "importers"),
    [
        ("httpx", {"stores/http.py"}),
        ("httpcore", set()),
        ("stevedore", {"plugins/plugins.py"}),
        ("asyncio", set()),
    ],
)
def test_a_library_has_one_door(library, importers):
    found = {
        str(path.relative_to(CORE))
        for path in modules(CORE)
        if "testing" not in path.parts
        and any(module.partition(".")[0] == library for module in imported(path))
    }
    assert found <= importers


def test_nothing_imports_the_test_kit_but_the_demo():
    found = {
        str(path.relative_to(CORE))
        for path in modules(CORE)
        if "testing" not in path.parts
        and any(module.startswith("swarmcore.testing") for module in imported(path))
    }
    assert found <= {"demo.py"}


def test_levels():
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
