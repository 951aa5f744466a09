"""Asks an engine for its identity: its address, the API versions it supports, its resources.

``specs`` interprets the answers.
"""

from collections.abc import Awaitable, Callable

import trio

from swarmcore import clock
from swarmcore.addresses import Address
from swarmcore.engine.specs import Specs, read_api_range, read_specs
from swarmcore.errors import EngineRefused, EngineUnreachable
from swarmcore.http.messages import Answer
from swarmcore.json_values import reading_answer
from swarmcore.model import Entry
from swarmcore.versions import CEILING, clamp

_RESOLVE_SECONDS = 10.0


async def ask_specs(entry: Entry, ask: Callable[[str], Awaitable[Answer]]) -> Specs:
    """Read identity, versions, resources and labels.

    Args:
        entry: the engine's address, and discovery's labels.
        ask: sends GET to a target with version prefix; returns the answer, whatever its status.

    Raises:
        EngineError: no answer, or not an engine that this manager can use.
    """
    address = str(entry.address)
    version = await _read(address, "/version", ask)
    newest, oldest = read_api_range(version, address)
    target = f"/v{clamp(CEILING, oldest, newest)}/info"
    info = await _read(address, target, ask)
    with reading_answer(address, f"GET {target}"):
        return read_specs(version, info, address, clock.unix_seconds(), entry.labels)


async def _read(address: str, target: str, ask: Callable[[str], Awaitable[Answer]]) -> object:
    answer = await ask(target)
    if not answer.ok:
        why = answer.message or f"status {answer.status}"
        raise EngineRefused(address, answer.status, f"GET {target}: {why}")
    with reading_answer(address, f"GET {target}"):
        read: object = answer.json()
    return read


async def resolve(address: Address) -> str:
    """The first IP address of an engine's host; empty for a unix socket.

    Raises:
        EngineUnreachable: the host name cannot be resolved.
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
