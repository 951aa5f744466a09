"""Moves unused networks and volumes to the node of the first container that needs them.

The object is created on the new node before it is removed on the old one; clients see one of the
two.  The engine is asked just before whether the object is unused and empty; otherwise it stays.
See ``docs/decisions/0010-what-follows.md``.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from weakref import WeakValueDictionary

import trio

from swarmcore.cluster.membership import Membership
from swarmcore.cluster.placement.recreation import (
    Recreation,
    prove_network,
    prove_volume,
    recreate_network,
    recreate_volume,
)
from swarmcore.container_config import ContainerConfig
from swarmcore.container_config.references import find_network, former_ids
from swarmcore.engine import Engine
from swarmcore.errors import EngineError, EngineRefused, EngineUnreachable, Unavailable
from swarmcore.http.messages import JSON_HEADERS, Answer, dump_json, error_answer
from swarmcore.node import Node, Thing
from swarmcore.versions import ApiVersion

log = logging.getLogger(__name__)

#: Engines of older API versions would give IPv4 addresses to a network created without them.
_WITHOUT_IPV4 = ApiVersion(1, 48)
#: Seconds for completing a move that is under way when the manager stops.
_FINISH_SECONDS = 20.0

#: Seconds between two searches for networks that were moved but not removed.
_SWEEP_SECONDS = 10.0


class CannotMove(Exception):
    """A network or volume cannot be moved; the text says why.  Later decisions avoid moving it."""


class CannotRecreate(Exception):
    """The engine of the new node refuses to create the network or volume.

    Args:
        refusal: the engine's answer.

    Attributes:
        answer: *refusal* for the client that creates a container.  A 404 becomes a 400, as clients
            take a 404 for a missing image.
    """

    def __init__(self, refusal: Answer) -> None:
        super().__init__(refusal.message)
        status = 400 if refusal.status == 404 else refusal.status
        self.answer = error_answer(status, refusal.message)


class Relocation:
    """Moves networks and volumes; concurrent creates share one move.

    Args:
        members: the engines.
        permit: raises ``Unavailable`` if this manager may not place.
    """

    def __init__(self, members: Membership, permit: Callable[[], None]) -> None:
        self._members = members
        self._permit = permit
        self._under_way: WeakValueDictionary[Thing, trio.Lock] = WeakValueDictionary()

    async def gather(self, config: ContainerConfig, node: Node) -> None:
        """Move the unused objects that *config* refers to, to *node*.

        Args:
            config: a configuration that is reserved on *node*.
            node: the chosen node.

        Raises:
            CannotMove: an object is in use; the create must be decided again.
            CannotRecreate: the engine of *node* refuses the object.
        """
        for kind, texts in (("network", config.networks), ("volume", config.volumes)):
            for text in texts:
                while (found := self._find(kind, text, node)) is not None:
                    source, thing = found
                    lock = self._under_way.setdefault(thing, trio.Lock())
                    async with lock:
                        if self._find(kind, text, node) == found:
                            await self._move(thing, source, node)

    async def bring(self, config: ContainerConfig, node: Node) -> None:
        """Like ``gather``, for an existing container: an object that cannot move stays.

        Raises:
            EngineRefused: the engine of *node* refuses the object; has its status and message.
        """
        try:
            await self.gather(config, node)
        except CannotMove as error:
            log.info("%s", error)
        except CannotRecreate as error:
            raise EngineRefused(node.name, error.answer.status, str(error)) from None

    async def run(self) -> None:
        """Remove what a killed manager left behind, periodically until cancelled."""
        while True:
            await trio.sleep(_SWEEP_SECONDS)
            await self._sweep()

    async def _sweep(self) -> None:
        """Remove networks that a manager moved but did not remove before it was killed."""
        try:
            self._permit()
        except Unavailable:
            return  # the manager that leads may be moving them now
        engines = self._members.snapshot.healthy
        moved = {
            id
            for engine in engines
            for network in engine.node.networks.values()
            for id in former_ids(network)
        }
        for engine in engines if moved else ():
            for id in moved & engine.node.networks.keys():
                await self._remove_moved(engine, engine.node.networks[id])

    async def _remove_moved(self, engine: Engine, network: Mapping[str, Any]) -> None:
        thing: Thing = ("network", str(network.get("Name")))
        if thing not in self._under_way and engine.node.objects.is_loose_network(network):
            log.info("removing network %s from %s: it was moved", thing[1], engine.label)
            await _forgive(lambda: engine.call("DELETE", f"/networks/{network['Id']}"))
            await _forgive(engine.refresh_networks)

    def _find(self, kind: str, text: str, target: Node) -> tuple[Node, Thing] | None:
        """The object that *text* refers to and its node, if that node may give it up."""
        for engine in self._members.snapshot.registered:
            node = engine.node
            if node is target:
                continue
            if kind == "network":
                network = find_network(node, text)
                thing: Thing = ("network", str(network.get("Name")) if network else "")
            else:
                thing = ("volume", text if text in node.volumes else "")
            if thing[1] and node.objects.is_leaving(thing):
                return node, thing
        return None

    async def _move(self, thing: Thing, source: Node, target: Node) -> None:
        holder = self._members.by_node(source.id)
        taker = self._members.by_node(target.id)
        kind, name = thing
        try:
            recreation = await _recreation_of(thing, holder)
            log.info("moving %s %s from %s to %s: nothing uses it yet, and it is needed there",
                     kind, name, source.name, target.name)  # fmt: skip
            await _carry_out(thing, recreation, holder, taker)
        except EngineError as error:
            source.objects.keep(thing)
            raise CannotMove(f"{kind} {name} stays on {source.name}: {error}") from error


async def _recreation_of(thing: Thing, holder: Engine) -> Recreation:
    """Check that *thing* is unused and empty, and return the requests that recreate it.

    Raises:
        EngineError: it is in use or not empty, or the check failed.
    """
    kind, name = thing
    if kind == "network":
        return recreate_network(await prove_network(holder, name))
    return recreate_volume(await prove_volume(holder, name))


async def _carry_out(thing: Thing, recreation: Recreation, holder: Engine, taker: Engine) -> None:
    """Create the new object, show it instead of the old one, and remove the old one; or undo.

    Raises:
        CannotRecreate: *taker* refuses to create it.
        EngineError: *holder* refuses to remove it, or an engine was lost.
    """
    here, there = holder.node.objects, taker.node.objects
    there.hide(thing)
    try:
        await _make(taker, recreation)
        # Shielded, so that a manager that stops does not leave both objects.
        with trio.CancelScope(deadline=trio.current_time() + _FINISH_SECONDS, shield=True):
            await _forgive(lambda: _refresh(thing, taker))
            there.show(thing)
            here.hide(thing)
            try:
                await _let_go(holder, recreation)
            except EngineError:
                there.hide(thing)
                here.show(thing)
                await _forgive(lambda: taker.call("DELETE", recreation.undo))
                await _forgive(lambda: _refresh(thing, taker))
                raise
            _forget(thing, recreation, holder)
    finally:
        here.show(thing)
        there.show(thing)


async def _make(taker: Engine, recreation: Recreation) -> None:
    if recreation.body.get("EnableIPv4") is False and taker.node.api_version < _WITHOUT_IPV4:
        raise CannotRecreate(error_answer(400, f"EnableIPv4 needs API {_WITHOUT_IPV4}"))
    body = dump_json(recreation.body)
    try:
        made = await taker.call("POST", recreation.create, body=body, headers=JSON_HEADERS)
    except EngineUnreachable as error:
        if error.sent:
            await _forgive(lambda: taker.call("DELETE", recreation.undo))
        raise
    if not made.ok:
        raise CannotRecreate(made)


async def _let_go(holder: Engine, recreation: Recreation) -> None:
    """Remove the old object.  If the outcome is unknown, both objects may remain.

    Raises:
        EngineError: it was not removed, or a client has removed it meanwhile.
    """
    try:
        answer = await holder.call("DELETE", recreation.path)
    except EngineUnreachable as error:
        if not error.sent:
            raise
        log.warning("%s may be left on %s: %s", recreation.path, holder.label, error)
        return
    if not answer.ok:
        raise EngineRefused(holder.label, answer.status, answer.message)


def _forget(thing: Thing, recreation: Recreation, holder: Engine) -> None:
    if thing[0] == "network":
        holder.forget_network(recreation.key)
    else:
        holder.forget_volume(recreation.key)


async def _refresh(thing: Thing, engine: Engine) -> None:
    if thing[0] == "network":
        await engine.refresh_networks()
    else:
        await engine.refresh_volumes()


async def _forgive(work: Callable[[], Awaitable[object]]) -> None:
    """Run *work* and only log a failure: the engine's next list corrects the cache."""
    try:
        await work()
    except EngineError as error:
        log.warning("after a move: %s", error)
