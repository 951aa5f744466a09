"""Imports follow the levels of pyproject.toml, plugins import public modules only, and modules
that are called pure are pure."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "swarmcore"


def read_levels():
    """Return the levels of pyproject.toml, highest first, each as the names of its modules."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contract, *_ = project["tool"]["importlinter"]["contracts"]
    return [re.split(r"\s*[|:]\s*", level) for level in contract["layers"]]


LEVELS = read_levels()


def up_to(name):
    """Return the modules of the level that contains *name*, and of the levels below it."""
    [index] = [index for index, level in enumerate(LEVELS) if name in level]
    return {module for level in LEVELS[index:] for module in level}


#: What a pure module must not import: the world.
WORLD = {"trio", "httpx", "httpcore", "h11", "socket", "ssl", "pluggy", "stevedore", "time", "os"}
#: Decisions and all that is below them are pure, but for these, whose pure modules say so.
TIME_AND_CHANCE = {"clock", "chance", "threads"}
IMPURE = {"hookspecs", "http", "image_supply", "stores"} | TIME_AND_CHANCE
#: What a plugin may import of the core.
PLUGIN_FACING = (up_to("protocols") | {"stores", "hookimpl"}) - {"http", "command_line"}
PLUGIN_FACING |= {"http.messages", "http.routing", "image_supply"}
#: What a plugin with commands may import besides: to read options, to serve, to ask a manager.
COMMAND_FACING = {"command_line", "http"}


def imported(path: Path) -> set[str]:
    """Return every module that a file imports, dotted; ``from swarmcore import x`` is
    ``swarmcore.x``."""
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


def is_pure(path: Path) -> bool:
    """Return whether a module is on a pure level, or has a docstring that ends with ``Pure.``."""
    top = path.relative_to(CORE).parts[0].removesuffix(".py")
    docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
    return top in up_to("scheduler") - IMPURE or docstring.endswith("Pure.")


PURE = {str(path.relative_to(CORE)): path for path in modules(CORE) if is_pure(path)}


@pytest.mark.parametrize("name", PURE)
def test_a_pure_module_does_no_input_or_output(name):
    modules = imported(PURE[name])
    assert {module.partition(".")[0] for module in modules} & WORLD == set()
    assert modules & {f"swarmcore.{each}" for each in TIME_AND_CHANCE} == set()


def test_a_module_says_that_it_is_pure():
    assert {"engine/specs.py", "http/headers.py", "options/weight_options.py"} < PURE.keys()


def test_the_map_for_contributors_shows_every_level():
    text = (ROOT / "docs" / "contributing.md").read_text()
    rows = re.findall(r"^\| [^`|]+ \| ((?:`[a-z_/]+`(?:, )?)+) \|$", text, re.MULTILINE)
    shown = [{name.rstrip("/") for name in re.findall(r"[a-z_/]+", row)} for row in rows]
    assert shown == [set(level) for level in LEVELS]


PLUGINS = sorted(path for path in (ROOT / "plugins").iterdir() if path.is_dir())


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda path: path.name)
def test_a_plugin_imports_only_modules_for_plugins(folder):
    package = folder / f"swarmcore_{folder.name}"
    has_commands = "\ncommand_" in (folder / "pyproject.toml").read_text()
    allowed = PLUGIN_FACING | COMMAND_FACING if has_commands else PLUGIN_FACING
    for path in modules(package):
        for module in imported(path):
            top, _, rest = module.partition(".")
            if top == "swarmcore" and rest:
                assert {rest, rest.partition(".")[0]} & allowed, f"{path}: imports {module}"
            assert not top.startswith("swarmcore_") or top == package.name, f"{path}: {module}"


@pytest.mark.parametrize(
    ("library", "importers"),
    [
        ("httpx", {"stores/http.py"}),
        ("httpcore", set()),
        ("stevedore", {"plugins/importing.py"}),
        ("asyncio", set()),
    ],
)
def test_a_library_is_imported_in_one_place(library, importers):
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


def test_nothing_imports_the_lab_but_the_demo():
    found = {
        str(path.relative_to(CORE))
        for path in modules(CORE)
        if any(module.partition(".")[0] == "swarmcore_lab" for module in imported(path))
    }
    assert found == {"demo.py"}


def test_no_file_is_long():
    folders = ("swarmcore", "plugins", "packages", "benchmarks", "tests")
    lines = {
        str(path.relative_to(ROOT)): path.read_text().count("\n")
        for folder in folders
        for path in modules(ROOT / folder)
    }
    assert {name: count for name, count in lines.items() if count > 400} == {}


def test_levels():
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
