"""The settings of operators, in one key of Consul."""

from base64 import b64decode
from urllib.parse import quote

from swarmcore_discovery_consul.client import Agent


class ConsulText:
    """Implements ``SharedText``.

    Args:
        agent: the Consul agent.
        key: the key of the text.
    """

    def __init__(self, agent: Agent, key: str) -> None:
        self._agent = agent
        self._path = f"kv/{quote(key)}"

    async def read(self) -> str:
        """See ``SharedText``."""
        return (await self._read())[0]

    async def write(self, text: str, *, replacing: str) -> bool:
        """See ``SharedText``."""
        current, index = await self._read()
        if current != replacing:
            return False
        reply = await self._agent.ask("PUT", self._path, text=text, cas=index)
        return reply.value is True

    async def _read(self) -> tuple[str, int]:
        """The text, and the index of its last change; 0 if there is no such key."""
        reply = await self._agent.ask("GET", self._path, consistent="")
        for pair in reply.value or []:
            return b64decode(pair["Value"] or "").decode(errors="replace"), pair["ModifyIndex"]
        return "", 0
