"""Thousands of random clusters and creates: swarmcore decides like classic, except for a list."""

import json
from dataclasses import replace
from random import Random

import pytest
from swarmcore_filter_affinity import AffinityFilter
from swarmcore_filter_constraint import ConstraintFilter
from swarmcore_filter_containerslots import ContainerSlotsFilter
from swarmcore_filter_dependency import DependencyFilter
from swarmcore_filter_health import HealthFilter
from swarmcore_filter_port import PortFilter
from swarmcore_filter_whitelist import WhitelistFilter
from swarmcore_strategy_binpack import Binpack
from swarmcore_strategy_random import RandomStrategy
from swarmcore_strategy_spread import Spread

from swarmcore.container_config import SWARM_ID
from swarmcore.container_config.scheduling_labels import FAMILIES
from swarmcore.errors import BadRequest, NoNodeFits
from swarmcore.model import HostPort, State
from swarmcore.scheduler import Scheduler
from swarmcore.testing.builders import a_config, a_container, a_decision, a_node, a_reservation
from tests.unit.differential.cases import a_case
from tests.unit.differential.classic import DIFFERENCES, Outcome, decide

CASES = range(3000)
ALL = frozenset(DIFFERENCES)


def ours(case):
    """Return swarmcore's decision in the form of the model."""
    nodes = [_node(machine) for machine in case.machines]
    config = _config(case).informed_by(nodes)
    scheduler = Scheduler(STRATEGIES[case.strategy], [CHAIN[name] for name in case.filters])
    try:
        decision = a_decision(scheduler, config, nodes)
    except NoNodeFits:
        return Outcome("refused")
    except BadRequest:
        return Outcome("malformed")
    ranked = enumerate(decision.candidates)
    return Outcome("placed", {each.node.name: (place,) for place, each in ranked})


STRATEGIES = {"spread": Spread(), "binpack": Binpack(), "random": RandomStrategy(Random(7))}
CHAIN = {
    each.name: each
    for each in (
        HealthFilter(), PortFilter(), ContainerSlotsFilter(), DependencyFilter(), AffinityFilter(),
        ConstraintFilter(), WhitelistFilter(),
    )
}  # fmt: skip


def _node(machine):
    node = a_node(
        machine.name,
        address="192.0.2.1:2375",
        cpus=machine.cores,
        memory=machine.memory,
        overcommit=machine.overcommit,
        labels=dict(machine.labels),
        failures=machine.failures,
        state=State.HEALTHY if machine.failures < 3 else State.UNHEALTHY,
        images=(),
        volumes=machine.volumes,
        reservations=[_reservation(box) for box in machine.boxes if box.is_pending],
        containers=[_container(box) for box in machine.boxes if not box.is_pending],
    )
    assert node.id == machine.id
    node.images = {
        image.id: {"RepoTags": [image.tag], "RepoDigests": [image.by_digest]}
        for image in machine.images
    }
    return node


def _reservation(box):
    ports = _ports(box)
    return a_reservation(box.name, memory=box.memory, cpus=box.cores, ports=ports)


def _container(box):
    made = a_container(
        box.name,
        labels={**dict(box.labels), SWARM_ID: box.swarm_id},
        memory=box.memory,
        cpus=box.cores,
        ports=_ports(box),
        links=box.aliases,
        state="exited" if box.is_stopped else "running",
    )
    return replace(made, id=box.id)


def _ports(box):
    published = [HostPort(each.port, each.port, each.protocol, each.ip) for each in box.bindings]
    numbers = [int(text.partition("/")[0]) for text in box.host_ports]
    return [*published, *(HostPort(number, number) for number in numbers)]


def _config(case):
    """Make a config; no, one or two expressions of a family are in its label, others in ``Env``."""
    wanted, env, labels = case.wanted, [], {}
    families = {
        "constraint": wanted.constraints,
        "affinity": wanted.affinities,
        "whitelist": wanted.whitelists,
    }
    in_label = case.number % 3
    for family, texts in families.items():
        if texts[:in_label]:
            labels[FAMILIES[family]] = json.dumps(texts[:in_label])
        env += [f"{family}:{text}" for text in texts[in_label:]]
    network = "host" if wanted.host_ports else wanted.network_of
    host_config = {
        "NetworkMode": network,
        "IpcMode": wanted.ipc_of,
        "VolumesFrom": list(wanted.volumes_from),
        "Links": list(wanted.links),
        "Binds": [f"{volume}:/{volume}" for volume in wanted.volumes],
    }
    body = {"HostConfig": host_config}
    if wanted.host_ports:
        body["ExposedPorts"] = {port: {} for port in wanted.host_ports}
    return a_config(
        env=env,
        labels=labels,
        memory=wanted.memory,
        cpus=wanted.cores,
        ports=_ports(wanted) if wanted.bindings else (),
        body=body,
    )


@pytest.fixture(scope="module")
def decided():
    """Every case with swarmcore's decision."""
    return [(case, ours(case)) for case in map(a_case, CASES)]


def test_swarmcore_decides_as_classic_with_its_faults_repaired(decided):
    for case, outcome in decided:
        expected = decide(case, ALL)
        assert outcome.kind == expected.kind, case
        assert outcome.ranks.keys() == expected.ranks.keys(), case
        in_our_order = sorted(expected.ranks, key=outcome.ranks.__getitem__)
        ranks = [expected.ranks[name] for name in in_our_order]
        assert ranks == sorted(ranks), case


def _agrees(outcome, expected):
    return outcome.kind == expected.kind and outcome.winners <= expected.winners


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_each_difference_has_an_effect(decided, difference):
    """If all other differences are repaired, the decision of some case differs."""
    others = ALL - {difference}
    assert any(not _agrees(outcome, decide(case, others)) for case, outcome in decided)


def test_most_decisions_are_classic_s_as_it_is(decided):
    agreed = sum(_agrees(outcome, decide(case, frozenset())) for case, outcome in decided)
    assert agreed > 0.6 * len(decided)


@pytest.mark.parametrize("kind", ["placed", "refused", "malformed"])
def test_the_cases_are_of_every_kind(decided, kind):
    assert sum(outcome.kind == kind for _, outcome in decided) > 0.03 * len(decided)


def test_every_chosen_node_exists(decided):
    """The chosen node is always a node of the case."""
    for case, outcome in decided:
        assert outcome.winners <= {machine.name for machine in case.machines}
    chosen = {name for _, outcome in decided for name in outcome.winners}
    assert len(chosen) > 5
