"""The output for operators is complete, grouped, and fits the terminal."""

import pytest
from swarmcore_operations.commands.columns import some, table, wrap
from swarmcore_operations.commands.decision_text import decisions_text
from swarmcore_operations.commands.explanation_text import explanation_text, one_node_text
from swarmcore_operations.commands.move_text import moves_text
from swarmcore_operations.commands.node_text import node_text, nodes_text

from swarmcore.errors import ConfigError
from swarmcore.model import GiB

ROWS = [["NODE", "ADDRESS", "STATE"], ["n1", "10.0.0.1:2375", "healthy"]]


@pytest.mark.parametrize(
    ("width", "head"),
    [(80, "NODE  ADDRESS        STATE"), (28, "NODE  ADDRESS        STATE"), (27, "NODE  STATE")],
)
def test_a_table_that_is_too_wide_drops_optional_columns(width, head):
    assert table(ROWS, width=width, spare=(1,))[0] == head


def test_a_table_is_too_wide_rather_than_empty():
    assert table(ROWS, width=1, spare=(1,)) == ["NODE  STATE", "n1    healthy"]
    assert table(ROWS, width=80, hidden=(0, 1), spare=(1,)) == ["STATE", "healthy"]


@pytest.mark.parametrize(
    ("room", "text"),
    [
        (80, "n1, n2, n3, n4"),
        (14, "n1, n2, n3, n4"),
        (13, "n1 and 3 more"),
        (1, "n1 and 3 more"),
    ],
)
def test_as_many_names_as_there_is_room_for(room, text):
    assert some(["n1", "n2", "n3", "n4"], room=room) == text


def test_a_long_word_stays_whole():
    address = "unix://" + "x" * 90
    assert wrap(f"error: {address}", width=40, indent="  ") == ["  error:", f"  {address}"]


# ---- explanations


def verdict(rule, reason=None, *, soft=False):
    return {
        "Filter": rule.partition(" ")[0],
        "Rule": rule,
        "Soft": soft,
        "Passed": reason is None,
        "Reason": reason or "",
    }


def node(name, rank, *verdicts):
    weights = {
        "Raw": [float(-rank)],
        "Normalised": [0.5],
        "Added": [],
        "AddedNormalised": [],
        "Score": 0.0,
    }
    return {
        "Name": name,
        "Address": "",
        "Rank": rank,
        "Verdicts": list(verdicts),
        "Weights": weights if rank else None,
    }


def explanation(*nodes, **more):
    return {
        "Name": "web",
        "Image": "nginx",
        "Placed": any(each["Rank"] for each in nodes),
        "Node": nodes[0]["Name"],
        "Alternates": [],
        "Dropped": [],
        "AboutImage": "",
        "Error": "",
        "Claim": {"NanoCPUs": 0, "Memory": 0, "Ports": [], "GPUs": 0, "GPUIDs": []},
        "Strategy": "spread",
        "Filters": ["constraint"],
        "Weighers": [],
        "Nodes": list(nodes),
        **more,
    }


def test_nodes_with_the_same_objections_are_one_paragraph():
    refused = [
        node(f"a{number}", 0, verdict("zone", ""), verdict("memory", "needs 8, 1 free"))
        for number in range(3)
    ] + [
        node(f"b{number}", 0, verdict("zone"), verdict("memory", "needs 8, 2 free"))
        for number in "12"
    ]
    page = explanation_text(explanation(*refused, Error="no node fits"), width=80)
    assert page.splitlines() == [
        "web (nginx) would be refused:",
        "  no node fits",
        "",
        "  claims      nothing",
        "  strategy    spread",
        "  filters     constraint",
        "",
        "5 of 5 nodes could not:",
        "     3  zone; memory",
        "        memory: needs 8, 1 free",
        "        a0, a1, a2",
        "     2  memory",
        "        needs 8, 2 free",
        "        b1, b2",
    ]


def test_reasons_that_differ_are_one_and_a_count():
    refused = [node(f"n{free}", 0, verdict("memory", f"{free} free")) for free in range(4)]
    page = explanation_text(explanation(*refused), width=80)
    assert "        0 free on n0, and 3 other reasons" in page.splitlines()


def test_weighers_are_shown_if_there_are_any():
    weighed = node("n1", 1)
    weighed["Weights"] |= {"Added": [-3.0, 1.0], "AddedNormalised": [0.25, 1.0], "Score": 2.5}
    weighers = [{"Name": "spread zone", "Multiplier": None}, {"Name": "image", "Multiplier": 2.0}]
    page = explanation_text(explanation(weighed, Weighers=weighers), width=80)
    assert "  weighers    spread zone first, image x 2\n" in page
    head, row = page.splitlines()[-2:]
    assert head.split() == ["RANK", "NODE", "WEIGHTS", "NORMALISED", "ADDED", "SCALED", "SCORE",
                            "BREAKS"]  # fmt: skip
    assert row.split() == ["1", "n1", "-1", "0.5", "-3", "1", "0.25", "1", "2.5", "-"]
    verdicts = one_node_text(explanation(weighed, Weighers=weighers), "n1", width=80)
    assert "  added -3 1, normalised 0.25 1; score 2.5" in verdicts
    assert "ADDED" not in explanation_text(explanation(node("n1", 1)), width=80)


