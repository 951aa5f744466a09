"""Our pages, messages and metadata never lead to another project's ``swarmcore``."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
THIS = Path(__file__).relative_to(ROOT).as_posix()

#: The distribution's name alone where a package is asked for: `pip install swarmcore`,
#: `swarmcore[standard]`, `"swarmcore>=0.1"`.  Names that go on (`swarmcore-manager`,
#: `swarmcore.plugins`, `swarmcore_x`) are ours.
FOREIGN = re.compile(
    r"pip3? (?:install|download|wheel)\b[^\n`]*?[ '\"]swarmcore(?![-\w./])"
    r"|(?<![-\w./])swarmcore(?:\[[a-z, ]+\]|[ ]?(?:==|>=|~=|<=|<|>)[ ]?[0-9])"
)


def read_project(folder: Path) -> dict:
    return tomllib.loads((folder / "pyproject.toml").read_text())["project"]


def packages() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "*pyproject.toml"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    return [(ROOT / path).parent for path in listed]


@pytest.mark.parametrize(
    "text",
    [
        "pip install swarmcore",
        "pip install 'swarmcore[standard]'",
        "pip install -U swarmcore pytest",
        '"swarmcore>=0.1,<0.2"',
        "swarmcore[all]",
    ],
)
def test_the_foreign_name_is_recognized(text):
    assert FOREIGN.search(text)


@pytest.mark.parametrize(
    "text",
    [
        "pip install 'swarmcore-manager[standard]'",
        "pip install swarmcore-discovery-token",
        "pip install --no-index ./swarmcore-manager",
        "swarmcore plugins",
        '[tool.flit.module]\nname = "swarmcore"',
    ],
)
def test_our_own_names_are_not(text):
    assert not FOREIGN.search(text)


def test_no_file_names_the_foreign_distribution():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    found = []
    for name in tracked:
        path = ROOT / name
        if name == THIS or not path.is_file():
            continue
        text = path.read_text(errors="replace")
        found += [f"{name}: {match[0]}" for match in FOREIGN.finditer(text)]
    assert found == []


def test_every_package_has_a_name_of_ours_and_depends_on_the_manager():
    names = {folder: read_project(folder)["name"] for folder in packages()}
    assert names[ROOT] == "swarmcore-manager"
    assert "swarmcore" not in names.values()
    for folder, name in names.items():
        wanted = [re.split(r"[\[<>=~ ]", each)[0] for each in read_project(folder)["dependencies"]]
        assert "swarmcore" not in wanted, name
        assert folder == ROOT or "swarmcore-manager" in wanted, name
