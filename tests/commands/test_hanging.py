"""A filter that does not return, in a running manager."""

from functools import partial

import pytest

from swarmcore import app
from swarmcore.testing.builders import a_config
from swarmcore.testing.embedded import EmbeddedEngine
from swarmcore.watchdog import PluginHangs, watch_decisions

HANGING = """
from swarmcore import hookimpl

@hookimpl
def swarmcore_filter():
    return Hanging()

class Hanging:
    name = "hanging"

    def rules(self, config):
        while config.name == "hangs":
            pass
        return []
"""


async def test_a_filter_that_does_not_return_fails_one_create_and_the_manager_goes_on(
    operate, tmp_path, monkeypatch
):
    quick = partial(watch_decisions, slow_seconds=0.05, longest_seconds=0.2)
    monkeypatch.setattr(app, "watch_decisions", quick)
    path = tmp_path / "hanging.py"
    path.write_text(HANGING)
    async with operate(EmbeddedEngine("n1"), plugins=(str(path), "filter_health")) as swarmcore:
        with pytest.raises(PluginHangs, match="filter hanging did not return"):
            swarmcore.cluster.choose(a_config(name="hangs"))
        assert swarmcore.cluster.choose(a_config(name="works")).node.name == "n1"
        assert [node["Name"] for node in await swarmcore.json("nodes")] == ["n1"]
