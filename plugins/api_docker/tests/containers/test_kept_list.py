"""The encoded list is kept exactly as long as nothing in it changes."""

import json
import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from swarmcore_api_docker.containers.kept_list import KeptList
from swarmcore_api_docker.containers.summary import SummaryEncoder

from swarmcore.model import State
from swarmcore.testing.builders import a_container, a_node

NOW = 1_600_000_000.0


def a_list(*, everything=True):
    return KeptList(SummaryEncoder("plain"), everything=everything)


def names(kept, nodes, now=NOW):
    return [item["Names"][0] for item in json.loads(kept.encoded(nodes, now))]


def written_anew(nodes, now, *, everything):
    return a_list(everything=everything).encoded(nodes, now)


def test_without_containers_it_is_an_empty_array():
    assert a_list().encoded([], NOW) == b"[]\n"
    assert a_list().encoded([a_node("n1")], NOW) == b"[]\n"


def test_the_same_bytes_are_answered_while_nothing_changes(monkeypatch):
    nodes = [a_node("n1", containers=["web"]), a_node("n2", containers=["db"])]
    kept = a_list()
    first = kept.encoded(nodes, NOW)
    monkeypatch.setattr(SummaryEncoder, "encode_until", lambda *_: pytest.fail("encoded again"))
    assert kept.encoded(nodes, NOW) is first


@pytest.mark.parametrize("everything", [True, False])
def test_a_hidden_container_is_not_listed_until_it_is_shown_again(everything):
    node = a_node("n1", containers=["web", "db"])
    kept = a_list(everything=everything)
    (web,) = (each.id for each in node.containers.values() if each.name == "web")
    assert sorted(names(kept, [node])) == ["/db", "/web"]
    node.hide_container(web)
    assert names(kept, [node]) == ["/db"]
    node.show_container(web)
    assert sorted(names(kept, [node])) == ["/db", "/web"]


@pytest.mark.parametrize("everything", [True, False])
def test_a_change_of_a_container_encodes_exactly_one_row(monkeypatch, everything):
    nodes = [a_node(f"n{n}", containers=[f"c{n}-{i}" for i in range(50)]) for n in range(3)]
    kept = a_list(everything=everything)
    kept.encoded(nodes, NOW)
    encoded = []
    encode = SummaryEncoder.encode_until

    def watched(self, container, node, now):
        encoded.append(container.name)
        return encode(self, container, node, now)

    monkeypatch.setattr(SummaryEncoder, "encode_until", watched)
    nodes[1].put_container(a_container("c1-7", state="paused"))
    assert len(names(kept, nodes)) == 150
    assert encoded == ["c1-7"]
    nodes[2].put_container(a_container("new"))
    assert len(names(kept, nodes)) == 151
    assert encoded == ["c1-7", "new"]
    nodes[2].drop_container(a_container("new").id)
    assert len(names(kept, nodes)) == 150
    assert encoded == ["c1-7", "new"]


async def test_the_first_list_is_encoded_before_it_is_asked(monkeypatch):
    nodes = [a_node("n1", containers=["web", "db"])]
    kept = a_list()
    await kept.prepare(nodes, NOW)
    monkeypatch.setattr(SummaryEncoder, "_head", lambda *_: pytest.fail("encoded again"))
    assert sorted(names(kept, nodes)) == ["/db", "/web"]


def put(node, rng):
    node.put_container(
        a_container(f"c{rng.randrange(6)}", state=rng.choice(["running", "exited"]),
                    created=NOW - rng.randrange(5))
    )  # fmt: skip


def drop(node, rng):
    if node.containers:
        node.drop_container(rng.choice(list(node.containers)))


def lose(node, rng):
    node.state = rng.choice([State.HEALTHY, State.UNHEALTHY])


def rename(node, rng):
    node.name = f"n{rng.randrange(3)}"


def address(node, rng):
    node.ip = f"10.0.0.{rng.randrange(3)}"


def images(node, rng):
    id = f"sha256:{rng.randrange(2)}"
    node.images = {id: {"Id": id, "RepoTags": ["busybox:latest"]}}


def move(node, rng):
    node.moved_names = rng.choice([{}, {"busybox": "sha256:0"}])


def skew(node, rng):
    node.skew_seconds = rng.choice([0.0, 7200.0, -7200.0])


@pytest.mark.parametrize("everything", [True, False])
@pytest.mark.parametrize("seed", range(20))
def test_after_any_changes_the_kept_list_equals_a_new_one(seed, everything):
    rng = random.Random(seed)
    nodes = [a_node(f"n{number}") for number in range(3)]
    kept, now = a_list(everything=everything), NOW
    for _ in range(60):
        change = rng.choice([put, put, put, drop, lose, rename, address, images, move, skew])
        change(rng.choice(nodes), rng)
        now += rng.choice([0, 0, 0.5, 40, -40, 7200, -7200])
        shown = nodes if rng.random() < 0.8 else nodes[1:]
        assert kept.encoded(shown, now) == written_anew(shown, now, everything=everything)


@pytest.mark.parametrize("skew", [0.0, 18_000.0])
def test_an_age_is_that_of_the_engines_clock_though_clocks_are_set(skew):
    web = a_container("web")
    moment = datetime.fromtimestamp(NOW, UTC).isoformat()
    detail = {**web.detail, "State": {**web.detail["State"], "StartedAt": moment}}
    node, kept = a_node("n1", containers=[replace(web, detail=detail)]), a_list()

    def status(now):
        return json.loads(kept.encoded([node], now))[0]["Status"]

    node.skew_seconds = skew
    assert status(NOW + 10 + skew) == "Up 10 seconds"
    # The manager's clock is set forward, which the next reading of the engine finds.
    assert status(NOW + 18_010 + skew) == "Up 5 hours"
    node.skew_seconds += 18_000
    assert status(NOW + 18_020 + skew) == "Up 20 seconds"
    # It is set back, together with the engine's clock.
    node.skew_seconds = skew
    assert status(NOW + 30 + skew) == "Up 30 seconds"
