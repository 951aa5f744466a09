"""Attaching over a websocket, as browsers do: both directions, and Docker's error before that."""

import contextlib
import socket

import pytest
import websocket


@pytest.fixture(params=["old", "middle", "new"])
def copy(fleet, request):
    """A container on each engine that copies its input."""
    docker = fleet.docker()
    docker("run", "-di", "--name", "copy", "-e", f"constraint:node=={request.param}",
           "busybox", "cat")  # fmt: skip
    return "copy"


@contextlib.contextmanager
def attached(fleet, name):
    """A websocket on our own socket, because the library leaves its socket open after a refusal."""
    streams = "stream=1&stdin=1&stdout=1&stderr=1"
    path = f"/v1.41/containers/{name}/attach/ws?{streams}"
    with socket.create_connection(("127.0.0.1", fleet.manager.port), timeout=60) as plain:
        yield websocket.create_connection(
            f"ws://127.0.0.1:{fleet.manager.port}{path}", socket=plain
        )


def test_input_comes_back_as_output(fleet, copy):
    with attached(fleet, copy) as connection:
        for word in ("one\n", "two\n"):
            connection.send(word)
            received = ""
            while len(received) < len(word):
                data = connection.recv()
                received += data if isinstance(data, str) else data.decode()
            assert received == word


def test_output_ends_with_the_container(fleet, copy):
    with attached(fleet, copy) as connection:
        fleet.docker()("kill", copy)
        with contextlib.suppress(websocket.WebSocketConnectionClosedException):
            assert connection.recv() in ("", b"")


def test_a_missing_container_is_dockers_404(fleet):
    refused = pytest.raises(websocket.WebSocketBadStatusException, match="404")
    with refused, attached(fleet, "ghost"):
        pass
