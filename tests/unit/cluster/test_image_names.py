"""The meaning of image names on several engines, compared with one engine."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarmcore.cluster.image_names import ImageNames

NODES = ("n1", "n2", "n3")


class Engines:
    """The image lists of three engines, and the known meanings."""

    def __init__(self):
        self.moved = {node: {} for node in NODES}
        self.names = ImageNames(self.tell)
        self.lists = {node: {} for node in NODES}
        self.facts = {}
        self.now = 1000.0

    def tell(self, node, moved):
        self.moved[node] = dict(moved)

    def has(self, node, name, image):
        """Change one name on one engine; ``None`` removes it."""
        self.lists[node].pop(name, None)
        if image is not None:
            self.lists[node][name] = image

    def read(self, *nodes, live=True):
        for node in nodes:
            images = {}
            for name, image in self.lists[node].items():
                shown = images.setdefault(image, {"Id": image, "RepoTags": []})
                shown["RepoTags"].append(name)
                shown |= self.facts.get(image, {})
            self.now += 1
            self.names.read(node, images, live=live, now=self.now)

    def give(self, node, name, image, **options):
        self.has(node, name, image)
        self.read(node, **options)

    def holders(self, name):
        """Return the nodes on which *name* has its meaning."""
        return [n for n in NODES if name in self.lists[n] and name not in self.moved[n]]


@pytest.fixture
def engines():
    return Engines()


def test_a_name_means_the_image_that_it_was_last_given(engines):
    for node in NODES:
        engines.give(node, "app:latest", "v1")
    assert engines.holders("app:latest") == [*NODES]
    engines.give("n2", "app:latest", "v2")
    assert engines.holders("app:latest") == ["n2"]
    assert engines.moved["n1"] == {"app:latest": "v1"}
    assert engines.names.ids("app") == {"v2"}
    engines.give("n1", "app:latest", "v2")
    assert engines.holders("app:latest") == ["n1", "n2"]


def test_a_name_can_return_to_its_former_image(engines):
    for node in NODES:
        engines.give(node, "app:latest", "v1")
    engines.give("n2", "app:latest", "v2")
    engines.give("n2", "app:latest", "v1")
    assert engines.holders("app:latest") == [*NODES]


def test_giving_an_image_its_own_name_again_counts(engines):
    for node in NODES:
        engines.give(node, "app:latest", "v1")
    engines.give("n2", "app:latest", "v2")
    engines.names.given("app", {"n1": "v1"}, 2000.0)
    assert engines.holders("app:latest") == ["n1", "n3"]
    assert engines.moved["n2"] == {"app:latest": "v2"}


def test_images_of_one_request_are_one_image(engines):
    for node, image in zip(NODES, ("made1", "made2", "made3"), strict=True):
        engines.give(node, "app:latest", image)
    engines.names.given("app", dict(zip(NODES, ("made1", "made2", "made3"), strict=True)), 2000.0)
    assert engines.holders("app:latest") == [*NODES]
    assert engines.names.ids("app") == {"made1", "made2", "made3"}


def test_an_image_named_otherwise_meanwhile_is_not_part_of_the_request(engines):
    engines.give("n1", "app:latest", "v1")
    engines.give("n2", "app:latest", "other")
    engines.names.given("app", {"n1": "v1", "n2": "made2"}, 2000.0)
    assert engines.holders("app:latest") == ["n1"]


def test_images_of_one_manifest_are_one_image_whatever_their_ids(engines):
    engines.facts = {
        "arm": {"RepoDigests": ["app@sha256:d"]},
        "x86": {"RepoDigests": ["app@sha256:d"]},
        "old": {"RepoDigests": ["app@sha256:c"]},
    }
    engines.give("n3", "app:latest", "old")
    engines.give("n1", "app:latest", "arm")
    engines.give("n2", "app:latest", "x86")
    assert engines.holders("app:latest") == ["n1", "n2"]


def test_a_digest_that_is_told_later_joins_images(engines):
    engines.give("n1", "app:latest", "built")
    engines.facts["pulled"] = {"RepoDigests": ["app@sha256:d"]}
    engines.give("n2", "app:latest", "pulled")
    assert engines.holders("app:latest") == ["n2"]
    engines.facts["built"] = {"RepoDigests": ["app@sha256:d"]}  # it was pushed from there
    engines.read("n1")
    assert engines.holders("app:latest") == ["n1", "n2"]


def test_a_name_removed_where_it_was_last_given_means_nothing(engines):
    for node in NODES:
        engines.give(node, "app:latest", "v1")
    engines.give("n2", "app:latest", "v2")
    engines.give("n2", "app:latest", None)
    assert engines.holders("app:latest") == []
    engines.names.leave("n1")
    assert engines.moved["n3"] == {"app:latest": "v1"}  # the node that left did not give it
    engines.give("n2", "app:latest", "v3")
    assert engines.holders("app:latest") == ["n2"]


def test_a_name_whose_last_holder_left_the_cluster_means_what_is_there(engines):
    engines.facts = {"v1": {"Created": 1}, "v2": {"Created": 2}, "v3": {"Created": 3}}
    for node, image in zip(NODES, ("v1", "v2", "v3"), strict=True):
        engines.give(node, "app:latest", image)
    engines.names.leave("n3")
    engines.lists["n3"] = {}
    assert engines.holders("app:latest") == ["n2"]
    assert engines.names.ids("app") == {"v2"}


def test_names_that_are_set_aside_give_no_meaning(engines):
    engines.give("n1", "app:latest", "v2")
    engines.give("n2", "app:latest", "v1")
    engines.give("n1", "app:latest", "v2b")
    with engines.names.setting_aside("n2", ["app"]):
        engines.give("n2", "app:latest", "busybox")
        assert engines.holders("app:latest") == ["n1"]
        engines.give("n2", "app:latest", None)
    assert engines.moved["n2"] == {}
    with engines.names.setting_aside("n2", ["app"]):
        engines.give("n2", "app:latest", "copy of v2b")
        engines.names.copied("app", "v2b", "n2")
    assert engines.holders("app:latest") == ["n1", "n2"]


def settle(engines, dates, contents=None, order=NODES):
    """Settle every conflict with these image dates; return the log."""
    told = []
    for node in order:
        for name in engines.names.disputed(node):
            for asked, image in engines.names.undated(name, node):
                engines.names.dated(asked, image, dates[image], (contents or {}).get(image, ""))
            told.append(engines.names.settle(name, node))
    return [each for each in told if each is not None]


@pytest.mark.parametrize("order", list(permutations(NODES)), ids="-".join)
def test_conflicts_are_settled_by_dates_in_any_order(engines, order):
    for node, image in zip(NODES, ("v1", "v3", "v2"), strict=True):
        engines.give(node, "app:latest", image, live=False)
    assert engines.holders("app:latest") == ["n1"]  # until it is settled
    told = settle(engines, {"v1": 5, "v2": 8, "v3": 9}, order=order)
    assert engines.holders("app:latest") == ["n2"]
    assert {(each.name, each.image_id) for each in told[-1:]} == {("app:latest", "v3")}
    assert ("n1", ("v1", 5)) in [each for one in told for each in one.older.items()]
    assert settle(engines, {}) == []


def test_without_answers_the_dates_of_the_lists_decide(engines):
    engines.facts = {"v1": {"Created": 1}, "v2": {"Created": 2}}
    engines.give("n1", "app:latest", "v1", live=False)
    engines.give("n2", "app:latest", "v2", live=False)
    engines.names.settle("app:latest", "n2")
    assert engines.holders("app:latest") == ["n2"]


def test_an_engine_that_returns_with_an_older_image_changes_nothing(engines):
    engines.give("n1", "app:latest", "v2")
    engines.give("n2", "app:latest", "v1", live=False)
    [told] = settle(engines, {"v1": engines.now - 500, "v2": 0})
    assert engines.holders("app:latest") == ["n1"]
    assert list(told.older) == ["n2"]
    engines.give("n3", "app:latest", "v3", live=False)
    settle(engines, {"v2": 0, "v3": engines.now + 500})
    assert engines.holders("app:latest") == ["n3"]


def test_images_of_one_content_are_one_image(engines):
    engines.give("n1", "app:latest", "made1", live=False)
    engines.give("n2", "app:latest", "made2", live=False)
    told = settle(engines, {"made1": 1, "made2": 2}, {"made1": "x", "made2": "x"})
    assert told == []
    assert engines.holders("app:latest") == ["n1", "n2"]


ACTS = st.lists(
    st.tuples(
        st.sampled_from(NODES),
        st.sampled_from(["app:latest", "app:2"]),
        st.sampled_from(["v1", "v2", "v3", None]),
    ),
    max_size=25,
)


@given(ACTS)
def test_names_mean_the_same_as_on_one_engine(acts):
    engines, single, last = Engines(), {}, {}
    for node, name, image in acts:
        before = engines.lists[node].get(name)
        if image is None:
            # Who takes an older image's name away changes nothing that the name means.
            if single.get(name) == before and engines.holders(name) in ([], [node]):
                single.pop(name, None)
        else:
            single[name] = image
        engines.give(node, name, image)
        if image is not None and image == before:
            engines.names.given(name, {node: image}, engines.now)
        last[name] = image
        for each in last:
            holders = engines.holders(each)
            assert {engines.lists[n][each] for n in holders} == (
                {single[each]} if each in single else set()
            )
            for n in NODES:
                assert (each in engines.moved[n]) == (each in engines.lists[n] and n not in holders)
