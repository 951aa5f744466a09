"""The changes that lists, inspections and events cause."""

import pytest

from swarmcore.engine.cache.documents import (
    Stale,
    by_key,
    differs,
    needs_inspection,
    read_container,
    what_is_stale,
)
from swarmcore.testing.builders import a_container, an_event

ID = "c" * 64


def stale(action, kind="container", **attributes):
    return what_is_stale(an_event(action, kind=kind, actor_id=ID, attributes=attributes))


@pytest.mark.parametrize(
    "action",
    ["start", "die", "oom", "pause", "unpause", "rename", "update", "restart",
     "health_status: healthy", "something-new"],
)  # fmt: skip
def test_an_action_on_a_container_makes_that_container_stale(action):
    assert stale(action) == Stale(containers=frozenset([ID]))


@pytest.mark.parametrize(
    "action",
    ["attach", "detach", "kill", "top", "resize", "export", "copy", "archive-path",
     "extract-to-dir", "exec_create: sh -c true", "exec_start: sh -c true", "exec_die",
     "exec_detach"],
)  # fmt: skip
def test_an_action_that_changes_nothing_makes_nothing_stale(action):
    assert stale(action) == Stale()


def _values_of(value):
    return value.values() if isinstance(value, dict) else ()


@pytest.mark.parametrize(
    ("kind", "action", "attributes", "expected"),
    [
        ("container", "create", {}, Stale(created=frozenset([ID]))),
        ("container", "destroy", {}, Stale(gone=frozenset([ID]))),
        ("container", "commit", {}, Stale(images=True)),
        ("image", "pull", {}, Stale(images=True)),
        ("image", "save", {}, Stale()),
        ("image", "push", {}, Stale(images=True)),
        ("network", "create", {"type": "bridge"}, Stale(networks_made=frozenset([ID]))),
        ("network", "create", {"type": "overlay"}, Stale(networks=True)),
        ("network", "destroy", {"type": "bridge"}, Stale(networks_gone=frozenset([ID]))),
        ("network", "destroy", {"type": "overlay"}, Stale(networks=True)),
        ("network", "connect", {"type": "bridge", "container": "x"},
         Stale(containers=frozenset(["x"]))),
        ("network", "connect", {"type": "overlay", "container": "x"},
         Stale(containers=frozenset(["x"]), networks=True)),
        ("network", "disconnect", {"type": "bridge"}, Stale()),
        ("network", "prune", {}, Stale(networks=True)),
        ("volume", "create", {}, Stale(volumes_made=frozenset([ID]))),
        ("volume", "destroy", {}, Stale(volumes_gone=frozenset([ID]))),
        ("volume", "prune", {}, Stale(volumes=True)),
        ("volume", "mount", {}, Stale()),
        ("daemon", "reload", {}, Stale(specs=True)),
        ("daemon", "something", {}, Stale()),
        ("plugin", "enable", {}, Stale()),
    ],
    ids=lambda value: value if isinstance(value, str) else "".join(_values_of(value)),
)  # fmt: skip
def test_each_type_of_event_makes_its_own_lists_stale(kind, action, attributes, expected):
    assert stale(action, kind, **attributes) == expected


def test_a_removed_container_is_not_inspected():
    joined = stale("start") | stale("destroy") | stale("start")
    assert joined == Stale(gone=frozenset([ID]))


def test_a_container_joins_its_two_documents_and_keeps_them():
    made = a_container("web", state="exited", labels={"a": "b"}, memory=7, links=["db/web"])
    read = read_container(made.summary, made.detail, "N", 4)
    assert (read.id, read.node_id, read.name) == (made.id, "N", "web")
    assert set(read.names) == {"web", "db/web"}
    assert (read.state, dict(read.labels), read.claim.memory) == ("exited", {"a": "b"}, 7)
    assert (read.image, read.image_id) == ("busybox", made.image_id)
    assert read.summary is made.summary
    assert read.detail is made.detail


@pytest.mark.parametrize(
    ("in_detail", "in_summary", "created"),
    [
        ("2020-01-01T00:00:00.25Z", 1, 1_577_836_800.25),
        ("2020-01-01T00:00:00.123456789Z", 1, 1_577_836_800.123456),
        ("2020-01-01T02:00:00+02:00", 1, 1_577_836_800),
        ("", 12, 12),
        (None, 12, 12),
        ("soon", None, 0),
    ],
    ids=str,
)
def test_the_creation_time_is_the_finer_one(in_detail, in_summary, created):
    read = read_container({"Created": in_summary}, {"Id": ID, "Created": in_detail}, "N", 4)
    assert read.created == pytest.approx(created, abs=1e-5)


@pytest.mark.parametrize(
    ("listed", "names"),
    [
        (["/web"], ("web",)),
        (["/db/alias", "/web"], ("web", "db/alias")),
        (["/web", "/old"], ("web",)),  # the engine has not given up the old name yet
        (None, ("web",)),
    ],
)
def test_a_container_has_one_own_name_and_aliases_of_links(listed, names):
    assert read_container({"Names": listed}, {"Id": ID, "Name": "/web"}, "N", 4).names == names
    assert read_container({"Names": ["/old"]}, {"Id": ID}, "N", 4).names == ("old",)


def test_sparse_documents_are_read():
    read = read_container({}, {"Id": ID, "Config": None, "State": None}, "N", 4)
    assert (read.names, read.state, read.image, dict(read.labels)) == ((), "", "", {})


@pytest.mark.parametrize(
    ("change", "inspect", "put"),
    [
        ({}, False, False),
        ({"Status": "Up 5 minutes"}, False, False),
        ({"Labels": {"new": "label"}}, False, True),
        ({"SizeRw": 5}, False, True),
        ({"State": "paused"}, True, True),
        ({"Names": ["/web", "/db/web"]}, True, True),
        ({"NetworkSettings": {"Networks": {}}}, True, True),
    ],
    ids=lambda change: ",".join(change) if isinstance(change, dict) else "",
)
def test_only_changed_containers_of_a_list_are_inspected(change, inspect, put):
    known = a_container("web")
    summary = {**known.summary, **change}
    assert needs_inspection(known, summary) is inspect
    assert differs(known, summary) is put


def test_a_field_that_disappeared_is_news():
    known = a_container("web")
    summary = {key: value for key, value in known.summary.items() if key != "Mounts"}
    assert differs(known, summary)


def test_an_unknown_container_is_inspected():
    assert needs_inspection(None, {})


@pytest.mark.parametrize("objects", [None, {}, "x", [None], [{"Name": "a"}], [{"Id": ""}]], ids=str)
def test_objects_without_an_id_are_left_out(objects):
    assert by_key(objects, "Id") == {}
