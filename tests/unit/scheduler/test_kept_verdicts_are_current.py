"""Random changes and decisions: what is kept gives the decisions of one who looks anew each time.

A scheduler that lives through all changes is compared with a new one, for which nothing is kept,
and with a short model that checks every rule for every node.
"""

from contextlib import nullcontext
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from swarmcore_filter_affinity import AffinityFilter
from swarmcore_filter_constraint import ConstraintFilter
from swarmcore_filter_containerslots import ContainerSlotsFilter
from swarmcore_filter_dependency import DependencyFilter
from swarmcore_filter_health import HealthFilter
from swarmcore_filter_platform import PlatformFilter
from swarmcore_filter_port import PortFilter
from swarmcore_filter_whitelist import WhitelistFilter
from swarmcore_strategy_binpack import Binpack
from swarmcore_strategy_spread import Spread

from swarmcore.model import Drain, FailedPulls, GiB, MiB, NodeSettings, State
from swarmcore.protocols import Rule
from swarmcore.scheduler import FailureHistory, Scheduler, count_refusals, make_weighers
from swarmcore.scheduler.chain import Chain
from swarmcore.scheduler.plugin_calls import PluginCalls
from swarmcore.testing.builders import a_config, a_container, a_node, a_reservation, an_id
from swarmcore.versions import CEILING, FLOOR

COUNT = 3
SERVICE = {
    "com.docker.compose.project": "shop",
    "com.docker.compose.service": "web",
    "com.docker.compose.container-number": "1",
}
NAMES = ("web", "db", "cache")
IMAGES = ("busybox", "app:1", "nginx")


class ThirdParty:
    """A filter without keys."""

    name = "third"

    def rules(self, config):
        yield Rule("not three", lambda node: "has 3" if node.container_count == 3 else None)
        yield Rule("small", lambda node: None if node.container_count < 2 else "", soft=True)


READERS = (PortFilter(), AffinityFilter(), ConstraintFilter(), WhitelistFilter())
OTHERS = (
    HealthFilter(),
    ContainerSlotsFilter(),
    ThirdParty(),
    DependencyFilter(),
    PlatformFilter(),
)


# ---- changes


def put(node, rng):
    node.put_container(
        a_container(
            rng.choice(NAMES),
            image=rng.choice(IMAGES),
            labels=rng.choice([{}, {"tier": "front"}, SERVICE]),
            ports=rng.choice([[], ["80:80"], ["80-81:80"]]),
            memory=rng.choice([0, GiB, 3 * GiB]),
            cpus=rng.choice([0, 1]),
            state=rng.choice(["running", "created", "exited"]),
        )
    )


def drop(node, rng):
    node.drop_container(an_id(f"container {rng.choice(NAMES)}"))


def reserve(node, rng):
    name, image = rng.choice(NAMES), rng.choice(IMAGES)
    ports = rng.choice([[], ["80:80"]])
    node.reserve(a_reservation(name, image=image, ports=ports, memory=GiB, labels={"tier": "back"}))


def release(node, rng):
    node.release(an_id(rng.choice(NAMES)))


def give_up(node, rng):
    node.give_up_start(an_id(f"container {rng.choice(NAMES)}"))


def set_by_operator(node, rng):
    labels = rng.choice([{}, {"zone": "b"}, {"containerslots": "1"}])
    node.apply(NodeSettings(rng.choice([None, None, None, Drain("x"), Drain("y")]), labels))


def describe(node, rng):
    node.labels = rng.choice([{"zone": "a"}, {"swarm.overcommit": "0.5"}, {}])
    machine = rng.choice([{}, {"OSType": "linux", "Architecture": "aarch64"}])
    node.info = {**node.info, **machine}
    node.memory = rng.choice([2 * GiB, 8 * GiB])
    node.api_version = rng.choice([FLOOR, CEILING])


def fail(node, rng):
    node.failures = rng.choice([0, 0, 1, 3])
    node.state = rng.choice([State.HEALTHY, State.HEALTHY, State.HEALTHY, State.UNHEALTHY])


def list_images(node, rng):
    some = rng.sample(IMAGES, rng.randrange(3))
    node.images = a_node("other", images=some).images


def move_names(node, rng):
    named = node.image_called("app:1")
    node.moved_names = {"app:1": named} if named and rng.random() < 0.5 else {}


def fail_pulls(node, rng):
    failed = FailedPulls("", 1, "app:1", "no space left on device", 0.0, 600.0)
    node.failed_pulls = rng.choice([{}, {"": failed}])


def list_objects(node, rng):
    node.volumes = rng.choice([{}, {"data": {"Name": "data", "Driver": "local"}}])


CHANGES = (
    put, put, drop, reserve, release, give_up, set_by_operator, describe, fail, list_images,
    move_names, fail_pulls, list_objects,
)  # fmt: skip


# ---- decisions


EXPRESSIONS = (
    "constraint:zone==b", "constraint:zone!=~a", "constraint:node==n1", "affinity:container==web",
    "affinity:container!=~db", "affinity:image==app", "affinity:tier==front",
    "whitelist:node==n0|n1|n2",
)  # fmt: skip


