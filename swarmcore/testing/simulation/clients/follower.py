"""A client that follows the events of a manager: none may come twice."""

import json
from collections import Counter

import h11
import trio

from swarmcore.testing.simulation.hosts.managers import SimulatedManager
from swarmcore.testing.simulation.hosts.network import Host, current_host
from swarmcore.testing.simulation.world import World

_PAUSE_SECONDS = 1.0


async def follow_events(world: World, host: Host, manager: SimulatedManager) -> None:
    """Follow events until cancelled; subscribe again when a stream ends."""
    current_host.set(host)
    while True:
        try:
            stream = await host.connect(*manager.address)
        except OSError:
            await trio.sleep(_PAUSE_SECONDS)
            continue
        try:
            await _read(world, stream)
        except (trio.BrokenResourceError, h11.RemoteProtocolError):
            await trio.sleep(_PAUSE_SECONDS)
        finally:
            await trio.aclose_forcefully(stream)


async def _read(world: World, stream: trio.abc.HalfCloseableStream) -> None:
    seen: Counter[bytes] = Counter()
    connection = h11.Connection(h11.CLIENT)
    head = h11.Request(method="GET", target="/events", headers=[("Host", "docker")])
    await stream.send_all(
        (connection.send(head) or b"") + (connection.send(h11.EndOfMessage()) or b"")
    )
    rest = b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(bytes(await stream.receive_some()))
        elif isinstance(event, h11.Data):
            *lines, rest = (rest + bytes(event.data)).split(b"\n")
            for line in filter(None, lines):
                _count(world, seen, line)
        elif isinstance(event, h11.EndOfMessage) or getattr(event, "status_code", 200) != 200:
            return


def _count(world: World, seen: Counter[bytes], line: bytes) -> None:
    seen[line] += 1
    if seen[line] > 1:
        event = json.loads(line)
        name = event["Actor"]["ID"][:12] or event["Actor"]["Attributes"]
        world.history.violated("events", f"the event {event['Action']} of {name} came twice")
