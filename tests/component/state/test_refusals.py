"""What a client may take for good, and what may be otherwise soon."""

import pytest

from swarmcore.errors import NeverFits, NoNodeFits
from swarmcore.model import GiB
from swarmcore.testing.builders import a_config


async def test_more_than_every_engine_has_is_refused_for_good_once_all_are_known(
    autojump_clock, kit
):
    one, other = (kit.ScriptedEngine(f"n{n}", n) for n in (1, 2))
    async with kit.open_fleet(one) as fleet:
        with pytest.raises(NeverFits, match="memory: no node has 64 GiB"):
            await fleet.create(a_config(memory=64 * GiB))
        other.kill()
        fleet.discover(one, other)
        with pytest.raises(NoNodeFits, match="memory: no node has 64 GiB") as refused:
            await fleet.create(a_config(memory=64 * GiB))
        assert refused.value.status == 503
