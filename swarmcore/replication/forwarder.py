"""Forwards a replica's requests to the primary manager and relays the answers.

Bodies, streams and upgraded connections pass unchanged.  A request is sent once.  It is sent again
only if nothing of it was sent, if a manager answers that it has done nothing, or, once, if it only
reads and its primary was lost before the answer began.
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

#: Request header that marks a forwarded request; its value is the primary's term.
_TERM = b"X-Swarmcore-Term"
#: Time limit for connecting to a primary; after it, the primary is looked up again.
_CONNECT_SECONDS = 2.0
_TRY_AGAIN_SECONDS = 0.25
#: How long to wait for the answer of a primary after another manager has been elected.
_LAST_WORDS_SECONDS = 5.0
#: Largest request body that is kept so that it can be sent a second time.
_SMALL_BYTES = 1 << 20


class Forwarder:
    """Forwards requests while this manager is a replica.

    Args:
        role: the role of this manager.
        connect: makes a client for the address of a primary.
        announced: returns the API version that this manager announces.
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

    async def forward(self, exchange: ServerExchange, here: Callable[[], Awaitable[None]]) -> None:
        """Let the primary answer *exchange*.

        A request that had no effect waits for the next primary: one that could not be handed over,
        or that a manager refused because it no longer leads, also if that is this manager.

        Args:
            exchange: the client's request.
            here: answers it on this manager, if that is the primary.

        Raises:
            Unavailable: no primary is known, or the primary does not answer.
            NotPrimary: the primary has changed and the request cannot be sent again.
            BadRequest: the term header is malformed.
        """
        term = _term_of(exchange.request)
        if term is not None:
            await self._patiently(exchange, lambda: self._accept(term))
            await here()
            return
        deadline = trio.current_time() + self._wait_seconds
        refused: Leader | None = None
        may_read_again = _only_reads(exchange.request)
        while True:
            way = None
            if not self._role.answers:
                seek = partial(self._find_primary, deadline, refused)
                way = await self._patiently(exchange, seek)
            try:
                if way is None:
                    await here()
                else:
                    await _keep_small_body(exchange)
                    await self._carry(exchange, *way)
            except (NotPrimary, _NotHandedOver, _Lost) as error:
                if not _can_be_repeated(exchange) or trio.current_time() >= deadline:
                    raise
                if isinstance(error, _Lost):
                    # Once, so that a request that ends its primary does not end all managers.
                    if not may_read_again:
                        raise
                    may_read_again = False
                if isinstance(error, _NotHandedOver | _Lost):
                    await self._patiently(exchange, partial(trio.sleep, _TRY_AGAIN_SECONDS))
                elif way is not None:
                    refused = way[0]
            else:
                return

    async def aclose(self) -> None:
        """Close the connections to the primary."""
        if self._client is not None:
            await self._client.aclose()

    # ---- before the request is sent

    async def _patiently(self, exchange: ServerExchange, find: Callable[[], Awaitable[_T]]) -> _T:
        """Run *find*; raise ``ClientGone`` if the client disconnects before it returns."""
        if wants_upgrade(exchange.request.headers):
            return await find()  # after half-closing, such a client still expects an answer
        found = []
        async with exchange.watching():
            found.append(await find())
        if not found:
            raise ClientGone
        return found[0]

    async def _accept(self, term: int) -> None:
        """Wait until this manager can answer a request that a replica has forwarded to it.

        A forwarded request is never forwarded again.

        Raises:
            NotPrimary: this manager does not hold *term* or a later term.
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
        """Return the primary and a connected client; ``None`` if this manager became primary.

        Args:
            deadline: trio time at which the search ends.
            refused: a leader that answered that it is not primary; it is ignored even if the
                store still names it.

        Raises:
            Unavailable: no primary was reached before *deadline*.
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
                except (EngineUnreachable, ConfigError) as error:  # the address may be malformed
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

    # ---- sending the request

    async def _carry(self, exchange: ServerExchange, leader: Leader, client: HTTPClient) -> None:
        added = ((_TERM, b"%d" % leader.term),)
        failure: Exception | None = _Lost(
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
                failure = _unreachable(leader, error)
            except Exception as error:  # raised below: the nursery would wrap it in a group
                failure = error
            nursery.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _give_up(
        self, exchange: ServerExchange, asked: str, passage: trio.CancelScope
    ) -> None:
        """Cancel *passage* if another manager leads and the manager *asked* does not answer."""
        role = self._role
        while not role.is_primary and role.primary in ("", asked):
            await role.changed()
        await trio.sleep(_LAST_WORDS_SECONDS)
        if not exchange.started:
            passage.cancel()


class _NotHandedOver(Unavailable):
    """The primary cannot be reached, and nothing of the request was sent to it."""


class _Lost(Unavailable):
    """The primary was lost before its answer was complete; what it has done is unknown."""


def _unreachable(leader: Leader, error: EngineUnreachable) -> Exception:
    trouble = f"Unable to reach primary cluster manager ({error}): {leader.address}"
    if error.sent:
        return _Lost(f"{trouble}: whether it did what was asked is unknown")
    return _NotHandedOver(trouble)


async def _keep_small_body(exchange: ServerExchange) -> None:
    """Read a small JSON body into memory, so that the request can be sent twice.

    Handlers read JSON bodies whole.  Other bodies are streamed and cannot be repeated.
    """
    request = exchange.request
    length, kind = request.header("content-length") or "", request.header("content-type") or ""
    small = length.isdigit() and int(length) <= _SMALL_BYTES
    if small and "json" in kind.lower() and not exchange.body_complete:
        await exchange.read_body()


def _can_be_repeated(exchange: ServerExchange) -> bool:
    """Whether the answer has not begun, and the body is in memory, or was not begun either."""
    has_body = exchange.body is not None or exchange.body_complete or not exchange.received
    return has_body and not exchange.started


def _only_reads(request: Request) -> bool:
    """Whether a request changes nothing, so that it may be carried out twice."""
    return request.method in ("GET", "HEAD") and not wants_upgrade(request.headers)


def _inspect(head: Head) -> None:
    if find_header(head.headers, NOTHING_DONE.lower()) is not None:
        raise NotPrimary("the primary cluster manager has just changed; try again")


def _term_of(request: Request) -> int | None:
    """The term of a forwarded request; ``None`` if the request came from a client."""
    text = request.header(_TERM.decode())
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise BadRequest(f"{_TERM.decode()}: {text[:40]!r} is not a number of a term")
    return int(text)
