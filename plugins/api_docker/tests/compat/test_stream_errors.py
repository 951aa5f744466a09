"""The error at the end of each kind of stream, and the media type of containers' output."""

import itertools
import json
import random

import pytest
from swarmcore_api_docker.compat.media_types import FRAMED, RAW, output_type_mapper
from swarmcore_api_docker.compat.stream_errors import (
    OutputErrorTail,
    ProgressErrorTail,
    WaitErrorTail,
)

from swarmcore.versions import ApiVersion


def frame(stream, data):
    return bytes((stream, 0, 0, 0)) + len(data).to_bytes(4) + data


@pytest.mark.parametrize(
    ("seen", "before"), [([], b""), ([b'{"a":1}\r\n'], b""), ([b"{}\n", b'{"a"'], b"\n")]
)
def test_progress_ends_with_an_error_on_a_line_of_its_own(seen, before):
    tail = ProgressErrorTail()
    for data in seen:
        tail.feed(data)
    said = tail.error_tail("engine n1: gone")
    assert said.startswith(before + b"{")
    assert json.loads(said) == {
        "errorDetail": {"message": "engine n1: gone"},
        "error": "engine n1: gone",
    }
    assert tail.ends_cleanly


def test_a_wait_ends_with_the_bare_reason_unless_it_was_over():
    tail = WaitErrorTail()
    assert tail.error_tail("engine n1: gone") == b"engine n1: gone\n"
    tail.feed(b'{"StatusCode":0}\n')
    assert tail.error_tail("engine n1: gone") == b""


@pytest.mark.parametrize("condition", ["next-exit", "removed"])
def test_a_wait_for_an_exit_to_come_ends_with_an_error_in_its_answer(condition):
    tail = WaitErrorTail(condition)
    said = json.loads(tail.error_tail("engine n1: gone"))
    assert said == {"StatusCode": -1, "Error": {"Message": "engine n1: gone"}}
    tail.feed(b'{"StatusCode":0}\n')
    assert tail.error_tail("engine n1: gone") == b""


FRAMES = frame(1, b"out") + frame(2, b"") + frame(1, b"x" * 300)


@pytest.mark.parametrize("size", [1, 7, 8, 9, 1000])
def test_output_ends_with_a_frame_of_the_daemon(size):
    tail = OutputErrorTail()
    for at in range(0, len(FRAMES), size):
        tail.feed(FRAMES[at : at + size])
    assert tail.error_tail("engine n1: gone") == frame(3, b"engine n1: gone")
    assert not tail.ends_cleanly


@pytest.mark.parametrize("seed", range(20))
def test_frames_are_followed_however_they_are_cut(seed):
    rng = random.Random(seed)
    sizes = [rng.choice([0, 1, 7, 8, 100, 3338]) for _ in range(30)]
    frames = [frame(rng.choice([1, 2]), b"x" * size) for size in sizes]
    ends = {*itertools.accumulate(map(len, frames))}
    tail, output, at = OutputErrorTail(), b"".join(frames), 0
    while at < len(output):
        step = rng.choice([1, 3, 8, 50, 5000])
        tail.feed(output[at : at + step])
        at = min(at + step, len(output))
        assert bool(tail.error_tail("gone")) == (at in ends)


def test_a_frame_costs_no_slice_of_what_is_fed():
    class Fed(bytes):
        slices = 0

        def __getitem__(self, key):
            self.slices += 1
            return super().__getitem__(key)

    fed = Fed(frame(1, b"x" * 100) * 10_000)
    OutputErrorTail().feed(fed)
    assert fed.slices < 5


@pytest.mark.parametrize("cut", [3, 9, len(FRAMES) - 1])
def test_no_error_is_added_in_the_middle_of_a_frame(cut):
    tail = OutputErrorTail()
    tail.feed(FRAMES[:cut])
    assert tail.error_tail("engine n1: gone") == b""


@pytest.mark.parametrize(
    ("before", "terminal", "after"),
    [
        (((b"Content-Type", RAW), (b"X", b"1")), False, ((b"Content-Type", FRAMED), (b"X", b"1"))),
        (((b"Content-Type", RAW),), True, ((b"Content-Type", RAW),)),
        (((b"X", b"1"),), False, ((b"X", b"1"), (b"Content-Type", FRAMED))),
        (((b"X", b"1"),), True, ((b"X", b"1"), (b"Content-Type", RAW))),
    ],
)
def test_an_old_engines_output_is_called_what_a_new_client_expects(before, terminal, after):
    map_headers = output_type_mapper(ApiVersion(1, 45), ApiVersion(1, 41), terminal=terminal)
    assert map_headers(before) == after


@pytest.mark.parametrize(("asked", "spoken"), [(41, 41), (41, 51), (42, 42), (51, 51)])
def test_a_media_type_that_the_client_expects_stays(asked, spoken):
    assert output_type_mapper(ApiVersion(1, asked), ApiVersion(1, spoken), terminal=False) is None