def some_config(rng):
    return a_config(
        image=rng.choice(IMAGES),
        name=rng.choice(["", "web"]),
        env=rng.sample(EXPRESSIONS, rng.randrange(2)),
        labels=rng.choice([{}, SERVICE]),
        ports=rng.choice([[], ["80:80"], ["80:80", "81:81"]]),
        memory=rng.choice([0, 512 * MiB, 3 * GiB]),
        cpus=rng.choice([0, 0.5]),
        platform=rng.choice(["", "linux/arm64"]),
        body=rng.choice([None, None, {"HostConfig": {"Binds": ["data:/data"]}}]),
    )


def scheduler(strategy, filters, weighed, carry):
    failures = FailureHistory(lambda: 0.0)
    weighers = make_weighers({"image": 1.0} if weighed else {}, "zone" if weighed else "", failures)
    return Scheduler(strategy, filters, weighers, failures, carry=carry)


def told(decision):
    return {
        "candidates": list(decision.candidates),
        "count": len(decision.candidates),
        "dropped": list(decision.dropped),
        "refusals": [(node, rule.text, why) for node, rule, why in decision.refusals],
        "counts": list(count_refusals(decision.refusals).items()),
        "error": repr(decision.error),
        "verdicts": {
            id: [(each.rule.text, each.reason) for each in verdicts]
            for id, verdicts in decision.verdicts.items()
        },
        "about image": decision.about_image,
    }


def model(strategy, filters, config, nodes):
    """Names of the candidates in order, and the first refusal of each other node."""
    rules = [rule for _, rule in Chain(filters, PluginCalls()).compile(config)]
    refused, ranked = {}, []
    for node in nodes:
        with node.without(config.replaces) if config.replaces else nullcontext():
            answers = [(rule, rule.check(node)) for rule in rules]
            hard = [(rule.text, why) for rule, why in answers if not rule.soft and why is not None]
            if hard:
                refused[node.name] = hard[0]
                continue
            broken = [why is not None for rule, why in answers if rule.soft]
            weight = [-number for number in strategy.weigh(config, node)]
            ranked.append((sum(broken), broken, weight, node.name))
    return [name for *_, name in sorted(ranked)], refused


@pytest.mark.parametrize("strategy", [Spread(), Binpack()], ids=lambda strategy: strategy.name)
@given(st.integers(0, 2**32), st.integers(1, 60), st.booleans(), st.sampled_from([None, 1]))
@settings(max_examples=60, deadline=None)
def test_a_decision_is_the_same_as_if_nothing_were_kept(strategy, seed, steps, weighed, carry):
    rng = Random(seed)
    filters = [*rng.sample(OTHERS, 2), *READERS]
    nodes = [a_node(f"n{number}", labels={"zone": "a"}) for number in range(COUNT)]
    lasting = scheduler(strategy, filters, weighed, carry)
    configs = [some_config(rng) for _ in range(4)]
    for _ in range(steps):
        for _ in range(rng.randrange(3)):
            rng.choice(CHANGES)(rng.choice(nodes), rng)
        if rng.random() < 0.05:  # one leaves, another joins
            number = rng.randrange(COUNT)
            nodes[number] = a_node(f"n{number}", labels={"zone": "b"})
        asked = rng.choice([nodes, nodes, nodes, nodes[1:], nodes[:2]])
        config = rng.choice(configs).informed_by(nodes, all_known=True).with_replaced(nodes)
        whole = rng.random() < 0.5
        ranked, refused = model(strategy, filters, config, asked)
        fresh = told(
            scheduler(strategy, filters, weighed, carry).decide(config, asked, whole=whole)
        )
        # Last, as the others leave containers out of nodes, too, which counts as changes.
        kept = told(lasting.decide(config, asked, whole=whole))
        assert kept == fresh
        assert {node.name: (text, why) for node, text, why in kept["refusals"]} == refused
        found = [each.node.name for each in kept["candidates"]]
        assert sorted(found) == sorted(ranked)
        has_weighers = weighed or config.loose or any(node.failed_pulls for node in asked)
        if not has_weighers and carry is None:
            assert found == ranked


@given(
    st.integers(0, 2**32),
    st.lists(st.tuples(st.integers(0, COUNT - 1), st.booleans()), max_size=12),
)
@settings(max_examples=50, deadline=None)
def test_a_rehearsal_does_not_change_the_decision(seed, changes):
    """Between its steps, nodes change."""
    config = some_config(Random(seed))
    nodes = [a_node(f"n{number}", labels={"zone": "a"}) for number in range(COUNT)]
    lasting = scheduler(Spread(), READERS, weighed=False, carry=None)
    rehearsal = lasting.rehearse(config, nodes)
    for number, drained in changes:
        next(rehearsal, None)
        nodes[number].apply(NodeSettings(Drain("") if drained else None, {"zone": "b"}))
        nodes[number].put_container(a_container("web", ports=["80:80"]))
    fresh = scheduler(Spread(), READERS, weighed=False, carry=None)
    assert told(lasting.decide(config, nodes)) == told(fresh.decide(config, nodes))
