"""A text means the same container as in classic; lookups take constant time."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarmcore.errors import BadRequest, Conflict, NotFound
from swarmcore.names import NameIndex, invent_name
from swarmcore.testing.builders import a_container, a_node, an_id

SWARM_ID = "com.docker.swarm.id"
NODES = {"id-1": "n1", "id-2": "n2"}


def a_known(name, *, id="", node="id-1", swarm_id="", links=()):
    labels = {SWARM_ID: swarm_id} if swarm_id else {}
    container = a_container(name, labels=labels, links=links)
    return replace(container, id=id or container.id, node_id=node)


def an_index(*containers):
    index = NameIndex(lambda id: NODES.get(id, ""))
    for container in containers:
        index.put(container)
    return index


WEB = a_known("web", id="abc123" + "0" * 58, swarm_id="feed" + "1" * 60, links=["front/api"])


@pytest.mark.parametrize(
    "text",
    [
        WEB.id,
        WEB.id[:12],
        WEB.swarm_id,
        WEB.swarm_id[:12],
        "web",
        "/web",
        "n1/web",
        "id-1/web",
        "front/api",
        "n1/front/api",
        "ab",
        "fee",
    ],
)
def test_a_container_is_found_by(text):
    other = a_known("db", id="f" * 64, node="id-2")
    assert an_index(WEB, other).find(text) is WEB


@pytest.mark.parametrize("text", ["/", "we", "n2/web", "WEB", "abd", WEB.id + "0", "web/"])
def test_an_unknown_text_is_not_found(text):
    with pytest.raises(NotFound, match="No such container: "):
        an_index(WEB).find(text)


def test_an_empty_text_is_not_found():
    with pytest.raises(BadRequest, match=r'^invalid name or ID supplied: ""$'):
        an_index(WEB).find("")


def test_a_name_beats_the_beginning_of_an_id():
    named = a_known("abc", id="f" * 64)
    assert an_index(WEB, named).find("abc") is named


def test_a_name_beats_a_short_id_as_at_an_engine():
    named = a_known(WEB.id[:12], id="f" * 64)
    assert an_index(named, WEB).find(WEB.id[:12]) is named
    assert an_index(WEB).find(WEB.id[:12]) is WEB


def test_the_beginning_of_several_ids_is_a_bad_request():
    index = an_index(WEB, a_known("db", id="abc" + "f" * 61))
    with pytest.raises(BadRequest, match="Multiple IDs found with provided prefix: abc"):
        index.find("abc")


def test_one_container_may_begin_alike_in_both_ids():
    both = a_known("db", id="abc" + "0" * 61, swarm_id="abc" + "1" * 61)
    assert an_index(both).find("abc") is both


def test_an_ambiguous_name_is_refused_with_alternatives():
    here, there = a_known("db", id="1" * 64), a_known("db", id="2" * 64, node="id-2")
    index = an_index(here, there)
    with pytest.raises(Conflict, match="write n1/db or n2/db"):
        index.find("db")
    assert index.find("n2/db") is there


def test_an_own_name_beats_a_link_of_that_name():
    own, linked = a_known("db", id="1" * 64), a_known("pg", id="2" * 64, links=["db"])
    assert an_index(own, linked).find("db") is own


def test_a_renamed_container_frees_its_old_name():
    index = an_index(WEB)
    index.put(replace(WEB, names=("www",)))
    assert index.holder("web") is None
    assert index.find("www").id == WEB.id
    assert len(index) == 1


def test_a_container_that_another_node_took_over_is_not_dropped():
    index = an_index(WEB)
    moved = replace(WEB, node_id="id-2")
    index.put(moved)
    index.drop(WEB)
    assert index.find("web") is moved


def test_a_reserved_name_is_held_until_it_is_released():
    index = an_index()
    index.reserve("web", "r1")
    assert index.holder("web") == "r1"
    index.release("web", "r2")
    assert index.holder("web") == "r1"
    with pytest.raises(NotFound):
        index.find("web")
    index.release("web", "r1")
    assert index.holder("web") is None


IDS = [an_id(text) for text in "abcdefgh"]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "drop"]),
        st.sampled_from(IDS),
        st.sampled_from(["web", "db", "front/api"]),
        st.sampled_from(["", *IDS[:2], "feed" * 16]),
        st.sampled_from(list(NODES)),
    )
)


@given(STEPS)
def test_the_index_equals_a_linear_search(steps):
    index, known = an_index(), {}
    for step, id, name, swarm_id, node in steps:
        container = a_known(name, id=id, swarm_id=swarm_id, node=node)
        if step == "put":
            index.put(container)
            known[id] = container
        elif id in known and known[id].node_id == node:
            index.drop(known.pop(id))
        else:
            index.drop(container)
    assert len(index) == len(known)
    for id in IDS:
        assert index._by_id.get(id) is known.get(id)
    for name in ("web", "db", "front/api"):
        holders = [each for each in known.values() if name in each.names]
        assert (index.holder(name) in holders) if holders else (index.holder(name) is None)
    everything = {each.id for each in known.values()} | {each.swarm_id for each in known.values()}
    assert set(index._ids) == everything - {""}
    for each in list(known.values()):
        index.drop(each)
    assert (index._ids, index._by_name, index._by_swarm_id) == ([], {}, {})


def test_an_invented_name_is_free_and_one_that_engines_take():
    taken, random = set(), Random(1)
    for _ in range(8000):  # more than there are pairs of words
        name = invent_name(random, taken.__contains__)
        assert name not in taken
        assert name.replace("_", "").isalnum()
        taken.add(name)


def test_a_name_is_found_even_when_nearly_all_are_taken():
    name = invent_name(Random(1), lambda name: len(name) < 25)
    assert len(name) >= 25


# ---- previous names


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["web", "old", "db", None]))))
def test_the_index_knows_all_previous_names_that_nodes_know(changes):
    """``None`` removes a container; another text gives it that name."""
    index, node = NameIndex(), a_node()
    for number, name in changes:
        id = an_id(f"container {number}")
        if name is None:
            dropped = node.drop_container(id)
            if dropped is not None:
                index.drop(dropped)
        else:
            named = replace(a_container(name), id=id, node_id=node.id)
            node.put_container(named)
            index.put(named)
        for former in ("web", "old", "db"):
            known = {each.id for each in index.formerly(former)}
            assert {node.renamed_from(former)} - {""} <= known
            assert known <= set(node.containers)
