"""Which container a create replaces, and which of its resources are free for the create."""

from dataclasses import replace

import pytest
from swarmcore_filter_containerslots import ContainerSlotsFilter
from swarmcore_filter_port import PortFilter
from swarmcore_strategy_spread import Spread

from swarmcore.cluster.placement.reservations import Reservations
from swarmcore.errors import NoNodeFits
from swarmcore.model import GiB
from swarmcore.names import NameIndex
from swarmcore.scheduler import Scheduler
from swarmcore.testing.builders import (
    a_config,
    a_container,
    a_decision,
    a_node,
    a_reservation,
    an_id,
)

COMPOSE = "com.docker.compose"


def of_service(number="1", service="app", project="r", **more):
    return {
        f"{COMPOSE}.project": project,
        f"{COMPOSE}.service": service,
        f"{COMPOSE}.container-number": number,
        f"{COMPOSE}.oneoff": "False",
        **{f"{COMPOSE}.{key}": value for key, value in more.items()},
    }


def short(name):
    return an_id(f"container {name}")[:12]


OLD, NEW = "r-app-1", f"{short('r-app-1')}_r-app-1"


@pytest.mark.parametrize(
    ("name", "labels", "replaces"),
    [
        (NEW, of_service(), True),
        (NEW, {}, True),
        ("r_app_1", of_service(), True),
        ("other", of_service(replace="app-1"), True),
        ("other", {f"{COMPOSE}.replace": OLD, f"{COMPOSE}.project": "r"}, True),
        ("other", {f"{COMPOSE}.replace": OLD, f"{COMPOSE}.project": "q"}, False),
        ("other", {f"{COMPOSE}.replace": an_id(f"container {OLD}")}, True),
        ("other", of_service("2"), False),
        ("other", of_service(project="q"), False),
        ("other", of_service(service="db"), False),
        ("other", of_service(oneoff="True"), False),
        ("other", {f"{COMPOSE}.project": "r", f"{COMPOSE}.service": "app"}, False),
        ("other", {f"{COMPOSE}.service": ""}, False),
        (f"{'0' * 12}_{OLD}", {}, False),
        (f"{short(OLD)}_other", {}, False),
        ("other", {}, False),
    ],
    ids=str,
)
@pytest.mark.parametrize("state", ["running", "exited"])
def test_compose_tells_what_it_replaces_by_labels_and_names(name, labels, replaces, state):
    old = a_container(OLD, labels=of_service(), state=state)
    node = a_node(containers=[old, "r-app-2"])
    config = a_config(name=name, labels=labels).with_replaced([a_node("n2"), node])
    assert config.replaces == ({old.id} if replaces else set())


def test_the_first_generation_gives_the_old_container_another_name():
    old = a_container(f"{short('tmp')}_r_app_1", state="created")
    assert not a_config(name="r_app_1").with_replaced([a_node(containers=[old])]).replaces
    node = a_node(containers=[a_container("web", labels=of_service(), state="created")])
    (web,) = node.containers.values()
    node.put_container(replace(web, names=(f"{web.id[:12]}_r_app_1",)))
    config = a_config(name="r_app_1", labels=of_service())
    assert config.with_replaced([node]).replaces == {web.id}


def test_a_container_that_was_never_started_is_not_replaced_by_labels():
    node = a_node(
        containers=[a_container("first", ports=["80:80"], labels=of_service(), state="created")]
    )
    config = a_config(name="second", ports=["80:80"], labels=of_service())
    assert not config.with_replaced([node]).replaces
    (first,) = node.containers
    node.give_up_start(first)
    assert config.with_replaced([node]).replaces == {first}


def test_a_one_off_container_of_a_service_is_not_replaced():
    run = a_container("run", labels=of_service(oneoff="True"))
    assert (
        not a_config(name="new", labels=of_service())
        .with_replaced([a_node(containers=[run])])
        .replaces
    )


