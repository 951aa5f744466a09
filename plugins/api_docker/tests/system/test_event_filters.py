"""Which events a client gets, and how they are encoded."""

import json

import pytest
from swarmcore_api_docker.system.event_filters import compile_event_filters
from swarmcore_api_docker.system.events import write_event

from swarmcore.list_filters import Filters

START = ("start", "container", 1, "abcdef")


def admits(event, /, **filters):
    return compile_event_filters(Filters.of(filters))(event.raw)


@pytest.mark.parametrize(
    ("filters", "admitted"),
    [
        ({}, True),
        ({"type": ["container"]}, True),
        ({"type": ["image", "container"]}, True),
        ({"type": ["image"]}, False),
        ({"event": ["start"]}, True),
        ({"event": ["star"]}, False),
        ({"scope": ["local"]}, True),
        ({"scope": ["swarm"]}, False),
        ({"container": ["web"]}, True),
        ({"container": ["we"]}, True),
        ({"container": ["abc"]}, True),
        ({"container": ["eb"]}, False),
        ({"image": ["team/tool:1"]}, True),
        ({"image": ["team/tool"]}, True),
        ({"image": ["team"]}, False),
        ({"label": ["app"]}, True),
        ({"label": ["app=shop"]}, True),
        ({"label": ["app=shop", "zone"]}, False),
        ({"node": ["n1"]}, True),
        ({"node": ["n2"]}, False),
        ({"unheard": ["of"]}, True),
        ({"type": ["container"], "event": ["stop"]}, False),
        ({"type": []}, True),
    ],
    ids=str,
)
def test_filters(docker, filters, admitted):
    event = docker.event(*START, name="web", image="team/tool:1", app="shop")
    assert admits(event, **filters) is admitted


@pytest.mark.parametrize(
    ("wanted", "action", "admitted"),
    [
        ("exec_create", "exec_create: sh -c true", True),
        ("exec_start", "exec_start: sh", True),
        ("health_status", "health_status: healthy", True),
        ("health_status: healthy", "health_status: healthy", True),
        ("health_status: healthy", "health_status: unhealthy", False),
        ("exec_die", "exec_create: sh", False),
    ],
)
def test_an_action_with_a_suffix_matches_by_its_verb(docker, wanted, action, admitted):
    assert admits(docker.event(action), event=[wanted]) is admitted


def test_an_image_event_names_its_image_in_another_attribute(docker):
    event = docker.event("pull", "image", 1, "host:5000/tool:1", name="host:5000/tool")
    assert admits(event, image=["host:5000/tool"])
    assert admits(event, image=["host:5000/tool:1"])
    assert not admits(event, image=["host"])


def test_clients_get_the_old_fields_too(docker):
    event = docker.event(*START, image="busybox")
    shown = json.loads(write_event(event.raw))
    assert (shown["id"], shown["status"], shown["from"]) == ("abcdef", "start", "busybox")


def test_classic_named_the_node_in_from(docker):
    event = docker.event(*START, image="busybox")
    assert json.loads(write_event(event.raw, classic=True))["from"] == "busybox node:n1"
    assert event.raw["from"] == "busybox"
