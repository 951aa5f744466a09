"""The error of a build tells which nodes have the missing image."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swarmcore_api_docker.build.error_hints import ErrorHints, describe_places

from swarmcore.testing.builders import a_node

HINT = (
    "this build was on n1; image app:1 is on n2, n3: --build-arg constraint:node==n2 builds there"
)


def nodes():
    return [
        a_node("n1", images=["busybox"]),
        a_node("n2", images=["busybox", "app:1"]),
        a_node("n3", images=["app:1", "reg.example:5000/team/app:2"]),
    ]


def line(text):
    message = {"errorDetail": {"code": 1, "message": text}, "error": text}
    return json.dumps(message).encode() + b"\r\n"


@pytest.mark.parametrize(
    "text",
    [
        "app:1: failed to resolve source metadata for docker.io/library/app:1: no such host",
        'failed to do request: Head "https://registry-1.docker.io/v2/library/app/manifests/1": x',
        "pull access denied for app, repository does not exist or may require 'docker login'",
        "manifest for app:1 not found: manifest unknown",
    ],
)
def test_the_error_of_every_release_is_understood(text):
    builder, *others = nodes()
    assert describe_places(text, builder, others) == HINT


@pytest.mark.parametrize(
    "text", ["exit code: 1", "busybox:latest is broken", "nothing:1 not found", "", "://./v2//"]
)
def test_there_is_no_hint_for_images_of_the_builder_or_of_no_node(text):
    builder, *others = nodes()
    assert describe_places(text, builder, others) == ""


def test_an_image_of_a_registry_is_named_with_it():
    builder, *others = nodes()
    text = 'Head "http://reg.example:5000/v2/team/app/manifests/2": connection refused'
    assert "image reg.example:5000/team/app:2 is on n3" in describe_places(text, builder, others)


@given(
    texts=st.lists(st.sampled_from(["Step 1/2 : FROM app:1", "app:1 not found", "{", "é", ""])),
    cut=st.lists(st.integers(0, 400)),
)
def test_progress_stays_unchanged_and_errors_get_a_hint(texts, cut):
    lines = [json.dumps({"stream": text}).encode() + b"\r\n" for text in texts]
    whole = b"".join([*lines, b"{}\n", line("app:1 not found")])
    edges = [0, *sorted(each for each in cut if each < len(whole)), len(whole)]
    hints = ErrorHints(nodes()[0], nodes()[1:])
    pieces = [whole[at:end] for at, end in pairwise(edges) if at < end]
    told = b"".join(map(hints.map_data, pieces)) + hints.map_data(b"")
    assert told.startswith(b"".join(lines) + b"{}\n")
    error = json.loads(told[len(b"".join(lines)) + 3 :])
    assert error["error"] == f"app:1 not found ({HINT})"
    assert error["errorDetail"] == {"code": 1, "message": error["error"]}


def test_the_beginning_of_another_line_is_not_held_back():
    hints = ErrorHints(nodes()[0], ())
    assert hints.map_data(b'{"stream":"a') == b'{"stream":"a'
    assert hints.map_data(b'{"error"') == b'{"error"'
    assert hints.map_data(b'"}\n{"err') == b'"}\n'
    assert hints.map_data(b"") == b'{"err'
