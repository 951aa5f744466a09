"""The kit's contract for discoveries, with a file and with HTTP."""

import json

import pytest

from swarmcore.testing.contracts import DiscoveryContract

LIST = [
    {"targets": ["n1:2375", "n2:2375"], "labels": {"zone": "a", "__meta_id": "7"}},
    {"targets": ["n3:2375"]},
]


class TestFileContract(DiscoveryContract):
    name = "prometheus"
    bad_uris = ("prometheus://x", "prometheus+file://relative.json", "prometheus+ftp://x/")
    supports_watch = True
    supports_failure = True

    def prepare(self, folder):
        (folder / "list.json").write_text(json.dumps(LIST))
        return f"prometheus+file://{folder}/*.json"

    def change(self, folder):
        (folder / "more.json").write_text('[{"targets": ["n4:2375"]}]')

    def damage(self, folder):
        (folder / "list.json").write_text("no json")


class TestHttpContract(DiscoveryContract):
    name = "prometheus"
    bad_uris = ("prometheus+http://", "prometheus+http:///list", "prometheus+http://h:port/")
    supports_watch = True
    supports_failure = True

    @pytest.fixture(autouse=True)
    def _serve(self, list_server):
        self.server = list_server

    def prepare(self, folder):
        self.server.document = json.dumps(LIST)
        return f"prometheus+{self.server.url}"

    def change(self, folder):
        self.server.document = "[]"

    def damage(self, folder):
        self.server.status = 500