def test_a_broken_soft_rule_is_shown_beside_its_candidate():
    wish = verdict("disk==~ssd", "has hdd", soft=True)
    placed = [node("n1", 1, wish), node("n2", 2, verdict("disk==~ssd", soft=True))]
    lines = explanation_text(explanation(*placed, Dropped=["disk==~ssd"]), width=80).splitlines()
    assert lines[0] == "web (nginx) would be placed on n1."
    assert "  dropped     disk==~ssd" in lines
    assert lines[-2].split() == ["1", "n1", "-1", "0.5", "disk==~ssd"]
    assert lines[-1].split() == ["2", "n2", "-2", "0.5", "-"]
    assert not any("could not" in line for line in lines)


def test_a_container_without_a_name_and_a_cluster_without_nodes():
    empty = explanation(node("", 0), Name="", Nodes=[], Placed=False, Error="No healthy node")
    assert explanation_text(empty, width=80).startswith("a container without a name (nginx) would")


def test_one_node_is_shown_with_every_verdict():
    wish = verdict("disk==~ssd", "has hdd", soft=True)
    placed = [
        node("n1", 1, wish),
        node("n2", 0, verdict("core drained"), verdict("zone", ""), wish),
    ]
    page = one_node_text(explanation(*placed), "n2", width=80)
    assert page.splitlines()[-5:] == [
        "n2 is refused:",
        "  FILTER      RULE             SAYS",
        "  core        core drained     yes",
        "  zone        zone             no",
        "  disk==~ssd  wish disk==~ssd  no: has hdd",
    ]
    assert one_node_text(explanation(*placed), "n1", width=80).endswith(
        "  weights -1, normalised 0.5\n"
    )
    with pytest.raises(ConfigError, match="--node n9"):
        one_node_text(explanation(*placed), "n9", width=80)


# ---- nodes


def a_document(**more):
    share = {"Total": 4 * GiB, "Claimed": GiB, "Free": 3 * GiB}
    return {
        "Name": "n1",
        "Address": "10.0.0.1:2375",
        "ID": "ID|10.0.0.1:2375",
        "State": "Healthy",
        "Error": "",
        "FailedPulls": [],
        "Drained": None,
        "Version": "28.5.2",
        "APIVersion": "1.51",
        "NanoCPUs": share,
        "Memory": share,
        "Slots": None,
        "GPUs": None,
        "Containers": {"Total": 2, "Running": 1, "Paused": 0, "Stopped": 1},
        "Ports": [],
        "Reservations": [],
        "Labels": {"zone": "b"},
        "AddedLabels": {},
        "UpdatedAt": "",
        **more,
    }


def test_slots_are_a_column_if_some_node_has_them():
    slots = {"Total": 3, "Claimed": 2, "Free": 1}
    assert "SLOTS" not in nodes_text([a_document()], width=80)
    lines = nodes_text([a_document(), a_document(Slots=slots)], width=80).splitlines()
    assert "SLOTS" in lines[0]
    assert "2/3" in lines[2]


def test_gpus_are_a_column_with_their_holders_if_some_node_has_them():
    held = [{"GPU": "0", "Holder": "web"}]
    gpus = {"Total": 2, "Claimed": 1, "Free": 1, "Shared": False, "Held": held}
    assert "GPUS" not in nodes_text([a_document()], width=80)
    lines = nodes_text([a_document(), a_document(GPUs=gpus)], width=90).splitlines()
    assert "GPUS" in lines[0]
    assert "1/2" in lines[2]
    assert "gpus        1 of 2 claimed, 1 free: 0 web" in node_text(a_document(GPUs=gpus), width=80)
    shared = {"Total": 2, "Claimed": 0, "Free": 2, "Shared": True, "Held": []}
    assert "gpus        2, shared" in node_text(a_document(GPUs=shared), width=80)


@pytest.mark.parametrize(
    ("count", "ids", "text"),
    [(1, [], "1 GPU"), (2, [], "2 GPUs"), (-1, [], "all GPUs"), (1, ["a"], "GPU a and 1 GPU")],
)
def test_claimed_gpus_are_shown(count, ids, text):
    claim = {"NanoCPUs": 0, "Memory": GiB, "Ports": [], "GPUs": count, "GPUIDs": ids}
    told = explanation_text(explanation(node("n1", 1), Claim=claim), width=80)
    assert f"claims      1 GiB, {text}\n" in told


