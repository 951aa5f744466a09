"""A client of the Docker API in a simulation: one connection for each request, as scripts do."""

import json
from dataclasses import dataclass
from typing import Any

import h11
import trio

from swarmcore.testing.simulation.hosts.network import Host

#: How long a client waits for an answer.
PATIENCE_SECONDS = 90.0


class NoAnswer(Exception):
    """The connection was refused or broke, or the client left: the outcome is unknown.

    Attributes:
        was_sent: whether anything was sent.
    """

    def __init__(self, text: str, *, was_sent: bool) -> None:
        super().__init__(text)
        self.was_sent = was_sent


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer.

    Attributes:
        status: its HTTP status.
        body: its JSON; ``None`` without a body.
    """

    status: int
    body: Any

    @property
    def message(self) -> str:
        """The error's text."""
        return str(self.body.get("message", "")) if isinstance(self.body, dict) else ""


async def ask(
    host: Host,
    address: tuple[str, int],
    method: str,
    target: str,
    body: Any = None,
    leave_after: float = 0.0,
) -> Reply:
    """Send one request and read the answer.

    Args:
        host: the client's host.
        address: IP address and port of a manager.
        method, target: the request line.
        body: to be sent as JSON; ``None`` for none.
        leave_after: seconds after which the client closes the connection; 0 for its patience.

    Raises:
        NoAnswer: there is no complete answer.
    """
    with trio.move_on_after(leave_after or PATIENCE_SECONDS):
        try:
            stream = await host.connect(*address)
        except OSError as error:
            raise NoAnswer(str(error), was_sent=False) from error
        try:
            return await _exchange(stream, method, target, body)
        except (trio.BrokenResourceError, h11.RemoteProtocolError) as error:
            raise NoAnswer(f"the connection broke: {error}", was_sent=True) from error
        finally:
            await trio.aclose_forcefully(stream)
    raise NoAnswer("the client left", was_sent=True)


async def _exchange(
    stream: trio.abc.HalfCloseableStream, method: str, target: str, body: Any
) -> Reply:
    data = b"" if body is None else json.dumps(body).encode()
    connection = h11.Connection(h11.CLIENT)
    headers = [("Host", "docker"), ("Connection", "close")]
    if method != "GET":
        headers += [("Content-Type", "application/json"), ("Content-Length", str(len(data)))]
    sent = connection.send(h11.Request(method=method, target=target, headers=headers)) or b""
    if data:
        sent += connection.send(h11.Data(data)) or b""
    await stream.send_all(sent + (connection.send(h11.EndOfMessage()) or b""))
    status, pieces = 0, []
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(bytes(await stream.receive_some()))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            pieces.append(bytes(event.data))
        elif isinstance(event, h11.EndOfMessage):
            text = b"".join(pieces)
            return Reply(status, json.loads(text) if text else None)
