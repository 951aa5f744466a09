"""The two sides of the wire agree: what fake engines read and write, and the generator reads."""

import json

import pytest

from benchmarks.fake_engines.bodies import Pour, chunk, frames
from benchmarks.fake_engines.documents import INITIAL_BODY, Box, ContainerTemplates
from benchmarks.fake_engines.wire import Head, answer
from benchmarks.load.messages import Answer, request

ID = b"0123456789abcdef" * 4


def head_of(data):
    return Head(data.partition(b"\r\n\r\n")[0])


@pytest.mark.parametrize(
    ("target", "route", "name"),
    [
        ("/_ping", "GET /_ping", ""),
        ("/v1.41/containers/json?all=1", "GET /containers/json", ""),
        ("/v1.51/containers/web/json", "GET /containers/*/json", "web"),
        ("/images/json", "GET /images/json", ""),
        ("/v1.41/networks", "GET /networks", ""),
    ],
)
def test_a_head_has_its_route_and_the_name_in_it(target, route, name):
    head = head_of(request("GET", target))
    assert (head.route, head.name, head.length) == (route, name, 0)


def test_a_head_has_its_query_and_the_length_of_its_body():
    head = head_of(request("POST", "/containers/create?name=a%20b&x=", b"{}"))
    assert head.query == {"name": "a b", "x": ""}
    assert head.length == 2
    assert not head.upgrades


def test_a_chunked_body_has_no_length():
    headers = ("Transfer-Encoding: chunked", "Upgrade: tcp")
    head = head_of(request("POST", "/build", headers=headers))
    assert head.length is None
    assert head.upgrades


@pytest.mark.parametrize("body", [b"", b"{}", b"x" * 5000])
@pytest.mark.parametrize("piece", [1, 7, 10_000])
def test_an_answer_is_whole_with_its_last_byte(body, piece):
    data = memoryview(answer(200, body))
    got = Answer()
    ends = [got.take(data[at : at + piece]) for at in range(0, len(data), piece)]
    assert ends == [False] * (len(ends) - 1) + [True]
    assert (got.status, got.size) == (200, len(data))
    assert got.data == data


def test_an_answer_without_a_body_is_whole_with_its_head():
    assert Answer().take(memoryview(answer(204)))


def test_a_stream_repeats_its_block_until_there_is_enough():
    pour, got = Pour(b"abcd", 10, b"end"), b""
    while piece := pour.next():
        got += bytes(piece[:3])
        pour.sent(len(piece[:3]))
    assert got == b"abcd" * 3 + b"end"


def test_frames_fill_chunks_or_have_one_each():
    assert chunk(b"ab") == b"2\r\nab\r\n"
    size = int(frames(100, flushed=True).partition(b"\r\n")[0], 16)
    assert size == 108
    size = int(frames(100, flushed=False).partition(b"\r\n")[0], 16)
    assert size % 108 == 0
    assert 32_000 < size <= 32_768


def test_a_containers_documents_agree():
    box = Box(ID, b"web", INITIAL_BODY, 20_000, 10**18, "running")
    templates = ContainerTemplates("f" * 64)
    summary, detail = json.loads(templates.summary(box)), json.loads(templates.detail(box))
    assert summary["Id"] == detail["Id"] == ID.decode()
    assert summary["Names"] == [detail["Name"]] == ["/web"]
    assert summary["State"] == detail["State"]["Status"] == "running"
    assert summary["Labels"] == detail["Config"]["Labels"] == INITIAL_BODY["Labels"]
    assert summary["Ports"][0]["PublicPort"] == 20_000
    assert detail["NetworkSettings"]["Ports"]["80/tcp"][0]["HostPort"] == "20000"
