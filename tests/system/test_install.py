"""The wheels of ``scripts/build``, installed with the commands of docs/install.md."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECTS = [
    tomllib.loads(path.read_text())["project"]
    for path in (ROOT / "pyproject.toml", *ROOT.glob("p*/*/pyproject.toml"))
]
DISTRIBUTIONS = {project["name"] for project in PROJECTS}
PLUGINS = {
    name
    for project in PROJECTS
    for name in project.get("entry-points", {}).get("swarmcore.plugins", ())
}


@pytest.fixture(scope="module")
def dist(tmp_path_factory) -> Path:
    """The folder that ``scripts/build FOLDER`` makes."""
    folder = tmp_path_factory.mktemp("built")
    subprocess.run([ROOT / "scripts" / "build", folder], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> Path:
    """A virtual environment without our packages.

    No package index is used: packages of others come from the tests' environment, including pip and
    flit_core.
    """
    folder = tmp_path_factory.mktemp("bare")
    others = tmp_path_factory.mktemp("others")
    site = Path(pytest.__file__).parents[1]
    for entry in site.iterdir():
        if not entry.name.startswith("swarmcore") and entry.suffix != ".pth":
            (others / entry.name).symlink_to(entry)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (ours,) = folder.glob("lib/python3*/site-packages")
    (ours / "others.pth").write_text(f"{others}\n")
    pip = folder / "bin" / "pip"
    pip.write_text(f'#!/bin/sh\nexec {folder}/bin/python -m pip "$@"\n')
    pip.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def installed(dist, bare) -> Path:
    """The bare environment after all commands of the page."""
    for command in install_commands():
        run_install(command, dist, bare)
    return bare


def install_commands() -> list[str]:
    """Return the commands of the page in which pip installs something."""
    page = (ROOT / "docs" / "install.md").read_text()
    found = re.findall(r"^    (.*/opt/swarmcore/bin/pip install .*)$", page, re.MULTILINE)
    assert found
    return found


def run_install(command: str, dist: Path, bare: Path) -> None:
    """Run a command of the page with these folders instead of the page's, without an index."""
    command = command.replace("scripts/build && ", "").replace("/opt/swarmcore", str(bare))
    command = re.sub(r"\b(dist|wheels)(?=/| )", str(dist), command)
    environment = {**os.environ, "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    subprocess.run(command, shell=True, check=True, capture_output=True, env=environment)


def test_an_sdist_and_a_wheel_of_every_package_are_built(dist):
    for name in DISTRIBUTIONS:
        stem = f"{name.replace('-', '_')}-0.1.0"
        assert (dist / f"{stem}.tar.gz").exists()
        assert (dist / f"{stem}-py3-none-any.whl").exists()
    assert len(list(dist.iterdir())) == 2 * len(DISTRIBUTIONS)


def test_pip_takes_every_package_of_ours_from_our_wheels(dist, tmp_path):
    """No requirement leads to another project's ``swarmcore`` on the index."""
    report = tmp_path / "report.json"
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--dry-run", "--ignore-installed", "--report", report, "--find-links", dist),
        *("swarmcore-manager[all]", *sorted(DISTRIBUTIONS)),
    ]
    done = subprocess.run(
        list(map(os.fspath, command)), check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    chosen = {
        item["metadata"]["name"]: item["download_info"]["url"]
        for item in json.loads(report.read_text())["install"]
    }
    ours = {name: url for name, url in chosen.items() if name.startswith("swarmcore")}
    assert set(ours) == DISTRIBUTIONS
    assert all(url.startswith("file:") for url in ours.values()), ours
    assert {"trio", "pluggy", "stevedore", "httpx", "h11"} <= set(chosen)


def test_the_pages_commands_give_a_bare_environment_every_plugin(installed):
    listed = subprocess.run(
        [installed / "bin" / "swarmcore", "plugins", "--json"],
        check=True, capture_output=True, text=True, cwd=installed,
    ).stdout  # fmt: skip
    rows = json.loads(listed)
    assert {row["name"] for row in rows} == PLUGINS
    assert [row for row in rows if row["problem"]] == []


def test_the_installed_manager_serves(installed, tmp_path):
    path = tmp_path / "manager.sock"
    command = [installed / "bin" / "swarmcore", "manage", "-H", f"unix://{path}", "127.0.0.1:1"]
    with subprocess.Popen(command, cwd=installed, stderr=subprocess.PIPE, text=True) as manager:
        try:
            deadline = time.monotonic() + 60
            while not path.exists():
                assert manager.poll() is None, manager.stderr.read()
                assert time.monotonic() < deadline
                time.sleep(0.05)
            info = ask(path, "/info")
        finally:
            manager.send_signal(signal.SIGTERM)
            manager.communicate()
    assert dict(info["SystemStatus"])["Strategy"] == "spread"
    assert manager.returncode == 0


def ask(path: Path, target: str) -> dict:
    """Return the answer to a GET on a unix socket."""
    with socket.socket(socket.AF_UNIX) as stream:
        stream.connect(str(path))
        connection = http.client.HTTPConnection("localhost")
        connection.sock = stream
        connection.request("GET", target, headers={"Connection": "close"})
        with connection.getresponse() as answer:
            assert answer.status == 200
            return json.loads(answer.read())
