"""Runs embedded containers: start, stop, kill, pause, exec.

A container whose program is built in has a task.  Every other container has no task, and runs until
it is stopped.
"""

import logging
import signal
from collections.abc import Awaitable, Callable, Sequence

import trio

from swarmcore.errors import BadRequest, Conflict, SwarmError
from swarmcore.testing.embedded import shell  # noqa: F401  (it adds itself to the programs)
from swarmcore.testing.embedded.container import ContainerRecord, ExecRecord, Run
from swarmcore.testing.embedded.lives import begin, end
from swarmcore.testing.embedded.output import STDOUT
from swarmcore.testing.embedded.programs import NOT_FOUND, Process, Program, find_program
from swarmcore.testing.embedded.state import EngineState

_log = logging.getLogger(__name__)

#: Signals that end a program at once.  A real program may handle TERM; these do not.
_FATAL = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP})
#: The exit code of a process that a signal ended is this plus the signal's number.
_SIGNALLED = 128
#: The delay before a restart.  Docker doubles it with each restart; here it is constant.
_RESTART_SECONDS = 0.1


class NotRunning(Conflict):
    """Docker's error 409 for a container that does not run."""

    def __init__(self, record: ContainerRecord, prefix: str = "") -> None:
        super().__init__(f"{prefix}container {record.id} is not running")


