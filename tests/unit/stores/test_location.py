"""The keys in a store, and the values of engines in them."""

import pytest

from swarmcore.addresses import parse_address
from swarmcore.errors import ConfigError
from swarmcore.protocols import DiscoveryOptions, DiscoveryURI, Entry, TLSFiles
from swarmcore.stores import describe_entry, parse_location, read_entries


def location(rest, **options):
    named = {key.replace("_", ".", 1): value for key, value in options.items()}
    return parse_location(DiscoveryURI("consul", rest), DiscoveryOptions(options=named), 8500)


@pytest.mark.parametrize(
    ("rest", "nodes", "leader"),
    [
        ("kv", "docker/swarm/nodes", "docker/swarm/leader"),
        ("kv/", "docker/swarm/nodes", "docker/swarm/leader"),
        ("kv/lab", "lab/docker/swarm/nodes", "lab/docker/swarm/leader"),
        ("kv/lab//east/", "lab/east/docker/swarm/nodes", "lab/east/docker/swarm/leader"),
    ],
)
def test_paths_are_classics_below_the_prefix(rest, nodes, leader):
    found = location(rest)
    assert (found.nodes, found.leader) == (nodes, leader)


def test_the_path_option_moves_the_engines_and_not_the_leader():
    found = location("kv/lab", kv_path="/my/nodes/")
    assert (found.nodes, found.leader) == ("lab/my/nodes", "lab/docker/swarm/leader")


def test_servers_have_the_stores_port_unless_they_have_their_own():
    found = location("a, b:1,[fe80::1],[fe80::2]:2/lab")
    assert [str(each) for each in found.servers] == [
        "a:8500",
        "b:1",
        "[fe80::1]:8500",
        "[fe80::2]:2",
    ]


@pytest.mark.parametrize("rest", ["", "/lab", ",", "a:b", "a b"])
def test_a_uri_without_a_usable_server_is_refused_and_named(rest):
    with pytest.raises(ConfigError, match=f"consul://{rest}"):
        location(rest)


def test_a_password_in_the_uri_is_refused_and_not_repeated():
    with pytest.raises(ConfigError, match=r"consul://\.\.\.@kv:1: .* --discovery-opt") as refused:
        location("anna:s3cret@kv:1/lab")
    assert "s3cret" not in str(refused.value)


def test_any_file_means_tls():
    assert location("kv").tls is None
    assert location("kv", kv_cacertfile="ca").tls == TLSFiles("ca")
    assert location("kv", kv_certfile="c", kv_keyfile="k").tls == TLSFiles("", "c", "k")


def test_half_a_key_pair_is_refused():
    with pytest.raises(ConfigError, match="belong together"):
        location("kv", kv_cacertfile="ca", kv_certfile="c")


def test_an_entry_without_labels_is_what_classic_writes():
    assert describe_entry(Entry(parse_address("10.0.0.1:2375"))) == "10.0.0.1:2375"


def test_a_written_entry_is_read_again():
    written = [
        Entry(parse_address("[fe80::1]:2375"), {"zone": "a", "note": "x=y"}),
        Entry(parse_address("n1:2375")),
        Entry(parse_address("ssh://ops@n2")),
    ]
    assert read_entries(map(describe_entry, written)) == (written, [])


def test_malformed_values_are_named_and_the_others_are_used():
    entries, problems = read_entries(["n2:1", "", "n1", "n1:1 zone", "n2:1 zone=b"])
    assert [(str(entry.address), entry.labels) for entry in entries] == [("n2:1", {})]
    assert problems == [
        "entry 'n1': address 'n1': missing port in address",
        "entry 'n1:1 zone': 'zone' is not a label of the form key=value",
    ]
