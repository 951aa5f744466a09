"""Runs one plan, alone in its thread, so that the same plan has the same history each time."""

import gc
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from random import Random
from unittest.mock import patch

import trio
from trio._core import _run as scheduler
from trio.testing import MockClock

from swarmcore import chance, clock, threads
from swarmcore.model import State
from swarmcore.plugins import catalogue, selection
from swarmcore.testing.simulation.checks.invariants import check_always, check_finally
from swarmcore.testing.simulation.checks.leaks import Resources, check_leaks, count_objects
from swarmcore.testing.simulation.clients.client import Client
from swarmcore.testing.simulation.clients.follower import follow_events
from swarmcore.testing.simulation.faults import Injector
from swarmcore.testing.simulation.history import History
from swarmcore.testing.simulation.hosts.network import current_host
from swarmcore.testing.simulation.plan import Plan, Step
from swarmcore.testing.simulation.world import World, current_world, wall_nanoseconds

_CHECK_SECONDS = 1.0
#: The time in which managers must find all engines at the start.
_START_SECONDS = 60.0
#: The time after the last fault until everything must be in order again.
_SETTLE_SECONDS = 80.0


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one plan.

    Attributes:
        plan: what was run.
        history: what happened.
        seconds: simulated seconds.
        answers: the number of answers to clients by status; 0 for none.
    """

    plan: Plan
    history: History
    seconds: float
    answers: Counter[int]

    @property
    def failed(self) -> str:
        """The name of the invariant that did not hold; empty if all did."""
        violation = self.history.violation
        return "" if violation is None else violation.invariant


def run_plan(plan: Plan) -> Result:
    """Run *plan* and check all invariants."""
    history = History()
    simulation = _Simulation(plan, history)
    with _reproducible(plan.seed), _logged(simulation):
        mock = MockClock(autojump_threshold=0)
        mock.jump(1000.0)
        try:
            trio.run(simulation.run, clock=mock)
        except BaseExceptionGroup as group:
            history.violated("crash", repr(group))
    return Result(plan, history, simulation.seconds, simulation.answers)


class _Simulation:
    """One run of a plan."""

    def __init__(self, plan: Plan, history: History) -> None:
        self.plan = plan
        self.history = history
        self.seconds = 0.0
        self.answers: Counter[int] = Counter()
        self._scope = trio.CancelScope()

    async def run(self) -> None:
        with self._scope:
            current_host.set(None)
            world = World(self.plan, self.history)
            current_world.set(world)
            async with trio.open_nursery() as nursery:
                for engine in world.engines.values():
                    nursery.start_soon(engine.run)
                for manager in world.managers.values():
                    nursery.start_soon(manager.run)
                nursery.start_soon(self._check, world)
                await self._play(world)
                nursery.cancel_scope.cancel()
        self.seconds = trio.current_time() - 1000.0

    async def _play(self, world: World) -> None:
        if not await self._is_ready(world):
            self.history.violated("start", "not all engines are healthy after a minute")
            return
        before = replace(Resources.of(world), objects=count_objects())
        clients = [Client(name, world) for name in self.plan.clients]
        followed = next(iter(world.managers.values()))
        injector = Injector(world)
        async with trio.open_nursery() as followers:
            host = world.network.host("follower", "10.0.4.1")
            followers.start_soon(follow_events, world, host, followed)
            began = trio.current_time()
            async with trio.open_nursery() as nursery:
                for client in clients:
                    steps = [step for step in self.plan.steps if step.who == client.name]
                    nursery.start_soon(client.run, steps)
                for step in self.plan.faults:
                    nursery.start_soon(_at, began + step.at, injector, step)
            # An engine may still be off because its containers were moved.
            await trio.sleep_until(max(engine.off_until for engine in world.engines.values()))
            await trio.sleep(_SETTLE_SECONDS)
            followers.cancel_scope.cancel()
        for client in clients:
            self.answers.update(client.answered)
        check_finally(world, clients)
        await check_leaks(world, before)

    async def _is_ready(self, world: World) -> bool:
        with trio.move_on_after(_START_SECONDS):
            await _until(lambda: any(_knows_all(world, name) for name in world.managers))
            await trio.sleep(5.0)
            return True
        return False

    async def _check(self, world: World) -> None:
        while self.history.violation is None:
            check_always(world)
            await trio.sleep(_CHECK_SECONDS)
        self._scope.cancel()


async def _until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110  (what is waited for sends no event)
        await trio.sleep(0.5)


def _knows_all(world: World, name: str) -> bool:
    cluster = world.managers[name].cluster
    if cluster is None or not cluster.is_primary:
        return False
    healthy = [node for node in cluster.nodes() if node.state is State.HEALTHY]
    return len(healthy) == len(world.engines)


async def _at(moment: float, injector: Injector, step: Step) -> None:
    await trio.sleep_until(moment)
    await injector.inject(step)


# ---- the same each time


@contextmanager
def _reproducible(seed: int) -> Iterator[None]:
    """Take every choice from *seed*: of the scheduler, of the product, of its clocks."""
    watch = _Stopwatch(Random(f"watch {seed}"))
    was_allowed, gc_was_on = scheduler._ALLOW_DETERMINISTIC_SCHEDULING, gc.isenabled()
    scheduler._ALLOW_DETERMINISTIC_SCHEDULING = True  # type: ignore[misc]
    scheduler._r.seed(seed)
    gc.disable()  # it would end forgotten generators at moments that vary
    try:
        with ExitStack() as stack:
            stack.enter_context(clock.replaced(wall_nanoseconds, watch))
            stack.enter_context(chance.seeded(seed))
            stack.enter_context(threads.avoided())
            # Looking for installed plugins takes as long as ten simulated seconds.
            stack.enter_context(patch.object(selection, "installed", _installed))
            yield
    finally:
        scheduler._ALLOW_DETERMINISTIC_SCHEDULING = was_allowed  # type: ignore[misc]
        if gc_was_on:
            gc.enable()
        gc.collect()


_installed = cache(catalogue.installed)


class _Stopwatch:
    """Work takes a time that the seed chooses, so that tasks yield at any place where they may."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._seconds = 0.0

    def __call__(self) -> float:
        self._seconds += self._random.random() * 0.002
        return self._seconds


@contextmanager
def _logged(simulation: _Simulation) -> Iterator[None]:
    """Add warnings to the history; an internal error of the product is a violation."""
    handler = _Handler(simulation.history)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


class _Handler(logging.Handler):
    def __init__(self, history: History) -> None:
        super().__init__(logging.WARNING)
        self._history = history

    def emit(self, record: logging.LogRecord) -> None:
        host = current_host.get()
        where = "" if host is None else f"{host.name} "
        text = record.getMessage()
        self._history.note(trio.current_time(), f"{where}logs: {text}")
        if record.exc_info:
            self._history.violated("internal error", f"{where}{text}: {record.exc_info[1]!r}")
