"""Passes each request to the handler of its route; checks version and authorization.

Gives each request an id, adds the headers that all answers have, and counts requests and bytes by
kind of request.
"""

import functools
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, cast

import trio

from swarmcore import __version__, chance
from swarmcore.errors import BadRequest, Forbidden, NotFound, SwarmError
from swarmcore.http.messages import Answer, Headers, Request
from swarmcore.http.proxy import Relayable, relay
from swarmcore.http.request_ids import set_request_id
from swarmcore.http.routing import Router, clean_target
from swarmcore.http.server import ClientGone, ServerExchange, answer_to, cause_of
from swarmcore.protocols import NO_HOOKS, Cluster, Denied, Engine, ResponseHooks, Route, Traffic
from swarmcore.versions import CEILING, ApiVersion

log = logging.getLogger(__name__)

_CORS: Headers = (
    (b"Access-Control-Allow-Origin", b"*"),
    (b"Access-Control-Allow-Headers", b"Origin, X-Requested-With, Content-Type, Accept"),
    (b"Access-Control-Allow-Methods", b"GET, POST, DELETE, PUT, OPTIONS, HEAD"),
)

#: Paths of swarmcore's own routes.  They are not cleaned, as they may contain addresses such as
#: ``unix:///run/docker.sock``, and web pages cannot use those that change something.
_OWN_PATHS = "/swarmcore/"
#: Methods that change nothing.
_READING = frozenset({"GET", "HEAD"})
#: Status in statistics for a client that left before the answer, as in nginx; never sent.
_CLIENT_LEFT = 499


class PluginFailed(SwarmError):
    """A plugin raised an exception that is not a ``SwarmError``; the log names the plugin."""


class Gateway:
    """Answers requests with the routes of plugins.

    Args:
        router: the routes of all plugins.
        cluster: passed to handlers.
        authorize: called for every request; ``None`` allows it.
        cors: whether web pages of any origin may use the API (``--api-enable-cors``).
        forward: with several managers, lets the primary answer a request, unless its route is
            ``Route.local``; calls its second argument if this manager is the primary.
    """

    def __init__(
        self,
        router: Router[Route],
        cluster: Cluster,
        authorize: Callable[[Request], Denied | None],
        *,
        cors: bool = False,
        forward: Callable[[ServerExchange, Callable[[], Awaitable[None]]], Awaitable[None]]
        | None = None,
    ) -> None:
        self._router = router
        self._cluster = cluster
        self._authorize = authorize
        self._cors = cors
        self._forward = forward
        self._meter = Meter()

    async def handle(self, exchange: ServerExchange) -> None:
        """Answer one request.

        Raises:
            SwarmError: the server sends it to the client as the answer.
            ClientGone: the client has disconnected.
        """
        request_id = exchange.request.chosen_id or chance.serial_id().encode()
        exchange.request_id = request_id
        set_request_id(request_id)
        exchange.common_headers = common_headers(
            self._cluster.api_version, experimental=self._cluster.experimental
        )
        if self._cors:
            exchange.common_headers += _CORS
        found = self._router.match(exchange.request.method, exchange.request.path)
        counting = self._meter.count(_kind_of(found[0] if found else None), exchange)
        if log.isEnabledFor(logging.DEBUG):
            counting.ended = functools.partial(_log_end, exchange, trio.current_time())
        with counting:
            await self._answer(exchange, found)

    async def _answer(
        self, exchange: ServerExchange, found: tuple[Route, Mapping[str, str]] | None
    ) -> None:
        request = exchange.request
        clean = clean_target(request.target)
        if clean is not None and not request.path.startswith(_OWN_PATHS):
            await exchange.send(Answer(301, ((b"Location", clean.encode("latin-1")),)))
            return
        check_version(request.version, self._cluster.min_api_version)
        denied = self._ask(request)
        if denied is not None:
            raise Forbidden(denied.reason)
        if request.method == "OPTIONS":  # allowed for any path, as on engines
            await exchange.send(Answer(200))
            return
        if found is None:
            raise NotFound("page not found")
        route, params = found
        check_origin(request, route)
        if params:
            exchange.request = request.with_params(params)
        if self._forward is None or route.local:
            await self._call(route, exchange)
        else:
            await self._forward(exchange, functools.partial(self._call, route, exchange))

    def _ask(self, request: Request) -> Denied | None:
        try:
            return self._authorize(request)
        except SwarmError:
            raise
        except Exception as error:
            log.exception("authorization of %s %s failed", request.method, request.path)
            raise PluginFailed("the request could not be authorized") from error

    async def _call(self, route: Route, exchange: ServerExchange) -> None:
        try:
            await route.handler(ClusterExchange(exchange, self._cluster, self._meter))
        except Exception as raised:
            error = cause_of(raised)
            if isinstance(error, SwarmError | ClientGone):
                try:
                    raise error from (None if error is raised else raised)
                finally:  # a cycle of error, traceback and frame would keep the request's body
                    del error
            where = getattr(route.handler, "__module__", "a plugin")
            log.exception("%s: handler of %s %s failed", where, route.method, route.template)
            raise PluginFailed(f"{where}: internal error, see the manager's log") from raised


class Carried(Protocol):
    """An exchange whose bytes are counted."""

    @property
    def status(self) -> int:
        """Status of its answer; 0 before."""
        ...

    @property
    def received(self) -> int:
        """Bytes received from the client."""
        ...

    @property
    def sent(self) -> int:
        """Bytes sent to the client."""
        ...


