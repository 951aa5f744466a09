"""The leader's seat: held by the first znode of a queue, each deleted with its session.

The queue below the leader's path, its names, and the value of that path are those of Swarm
classic's lock: its managers and ours exclude each other, and know the leader.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import trio
from kazoo.exceptions import NoNodeError

from swarmcore.protocols import Leader
from swarmcore.stores import Location, SessionLost, StoreError
from swarmcore_discovery_zk.session import Session, connect

_T = TypeVar("_T")

#: Time to live of the session of a watcher, which holds nothing.
_WATCH_TTL_SECONDS = 10.0

#: The queue is read again after this fraction of the time to live, as a watch may get lost, and
#: there would be no leader.
_LOOK_AGAIN = 1 / 4


@dataclass(frozen=True, slots=True)
class Held:
    """The first candidate; ``term`` is the store's transaction that created its znode."""

    address: str
    term: int
    path: str


class ZooKeeperSeat:
    """Implements ``Seat``.

    Args:
        location: the cluster's place in the store.
        ttl_seconds: how long a silent leader keeps leading; the store may change it.
    """

    def __init__(self, location: Location, ttl_seconds: float) -> None:
        self._location = location
        self._ttl_seconds = ttl_seconds
        self._path = f"/{location.leader}"
        #: The znode of the last session, which the store may keep after we gave the session up.
        self._left = ""

    async def open(self, candidate: str) -> "ZooKeeperSession":
        """See ``Seat``; also creates the candidate's znode in the queue."""
        session = await connect(self._location, self._ttl_seconds)
        try:
            # If the answer is lost, the session ends, and the znode is deleted with it.
            own = await session.call(
                "create",
                # The format of classic's library: the session's id in 32 digits.
                f"{self._path}/_c_{session.id & (1 << 64) - 1:032x}-lock-",
                candidate.encode(),
                ephemeral=True,
                sequence=True,
                makepath=True,
            )
            await self._delete_left(session)
        except BaseException:
            await session.aclose()
            raise
        self._left = own
        queue = Queue(session, self._path, session.granted_seconds * _LOOK_AGAIN)
        return ZooKeeperSession(session, queue, own, candidate)

    async def _delete_left(self, session: Session) -> None:
        """Delete the znode of our last session: a store that was away renews all sessions.

        Otherwise the mandate that has ended would keep everybody from leading for another time.
        """
        if self._left:
            with suppress(NoNodeError):
                await session.call("delete", self._left)
            self._left = ""

    async def watch(self, report: Callable[[Leader | None], None]) -> None:
        """See ``Seat``."""

        async def tell(held: Held | None) -> None:
            report(Leader(held.address, held.term) if held else None)

        session = await connect(self._location, _WATCH_TTL_SECONDS)
        try:
            await session.call("ensure_path", self._path)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(session.fail_when_lost)
                await Queue(session, self._path, self._ttl_seconds * _LOOK_AGAIN).follow(tell)
        finally:
            await session.aclose()


class Queue:
    """The znodes below the leader's path, read in one session.

    Args:
        session: the session.
        path: the leader's path.
        look_seconds: after this time without changes, the queue is read again.
    """

    def __init__(self, session: Session, path: str, look_seconds: float) -> None:
        self._session = session
        self._path = path
        self._look_seconds = look_seconds
        signals, self._changed = trio.open_memory_channel[None](1)

        def signal() -> None:
            with suppress(trio.WouldBlock):  # a read is pending already and will show the change
                signals.send_nowait(None)

        # One watcher object for all: kazoo registers each object only once.
        self._wake = session.waker(signal)

    async def follow(self, decide: Callable[[Held | None], Awaitable[_T | None]]) -> _T:
        """Call *decide* with the first candidate until it returns something other than ``None``.

        Called now, after each change, and from time to time without one.

        Raises:
            StoreError: the store does not answer.
        """
        while (decision := await decide(await self._read())) is None:
            with trio.move_on_after(self._look_seconds):
                await self._changed.receive()
        return decision

    async def _read(self) -> Held | None:
        while True:
            try:
                names = await self._session.call("get_children", self._path, watch=self._wake)
            except NoNodeError:
                raise StoreError(f"zk: another client has deleted {self._path}") from None
            numbered = [(int(number), name) for name in names if (number := _number(name))]
            if not numbered:
                return None
            path = f"{self._path}/{min(numbered)[1]}"
            with suppress(NoNodeError):  # it was deleted meanwhile; look for the next one
                data, stat = await self._session.call("get", path)
                return Held(await self._address(data), stat.czxid, path)

    async def _address(self, data: bytes) -> str:
        """The leader's address; znodes of classic's managers are empty, so the path has it."""
        if not data:
            data, _ = await self._session.call("get", self._path, watch=self._wake)
        return data.decode(errors="replace")


def _number(name: str) -> str:
    """The digits at the end of a name in the queue; empty if there are none."""
    digits = name.rpartition("-")[2]
    return digits if digits.isascii() and digits.isdigit() else ""


class ZooKeeperSession:
    """Implements ``Session``.

    Args:
        session: the session in the store.
        queue: the queue, read in that session.
        own: path of the candidate's znode.
        candidate: address of the candidate.
    """

    def __init__(self, session: Session, queue: Queue, own: str, candidate: str) -> None:
        self._session = session
        self._queue = queue
        self._own = own
        self._candidate = candidate

    @property
    def ttl_seconds(self) -> float:
        """See ``Session``."""
        return self._session.granted_seconds

    async def renew(self) -> bool:
        """See ``Session``.  Any answer renews the session; the znode must still exist.

        The owner is compared, as kazoo begins a new session by itself when one has ended.
        """
        stat = await self._session.call("exists", self._own)
        return stat is not None and bool(stat.ephemeralOwner == self._session.id)

    async def acquire(self) -> int:
        """See ``Session``."""

        async def is_first(held: Held | None) -> int | None:
            return held.term if held and held.path == self._own else None

        term = await self._queue.follow(is_first)
        path = self._own.rpartition("/")[0]
        # For classic's managers; fails if another candidate could lead already.
        if not await self._session.commit(
            ("check", self._own, 0), ("set_data", path, self._candidate.encode())
        ):
            raise SessionLost("zk: the store has ended our session")
        return term

    async def wait_lost(self) -> None:
        """See ``Session``."""

        async def is_lost(held: Held | None) -> bool | None:
            return held is None or held.path != self._own or None

        await self._queue.follow(is_lost)

    async def release(self) -> None:
        """See ``Session``."""
        await self._session.aclose()
