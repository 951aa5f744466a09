"""Carries out the faults of a plan, and ends each after its time."""

import trio
from trio.testing import MockClock

from swarmcore.testing.embedded.faults import Fault
from swarmcore.testing.simulation.hosts.engines import SimulatedEngine
from swarmcore.testing.simulation.hosts.network import Link
from swarmcore.testing.simulation.plan import Step
from swarmcore.testing.simulation.world import World

#: What a lost answer or a dropped request may have asked.
_PATTERNS = {
    "create": "POST /containers/create",
    "remove": "DELETE /containers/*",
    "start": "POST /containers/*/start",
    "list": "GET /containers/*",
    "any": "*",
}
#: A link of which a message takes longer disturbs the engine.
_SLOW_SECONDS = 0.5
#: The number of answers that are lost at most.
_TIMES = 3


class Injector:
    """Makes faults.

    Args:
        world: where.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    async def inject(self, step: Step) -> None:
        """Make one fault, and end it."""
        world = self._world
        world.note(f"FAULT {step}")
        if step.who in world.engines:
            await self._disturb_engine(step, world.engines[step.who])
        elif step.what == "stop":
            await self._stop(step)
        elif step.what == "kill":
            await self._kill(step)
        elif step.what == "clock":
            world.managers[step.who].host.clock_offset += int(step.number * 1e9)
        elif step.what == "partition":
            await self._cut([self._link(step.who, "store")], step, step.who)
        elif step.what == "store":
            links = [self._link(name, "store") for name in world.managers]
            await self._cut(links, step, "store")
        else:
            world.store.loses_answers = True
            world.disturb("store")
            await trio.sleep(step.seconds)
            world.store.loses_answers = False
            world.calm("store")

    async def _disturb_engine(self, step: Step, engine: SimulatedEngine) -> None:
        match step.what:
            case "crash":
                await self._crash(step, engine)
            case "hang":
                await self._hang(step, engine)
            case "cut":
                names = [step.name] if step.name else list(self._world.managers)
                links = [self._link(name, engine.name) for name in names]
                await self._cut(links, step, engine.name)
            case "close":
                engine.drop_connections()
            case "slow":
                await self._slow(step, engine)
            case "clock":
                engine.machine.clock_offset += int(step.number * 1e9)
            case "lose":
                await self._for_a_while(step, engine.lose(_PATTERNS[step.name], times=_TIMES))
            case "drop":
                await self._for_a_while(step, engine.drop(_PATTERNS[step.name], times=_TIMES))
            case "late":
                await self._for_a_while(step, engine.delay("*", step.number))
            case "repeat":
                await self._events(step, engine, engine.repeat_events())
            case "reorder":
                await self._events(step, engine, engine.reorder_events())

    async def _crash(self, step: Step, engine: SimulatedEngine) -> None:
        world = self._world
        world.disturb(engine.name)
        engine.crash(step.seconds)
        await trio.sleep_until(engine.off_until)
        world.note(f"{engine.name} starts again")
        await trio.sleep(10.0)  # until managers have found it
        world.calm(engine.name)

    async def _hang(self, step: Step, engine: SimulatedEngine) -> None:
        world = self._world
        world.disturb(engine.name)
        engine.is_hung = True
        engine.pause()
        await trio.sleep(step.seconds)
        engine.resume()
        engine.is_hung = False
        world.note(f"{engine.name} answers again")
        await trio.sleep(10.0)
        world.calm(engine.name)

    async def _cut(self, links: list[Link], step: Step, disturbed: str) -> None:
        world = self._world
        world.disturb(disturbed)
        for link in links:
            link.cut()
        await trio.sleep(step.seconds)
        for link in links:
            link.mend()
        world.note(f"the link of {step.who} is mended")
        await trio.sleep(10.0)
        world.calm(disturbed)

    async def _slow(self, step: Step, engine: SimulatedEngine) -> None:
        world = self._world
        links = [self._link(name, engine.name) for name in world.managers]
        for link in links:
            link.slow_seconds = step.number
        # Over a very slow link, a connection may not be made in time, as if the engine were down.
        disturbs = step.number > _SLOW_SECONDS
        if disturbs:
            world.disturb(engine.name)
        await trio.sleep(step.seconds)
        for link in links:
            link.slow_seconds = 0.0
        if disturbs:
            world.calm(engine.name)

    async def _for_a_while(self, step: Step, fault: Fault) -> None:
        await trio.sleep(step.seconds)
        fault.release()

    async def _events(self, step: Step, engine: SimulatedEngine, fault: Fault) -> None:
        """Disturb the events of new subscriptions, and let managers subscribe anew."""
        engine.drop_connections()
        await trio.sleep(step.seconds)
        fault.release()
        engine.drop_connections()

    async def _stop(self, step: Step) -> None:
        """Let time pass in which nothing runs, as on a virtual machine that is suspended."""
        world = self._world
        clock = trio.lowlevel.current_clock()
        assert isinstance(clock, MockClock)
        hosts = (*world.managers, *world.engines, "store")
        for host in hosts:
            world.disturb(host)
        clock.jump(step.seconds)
        await trio.sleep(20.0)
        for host in hosts:
            world.calm(host)

    async def _kill(self, step: Step) -> None:
        world = self._world
        manager = world.managers[step.who]
        world.disturb(step.who)
        manager.kill(step.seconds)
        await trio.sleep(step.seconds)
        world.note(f"{step.who} starts again")
        await trio.sleep(15.0)
        world.calm(step.who)

    def _link(self, one: str, other: str) -> Link:
        world = self._world
        hosts = {
            "store": world.store.host.ip,
            **{name: manager.ip for name, manager in world.managers.items()},
            **{name: engine.machine.ip for name, engine in world.engines.items()},
        }
        return world.network.link(hosts[one], hosts[other])
