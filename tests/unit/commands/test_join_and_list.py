"""The arguments of ``join`` and ``list``: classic's checks, order and texts."""

import pytest

from swarmcore.command_line.setting_sources import resolve
from swarmcore.commands.join import JOIN_OPTIONS, build_join
from swarmcore.commands.list import LIST_OPTIONS, build_list
from swarmcore.errors import ConfigError


def join(**given):
    return build_join(resolve(JOIN_OPTIONS, _texts(given), {}))


def show(**given):
    return build_list(resolve(LIST_OPTIONS, _texts(given), {}))


def _texts(given):
    return {
        key.replace("_", "-"): [value] if isinstance(value, str) else value
        for key, value in given.items()
    }


def test_defaults_are_classics():
    options = join(discovery="etcd://kv", advertise="10.0.0.1:2375")
    assert (options.discovery.heartbeat_seconds, options.discovery.ttl_seconds) == (60, 180)
    assert options.delay_seconds == 0
    assert show(discovery="etcd://kv").timeout_seconds == 10


def test_labels_come_along_with_the_address():
    entry = join(discovery="etcd://kv", advertise="n1:2375", label=["zone=a", "note=x=y"]).entry
    assert str(entry.address) == "n1:2375"
    assert entry.labels == {"zone": "a", "note": "x=y"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "discovery required to join a cluster"),
        ({"discovery": "etcd://kv"}, "missing mandatory --advertise flag"),
        *(
            ({"discovery": "etcd://kv", "advertise": bad}, "of the form ip:port or hostname:port")
            for bad in ("n1", "n1:port", "http://n1:1", "n1:0", "n 1:1", "fe80::1:2375")
        ),
        (
            {"discovery": "etcd://kv", "advertise": "n:1", "delay": "-1s"},
            "--delay should not be a negative number",
        ),
        (
            {"discovery": "etcd://kv", "advertise": "n:1", "heartbeat": "500ms"},
            "--heartbeat should be at least one second",
        ),
        (
            {"discovery": "etcd://kv", "advertise": "n:1", "ttl": "60s"},
            "--ttl must be strictly superior to the heartbeat value",
        ),
        ({"discovery": "etcd://kv", "advertise": "n:1", "ttl": "many"}, "invalid --ttl: 'many'"),
    ],
)
def test_join_refuses_invalid_arguments(given, message):
    with pytest.raises(ConfigError, match=message):
        join(**given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "discovery required to list a cluster"),
        ({"discovery": "etcd://kv", "timeout": "0s"}, "--timeout should be a positive number"),
        ({"discovery": "etcd://kv", "timeout": "soon"}, "invalid --timeout: 'soon'"),
    ],
)
def test_list_refuses_invalid_arguments(given, message):
    with pytest.raises(ConfigError, match=message):
        show(**given)
