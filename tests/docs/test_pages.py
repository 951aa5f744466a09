"""The documentation agrees with the code: hooks, the example package, links, commands."""

import inspect
import re
import tomllib
from pathlib import Path

import pytest

from swarmcore import hookspecs

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
ACME = Path(__file__).parent / "acme_rack"

HOOKS = {
    name: list(inspect.signature(value).parameters)
    for name, value in vars(hookspecs).items()
    if name.startswith("swarmcore_")
}


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_has_a_heading_with_its_exact_arguments(name):
    heading = f"### `{name}({', '.join(HOOKS[name])})`"
    assert heading in (DOCS / "hooks.md").read_text().splitlines()


def test_the_hooks_page_names_no_hook_that_is_gone():
    named = re.findall(r"^### `(\w+)\(", (DOCS / "hooks.md").read_text(), re.MULTILINE)
    assert sorted(named) == sorted(HOOKS)


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_is_used_in_a_test(name):
    mine = Path(__file__)
    tests = [*ROOT.glob("tests/**/*.py"), *ROOT.glob("plugins/*/tests/*.py")]
    plugins = ROOT.glob("p*/*/swarmcore_*/*.py")
    assert any(name in path.read_text() for path in [*tests, *plugins] if path != mine)


def test_the_example_in_writing_plugins_is_the_tested_package():
    page = (DOCS / "writing-plugins.md").read_text()
    shown = re.findall(r"```\w+ file=(\S+)\n(.*?)```\n", page, re.DOTALL)
    assert {name for name, _ in shown} == {
        str(path.relative_to(ACME))
        for path in [ACME / "pyproject.toml", *ACME.rglob("*.py")]
        if path.name != "__init__.py"
    }
    for name, text in shown:
        assert text == (ACME / name).read_text(), name


PAGES = [
    ROOT / "README.md",
    ROOT / "SECURITY.md",
    *sorted(DOCS.rglob("*.md")),
    *sorted(ROOT.glob("p*/*/README.md")),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_a_plugin_is_listed_and_in_the_standard_set():
    page = (DOCS / "plugins.md").read_text()
    standard = (ROOT / "pyproject.toml").read_text()
    for folder in sorted((ROOT / "plugins").iterdir()):
        project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        for name in project["entry-points"]["swarmcore.plugins"]:
            assert f"`{name}`" in page
        assert f'"swarmcore-{folder.name.replace("_", "-")}"' in standard


def test_ci_runs_the_readmes_own_test_command():
    readme = (ROOT / "README.md").read_text()
    commands = re.findall(r"^    (scripts/setup && \S.*)$", readme, re.MULTILINE)
    assert len(commands) == 2
    assert commands[1] in (ROOT / ".ci" / "run").read_text().splitlines()
