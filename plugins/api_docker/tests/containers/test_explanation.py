"""The JSON of an explanation."""

import pytest
from swarmcore_api_docker.containers.explanation import explanation_document

from swarmcore.errors import NoNodeFits
from swarmcore.protocols import Candidate, Decision, Explanation, Rule, Verdict, Weigher
from swarmcore.testing.builders import a_config, a_node

ZONE = Rule("constraint zone==b", lambda node: "")
DISK = Rule("constraint disk==~ssd", lambda node: "has hdd", soft=True)
N1, N2, N3 = (a_node(f"n{number}") for number in (1, 2, 3))
VERDICTS = {
    N1.id: [Verdict("constraint", ZONE, ""), Verdict("constraint", DISK, None)],
    N2.id: [Verdict("constraint", ZONE, None), Verdict("constraint", DISK, "has hdd")],
    N3.id: [Verdict("constraint", ZONE, None), Verdict("constraint", DISK, "has hdd")],
}


def document(decision, *alternates):
    config = a_config("nginx", name="web", memory=1 << 30, cpus=0.5, ports=["80:80"])
    return explanation_document(Explanation(config, decision, alternates), "spread", ["constraint"])


@pytest.fixture
def placed():
    candidates = [Candidate(N3, (True,), (900.0, -3.0)), Candidate(N2, (True,), (800.0, -3.0))]
    dropped = [DISK.text]
    return document(Decision(candidates, dropped, [(N1, ZONE, "")], None, VERDICTS), N2)


def test_the_chosen_node_comes_first(placed):
    nodes = placed.pop("Nodes")
    assert [node["Name"] for node in nodes] == ["n3", "n2", "n1"]
    assert placed == {
        "Name": "web",
        "Image": "nginx",
        "Placed": True,
        "Node": "n3",
        "Alternates": ["n2"],
        "Dropped": ["constraint disk==~ssd"],
        "AboutImage": "",
        "Error": "",
        "Claim": {
            "NanoCPUs": 500_000_000,
            "Memory": 1 << 30,
            "Ports": ["80/tcp"],
            "GPUs": 0,
            "GPUIDs": [],
        },
        "Strategy": "spread",
        "Filters": ["constraint"],
        "Weighers": [],
    }


def test_every_node_has_every_verdict_and_a_candidate_its_weights(placed):
    best, second, refused = placed["Nodes"]
    assert best["Rank"] == 1
    assert best["Weights"] == {
        "Raw": [900.0, -3.0],
        "Normalised": [1.0, 0.0],
        "Added": [],
        "AddedNormalised": [],
        "Score": 0.0,
    }
    assert second["Weights"]["Normalised"] == [0.0, 0.0]
    assert refused == {
        "Name": "n1",
        "ID": N1.id,
        "Address": N1.address,
        "Rank": 0,
        "Verdicts": [
            {
                "Filter": "constraint",
                "Rule": "constraint zone==b",
                "Soft": False,
                "Passed": False,
                "Reason": "",
            },
            {
                "Filter": "constraint",
                "Rule": "constraint disk==~ssd",
                "Soft": True,
                "Passed": True,
                "Reason": "",
            },
        ],
        "Weights": None,
    }


def test_a_refusal_has_its_text():
    error = NoNodeFits("no node fits: 0 of 1 nodes: 1 constraint zone==b")
    refused = document(Decision((), (), [(N1, ZONE, "")], error, VERDICTS))
    assert (refused["Placed"], refused["Node"]) == (False, "")
    assert refused["Error"] == str(error)
    assert [node["Rank"] for node in refused["Nodes"]] == [0]


def test_weighers_are_shown_with_raw_and_scaled_values():
    weighers = [Weigher("spread zone", None, max), Weigher("image", 2.0, max)]
    candidates = [
        Candidate(N3, (), (900.0,), (-1.0, 1.0), 3.0),
        Candidate(N2, (), (800.0,), (-1.0, 0.0), 0.0),
    ]
    shown = document(Decision(candidates, (), (), None, {}, weighers))
    assert shown["Weighers"] == [
        {"Name": "spread zone", "Multiplier": None},
        {"Name": "image", "Multiplier": 2.0},
    ]
    assert [node["Weights"] for node in shown["Nodes"]] == [
        {
            "Raw": [900.0],
            "Normalised": [1.0],
            "Added": [-1.0, 1.0],
            "AddedNormalised": [0.0, 1.0],
            "Score": 3.0,
        },
        {
            "Raw": [800.0],
            "Normalised": [0.0],
            "Added": [-1.0, 0.0],
            "AddedNormalised": [0.0, 0.0],
            "Score": 0.0,
        },
    ]
