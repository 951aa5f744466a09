"""When an image is copied to the preferred node, and when the container goes to the image."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarmcore.images import has_image
from swarmcore.node import find_image_source, image_test
from swarmcore.protocols import Rule
from swarmcore.scheduler import Scheduler
from swarmcore.testing.builders import a_config, a_container, a_node
from tests.unit.strategies import Fewest, Saying

APP = "app:1"


def decide(nodes, *, threshold=1.0, strategy=None, config=None):
    scheduler = Scheduler(strategy or Fewest(), [], carry=threshold)
    return scheduler.decide(config or a_config(APP), nodes)


def busy(name, containers, *, image=True):
    here = [a_container(f"{name}-{number}") for number in range(containers)]
    return a_node(name, containers=here, images=[APP] if image else [])


def from_registry(node):
    digest = f"app@sha256:{'1' * 64}"
    node.images = {id: {**image, "RepoDigests": [digest]} for id, image in node.images.items()}
    return node


@pytest.mark.parametrize(
    ("containers", "threshold", "chosen", "said"),
    [
        (0, 1, "holder", "not carried: holder has it, and empty leads by 0 only"),
        (1, 1, "holder", "not carried: holder has it, and empty leads by 1 only"),
        (2, 1, "empty", "carried from holder: empty leads holder, which has it, by 2"),
        (1, 0, "empty", "carried from holder: empty leads holder, which has it, by 1"),
        (9, 9, "holder", "not carried: holder has it, and empty leads by 9 only"),
    ],
)
def test_an_image_is_carried_where_the_lead_is_above_the_threshold(
    containers, threshold, chosen, said
):
    nodes = [busy("empty", 0, image=False), busy("holder", containers)]
    decision = decide(nodes, threshold=threshold)
    assert (decision.node.name, decision.about_image) == (chosen, said)


def test_a_node_with_the_image_needs_no_copy():
    decision = decide([busy("best", 0), busy("other", 5, image=False)])
    assert (decision.node.name, decision.about_image) == ("best", "")


def test_a_container_bound_to_a_node_has_the_image_carried_there():
    bound, holder = busy("bound", 5, image=False), busy("holder", 0)
    only = Rule("constraint node==bound", lambda node: None if node is bound else "")

    class Bound:
        name = "constraint"

        def rules(self, config):
            return [only]

    decision = Scheduler(Fewest(), [Bound()], carry=1.0).decide(a_config(APP), [bound, holder])
    assert (decision.node, decision.about_image) == (bound, "carried from holder")


def test_a_soft_rule_counts_for_more_than_the_image():
    wished, holder = busy("wished", 5, image=False), busy("holder", 0)
    wish = Rule("wish", lambda node: None if node is wished else "", soft=True)

    class Wishing:
        name = "wish"

        def rules(self, config):
            return [wish]

    decision = Scheduler(Fewest(), [Wishing()], carry=1e6).decide(a_config(APP), [wished, holder])
    assert decision.node is wished
    assert decision.about_image == "carried from holder: holder has it and breaks more wishes"


@pytest.mark.parametrize("hinder", ["registry", "unhealthy", "another machine", "nobody"])
def test_an_image_that_cannot_be_copied_changes_no_decision(hinder):
    empty, holder = busy("empty", 0, image=False), busy("holder", 5)
    match hinder:
        case "registry":
            from_registry(holder)
        case "unhealthy":
            holder.failures = holder.failure_limit
        case "another machine":
            holder.info = {**holder.info, "Architecture": "aarch64"}
        case "nobody":
            holder.images = {}
    decision = decide([empty, holder])
    assert (decision.node, decision.about_image) == (empty, "")
    assert find_image_source(APP, empty, [empty, holder]) is None


def test_without_a_threshold_images_do_not_count():
    decision = decide([busy("empty", 0, image=False), busy("holder", 0)], threshold=None)
    assert (decision.node.name, decision.about_image) == ("empty", "")


def test_the_lead_is_the_first_number_that_differs():
    strategy = Saying({"empty": (100.0, 0.0), "holder": (98.0, 50.0)})
    nodes = [busy("empty", 0, image=False), busy("holder", 0)]
    assert decide(nodes, strategy=strategy, threshold=1.9).node.name == "empty"
    assert decide(nodes, strategy=strategy, threshold=2.0).node.name == "holder"


@given(
    before=st.lists(st.integers(0, 6), min_size=2, max_size=5),
    builder=st.integers(0, 4),
    creates=st.integers(0, 30),
    threshold=st.integers(0, 3),
)
def test_containers_of_a_built_image_spread_to_within_the_threshold(
    before, builder, creates, threshold
):
    """No node without the image has more than threshold + 1 containers fewer than another."""
    nodes = [busy(f"n{number}", count, image=False) for number, count in enumerate(before)]
    nodes[builder % len(nodes)].images = busy("builder", 0).images
    for number in range(creates):
        node = decide(nodes, threshold=threshold).node
        if not has_image(node, APP):
            node.images = busy("builder", 0).images
        node.put_container(replace(a_container(f"new-{number}"), node_id=node.id))
    counts = [node.container_count for node in nodes]
    grown = [now for now, then in zip(counts, before, strict=True) if now > then]
    assert all(now <= min(counts) + threshold + 1 for now in grown)


@given(
    name=st.sampled_from(
        ["app", "app:1", "docker.io/library/app:1", "other", "app@sha256:" + "1" * 64, "abc", "1"]
    ),
    held=st.sampled_from([[], ["app:1"], ["app:latest"], ["other/app:1"], ["abc:latest"]]),
    by_id=st.booleans(),
)
def test_the_quick_test_equals_the_slow_one(name, held, by_id):
    node = a_node("n1", images=held)
    if by_id and node.images:
        name = next(iter(node.images))[:19]
    for each in (node, from_registry(a_node("n2", images=held))):
        assert image_test(name)(each) == has_image(each, name)
