"""Decisions are remembered, and explanations are not."""

import pytest

from swarmcore.cluster.placement.decision_log import DecisionLog
from swarmcore.errors import Conflict, NoNodeFits
from swarmcore.http.messages import error_answer
from swarmcore.model import GiB
from swarmcore.protocols import Decision, Rule
from swarmcore.testing.builders import a_config, a_node
from tests.component.fleets import open_fleet, wait_for
from tests.scripted_engine import ScriptedEngine


@pytest.fixture
def engines():
    return [ScriptedEngine(f"n{n}", n) for n in (1, 2, 3)]


async def test_placements_and_refusals_are_remembered_the_newest_first(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        placed = await fleet.create(a_config(name="web", ports=["80:80"]))
        with pytest.raises(NoNodeFits) as refused:
            await fleet.create(a_config(name="big", memory=64 * GiB))
        second, first = fleet.cluster.decisions(10)
        assert (first.name, first.node, first.cause) == ("web", placed.node.name, "create")
        assert (first.asked, first.fitting, first.refused) == (3, 3, {})
        assert (second.name, second.node, second.error) == ("big", "", str(refused.value))
        assert (second.asked, second.fitting, second.refused) == (3, 0, {"memory": 3})
        assert first.time <= second.time
        assert fleet.cluster.decisions(1) == [second]


async def test_a_create_refused_for_its_name_is_a_refusal(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        await fleet.create(a_config(name="web"))
        with pytest.raises(Conflict) as refused:
            await fleet.create(a_config(name="web"))
        last = fleet.cluster.decisions(1)[0]
        assert (last.name, last.node, last.error) == ("web", "", str(refused.value))
        counts = fleet.cluster.decision_counts()
        assert (counts.placed["create"], counts.refused["create"]) == (1, 1)


async def test_an_alternate_is_a_decision_of_its_own(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        for engine in engines[:2]:
            engine.answer("POST", "/create", error_answer(500, "no space left on device"))
        await fleet.create(a_config(name="web"))
        made = [(one.cause, one.node) for one in reversed(fleet.cluster.decisions(10))]
        assert made == [("create", "n1"), ("alternate", "n2"), ("alternate", "n3")]
        failed = "the create failed: no space left on device"
        told = [one.failure for one in reversed(fleet.cluster.decisions(10))]
        assert told == [failed, failed, ""]


async def test_a_create_that_fails_on_its_only_node_has_the_engines_words(autojump_clock, engines):
    """The other nodes are refused by a rule; the client gets the engine's answer."""
    async with open_fleet(*engines) as fleet:
        engines[0].answer("POST", "/create", error_answer(500, "no space left on device"))
        for engine in engines[1:]:
            fleet.node(engine).memory = GiB
        config = a_config(name="big", memory=2 * GiB)
        answer = (await fleet.create(config)).answer
        assert (answer.status, answer.message) == (500, "no space left on device")
        refused, placed = fleet.cluster.decisions(10)
        assert (placed.node, placed.failure) == (
            "n1", "the create failed: no space left on device",
        )  # fmt: skip
        assert refused.node == ""
        assert refused.error.startswith("no node fits: 0 of 2 nodes: 2 memory")
        assert refused.error.endswith("; the create failed on n1: no space left on device")


async def test_a_create_that_its_engine_refuses_has_the_engines_words(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        engines[0].answer("POST", "/create", error_answer(400, "invalid hostname"))
        assert (await fleet.create(a_config(name="web"))).answer.status == 400
        [record] = fleet.cluster.decisions(10)
        assert (record.node, record.error) == ("n1", "")
        assert record.failure == "the engine refused the create: invalid hostname"


async def test_a_create_after_a_pull_is_a_decision_on_one_node(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        for engine in engines:
            engine.images = set()
        await fleet.create(a_config(name="web"))
        engines[0].images.add("busybox:latest")
        engines[0].say("pull", "busybox:latest", kind="image")
        await wait_for(lambda: "busybox:latest" in fleet.node(engines[0]).image_words)
        await fleet.create(a_config(name="web"))
        last = fleet.cluster.decisions(1)[0]
        assert (last.cause, last.node, last.asked) == ("pulled", "n1", 1)


def test_old_decisions_are_forgotten():
    log = DecisionLog(limit=2)
    for name in ("web-1", "web-2", "web-3"):
        log.add_failure(a_config(name=name), "create", Conflict("why"))
    assert [record.name for record in log.latest(10)] == ["web-3", "web-2"]
    assert log.latest(0) == log.latest(-1) == []


def test_a_record_is_small_however_much_a_client_writes():
    log = DecisionLog()
    config = a_config("x" * 100_000)
    rules = [Rule(f"constraint {number}{'y' * 100_000}", lambda node: "") for number in range(50)]
    refusals = [(a_node(f"n{number}"), rule, "") for number, rule in enumerate(rules)]
    texts = [rule.text for rule in rules]
    log.add(config, "create", Decision((), texts, refusals, NoNodeFits("z" * 100_000)))
    log.add_failure(config, "create", Conflict("z" * 100_000))
    assert all(len(repr(record)) < 12_000 for record in log.latest(2))
    assert log.latest(1)[0].error.endswith("zzz...")


# ---- explaining


async def test_an_explanation_leaves_nothing_behind(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        config = a_config(name="web", memory=GiB, ports=["80:80"])
        for _ in range(2):
            explained = await fleet.cluster.explain_container(config)
            assert explained.decision.node.name == "n1"
            assert [node.name for node in explained.alternates] == ["n2", "n3"]
        assert fleet.left_behind() == []
        assert [path for one in engines for path in one.paths("POST")] == []
        assert fleet.cluster.decisions(10) == []
        assert (await fleet.create(config)).node.name == "n1"


async def test_an_explanation_is_the_decision_that_a_create_makes(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        for number in range(7):
            config = a_config(name=f"web-{number}", memory=(number % 3) * GiB)
            explained = await fleet.cluster.explain_container(config)
            assert (await fleet.create(config)).node is explained.decision.node


async def test_a_taken_name_is_refused_as_in_a_create(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        await fleet.create(a_config(name="web"))
        with pytest.raises(Conflict, match='"/web" is already in use'):
            await fleet.cluster.explain_container(a_config(name="web"))


async def test_shares_are_cpus_in_an_explanation_too(autojump_clock, engines):
    async with open_fleet(*engines, cpu_shares_are_cpus=True) as fleet:
        config = a_config(body={"HostConfig": {"CpuShares": 64}})
        explained = await fleet.cluster.explain_container(config)
        assert "3 cpu (needs 64 CPUs" in str(explained.decision.error)
