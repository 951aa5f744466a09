"""Asking an engine who it is: where its host is, which API it speaks, what it has.

Asks, in the order in which each answer makes the next question possible; ``specs`` reads.
"""

import time
from collections.abc import Awaitable, Callable

import trio

from swarmcore.addresses import Address
from swarmcore.engine.specs import Specs, read_api_range, read_specs
from swarmcore.errors import EngineError, EngineRefused, EngineUnreachable
from swarmcore.http.messages import Answer
from swarmcore.model import Entry
from swarmcore.versions import CEILING, clamp

_RESOLVE_SECONDS = 10.0


async def ask_specs(entry: Entry, ask: Callable[[str], Awaitable[Answer]]) -> Specs:
    """Read identity, versions, resources and labels.

    Args:
        entry: where the engine is, with discovery's labels.
        ask: target, version prefix included -> the engine's answer to GET, whatever its status.

    Raises:
        EngineError: no answer, or what answers is no engine that this manager can use.
    """
    address = str(entry.address)
    version = await _read(address, "/version", ask)
    newest, oldest = read_api_range(version, address)
    info = await _read(address, f"/v{clamp(CEILING, oldest, newest)}/info", ask)
    return read_specs(version, info, address, time.time(), entry.labels)


async def _read(address: str, target: str, ask: Callable[[str], Awaitable[Answer]]) -> object:
    answer = await ask(target)
    if not answer.ok:
        why = answer.message or f"status {answer.status}"
        raise EngineRefused(address, answer.status, f"GET {target}: {why}")
    try:
        read: object = answer.json()
    except ValueError:
        raise EngineError(address, f"{address} does not answer like a Docker Engine") from None
    return read


async def resolve(address: Address) -> str:
    """The first IP address of an engine's host; empty for a socket on this machine.

    Raises:
        EngineUnreachable: the name means nothing.
    """
    if address.scheme == "unix":
        return ""
    try:
        with trio.fail_after(_RESOLVE_SECONDS):
            found = await trio.socket.getaddrinfo(
                address.host, address.port, type=trio.socket.SOCK_STREAM
            )
    except (OSError, UnicodeError, trio.TooSlowError) as error:
        raise EngineUnreachable(
            str(address), f"cannot resolve the host of engine {address}: {error!r}"
        ) from None
    return str(found[0][4][0])
