"""The query of a build: what the scheduler reads in it, and what remains for the engine."""

import json
from urllib.parse import quote

import pytest
from swarmcore_api_docker.build.query import asks_for_node, query_for_engine, read_build

from swarmcore.http.messages import Query
from swarmcore.testing.builders import a_node


def arguments(**values):
    return f"buildargs={quote(json.dumps(values, separators=(',', ':')), safe='')}"


@pytest.mark.parametrize(
    ("sent", "passed"),
    [
        ("t=a%3A1&t=b&q=1", "t=a%3A1&t=b&q=1"),
        ("a=%7e+%7E&&b", "a=%7e+%7E&&b"),
        ("", ""),
        (arguments(A="1", B=None), arguments(A="1", B=None)),
        ("buildargs=%7B%22A%22%3a+%22b%22%7d", "buildargs=%7B%22A%22%3a+%22b%22%7d"),
        (
            f"t=x&{arguments(**{'constraint:node': '=n1', 'A': '1', 'B': None})}&q=1",
            f"t=x&{arguments(A='1', B=None)}&q=1",
        ),
        (arguments(**{"affinity:image": "=~x"}), arguments()),
        (arguments(**{"constraint": "x", "http:proxy": "y"}),) * 2,
        ("buildargs=nonsense&buildargs=[1]", "buildargs=nonsense&buildargs=[1]"),
    ],
    ids=[
        "no arguments", "odd spelling", "empty", "ordinary", "ordinary, oddly spelled",
        "an instruction", "instructions only", "look-alikes", "malformed",
    ],
)  # fmt: skip
def test_only_instructions_are_taken_out(sent, passed):
    assert query_for_engine(sent, a_node("n1")) == passed


@pytest.mark.parametrize(
    ("sent", "passed"),
    [
        ("networkmode=net", "networkmode=net"),
        ("networkmode=n1%2Fnet&t=a", "networkmode=net&t=a"),
        ("networkmode=n2%2Fnet", "networkmode=n2%2Fnet"),
        ("networkmode=container%3An1%2Fdb", "networkmode=container%3Adb"),
    ],
)
def test_a_network_is_named_as_its_engine_knows_it(sent, passed):
    assert query_for_engine(sent, a_node("n1", containers=["db"])) == passed


@pytest.mark.parametrize(("mode", "networks"), [("net", ("net",)), ("host", ()), ("", ())])
def test_a_network_is_a_dependency(mode, networks):
    assert read_build(Query.parse(f"networkmode={mode}")).networks == networks


def test_instructions_labels_and_sizes_reach_the_scheduler():
    given = arguments(**{"constraint:node": "=n1", "affinity:image": None, "A": "1"})
    labels = quote(json.dumps({"com.docker.swarm.constraints": '["zone==b"]', "owner": "me"}))
    query = f"{given}&labels={labels}&memory=1024&cpushares=2&platform=linux%2Farm64"
    config = read_build(Query.parse(query))
    assert config.constraints == ("zone==b", "node==n1")
    assert config.affinities == ("image=",)
    assert config.labels["owner"] == "me"
    assert config.claim.memory == 1024
    assert config.body["HostConfig"]["CpuShares"] == 2
    assert config.platform == "linux/arm64"
    assert asks_for_node(config)


@pytest.mark.parametrize(
    "query", ["", "memory=much&cpushares=-1", "buildargs=[&labels=1", "memory=" + "9" * 5000]
)
def test_malformed_parameters_are_left_to_the_engine(query):
    config = read_build(Query.parse(query))
    assert config.claim.memory == 0
    assert not asks_for_node(config)
