"""Addresses whose answers are not those of an engine."""

import pytest

from swarmcore.engine.identity import ask_specs
from swarmcore.errors import EngineRefused
from swarmcore.http.messages import Answer, error_answer
from swarmcore.testing.builders import an_entry


@pytest.mark.parametrize(
    ("answer", "why"),
    [(error_answer(403, "not you"), "not you"), (Answer(404), "status 404")],
    ids=["with a reason", "without one"],
)
async def test_a_refusal_is_named(answer, why):
    async def ask(target):
        return answer

    with pytest.raises(EngineRefused, match=f"GET /version: {why}$"):
        await ask_specs(an_entry("n1:1"), ask)
