"""The bytes of answers."""

import pytest

from swarmcore.http.framing import (
    Framing,
    answer_framing,
    answer_head,
    chunk,
    http_date,
    last_chunk,
)


@pytest.mark.parametrize(
    ("method", "status", "names", "http10", "framing"),
    [
        ("GET", 200, set(), False, Framing.CHUNKED),
        ("GET", 200, set(), True, Framing.CLOSE),
        ("GET", 200, {b"content-length"}, True, Framing.LENGTH),
        ("HEAD", 200, {b"content-length"}, False, Framing.NONE),
        ("HEAD", 404, set(), False, Framing.NONE),
        ("POST", 204, set(), False, Framing.NONE),
        ("POST", 304, {b"content-length"}, False, Framing.NONE),
    ],
)
def test_framing_follows_from_request_status_and_headers(method, status, names, http10, framing):
    assert answer_framing(method, status, names, http10=http10) is framing


def test_a_head_keeps_order_case_and_duplicates():
    headers = ((b"X-B", b"1"), (b"x-a", b"2"), (b"X-B", b"3"))
    expected = b"HTTP/1.1 201 Created\r\nX-B: 1\r\nx-a: 2\r\nX-B: 3\r\n\r\n"
    assert answer_head(201, headers) == expected


def test_a_head_has_the_reason_and_version_that_it_is_given():
    assert answer_head(101, (), reason=b"UPGRADED") == b"HTTP/1.1 101 UPGRADED\r\n\r\n"
    assert answer_head(299, (), http10=True).startswith(b"HTTP/1.0 299 ")


@pytest.mark.parametrize("value", [b"a\r\nX-Evil: 1", b"a\nb", b"a\rb", b"a\0b"])
def test_a_header_cannot_smuggle_another(value):
    with pytest.raises(ValueError, match="line break"):
        answer_head(200, ((b"X-Name", value),))


def test_chunks():
    assert chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"
    assert last_chunk() == b"0\r\n\r\n"
    assert last_chunk(((b"X-T", b"v"),)) == b"0\r\nX-T: v\r\n\r\n"


def test_a_date_is_as_http_has_it():
    assert http_date(784111777) == b"Sun, 06 Nov 1994 08:49:37 GMT"
