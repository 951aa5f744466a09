"""From a request to its handler: versions, authorization, routes, errors."""

import gc
import json
import re
import weakref

import pytest
import trio.testing

from swarmcore.errors import Conflict, EngineRefused, EngineUnreachable
from swarmcore.gateway import Gateway
from swarmcore.http.messages import Answer
from swarmcore.http.routing import Router
from swarmcore.http.server import Server
from swarmcore.protocols import Denied, Route
from swarmcore.testing.doubles import FakeCluster


async def tell(exchange):
    request = exchange.request
    await exchange.send_json({"params": dict(request.params), "version": str(request.version)})


ROUTES = [
    Route("GET", "/containers/{name}/json", tell),
    Route("GET", "/_ping", tell),
    Route("HEAD", "/_ping", tell),
    Route("GET", "/swarmcore/nodes/{node}", tell),
    Route("POST", "/swarmcore/nodes/{node}/undrain", tell),
    Route("POST", "/containers/{name}/stop", tell),
]


@pytest.fixture
def ask(nursery):
    """Send one request to a gateway; return status, headers and body of the answer."""

    async def ask(
        method, target, *, handler=None, authorize=lambda request: None, cors=False, headers=()
    ):
        routes = ROUTES if handler is None else [Route("GET", "/x", handler)]
        gateway = Gateway(Router(routes), FakeCluster(), authorize, cors=cors)
        ours, theirs = trio.testing.memory_stream_pair()
        nursery.start_soon(Server(gateway.handle).serve_connection, theirs)
        lines = [f"{method} {target} HTTP/1.1", "Host: x", "Connection: close", *headers, "", ""]
        await ours.send_all("\r\n".join(lines).encode())
        seen = b""
        while data := await ours.receive_some():
            seen += data
        head, _, body = seen.partition(b"\r\n\r\n")
        status, *headers = head.decode().split("\r\n")
        return int(status.split()[1]), dict(line.split(": ", 1) for line in headers), body

    return ask


COMMON = {
    "Api-Version": "1.41",
    "Docker-Experimental": "false",
    "Ostype": "linux",
}


async def test_a_handler_gets_its_params_and_the_version(ask):
    status, headers, body = await ask("GET", "/v1.30/containers/n1/web/json?size=1")
    assert status == 200
    assert json.loads(body) == {"params": {"name": "n1/web"}, "version": "1.30"}
    assert headers["Server"].startswith("Docker/")
    assert headers["Server"].endswith("(linux)")
    assert COMMON.items() <= headers.items()


@pytest.mark.parametrize(
    ("method", "target", "status", "message"),
    [
        ("GET", "/nosuch", 404, "page not found"),
        ("GET", "/v1.41/nosuch", 404, "page not found"),
        ("GET", "/v1.41", 404, "page not found"),
        ("PUT", "/_ping", 404, "page not found"),
        (
            "GET",
            "/v1.99/_ping",
            400,
            "client version 1.99 is too new. Maximum supported API version is 1.51",
        ),
    ],
    ids=["path", "versioned path", "version only", "method", "too new"],
)
async def test_a_refusal_is_json_with_the_common_headers(ask, method, target, status, message):
    answered, headers, body = await ask(method, target)
    assert answered == status
    assert json.loads(body) == {"message": message}
    assert headers["Content-Type"] == "application/json"
    assert COMMON.items() <= headers.items()


async def test_a_client_before_api_124_is_told_the_text_alone(ask):
    status, headers, body = await ask("GET", "/v1.5/_ping")
    assert (status, headers["Content-Type"]) == (400, "text/plain; charset=utf-8")
    assert body == (
        b"client version 1.5 is too old. Minimum supported API version is 1.24,"
        b" please upgrade your client to a newer version\n"
    )


@pytest.mark.parametrize("version", ["1.24", "1.41", "1.51"])
async def test_every_version_in_range_is_served_also_above_the_announced(ask, version):
    status, _, _ = await ask("GET", f"/v{version}/_ping")
    assert status == 200


async def test_an_authorization_plugin_can_refuse(ask):
    asked = []

    def authorize(request):
        asked.append(request.path)
        return Denied("not on Fridays")

    status, _, body = await ask("GET", "/v1.41/containers/a%2Fb/json", authorize=authorize)
    assert (status, json.loads(body)) == (403, {"message": "not on Fridays"})
    assert asked == ["/containers/a/b/json"]


