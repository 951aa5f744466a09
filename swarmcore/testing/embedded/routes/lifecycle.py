"""Routes of a container's processes: start, stop, kill, pause, wait, resize, top."""

from swarmcore.errors import BadRequest
from swarmcore.http.messages import dump_json
from swarmcore.testing.documents.moments import NANO
from swarmcore.testing.embedded.call import Call
from swarmcore.testing.embedded.container import ContainerRecord
from swarmcore.testing.embedded.host import Host, routes
from swarmcore.testing.embedded.runtime import NotRunning

_TITLES = ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]


async def _start(engine: Host, call: Call) -> None:
    started = engine.runtime.start(_record(engine, call))
    await call.send_empty(204 if started else 304)


async def _stop(engine: Host, call: Call) -> None:
    stopped = engine.runtime.stop(_record(engine, call), call.query.get("signal"))
    await call.send_empty(204 if stopped else 304)


async def _restart(engine: Host, call: Call) -> None:
    engine.runtime.restart(_record(engine, call))
    await call.send_empty()


async def _kill(engine: Host, call: Call) -> None:
    engine.runtime.kill(_record(engine, call), call.query.get("signal") or "KILL")
    await call.send_empty()


async def _pause(engine: Host, call: Call) -> None:
    engine.runtime.pause(_record(engine, call))
    await call.send_empty()


async def _unpause(engine: Host, call: Call) -> None:
    engine.runtime.unpause(_record(engine, call))
    await call.send_empty()


async def _resize(engine: Host, call: Call) -> None:
    record = _record(engine, call)
    check_size(call)
    if not record.alive:
        raise NotRunning(record)
    height, width = call.query.get("h"), call.query.get("w")
    engine.state.tell(record, "resize", height=height, width=width)
    await call.send_empty(200)


def check_size(call: Call) -> None:
    """Check the height and width of a terminal.

    Raises:
        BadRequest: one of them is not a number; the text is Docker's.
    """
    for key, word in (("h", "height"), ("w", "width")):
        text = call.query.get(key)
        if not text.isdigit():
            raise BadRequest(f'invalid resize {word} "{text}": invalid syntax')


async def _wait(engine: Host, call: Call) -> None:
    record = _record(engine, call)
    condition = call.query.get("condition") or "not-running"
    match condition:
        case "not-running":
            ended = record.ended if record.alive else None
        case "next-exit":
            ended = record.ended
        case "removed":
            ended = record.removed
        case _:
            raise BadRequest(f'invalid condition: "{condition}"')
    # The head is sent at once, because ``docker run`` starts the container only after it.
    async with call.stream() as send:
        if ended is not None:
            await ended.wait()
        await send(dump_json({"StatusCode": record.exit_code}))


async def _top(engine: Host, call: Call) -> None:
    record = _record(engine, call)
    if not record.alive:
        raise NotRunning(record)
    begun = str(record.started // NANO)
    command = " ".join(record.argv)
    row = ["root", str(record.pid), "1", "0", begun, "?", "00:00:00", command]
    await call.send_json({"Processes": [row], "Titles": _TITLES})


def _record(engine: Host, call: Call) -> ContainerRecord:
    return engine.state.find_container(call.params["name"])


ROUTES = routes(
    {
        "POST /containers/{name}/start": _start,
        "POST /containers/{name}/stop": _stop,
        "POST /containers/{name}/restart": _restart,
        "POST /containers/{name}/kill": _kill,
        "POST /containers/{name}/pause": _pause,
        "POST /containers/{name}/unpause": _unpause,
        "POST /containers/{name}/resize": _resize,
        "POST /containers/{name}/wait": _wait,
        "GET /containers/{name}/top": _top,
    }
)
