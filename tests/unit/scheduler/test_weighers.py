"""How weighers are combined with the strategy's weights."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarmcore.protocols import Weigher
from swarmcore.scheduler import FailureHistory, PlacementFailed, Scheduler, make_weighers
from swarmcore.testing.builders import a_config, a_container, a_decision, a_node, a_reservation
from swarmcore.weights import normalise
from tests.unit.strategies import Fewest, Saying

PROJECT, SERVICE = "com.docker.compose.project", "com.docker.compose.service"


def order(nodes, *weighers, strategy=None, config=None):
    scheduler = Scheduler(strategy or Saying(), [], weighers)
    candidates = a_decision(scheduler, config or a_config(), nodes).candidates
    return " ".join(candidate.node.name for candidate in candidates)


def by(multiplier, **values):
    return Weigher("by", multiplier, lambda _, nodes, __: [values[node.name] for node in nodes])


def nodes(text):
    return [a_node(name) for name in text.split()]


# ---- putting together


def test_values_are_scaled_and_added_up_with_their_multipliers():
    # x: 1 + 2 * 0, y: 0 + 2 * 1, z: 0.5 + 2 * 0.25
    strategy = Saying({"xx": (900.0,), "yy": (100.0,), "zz": (500.0,)})
    weigher = by(2.0, xx=-8.0, yy=-4.0, zz=-7.0)
    decision = a_decision(Scheduler(strategy, [], [weigher]), a_config(), nodes("xx yy zz"))
    scores = {each.node.name: (each.added, each.score) for each in decision.candidates}
    assert scores == {"yy": ((-4.0,), 2.0), "zz": ((-7.0,), 1.0), "xx": ((-8.0,), 1.0)}
    assert [each.node.name for each in decision.candidates] == ["yy", "xx", "zz"]
    assert [(each.name, each.multiplier) for each in decision.weighers] == [("by", 2.0)]


def test_a_negative_multiplier_turns_a_weight_round():
    assert order(nodes("xx yy"), by(-1.0, xx=1.0, yy=0.0)) == "yy xx"


def test_the_first_differing_number_of_the_strategy_counts():
    strategy = Saying({"xx": (5.0, 1.0), "yy": (5.0, 3.0)})
    assert order(nodes("xx yy"), by(0.9, xx=1.0, yy=0.0), strategy=strategy) == "yy xx"
    assert order(nodes("xx yy"), by(1.1, xx=1.0, yy=0.0), strategy=strategy) == "xx yy"


def test_a_weight_in_which_all_are_equal_decides_nothing():
    strategy = Saying({"xx": (1.0,), "yy": (2.0,)})
    assert order(nodes("xx yy"), by(100.0, xx=7.0, yy=7.0), strategy=strategy) == "yy xx"


def test_a_weigher_without_a_multiplier_outweighs_every_sum():
    assert order(nodes("xx yy"), by(None, xx=1.0, yy=2.0), by(99.0, xx=9.0, yy=0.0)) == "yy xx"


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=8))
def test_weighers_that_find_no_difference_leave_the_strategys_order(weights):
    all_nodes = nodes(" ".join(f"n{number}" for number in range(len(weights))))
    strategy = Saying(
        {node.name: tuple(map(float, each)) for node, each in zip(all_nodes, weights, strict=True)}
    )
    same = Weigher("same", 3.0, lambda _, found, __: [1.0] * len(found))
    assert order(all_nodes, same, strategy=strategy) == order(all_nodes, strategy=strategy)


@pytest.mark.parametrize(
    ("raw", "normalised"),
    [
        ([], []),
        ([(), ()], [[], []]),
        ([(5.0,)], [[0.0]]),
        ([(3.0, 1.0), (1.0, 1.0), (2.0, 1.0)], [[1.0, 0.0], [0.0, 0.0], [0.5, 0.0]]),
        ([(-1e9,), (1e9,)], [[0.0], [1.0]]),
        ([(-1e308,), (1e308,), (0.0,)], [[0.0], [1.0], [0.5]]),
    ],
)
def test_weights_are_brought_to_one_scale_by_columns(raw, normalised):
    assert normalise(raw) == normalised


def test_weights_further_apart_than_any_number_still_rank_the_nodes():
    weights = {"worst": (-1e308,), "best": (1e308,), "middle": (0.0,)}
    same = Weigher("same", 1.0, lambda _, found, __: [1.0] * len(found))
    assert order(nodes("worst middle best"), same, strategy=Saying(weights)) == "best middle worst"


# ---- those that there are


def made(spread="", history=None, **multipliers):
    return list(make_weighers(multipliers, spread, history or FailureHistory(lambda: 0.0)))


def test_nothing_is_added_unless_it_is_asked_for():
    assert made() == []
    assert made(image=0.0, failures=0.0) == []


def test_a_node_with_the_image_is_preferred():
    there, elsewhere = a_node("there", images=["nginx:1"]), a_node("elsewhere", images=[])
    config = a_config("nginx:1")
    assert order([elsewhere, there], *made(image=1.0), config=config) == "there elsewhere"


def test_failures_lower_a_nodes_weight_until_they_are_forgotten():
    now = 1000.0
    history = FailureHistory(lambda: now)
    scheduler = Scheduler(Saying(), [], made(history=history, failures=1.0), history)
    good, bad = nodes("zz aa")
    scheduler.note_failure(bad)
    assert a_decision(scheduler, a_config(), [good, bad]).node is good
    now += 300
    assert history.recent(bad.id) == 0.5
    scheduler.note_failure(bad)
    assert history.recent(bad.id) == 1.5
    now += 3600
    assert history.recent(bad.id) == 0.0
    assert a_decision(scheduler, a_config(), [good, bad]).node is bad


def test_without_a_history_failures_do_not_count():
    scheduler = Scheduler(Saying(), [])
    scheduler.note_failure(a_node())
    assert a_decision(scheduler, a_config(), [a_node()]).candidates[0].score == 0


def zoned(name, zone, *containers):
    return a_node(name, labels={"zone": zone} if zone else {}, containers=containers)


def test_containers_are_spread_over_zones_first_and_then_by_the_strategy():
    cluster = [zoned("a1", "a", "c1"), zoned("a2", "a", "c2"), zoned("b1", "b", "c3")]
    assert order(cluster, *made("zone"), strategy=Fewest()) == "b1 a1 a2"
    b1 = cluster[2]
    b1.put_container(a_container("c4"))
    b1.reserve(a_reservation("c5"))
    assert order(cluster, *made("zone"), strategy=Fewest()) == "a1 a2 b1"


def test_nodes_without_the_label_are_a_zone_of_their_own():
    cluster = [zoned("a1", "a", "c1"), zoned("n1", "", "c2"), zoned("n2", "")]
    cluster[0].put_container(a_container("c3"))
    assert order(cluster, *made("zone"), strategy=Fewest()) == "n2 n1 a1"


def test_containers_on_refused_nodes_count_for_their_zones():
    drained = a_node("a2", labels={"zone": "a"}, containers=["c1"], drained="upgrade")
    cluster = [zoned("a1", "a"), zoned("b1", "b"), drained]
    assert order(cluster, *made("zone")) == "b1 a1"
    drained.drop_container(a_container("c1").id)
    assert order(cluster, *made("zone")) == "a1 b1"


def test_containers_of_one_service_are_spread_before_all_others():
    def of(service, project="shop"):
        return {PROJECT: project, SERVICE: service}

    web = a_container("shop-web-1", labels=of("web"))
    cluster = [zoned("a1", "a", "c1", "c2", a_container("x", labels=of("web", "blog"))),
               zoned("b1", "b", web)]  # fmt: skip
    assert order(cluster, *made("zone")) == "b1 a1"
    assert order(cluster, *made("zone"), config=a_config(labels=of("web"))) == "a1 b1"
    assert order(cluster, *made("zone"), config=a_config(labels=of("db"))) == "b1 a1"
    cluster[0].reserve(a_reservation("shop-web-2", labels=of("web")))
    assert order(cluster, *made("zone"), config=a_config(labels=of("web"))) == "b1 a1"


# ---- those of plugins


@pytest.mark.parametrize(
    ("multipliers", "counted"), [({}, [3.0]), ({"by": -1.0}, [-1.0]), ({"by": 0.0}, [])]
)
def test_a_plugins_weigher_counts_by_its_own_multiplier_or_by_the_operators(multipliers, counted):
    made = make_weighers(multipliers, "", FailureHistory(lambda: 0.0), [by(3.0, xx=1.0)])
    assert [weigher.multiplier for weigher in made] == counted


@pytest.mark.parametrize(
    ("weigh", "words"),
    [
        (lambda config, candidates, nodes: 1 / 0, "weigher acme failed: ZeroDivisionError"),
        (lambda config, candidates, nodes: None, "weigher acme failed: TypeError"),
        (lambda config, candidates, nodes: [1.0], r"weigher acme weighed 2 nodes as \[1.0\]"),
        (lambda config, candidates, nodes: ["nan", 1], r"weigher acme weighed 2 nodes as \[nan"),
    ],
)
def test_a_weigher_that_is_broken_is_named_in_the_creates_error(weigh, words):
    with pytest.raises(PlacementFailed, match=words):
        order(nodes("xx yy"), Weigher("acme", 1.0, weigh))