async def test_an_authorization_plugin_that_fails_refuses(ask, caplog):
    status, _, body = await ask("GET", "/_ping", authorize=lambda request: 1 / 0)
    assert status == 500
    assert b"division" not in body
    assert "authorization of GET /_ping failed" in caplog.text


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (Conflict("taken"), 409, "taken"),
        (EngineRefused("n1", 418, "I am a teapot"), 418, "I am a teapot"),
        (EngineUnreachable("n1", "n1 is gone"), 503, "n1 is gone"),
        (ExceptionGroup("nursery", [Conflict("taken")]), 409, "taken"),
    ],
    ids=["ours", "an engine's", "no engine", "in a group"],
)
async def test_a_handlers_error_is_its_status_and_text(ask, error, status, message):
    async def fail(exchange):
        raise error

    answered, headers, body = await ask("GET", "/x", handler=fail)
    assert (answered, json.loads(body)) == (status, {"message": message})
    assert COMMON.items() <= headers.items()


async def test_a_plugin_that_breaks_is_named_in_the_log(ask, caplog):
    async def fail(exchange):
        raise KeyError("secret")

    status, _, body = await ask("GET", "/x", handler=fail)
    assert status == 500
    assert b"secret" not in body
    assert f"{__name__}: handler of GET /x failed" in caplog.text
    assert "KeyError" in caplog.text


async def test_a_handlers_own_header_wins_over_the_common_one(ask):
    async def answer(exchange):
        await exchange.send(Answer(200, ((b"ostype", b"windows"),)))

    _, headers, _ = await ask("GET", "/x", handler=answer)
    assert headers["ostype"] == "windows"
    assert "Ostype" not in headers


async def test_options_of_any_path_are_an_empty_success(ask):
    assert (await ask("OPTIONS", "/nowhere"))[::2] == (200, b"")


async def test_cors_headers_are_sent_on_request_of_the_operator(ask):
    status, headers, body = await ask("OPTIONS", "/containers/web/json", cors=True)
    assert (status, body) == (200, b"")
    assert headers["Access-Control-Allow-Origin"] == "*"
    _, headers, _ = await ask("GET", "/_ping", cors=True)
    assert headers["Access-Control-Allow-Origin"] == "*"
    _, headers, _ = await ask("GET", "/_ping")
    assert "Access-Control-Allow-Origin" not in headers


FORM_KINDS = [
    (),
    ("Content-Type: application/x-www-form-urlencoded",),
    ("Content-Type: multipart/form-data; boundary=x",),
    ("Content-Type: text/plain; application/json",),
]


@pytest.mark.parametrize("prefix", ["", "/v1.41", "/v1.41//"])
@pytest.mark.parametrize("kind", FORM_KINDS)
async def test_a_form_of_a_web_page_cannot_change_a_node(ask, prefix, kind):
    target = f"{prefix}/swarmcore/nodes/n1/undrain"
    status, _, body = await ask("POST", target, headers=("Origin: http://evil.example", *kind))
    assert status in (301, 400)
    assert status == 301 or "'Content-Type: application/json'" in json.loads(body)["message"]


async def test_a_request_that_declares_json_can_change_a_node(ask):
    for kind in ("application/json", "Application/JSON; charset=utf-8"):
        status, _, _ = await ask(
            "POST", "/swarmcore/nodes/n1/undrain", headers=(f"Content-Type: {kind}",)
        )
        assert status == 200


async def test_reading_and_dockers_own_routes_need_no_content_type(ask):
    assert (await ask("GET", "/swarmcore/nodes/n1"))[0] == 200
    assert (await ask("POST", "/containers/web/stop"))[0] == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "DELETE"])
async def test_a_path_that_is_not_clean_is_redirected_to_whatever_is_asked(ask, method):
    status, headers, _ = await ask(method, "//v1.41/x/../_ping?a=//")
    assert (status, headers["Location"]) == (301, "/v1.41/_ping?a=//")


async def test_a_version_of_thousands_of_digits_is_too_new(ask):
    status, _, body = await ask("GET", f"/v{'9' * 5000}.1/_ping")
    assert status == 400
    assert b"is too new" in body
    status, _, _ = await ask("GET", f"/v{'0' * 5000}1.41/_ping")
    assert status == 200


async def test_a_request_that_failed_is_freed_without_the_garbage_collector(ask):
    seen = []

    async def fail(exchange):
        seen.append(weakref.ref(exchange))
        raise Conflict("taken")

    gc.collect()
    gc.disable()
    try:
        await ask("GET", "/x", handler=fail)
        assert [reference() for reference in seen] == [None]
    finally:
        gc.enable()


async def test_a_request_is_a_line_at_debug_without_its_query(ask, caplog):
    await ask("GET", "/_ping?secret=1")
    assert caplog.records == []
    caplog.set_level("DEBUG", "swarmcore.gateway")
    await ask("GET", "/_ping?secret=1")
    await ask("GET", "/nosuch")
    first, second = (record.getMessage() for record in caplog.records)
    assert re.fullmatch(r"GET /_ping from \S*: 200 in [0-9.]+ ms", first)
    assert "GET /nosuch from" in second
    assert ": 404 in" in second
