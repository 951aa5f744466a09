"""Swarm classic's sentences before ours, with ``swarm.compat=classic``."""

import pytest
from swarmcore_filter_affinity import AffinityFilter
from swarmcore_filter_constraint import ConstraintFilter
from swarmcore_filter_containerslots import ContainerSlotsFilter
from swarmcore_filter_dependency import DependencyFilter
from swarmcore_filter_health import HealthFilter
from swarmcore_filter_port import PortFilter
from swarmcore_filter_whitelist import WhitelistFilter
from swarmcore_strategy_spread import Spread

from swarmcore.errors import NoNodeFits
from swarmcore.model import GiB, State
from swarmcore.scheduler import Scheduler
from swarmcore.testing.builders import a_config, a_container, a_decision, a_node

#: Classic's chain, in its order.
CHAIN = (
    HealthFilter(), PortFilter(), ContainerSlotsFilter(), DependencyFilter(), AffinityFilter(),
    ConstraintFilter(), WhitelistFilter(),
)  # fmt: skip
CONDITIONS = "Unable to find a node that satisfies the following conditions "


def refusal(config, *nodes, classic=True):
    scheduler = Scheduler(Spread(), CHAIN, classic=classic)
    with pytest.raises(NoNodeFits) as raised:
        a_decision(scheduler, config, nodes)
    return str(raised.value)


def test_the_conditions_of_each_filter_up_to_the_failing_one_are_lines_of_their_own():
    node = a_node("n1", labels={"foo": "bar"}, containers=["web"])
    config = a_config(ports=["80:80"], env=["affinity:container!=/zz\\d/", "constraint:foo==zz"])
    text = refusal(config, node)
    assert text.split("\n") == [
        CONDITIONS,
        "[port 80 (Bridge mode)]",
        "[available container slots]",
        r"[container!=/zz\d/ (soft=false)]",
        "[foo==zz]",
        "no node fits: 0 of 1 nodes: 1 constraint foo==zz",
    ]


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (a_config(ports=["80:80"]), "[port 80 (Bridge mode)]"),
        (
            a_config(body={"HostConfig": {"NetworkMode": "host"}, "ExposedPorts": {"80/tcp": {}}}),
            "[port 80/tcp (Host mode)]",
        ),
        (a_config(body={"HostConfig": {"VolumesFrom": ["gone:ro"]}}), "[--volumes-from=gone]"),
        (a_config(body={"HostConfig": {"Links": ["gone:db"]}}), "[--link=gone]"),
        (
            a_config(body={"HostConfig": {"NetworkMode": "container:gone"}}),
            "[--net=container:gone]",
        ),
        (a_config(env=["affinity:container==gone"]), "[container==gone (soft=false)]"),
        (a_config(env=["constraint:zone==gone"]), "[zone==gone]"),
        (a_config(env=["whitelist:node==a|b"]), "[node==a|b (soft=false)]"),
    ],
)
def test_each_filter_words_its_conditions_as_classic_did(config, line):
    host = {"HostConfig": {"NetworkMode": "host"}, "ExposedPorts": {"80/tcp": {}}}
    holders = [a_container("web", ports=["80:80"]), a_container("host", body=host)]
    lines = refusal(config, a_node("n1", containers=holders)).split("\n")
    assert lines[0] == CONDITIONS
    assert line in lines


def test_slots_are_told():
    full = a_node("n1", labels={"containerslots": "1"}, containers=["web"])
    assert refusal(a_config(), full).split("\n")[:2] == [CONDITIONS, "[available container slots]"]


def test_a_lack_of_room_is_one_line():
    text = refusal(a_config(memory=8 * GiB), a_node("n1", memory=GiB))
    assert text.startswith("no resources available to schedule container: no node fits: 0 of 1")


def test_unhealthy_nodes_are_one_line_that_stands_once():
    text = refusal(a_config(), a_node("n1", state=State.UNHEALTHY))
    assert text.startswith("No healthy node available in the cluster: 0 of 1 nodes")
    assert text.count("No healthy node") == 1


def test_without_the_option_nothing_goes_before_ours():
    text = refusal(a_config(env=["constraint:zone==gone"]), a_node("n1"), classic=False)
    assert text.startswith("no node fits: ")
