"""The hub's HTTP API: Swarm classic's protocol, with labels, waiting, leaving and ``http_sd``."""

import hmac
import logging
import math
import re
from base64 import b64decode
from collections.abc import Callable, Iterable
from contextlib import suppress

import trio

from swarmcore import chance, clock
from swarmcore.errors import BadRequest, Forbidden, NotFound, SwarmError
from swarmcore.http.messages import Answer, Request, json_answer
from swarmcore.http.server import ServerExchange
from swarmcore_hub.buckets import Buckets
from swarmcore_hub.database import (
    Database,
    NotStored,
    created,
    dropped,
    expired,
    registered,
    removed,
)
from swarmcore_hub.options import HubOptions
from swarmcore_hub.registry import Registry, read_registration

log = logging.getLogger(__name__)

#: Characters that names of labels in Prometheus 2 cannot have.
_NOT_IN_A_NAME = re.compile("[^a-zA-Z0-9_]")
_LEADING_DIGIT = re.compile("^(?=[0-9])")

_LONGEST_WAIT_SECONDS = 55.0
_SWEEP_SECONDS = 1.0
_CREATES_A_DAY = 100


class _Refused(SwarmError):
    """A refusal with an additional header."""

    def __init__(self, status: int, message: str, header: tuple[bytes, bytes]) -> None:
        super().__init__(message)
        self.status = status
        self.header = header


class Hub:
    """Answers requests from a registry, and writes changes to a database.

    Args:
        registry, database: the lists in memory and on disk.
        options: authorization and limits.
        clock: returns Unix seconds.
    """

    def __init__(
        self,
        registry: Registry,
        database: Database,
        options: HubOptions,
        clock: Callable[[], float] = clock.unix_seconds,
    ) -> None:
        self._registry = registry
        self._database = database
        self._options = options
        self._clock = clock
        self._requests = Buckets(options.rate)
        self._creates = Buckets(_CREATES_A_DAY / 86_400, _CREATES_A_DAY)
        self._waiters: dict[str, trio.Event] = {}
        self._life = chance.token_hex(4)

    async def handle(self, exchange: ServerExchange) -> None:
        """Answer one request."""
        try:
            self._check(exchange.request)
            answer = await self._answer(exchange)
        except _Refused as error:
            told = json_answer({"message": str(error)}, error.status)
            answer = Answer(told.status, (*told.headers, error.header), told.body)
        await exchange.send(answer)

    async def sweep(self) -> None:
        """Remove engines whose time to live has ended, until cancelled."""
        idle_check = self._clock()
        while True:
            await trio.sleep(_SWEEP_SECONDS)
            now = self._clock()
            changed = self._registry.expire(now)
            for token in changed:
                self._tell(token)
            if changed:
                # Engines that stay in the file are removed after the next start.
                with suppress(NotStored):
                    await self._database.save(expired(now))
            if now - idle_check > 3600:
                idle_check = now
                gone = [
                    change for token in self._registry.drop_idle(now) for change in dropped(token)
                ]
                if gone:
                    with suppress(NotStored):
                        await self._database.save(*gone)

    def stop(self) -> None:
        """Answer all waiting requests: the hub stops."""
        for token in list(self._waiters):
            self._tell(token)

    # ---- authorization

    def _check(self, request: Request) -> None:
        wait = self._requests.take(request.client.host, self._clock())
        if wait:
            raise _later("too many requests", wait)
        if request.method != "GET" and request.header("origin") is not None:
            # Only browsers send this header; a page could use the password that a browser keeps.
            raise Forbidden("web pages cannot change the lists of this hub")
        wanted = self._options.user
        if request.method == "POST" and _parts(request) == ["clusters"]:
            wanted = self._options.create_user or wanted
        if wanted and not _carries(request, wanted):
            raise _Refused(401, "unauthorized", (b"WWW-Authenticate", b'Basic realm="swarmcore"'))

    # ---- routes

    async def _answer(self, exchange: ServerExchange) -> Answer:
        request = exchange.request
        match _parts(request):
            case ["healthz"]:
                return _only(request, GET=lambda: _text("ok"))
            case ["clusters"]:
                _allow(request, "POST")
                return await self._create(request)
            case ["clusters", token]:
                match request.method:
                    case "GET":
                        return await self._list(exchange, token)
                    case "POST":
                        return await self._register(exchange, token)
                    case "DELETE":
                        return await self._drop(token)
                _allow(request, "GET", "POST", "DELETE")
            case ["clusters", token, "http_sd"]:
                _allow(request, "GET")
                return self._http_sd(token)
            case ["clusters", token, address]:
                _allow(request, "DELETE")
                return await self._remove(token, address)
        raise NotFound("page not found")

    async def _create(self, request: Request) -> Answer:
        now = self._clock()
        wait = self._creates.take(request.client.host, now)
        if wait:
            raise _later(f"more than {_CREATES_A_DAY} clusters a day", wait)
        token = self._registry.create(now)
        try:
            await self._database.save(created(token, now))
        except NotStored:
            self._registry.drop(token)
            raise
        log.info("%s made cluster %s...", request.client.host, token[:6])
        return _text(token)

    async def _register(self, exchange: ServerExchange, token: str) -> Answer:
        ttl = _seconds(exchange.request, "ttl")
        try:
            text = (await exchange.read_body()).decode("ascii")
        except UnicodeDecodeError:
            raise BadRequest("not an engine's address; send HOST:PORT") from None
        version = self._registry.version(token)
        now = self._clock()
        before = self._registry.find(token, read_registration(text)[0])
        row = self._registry.register(token, text, ttl, now)
        is_renewal = self._registry.version(token) == version
        if not is_renewal:
            log.info("%s is in cluster %s...", row.address, token[:6])
            self._tell(token)
        try:
            await self._database.save(registered(row), created(token, now))
        except NotStored:
            # A full disk must not empty the lists: a renewal is needed in memory only, as an
            # engine's time to live starts again when the hub does.
            if not is_renewal:
                self._registry.undo(token, row.address, before, row)
                self._tell(token)
                raise
        return Answer(200)

    async def _remove(self, token: str, address: str) -> Answer:
        before = self._registry.find(token, address)
        self._registry.remove(token, address)
        self._tell(token)
        try:
            await self._database.save(removed(token, address))
        except NotStored:
            self._registry.undo(token, address, before, None)
            self._tell(token)
            raise
        return Answer(200)

    async def _drop(self, token: str) -> Answer:
        put_back = self._registry.drop(token)
        self._tell(token)
        try:
            await self._database.save(*dropped(token))
        except NotStored:
            put_back()
            raise
        return Answer(200)

    async def _list(self, exchange: ServerExchange, token: str) -> Answer:
        """The list: at once, or after its next change if the client has it and asks to wait."""
        request = exchange.request
        wait = min(_seconds(request, "wait"), _LONGEST_WAIT_SECONDS)
        tag = self._tag(token)
        if wait and request.header("if-none-match") == tag:
            changed = self._waiters.setdefault(token, trio.Event())
            async with exchange.watching():
                with trio.move_on_after(wait):
                    await changed.wait()
            tag = self._tag(token)
            if request.header("if-none-match") == tag:
                return Answer(304, ((b"ETag", tag.encode()),))
        listed = json_answer(self._registry.list(token, labels=request.query.flag("labels")))
        return Answer(200, (*listed.headers, (b"ETag", tag.encode())), listed.body)

    def _http_sd(self, token: str) -> Answer:
        groups = []
        for text in self._registry.list(token, labels=True):
            address, *labels = text.split()
            groups.append({"targets": [address], "labels": prometheus_labels(labels)})
        return json_answer(groups)

    def _tag(self, token: str) -> str:
        # Versions start at 0 when the hub starts; the tag of an earlier run must not match.
        return f'"{self._life}-{self._registry.version(token)}"'

    def _tell(self, token: str) -> None:
        waiter = self._waiters.pop(token, None)
        if waiter is not None:
            waiter.set()


