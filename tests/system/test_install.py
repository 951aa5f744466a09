"""Our own wheels, and pip's choice of what they need."""

import json
import os
import subprocess
import sys
from pathlib import Path

import flit_core.buildapi

ROOT = Path(__file__).parents[2]


def build_wheels(wheels: Path, monkeypatch) -> list[str]:
    """Build a wheel of the core and of each bundled plugin; returns their names."""
    names = []
    for project in (ROOT / "pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))):
        monkeypatch.chdir(project.parent)
        names.append(flit_core.buildapi.build_wheel(str(wheels)))
    return names


def test_pip_takes_every_package_of_ours_from_our_wheels(tmp_path, monkeypatch):
    """No requirement of ours leads to another project's ``swarmcore`` on the index."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    built = build_wheels(wheels, monkeypatch)
    wanted = {wheel.partition("-")[0].replace("_", "-") for wheel in built}
    report = tmp_path / "report.json"
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--dry-run", "--ignore-installed", "--report", report, "--find-links", wheels),
        *("swarmcore-manager[all]", *sorted(wanted)),
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
    assert set(ours) == wanted
    assert all(url.startswith("file:") for url in ours.values()), ours
    assert {"trio", "pluggy", "stevedore", "httpx", "h11"} <= set(chosen)