def test_errors_and_reservations_are_below_the_row():
    held = {"Name": "web", "Image": "nginx", "NanoCPUs": 0, "Memory": GiB, "Ports": ["80/tcp"],
            "GPUs": 0, "GPUIDs": ["0", "1"]}  # fmt: skip
    document = a_document(Name="", State="Pending", Error="no route to host", Reservations=[held])
    lines = nodes_text([document], width=80).splitlines()
    assert lines[1].startswith("(unknown)  10.0.0.1:2375  pending")
    assert lines[2:4] == ["    1 claim of creates under way", "    error: no route to host"]
    assert "web (nginx), a create under way: 0 CPUs, 1 GiB, port 80/tcp, GPU 0, 1" in node_text(
        document, width=120
    )


@pytest.mark.parametrize(
    ("drained", "text"),
    [
        ({"Reason": "noisy", "Author": "anna", "Since": ""}, "drained: noisy, by anna"),
        ({"Reason": "", "Author": "anna", "Since": ""}, "drained: by anna"),
    ],
)
def test_why_a_node_is_drained_is_below_its_row(drained, text):
    lines = nodes_text([a_document(Drained=drained)], width=80).splitlines()
    assert lines[1].split()[2] == "drained"
    assert lines[2].strip() == text


def test_failed_pulls_are_below_the_row_and_on_the_page():
    failed = {"Scope": "hub.example", "Count": 2, "Image": "hub.example/app:1",
              "Reason": "connection refused", "At": "2020-01-01T00:00:00.000+00:00"}  # fmt: skip
    document = a_document(FailedPulls=[failed])
    told = nodes_text([document], width=200).splitlines()[2]
    assert told.startswith("    2 failed pulls, the last one at ")
    assert told.endswith(", of hub.example/app:1: connection refused")
    assert "  pulls       2 failed pulls, the last" in node_text(document, width=200)


def test_the_summary_of_no_nodes():
    assert "0 nodes, 0 healthy" in nodes_text([], width=80)


def test_unfinished_moves_are_counted():
    moves = [{"State": state, "Unfinished": unfinished} for state, unfinished in (
        ("moving", True), ("failed", True), ("failed", False), ("moved", False),
    )]  # fmt: skip
    assert "1 container being moved, 1 cannot be moved" in nodes_text([], (), moves, width=80)
    assert "moved" not in nodes_text([], (), moves[2:], width=80)


def test_creates_that_wait_are_counted_with_the_longest_wait():
    queue = [{"WaitedSeconds": 3.2}, {"WaitedSeconds": 71.8}]
    lines = nodes_text([a_document()], queue, width=80).splitlines()
    assert lines[-1] == "2 creates waiting for room, the longest for 72 s"


# ---- decisions


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"State": "moved", "Target": "n2"}, "web moved from n1 to n2\n"),
        ({"State": "moving"}, "web is being moved from n1\n"),
        (
            {"State": "failed", "Attempts": 3, "Error": "no node fits"},
            "web stays on n1 after 3 attempts: no node fits\n",
        ),
    ],
)
def test_a_move_shows_its_outcome(change, text):
    move = {"Time": "2026-01-31T08:00:00.000+00:00", "Name": "web", "Source": "n1", "Target": "",
            "Attempts": 1, "Error": "", **change}  # fmt: skip
    assert moves_text([move], width=200).endswith(text)
    assert moves_text([], width=80) == ""


def test_a_decision_shows_reasons_dropped_rules_and_failures():
    record = {
        "Time": "2026-01-31T08:00:00.000+00:00",
        "Name": "web",
        "Image": "nginx",
        "Cause": "alternate",
        "Node": "n2",
        "Asked": 3,
        "Fitting": 2,
        "Refused": {"port 80/tcp": 1},
        "Dropped": ["zone==~b"],
        "AboutImage": "",
        "Error": "",
        "Failure": "",
    }
    text = decisions_text([record], width=200)
    assert text.endswith(
        "web (nginx) to n2 (alternate), 2 of 3 could; not: 1 port 80/tcp; dropped: zone==~b\n"
    )
    assert decisions_text([], width=80) == ""
    for cause, how in [
        ("create", "refused"),
        ("alternate", "not to another node"),
        ("pulled", "not to the node of its pull"),
    ]:
        refused = {**record, "Cause": cause, "Error": "no node fits"}
        head, why = decisions_text([refused], width=200).splitlines()
        assert head.endswith(f"web (nginx) {how}")
        assert why.strip() == "no node fits"
    failed = {**record, "Dropped": [], "Failure": "the pull failed: connection refused"}
    assert decisions_text([failed], width=200).endswith(
        "; not: 1 port 80/tcp; failed there: the pull failed: connection refused\n"
    )
