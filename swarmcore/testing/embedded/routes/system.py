"""Routes of the engine itself: ping, version, info, events, disk usage."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import trio

from swarmcore.errors import BadRequest, SwarmError, Unavailable
from swarmcore.http.messages import Answer
from swarmcore.list_filters import parse_filters
from swarmcore.testing.documents.moments import NANO
from swarmcore.testing.documents.system import info_document, version_document
from swarmcore.testing.embedded.call import Call
from swarmcore.testing.embedded.host import Host, routes
from swarmcore.testing.embedded.listing import event_passes

_NUMBER = re.compile(r"([0-9]+)(?:\.([0-9]{1,9}))?")


async def _ping(engine: Host, call: Call) -> None:
    headers = (
        (b"Builder-Version", b"2"),
        (b"Cache-Control", b"no-cache, no-store, must-revalidate"),
        (b"Pragma", b"no-cache"),
        (b"Swarm", b"inactive"),
        (b"Content-Type", b"text/plain; charset=utf-8"),
    )
    body = b"" if call.request.method == "HEAD" else b"OK"
    await call.send(Answer(200, headers, body))


async def _version(engine: Host, call: Call) -> None:
    await call.send_json(
        version_document(engine.version, str(engine.min_api_version), str(engine.api_version))
    )


async def _info(engine: Host, call: Call) -> None:
    state = engine.state
    counts = dict.fromkeys(("running", "paused", "stopped"), 0)
    for record in state.containers.values():
        counts[record.state if record.alive else "stopped"] += 1
    info = info_document(
        id=state.id,
        name=engine.name,
        cpus=engine.cpus,
        memory=engine.memory,
        labels=engine.labels,
        version=engine.version,
        moment=state.moment(),
        counts=counts,
        images=len(state.images),
        listeners=state.events.followers,
    )
    await call.send_json(info)


async def _events(engine: Host, call: Call) -> None:
    log, filters = engine.state.events, parse_filters(call.query.get("filters"))
    now = engine.state.clock()
    since, until = _moment(call, "since", now), _moment(call, "until", now)
    if since is not None and until is not None and since > until:
        raise BadRequest(
            f"`since` time ({call.query.get('since')}) cannot be after `until` time "
            f"({call.query.get('until')})"
        )
    with log.follow() as live:
        old = _past(log.remembered, since, until)
        async with call.stream_json() as send:
            for event in old:
                if event_passes(event, filters):
                    await send(_worded(event, call))
            left = (until - engine.state.clock()) / NANO if until is not None else float("inf")
            with trio.move_on_after(max(0, left)):
                async for event in live:
                    if event_passes(event, filters):
                        await send(_worded(event, call))


def _past(
    remembered: Iterable[Mapping[str, Any]], since: int | None, until: int | None
) -> list[Mapping[str, Any]]:
    """Return the past events for a request.

    Without ``since`` and ``until`` there are none.  An ``until`` of 0 (1970) is ignored.
    """
    if since is None and until is None:
        return []
    return [
        event
        for event in remembered
        if event["timeNano"] >= (since or 0) and (not until or event["timeNano"] <= until)
    ]


def _worded(event: Mapping[str, Any], call: Call) -> Mapping[str, Any]:
    """Return an event for the client's API version; from 1.52 on, repeated fields are removed."""
    if call.version < (1, 52):
        return event
    return {key: value for key, value in event.items() if key not in ("status", "id", "from")}


def _moment(call: Call, key: str, now: int) -> int | None:
    """Parse a query parameter in seconds, with a fraction, to Unix nanoseconds."""
    text = call.query.get(key)
    if not text:
        return None
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise SwarmError(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(found[1]) * NANO + int((found[2] or "0").ljust(9, "0"))


async def _disk_usage(engine: Host, call: Call) -> None:
    state = engine.state
    images = [each.summary(len(state.users_of_image(each.id))) for each in state.images]
    volumes = [
        {**each, "UsageData": {"RefCount": len(state.users_of_volume(each["Name"])), "Size": 0}}
        for each in state.volumes.all()
    ]
    usage = {
        "LayersSize": sum(each["Size"] for each in images),
        "Images": images,
        "Containers": [each.summary(state.clock()) for each in state.newest_first()],
        "Volumes": volumes,
        "BuildCache": [],
    }
    await call.send_json(usage)


async def _swarm(engine: Host, call: Call) -> None:
    raise Unavailable(
        'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to '
        "connect this node to swarm and try again."
    )


ROUTES = routes(
    {
        "GET /_ping": _ping,
        "HEAD /_ping": _ping,
        "GET /version": _version,
        "GET /info": _info,
        "GET /events": _events,
        "GET /system/df": _disk_usage,
        "GET /swarm": _swarm,
        "GET /nodes": _swarm,
        "GET /services": _swarm,
    }
)
