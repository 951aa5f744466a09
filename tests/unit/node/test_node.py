"""A node's counters always equal a recount."""

from collections import Counter
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarmcore.model import NANO, Claim, GiB, HostPort, State
from swarmcore.node import Node
from swarmcore.node.allocation import Allocation
from swarmcore.node.ports import PortTable
from swarmcore.testing.builders import a_container, a_node, a_reservation

SWARM_ID = "com.docker.swarm.id"


# ---- totals and health


@pytest.mark.parametrize(
    ("cpus", "overcommit", "total"), [(4, 0.05, 4), (20, 0.05, 21), (4, 0.5, 6), (4, -0.5, 2)]
)
def test_overcommit_adds_a_whole_percentage_of_whole_cpus(cpus, overcommit, total):
    assert a_node(cpus=cpus, overcommit=overcommit).total_nano_cpus == total * NANO


@pytest.mark.parametrize(
    ("label", "cpus", "memory"),
    [
        ("0.5", 6, 12 * GiB),
        ("-0.5", 2, 4 * GiB),
        ("0", 4, 8 * GiB),
        *((odd, 5, 10 * GiB) for odd in ("", "much", "nan", "inf", "1e308", "-1")),
    ],
)
def test_a_label_of_the_node_overrides_the_managers_overcommit(label, cpus, memory):
    node = a_node(cpus=4, memory=8 * GiB, overcommit=0.25, labels={"swarm.overcommit": label})
    assert (node.total_nano_cpus, node.total_memory) == (cpus * NANO, memory)


def test_overcommit_adds_memory():
    assert a_node(memory=100 * GiB, overcommit=0.05).total_memory == 105 * GiB


@pytest.mark.parametrize(
    ("state", "failures", "health"),
    [
        (State.HEALTHY, 0, 100),
        (State.HEALTHY, 1, 67),
        (State.HEALTHY, 3, 0),
        (State.UNHEALTHY, 0, 0),
        (State.PENDING, 0, 0),
    ],
)
def test_health(state, failures, health):
    assert a_node(state=state, failures=failures).health == health


# ---- what containers and reservations leave behind


def test_a_reservation_counts_until_the_container_shows():
    node, reservation = a_node(), a_reservation("web", memory=GiB, ports=["80"])
    node.reserve(reservation)
    assert (node.container_count, node.used_memory) == (1, GiB)
    node.put_container(
        a_container("web", labels={SWARM_ID: reservation.id}, memory=GiB, ports=["80"])
    )
    assert (node.container_count, node.used_memory, node.reservations) == (1, GiB, {})


def test_a_replaced_container_counts_once():
    node = a_node(containers=[a_container("web", memory=GiB)])
    node.put_container(a_container("web", memory=2 * GiB, state="exited"))
    assert (node.used_memory, node.states["running"], node.states["exited"]) == (2 * GiB, 0, 1)


@pytest.mark.parametrize("id", ["unknown", ""])
def test_forgetting_an_unknown_container_changes_nothing(id):
    node = a_node(containers=["web"])
    assert node.drop_container(id) is None
    assert node.release(id) is None
    assert node.container_count == 1


def test_containers_answer_to_ids_names_and_swarm_ids():
    web = a_container("web", labels={SWARM_ID: "feed" * 16}, links=["front/api"])
    node = a_node(containers=[web])
    node.reserve(reserved := a_reservation("db"))
    assert set(node.container_words) == {
        web.id, web.id[:12], "web", "front/api", "feed" * 16, "feed" * 3,
        "db", reserved.id, reserved.id[:12],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "values"),
    [
        ([], set()),
        ([{}], {""}),
        ([{"tier": "a"}], {"a"}),
        ([{"tier": "a"}, {}], {"a", ""}),
        ([{"tier": ""}, {"tier": "a"}], {"a", ""}),
    ],
)
def test_a_missing_label_is_the_empty_text(labels, values):
    node = a_node(containers=[a_container(f"c{n}", labels=has) for n, has in enumerate(labels)])
    assert set(node.container_label_values("tier")) == values


def test_the_image_of_a_reservation_counts_as_present():
    node = a_node(images=["busybox"])
    node.reserve(a_reservation(image="host:5000/app"))
    assert {"busybox", "busybox:latest", "host:5000/app", "host:5000/app:latest"} <= set(
        node.image_words
    )


# ---- ports


def held(*texts):
    return a_node(containers=[a_container(f"c{n}", ports=[t]) for n, t in enumerate(texts)])


def asked(*texts):
    return a_reservation(ports=texts).claim.ports


@pytest.mark.parametrize(
    ("holders", "wanted", "clash"),
    [
        (["80"], ["80"], ("80/tcp", "c0")),
        (["80"], ["81"], None),
        (["80/udp"], ["80/tcp"], None),
        (["10.0.0.1:80:80"], ["10.0.0.2:80:80"], None),
        (["10.0.0.1:80:80"], ["80"], ("80/tcp", "c0")),
        (["80"], ["10.0.0.1:80:80"], ("10.0.0.1:80/tcp", "c0")),
        (["80", "81"], ["80-82:80"], None),
        (["80", "81"], ["80-81:80"], ("80-81/tcp", "c0")),
        (["80-81:80"], ["80"], None),
        (["80-81:80", "81"], ["80"], ("80/tcp", "c0")),
        (["80-81:80", "80-81:80"], ["80"], ("80/tcp", "c1")),
        (["80-81:80", "80-81:80"], ["80-81:80"], ("80-81/tcp", "c0")),
        (["80-81:80", "80-81:80"], ["80-82:80"], None),
        (["80-81:80", "80", "81"], ["80-90:80"], None),
        ([], ["80-81:1", "80-81:2"], None),
        ([], ["80-81:1", "80-81:2", "80-81:3"], ("80-81/tcp", "this container itself")),
        ([], ["80-81:1", "80", "81"], ("80-81/tcp", "this container itself")),
        (["80-82:1"], ["80-80:1", "82-82:1"], None),
    ],
)
def test_clashes(holders, wanted, clash):
    found = held(*holders).port_clash(asked(*wanted))
    assert (found and (str(found[0]), found[1])) == clash


