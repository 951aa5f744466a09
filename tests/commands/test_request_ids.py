"""The id of a request: in its answer, at its engines, and in the log."""

import io
import json
import logging

import pytest
import trio

from swarmcore.commands.logs import JsonFormatter, PrintableFormatter
from swarmcore.testing.embedded import EmbeddedEngine

CREATE = b'{"Image": "busybox", "Cmd": ["sleep", "600"]}'


async def ask(swarmcore, method, target, body=b"", *headers):
    """Return the status and the values of X-Request-Id of an answer."""
    path = swarmcore.environment["DOCKER_HOST"].removeprefix("unix://")
    lines = (f"{method} {target} HTTP/1.1", "Host: x", "Connection: close", *headers,
             "Content-Type: application/json", f"Content-Length: {len(body)}")  # fmt: skip
    async with await trio.open_unix_socket(path) as stream:
        await stream.send_all("\r\n".join((*lines, "", "")).encode("latin-1") + body)
        data = b""
        while piece := await stream.receive_some():
            data += piece
    first, *rest = data.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    values = [line.split(": ")[1] for line in rest if line.lower().startswith("x-request-id:")]
    return int(first.split()[1]), values


def ids_of(requests):
    """Return all values of X-Request-Id that an engine received."""
    return [
        value.decode()
        for recorded in requests
        for name, value in recorded.request.headers
        if name.lower() == b"x-request-id"
    ]


@pytest.fixture
def written():
    """Yield what the log has written: a text, and a list of JSON lines."""
    handlers = [logging.StreamHandler(io.StringIO()) for _ in range(2)]
    handlers[0].setFormatter(PrintableFormatter("%(levelname)s %(message)s"))
    handlers[1].setFormatter(JsonFormatter())
    root = logging.getLogger()
    for handler in handlers:
        root.addHandler(handler)
    level = root.level
    root.setLevel(logging.DEBUG)
    yield [handler.stream for handler in handlers]
    root.setLevel(level)
    for handler in handlers:
        root.removeHandler(handler)


async def test_the_id_of_a_create_is_in_the_answer_at_the_engine_and_in_the_log(operate, written):
    engine = EmbeddedEngine("n1")
    engine.add_image("busybox")
    async with operate(engine) as swarmcore:
        status, [chosen] = await ask(
            swarmcore, "POST", "/containers/create?name=web", CREATE, "X-Request-Id: job-17"
        )
        assert (status, chosen) == (201, "job-17")
        assert ids_of(engine.requests_like("POST /containers/create")) == ["job-17"]
        _, [refused] = await ask(swarmcore, "POST", "/containers/create?name=web", CREATE)
        text, lines = (stream.getvalue() for stream in written)
        [created] = [line for line in text.splitlines() if line.startswith("INFO created web")]
        assert created.endswith(" (request job-17)")
        [taken] = [line for line in text.splitlines() if line.startswith("INFO refused web")]
        assert taken.endswith(f" (request {refused})")
        logged = [json.loads(line) for line in lines.splitlines()]
        ended = [line["request"] for line in logged if "from unix: " in line["message"]]
        assert ended == ["job-17", refused]


async def test_each_request_has_another_id_and_passes_it_on_once(operate):
    engine = EmbeddedEngine("n1")
    engine.add_container("web")
    async with operate(engine) as swarmcore:
        answers = [await ask(swarmcore, "GET", "/containers/web/top") for _ in range(3)]
        ids = [given for status, [given] in answers]
        assert len(set(ids)) == 3
        assert ids_of(engine.requests_like("GET /containers/*/top")) == ids
        assert (await ask(swarmcore, "GET", "/nothing"))[0] == 404


@pytest.mark.parametrize("given", ["x" * 129, "two words", "caf\xe9", ""])
async def test_an_id_that_is_long_or_not_printable_is_replaced(operate, given):
    engine = EmbeddedEngine("n1")
    engine.add_container("web")
    async with operate(engine) as swarmcore:
        status, [used] = await ask(
            swarmcore, "GET", "/containers/web/top", b"", f"X-Request-Id: {given}"
        )
        assert status == 200
        assert used != given
        assert ids_of(engine.requests_like("GET /containers/*/top")) == [used]


async def test_a_terminal_gets_the_id_before_the_protocol_is_switched(operate):
    engine = EmbeddedEngine("n1")
    engine.add_container("web")
    async with operate(engine) as swarmcore:
        upgrade = ("X-Request-Id: tty", "Upgrade: tcp", "Connection: Upgrade")
        path = swarmcore.environment["DOCKER_HOST"].removeprefix("unix://")
        target = "/containers/web/attach?stream=1&stdout=1"
        lines = (f"POST {target} HTTP/1.1", "Host: x", *upgrade, "Content-Length: 0", "", "")
        async with await trio.open_unix_socket(path) as stream:
            await stream.send_all("\r\n".join(lines).encode())
            head = b""
            while b"\r\n\r\n" not in head:
                head += await stream.receive_some()
        assert head.startswith(b"HTTP/1.1 101 ")
        assert head.count(b"X-Request-Id: tty\r\n") == 1
