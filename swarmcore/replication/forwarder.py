"""Requests that a replica is asked, and the primary answers: byte for byte, streams and all.

A request goes on once: what was sent is sent again only where a manager says that it did nothing.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import trio

from swarmcore.errors import (
    BadRequest,
    ConfigError,
    EngineUnreachable,
    NotPrimary,
    Unavailable,
)
from swarmcore.http.client import HTTPClient
from swarmcore.http.client.call import Head
from swarmcore.http.headers import wants_upgrade
from swarmcore.http.messages import Request, find_header
from swarmcore.http.proxy import forward
from swarmcore.http.server import NOTHING_DONE, ClientGone, ServerExchange
from swarmcore.protocols import Leader
from swarmcore.replication.role import Role
from swarmcore.versions import ApiVersion

_T = TypeVar("_T")

#: Says that a request was forwarded, and what the replica knows of the primary: its term.
_TERM = b"X-Swarmcore-Term"
#: A primary that does not take a connection for so long is looked for again.
_CONNECT_SECONDS = 2.0
_TRY_AGAIN_SECONDS = 0.25
#: How long a primary that was followed by another may still answer what it was asked.
_LAST_WORDS_SECONDS = 5.0
#: Of a body that can be sent a second time: a create's, an exec's.
_SMALL_BYTES = 1 << 20


class Forwarder:
    """The way of a replica's requests.

    Args:
        role: this manager's.
        connect: address of a primary -> the way to it.
        announced: the API version that this manager announces.
        wait_seconds: how long a request waits for a primary.
    """

    def __init__(
        self,
        role: Role,
        connect: Callable[[str], HTTPClient],
        announced: Callable[[], ApiVersion],
        *,
        wait_seconds: float,
    ) -> None:
        self._role = role
        self._connect = connect
        self._announced = announced
        self._wait_seconds = wait_seconds
        self._client: HTTPClient | None = None
        self._address = ""

    async def forward(self, exchange: ServerExchange) -> bool:
        """Have the primary answer, unless that is this manager.

        Returns:
            Whether *exchange* is answered.

        Raises:
            Unavailable: no primary is known, or it does not answer; says which.
            BadRequest: a malformed term.
        """
        term = _term_of(exchange.request)
        if term is not None:
            await self._patiently(exchange, lambda: self._accept(term))
            return False
        deadline = trio.current_time() + self._wait_seconds
        refused: Leader | None = None
        while not self._role.answers:
            seek = partial(self._find_primary, deadline, refused)
            way = await self._patiently(exchange, seek)
            if way is None:
                break
            again = await _keep_small_body(exchange)
            try:
                await self._carry(exchange, *way)
            except NotPrimary:
                if not again:
                    raise
                refused = way[0]
            else:
                return True
        return False

    async def aclose(self) -> None:
        """Close the connections that are kept."""
        if self._client is not None:
            await self._client.aclose()

    # ---- before anything is sent

    async def _patiently(self, exchange: ServerExchange, find: Callable[[], Awaitable[_T]]) -> _T:
        """Wait for *find*, while the client does."""
        if wants_upgrade(exchange.request.headers):
            return await find()  # such a client may have ended its input, and still listen
        found = []
        async with exchange.watching():
            found.append(await find())
        if not found:
            raise ClientGone
        return found[0]

    async def _accept(self, term: int) -> None:
        """Wait until this manager answers what a replica has forwarded; goes no further.

        Raises:
            NotPrimary: it is not the primary that the replica meant, nor a later one.
        """
        role = self._role
        with trio.move_on_after(self._wait_seconds):
            while not (role.answers or role.is_over(term)):
                await role.changed()
        if not role.answers or role.term < term:
            raise NotPrimary("the primary cluster manager has just changed; try again")

    async def _find_primary(
        self, deadline: float, refused: Leader | None
    ) -> tuple[Leader, HTTPClient] | None:
        """The primary with a connection that is ready; ``None`` when this manager became it.

        Args:
            deadline: for finding it.
            refused: who says that it is none, whatever the store says.
        """
        role, trouble = self._role, "no primary cluster manager is elected"
        with trio.move_on_at(deadline):
            while not role.answers:
                leader = role.other
                if leader is None or leader == refused:
                    await role.changed()
                    continue
                trouble = f"Unable to reach primary cluster manager: {leader.address}"
                try:
                    with trio.move_on_after(_CONNECT_SECONDS):
                        client = await self._client_of(leader.address)
                        await client.prepare()
                        return leader, client
                except (EngineUnreachable, ConfigError) as error:  # others wrote the address
                    trouble = f"Unable to reach primary cluster manager ({error}): {leader.address}"
                with trio.move_on_after(_TRY_AGAIN_SECONDS):
                    await role.changed()
            return None
        raise Unavailable(f"{trouble}; waited {self._wait_seconds:g} s, try again")

    async def _client_of(self, address: str) -> HTTPClient:
        if self._client is None or self._address != address:
            old, self._client, self._address = self._client, self._connect(address), address
            if old is not None:
                await old.aclose()
        return self._client

    # ---- on its way

    async def _carry(self, exchange: ServerExchange, leader: Leader, client: HTTPClient) -> None:
        added = ((_TERM, b"%d" % leader.term),)
        failure: Exception | None = Unavailable(
            f"the primary cluster manager {leader.address} was followed by another before it"
            " answered: whether it did what was asked is unknown"
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._give_up, exchange, leader.address, nursery.cancel_scope)
            try:
                await forward(
                    exchange, client, added, announced=self._announced(), inspect=_inspect
                )
                failure = None
            except EngineUnreachable as error:
                failure = Unavailable(
                    f"Unable to reach primary cluster manager ({error}): {leader.address}"
                )
            except Exception as error:  # raised again outside, where no group wraps it
                failure = error
            nursery.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _give_up(
        self, exchange: ServerExchange, asked: str, passage: trio.CancelScope
    ) -> None:
        """End *passage* when another leads and the one *asked*, which may be stopped, is silent."""
        role = self._role
        while not role.is_primary and role.primary in ("", asked):
            await role.changed()
        await trio.sleep(_LAST_WORDS_SECONDS)
        if not exchange.started:
            passage.cancel()


async def _keep_small_body(exchange: ServerExchange) -> bool:
    """Read a body that is small JSON, so that it can be sent twice; whether it can.

    Handlers take JSON whole, and other bodies in pieces, which come only once.
    """
    request = exchange.request
    length, kind = request.header("content-length") or "", request.header("content-type") or ""
    small = length.isdigit() and int(length) <= _SMALL_BYTES
    if small and "json" in kind.lower() and not exchange.body_complete:
        await exchange.read_body()
    return exchange.body is not None or exchange.body_complete


def _inspect(head: Head) -> None:
    if find_header(head.headers, NOTHING_DONE.lower()) is not None:
        raise NotPrimary("the primary cluster manager has just changed; try again")


def _term_of(request: Request) -> int | None:
    """The term of a request that was forwarded; ``None`` of one that a client sent."""
    text = request.header(_TERM.decode())
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise BadRequest(f"{_TERM.decode()}: {text[:40]!r} is no term")
    return int(text)
