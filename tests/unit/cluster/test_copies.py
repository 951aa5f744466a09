"""What a move would leave on the node."""

from dataclasses import replace

import pytest

from swarmcore.cluster.moves.copies import volumes_left_behind
from swarmcore.testing.builders import a_container, a_node


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
