"""The resources of a container, from the body of a create or from an engine's inspection."""

import pytest

from swarmcore.container_config.resources import claim_after_update, claim_of, claim_of_body
from swarmcore.errors import BadRequest
from swarmcore.model import NANO, HostPort


def ports(claim):
    return [str(port) for port in claim.ports]


@pytest.mark.parametrize(
    ("host_config", "cpus"),
    [
        ({"NanoCpus": NANO // 2}, 0.5),
        ({"NanoCpus": NANO, "CpuQuota": 500_000}, 1),
        ({"CpuQuota": 50_000}, 0.5),
        ({"CpuQuota": 50_000, "CpuPeriod": 10_000}, 5),
        ({"CpuQuota": -1}, 0),
        ({"CpuPeriod": 1000}, 0),
        ({"CpuShares": 512}, 0),
        ({}, 0),
    ],
)
def test_cpus(host_config, cpus):
    assert claim_of_body(host_config, {}).nano_cpus == cpus * NANO
    assert claim_of({"HostConfig": host_config}, 4).nano_cpus == cpus * NANO


def test_shares_are_cpus_where_that_was_asked_for():
    seen = claim_of({"HostConfig": {"CpuShares": 512}}, 4, cpu_shares_are_cpus=True)
    assert seen.nano_cpus == 2 * NANO


@pytest.mark.parametrize(
    ("host_config", "memory"),
    [
        ({"Memory": 7}, 7),
        ({"Memory": 7, "MemoryReservation": 5}, 7),
        ({"MemoryReservation": 5}, 5),
        ({"Memory": 2**63 - 1}, 2**63 - 1),
        *(({"Memory": odd}, 0) for odd in (None, "7", 8388608.0, True, -1, 2**63, [7], {"a": 7})),
    ],
    ids=str,
)
def test_memory(host_config, memory):
    assert claim_of_body(host_config, {}).memory == memory


@pytest.mark.parametrize(
    ("bindings", "expected"),
    [
        ({"80/tcp": [{"HostPort": "8080"}]}, ["8080/tcp"]),
        ({"80": [{"HostPort": "8080"}]}, ["8080/tcp"]),
        ({"53/UDP": [{"HostPort": "53"}]}, ["53/udp"]),
        ({"80/tcp": [{"HostPort": "8000-8010"}]}, ["8000-8010/tcp"]),
        ({"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "80"}]}, ["127.0.0.1:80/tcp"]),
        ({"80/tcp": [{"HostIp": "0:0:0:0:0:0:0:0", "HostPort": "80"}]}, ["80/tcp"]),
        ({"80/tcp": [{"HostIp": "::ffff:127.0.0.1", "HostPort": "80"}]}, ["127.0.0.1:80/tcp"]),
        ({"80/tcp": [{"HostIp": "::ffff:0.0.0.0", "HostPort": "80"}]}, ["80/tcp"]),
        ({"80/tcp": [{"HostPort": "80"}, {"HostIp": "::", "HostPort": "80"}]}, ["80/tcp"]),
        ({"80/tcp": [{"HostPort": "80"}, {"HostPort": "81"}]}, ["80/tcp", "81/tcp"]),
        ({"80/tcp": [{"HostPort": "8080/tcp"}]}, ["8080/tcp"]),
        ({"80/tcp": [{"HostPort": "8080/udp"}]}, ["8080/tcp"]),
        ({"80/udp": [{"HostPort": "8080/tcp/x"}]}, ["8080/udp"]),
        ({"80/tcp": [{"HostPort": "008080"}]}, ["8080/tcp"]),
        ({"80/tcp": [{"HostPort": "0" * 5000 + "80"}]}, ["80/tcp"]),
        ({"80/tcp": [{"HostPort": "8000-8010-9000"}]}, ["8000-8010/tcp"]),
        ({"80/tcp": [{"HostPort": "08000-08010/udp"}]}, ["8000-8010/tcp"]),
        ({"80/tcp/udp": [{"HostPort": "8080"}]}, ["8080/tcp"]),
        ({"80/": [{"HostPort": "8080"}]}, ["8080/tcp"]),
        *(
            ({"80/tcp": [{"HostIp": odd, "HostPort": "80"}]}, ["80/tcp"])
            for odd in ("localhost", "127.1", " 127.0.0.1", "[::1]", "fe80::1%eth0", "*", "0")
        ),
        ({"80/tcp": [{"HostIp": "::1", "HostPort": "80"}]}, ["::1:80/tcp"]),
        ({"80/tcp": [{"HostPort": ""}]}, []),
        ({"80/tcp": [{"HostPort": "/8080"}]}, []),
        ({"80/tcp": [{"HostPort": "0-8010"}]}, []),
        ({"80/tcp": [{"HostPort": " 8080"}]}, []),
        ({"80/tcp": [{"HostPort": "0"}]}, []),
        ({"80/tcp": [{}]}, []),
        ({"80/tcp": []}, []),
        ({"80/tcp": None}, []),
        ({"80/tcp": [{"HostPort": 8080}]}, []),
        ({"80/tcp": [{"HostPort": "65536"}]}, []),
        ({"80/tcp": [{"HostPort": "9" * 5000}]}, []),
        ({"80/tcp": [{"HostPort": "9-8"}]}, []),
        ({"80/tcp": [{"HostPort": "٨٠"}]}, []),
        ({"80/tcp": [{"HostIp": 5, "HostPort": "80"}]}, ["80/tcp"]),
        ([1], []),
    ],
    ids=lambda value: str(value)[:50],
)
def test_published_ports(bindings, expected):
    assert ports(claim_of_body({"PortBindings": bindings}, {})) == expected


@pytest.mark.parametrize("mode", ["host", "n1/host"])
def test_on_the_hosts_network_exposed_ports_are_taken(mode):
    host_config = {"NetworkMode": mode, "PortBindings": {"80/tcp": [{"HostPort": "9"}]}}
    exposed = {"80/tcp": {}, "53/udp": {}, "1-9/tcp": {}, "": {}}
    assert ports(claim_of_body(host_config, exposed)) == ["80/tcp", "53/udp"]
    detail = {"HostConfig": host_config, "Config": {"ExposedPorts": exposed}}
    assert ports(claim_of(detail, 4)) == ["80/tcp", "53/udp"]


def inspected(bindings, actual, *, running):
    return {
        "HostConfig": {"PortBindings": bindings},
        "State": {"Running": running},
        "NetworkSettings": {"Ports": actual},
    }


ASKED = {
    "80/tcp": [{"HostIp": "", "HostPort": "8080"}],
    "81/tcp": [{"HostPort": "8000-8010"}],
    "82/tcp": [{"HostPort": ""}],
}
HAD = {
    "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8080"}],
    "81/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8003"}],
    "82/tcp": [{"HostIp": "0.0.0.0", "HostPort": "32768"}],
    "83/tcp": None,
}


