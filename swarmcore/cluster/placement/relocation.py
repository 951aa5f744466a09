"""Networks and volumes that nothing uses yet are made anew where the first container needs them.

The new one is made before the old one is removed, and clients see one of the two.  Right before,
the engine is asked whether the object is empty: with endpoints or content it stays where it is.
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
from swarmcore.http.messages import Answer, dump_json, error_answer
from swarmcore.node import Node, Thing
from swarmcore.versions import ApiVersion

log = logging.getLogger(__name__)

_JSON = ((b"Content-Type", b"application/json"),)
#: Engines of older versions give a network addresses that it was not to have.
_WITHOUT_IPV4 = ApiVersion(1, 48)
#: How long a move that has begun goes on when the manager stops, in seconds.
_FINISH_SECONDS = 20.0

#: Seconds between two looks for networks that were moved and not removed.
_SWEEP_SECONDS = 10.0


class CannotMove(Exception):
    """A network or volume stays on its node; the text says why.  Later decisions know that."""


class CannotRecreate(Exception):
    """The new node's engine refuses the network or volume.

    Args:
        refusal: the answer of its engine.

    Attributes:
        answer: that, as the answer to the create of a container: a 404 would mean its image.
    """

    def __init__(self, refusal: Answer) -> None:
        super().__init__(refusal.message)
        status = 400 if refusal.status == 404 else refusal.status
        self.answer = error_answer(status, refusal.message)


class Relocation:
    """Moves networks and volumes, each of them once, however many creates wait for it.

    Args:
        members: the engines.
        permit: raises ``Unavailable`` where another manager places.
    """

    def __init__(self, members: Membership, permit: Callable[[], None]) -> None:
        self._members = members
        self._permit = permit
        self._under_way: WeakValueDictionary[Thing, trio.Lock] = WeakValueDictionary()

    async def gather(self, config: ContainerConfig, node: Node) -> None:
        """Move to *node* what *config* names and other nodes let go of.

        Args:
            config: reserved on *node*.
            node: the node.

        Raises:
            CannotMove: something is in use after all; decide anew.
            CannotRecreate: *node* cannot have it.
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
        """As ``gather``, for a container that exists: what cannot move stays where it is.

        Raises:
            EngineRefused: *node* cannot have it; its engine's status and words.
        """
        try:
            await self.gather(config, node)
        except CannotMove as error:
            log.info("%s", error)
        except CannotRecreate as error:
            raise EngineRefused(node.name, error.answer.status, str(error)) from None

    async def run(self) -> None:
        """Remove what a manager that was killed left behind, again and again until cancelled."""
        while True:
            await trio.sleep(_SWEEP_SECONDS)
            await self._sweep()

    async def _sweep(self) -> None:
        """Remove networks that were moved by a manager that was killed before it removed them."""
        try:
            self._permit()
        except Unavailable:
            return  # another manager may be moving them just now
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
        """The network or volume that *text* means, and the node that lets go of it, if one does."""
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
    """The requests that make *thing* anew, once it is proved to be empty.

    Raises:
        EngineError: it is not, or that cannot be proved.
    """
    kind, name = thing
    if kind == "network":
        return recreate_network(await prove_network(holder, name))
    return recreate_volume(await prove_volume(holder, name))


async def _carry_out(thing: Thing, recreation: Recreation, holder: Engine, taker: Engine) -> None:
    """Make, show the new one instead of the old one, remove the old one; or undo.

    Raises:
        CannotRecreate: the taker refuses.
        EngineError: the holder does not let go of it, or an engine was lost.
    """
    here, there = holder.node.objects, taker.node.objects
    there.hide(thing)
    try:
        await _make(taker, recreation)
        # A manager that is stopped leaves no two of them behind.
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
        made = await taker.call("POST", recreation.create, body=body, headers=_JSON)
    except EngineUnreachable as error:
        if error.sent:
            await _forgive(lambda: taker.call("DELETE", recreation.undo))
        raise
    if not made.ok:
        raise CannotRecreate(made)


async def _let_go(holder: Engine, recreation: Recreation) -> None:
    """Remove the old one.  Where the outcome is unknown, two of them are better than none.

    Raises:
        EngineError: it is there yet, or a client removed it meanwhile.
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
    """Do *work*, and log a failure: the engine's next list shows what is true."""
    try:
        await work()
    except EngineError as error:
        log.warning("after a move: %s", error)
