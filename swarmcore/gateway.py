"""From a connection's exchange to the handler of its route: versions, authorization, errors.

Knows what every answer of a Docker API has in common, and no route of its own.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, cast

from swarmcore import __version__
from swarmcore.errors import BadRequest, Forbidden, NotFound, SwarmError
from swarmcore.messages import Answer, Headers, Request
from swarmcore.metering import Meter
from swarmcore.protocols import NO_HOOKS, Cluster, Denied, Engine, ResponseHooks, Route, Traffic
from swarmcore.relay import Relayable, relay
from swarmcore.routing import Router, clean_target
from swarmcore.server import cause_of
from swarmcore.server.exchange import ServerExchange
from swarmcore.server.incoming import ClientGone
from swarmcore.versions import CEILING, ApiVersion

log = logging.getLogger(__name__)

_CORS: Headers = (
    (b"Access-Control-Allow-Origin", b"*"),
    (b"Access-Control-Allow-Headers", b"Origin, X-Requested-With, Content-Type, Accept"),
    (b"Access-Control-Allow-Methods", b"GET, POST, DELETE, PUT, OPTIONS, HEAD"),
)


#: Paths that may have addresses in them, as ``unix:///run/docker.sock``; no engine has them.
_OWN_PATHS = "/swarmcore/"


class PluginFailed(SwarmError):
    """A plugin raised what it should not; its name is in the log."""


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """What an operator may change.

    Attributes:
        cors: let web pages of any origin use the API (``--api-enable-cors``).
    """

    cors: bool = False


class Gateway:
    """Answers exchanges with the routes of plugins.

    Args:
        router: every plugin's routes.
        cluster: handed to handlers.
        authorize: asked about every request; ``None`` allows it.
        settings: the operator's.
        forward: of one of several managers: has another one answer what is not ``Route.local``,
            and says whether it did.
    """

    def __init__(
        self,
        router: Router[Route],
        cluster: Cluster,
        authorize: Callable[[Request], Denied | None],
        settings: GatewaySettings | None = None,
        forward: Callable[[ServerExchange], Awaitable[bool]] | None = None,
    ) -> None:
        self._router = router
        self._cluster = cluster
        self._authorize = authorize
        self._settings = settings or GatewaySettings()
        self._forward = forward
        self._meter = Meter()

    async def handle(self, exchange: ServerExchange) -> None:
        """Answer one exchange.

        Raises:
            SwarmError: becomes the answer, in the server.
            ClientGone: nobody is left to answer.
        """
        exchange.common_headers = common_headers(
            self._cluster.api_version, experimental=self._cluster.experimental
        )
        if self._settings.cors:
            exchange.common_headers += _CORS
        found = self._router.match(exchange.request.method, exchange.request.path)
        with self._meter.count(_kind_of(found[0] if found else None), exchange):
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
        if request.method == "OPTIONS":  # to any path, as engines do
            await exchange.send(Answer(200))
            return
        if found is None:
            raise NotFound("page not found")
        route, params = found
        if self._forward is not None and not route.local and await self._forward(exchange):
            return
        exchange.request = request.with_params(params)
        await self._call(route, exchange)

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
                raise error from raised
            where = getattr(route.handler, "__module__", "a plugin")
            log.exception("%s: handler of %s %s failed", where, route.method, route.template)
            raise PluginFailed(f"{where}: internal error, see the manager's log") from raised


class ClusterExchange:
    """What a handler is given: ``protocols.Exchange``."""

    def __init__(self, exchange: ServerExchange, cluster: Cluster, meter: Meter) -> None:
        self._exchange = exchange
        self._meter = meter
        self.cluster = cluster
        self.request = exchange.request

    def traffic(self) -> Mapping[str, Traffic]:
        """See ``protocols.Exchange``."""
        return self._meter.traffic()

    async def read_body(self) -> bytes:
        """See ``protocols.Exchange``."""
        return await self._exchange.read_body()

    async def receive_chunk(self) -> bytes:
        """See ``protocols.Exchange``."""
        return await self._exchange.receive_chunk()

    async def read_json(self) -> Any:
        """See ``protocols.Exchange``."""
        return await self._exchange.read_json()

    async def send(self, answer: Answer) -> None:
        """See ``protocols.Exchange``."""
        await self._exchange.send(answer)

    async def send_json(self, value: Any, status: int = 200) -> None:
        """See ``protocols.Exchange``."""
        await self._exchange.send_json(value, status)

    def stream(
        self, status: int = 200, headers: Headers = ()
    ) -> AbstractAsyncContextManager[Callable[[bytes], Awaitable[None]]]:
        """See ``protocols.Exchange``."""
        return self._exchange.stream(status, headers)

    def watching(self) -> AbstractAsyncContextManager[None]:
        """See ``protocols.Exchange``."""
        return self._exchange.watching()

    async def relay(
        self,
        engine: Engine,
        path: str,
        *,
        body: bytes | None = None,
        hooks: ResponseHooks = NO_HOOKS,
        pieces: Callable[[], Awaitable[bytes]] | None = None,
    ) -> int:
        """See ``protocols.Exchange``."""
        return await relay(
            self._exchange,
            # Every engine that the cluster hands out is one; plugins need not know.
            cast("Relayable", engine),
            path,
            announced=self.cluster.api_version,
            body=body,
            hooks=hooks,
            pieces=pieces,
        )


def _kind_of(route: Route | None) -> str:
    """What a request counts as: the first segment of its path, where that is a route's."""
    return "other" if route is None else route.template.split("/", 2)[1]


def check_version(version: ApiVersion | None, oldest: ApiVersion) -> None:
    """Refuse a path's version that is out of range, in the words that clients show.

    Args:
        version: the path's; ``None`` without a prefix.
        oldest: what is accepted at least, ``Cluster.min_api_version``.

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


def common_headers(version: ApiVersion, *, experimental: bool) -> Headers:
    """What every answer says: clients choose their version and flags by it."""
    return (
        (b"Api-Version", f"{version}".encode()),
        (b"Docker-Experimental", b"true" if experimental else b"false"),
        (b"Ostype", b"linux"),
        (b"Server", f"Docker/swarmcore-{__version__} (linux)".encode()),
    )
