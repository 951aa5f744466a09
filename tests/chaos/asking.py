"""One client's requests: each to one manager, and once more if that fails.

The second attempt goes to the other manager, or to the same one if the other does not answer pings.
"""

import http.client
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.chaos.history import History
from tests.chaos.plan import MANAGERS
from tests.chaos.world import World
from tests.system.raw_requests import Reply, ask

#: Time limit of one attempt in seconds: more than a takeover and than a hung engine's flagging.
PATIENCE_SECONDS = 30.0
#: Time limit of a ping.
_PING_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an operation.

    Attributes:
        reply: the last answer; ``None`` if the connection failed.
        repeated: whether there were two attempts, so that the first may have been carried out.
        ok: whether the last answer is one of the expected ones.
        since: when the operation began, in seconds after the start of the run.
        told: both results, for messages.
    """

    reply: Reply | None
    repeated: bool
    ok: bool
    since: float
    told: str

    @property
    def status(self) -> int:
        """The last status; 0 if the connection failed."""
        return self.reply.status if self.reply is not None else 0


class Asker:
    """Sends the requests of one client.

    Args:
        name: the client.
        world: has the managers.
        history: gets a record of each attempt.
        random: chooses the manager of the first attempt.
    """

    def __init__(self, name: str, world: World, history: History, random: Random) -> None:
        self._name = name
        self._world = world
        self._history = history
        self._random = random

    def operate(
        self,
        what: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        about: tuple[str, ...],
        good: Container[int],
        good_again: Container[int] = (),
        final: Callable[[Reply], bool] = lambda reply: reply.status < 500,
    ) -> Outcome:
        """Send a request, and once more unless the answer is final.

        Args:
            what: the operation, for counts.
            method: the HTTP method.
            path: the path.
            body: the JSON body.
            about: the names that it concerns, for the history.
            good: statuses that mean success.
            good_again: more such statuses of the second attempt.
            final: whether an answer that is not good is not to be repeated.
        """
        since, told = self._history.now(), []
        first, second = self._random.sample(MANAGERS, 2)
        reply = self._attempt(first, method, path, body, about)
        told.append(_tell(first, reply))
        self._history.count("operations", f"operations: {what}")
        if reply is not None and (reply.status in good or final(reply)):
            return Outcome(reply, False, reply.status in good, since, told[0])
        self._history.count("first errors", f"first errors: {what}")
        # Like the checks of a load balancer: what is down is not asked.
        second = second if self._pings(second) else first
        reply = self._attempt(second, method, path, body, about)
        told.append(_tell(second, reply))
        ok = reply is not None and (reply.status in good or reply.status in good_again)
        self._history.count("mended by one retry" if ok else "failed after a retry")
        return Outcome(reply, True, ok, since, ", then ".join(told))

    def look(self, path: str, *about: str) -> Reply | None:
        """Ask once, any manager; return ``None`` if the connection failed."""
        return self._attempt(self._random.choice(MANAGERS), "GET", path, None, about)

    def _pings(self, manager: str) -> bool:
        try:
            reply = ask(self._world.address(manager), "GET", "/_ping", seconds=_PING_SECONDS)
        except (OSError, http.client.HTTPException):
            return False
        return reply.status == 200

    def _attempt(
        self, manager: str, method: str, path: str, body: Any, about: tuple[str, ...]
    ) -> Reply | None:
        since = self._history.now()
        try:
            reply = ask(self._world.address(manager), method, path, body, seconds=PATIENCE_SECONDS)
        except (OSError, http.client.HTTPException) as error:
            reply, result = None, repr(error)
        else:
            result = _summary(reply)
        self._history.add(
            self._name, f"{manager} {method} {path}", *about, result=result, since=since
        )
        return reply


def _summary(reply: Reply) -> str:
    if reply.status < 400 and len(reply.body) > 90:
        return f"{reply.status} ({len(reply.body)} bytes)"
    return f"{reply.status} {reply.body[:300].decode(errors='replace').strip()}"


def _tell(manager: str, reply: Reply | None) -> str:
    return f"{manager}: {'no answer' if reply is None else _summary(reply)}"


def labels_of(reply: Reply | None) -> Mapping[str, str]:
    """The labels in the answer to an inspect; none if there is no such answer."""
    if reply is None or reply.status != 200:
        return {}
    found: Mapping[str, str] = reply.json["Config"]["Labels"]
    return found
