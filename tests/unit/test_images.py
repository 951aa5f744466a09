"""The image that a text names."""

import pytest

from swarmcore.images import (
    can_be_image,
    has_image,
    has_moved,
    named_ids,
    normal_image,
    shown_image,
    split_image,
    words_of_images,
    words_of_name,
)
from swarmcore.testing.builders import a_node

ID = "sha256:" + "ab" * 32
DIGEST = "sha256:" + "cd" * 32


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("busybox", "docker.io/library/busybox:latest"),
        ("busybox:1", "docker.io/library/busybox:1"),
        ("docker.io/busybox", "docker.io/library/busybox:latest"),
        ("index.docker.io/library/busybox", "docker.io/library/busybox:latest"),
        ("me/app", "docker.io/me/app:latest"),
        ("localhost/app", "localhost/app:latest"),
        ("host:5000/app", "host:5000/app:latest"),
        ("host:5000/app:2", "host:5000/app:2"),
        (f"busybox@{DIGEST}", f"docker.io/library/busybox@{DIGEST}"),
        (f"busybox:1@{DIGEST}", f"docker.io/library/busybox@{DIGEST}"),
        (ID, ID),
        (ID.removeprefix("sha256:"), ID),
        ("", "docker.io/library/:latest"),
    ],
)
def test_every_spelling_has_one_normal_form(text, normal):
    assert normal_image(text) == normal
    assert normal_image(normal) == normal


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("busybox", ("busybox", "")),
        ("host:5000/app", ("host:5000/app", "")),
        ("host:5000/app:2", ("host:5000/app", ":2")),
        ("app:2@sha256:0f", ("app", "@sha256:0f")),
    ],
)
def test_a_tag_is_not_a_port(text, parts):
    assert split_image(text) == parts


def a_holder(**image):
    node = a_node(images=[])
    node.images = {ID: {"Id": ID, **image}}
    return node


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("busybox", True),
        ("busybox:latest", True),
        ("docker.io/library/busybox", True),
        ("busybox:1", False),
        ("other", False),
        (f"busybox@{DIGEST}", True),
        (f"other@{DIGEST}", False),
        (ID, True),
        ("ababab", True),
        ("sha256:abab", True),
        ("sha256", False),
        ("ab", True),
        ("", False),
        ("sha256:", False),
        ("<none>:<none>", False),
    ],
)
def test_a_node_has_an_image_by(text, found):
    tags, digests = ["busybox:latest", "<none>:<none>"], [f"busybox@{DIGEST}"]
    assert has_image(a_holder(RepoTags=tags, RepoDigests=digests), text) is found


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("busybox", "busybox:latest"),
        ("busybox:1", "busybox:1"),
        ("host:5000/a", "host:5000/a:latest"),
        ("docker.io/library/busybox", "busybox:latest"),
        ("docker.io/team/a:1", "team/a:1"),
        ("a@sha256:d", "a@sha256:d"),
    ],
)
def test_names_are_shown_as_engines_print_them(text, shown):
    assert shown_image(text) == shown


def test_a_name_comes_before_the_beginning_of_an_id():
    named, other = "sha256:" + "cd" * 32, ID
    images = {named: {"RepoTags": ["ab:latest"]}, other: {"RepoTags": []}}
    assert named_ids(images, "ab") == {named}
    assert named_ids(images, "aba") == {other}


@pytest.mark.parametrize(
    ("text", "possible"),
    [
        ("busybox", True),
        ("Host.example:5000/team/a-b__c.d:v1_2", True),
        ("[::1]:5000/app", True),
        (f"busybox:1@{DIGEST}", True),
        (ID, True),
        ("", False),
        ("BAD", False),
        ("team/BAD", False),
        ("busybox:-x", False),
        ("a..b", False),
        ("a/", False),
        ("busybox:1\n", False),
        ("bu sybox", False),
    ],
)
def test_the_grammar_of_names(text, possible):
    assert can_be_image(text) is possible


def test_an_image_stored_under_its_full_name_is_found_by_its_short_one():
    assert has_image(a_holder(RepoTags=["docker.io/library/busybox:latest"]), "busybox")


def test_an_image_without_names_has_only_its_ids():
    images = {ID: {"RepoTags": None, "RepoDigests": ["<none>@<none>"]}}
    assert set(words_of_images(images)) == {ID, ID[7:], "abababababab"}


def test_an_image_answers_to_tag_repository_digest_and_ids():
    images = {ID: {"RepoTags": ["h:5/app:2"], "RepoDigests": [f"h:5/app@{DIGEST}"]}}
    expected = {ID, ID[7:], "abababababab", "h:5/app:2", "h:5/app", f"h:5/app@{DIGEST}"}
    assert set(words_of_images(images)) == expected


def test_a_name_matches_before_its_image_exists():
    assert set(words_of_name("docker.io/library/busybox")) >= {"busybox", "busybox:latest"}


@pytest.mark.parametrize(
    "text", ["app:1", "docker.io/library/app:1", "index.docker.io/library/app:1"]
)
def test_a_moved_name_is_not_found(text):
    node = a_holder(RepoTags=["app:1", "app:2", "tool:1"])
    node.moved_names = {"app:1": ID}
    assert has_moved(node, text)
    assert not has_image(node, text)
    assert all(has_image(node, each) for each in ("app:2", "tool:1", ID))
    assert node.images[ID]["RepoTags"] == ["app:2", "tool:1"]
    assert {"app:2", "app", "tool:1"} <= set(node.image_words)
    assert "app:1" not in node.image_words
    node.moved_names = {"app:1": ID, "app:2": ID}
    assert {"app", "app:1", "app:2"}.isdisjoint(node.image_words)
    assert (node.image_called("tool:1"), node.image_called("app:1")) == (ID, "")
    node.moved_names = {}
    assert has_image(node, text)
    assert not has_moved(node, text)
    assert "app" in node.image_words


def test_a_moved_name_belongs_to_its_new_image():
    node = a_holder(RepoTags=["app:1"])
    node.moved_names = {"app:1": "sha256:other"}  # the list that was read since knows better
    assert node.images[ID]["RepoTags"] == ["app:1"]
