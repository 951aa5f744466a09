"""The parts of chaos that need no real engines: plans, weather, history, and what checks find."""

import itertools
from types import SimpleNamespace

import pytest

from tests.chaos import verdict
from tests.chaos.clients import TOKEN
from tests.chaos.history import History
from tests.chaos.ledger import Entry, Knowledge, Ledger
from tests.chaos.plan import KINDS, Fault, draw
from tests.chaos.weather import Weather, kinds_of


def test_a_seed_always_draws_the_same_plan_and_another_seed_another():
    assert draw(7, 300) == draw(7, 300)
    assert draw(7, 300) != draw(8, 300)


@pytest.mark.parametrize("seed", range(50))
def test_faults_of_a_plan_end_in_time_and_never_share_a_part(seed):
    plan = draw(seed, 200)
    assert all(0 < fault.at < fault.ends <= 200.1 for fault in plan)
    for one, other in itertools.combinations(plan, 2):
        apart = one.ends < other.at or other.ends < one.at
        assert apart or not set(one.target) & set(other.target)


def test_every_kind_of_fault_is_drawn():
    drawn = {fault.kind for seed in range(20) for fault in draw(seed, 300)}
    assert drawn == {kind.name for kind in KINDS}


def test_a_part_is_disturbed_from_its_fault_until_it_has_recovered():
    weather, fault = Weather(), Fault(10, 5, "block", ("m1", "e2"))
    weather.begin(fault, 10)
    weather.end(fault, 15)
    assert weather.disturbed(50, 51) == {"e2"}
    assert weather.recovering() == {"e2": 15}
    weather.recovered("e2", 20)
    assert weather.disturbed(2, 9) == set()
    assert weather.disturbed(2, 11) == {"e2"}
    assert weather.disturbed(50, 51) == set()


@pytest.mark.parametrize(
    ("parts", "count"),
    [((), 0), (("e1", "e2"), 1), (("m1",), 1), (("m1", "m2"), 2), (("etcd", "e1"), 2)],
)
def test_two_disturbed_parts_explain_a_failure(parts, count):
    assert kinds_of(parts) == count


def test_a_violation_shows_the_history_of_its_names_and_the_faults():
    history = History()
    history.add("c0", "m1 POST one", "one", result="201")
    history.add("fault", "BEGIN cut engine e1")
    history.add("c1", "m1 POST two", "two", result="201")
    history.violate("one is gone", "one")
    (told,) = history.violations
    assert "VIOLATION one is gone" in told
    assert "POST one 201" in told
    assert "BEGIN cut engine e1" in told
    assert "two" not in told


def world(**engines):
    """Engines with lists of (token, name, state)."""

    def engine(rows):
        found = [
            {"Labels": {TOKEN: token}, "Names": [f"/{name}"], "State": state}
            for token, name, state in rows
        ]
        return SimpleNamespace(api=SimpleNamespace(call=lambda method, path: found))

    return SimpleNamespace(engines={name: engine(rows) for name, rows in engines.items()})


@pytest.mark.parametrize(
    ("state", "places", "found"),
    [
        (Knowledge.PRESENT, {"e1": [("t", "web", "running")]}, None),
        (Knowledge.PRESENT, {}, "is nowhere"),
        (Knowledge.PRESENT, {"e1": [("t", "web", "exited")]}, "has to run once"),
        (
            Knowledge.PRESENT,
            {"e1": [("t", "web", "running")], "e2": [("t", "web2", "created")]},
            "acknowledged as web, is e1:web (running), e2:web2 (created)",
        ),
        (Knowledge.GONE, {"e1": [("t", "web", "exited")]}, "whose removal was acknowledged"),
        (Knowledge.UNKNOWN, {"e1": [("t", "web", "running")]}, None),
        (
            Knowledge.UNKNOWN,
            {"e1": [("t", "web", "running")], "e2": [("t", "web2", "created")]},
            "exists more than once",
        ),
        (
            Knowledge.PRESENT,
            {"e1": [("t", "web", "running")], "e2": [("other", "web", "created")]},
            "web has several holders",
        ),
    ],
)
def test_the_check_of_containers_finds_what_is_wrong(state, places, found):
    ledger = Ledger()
    entry = Entry("t", "web", policy=True)
    entry.state, entry.started = state, True
    ledger.add(entry)
    told = [what for what, _ in verdict._containers(world(**places), ledger)]
    if found is None:
        assert told == []
    else:
        assert any(found in each for each in told)