def test_a_container_that_gave_its_name_away_is_replaced_by_one_that_takes_name_and_port():
    def replaced(name, *ports):
        return a_config(name=name, ports=ports).with_replaced([node]).replaces

    node = a_node(containers=[a_container("web", ports=["80:80"])])
    (web,) = node.containers.values()
    for former, name in (("web", "web_old"), ("web_old", "web_older")):
        node.put_container(replace(web, names=(name,)))
        assert replaced(former, "80:8080") == {web.id}
        assert not replaced(former, "81:80")
        assert not replaced(former)
    assert not replaced("web", "80:80")
    node.drop_container(web.id)
    assert not replaced("web_old", "80:80")


# ---- what it may have

SCHEDULER = Scheduler(Spread(), [PortFilter(), ContainerSlotsFilter()])


def place(config, *nodes):
    return a_decision(SCHEDULER, config.with_replaced(nodes), nodes)


def a_replica(number, **more):
    return a_container(f"r-app-{number}", labels=of_service(str(number)), **more)


def a_new_replica(number, **more):
    return a_config(name=f"new-{number}", labels=of_service(str(number)), **more)


def test_a_replacement_goes_to_the_node_where_alone_its_port_will_be_free():
    nodes = [a_node(f"n{n}", containers=[a_replica(n, ports=["80:80"])]) for n in (1, 2, 3)]
    for number in (1, 2, 3):
        decision = place(a_new_replica(number, ports=["80:80"]), *nodes)
        assert decision.node.name == f"n{number}"
        assert decision.dropped == ["no claim on port 80/tcp"]
    with pytest.raises(NoNodeFits, match="3 port 80/tcp"):
        place(a_new_replica(4, ports=["80:80"]), *nodes)


def test_a_replacement_prefers_nodes_where_no_container_claims_the_port():
    nodes = [a_node("n1", containers=[a_replica(1, ports=["80:80"])]), a_node("n2")]
    assert place(a_new_replica(1, ports=["80:80"]), *nodes).node.name == "n2"


def test_two_concurrent_creates_do_not_replace_one_container():
    node = a_node(containers=[a_replica(1, ports=["80:80"])])
    node.reserve(a_reservation("first", labels=of_service(), ports=["80:80"]))
    with pytest.raises(NoNodeFits, match="taken by first"):
        place(a_new_replica(1, ports=["80:80"]), node)


def test_resources_of_the_replaced_container_are_free_for_the_replacement():
    gpu = {"HostConfig": {"DeviceRequests": [{"Count": 1, "Capabilities": [["gpu"]]}]}}
    node = a_node(
        cpus=4,
        memory=8 * GiB,
        labels={"containerslots": "1", "swarm.gpus": "GPU-a"},
        containers=[a_replica(1, cpus=3, memory=6 * GiB, body=gpu)],
    )
    before = node.used_memory, node.used_nano_cpus, node.container_count, dict(node.gpu_holders)
    config = a_new_replica(1, cpus=4, memory=8 * GiB, body=gpu).with_replaced([node])
    assert a_decision(SCHEDULER, config, [node]).node is node
    for number in (1, 2):
        with pytest.raises(NoNodeFits):
            place(a_new_replica(number, memory=9 * GiB), node)
    with pytest.raises(NoNodeFits):
        place(a_new_replica(2, memory=GiB), node)
    after = node.used_memory, node.used_nano_cpus, node.container_count, dict(node.gpu_holders)
    assert before == after
    held = Reservations(NameIndex()).make(config.with_swarm_id("s"), node)
    assert held.claim.gpu_ids == ("GPU-a",)


def test_stopped_holders_are_avoided_but_allowed():
    stopped = [
        a_node(f"n{n}", containers=[a_container(ports=["80:80"], state="exited")]) for n in (1, 2)
    ]
    crowded = a_node("n3", containers=["a", "b", "c"])
    config = a_config(name="new", ports=["80:80"])
    assert place(config, *stopped, crowded).node is crowded
    running = a_node("n4", containers=[a_container(ports=["80:80"])])
    assert place(config, *stopped, running).node in stopped
    with pytest.raises(NoNodeFits, match="taken by web on n4"):
        place(config, running)
