"""The data of one container of an embedded engine, and of an exec in it, and their documents.

Only ``state``, ``lives`` and ``runtime`` change them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import trio

from swarmcore.testing.documents import containers as documents
from swarmcore.testing.documents.moments import NANO, timestamp
from swarmcore.testing.embedded.files import FileTree
from swarmcore.testing.embedded.output import ContainerLog, Pipes


@dataclass(slots=True, eq=False)
class Run:
    """One run of a container's process, from its start to its end.

    Attributes:
        scope: ends the program when cancelled.
        resumed: set while the process is not paused.
    """

    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    resumed: trio.Event = field(default_factory=trio.Event)


@dataclass(slots=True, eq=False)
class ContainerRecord:
    """A container.

    Attributes:
        id: 64 hex digits.
        name: the name without slash.
        image_id: ``sha256:...``.
        created: Unix nanoseconds.
        config, host_config: as in the inspect document, with all defaults.
        networks: network name -> its entry in ``NetworkSettings.Networks``.
        mounts: as in the inspect document.
        log: its output.
        state: created, running, paused or exited.
        started, finished: Unix nanoseconds; 0 for never.
        ports: as ``NetworkSettings.Ports``, while it runs.
        run: its current run, if it runs.
        pipes: its standard streams; made when first needed.
        files: its files; made when first needed.
        execs: the ids of its execs.
        stopped_by_hand: whether a request stopped it, so that its restart policy does not apply.
        ended: set at the end of the current run, or of the next run if it does not run.
        removed: set when it is removed.
    """

    id: str
    name: str
    image_id: str
    created: int
    config: dict[str, Any]
    host_config: dict[str, Any]
    networks: dict[str, dict[str, Any]]
    mounts: Sequence[Mapping[str, Any]]
    log: ContainerLog
    state: str = "created"
    exit_code: int = 0
    error: str = ""
    pid: int = 0
    started: int = 0
    finished: int = 0
    ports: dict[str, Any] = field(default_factory=dict)
    run: Run | None = None
    pipes: Pipes | None = None
    files: FileTree | None = None
    execs: list[str] = field(default_factory=list)
    stopped_by_hand: bool = False
    ended: trio.Event = field(default_factory=trio.Event)
    removed: trio.Event = field(default_factory=trio.Event)

    def __repr__(self) -> str:
        return f"<ContainerRecord {self.name} {self.state}>"

    @property
    def alive(self) -> bool:
        """Whether it has a process, paused or not."""
        return self.state in ("running", "paused")

    @property
    def tty(self) -> bool:
        """Whether its streams are a terminal, and so not framed."""
        return bool(self.config["Tty"])

    @property
    def argv(self) -> list[str]:
        """Its command line."""
        return documents.argv_of(self.config)

    @property
    def event_attributes(self) -> dict[str, str]:
        """The attributes of its events: its labels, its image and its name."""
        return {**self.config["Labels"], "image": self.config["Image"], "name": self.name}

    def need_pipes(self) -> Pipes:
        """Return the standard streams of the current run, or of the next run if it does not run."""
        if self.pipes is None:
            self.pipes = Pipes()
            if not self.config["OpenStdin"]:
                self.pipes.end_input()
        return self.pipes

    def need_files(self) -> FileTree:
        """Return its files."""
        if self.files is None:
            self.files = FileTree()
            self.files.write("/etc/hostname", f"{self.config['Hostname']}\n".encode())
        return self.files

    def state_document(self) -> dict[str, Any]:
        """Return ``State`` of the inspect document."""
        return documents.container_state(
            self.state,
            pid=self.pid,
            exit_code=self.exit_code,
            error=self.error,
            started=timestamp(self.started),
            finished=timestamp(self.finished),
        )

    def detail(self) -> dict[str, Any]:
        """Return the document of ``GET /containers/{id}/json``."""
        return documents.container_detail(
            id=self.id,
            name=self.name,
            created=timestamp(self.created),
            image_id=self.image_id,
            config=self.config,
            host_config=self.host_config,
            state=self.state_document(),
            settings=documents.network_settings(
                self.networks, self.ports, self.id if self.alive else ""
            ),
            mounts=self.mounts,
            exec_ids=self.execs,
        )

    def summary(self, now: int) -> dict[str, Any]:
        """Return its object in ``GET /containers/json``.

        Args:
            now: Unix nanoseconds.
        """
        detail = self.detail()
        status = documents.status_text(
            detail["State"], (now - self.started) / NANO, (now - self.finished) / NANO
        )
        return documents.container_summary(detail, created=self.created // NANO, status=status)


@dataclass(slots=True, eq=False)
class ExecRecord:
    """A command that runs in a container.

    Attributes:
        id: 64 hex digits.
        container: the container.
        body: the body of its create.
        running: whether it runs.
        exit_code: the exit code, if it has ended.
        pid: the process id, if it was started.
    """

    id: str
    container: ContainerRecord
    body: Mapping[str, Any]
    running: bool = False
    exit_code: int | None = None
    pid: int = 0
    pipes: Pipes = field(default_factory=Pipes)
    run: Run = field(default_factory=Run)

    @property
    def argv(self) -> list[str]:
        """Its command line."""
        return list(self.body["Cmd"])

    @property
    def tty(self) -> bool:
        """Whether its streams are a terminal."""
        return bool(self.body.get("Tty"))

    def detail(self) -> dict[str, Any]:
        """Return the document of ``GET /exec/{id}/json``."""
        return {
            "ID": self.id,
            "Running": self.running,
            "ExitCode": self.exit_code,
            "ProcessConfig": {
                "tty": self.tty,
                "entrypoint": self.argv[0],
                "arguments": self.argv[1:],
                "privileged": bool(self.body.get("Privileged")),
            },
            "OpenStdin": bool(self.body.get("AttachStdin")),
            "OpenStderr": bool(self.body.get("AttachStderr")),
            "OpenStdout": bool(self.body.get("AttachStdout")),
            "CanRemove": False,
            "ContainerID": self.container.id,
            "DetachKeys": "",
            "Pid": self.pid,
        }
