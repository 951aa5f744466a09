"""What a move would leave on the node, and which creates are refused because of that."""

from dataclasses import replace

import pytest

from swarmcore.cluster.moves.local_volumes import VOLUMES as LABEL
from swarmcore.cluster.moves.local_volumes import check_volumes, volumes_left_behind
from swarmcore.errors import BadRequest
from swarmcore.testing.builders import a_config, a_container, a_node


def left_behind(volume):
    node = a_node("n1")
    node.volumes = {"data": {"Name": "data", "Driver": "local", "Scope": "local", **volume}}
    body = {"HostConfig": {"Binds": ["data:/data"]}}
    container = a_container("web", body=body)
    mounts = [{"Type": "volume", "Name": "data", "Destination": "/data"}]
    detail = {**container.detail, **body, "Mounts": mounts}
    return volumes_left_behind(replace(container, detail=detail), node)


@pytest.mark.parametrize(
    "volume",
    [
        {},
        {"Options": {"type": "none", "device": "/srv/data", "o": "bind"}},
        {"Options": {"type": "ext4", "device": "/dev/sdb1"}},
        {"Options": {"type": "tmpfs", "device": "tmpfs"}},
    ],
)
def test_content_on_the_node_is_left_behind(volume):
    assert left_behind(volume) == ["data"]


@pytest.mark.parametrize(
    "volume",
    [
        {"Options": {"type": "nfs", "device": ":/export", "o": "addr=10.0.0.9"}},
        {"Options": {"type": "cifs", "device": "//host/share"}},
        {"Driver": "rexray"},
        {"Scope": "global"},
    ],
)
def test_shared_content_is_not_left_behind(volume):
    assert left_behind(volume) == []


MOVES = ("reschedule:on-node-failure",)
NFS = {"type": "nfs", "device": ":/export"}


def mount(**options):
    return {"Mounts": [{"Type": "volume", "Source": "data", "Target": "/data", **options}]}


def driver(name="", options=None):
    return mount(VolumeOptions={"DriverConfig": {"Name": name, "Options": options}})


def check(host_config, *volumes, env=MOVES, labels=None):
    nodes = []
    for number, volume in enumerate(volumes):
        nodes.append(a_node(f"n{number}"))
        nodes[-1].volumes = {"data": {"Name": "data", "Driver": "local", **volume}}
    body = {"HostConfig": host_config}
    check_volumes(a_config(env=env, labels=labels, body=body), nodes or [a_node("n1")])


@pytest.mark.parametrize(
    ("host_config", "volumes"),
    [
        ({"Binds": ["data:/data"]}, []),
        ({"Binds": ["n0/data:/data"]}, [{}]),
        (mount(), []),
        (driver("local"), []),
        (mount(), [{}, {}]),
        ({"Binds": ["data:/data"], "VolumeDriver": "rexray"}, [{}]),
    ],
)
def test_a_create_that_asks_to_be_moved_away_from_its_data_is_refused(host_config, volumes):
    with pytest.raises(BadRequest, match=r"volumes \((n0/)?data\) would stay.*=abandon"):
        check(host_config, *volumes)


@pytest.mark.parametrize(
    ("host_config", "volumes"),
    [
        ({"Binds": ["/srv/data:/data"]}, []),
        (mount(Source=""), []),
        ({"Binds": ["data:/data"], "VolumeDriver": "rexray"}, []),
        (driver("rexray"), []),
        (driver("", NFS), []),
        (mount(), [{"Options": NFS}]),
        (mount(), [{"Driver": "rexray", "Scope": "global"}]),
        (mount(), [{}, {"Options": NFS}]),
    ],
)
def test_a_create_whose_data_may_be_found_elsewhere_is_accepted(host_config, volumes):
    check(host_config, *volumes)


@pytest.mark.parametrize(
    ("env", "labels"),
    [((), None), (("reschedule:off",), None), (MOVES, {LABEL: "abandon"})],
)
def test_a_create_that_stays_or_may_abandon_its_data_is_accepted(env, labels):
    check(mount(), {}, env=env, labels=labels)


def test_an_unknown_word_about_volumes_is_refused():
    with pytest.raises(BadRequest, match="reschedule-volumes=abandn: use abandon"):
        check(mount(), env=(), labels={LABEL: "abandn"})
