"""Moves from nodes that an operator empties."""

import pytest

from swarmcore.cluster.moves.move import CannotMove
from swarmcore.errors import EngineRefused
from swarmcore.http.messages import error_answer
from swarmcore.model import Drain
from tests.component.cluster.moves.moving import add, holders, known, shown
from tests.component.fleets import open_fleet


async def test_a_container_of_a_drained_node_is_stopped_before_its_copy_starts(
    autojump_clock, engines
):
    async with open_fleet(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0]))
        node = fleet.node(engines[0])
        with pytest.raises(CannotMove, match="not drained"):
            await fleet.cluster.moves.move(original)
        await fleet.cluster.drain_node(node, Drain("new disk", moves=True))
        seen = []
        for engine in engines[1:]:

            async def note():
                seen.append(holders(engines))
                assert shown(fleet) == [original.id]

            engine.answer("POST", "/start", note)
        placed = await fleet.cluster.moves.move(original)
        assert shown(fleet) == [placed.answer.json()["Id"]]
        (before,) = seen
        assert sorted(before.values()) == ["created", "exited"]
        assert list(holders(engines).values()) == ["running"]
        assert original.id not in engines[0].containers


async def test_a_failed_move_from_a_drained_node_starts_the_original_again(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0]))
        await fleet.cluster.drain_node(fleet.node(engines[0]), Drain("new disk", moves=True))
        for engine in engines[1:]:
            engine.answer("POST", "/start", error_answer(500, "no such runtime"))
        with pytest.raises(EngineRefused, match="no such runtime"):
            await fleet.cluster.moves.move(original)
        assert holders(engines) == {"n1": "running"}
        assert fleet.cluster.find_container("web").id == original.id
