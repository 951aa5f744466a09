"""The plugin is installed under its name, and a manager loads it."""

from collections.abc import Mapping

import pytest

from swarmcore.errors import ConfigError
from swarmcore.plugins.plugins import Plugins
from swarmcore.testing.builders import a_node
from swarmcore.testing.doubles import FakeCluster


def background(options: Mapping[str, str]):
    plugins = Plugins(options)
    plugins.load(["ext_reschedule"])
    return plugins.background(FakeCluster(a_node("n1")))


def test_the_plugin_has_one_background_task():
    assert [name for name, _ in background({})] == ["ext_reschedule"]


def test_a_malformed_option_ends_the_start():
    with pytest.raises(ConfigError, match=r"swarm\.reschedule\.after=soon"):
        background({"swarm.reschedule.after": "soon"})
