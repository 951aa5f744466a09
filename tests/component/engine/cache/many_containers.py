"""Reads many containers as a manager does, and prints the bytes that each one keeps.

Run by ``test_memory``, in a process of its own, whose memory nothing else uses.
"""

import json
import sys
from pathlib import Path

import trio

from swarmcore.engine.cache.refresh import Refresher
from swarmcore.http.messages import Answer
from swarmcore.names import NameIndex
from swarmcore.node import Node
from swarmcore.testing.builders import a_container

_PAGE = 4096
#: The container from whose documents those of all are made.
_MADE = a_container(
    "web", labels={"team": "web", "tier": "front"}, ports=["8080:80"], memory=64 << 20
)


class Listener:
    """Keeps the index of names, as the cluster does."""

    def __init__(self) -> None:
        self.index = NameIndex()

    def container_put(self, container):
        self.index.put(container)


class Engine:
    """Answers the list and the inspections of *count* containers."""

    def __init__(self, number: int, count: int) -> None:
        self._ids = [f"{number:x}{place:x}".rjust(64, "a") for place in range(count)]
        self._summary = json.dumps(_MADE.summary)
        self._detail = json.dumps(_MADE.detail)

    def _render(self, document: str, id: str) -> str:
        """Make a document of one container: with its id, name and host port."""
        port = str(10000 + int(id[-4:].lstrip("a") or "0", 16))
        named = document.replace(_MADE.id, id).replace("/web", f"/web-{id[-12:]}")
        return named.replace("8080", port)

    async def ask(self, path: str) -> Answer:
        if path.startswith("/containers/json"):
            listed = ",".join(self._render(self._summary, id) for id in self._ids)
            return Answer(200, (), f"[{listed}]".encode())
        return Answer(200, (), self._render(self._detail, path.split("/")[2]).encode())

    async def ask_several(self, paths):
        return [await self.ask(path) for path in paths]


def resident() -> int:
    """Return the memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


async def main(engines: int, containers: int) -> None:
    listener, kept = Listener(), []

    async def read(number: int, count: int) -> None:
        node = Node(f"E{number}|10.0.0.1:2375", "10.0.0.1:2375")
        engine = Engine(number, count)
        refresher = Refresher(node, engine.ask, engine.ask_several, listener)
        await refresher.containers(full=True)
        kept.append(refresher)

    await read(0, containers)  # what the first containers need beside themselves is no part of it
    before = resident()
    for number in range(1, engines + 1):
        await read(number, containers)
    sys.stdout.write(f"{(resident() - before) // (engines * containers)}\n")


if __name__ == "__main__":
    trio.run(main, int(sys.argv[1]), int(sys.argv[2]))