def test_a_running_container_holds_what_the_engine_gave_it():
    claim = claim_of(inspected(ASKED, HAD, running=True), 4)
    assert ports(claim) == ["8080/tcp", "8003/tcp", "32768/tcp"]


def test_two_container_ports_take_two_ports_of_one_range():
    one, many = [{"HostPort": "8000-8010"}], [{"HostPort": "8000-8010"}, {"HostIp": "::"}]
    bindings = {"80/tcp": one, "81/tcp": one, "82/tcp": [*many, *one]}
    assert ports(claim_of_body({"PortBindings": bindings}, {})) == ["8000-8010/tcp"] * 3


def test_a_stopped_container_claims_the_ports_of_its_next_start():
    claim = claim_of(inspected(ASKED, HAD, running=False), 4)
    assert ports(claim) == ["8080/tcp", "8000-8010/tcp"]


def test_a_restarting_container_without_ports_still_holds_its_range():
    claim = claim_of(inspected(ASKED, {}, running=True), 4)
    assert claim.ports == (HostPort(8080, 8080), HostPort(8000, 8010))


@pytest.mark.parametrize("detail", [{}, {"HostConfig": None}, {"HostConfig": 1, "State": []}])
def test_a_malformed_inspection_claims_nothing(detail):
    claim = claim_of(detail, 0)
    assert (claim.nano_cpus, claim.memory, claim.ports) == (0, 0, ())


@pytest.mark.parametrize(
    ("changes", "memory", "cpus"),
    [
        ({}, 7, 0.5),
        ({"Memory": 9}, 9, 0.5),
        ({"memory": 9, "NANOCPUS": 2 * NANO}, 9, 2),
        ({"Memory": 0, "CpuQuota": None}, 7, 0.5),
        ({"Memory": -1}, 5, 0.5),
        ({"MemoryReservation": 6}, 7, 0.5),
        ({"CpuQuota": 100_000}, 7, 1),
        ({"CpuPeriod": 50_000}, 7, 1),
        ({"CpuQuota": -1}, 7, 0),
        ({"Memory": "9", "Unknown": 1}, 5, 0.5),
    ],
    ids=str,
)
def test_an_update_changes_only_the_fields_in_it(changes, memory, cpus):
    had = {"HostConfig": {"Memory": 7, "MemoryReservation": 5, "CpuQuota": 50_000}}
    claim = claim_after_update(had, changes, 4)
    assert (claim.memory, claim.nano_cpus) == (memory, cpus * NANO)


def test_an_update_that_names_a_field_twice_is_an_error():
    with pytest.raises(BadRequest, match="are one"):
        claim_after_update({}, {"Memory": 1, "memory": 2}, 4)
