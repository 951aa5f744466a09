"""A list of engines: every form of address, ranges, and refusals."""

import pytest
from swarmcore_discovery_nodes import parse_nodes, swarmcore_discovery

from swarmcore.errors import ConfigError
from swarmcore.protocols import DiscoveryURI


class Sink:
    def __init__(self):
        self.reports = []

    def entries(self, entries):
        self.reports.append([str(entry.address) for entry in entries])

    def failed(self, reason):
        raise AssertionError(reason)


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("n1:2375,n2:2375", ["n1:2375", "n2:2375"]),
        ("tcp://n1:2375", ["n1:2375"]),
        ("ssh://ops@n1,unix:///run/docker.sock", ["ssh://ops@n1", "unix:///run/docker.sock"]),
        ("[::1]:2375,[fe80::1]:[1:2]", ["[::1]:2375", "[fe80::1]:1", "[fe80::1]:2"]),
        ("10.0.0.[1:3]:2375", ["10.0.0.1:2375", "10.0.0.2:2375", "10.0.0.3:2375"]),
        (" n1:1 ,, n2:1,", ["n1:1", "n2:1"]),
        ("n2:1,n1:1,tcp://n2:1,n[1:2]:1", ["n2:1", "n1:1"]),
    ],
)
async def test_a_list_is_reported_once_in_its_order_without_duplicates(text, addresses):
    sink = Sink()
    await swarmcore_discovery(DiscoveryURI("nodes", text)).watch(sink)
    assert sink.reports == [addresses]


@pytest.mark.parametrize("text", ["n1", "n1:1,n2:x", "http://n1:1", "n[1:2].[1:2]:1", "a b:1"])
def test_a_malformed_address_is_named_with_classic_s_hint(text):
    with pytest.raises(ConfigError) as caught:
        parse_nodes(text)
    assert str(caught.value).startswith("address '")
    assert str(caught.value).endswith(
        ", please check you are using the correct discovery (missing token:// ?)"
    )


@pytest.mark.parametrize("text", ["", ",", "n[2:1]:1"])
def test_an_empty_list_is_refused(text):
    with pytest.raises(ConfigError, match="names no engine; write HOST:PORT"):
        parse_nodes(text)


def test_other_schemes_are_ignored():
    assert swarmcore_discovery(DiscoveryURI("file", "n1:1")) is None