def prometheus_labels(labels: Iterable[str]) -> dict[str, str]:
    """Labels with names that Prometheus accepts.

    As in Prometheus' own service discoveries (``strutil.SanitizeLabelName``), each character that a
    name must not have becomes an underscore; a digit at the beginning gets one before it.  A label
    that has such a name itself takes precedence over one that is renamed to it.

    Args:
        labels: ``key=value``.
    """
    pairs = [label.split("=", 1) for label in labels]
    renamed = {_LEADING_DIGIT.sub("_", _NOT_IN_A_NAME.sub("_", key)): text for key, text in pairs}
    return renamed | {key: text for key, text in pairs if key in renamed}


def _parts(request: Request) -> list[str]:
    """The segments of the path, without an optional ``v1`` as in classic's URLs."""
    parts = [part for part in request.path.split("/") if part]
    return parts[1:] if parts[:1] == ["v1"] else parts


def _later(reason: str, seconds: float) -> _Refused:
    whole = math.ceil(seconds)
    return _Refused(429, f"{reason}; again in {whole} s", (b"Retry-After", b"%d" % whole))


def _allow(request: Request, *methods: str) -> None:
    if request.method not in methods:
        allowed = ", ".join(methods)
        raise _Refused(405, f"only {allowed} here", (b"Allow", allowed.encode()))


def _only(request: Request, **answers: Callable[[], Answer]) -> Answer:
    _allow(request, *answers)
    return answers[request.method]()


def _text(text: str) -> Answer:
    return Answer(200, ((b"Content-Type", b"text/plain; charset=utf-8"),), text.encode())


def _seconds(request: Request, key: str) -> float:
    text = request.query.get(key) or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise BadRequest(f"{key}={text[:100]}: not a number of seconds")
    return float(text)


def _carries(request: Request, wanted: str) -> bool:
    kind, _, coded = (request.header("authorization") or "").partition(" ")
    try:
        given = b64decode(coded, validate=True)
    except ValueError:
        return False
    return kind.lower() == "basic" and hmac.compare_digest(given, wanted.encode())
