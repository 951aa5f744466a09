"""Routes of execs: create, start, inspect, resize."""

from swarmcore.errors import BadRequest, Conflict
from swarmcore.http.messages import Headers
from swarmcore.testing.embedded.call import Call
from swarmcore.testing.embedded.container import ExecRecord
from swarmcore.testing.embedded.host import Host, routes
from swarmcore.testing.embedded.output import STDERR, STDOUT, frame
from swarmcore.testing.embedded.routes.lifecycle import check_size
from swarmcore.testing.embedded.routes.streams import carry
from swarmcore.testing.embedded.runtime import NotRunning
from swarmcore.testing.embedded.structs import read_struct

#: The fields of the two bodies that are checked, and their types.
_OPTIONS = {
    "AttachStderr": "bool",
    "AttachStdin": "bool",
    "AttachStdout": "bool",
    "Cmd": "[]string",
    "DetachKeys": "string",
    "Env": "[]string",
    "Privileged": "bool",
    "Tty": "bool",
    "User": "string",
    "WorkingDir": "string",
}
_START_OPTIONS = {"Detach": "bool", "Tty": "bool"}


async def _create(engine: Host, call: Call) -> None:
    body = read_struct(await call.read_json(), "ExecOptions", _OPTIONS)
    if not body.get("Cmd"):
        raise BadRequest("No exec command specified")
    record = engine.state.find_container(call.params["name"])
    if record.state == "paused":
        raise Conflict(f"container {record.name} is paused, unpause the container before exec")
    if not record.alive:
        raise NotRunning(record)
    exec_record = ExecRecord(engine.state.new_id(), record, body)
    engine.state.execs[exec_record.id] = exec_record
    record.execs.append(exec_record.id)
    command = " ".join(exec_record.argv)
    engine.state.tell(record, f"exec_create: {command}", execID=exec_record.id)
    await call.send_json({"Id": exec_record.id}, 201)


async def _start(engine: Host, call: Call) -> None:
    body = read_struct(await call.read_json(), "ExecStartOptions", _START_OPTIONS)
    record = engine.state.find_exec(call.params["id"])
    tty = bool(body.get("Tty"))  # of the stream; the create says whether the process has a terminal
    if body.get("Detach"):
        engine.runtime.begin_exec(record)
        await call.send_empty(200)
        return
    if not record.container.alive:
        raise NotRunning(record.container)
    asked = {STDOUT: "AttachStdout", STDERR: "AttachStderr"}
    streams = {stream for stream, key in asked.items() if record.body.get(key)}
    with record.pipes.watch() as output:
        stream = await call.hijack(multiplexed=not tty, headers=_headers(engine))
        try:
            engine.runtime.begin_exec(record)
        except Conflict as error:
            await stream.send_all(frame(STDOUT, f"{error}\r\n".encode()))
            await stream.send_eof()
            return
        reads = bool(record.body.get("AttachStdin"))
        pipes = record.pipes if reads else None
        await carry(stream, pipes, output, streams, tty=tty, end_input=True)


def _headers(engine: Host) -> Headers:
    """Return headers for the hijacked answer of an exec; that of an attach does not have them."""
    return (
        (b"Api-Version", str(engine.api_version).encode()),
        (b"Docker-Experimental", b"false"),
        (b"Ostype", b"linux"),
        (b"Server", f"Docker/{engine.version} (linux)".encode()),
    )


async def _inspect(engine: Host, call: Call) -> None:
    await call.send_json(engine.state.find_exec(call.params["id"]).detail())


async def _resize(engine: Host, call: Call) -> None:
    engine.state.find_exec(call.params["id"])
    check_size(call)
    await call.send_empty(200)


ROUTES = routes(
    {
        "POST /containers/{name}/exec": _create,
        "POST /exec/{id}/start": _start,
        "GET /exec/{id}/json": _inspect,
        "POST /exec/{id}/resize": _resize,
    }
)
