"""The addresses that published ports are bound to."""

import pytest

from swarmcore.container_config import ContainerConfig
from swarmcore.container_config.published_ports import (
    bound_to,
    is_elsewhere,
    loopback_ports,
    manager_address,
)
from swarmcore.model import HostPort
from swarmcore.testing.builders import a_node


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("10.0.0.9:3375", "10.0.0.9"),
        ("10.0.0.9", "10.0.0.9"),
        ("[fd00::9]:3375", "fd00::9"),
        ("[fd00:0::9]", "fd00::9"),
        ("127.0.0.1:3375", ""),
        ("[::1]:3375", ""),
        ("0.0.0.0:3375", ""),
        ("manager:3375", ""),
        ("docker", ""),
        ("", ""),
        ("]", ""),
    ],
)
def test_the_managers_address_is_the_one_in_the_request(host, address):
    assert manager_address(host) == address


def bound(*ips):
    return {"PortBindings": {"80/tcp": [{"HostIp": ip, "HostPort": "", "X": 1} for ip in ips]}}


def test_ports_on_the_managers_address_are_bound_to_the_nodes():
    asked = {**bound("10.0.0.9", "10.0.0.8", "", "127.0.0.1"), "Memory": 1}
    wanted = {**bound("10.0.0.1", "10.0.0.8", "", "127.0.0.1"), "Memory": 1}
    assert bound_to(asked, "10.0.0.9", "10.0.0.1") == wanted
    assert bound_to(asked, "", "10.0.0.1") == asked
    assert bound_to(bound("fd00:0::9"), "fd00::9", "fd00::1") == bound("fd00::1")


@pytest.mark.parametrize(
    "bindings",
    [None, [], "80", {"80/tcp": None}, {"80/tcp": "80"}, {"80/tcp": [None, "80", {"HostIp": 9}]}],
)
def test_invalid_addresses_are_left_to_the_engine(bindings):
    host_config = {"PortBindings": bindings}
    assert bound_to(host_config, "10.0.0.9", "10.0.0.1") == host_config
    assert loopback_ports(host_config) == ()


def test_loopback_is_reachable_only_on_its_node():
    assert loopback_ports(bound("127.0.0.1")) == ("80/tcp",)
    assert loopback_ports(bound("::1", "10.0.0.1")) == ("80/tcp",)
    assert loopback_ports(bound("", "0.0.0.0", "10.0.0.1")) == ()
    assert loopback_ports(None) == ()
    assert is_elsewhere("10.0.0.1")
    assert not is_elsewhere("127.0.0.1")
    assert not is_elsewhere("")


def test_a_create_claims_the_port_whatever_address_the_node_has():
    body = {
        "Image": "busybox",
        "HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "10.0.0.9", "HostPort": "8080"}]}},
    }
    config = ContainerConfig.parse(body, manager_ip="10.0.0.9")
    assert config.claim.ports == (HostPort(8080, 8080, "tcp"),)
    node = a_node("n1")
    node.ip = "10.0.0.1"
    (binding,) = config.body_for(node)["HostConfig"]["PortBindings"]["80/tcp"]
    assert binding == {"HostIp": "10.0.0.1", "HostPort": "8080"}
