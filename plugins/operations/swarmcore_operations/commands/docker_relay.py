"""Uses the installed ``docker`` command to parse the options of a ``docker run``.

The command runs with a private socket instead of the manager's.  Queries are passed on; the create
is turned into an explanation and answered with an error, which ends the command.  All other
requests are refused, so nothing is created, pulled or changed.  Options therefore mean exactly what
they mean in that release of docker.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import trio

from swarmcore.errors import ConfigError, Forbidden, SwarmError
from swarmcore.http.messages import Answer, error_answer, find_header
from swarmcore.http.server import Server, ServerExchange
from swarmcore.http.server.listeners import open_listeners, parse_listen
from swarmcore_operations.commands.remote import RemoteManager, read_answer

#: Headers of an answer that the ``docker`` command reads; others concern our connection.
_PASSED = (b"content-type", b"api-version", b"ostype", b"docker-experimental", b"builder-version")
#: Environment variables that would make the command use something other than the socket.
_MISLEADING = (
    "DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_CONTENT_TRUST",
    "DOCKER_CUSTOM_HEADERS",
)  # fmt: skip
_VERBS = (("run",), ("create",), ("container", "run"), ("container", "create"))
_STOP = error_answer(400, "explained, and not created")


async def explain_words(
    manager: RemoteManager, words: Sequence[str], environment: Mapping[str, str]
) -> Any:
    """Explain a command line.

    Args:
        manager: the manager.
        words: ``docker run ...`` or ``docker create ...``; the first may be a path.
        environment: the user's environment variables.

    Raises:
        ConfigError: not such a command line, or there is no such ``docker`` command.
        SwarmError: the ``docker`` command or the manager refused it.
    """
    _check_words(words)
    with tempfile.TemporaryDirectory(prefix="swarmcore-explain-") as folder:
        host = f"unix://{folder}/docker.sock"
        relay = _Relay(manager)
        listeners = await open_listeners([parse_listen(host)], environ={}, tls=None)
        async with trio.open_nursery() as nursery:
            await nursery.start(Server(relay.handle).run, listeners)
            variables = {**environment, "DOCKER_HOST": host}
            for name in _MISLEADING:
                variables.pop(name, None)
            await _check_docker(words[0], variables)
            ended = await _run_docker(words, variables)
            nursery.cancel_scope.cancel()
    if relay.answer is None:
        said = " ".join((ended.stderr or ended.stdout).decode(errors="replace").split())
        raise SwarmError(f"docker ended without creating a container: {said}")
    return read_answer(relay.answer, "the manager")


def _check_words(words: Sequence[str]) -> None:
    verbs = tuple(words[1:3])
    if not any(verbs[: len(verb)] == verb for verb in _VERBS):
        raise ConfigError(
            "explain takes 'docker run ...' or 'docker create ...', with docker's own options left"
            f" out, and got {' '.join(words)!r}"
        )


async def _check_docker(program: str, environment: Mapping[str, str]) -> None:
    """Check that *program* is docker: podman would ignore the socket and create the container."""
    command = [program, "--version"]
    try:
        done = await trio.run_process(
            command, capture_stdout=True, capture_stderr=True, check=False, env=environment
        )
    except OSError as error:
        raise ConfigError(
            f"there is no {program} command here ({error.strerror}): give the body of the create"
            " with --json-config FILE"
        ) from error
    if not done.stdout.startswith(b"Docker version"):
        raise ConfigError(f"{program} is not the docker command: use --json-config FILE")


async def _run_docker(
    words: Sequence[str], environment: Mapping[str, str]
) -> "subprocess.CompletedProcess[bytes]":
    """Run the command on a terminal of its own, which ``-t`` requires."""
    ours, its = os.openpty()
    try:
        return await trio.run_process(
            list(words),
            stdin=its,
            capture_stdout=True,
            capture_stderr=True,
            check=False,
            env=environment,
        )
    finally:
        os.close(ours)
        os.close(its)


class _Relay:
    """Answers the ``docker`` command instead of the manager.

    Attributes:
        answer: the manager's answer to the create, once it has arrived.
    """

    def __init__(self, manager: RemoteManager) -> None:
        self._manager = manager
        self.answer: Answer | None = None

    async def handle(self, exchange: ServerExchange) -> None:
        """Answer one request of the ``docker`` command."""
        request = exchange.request
        match request.method, request.path:
            case "GET" | "HEAD", _:
                answer = await self._manager.send(request.method, request.target)
                await exchange.send(_without_connection(answer))
            case "POST", "/containers/create":
                before, _, query = request.target.partition("?")
                target = before.removesuffix("/containers/create") + f"/swarmcore/explain?{query}"
                body = await exchange.read_body()
                self.answer = await self._manager.send("POST", target, body)
                await exchange.send(_STOP)
            case "POST", "/images/create":  # for --pull always; nothing is pulled
                await exchange.send(Answer(200))
            case _:
                raise Forbidden(f"explaining: {request.method} {request.path} is not passed on")


def _without_connection(answer: Answer) -> Answer:
    headers = [(name, find_header(answer.headers, name)) for name in _PASSED]
    kept = tuple((name, value) for name, value in headers if value is not None)
    return Answer(answer.status, kept, answer.body)


def read_config_file(path: str) -> bytes:
    """Read the body of a create as JSON.

    Args:
        path: path of a file; ``-`` for standard input.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"--json-config {path}: cannot read it: {error.strerror}") from None
