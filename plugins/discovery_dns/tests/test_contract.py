"""The kit's contract for discoveries, with SRV records and with addresses."""

import dns.rcode
import pytest

from swarmcore.testing.contracts import DiscoveryContract


class _Served(DiscoveryContract):
    name = "dns"
    supports_watch = True
    supports_failure = True

    @pytest.fixture(autouse=True)
    def _serve(self, name_server):
        self.server = name_server
        self.options = {"dns.server": f"127.0.0.1:{name_server.port}"}

    def damage(self, folder):
        self.server.rcode = dns.rcode.SERVFAIL


class TestServiceContract(_Served):
    bad_uris = ("dns+srv://", "dns+srv://a..b")

    def prepare(self, folder):
        self.server.answers = {
            ("_docker._tcp.lab.", "SRV"): ["0 0 2375 n1.lab.", "0 0 2376 n2.lab."],
        }
        return "dns+srv://_docker._tcp.lab"

    def change(self, folder):
        self.server.answers = {("_docker._tcp.lab.", "SRV"): ["0 0 2375 n1.lab."]}


class TestAddressContract(_Served):
    bad_uris = ("dns://", "dns://engines.lab", "dns://engines.lab:0")

    def prepare(self, folder):
        self.server.answers = {("engines.lab.", "A"): ["10.0.0.1", "10.0.0.2"]}
        return "dns://engines.lab:2375"

    def change(self, folder):
        self.server.answers = {("engines.lab.", "A"): ["10.0.0.2"]}


del _Served
