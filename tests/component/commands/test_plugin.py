"""The packages of ``swarmcore plugin new`` can be built, pass their own tests and are listed."""

import json
import os
import subprocess
import sys
import zipfile

import flit_core.buildapi

from swarmcore.cli import main
from swarmcore.commands.plugin_package import KINDS


def install(package, site, monkeypatch):
    """Build the wheel as pip does, by the package's build backend, and unpack it into *site*."""
    with monkeypatch.context() as patched:
        patched.chdir(package)
        wheel = flit_core.buildapi.build_wheel(str(package))
    with zipfile.ZipFile(package / wheel) as packed:
        packed.extractall(site)


def test_a_new_package_of_each_kind_passes_its_tests_and_loads(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    packages = [tmp_path / f"swarmcore-{kind}-rack" for kind in KINDS]
    for kind, package in zip(KINDS, packages, strict=True):
        assert main(["plugin", "new", kind, "rack"]) == 0
        install(package, tmp_path / "site", monkeypatch)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    environment.pop("PYTEST_ADDOPTS", None)

    def run(*words):
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=tmp_path, env=environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    tested = run("pytest", "-W", "error", "-p", "no:cacheprovider", "-v", *map(str, packages))
    rows = {row["name"]: row for row in json.loads(run("swarmcore", "plugins", "--json"))}
    for kind in KINDS:
        assert f"test_{kind}_rack.py::TestContract::test_the_plugin_implements" in tested
        row = rows[f"{kind}_rack"]
        assert (row["problem"], row["distribution"]) == ("", f"swarmcore-{kind}-rack")
