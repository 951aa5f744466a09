"""Uses kazoo from trio: awaits its futures without additional threads.

kazoo has threads of its own and answers from them.  While it has no server, it delays calls instead
of failing them, so every call here has a time limit.
"""

import contextlib
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import trio
from kazoo.client import KazooClient
from kazoo.exceptions import KazooException, NodeExistsError, NoNodeError
from kazoo.protocol.states import KazooState

from swarmcore.protocols import TLSFiles
from swarmcore.stores import Location, StoreError
from swarmcore.threads import in_thread

_ANSWER_SECONDS = 5.0
_CLOSE_SECONDS = 2.0

#: kazoo logs every reconnection as a warning; the discovery reports lasting problems itself.
logging.getLogger("kazoo").setLevel(logging.CRITICAL)


class Session:
    """A session with the store; made by ``connect``.

    Attributes:
        lost: set when the session has ended or the store cannot be reached.
        granted_seconds: how long the store keeps a silent session; 0 before the first answer.
    """

    def __init__(self, client: KazooClient, name: str) -> None:
        self._client = client
        self._name = name
        self._token = trio.lowlevel.current_trio_token()
        self.lost = trio.Event()
        self.granted_seconds = 0.0
        client.add_listener(self._changed)
        # kazoo does not expose the time that the store granted, and uses two thirds of it.
        connection, connect = client._connection, client._connection._connect

        def connecting(*arguments: Any) -> tuple[float, float]:
            read_timeout, connect_timeout = connect(*arguments)
            self.granted_seconds = read_timeout * 3 / 2 / 1000
            return read_timeout, connect_timeout

        connection._connect = connecting

    @property
    def id(self) -> int:
        """The id of the session in the store."""
        return int(self._client.client_id[0])

    async def call(self, method: str, *arguments: Any, **options: Any) -> Any:
        """Call a method of kazoo's client.

        Args:
            method: name of the method without ``_async``.
            arguments, options: arguments of the method.

        Raises:
            NoNodeError, NodeExistsError: see kazoo.
            StoreError: another error, or no answer.
        """
        return await self._answer(
            partial(getattr(self._client, f"{method}_async"), *arguments, **options)
        )

    async def commit(self, *operations: tuple[Any, ...]) -> bool:
        """Carry out all *operations*, or none.

        Args:
            operations: methods of kazoo's transaction, each with its arguments.

        Returns:
            Whether they were carried out.

        Raises:
            StoreError: see ``call``.
        """
        transaction = self._client.transaction()
        for method, *arguments in operations:
            getattr(transaction, method)(*arguments)
        results = await self._answer(transaction.commit_async)
        return not any(isinstance(result, Exception) for result in results)

    async def _answer(self, ask: Callable[[], Any]) -> Any:
        try:
            with trio.fail_after(_ANSWER_SECONDS):
                return await _wait(ask())
        except (NoNodeError, NodeExistsError):
            raise
        except trio.TooSlowError:
            raise StoreError(f"{self._name}: no answer within {_ANSWER_SECONDS:g} s") from None
        except KazooException as error:
            raise StoreError(f"{self._name}: {error!r}") from None

    def waker(self, function: Callable[[], object]) -> Callable[[object], None]:
        """A watcher for kazoo that calls *function* in trio's thread after any event."""

        def called(_: object) -> None:
            with contextlib.suppress(trio.RunFinishedError):
                self._token.run_sync_soon(function)

        return called

    async def fail_when_lost(self) -> None:
        """Wait until the session is lost.

        Raises:
            StoreError: always, when it is lost.
        """
        await self.lost.wait()
        raise StoreError(f"{self._name}: the session is lost; what it read is read again")

    async def aclose(self) -> None:
        """End the session, which deletes its ephemeral znodes; no thread is left."""
        with trio.move_on_after(_CLOSE_SECONDS, shield=True):
            await in_thread(_close, self._client, abandon_on_cancel=True)

    def _changed(self, state: object) -> None:
        if state != KazooState.CONNECTED:
            self.waker(self.lost.set)(state)


async def connect(location: Location, ttl_seconds: float) -> Session:
    """Open a session.

    Args:
        location: has the servers.
        ttl_seconds: how long the store keeps a silent session; the store may change it.

    Raises:
        StoreError: no server answers.
    """
    hosts = ",".join(server.hostport for server in location.servers)
    tls = location.tls or TLSFiles()
    client = KazooClient(
        hosts,
        timeout=ttl_seconds,
        use_ssl=location.tls is not None,
        ca=tls.ca or None,
        certfile=tls.cert or None,
        keyfile=tls.key or None,
        check_hostname=True,
    )
    session = Session(client, f"zk {hosts}")
    try:
        connected = client.start_async()
        await in_thread(connected.wait, _ANSWER_SECONDS, abandon_on_cancel=True)
        if not client.connected:
            raise StoreError(f"zk {hosts}: no server answers within {_ANSWER_SECONDS:g} s")
    except BaseException:
        await session.aclose()
        raise
    return session


def _close(client: KazooClient) -> None:
    for end in (client.stop, client.close):
        with contextlib.suppress(KazooException):
            end()


async def _wait(result: Any) -> Any:
    """Wait for a future of kazoo; if cancelled, its answer is ignored."""
    task, token = trio.lowlevel.current_task(), trio.lowlevel.current_trio_token()
    waiting = True

    def wake() -> None:
        nonlocal waiting
        if waiting:
            waiting = False
            trio.lowlevel.reschedule(task)

    def linked(_: object) -> None:
        with contextlib.suppress(trio.RunFinishedError):
            token.run_sync_soon(wake)

    def abort(_: object) -> trio.lowlevel.Abort:
        nonlocal waiting
        waiting = False
        return trio.lowlevel.Abort.SUCCEEDED

    result.rawlink(linked)
    await trio.lowlevel.wait_task_rescheduled(abort)
    return result.get(block=False)
