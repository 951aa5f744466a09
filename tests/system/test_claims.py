"""The claims of creates equal those that engines themselves inspect.

Bodies are generated, and each is sent to one engine of every release.  Whatever an engine takes for
a limit or a host port must be claimed.
"""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from swarmcore_lab import LabError
from swarmcore_lab.engine_api import EngineApi

from swarmcore.container_config import ContainerConfig
from swarmcore.container_config.resources import claim_after_update, claim_of
from swarmcore.model import MiB

pytestmark = pytest.mark.docker

FEW = settings(max_examples=5, suppress_health_check=list(HealthCheck), deadline=None)
MANY = settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)

# ---- ports

ZEROS = st.sampled_from(["", "", "0", "00000000"])
TAILS = st.sampled_from(["", "", "/", "/tcp", "/udp", "/x/y"])
ADDRESSES = """0.0.0.0 127.0.0.1 ::ffff:127.0.0.1 ::1 :: ::0 localhost 127.1 127.000.000.001 [::1]
fe80::1%eth0 * 0 0.0.0.0/0"""
IPS = st.sampled_from(["", "", " 127.0.0.1", *ADDRESSES.split()])
KEYS = st.sampled_from(["{}", "{}/", "{}/tcp", "{}/TCP", "{}/udp", "0{}/udp", "{}/tcp/udp"])
WIDTHS = st.sampled_from(["", "", "-{}", "-{}-9"])


@st.composite
def bindings(draw):
    """Generate host ports for eight container ports, none of which can collide."""
    made = {}
    for number in range(8):
        first, last = 20_000 + 10 * number, 20_009 + 10 * number
        zeros, width, tail = draw(ZEROS), draw(WIDTHS), draw(TAILS)
        text = f"{zeros}{first}{width.format(f'{zeros}{last}')}{tail}"
        made[draw(KEYS).format(80 + number)] = [{"HostIp": draw(IPS), "HostPort": text}]
    return made


@FEW
@given(bindings=bindings())
def test_every_port_that_an_engine_binds_is_claimed(engines, bindings):
    body = {
        "Image": "busybox",
        "Cmd": ["sleep", "1000"],
        "ExposedPorts": {key: {} for key in bindings},
        "HostConfig": {"PortBindings": bindings},
    }
    claims = ContainerConfig.parse(body).claim.ports
    for engine in engines.values():
        id = engine.api.call("POST", "/containers/create", body)["Id"]
        try:
            stopped = engine.api.call("GET", f"/containers/{id}/json")
            assert set(claim_of(stopped, 2).ports) == set(claims)
            engine.api.call("POST", f"/containers/{id}/start")
            running = engine.api.call("GET", f"/containers/{id}/json")
            bound = list(bound_by(running))
            for ip, number, protocol in bound:
                assert any(covers(claim, ip, number, protocol) for claim in claims), ip
            for claim in claims:
                assert any(covers(claim, *each) for each in bound), claim
        finally:
            engine.api.call("DELETE", f"/containers/{id}?force=1")


def bound_by(detail):
    for key, hosts in detail["NetworkSettings"]["Ports"].items():
        for host in hosts:
            yield host["HostIp"], int(host["HostPort"]), key.partition("/")[2]


def covers(claim, ip, number, protocol):
    return (
        claim.protocol == protocol and claim.first <= number <= claim.last and claim.ip in ("", ip)
    )


@pytest.mark.parametrize("text", [" 8080", "8080 ", "+8080", "0x1f90", "8_080", "8080-", "٨٠٨٠"])
def test_texts_that_we_do_not_take_for_a_port_are_refused_by_engines(engines, text):
    body = {"Image": "busybox", "HostConfig": {"PortBindings": {"80": [{"HostPort": text}]}}}
    assert ContainerConfig.parse(body).claim.ports == ()
    for engine in engines.values():
        with pytest.raises(LabError, match=r"400 .*invalid port specification"):
            engine.api.call("POST", "/containers/create", body)


# ---- memory and CPUs

NUMBERS = st.sampled_from(
    [64 * MiB, 128 * MiB, 64.0 * MiB, "67108864", -1, 0, None, True, 2**63, [1], 1e9]
)
SPELLINGS = st.sampled_from([str, str.lower, str.upper])
FIELDS = {
    "Memory": NUMBERS,
    "MemoryReservation": NUMBERS,
    "NanoCpus": st.sampled_from([500_000_000, 10**9, -1, 0, None, 0.5, "1"]),
    "CpuQuota": st.sampled_from([50_000, 100_000, -1, 0, None]),
    "CpuPeriod": st.sampled_from([50_000, 100_000, 0, None]),
}


