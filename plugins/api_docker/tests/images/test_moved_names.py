"""Moved names are left out of answers, and are removed from engines without losing an image."""

import pytest
from swarmcore_api_docker.images.inspection import show_detail, show_layers
from swarmcore_api_docker.images.moved_names import remove_moved_names

from swarmcore.errors import EngineUnreachable
from swarmcore.http.messages import Answer, json_answer

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")


@pytest.fixture
def engine(docker):
    """An engine with a base image, and an image that it still calls ``host:5000/team/app:1``."""

    def engine(**images):
        listed = images or {A: ["base:1"], B: ["host:5000/team/app:1"]}
        documents = {id: {"Id": id, "RepoTags": tags} for id, tags in listed.items()}
        node = docker.node("n1", images=documents)
        node.moved_names = {"host:5000/team/app:1": B}
        return docker.Engine(node)

    return engine


def test_an_inspection_and_a_history_leave_moved_names_out(engine):
    node = engine().node
    shown = show_detail(json_answer({"Id": B, "RepoTags": ["host:5000/team/app:1", "b:2"]}), node)
    assert shown.json() == {"Id": B, "RepoTags": ["b:2"]}
    layers = [{"Id": B, "Tags": ["host:5000/team/app:1"]}, {"Id": A, "Tags": ["base:1"]}]
    assert show_layers(json_answer(layers), node).json() == [
        {"Id": B, "Tags": None}, {"Id": A, "Tags": ["base:1"]},
    ]  # fmt: skip


async def test_a_last_name_is_given_to_another_image_and_then_removed(docker, engine):
    it = engine()
    it.answers = {f"/images/{A}/tag": Answer(201),
                  "/images/host:5000/team/app:1": json_answer([])}  # fmt: skip
    await remove_moved_names(docker.Cluster(it), it)
    assert [(method, path) for method, path, _ in it.asked] == [
        ("POST", f"/images/{A}/tag?repo=host%3A5000%2Fteam%2Fapp&tag=1"),
        ("DELETE", "/images/host:5000/team/app:1?noprune=1"),
    ]
    assert it.refreshed == ["images"]


async def test_only_the_given_names_are_removed(docker, engine):
    it = engine()
    await remove_moved_names(docker.Cluster(it), it, ["other:1"])
    it.node.moved_names = {}
    await remove_moved_names(docker.Cluster(it), it)
    assert (it.asked, it.refreshed) == ([], [])


async def test_a_name_stays_if_its_removal_would_remove_an_image(docker, engine, caplog):
    it = engine(**{B: ["host:5000/team/app:1"], C: []})
    caplog.set_level("INFO")
    await remove_moved_names(docker.Cluster(it), it)
    assert it.asked == []
    assert "stays on n1, which has no other image" in caplog.text


@pytest.mark.parametrize(
    "answer", [Answer(500, body=b'{"message": "no"}'), EngineUnreachable("n1", "no")], ids=str
)
async def test_a_refusal_is_only_logged(docker, engine, caplog, answer):
    it = engine()
    it.answers = {f"/images/{A}/tag": answer}
    await remove_moved_names(docker.Cluster(it), it)
    assert "no" in caplog.text
