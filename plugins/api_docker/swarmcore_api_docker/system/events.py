"""``GET /events``: what already happened, asked of every engine, then what happens, from the bus.

The subscription is opened before the past is asked for, so nothing falls between; what both show is
told once.
"""

import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import trio

from swarmcore.errors import BadRequest
from swarmcore.events import identity_of, read_event
from swarmcore.filters import parse_filters
from swarmcore.model import Event
from swarmcore.protocols import ClusterView, Engine, EventStream, Exchange, Route
from swarmcore_api_docker.compat.go import parse_unix_seconds
from swarmcore_api_docker.fanout.gather import ask_all
from swarmcore_api_docker.route_notes import ALL
from swarmcore_api_docker.system.event_filters import compile_event_filters

_JSON = ((b"Content-Type", b"application/json"),)
_Send = Callable[[bytes], Awaitable[None]]
_Key = tuple[str, int, str, str, str]


@dataclass(frozen=True, slots=True)
class _Wanted:
    since: float | None
    until: float | None
    admits: Callable[[Mapping[str, Any]], bool]
    classic: bool


def routes(*, classic: bool = False) -> list[Route]:
    """The one path.

    Args:
        classic: ``from`` names the node too, as Swarm classic had it.
    """
    rewrites = "filter node; Actor's node.*, node"

    async def follow(exchange: Exchange) -> None:
        await follow_events(exchange, classic=classic)

    return [Route("GET", "/events", follow, routed=ALL, rewrites=rewrites)]


async def follow_events(exchange: Exchange, *, classic: bool = False) -> None:
    """``GET /events``."""
    now = time.time()
    wanted = _read(exchange, classic=classic)
    async with exchange.cluster.follow_events() as bus, exchange.stream(200, _JSON) as send:
        told: set[_Key] = set()
        if wanted.since is not None or wanted.until is not None:
            told = await _replay(exchange.cluster, wanted, _end_of_past(wanted, now), send)
        if wanted.until is None or wanted.until > now:
            with trio.move_on_after(_seconds_until(wanted.until)):
                await _follow(bus, wanted, told, send)


def _read(exchange: Exchange, *, classic: bool) -> _Wanted:
    request = exchange.request
    since = parse_unix_seconds(request.query.get("since"))
    until = parse_unix_seconds(request.query.get("until"))
    if since is not None and until is not None and until < since:
        told = request.query
        raise BadRequest(
            f"`since` time ({told.get('since')}) cannot be after `until` time ({told.get('until')})"
        )
    return _Wanted(
        since=since,
        until=until,
        admits=compile_event_filters(parse_filters(request.query.get("filters"))),
        classic=classic,
    )


def _seconds_until(moment: float | None) -> float:
    """What is left; the moment may have passed while the engines told of the past."""
    return float("inf") if moment is None else max(0.0, moment - time.time())


def _end_of_past(wanted: _Wanted, now: float) -> float:
    """Up to when events are replayed; an *until* of 1970 or before is no bound to an engine."""
    return now if wanted.until is None or wanted.until <= 0 else min(now, wanted.until)


async def _replay(cluster: ClusterView, wanted: _Wanted, end: float, send: _Send) -> set[_Key]:
    """Send what the engines remember up to *end*; returns the keys of all of it."""

    async def ask(engine: Engine) -> list[Event]:
        path = f"/events?since={max(0, wanted.since or 0):.9f}&until={end:.9f}"
        answer = await engine.call("GET", path)
        read = (read_event(line, engine.node) for line in answer.body.splitlines())
        return [event for event in read if event is not None] if answer.ok else []

    engines = [engine for engine in cluster.engines() if engine.node.health]
    replies = await ask_all(engines, ask)
    past = [event for _, events in replies.answers for event in events]
    past.sort(key=lambda event: event.time_nano)
    for event in past:
        await _tell(event, wanted, send)
    return {_key(event) for event in past}


async def _follow(bus: EventStream, wanted: _Wanted, told: set[_Key], send: _Send) -> None:
    async for event in bus:
        if not told or _key(event) not in told:
            await _tell(event, wanted, send)


async def _tell(event: Event, wanted: _Wanted, send: _Send) -> None:
    if wanted.admits(event.raw):
        await send(write_event(event.raw, classic=wanted.classic))


def _key(event: Event) -> _Key:
    """What makes two reports one event."""
    return event.node_id, *identity_of(event)


def write_event(event: Mapping[str, Any], *, classic: bool = False) -> bytes:
    """One event as a line of JSON.

    Args:
        event: as the core hands it: classic's additions in place, old fields filled in.
        classic: ``from`` names the node too, as Swarm classic had it.
    """
    shown = event
    if classic:
        named = f"{event.get('from', '')} node:{event['node']['Name']}".lstrip()
        shown = {**event, "from": named}
    return json.dumps(shown, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
