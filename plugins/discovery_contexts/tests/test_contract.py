"""The kit's contract for discoveries."""

import shutil

import pytest

from swarmcore.testing.contracts import DiscoveryContract


class TestContract(DiscoveryContract):
    name = "contexts"
    supports_watch = True
    supports_failure = True

    @pytest.fixture(autouse=True)
    def _store(self, make_context, monkeypatch, tmp_path):
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        self.make = make_context

    def prepare(self, folder):
        self.make("n1", "tcp://n1:2375")
        self.make("n2", "ssh://ops@n2")
        return "contexts://"

    def change(self, folder):
        self.make("n3", "unix:///run/docker.sock")

    def damage(self, folder):
        shutil.rmtree(folder / "contexts")
