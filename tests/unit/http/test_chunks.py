"""Chunked bodies are parsed without h11, and compared with h11."""

import random
import sys

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarmcore.http.chunks import MalformedChunk, PlainChunks

MALFORMED = (b"", "malformed")
LAST = b"0\r\n\r\n"


def chunk(data, size=b"%x"):
    return size % len(data) + b"\r\n" + data + b"\r\n"


def a_reader():
    """Return h11 before the first chunk of an answer."""
    reader = h11.Connection(h11.CLIENT)
    reader.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    reader.receive_data(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    reader.next_event()
    return reader


def read_rest(reader, pieces):
    """Return h11's result for *pieces*: the data, and its verdict."""
    data = b""
    for piece in pieces:
        reader.receive_data(piece)
        try:
            while (event := reader.next_event()) is not h11.NEED_DATA:
                if isinstance(event, h11.EndOfMessage):
                    return data, (tuple(event.headers.raw_items()), reader.trailing_data[0])
                data += event.data
        except h11.RemoteProtocolError:
            return MALFORMED
    return data, "unfinished"


def read_fast(pieces):
    """Return the same with ``PlainChunks`` before h11."""
    chunks, data = PlainChunks(), b""
    for number, piece in enumerate(pieces):
        try:
            data += chunks.feed(piece)
        except MalformedChunk:
            return MALFORMED
        if chunks.rest is not None:
            more, verdict = read_rest(a_reader(), [chunks.rest, *pieces[number + 1 :]])
            return MALFORMED if verdict == MALFORMED[1] else (data + more, verdict)
    return data, "unfinished"


def cut(data, seed, most):
    rng, pieces = random.Random(seed), []
    while data:
        size = rng.randint(1, most)
        pieces.append(data[:size])
        data = data[size:]
    return pieces


ODD_DATA = [b"a\r\nb", b"\r\n", b"\r", b"\n", b"5\r\n", b"x" * 1023, b"x" * 5000]
ODD_CHUNKS = [
    *(b"zz\r\n", b"\r\n", b"0x3\r\nabc\r\n", b"+3\r\nabc\r\n", b"1_0\r\n", b"-1\r\n"),
    *(b"3\r\nabcd\r\n", b"3\r\nabc\n\n", b"3\r\nabc\r\r", b"3\nabc\r\n", b"fffffffffff"),
]
CHUNKS = st.one_of(
    st.binary(min_size=1, max_size=40).map(chunk),
    st.sampled_from(ODD_DATA).map(chunk),
    st.binary(min_size=1, max_size=20).map(lambda data: chunk(data, b"%03X")),
    st.binary(min_size=1, max_size=20).map(lambda data: chunk(data, b"%x;name=value")),
    st.binary(min_size=1, max_size=20).map(lambda data: chunk(data, b"%x  ")),
    st.sampled_from(ODD_CHUNKS),
)
ENDS = st.sampled_from([LAST, b"0\r\nX-Sum: 1\r\n\r\n", LAST + b"HTTP/1.1 200", b"", b"00\r\n\r\n"])


@given(st.lists(CHUNKS, max_size=12), ENDS, st.integers(), st.sampled_from([1, 2, 7, 100, 100_000]))
def test_every_body_is_read_as_h11_reads_it(chunks, end, seed, most):
    pieces = cut(b"".join(chunks) + end, seed, most)
    assert read_fast(pieces) == read_rest(a_reader(), pieces)


@given(st.lists(CHUNKS, max_size=12), ENDS, st.integers(), st.sampled_from([1, 2, 7, 100, 100_000]))
def test_what_is_sent_on_has_the_same_data_in_complete_chunks(chunks, end, seed, most):
    sender, reader = PlainChunks(), PlainChunks()
    for piece in cut(b"".join(chunks) + end, seed, most):
        buffer = bytearray(piece + b"5\r\nother\r\n")  # the end is left from an earlier receive
        try:
            found = sender.split(buffer, len(piece))
            data = reader.feed(piece)
        except MalformedChunk:
            break
        assert b"".join(found.data) == data
        assert read_rest(a_reader(), [b"".join(found.framed) + LAST]) == (data, ((), b""))
        assert (sender.rest, sender.ended) == (reader.rest, reader.ended)
        if sender.rest is not None:
            break


def test_large_chunks_are_sent_on_unchanged_and_without_a_copy():
    received = chunk(b"a" * 5000, b"%04X") + chunk(b"b" * 2000)
    chunks = PlainChunks().split(received + chunk(b"c" * 3000)[:1000], len(received) + 1000)
    assert chunks.framed[0] == received
    assert chunks.framed[0].obj is chunks.data[0].obj
    assert b"".join(chunks.framed[1:]) == chunk(b"c" * 995)


def test_small_chunks_are_sent_on_as_one():
    received = chunk(b"one\n") + chunk(b"two\n") + b"5\r\nthr"
    assert b"".join(PlainChunks().split(received, len(received)).framed) == chunk(b"one\ntwo\nthr")


@pytest.mark.parametrize("most", [1, 2, 100])
@pytest.mark.parametrize(
    ("end", "ended"),
    [(LAST + b"HTTP", True), (b"0\r\nX: 1\r\n\r\n", False), (b"00\r\n\r\n", False)],
)
def test_the_end_is_told_if_it_is_plain(end, ended, most):
    chunks, rest, data = PlainChunks(), b"", b""
    for piece in cut(chunk(b"a") + end, 1, most):
        if chunks.rest is None:
            data += chunks.feed(piece)
        else:
            rest += piece
    assert data == b"a"
    assert (chunks.rest or b"") + rest == end
    assert chunks.ended == ended


def test_all_that_came_in_one_receive_is_one_piece():
    chunks = PlainChunks()
    assert chunks.feed(chunk(b"one\n") + chunk(b"two\n") + b"5\r\nthr") == b"one\ntwo\nthr"
    assert chunks.feed(b"ee\r") == b"ee"
    assert chunks.feed(b"\n") == b""
    assert chunks.rest is None


def test_a_line_break_in_small_chunks_is_data():
    lines = [b"HTTP/1.1 200 OK\r\n", b"\r\n\r\n", b"4\r\nnine\r\n", b"plain\n"] * 50
    chunks = PlainChunks()
    for _ in range(3):
        assert chunks.feed(b"".join(map(chunk, lines))) == b"".join(lines)


@pytest.mark.parametrize(
    ("line", "most"), [(b"x" * 100, 20), (b"x" * 50 + b"\r\n" + b"x" * 48, 1020)]
)
def test_a_small_chunk_costs_no_more_than_one_call_of_a_function(line, most):
    """h11 takes 15 µs for a chunk: more than a minute for a gigabyte of short lines."""
    received, chunks, calls = chunk(line) * 1000, PlainChunks(), []

    def note(frame, event, argument):
        if event == "call":
            calls.append(frame.f_code.co_name)

    sys.setprofile(note)
    try:
        chunks.feed(received)
    finally:
        sys.setprofile(None)
    assert len(calls) <= most
