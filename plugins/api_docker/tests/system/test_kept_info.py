"""``GET /info`` is kept as long as nothing in it changes; a contact is shown in the next second."""

import json
import random
from types import SimpleNamespace

import pytest
from swarmcore_api_docker.system import kept_info
from swarmcore_api_docker.system.handlers import this_manager
from swarmcore_api_docker.system.kept_info import KeptInfo

from swarmcore.model import Drain, State
from swarmcore.protocols import DiscoveryState, MoveRecord
from swarmcore.testing.builders import a_container, a_reservation
from swarmcore.versions import ApiVersion

NOW, LATER = "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:01+00:00"
V1_41 = ApiVersion(1, 41)


@pytest.fixture
def cluster(docker):
    return docker.Cluster(*(docker.Engine(docker.node(f"n{number}")) for number in range(3)))


@pytest.fixture
def kept():
    return KeptInfo(this_manager())


def anew(cluster, now=NOW):
    return KeptInfo(this_manager()).encoded(cluster, now, V1_41)


def test_only_the_time_is_new_while_nothing_changes(cluster, kept, monkeypatch):
    first = json.loads(kept.encoded(cluster, NOW, V1_41))
    for name in ("describe_info", "engine_facts", "node_rows", "dump_json"):
        monkeypatch.setattr(kept_info, name, lambda *_, **__: pytest.fail("made again"))
    second = json.loads(kept.encoded(cluster, LATER, V1_41))
    assert (first.pop("SystemTime"), second.pop("SystemTime")) == (NOW, LATER)
    assert first == second


def test_after_a_contact_only_the_rows_of_that_node_are_made_again(cluster, kept, monkeypatch):
    kept.encoded(cluster, NOW, V1_41)
    rows, made = kept_info.node_rows, []
    for name in ("describe_info", "engine_facts"):
        monkeypatch.setattr(kept_info, name, lambda *_, **__: pytest.fail("made again"))
    monkeypatch.setattr(kept_info, "node_rows", lambda node: made.append(node) or rows(node))
    cluster.nodes()[1].updated_at += 3
    shown = kept.encoded(cluster, LATER, V1_41)
    monkeypatch.undo()
    assert made == [cluster.nodes()[1]]
    assert shown == anew(cluster, LATER)


def test_contacts_of_one_second_are_shown_together_in_the_next(cluster, kept, monkeypatch):
    joined, encoded = [], kept._status.encoded
    monkeypatch.setattr(kept._status, "encoded", lambda of: joined.append(1) or encoded(of))
    first = kept.encoded(cluster, NOW, V1_41)
    for _ in range(300):
        cluster.nodes()[1].updated_at += 3
        assert kept.encoded(cluster, NOW, V1_41) == first
    assert kept.encoded(cluster, LATER, V1_41) == anew(cluster, LATER)
    assert len(joined) == 2


def test_a_move_is_shown_at_once(cluster, kept):
    kept.encoded(cluster, NOW, V1_41)
    cluster.moves.records = [MoveRecord("1" * 64, "web", "n1")]
    assert b"1 under way, 0 failed" in kept.encoded(cluster, NOW, V1_41)


def test_each_version_has_its_own(cluster, kept):
    for version in (V1_41, ApiVersion(1, 51), V1_41):
        shown = json.loads(kept.encoded(cluster, NOW, version))
        assert ("KernelMemory" in shown) == (version == V1_41)


CHANGES = (
    lambda node, rng: node.put_container(a_container(f"c{rng.randrange(4)}", cpus=rng.random())),
    lambda node, rng: node.drop_container(next(iter(node.containers), "")),
    lambda node, rng: node.reserve(a_reservation(f"r{rng.randrange(3)}")),
    lambda node, rng: node.release(next(iter(node.reservations), "")),
    lambda node, rng: setattr(node, "state", rng.choice([State.HEALTHY, State.UNHEALTHY])),
    lambda node, rng: setattr(node, "error", rng.choice(["", "gone"])),
    lambda node, rng: setattr(node, "failures", rng.randrange(4)),
    lambda node, rng: setattr(node, "labels", {"zone": str(rng.randrange(3))}),
    lambda node, rng: setattr(node, "info", {**node.info, "NFd": rng.randrange(3)}),
    lambda node, rng: setattr(node, "drained", rng.choice([None, Drain("disk", 1.0)])),
    lambda node, rng: setattr(node, "updated_at", rng.randrange(3)),
    lambda node, rng: setattr(
        node, "images", {"sha256:1": {"Id": "sha256:1", "RepoTags": ["a:1"]}}
    ),
    lambda node, rng: setattr(node, "name", f"n{rng.randrange(3)}"),
    lambda node, rng: setattr(node, "version", rng.choice(["20.10.24", "28.5.2"])),
    lambda node, rng: setattr(node, "memory", rng.randrange(1 << 40)),
    lambda node, rng: setattr(node, "cpus", rng.randrange(9)),
)


