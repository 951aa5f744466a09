"""Permanent refusals, and refusals that may change soon."""

import pytest

from swarmcore.errors import NeverFits, NoNodeFits
from swarmcore.model import GiB
from swarmcore.testing.builders import a_config
from tests.component.fleets import open_fleet
from tests.scripted_engine import ScriptedEngine


async def test_a_claim_larger_than_every_engine_is_refused_permanently(autojump_clock):
    one, other = (ScriptedEngine(f"n{n}", n) for n in (1, 2))
    async with open_fleet(one) as fleet:
        with pytest.raises(NeverFits, match="memory: no node has 64 GiB"):
            await fleet.create(a_config(memory=64 * GiB))
        other.kill()
        fleet.discover(one, other)
        with pytest.raises(NoNodeFits, match="memory: no node has 64 GiB") as refused:
            await fleet.create(a_config(memory=64 * GiB))
        assert refused.value.status == 503


async def test_a_field_that_some_engines_lack_may_be_known_to_others(autojump_clock):
    engines = [ScriptedEngine(f"n{n}", n) for n in (1, 2)]
    engines[1].memory = 128 * GiB
    async with open_fleet(*engines) as fleet:
        config = a_config(memory=64 * GiB)
        small, large = fleet.cluster.engines()
        assert fleet.cluster.choose(config) is large
        with pytest.raises(NoNodeFits) as refused:
            fleet.cluster.choose(config, [small])
        assert refused.value.status == 503
        with pytest.raises(NeverFits):
            fleet.cluster.choose(a_config(memory=256 * GiB))
