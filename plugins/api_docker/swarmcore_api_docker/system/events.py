"""``GET /events``: past events, asked from every engine, then new events of the cluster.

The subscription to new events begins before engines are asked for past ones, so that no event is
lost in between.  An event that is in both is sent once.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import trio

from swarmcore import clock
from swarmcore.errors import BadRequest
from swarmcore.events import identity_of, read_event
from swarmcore.go_formats import parse_unix_seconds
from swarmcore.http.messages import JSON_HEADERS
from swarmcore.list_filters import parse_filters
from swarmcore.model import Event
from swarmcore.protocols import ClusterView, Engine, EventStream, Exchange, Route, Sender
from swarmcore_api_docker.fanout.gather import ask_all
from swarmcore_api_docker.route_notes import ALL
from swarmcore_api_docker.system.event_filters import compile_event_filters

_Key = tuple[str, int, str, str, str]


@dataclass(frozen=True, slots=True)
class _Request:
    """The parameters of the request; times are Unix seconds, ``None`` if not given."""

    since: float | None
    until: float | None
    admits: Callable[[Mapping[str, Any]], bool]
    classic: bool


def routes(*, classic: bool = False) -> list[Route]:
    """Return the route of the events.

    Args:
        classic: ``from`` also names the node, as in Swarm classic.
    """
    rewrites = "filter node; Actor's node.*, node"

    async def follow(exchange: Exchange) -> None:
        await follow_events(exchange, classic=classic)

    return [Route("GET", "/events", follow, routed=ALL, rewrites=rewrites)]


async def follow_events(exchange: Exchange, *, classic: bool = False) -> None:
    """``GET /events``."""
    now = clock.unix_seconds()
    asked = _read(exchange, classic=classic)
    async with exchange.cluster.follow_events() as bus, exchange.stream(200, JSON_HEADERS) as send:
        sent: set[_Key] = set()
        if asked.since is not None or asked.until is not None:
            sent = await _replay(exchange.cluster, asked, now, send)
        if asked.until is None or asked.until > now:
            with trio.move_on_after(_seconds_until(asked.until)):
                await _follow(bus, asked, sent, send)


def _read(exchange: Exchange, *, classic: bool) -> _Request:
    request = exchange.request
    since = parse_unix_seconds(request.query.get("since"))
    until = parse_unix_seconds(request.query.get("until"))
    if since is not None and until is not None and until < since:
        query = request.query
        raise BadRequest(
            f"`since` time ({query.get('since')}) cannot be after"
            f" `until` time ({query.get('until')})"
        )
    return _Request(
        since=since,
        until=until,
        admits=compile_event_filters(parse_filters(request.query.get("filters"))),
        classic=classic,
    )


def _seconds_until(moment: float | None) -> float:
    """Return the seconds left until *moment*; 0 if it passed while engines were asked."""
    return float("inf") if moment is None else max(0.0, moment - clock.unix_seconds())


def _end_of_past(asked: _Request, now: float) -> float:
    """Return the end of the past events, in Unix seconds.

    Engines ignore an ``until`` of 1970 or earlier.
    """
    return now if asked.until is None or asked.until <= 0 else min(now, asked.until)


async def _replay(cluster: ClusterView, asked: _Request, now: float, send: Sender) -> set[_Key]:
    """Send the past events; return the keys of all events that engines answered."""
    end = _end_of_past(asked, now)
    is_now = end == now

    async def ask(engine: Engine) -> list[Event]:
        # The present of an engine's events is that of its own clock.
        last = end - engine.node.skew_seconds if is_now else end
        path = f"/events?since={max(0, asked.since or 0):.9f}&until={last:.9f}"
        answer = await engine.call("GET", path)
        read = (read_event(line, engine.node) for line in answer.body.splitlines())
        return [event for event in read if event is not None] if answer.ok else []

    engines = [engine for engine in cluster.engines() if engine.node.health]
    replies = await ask_all(engines, ask)
    past = [event for _, events in replies.answers for event in events]
    past.sort(key=lambda event: event.time_nano)
    for event in past:
        if asked.admits(event.raw):
            await send(write_event(event.raw, classic=asked.classic))
    return {_key(event) for event in past}


async def _follow(bus: EventStream, asked: _Request, sent: set[_Key], send: Sender) -> None:
    def is_due(event: Event) -> bool:
        return asked.admits(event.raw) and not (sent and _key(event) in sent)

    # A task that wakes to send costs more than the send: most events go out as they are published.
    bus.deliver_to(lambda event: not is_due(event) or send.now(_line(event, asked.classic)))
    async for event in bus:
        if is_due(event):
            await send(_line(event, asked.classic))


@lru_cache(maxsize=64)
def _line(event: Event, classic: bool) -> bytes:
    """The event as it is sent; written once for all clients."""
    return write_event(event.raw, classic=classic)


def _key(event: Event) -> _Key:
    """Return the identity of an event, by which an event that comes twice is recognised."""
    return event.node_id, *identity_of(event)


def write_event(event: Mapping[str, Any], *, classic: bool = False) -> bytes:
    """Encode one event as a line of JSON.

    Args:
        event: the event from the core, with the fields of Swarm classic and of old API versions.
        classic: ``from`` also names the node, as in Swarm classic.
    """
    shown = event
    if classic:
        named = f"{event.get('from', '')} node:{event['node']['Name']}".lstrip()
        shown = {**event, "from": named}
    return json.dumps(shown, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
