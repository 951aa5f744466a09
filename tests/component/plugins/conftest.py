"""A site in which only the distributions of a test are installed."""

import sys
from importlib.metadata import distributions

import pytest

from swarmcore.plugins.catalogue import GROUP
from tests.component.plugins.site import Site


def brings_plugins(distribution):
    return any(point.group == GROUP for point in distribution.entry_points)


@pytest.fixture
def acme(tmp_path, monkeypatch):
    """A site in which only the distributions of the test are installed."""
    packages = {str(found.locate_file("")) for found in distributions() if brings_plugins(found)}
    kept = [entry for entry in sys.path if entry not in packages]
    monkeypatch.setattr(sys, "path", [str(tmp_path), *kept])
    before = set(sys.modules)
    yield Site(tmp_path)
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]
