"""``GET /info`` is kept exactly as long as nothing in it changes."""

import json
import random
from types import SimpleNamespace

import pytest
from swarmcore_api_docker.system import kept_info
from swarmcore_api_docker.system.handlers import this_manager
from swarmcore_api_docker.system.kept_info import KeptInfo

from swarmcore.model import Drain, State
from swarmcore.protocols import DiscoveryState
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
    monkeypatch.setattr(kept_info, "describe_info", lambda *_, **__: pytest.fail("made again"))
    second = json.loads(kept.encoded(cluster, LATER, V1_41))
    assert (first.pop("SystemTime"), second.pop("SystemTime")) == (NOW, LATER)
    assert first == second


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
    lambda node, rng: setattr(node, "updated_at", float(rng.randrange(3))),
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
    for _ in range(40):
        rng.choice(CHANGES)(rng.choice(cluster.nodes()), rng)
        assert kept.encoded(cluster, NOW, V1_41) == anew(cluster)


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
