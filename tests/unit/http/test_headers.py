"""The headers that are forwarded."""

import pytest

from swarmcore.http.headers import answer_headers, is_hijack, request_headers, tunnel_headers

HOST = (b"Host", b"docker")


def test_a_request_is_forwarded_unchanged_except_for_its_host():
    headers = (
        (b"Host", b"api.moby.localhost"),
        (b"User-Agent", b"Docker-Client/28"),
        (b"X-Meta-A", b"1"),
        (b"x-meta-a", b"2"),
        (b"X-Registry-Auth", b"e30="),
    )
    assert request_headers("GET", headers, length=0) == (HOST, *headers[1:])


def test_headers_of_one_connection_are_not_forwarded():
    headers = (
        (b"Connection", b"Keep-Alive, X-Mine"),
        (b"Keep-Alive", b"timeout=5"),
        (b"X-Mine", b"1"),
        (b"TE", b"trailers"),
        (b"Proxy-Authorization", b"secret"),
        (b"Accept", b"*/*"),
    )
    assert request_headers("GET", headers, length=0) == (HOST, (b"Accept", b"*/*"))


@pytest.mark.parametrize(
    "name",
    [b"Expect", b"Content-Length", b"Content-Type", b"Host", b"Authorization", b"X-Registry-Auth",
     b"X-Docker-Expose-Session-Uuid", b"Accept"],
)  # fmt: skip
def test_the_connection_header_cannot_remove_essential_headers(name):
    named = ((b"Connection", b"close, " + name.lower()), (name, b"5"))
    kept = request_headers("PUT", named, length=None)
    assert (HOST if name == b"Host" else (name, b"5")) in kept
    assert b"connection" not in {key.lower() for key, _ in kept}


def test_an_upgrade_without_its_connection_goes_on_as_engines_take_it():
    assert request_headers("POST", ((b"Upgrade", b"h2c"),), length=0) == (
        HOST,
        (b"Content-Length", b"0"),
        (b"Upgrade", b"h2c"),
    )
    bare = ((b"Connection", b"Upgrade"),)
    assert request_headers("GET", bare, length=0) == (HOST,)


@pytest.mark.parametrize(
    ("method", "length", "framing"),
    [
        ("POST", 0, (b"Content-Length", b"0")),
        ("PUT", 0, (b"Content-Length", b"0")),
        ("POST", 7, (b"Content-Length", b"7")),
        ("POST", None, (b"Transfer-Encoding", b"chunked")),
    ],
)
def test_a_body_is_framed_once(method, length, framing):
    headers = ((b"Content-Length", b"99"), (b"Transfer-Encoding", b"chunked"), (b"Expect", b"x"))
    sent = request_headers(method, headers, length=length)
    framings = [pair for pair in sent if pair[0] in (b"Content-Length", b"Transfer-Encoding")]
    assert framings == [framing]
    assert ((b"Expect", b"x") in sent) == (length is None)


def test_a_get_or_delete_without_body_has_no_length():
    assert request_headers("DELETE", ((b"Content-Length", b"0"),), length=0) == (HOST,)


def test_a_streamed_length_stays():
    headers = ((b"Content-Length", b"5"),)
    assert request_headers("PUT", headers, length=None) == (HOST, *headers)


def test_an_upgrade_goes_on_with_all_that_belongs_to_it():
    headers = (
        (b"Connection", b"Upgrade, HTTP2-Settings"),
        (b"Upgrade", b"h2c"),
        (b"HTTP2-Settings", b"AAM"),
        (b"X-Docker-Expose-Session-Grpc-Method", b"/a"),
        (b"X-Docker-Expose-Session-Grpc-Method", b"/b"),
    )
    assert request_headers("POST", headers, length=0) == (
        HOST,
        *headers[2:],
        (b"Content-Length", b"0"),
        (b"Connection", b"Upgrade"),
        (b"Upgrade", b"h2c"),
    )


def test_a_compressed_body_is_not_requested_if_it_is_read_here():
    sent = request_headers("GET", ((b"Accept-Encoding", b"gzip"),), length=0, identity=True)
    assert sent == (HOST, (b"Accept-Encoding", b"identity"))


def test_an_answer_loses_its_connection_and_its_engines_version():
    headers = (
        (b"Api-Version", b"1.41"),
        (b"Server", b"Docker/20.10"),
        (b"Connection", b"close"),
        (b"Transfer-Encoding", b"chunked"),
        (b"Content-Length", b"3"),
        (b"Docker-Experimental", b"false"),
    )
    assert answer_headers(headers) == (headers[1], headers[5])


def test_a_tunnels_answer_changes_only_the_version():
    headers = ((b"Connection", b"Upgrade"), (b"Upgrade", b"tcp"), (b"Api-Version", b"1.41"))
    assert tunnel_headers(headers, b"1.40") == (*headers[:2], (b"Api-Version", b"1.40"))


RAW = (b"Content-Type", b"application/vnd.docker.raw-stream")


@pytest.mark.parametrize(
    ("method", "status", "headers", "expected"),
    [
        ("POST", 101, (), True),
        ("GET", 101, (), True),
        ("POST", 200, (RAW,), True),
        ("POST", 200, ((b"content-type", RAW[1].replace(b"raw", b"multiplexed")),), True),
        ("POST", 200, (RAW, (b"Content-Length", b"0")), False),
        ("GET", 200, (RAW, (b"Transfer-Encoding", b"chunked")), False),
        ("POST", 200, ((b"Content-Type", b"application/json"),), False),
        ("POST", 404, (RAW,), False),
        ("GET", 200, (RAW,), False),
    ],
)
def test_the_engines_real_answer_decides_whether_http_ends(method, status, headers, expected):
    assert is_hijack(method, status, headers) is expected
