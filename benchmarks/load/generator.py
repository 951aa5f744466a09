"""The handle of the load generator's process."""

import json
import subprocess
from typing import Any, Self

from benchmarks.processes import end, start_module


class LoadFailed(Exception):
    """The server did not answer as expected; the text has the reason."""


class Generator:
    """A process that makes load, one command at a time."""

    def __init__(self) -> None:
        self._process = start_module("load.process")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        end(self._process)

    def run(self, kind: str, **parameters: Any) -> dict[str, Any]:
        """Make one load, and wait for its figures.

        Args:
            kind: a function of ``load.process``.
            parameters: its arguments.

        Returns:
            The figures, with ``load_cpu``, the CPU seconds of the generator itself.

        Raises:
            LoadFailed: the answers were not as expected.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            stdin.write(json.dumps({"kind": kind, **parameters}).encode() + b"\n")
            stdin.flush()
            line = stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            raise subprocess.SubprocessError("the load generator has ended")
        told: dict[str, Any] = json.loads(line)
        if "error" in told:
            raise LoadFailed(told["error"])
        return told
