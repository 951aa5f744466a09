"""Reads containers from their documents, and keeps the documents compressed."""

import logging
from functools import partial

from swarmcore.engine.cache.answers import read_answer
from swarmcore.engine.cache.documents import Document, read_container
from swarmcore.engine.cache.kept_documents import KeptDocument, keeper_of
from swarmcore.http.messages import Answer
from swarmcore.json_bytes import read_json
from swarmcore.json_values import UNREADABLE, damaged_answer
from swarmcore.model import Container
from swarmcore.node import Node
from swarmcore.threads import in_thread

log = logging.getLogger(__name__)

#: Longer inspections, in bytes, which have hundreds of ports, are read in a thread.
_LONG_INSPECTION = 64 * 1024


def inspection_path(id: str) -> str:
    """The path that inspects container *id*."""
    return f"/containers/{id}/json"


class ContainerReader:
    """Reads the containers of one engine.

    Args:
        node: the engine's node.
    """

    def __init__(self, node: Node) -> None:
        self._node = node

    def keep_summary(self, encoded: bytes) -> KeptDocument:
        """Keep an object of the list of containers."""
        return keeper_of("summary", self._node.version).keep(encoded)

    def _keep_detail(self, encoded: bytes) -> KeptDocument:
        return keeper_of("detail", self._node.version).keep(encoded)

    async def read(self, id: str, summary: bytes, answer: Answer) -> Container | None:
        """Read a container.

        Args:
            id: the full id, 64 digits.
            summary: its object in the list.
            answer: the answer to its inspection.

        Returns:
            ``None`` if the documents make no sense, which is logged.

        Raises:
            EngineRefused: the answer is an error.
            EngineError: the answer is not a JSON object.
        """
        path = inspection_path(id)
        detail = await read_answer(self._node.name, path, answer, dict)
        try:
            if len(answer.body) > _LONG_INSPECTION:
                return await in_thread(partial(self._understand, summary, detail, answer.body))
            return self._understand(summary, detail, answer.body)
        except UNREADABLE as error:
            log.warning("container %s: %s", id, damaged_answer(self._node.name, path, error))
            return None

    def _understand(self, listed: bytes, detail: Document, inspected: bytes) -> Container:
        """The container of two documents; may run in a thread.

        Args:
            listed: its object in the list.
            detail, inspected: its inspection, decoded and as the engine sent it.
        """
        return read_container(
            read_json(listed),
            detail,
            self._node.id,
            self._node.cpus,
            cpu_shares_are_cpus=self._node.cpu_shares_are_cpus,
            kept=(self.keep_summary(listed), self._keep_detail(inspected)),
        )
