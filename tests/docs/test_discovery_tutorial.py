"""The discovery tutorial works: its files are written, its commands run and answer."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "tutorial-discovery.md"

_FILE = r"```\w+ file=(?P<file>\S+)\n(?P<text>.*?)```\n"
_COMMAND = r"    \$ (?P<command>[^\n]+)\n(?P<answer>(?:    (?!\$ )[^\n]*\n)*)"
_STEP = re.compile(rf"^(?:{_FILE}|{_COMMAND})", re.MULTILINE | re.DOTALL)


@pytest.mark.timeout(900)  # pip builds and installs, several times
def test_the_package_of_the_page_works(tmp_path):
    folder, installed = tmp_path, tmp_path / "installed"
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        # What is installed is installed for this test, and what it needs is here already.
        "PYTHONPATH": str(installed),
        "PIP_TARGET": str(installed),
        "PIP_UPGRADE": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip's way to say yes
        "PYTEST_ADDOPTS": "-p no:cacheprovider -W error",
    }
    steps = list(_STEP.finditer(PAGE.read_text()))
    assert len([step for step in steps if step["file"]]) == 3
    for step in steps:
        if step["file"]:
            (folder / step["file"]).write_text(step["text"])
            continue
        command = step["command"]
        done = subprocess.run(
            ["bash", "-c", command], cwd=folder, env=environment, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        answer = [line.strip() for line in step["answer"].splitlines()]
        assert (done.returncode != 0) == any("swarmcore:" in line for line in answer), done.stdout
        for line in answer:
            assert line in done.stdout, (command, done.stdout)
        if "cd acme-leases" in command:
            folder = tmp_path / "acme-leases"
