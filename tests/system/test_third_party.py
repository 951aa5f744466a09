"""A package outside of ``plugins/``: installed, tested with the contracts, and used."""

import subprocess
import sys
from pathlib import Path

import pytest

ACME = Path(__file__).parents[1] / "docs" / "acme_rack"


@pytest.fixture(scope="module")
def installed():
    """Acme's package, installed in this environment and removed again."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--no-deps", "--no-build-isolation", str(ACME)], check=True)
    yield
    subprocess.run([*pip, "uninstall", "--yes", "acme-rack"], check=True)


def test_the_whole_package_is_under_120_lines():
    assert sum(len(path.read_text().splitlines()) for path in ACME.rglob("acme_rack/*.py")) < 120


def test_the_package_passes_the_kits_contracts(installed):
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", "/dev/null", "--rootdir", str(ACME),
         "-p", "no:cacheprovider", "-o", "trio_mode=true", "-W", "error",
         "--import-mode=importlib", str(ACME / "tests")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout
    assert " passed" in run.stdout
    assert "skipped" not in run.stdout


def test_the_package_works_with_manage(installed, fleet, start_manager):
    racks = {"old": "a", "middle": "b", "new": "b"}
    uri = ",".join(f"{rack}={fleet.engines[name].address}" for name, rack in racks.items())
    manager = start_manager(
        "--plugin", "discovery_rack", "--plugin", "strategy_quiet", "--plugin", "filter_rack",
        f"rack://{uri}",
    )  # fmt: skip
    manager.wait_healthy(3)
    docker = fleet.docker(host=manager.host)
    nodes = set()
    for _ in range(2):
        id = docker("run", "-d", "--label", "acme.rack=b", "busybox", "sleep", "600")
        nodes.add(docker("inspect", "-f", "{{.Node.Name}}", id))
    assert nodes == {"middle", "new"}
    refused = docker.run("run", "--label", "acme.rack=z", "busybox", "true")
    assert refused.returncode == 125
    assert "0 of 3 nodes: 3 rack z" in refused.stderr
    assert {rack: sorted(names) for rack, names in manager.get("/acme/racks").items()} == {
        "a": ["old"],
        "b": ["middle", "new"],
    }
    info = dict(manager.get("/info")["SystemStatus"])
    assert info["Strategy"] == "quiet"
    assert info["Filters"].split(", ")[:3] == ["rack", "health", "port"]