@st.composite
def limits(draw):
    """Generate limits, each field in some spelling, in ``HostConfig`` or beside it."""
    inside, beside = {}, {}
    for field in draw(st.lists(st.sampled_from(sorted(FIELDS)), max_size=3, unique=True)):
        place = beside if draw(st.integers(0, 4)) == 0 else inside
        place[draw(SPELLINGS)(field)] = draw(FIELDS[field])
    if not inside and draw(st.booleans()):
        return beside
    return {**beside, draw(SPELLINGS)("HostConfig"): inside}


@MANY
@given(limits=limits())
def test_every_limit_that_an_engine_sets_is_claimed(engines, limits):
    body = {"Image": "busybox", **limits}
    claim = ContainerConfig.parse(body).claim
    for engine in engines.values():
        try:
            id = engine.api.call("POST", "/containers/create", body)["Id"]
        except LabError:
            continue  # nothing was made: 20.10 says 500 of a number that is none
        seen = claim_of(engine.api.call("GET", f"/containers/{id}/json"), 2)
        engine.api.call("DELETE", f"/containers/{id}")
        assert claim.memory >= seen.memory
        assert claim.nano_cpus >= seen.nano_cpus


@MANY
@given(limits=limits(), changes=limits())
def test_the_claim_after_an_update_is_predicted(engines, limits, changes):
    changes = {key: value for key, value in changes.items() if key.lower() != "hostconfig"} | next(
        (value for key, value in changes.items() if key.lower() == "hostconfig"), {}
    )
    assume(len({key.lower() for key in changes}) == len(changes))
    for engine in engines.values():
        try:
            id = engine.api.call("POST", "/containers/create", {"Image": "busybox", **limits})["Id"]
        except LabError:
            continue
        before = engine.api.call("GET", f"/containers/{id}/json")
        foreseen = claim_after_update(before, changes, 2)
        try:
            engine.api.call("POST", f"/containers/{id}/update", changes)
        except LabError:
            continue
        finally:
            seen = claim_of(engine.api.call("GET", f"/containers/{id}/json"), 2)
            engine.api.call("DELETE", f"/containers/{id}")
        assert (foreseen.memory, foreseen.nano_cpus) == (seen.memory, seen.nano_cpus)


# ---- updates


@pytest.fixture
def ask(fleet):
    socket = Path(fleet.manager.socket.removeprefix("unix://"))
    return EngineApi("manager", socket).call


def test_an_update_beyond_what_a_node_has_is_refused(fleet, docker, ask):
    memory = fleet.engines["new"].info()["MemTotal"]
    on_new = ("-e", "constraint:node==new")
    some, most = str(memory * 3 // 10), str(memory * 6 // 10)
    docker("create", "--name", "first", "-m", some, *on_new, "busybox")
    docker("create", "--name", "second", "-m", some, *on_new, "busybox")
    docker("update", "-m", most, "--memory-swap", "-1", "first")
    refused = docker.run("update", "-m", most, "--memory-swap", "-1", "second")
    assert refused.returncode == 1
    assert "Cannot update container second: no room for more: memory (needs " in refused.stderr
    assert " free on new)" in refused.stderr
    assert docker("inspect", "-f", "{{.HostConfig.Memory}}", "second") == some
    docker("update", "-m", "64m", "--memory-swap", "-1", "first")
    docker("update", "-m", most, "--memory-swap", "-1", "second")
    with pytest.raises(LabError, match=r"409 .*no room for more: memory"):
        ask("POST", "/containers/first/update", {"MEMORY": memory, "MemorySwap": -1})


def test_an_update_beyond_the_cpus_of_a_node_is_refused(fleet, docker, ask):
    cpus = fleet.engines["new"].info()["NCPU"]
    on_new = ("-e", "constraint:node==new")
    docker("create", "--name", "most", "--cpus", str(cpus), *on_new, "busybox")
    docker("create", "--name", "more", *on_new, "busybox")
    with pytest.raises(LabError, match=r"409 .*no room for more: cpu"):
        ask("POST", "/containers/more/update", {"CpuQuota": 100_000})
    docker("update", "--cpus", "0.5", "most")
    ask("POST", "/containers/more/update", {"CpuQuota": 50_000})
    assert json.loads(docker("inspect", "more"))[0]["HostConfig"]["CpuQuota"] == 50_000
