"""Routes of a container's files: archive, export and changes."""

from swarmcore.errors import BadRequest, NotFound
from swarmcore.http.messages import Answer
from swarmcore.testing.embedded.call import Call
from swarmcore.testing.embedded.container import ContainerRecord
from swarmcore.testing.embedded.host import Host, routes

_TAR = b"application/x-tar"
_PIECE = 64 * 1024


def _asked(engine: Host, call: Call) -> tuple[ContainerRecord, str]:
    record = engine.state.find_container(call.params["name"])
    path = call.query.get("path")
    if not path:
        raise BadRequest("bad parameter: pathcannot be empty")
    return record, path


def _missing(path: str, call: Call) -> NotFound:
    return NotFound(f"Could not find the file {path} in container {call.params['name']}")


async def _stat(engine: Host, call: Call) -> None:
    record, path = _asked(engine, call)
    try:
        stat = record.need_files().stat(path)
    except FileNotFoundError:
        raise _missing(path, call) from None
    await call.send(Answer(200, ((b"X-Docker-Container-Path-Stat", stat.encode()),)))


async def _get(engine: Host, call: Call) -> None:
    record, path = _asked(engine, call)
    try:
        stat = record.need_files().stat(path)
        archive = record.need_files().archive(path)
    except FileNotFoundError:
        raise _missing(path, call) from None
    engine.state.tell(record, "archive-path")
    await _send_tar(call, archive, stat)


async def _put(engine: Host, call: Call) -> None:
    record, path = _asked(engine, call)
    try:
        record.need_files().stat(path)
        record.need_files().extract(path, await call.read_body())
    except FileNotFoundError:
        raise _missing(path, call) from None
    engine.state.tell(record, "extract-to-dir")
    await call.send_empty(200)


async def _export(engine: Host, call: Call) -> None:
    record = engine.state.find_container(call.params["name"])
    engine.state.tell(record, "export")
    await _send_tar(call, record.need_files().export(), "")


async def _changes(engine: Host, call: Call) -> None:
    record = engine.state.find_container(call.params["name"])
    await call.send_json(record.files.changes if record.files else None)


async def _send_tar(call: Call, archive: bytes, stat: str) -> None:
    told = ((b"X-Docker-Container-Path-Stat", stat.encode()),) if stat else ()
    async with call.stream(((b"Content-Type", _TAR), *told)) as send:
        for start in range(0, len(archive), _PIECE):
            await send(archive[start : start + _PIECE])


ROUTES = routes(
    {
        "HEAD /containers/{name}/archive": _stat,
        "GET /containers/{name}/archive": _get,
        "PUT /containers/{name}/archive": _put,
        "GET /containers/{name}/export": _export,
        "GET /containers/{name}/changes": _changes,
    }
)