@pytest.mark.parametrize("seed", range(20))
def test_after_any_changes_the_kept_info_equals_a_new_one(cluster, kept, seed):
    rng = random.Random(seed)
    for second in range(40):
        now = f"2026-01-01T00:00:{second:02}.{rng.randrange(1000):03}+00:00"
        rng.choice(CHANGES)(rng.choice(cluster.nodes()), rng)
        assert kept.encoded(cluster, now, V1_41) == anew(cluster, now)


#: Attributes of a node with another value each.  Each attribute must be here, or in ``UNSHOWN``.
OTHERS = {
    "id": "ENGINE-x|10.0.0.9:2375",
    "name": "x",
    "address": "10.0.0.9:2375",
    "state": State.UNHEALTHY,
    "failures": 3,
    "failure_limit": 1,
    "error": "gone",
    "drained": Drain("disk", 1.0),
    "labels": {"zone": "x"},
    "cpus": 77,
    "memory": 1 << 40,
    "overcommit": 0.5,
    "version": "19.03.1",
    "info": {"NFd": 77, "OSType": "windows"},
    "images": {id: {"Id": id, "RepoTags": [f"x:{id}"]} for id in ("7", "8")},
    "updated_at": 77,
    "api_version": ApiVersion(1, 30),
    "min_api_version": ApiVersion(1, 30),
    "moved_names": {"busybox:latest": "sha256:7"},
}
UNSHOWN = {
    "ip", "networks", "volumes", "objects", "spanning", "failed_pulls", "skew_seconds",
    "cpu_shares_are_cpus", "container_changes", "image_changes", "reservation_changes",
    "revision", "changes",
}  # fmt: skip


def test_every_attribute_that_can_be_assigned_to_a_node_is_tried(docker):
    node = docker.node()
    properties = {
        name
        for kind in type(node).__mro__
        for name, value in vars(kind).items()
        if isinstance(value, property) and value.fset
    }
    public = {name for name in vars(node) if not name.startswith("_")}
    assert properties | public == OTHERS.keys() | UNSHOWN


@pytest.mark.parametrize("name", OTHERS)
def test_a_change_of_any_attribute_of_any_node_is_shown(docker, name):
    nodes = [docker.node(f"n{number}") for number in range(3)]
    for node in nodes:
        node.images = {"sha256:1": {"Id": "sha256:1", "RepoTags": ["busybox:latest"]}}
        node.failures = 1  # as many as the other ``failure_limit``
    cluster, kept = docker.Cluster(*map(docker.Engine, nodes)), KeptInfo(this_manager())
    before = kept.encoded(cluster, NOW, V1_41)
    for number, node in enumerate(nodes):
        setattr(node, name, OTHERS[name])
        now = f"2026-01-01T00:00:0{number + 1}+00:00" if name == "updated_at" else NOW
        shown = kept.encoded(cluster, now, V1_41)
        assert shown == anew(cluster, now)
    # What is shown of other attributes than these would have to be in the list above.
    assert (shown.replace(now.encode(), NOW.encode()) != before) == (
        name not in {"moved_names", "api_version", "min_api_version"}
    )


@pytest.mark.parametrize(
    "change",
    [
        {"is_primary": False, "primary": "10.0.0.9:3375"},
        {"discovery": DiscoveryState(error="no route to host")},
        {"discovery": DiscoveryState(problems=["line 3: no port"])},
        {"listeners": 7},
    ],
    ids=["a replica", "discovery", "an entry", "listeners"],
)
def test_changes_of_the_cluster_are_shown_at_once(cluster, kept, change):
    kept.encoded(cluster, NOW, V1_41)
    for name, value in change.items():
        setattr(cluster, name, value)
    shown = kept.encoded(cluster, NOW, V1_41)
    assert shown == anew(cluster)


def test_how_long_creates_wait_is_shown_by_the_second(cluster, kept):
    waiting = SimpleNamespace(waited_seconds=1.0)
    for queue in ([], [waiting], [waiting], []):
        cluster.queue = queue
        waiting.waited_seconds += 1
        assert kept.encoded(cluster, NOW, V1_41) == anew(cluster)