def test_the_holder_of_a_port_is_named():
    node = held("80", "90-91:80")
    assert node.port_clash((HostPort(80, 80),)) == (HostPort(80, 80), "c0")
    assert node.port_clash((HostPort(90, 90),)) is None


SMALL_RANGES = st.builds(
    lambda first, more: HostPort(first, min(first + more, 6)), st.integers(1, 6), st.integers(0, 3)
)


@given(st.lists(SMALL_RANGES, max_size=3), st.lists(SMALL_RANGES, min_size=1, max_size=3))
def test_ports_are_refused_exactly_when_no_arrangement_fits(before, wanted):
    def fits(ports):
        choices = product(*(range(port.first, port.last + 1) for port in ports))
        return any(len(set(chosen)) == len(ports) for chosen in choices)

    single = {port for port in wanted if port.first == port.last}
    wanted = [*single, *(port for port in wanted if port not in single)]
    table = PortTable()
    table.take(before, "held")
    if fits(before):
        assert (table.clash(wanted) is None) is fits([*before, *wanted])
    else:
        table.clash(wanted)  # engines may report anything; it only must not fail


class CountedPort(HostPort):
    """Counts how often ports are compared with each other."""

    compared = 0

    def clashes(self, other):
        CountedPort.compared += 1
        return super().clashes(other)


@pytest.mark.parametrize("step", [0, 1], ids=["one range", "many ranges"])
def test_many_ranges_compare_each_held_port_a_few_times_at_most(step):
    """All scheduling waits while ports are compared."""
    table, held, asked = PortTable(), 2000, 200
    table.take([CountedPort(number, number) for number in range(1, held + 1)], "held")
    CountedPort.compared = 0
    ranges = [HostPort(1 + step * number, held + asked) for number in range(asked)]
    assert table.clash(ranges) is None
    assert held <= CountedPort.compared < 4 * (held + asked)
    assert table.clash([*ranges, HostPort(1, held + asked)]) is not None


# ---- any sequence of changes

PORTS = st.lists(st.sampled_from([HostPort(80, 80), HostPort(80, 82), HostPort(53, 53, "udp")]))
CLAIMS = st.builds(
    lambda cpus, memory, ports, gpus, ids: Claim(cpus, memory, tuple(ports), gpus, tuple(ids)),
    st.integers(0, 3),
    st.integers(0, 3),
    PORTS,
    st.integers(-1, 2),
    st.lists(st.sampled_from(["0", "3", "x"])),
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "drop", "reserve", "release", "give up"]),
        st.sampled_from(["a", "b", "c"]),
        CLAIMS,
        st.sampled_from(["running", "exited", "created"]),
        st.dictionaries(st.sampled_from(["tier", SWARM_ID]), st.sampled_from(["", "x", "y"])),
    )
)


def check_ports(node):
    """Check the holders and claims of ports against the containers."""
    there = list(node.containers.values())
    holding = [each for each in there if each.running or each.id in node.starting]
    assert all(each.state == "created" for each in node.starting.values())
    for claimed, counted in ((False, holding), (True, there)):
        table = PortTable()
        for each in (*counted, *node.reservations.values()):
            table.take(each.claim.ports, each.name)
        for number in range(80, 84):
            port = HostPort(number, number)
            assert (node.port_clash((port,), claimed=claimed) is None) is (
                table.clash((port,)) is None
            )


def check_alone(node):
    """Check that a node without containers has only the claims of its reservations."""
    held = node.reservations.values()
    assert node.used_memory == sum(each.claim.memory for each in held)
    assert node.container_count == len(held)


@given(STEPS)
def test_counters_equal_a_recount(steps):
    node = Node("id", "192.0.2.1:2375")
    node.labels = {"swarm.gpus": "4"}
    for step, name, claim, state, labels in steps:
        container = replace(a_container(name, labels=labels, state=state), claim=claim)
        reservation = replace(a_reservation(name, labels=labels), claim=claim, id=name)
        match step:
            case "put":
                node.put_container(container)
            case "drop":
                node.drop_container(container.id)
            case "reserve":
                node.reserve(reservation)
            case "release":
                node.release(name)
            case "give up":
                node.give_up_start(container.id)
    check_ports(node)
    with node.without(list(node.containers)):
        check_alone(node)
    recount = Node("id", "192.0.2.1:2375")
    recount.labels = node.labels
    for container in node.containers.values():
        recount.put_container(container)
    for reservation in node.reservations.values():
        recount.reserve(reservation)
    assert node.container_count == recount.container_count
    assert node.used_nano_cpus == recount.used_nano_cpus
    assert node.used_memory == recount.used_memory
    assert set(node.gpu_holders) == set(recount.gpu_holders)
    assert +Counter(node.states) == +Counter(recount.states)
    assert set(node.container_words) == set(recount.container_words)
    for key in ("tier", SWARM_ID):
        assert set(node.container_label_values(key)) == set(recount.container_label_values(key))
    for container in list(node.containers.values()):
        node.drop_container(container.id)
    for id in list(node.reservations):
        node.release(id)
    assert node._allocation == Allocation()
    assert node.gpu_holders == {}
    assert set(node.container_words) == set()