class Meter:
    """Counts requests and bytes by kind of request, including requests under way."""

    def __init__(self) -> None:
        self._kinds: dict[str, _Kind] = {}

    def count(self, kind: str, carried: Carried) -> "_Counting":
        """Count *carried* as under way while the block runs, then its outcome.

        Args:
            kind: one of a small set: the first segment of a route.
            carried: the request; if it has no status, the exception of the block determines it.
        """
        counted = self._kinds.get(kind)
        if counted is None:
            counted = self._kinds[kind] = _Kind()
        return _Counting(counted, carried)

    def traffic(self) -> Mapping[str, Traffic]:
        """The counts by kind."""
        return {kind: counted.read() for kind, counted in sorted(self._kinds.items())}


class _Counting:
    """The block of ``Meter.count``; a class, as every request pays for it."""

    __slots__ = ("_carried", "_kind", "ended")

    def __init__(self, kind: "_Kind", carried: Carried) -> None:
        self._kind = kind
        self._carried = carried
        #: Called with the status when the request has ended.
        self.ended: Callable[[int], None] | None = None

    def __enter__(self) -> None:
        self._kind.under_way.add(self._carried)

    def __exit__(self, _: object, raised: BaseException | None, __: object) -> None:
        status = self._carried.status
        if not status:
            error = cause_of(raised) if isinstance(raised, Exception) else ClientGone()
            status = _CLIENT_LEFT if isinstance(error, ClientGone) else answer_to(error).status
        self._kind.end(self._carried, status)
        if self.ended is not None:
            self.ended(status)


class _Kind:
    def __init__(self) -> None:
        self.under_way: set[Carried] = set()
        self._answered: Counter[int] = Counter()
        self._received = 0
        self._sent = 0

    def end(self, carried: Carried, status: int) -> None:
        self.under_way.remove(carried)
        self._answered[status] += 1
        self._received += carried.received
        self._sent += carried.sent

    def read(self) -> Traffic:
        return Traffic(
            under_way=len(self.under_way),
            answered=dict(self._answered),
            received=self._received + sum(each.received for each in self.under_way),
            sent=self._sent + sum(each.sent for each in self.under_way),
        )


class ClusterExchange:
    """The ``protocols.Exchange`` that handlers receive: a server's exchange with the cluster."""

    def __init__(self, exchange: ServerExchange, cluster: Cluster, meter: Meter) -> None:
        self.cluster = cluster
        self.request = exchange.request
        self.traffic = meter.traffic
        self.read_body = exchange.read_body
        self.receive_chunk = exchange.receive_chunk
        self.read_json = exchange.read_json
        self.send = exchange.send
        self.send_json = exchange.send_json
        self.stream = exchange.stream
        self.watching = exchange.watching
        self._exchange = exchange

    async def relay(
        self,
        engine: Engine,
        path: str,
        *,
        body: bytes | None = None,
        hooks: ResponseHooks = NO_HOOKS,
        pieces: Callable[[], Awaitable[bytes]] | None = None,
    ) -> int:
        """Forward the request to *engine*; see ``protocols.Exchange.relay``."""
        self._exchange.engine = engine.node.name
        return await relay(
            self._exchange,
            # All engines of the cluster are ``Relayable``; the protocol for plugins omits that.
            cast("Relayable", engine),
            path,
            announced=self.cluster.api_version,
            body=body,
            hooks=hooks,
            pieces=pieces,
        )


def _log_end(exchange: ServerExchange, began: float, status: int) -> None:
    """Log the end of a request, without its query, which may have secrets such as build arguments.

    Args:
        exchange: the request.
        began: when it began, in seconds of trio's clock.
        status: of the answer, or 499 if the client has left.
    """
    request = exchange.request
    milliseconds = (trio.current_time() - began) * 1000
    where = f", engine {exchange.engine}" if exchange.engine else ""
    log.debug("%s %s from %s: %d in %.1f ms%s", request.method, request.path, request.client.key,
              status, milliseconds, where)  # fmt: skip


def _kind_of(route: Route | None) -> str:
    """The kind of a request for statistics: the first segment of its route."""
    return "other" if route is None else route.template.split("/", 2)[1]


def check_version(version: ApiVersion | None, oldest: ApiVersion) -> None:
    """Check the API version in a path; the error texts are Docker's, which clients show.

    Args:
        version: the version; ``None`` without a prefix.
        oldest: the oldest accepted version, ``Cluster.min_api_version``.

    Raises:
        BadRequest: too new or too old.
    """
    if version is None or oldest <= version <= CEILING:
        return
    if version > CEILING:
        raise BadRequest(
            f"client version {version} is too new. Maximum supported API version is {CEILING}"
        )
    raise BadRequest(
        f"client version {version} is too old. Minimum supported API version is {oldest},"
        " please upgrade your client to a newer version"
    )


def check_origin(request: Request, route: Route) -> None:
    """Check that a request to one of swarmcore's own routes was not sent by a foreign web page.

    A browser sends a form of any page to any address without asking, but not with the content type
    of JSON: for that it asks the manager first, which allows it only with ``--api-enable-cors``.
    Docker's own routes are as open as an engine's.

    Raises:
        BadRequest: the request changes something and is not declared as JSON.
    """
    if request.method in _READING or not route.template.startswith(_OWN_PATHS):
        return
    kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise BadRequest(
            f"{request.method} {route.template} requires the header 'Content-Type:"
            " application/json', also without a body, so that web pages cannot send it"
        )


@functools.cache
def common_headers(version: ApiVersion, *, experimental: bool) -> Headers:
    """Headers of every answer; clients use them to choose the API version and features."""
    return (
        (b"Api-Version", f"{version}".encode()),
        (b"Docker-Experimental", b"true" if experimental else b"false"),
        (b"Ostype", b"linux"),
        (b"Server", f"Docker/swarmcore-{__version__} (linux)".encode()),
    )