class Runtime:
    """The processes of one engine, while it serves.

    Args:
        state: the engine's state.
        nursery: the engine's nursery, which owns the tasks of the processes.
    """

    def __init__(self, state: EngineState, nursery: trio.Nursery) -> None:
        self._state = state
        self._nursery = nursery
        self._next_pid = 1000

    # ---- containers

    def start(self, record: ContainerRecord) -> bool:
        """Start a container; return ``False`` if it runs already.

        Raises:
            Conflict: it is paused.
            SwarmError: a port is taken.
        """
        if record.state == "paused":
            raise Conflict("cannot start a paused container, try unpause instead")
        if record.alive:
            return False
        program = find_program(record.argv)
        begin(self._state, record, self._new_pid())
        if program is not None:
            assert record.run is not None
            record.need_pipes()
            self._nursery.start_soon(self._run, record, record.run, program)
        return True

    def kill(self, record: ContainerRecord, text: str = "KILL") -> None:
        """Send a signal, given by name or number.

        Raises:
            BadRequest: there is no such signal.
            NotRunning: the container does not run.
        """
        number = parse_signal(text, f"cannot kill container: {record.name}: ")
        if not record.alive:
            raise NotRunning(record, f"cannot kill container: {record.name}: ")
        self._state.tell(record, "kill", signal=str(int(number)))
        if number in _FATAL:
            record.stopped_by_hand = True
            self.finish(record, _SIGNALLED + number)

    def stop(self, record: ContainerRecord, text: str = "") -> bool:
        """Stop a container; return ``False`` if it does not run."""
        if not record.alive:
            return False
        self.kill(record, text or record.config.get("StopSignal") or "TERM")
        if record.alive:
            self.kill(record, "KILL")
        self._state.tell(record, "stop")
        return True

    def restart(self, record: ContainerRecord) -> None:
        """Stop a container if it runs, then start it."""
        self.stop(record)
        self.start(record)
        self._state.tell(record, "restart")

    def pause(self, record: ContainerRecord) -> None:
        """Pause a container.

        Raises:
            Conflict: it is paused already, or does not run.
        """
        if record.state == "paused":
            raise Conflict(f"Container {record.id} is already paused")
        if record.run is None:
            raise NotRunning(record)
        record.state = "paused"
        record.run.resumed = trio.Event()
        self._state.tell(record, "pause")

    def unpause(self, record: ContainerRecord) -> None:
        """Let a paused container continue.

        Raises:
            SwarmError: it is not paused.
        """
        if record.state != "paused" or record.run is None:
            raise SwarmError(f"Container {record.id} is not paused")
        record.state = "running"
        record.run.resumed.set()
        self._state.tell(record, "unpause")

    def remove(self, record: ContainerRecord, *, force: bool, volumes: bool = False) -> None:
        """Remove a container.

        Raises:
            Conflict: it runs, and *force* is not set.
        """
        if record.alive:
            if not force:
                state = "container is paused and must be unpaused first"
                if record.state == "running":
                    state = "container is running: stop the container before removing or force"
                raise Conflict(f'cannot remove container "{record.name}": {state} remove')
            self.kill(record)
        if record.id in self._state.containers:  # AutoRemove may have removed it already
            self._state.remove_container(record, volumes=volumes)

    def finish(self, record: ContainerRecord, code: int) -> None:
        """Handle the end of a container's first process."""
        end(self._state, record, code)
        for id in record.execs:
            self._state.execs[id].run.scope.cancel()
        if record.host_config["AutoRemove"]:
            self._state.remove_container(record, volumes=True)
        elif not record.stopped_by_hand and _comes_back(record, code):
            self._nursery.start_soon(self._come_back, record)

    def resume_all(self) -> None:
        """Start the containers that a restarted daemon starts, by their restart policies."""
        for record in list(self._state.containers.values()):
            policy = record.host_config["RestartPolicy"]["Name"]
            wanted = policy == "unless-stopped" and not record.stopped_by_hand
            if not record.alive and record.started and (wanted or policy == "always"):
                self._start_unasked(record)

    def die_all(self) -> None:
        """Kill every container, because the daemon ends."""
        for record in list(self._state.containers.values()):
            if record.alive:
                end(self._state, record, _SIGNALLED + signal.SIGKILL)

    async def _run(self, record: ContainerRecord, run: Run, program: Program) -> None:
        pipes = record.need_pipes()

        async def read() -> bytes:
            data = await pipes.read()
            await run.resumed.wait()
            return data

        async def write(stream: int, data: bytes) -> None:
            await run.resumed.wait()
            stream = STDOUT if record.tty else stream
            shown = data.replace(b"\n", b"\r\n") if record.tty else data
            record.log.write(stream, shown)
            await pipes.write(stream, shown)

        process = self._process(record, record.argv, read, write, record.tty)
        with run.scope:
            code = await program(process)
            await run.resumed.wait()
            if record.run is run:
                self.finish(record, code)

    async def _come_back(self, record: ContainerRecord) -> None:
        await trio.sleep(_RESTART_SECONDS)
        if record.id in self._state.containers and not record.stopped_by_hand:
            self._start_unasked(record)

    def _start_unasked(self, record: ContainerRecord) -> None:
        """Start a container by its restart policy; it stays stopped if, say, a port is taken."""
        try:
            self.start(record)
        except SwarmError as error:
            _log.info("container %s is not started again: %s", record.name, error)

    # ---- execs

    def begin_exec(self, record: ExecRecord) -> None:
        """Start an exec.

        Raises:
            Conflict: it was started before.  A real engine sends this text in the stream.
        """
        if record.pid:
            raise Conflict(f"exec command {record.id} has already run")
        record.running, record.pid = True, self._new_pid()
        self._state.tell(record.container, f"exec_start: {' '.join(record.argv)}", execID=record.id)
        if not record.body.get("AttachStdin"):
            record.pipes.end_input()
        self._nursery.start_soon(self._run_exec, record)

    async def _run_exec(self, record: ExecRecord) -> None:
        pipes = record.pipes

        async def write(stream: int, data: bytes) -> None:
            shown = data.replace(b"\n", b"\r\n") if record.tty else data
            await pipes.write(STDOUT if record.tty else stream, shown)

        process = self._process(record.container, record.argv, pipes.read, write, record.tty)
        code = _SIGNALLED + signal.SIGKILL
        with record.run.scope:
            code = await (find_program(record.argv) or _missing)(process)
        record.running, record.exit_code = False, code
        pipes.close()
        if record.container.id in self._state.containers:
            self._state.tell(record.container, "exec_die", execID=record.id, exitCode=str(code))

    def _process(
        self,
        record: ContainerRecord,
        argv: Sequence[str],
        read: Callable[[], Awaitable[bytes]],
        write: Callable[[int, bytes], Awaitable[None]],
        tty: bool,
    ) -> Process:
        pairs = (item.partition("=") for item in record.config["Env"])
        return Process(
            argv=argv,
            environment={key: value for key, _, value in pairs},
            hostname=record.config["Hostname"],
            read=read,
            write=write,
            files=record.need_files(),
            tty=tty,
        )

    def _new_pid(self) -> int:
        self._next_pid += 1
        return self._next_pid


async def _missing(process: Process) -> int:
    await process.say(
        "OCI runtime exec failed: exec failed: unable to start container process: exec: "
        f'"{process.argv[0]}": executable file not found in $PATH: unknown'
    )
    return NOT_FOUND


def parse_signal(text: str, prefix: str = "") -> signal.Signals:
    """Parse ``KILL``, ``SIGKILL`` or ``9``.

    Raises:
        BadRequest: there is no such signal; the text is Docker's.
    """
    try:
        if text.isdigit():
            return signal.Signals(int(text))
        return signal.Signals[f"SIG{text.upper().removeprefix('SIG')}"]
    except (ValueError, KeyError):
        raise BadRequest(f"{prefix}invalid signal: {text}") from None


def _comes_back(record: ContainerRecord, code: int) -> bool:
    policy = record.host_config["RestartPolicy"]["Name"]
    return policy in ("always", "unless-stopped") or (policy == "on-failure" and code != 0)
