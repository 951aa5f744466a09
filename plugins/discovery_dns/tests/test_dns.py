"""Lists of engines from the answers of DNS."""

import dns.rcode
import pytest
import trio
from swarmcore_discovery_dns import swarmcore_discovery

from swarmcore.errors import ConfigError
from swarmcore.protocols import DiscoveryOptions, DiscoveryURI
from swarmcore.testing.contracts.discoveries import RecordingSink


@pytest.fixture
def watch(name_server, nursery):
    """Watch a URI with a name server; return the sink after its first report."""

    async def start(scheme, rest):
        options = DiscoveryOptions(
            heartbeat_seconds=0.01, options={"dns.server": f"127.0.0.1:{name_server.port}"}
        )
        sink = RecordingSink()
        nursery.start_soon(swarmcore_discovery(DiscoveryURI(scheme, rest), options).watch, sink)
        with trio.fail_after(10):
            await sink.wait_until(lambda: bool(sink.lists or sink.failures))
        return sink

    return start


def addresses(sink):
    return [str(entry.address) for entry in sink.lists[-1]]


async def test_records_of_a_service_are_engines_with_their_ports(name_server, watch):
    name_server.answers = {("s.lab.", "SRV"): ["0 0 2376 n2.lab.", "9 9 2375 n1.lab."]}
    assert addresses(await watch("dns+srv", "s.lab")) == ["n1.lab:2375", "n2.lab:2376"]


async def test_an_address_in_the_additional_records_replaces_the_name(name_server, watch):
    name_server.answers = {("s.lab.", "SRV"): ["0 0 1 n1.lab.", "0 0 1 n2.lab.", "0 0 1 n3.lab."]}
    name_server.additional = [
        ("n1.lab.", "AAAA", "fe80::1"),
        ("n1.lab.", "A", "10.0.0.1"),
        ("n2.lab.", "AAAA", "fe80::2"),
    ]
    assert addresses(await watch("dns+srv", "s.lab")) == ["10.0.0.1:1", "[fe80::2]:1", "n3.lab:1"]


async def test_the_target_dot_means_no_service(name_server, watch):
    name_server.answers = {("s.lab.", "SRV"): ["0 0 0 ."]}
    assert addresses(await watch("dns+srv", "s.lab")) == []


async def test_ipv6_addresses_are_engines_where_there_are_no_others(name_server, watch):
    name_server.answers = {("e.lab.", "AAAA"): ["fe80::1"]}
    assert addresses(await watch("dns", "e.lab:2375")) == ["[fe80::1]:2375"]


async def test_an_engine_of_both_families_is_seen_once(name_server, watch):
    name_server.answers = {("e.lab.", "A"): ["10.0.0.1"], ("e.lab.", "AAAA"): ["fe80::1"]}
    assert addresses(await watch("dns", "e.lab:2375")) == ["10.0.0.1:2375"]


async def test_engines_are_removed_after_three_answers_without_the_name(name_server, watch):
    sink = await watch("dns", "none.lab:1")
    assert "does not exist" in sink.failures[0]
    assert sink.failures[0].endswith("; there is no list yet")
    with trio.fail_after(10):
        await sink.wait_until(lambda: bool(sink.lists))
    assert addresses(sink) == []
    assert len(sink.failures) == 1


async def test_an_error_of_the_server_keeps_the_list(name_server, watch):
    name_server.answers = {("e.lab.", "A"): ["10.0.0.1"]}
    sink = await watch("dns", "e.lab:2375")
    name_server.rcode = dns.rcode.REFUSED
    with trio.fail_after(10):
        await sink.wait_until(lambda: bool(sink.failures))
        assert sink.failures[0].endswith("; the last good list stays in force")
        name_server.rcode = dns.rcode.NOERROR
        count = len(sink.lists)
        await sink.wait_until(lambda: len(sink.lists) > count)
    assert all(sink.lists)


@pytest.mark.parametrize("server", ["10.0.0.1:port", "not an address", "name.example"])
def test_a_server_that_is_no_address_stops_the_start(server):
    with pytest.raises(ConfigError, match=r"dns\.server="):
        swarmcore_discovery(
            DiscoveryURI("dns+srv", "s.lab"), DiscoveryOptions(options={"dns.server": server})
        )
