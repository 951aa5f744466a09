"""GPUs and other devices: requests, a node's stock, and which container gets which device."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarmcore.cluster.placement.reservations import Reservations
from swarmcore.container_config.resources import claim_of, claim_of_body, read_devices
from swarmcore.errors import NeverFits, NoNodeFits
from swarmcore.model import ALL_GPUS, NodeSettings
from swarmcore.names import NameIndex
from swarmcore.node.gpus import read_stock
from swarmcore.scheduler import Scheduler
from swarmcore.testing.builders import a_config, a_container, a_decision, a_node
from swarmcore.versions import ApiVersion


class Any:
    name = "any"

    def weigh(self, config, node):
        return (0.0,)


def gpus(count=0, *ids, capabilities=("gpu",), driver=""):
    """Return a request as ``docker run --gpus`` sends it."""
    return {
        "Driver": driver,
        "Count": count,
        "DeviceIDs": list(ids) or None,
        "Capabilities": [list(capabilities)],
        "Options": {},
    }


def cdi(*names):
    """Return a request as ``docker run --device`` sends it."""
    return {"Driver": "cdi", "Count": 0, "DeviceIDs": list(names), "Capabilities": None}


def asking(*requests):
    return {"HostConfig": {"DeviceRequests": list(requests)}}


def a_job(*requests, name="job"):
    return a_config(name=name, body=asking(*requests)).with_swarm_id(name)


def a_holder(name, *requests):
    return a_container(name, body=asking(*requests))


def refusal(config, *nodes):
    with pytest.raises(NoNodeFits) as refused:
        a_decision(Scheduler(Any(), []), config, nodes)
    return str(refused.value).partition("nodes: ")[2].partition(";")[0]


# ---- what is asked for


@pytest.mark.parametrize(
    ("requests", "claim"),
    [
        ([gpus(2)], (2, ())),
        ([gpus(-1)], (ALL_GPUS, ())),
        ([gpus(-7)], (ALL_GPUS, ())),
        ([gpus(0, "0", "GPU-x")], (0, ("0", "GPU-x"))),
        ([gpus(2, "0")], (0, ("0",))),
        ([gpus(1), gpus(2)], (3, ())),
        ([gpus(1), gpus(-1)], (ALL_GPUS, ())),
        ([gpus(1, capabilities=("utility", "gpu"))], (1, ())),
        ([gpus(1, capabilities=(), driver="nvidia")], (1, ())),
        ([gpus(1, capabilities=("tpu",))], (0, ())),
        ([gpus(1, capabilities=("tpu",), driver="amd")], (1, ())),
        ([gpus(1, capabilities=(), driver="acme")], (0, ())),
        ([gpus(1, capabilities=("compute",))], (1, ())),
        ([gpus(1, capabilities=("nvidia", "utility"))], (1, ())),
        ([gpus(1, capabilities=("compute", "tpu"))], (0, ())),
        ([gpus(1, capabilities=())], (1, ())),
        ([{"Count": 1, "Capabilities": each} for each in ([None], [], None)], (0, ())),
        ([{"Count": 1, "Capabilities": [["tpu"], ["video"]]}], (1, ())),
        ([gpus(0, "0,1")], (0, ("0", "1"))),
        ([gpus(0, "all")], (ALL_GPUS, ())),
        ([gpus(0, "1,all")], (ALL_GPUS, ("1",))),
        ([gpus(0, "none")], (0, ())),
        ([cdi("nvidia.com/gpu=0", "nvidia.com/gpu=1")], (0, ("0", "1"))),
        ([cdi("nvidia.com/gpu=all")], (ALL_GPUS, ())),
        ([cdi("acme.com/net=a")], (0, ())),
        ([gpus(0)], (0, ())),
        ([None, 7, {}, {"Count": "2", "Capabilities": [["gpu"]]}], (0, ())),
        ([{"Count": 1, "Capabilities": "gpu"}], (0, ())),
        ([{"Count": 1, "Driver": ["nvidia"], "Capabilities": [["gpu"], {"a": 1}, "gpu"]}], (1, ())),
        ([{"Count": 1, "Driver": {"cdi": 1}, "DeviceIDs": {"a": 1}}], (0, ())),
        ([{"Count": True, "Capabilities": [["gpu"]]}], (0, ())),
        ([{"Capabilities": [["gpu"]], "DeviceIDs": [0, None, "1"]}], (0, ("1",))),
    ],
    ids=str,
)
def test_a_claim_of_gpus_is_read_alike_from_a_create_and_from_an_engine(requests, claim):
    body = claim_of_body({"DeviceRequests": requests}, {})
    seen = claim_of({"HostConfig": {"DeviceRequests": requests}}, 4)
    assert (body.gpus, body.gpu_ids) == (seen.gpus, seen.gpu_ids) == claim


def test_field_names_are_read_in_any_case():
    config = a_config(body=asking({"count": 2, "CAPABILITIES": [["gpu"]]}))
    assert config.claim.gpus == 2


def test_cdi_devices_are_known_by_their_full_names():
    asked = read_devices({"DeviceRequests": [cdi("acme.com/net=a", "nvidia.com/gpu=0")]})
    assert asked.cdi == ("acme.com/net=a", "nvidia.com/gpu=0")


# ---- what a node has

GENERIC = [{"NamedResourceSpec": {"Kind": "NVIDIA-GPU", "Value": id}} for id in ("GPU-a", "GPU-b")]
COUNTED = [{"DiscreteResourceSpec": {"Kind": "gpu", "Value": 2}}]
SSD = [{"DiscreteResourceSpec": {"Kind": "ssd", "Value": 2}}]


def found(*names):
    return [{"Source": "cdi", "ID": f"nvidia.com/gpu={name}"} for name in names]


@pytest.mark.parametrize(
    ("labels", "info", "ids"),
    [
        ({}, {}, ()),
        ({"swarm.gpus": "3"}, {}, ("0", "1", "2")),
        ({"swarm.gpus": " GPU-a, GPU-b ,GPU-a,"}, {}, ("GPU-a", "GPU-b")),
        ({"swarm.gpus": "0"}, {"GenericResources": COUNTED}, ()),
        ({"swarm.gpus": ""}, {"GenericResources": COUNTED}, ()),
        ({}, {"GenericResources": GENERIC}, ("GPU-a", "GPU-b")),
        ({}, {"GenericResources": COUNTED}, ("0", "1")),
        ({}, {"GenericResources": SSD}, ()),
        ({}, {"DiscoveredDevices": found("all", "10", "9", "GPU-a")}, ("9", "10")),
        ({}, {"DiscoveredDevices": found("0:1", "0:0", "1")}, ("0:0", "0:1", "1")),
        ({}, {"DiscoveredDevices": found("GPU-b", "GPU-a", "all")}, ("GPU-a", "GPU-b")),
        ({}, {"DiscoveredDevices": [{"Source": "cdi", "ID": "acme.com/net=a"}]}, ()),
        ({}, {"Runtimes": {"nvidia": {}}}, None),
        ({}, {"Runtimes": {"nvidia": {}}, "GenericResources": COUNTED}, ("0", "1")),
        ({}, {"GenericResources": [None, {}], "DiscoveredDevices": 7, "Runtimes": None}, ()),
    ],
)
def test_gpus_are_read_from_the_first_source_that_tells(labels, info, ids):
    assert read_stock(labels, info).ids == ids


def test_a_wrong_number_makes_no_list_that_fills_the_memory():
    assert len(read_stock({"swarm.gpus": "999999999"}, {}).ids) == 4096


def test_an_operator_names_gpus_of_a_running_manager():
    node = a_node(containers=[a_holder("web", gpus(1))])
    assert node.gpu_holders == {}
    node.apply(NodeSettings(labels={"swarm.gpus": "GPU-a,GPU-b"}))
    assert node.gpu_holders == {"GPU-a": "web"}
    assert node.free_gpus == ["GPU-b"]


# ---- who holds what


@pytest.mark.parametrize(
    ("held", "free"),
    [
        (gpus(1), ["1", "2"]),
        (gpus(2), ["2"]),
        (gpus(0, "1"), ["0", "2"]),
        (gpus(0, "0", "2"), ["1"]),
        (gpus(-1), []),
        (cdi("nvidia.com/gpu=1"), ["0", "2"]),
    ],
)
def test_a_container_holds_gpus_in_every_state_until_it_is_gone(held, free):
    node = a_node(labels={"swarm.gpus": "3"})
    container = a_container("web", body=asking(held), state="exited")
    node.put_container(container)
    assert node.free_gpus == free
    node.drop_container(container.id)
    assert node.free_gpus == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("ids", "name", "found"),
    [
        ("GPU-a1,GPU-b2", "GPU-b2", "GPU-b2"),
        ("GPU-a1,GPU-b2", "1", "GPU-b2"),
        ("GPU-a1,GPU-b2", "GPU-b", "GPU-b2"),
        ("GPU-a1,GPU-b2", "2", None),
        ("GPU-a1,GPU-b2", "GPU-", None),
        ("GPU-a1,GPU-b2", "GPU-b22", None),
        ("8,9", "9", "9"),
        ("8,9", "1", None),
        ("0:0,0:1", "0:1", "0:1"),
        ("2", "1", "1"),
        ("2", "2", None),
    ],
)
def test_a_gpu_is_found_by_id_by_its_beginning_and_by_place(ids, name, found):
    assert read_stock({"swarm.gpus": ids}, {}).find(name) == found


def test_an_index_means_the_id_at_that_place():
    node = a_node(labels={"swarm.gpus": "GPU-a,GPU-b"}, containers=[a_holder("web", gpus(0, "1"))])
    assert node.gpu_holders == {"GPU-b": "web"}


def test_gpus_with_two_names_are_given_once():
    node = a_node(containers=[a_holder("web", gpus(0, "GPU-a"))])
    node.info = {"DiscoveredDevices": found("0", "1", "GPU-a", "GPU-b")}
    assert len(node.free_gpus) == 1
    assert refusal(a_job(gpus(2)), node) == "1 gpu (needs 2, 1 free of 2 on n1)"
    assert refusal(a_job(gpus(0, "GPU-a")), node) == "1 gpu (GPU-a taken by web on n1)"
    node.put_container(a_holder("next", gpus(0, "GPU-b")))
    assert refusal(a_job(gpus(1)), node) == "1 gpu (needs 1, 0 free of 2 on n1)"
    node.drop_container(a_holder("web").id)
    node.put_container(a_holder("last", gpus(0, "1")))
    assert refusal(a_job(gpus(0, "GPU-a")), node) == "1 gpu (needs 1, 0 free of 2 on n1)"


# ---- the rule


@pytest.mark.parametrize(
    ("request_", "held", "labels", "says"),
    [
        (gpus(1), [], {}, "needs 1, there is none"),
        (gpus(-1), [], {}, "needs all, there is none"),
        (gpus(0, "0"), [], {}, "needs 0, there is none"),
        (gpus(5), [], {"swarm.gpus": "4"}, "needs 5, there are 4"),
        (gpus(2), [gpus(3)], {"swarm.gpus": "4"}, "needs 2, 1 free of 4"),
        (gpus(-1), [gpus(1)], {"swarm.gpus": "4"}, "needs all, 3 free of 4"),
        (gpus(1), [gpus(-1)], {"swarm.gpus": "4"}, "needs 1, 0 free of 4"),
        (gpus(0, "1"), [gpus(2)], {"swarm.gpus": "4"}, "1 taken by c0"),
        (gpus(0, "4"), [], {"swarm.gpus": "4"}, "there is no 4 among 4"),
        (gpus(0, "GPU-x"), [], {"swarm.gpus": "4"}, "there is no GPU-x among 4"),
        (gpus(5), [], {"swarm.gpus": "4", "swarm.gpus.shared": "1"}, "needs 5, there are 4"),
    ],
)
def test_a_refusal_lists_the_gpus(request_, held, labels, says):
    containers = [a_holder(f"c{number}", each) for number, each in enumerate(held)]
    node = a_node(labels=labels, containers=containers)
    assert refusal(a_job(request_), node) == f"1 gpu ({says} on n1)"


def test_the_refusal_of_many_names_the_node_with_most_free():
    nodes = [
        a_node(f"n{number}", labels={"swarm.gpus": "4"}, containers=[a_holder("c", gpus(number))])
        for number in (3, 4)
    ]
    assert refusal(a_job(gpus(2)), *nodes) == "2 gpu (needs 2, 1 free of 4 on n3)"
    nodes[1].labels = {"swarm.gpus": "GPU-a"}
    assert refusal(a_job(gpus(0, "GPU-a")), *nodes) == "2 gpu (GPU-a taken by c on n4)"
    assert refusal(a_job(gpus(2)), a_node("a"), a_node("b")) == "2 gpu (needs 2, there is none)"


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (gpus(5), "gpu: ask for 4 at most"),
        (gpus(0, "GPU-x"), "gpu: no node has GPU-x"),
        (cdi("acme.com/net=a"), "no node has the device acme.com/net=a"),
    ],
)
def test_gpus_that_no_node_has_are_refused_permanently(request_, why):
    nodes = [a_node("n1", labels={"swarm.gpus": "4"}, containers=[a_holder("web", gpus(4))]),
             a_node("n2", labels={"swarm.gpus": "2"})]  # fmt: skip
    with pytest.raises(NeverFits, match=f"; {why}$"):
        a_decision(Scheduler(Any(), []), a_job(request_), nodes)
    with pytest.raises(NeverFits, match=r"; gpu: no node has any$"):
        a_decision(Scheduler(Any(), []), a_job(gpus(1)), [a_node()])


@pytest.mark.parametrize("request_", [gpus(4), gpus(-1), gpus(0, "3")])
def test_gpus_that_are_taken_are_refused_for_now(request_):
    node = a_node(labels={"swarm.gpus": "4"}, containers=[a_holder("web", gpus(4))])
    error = Scheduler(Any(), []).decide(a_job(request_), [node]).error
    assert type(error) is NoNodeFits


@pytest.mark.parametrize(
    ("request_", "held"),
    [
        (gpus(4), []),
        (gpus(-1), []),
        (cdi("nvidia.com/gpu=1", "nvidia.com/gpu=all"), []),
        (gpus(1), [gpus(3)]),
        (gpus(0, "3"), [gpus(3)]),
        (gpus(2), [gpus(0, "0"), gpus(0, "2")]),
    ],
)
def test_a_node_with_room_is_chosen(request_, held):
    containers = [a_holder(f"c{number}", each) for number, each in enumerate(held)]
    node = a_node(labels={"swarm.gpus": "4"}, containers=containers)
    node.info = {"DiscoveredDevices": found("0", "1", "2", "3", "all")}
    assert a_decision(Scheduler(Any(), []), a_job(request_), [node]).node is node


def test_shared_and_unknown_gpus_are_not_counted():
    shared = a_node("shared", labels={"swarm.gpus": "2", "swarm.gpus.shared": "true"})
    untold = a_node("untold")
    untold.info = {"Runtimes": {"nvidia": {}}}
    for node in (shared, untold):
        node.put_container(a_holder("web", gpus(-1)))
        assert a_decision(Scheduler(Any(), []), a_job(gpus(2)), [node]).node is node
        assert node.gpu_holders == {}


def test_a_cdi_device_must_exist_if_engines_report_devices():
    there, not_there = a_node("there"), a_node("elsewhere")
    there.info = {"DiscoveredDevices": [{"Source": "cdi", "ID": "acme.com/net=a"}]}
    job = a_job(cdi("acme.com/net=a"))
    assert a_decision(Scheduler(Any(), []), job, [not_there, there]).node is there
    assert refusal(job, not_there) == "1 device acme.com/net=a not there on elsewhere"
    silent = a_node("silent", api_version=ApiVersion(1, 45))
    assert a_decision(Scheduler(Any(), []), job, [silent]).node is silent
    old = a_node("old", api_version=ApiVersion(1, 41))
    assert refusal(job, old) == "1 device acme.com/net=a needs API 1.44, has 1.41 on old"


# ---- which are given


def sent(config, node):
    return config.body_for(node)["HostConfig"]["DeviceRequests"]


@pytest.fixture
def reservations():
    return Reservations(NameIndex())


def test_the_engine_is_told_which_gpus_so_that_two_containers_never_get_the_first(reservations):
    node = a_node(labels={"swarm.gpus": "4"}, containers=[a_holder("web", gpus(0, "1"))])
    job = a_job(gpus(2, capabilities=("gpu", "utility")))
    reservations.make(job, node)
    (request,) = sent(job, node)
    assert request == {**gpus(0, "0", "2"), "Capabilities": [["gpu", "utility"]]}
    assert node.free_gpus == ["3"]
    assert sent(job, a_node("other")) == [gpus(2, capabilities=("gpu", "utility"))]


def test_named_gpus_are_sent_as_they_are(reservations):
    node = a_node(labels={"swarm.gpus": "GPU-a,GPU-b,GPU-c"})
    job = a_job(gpus(0, "1"), gpus(1), cdi("acme.com/net=a"))
    reservations.make(job, node)
    assert sent(job, node) == [gpus(0, "1"), gpus(0, "GPU-a"), cdi("acme.com/net=a")]
    assert node.free_gpus == ["GPU-c"]


def test_all_means_all_that_the_node_has(reservations):
    node = a_node(labels={"swarm.gpus": "GPU-b,GPU-a"})
    job = a_job(gpus(-1))
    reservations.make(job, node)
    assert sent(job, node) == [gpus(0, "GPU-b", "GPU-a")]


def test_without_counting_the_request_stays_unchanged(reservations):
    node = a_node(labels={"swarm.gpus": "2", "swarm.gpus.shared": "1"})
    job = a_job(gpus(2))
    reservations.make(job, node)
    assert sent(job, node) == [gpus(2)]


@given(st.lists(st.tuples(st.sampled_from([-1, 1, 2, 3]), st.booleans()), max_size=12))
def test_no_gpu_is_ever_held_twice(steps):
    node, reservations = a_node(labels={"swarm.gpus": "4"}), Reservations(NameIndex())
    for number, (count, leaves) in enumerate(steps):
        job = a_job(gpus(count), name=f"job-{number}")
        if Scheduler(Any(), []).decide(job, [node]).error is None:
            reservations.make(job, node)
        if leaves:
            reservations.end(f"job-{number - 1}")
        given_out = [id for held in node.reservations.values() for id in held.claim.gpu_ids]
        assert len(given_out) == len(set(given_out))
        assert sorted([*given_out, *node.free_gpus]) == ["0", "1", "2", "3"]
