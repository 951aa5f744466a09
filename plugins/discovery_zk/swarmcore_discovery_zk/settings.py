"""The settings of operators, in one znode of ZooKeeper."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kazoo.exceptions import NodeExistsError, NoNodeError

from swarmcore.stores import Location
from swarmcore_discovery_zk.session import Session, connect

#: Time to live of the session of one read or write, which holds nothing.
_TTL_SECONDS = 10.0


class ZooKeeperText:
    """Implements ``SharedText``; opens a session for each call, as settings change rarely.

    Args:
        location: the cluster's place in the store.
    """

    def __init__(self, location: Location) -> None:
        self._location = location
        self._path = f"/{location.settings}"

    async def read(self) -> str:
        """See ``SharedText``."""
        async with self._connected() as session:
            return (await self._read(session))[0]

    async def write(self, text: str, *, replacing: str) -> bool:
        """See ``SharedText``."""
        async with self._connected() as session:
            current, version = await self._read(session)
            if current != replacing:
                return False
            if version is None:
                try:
                    await session.call("create", self._path, text.encode(), makepath=True)
                except NodeExistsError:
                    return False
                return True
            return await session.commit(
                ("check", self._path, version), ("set_data", self._path, text.encode())
            )

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Session]:
        session = await connect(self._location, _TTL_SECONDS)
        try:
            yield session
        finally:
            await session.aclose()

    async def _read(self, session: Session) -> tuple[str, int | None]:
        """The text and its version; ``None`` if there is no such znode."""
        try:
            data, stat = await session.call("get", self._path)
        except NoNodeError:
            return "", None
        return data.decode(errors="replace"), stat.version
