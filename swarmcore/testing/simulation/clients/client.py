"""The clients of a simulation: each carries out its steps and compares answers with its ledger."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import trio

from swarmcore.model import MiB
from swarmcore.testing.simulation.clients.asking import NoAnswer, Reply, ask
from swarmcore.testing.simulation.clients.ledger import Entry, Known, Ledger
from swarmcore.testing.simulation.hosts.network import current_host
from swarmcore.testing.simulation.plan import Step
from swarmcore.testing.simulation.world import World, identity

_POLICY = '["on-node-failure"]'


class Client:
    """One client.

    Args:
        name: its name.
        world: where it is.

    Attributes:
        ledger: what it knows.
        answered: the number of its requests that were answered, by status.
    """

    def __init__(self, name: str, world: World) -> None:
        self.name = name
        self.ledger = Ledger()
        self.answered: dict[int, int] = {}
        self._world = world
        self._host = world.clients[name]

    async def run(self, steps: list[Step]) -> None:
        """Carry out *steps*, each when its time has come and the one before has ended."""
        current_host.set(self._host)
        began = trio.current_time()
        for step in steps:
            await trio.sleep_until(began + step.at)
            await self._do(step)

    async def _do(self, step: Step) -> None:
        entry = self.ledger.entry(step.name)
        if step.what == "rename":
            await self._rename(step, entry)
        elif step.what == "list":
            await self._list(step)
        elif step.what == "inspect":
            await self._inspect(step, entry)
        else:
            await self._change(step, entry)

    # ---- changes

    async def _change(self, step: Step, entry: Entry) -> None:
        sent_at, before = trio.current_time(), self._engines_of(entry.name)
        method, target, body = _request_of(step, entry.name)
        reply = await self._ask(step, method, target, body)
        if reply is None or _is_unknown(reply):
            self.ledger.give_up(step.name)
            return
        self._learn(step, entry, reply, sent_at, before)
        if reply.status < 300:
            await self._read_back(step)
        if reply.status == 201 and "run" in step.options:
            await self._change(replace(step, what="start", seconds=0.0, options=()), entry)

    def _learn(
        self, step: Step, entry: Entry, reply: Reply, sent_at: float, before: frozenset[str]
    ) -> None:
        """Compare an answer with the ledger, and enter what it tells."""
        is_calm = self._is_calm(entry, sent_at)
        match step.what, reply.status:
            case "create", 201:
                if entry.known is Known.PRESENT and is_calm:
                    self._violated("one holder", f"{entry.name} was created, and is there already")
                entry.known = Known.PRESENT
                entry.swarm_id = self._world.swarm_id(str(reply.body["Id"]))
                entry.may_move, entry.runs = "move" in step.options, False
            case "create", 409:
                if entry.known is Known.ABSENT and is_calm and not self._has_namesake(entry):
                    self._violated("removed is gone", f"{entry.name} is taken: {reply.message}")
                return
            case "remove", 204:
                entry.known, entry.runs = Known.ABSENT, False
            case (("remove" | "start" | "stop"), 404):
                if entry.known is Known.PRESENT and is_calm:
                    self._violated("created exists", f"{entry.name} is missing: {reply.message}")
                return
            case "start", (204 | 304):
                entry.runs = True
            case "stop", (204 | 304):
                entry.runs = False
            case (("start" | "stop" | "remove"), _):
                entry.runs = None
                if reply.status >= 500:
                    self.ledger.give_up(step.name)
                return
            case _:
                return
        entry.changed_at = sent_at
        entry.engines = before | self._engines_of(entry.name)

    async def _rename(self, step: Step, entry: Entry) -> None:
        (other,) = step.options
        target = self.ledger.entry(other)
        sent_at = trio.current_time()
        path = f"/containers/{entry.name}/rename?name={quote(target.name)}"
        reply = await self._ask(step, "POST", path, None)
        if reply is None or reply.status >= 500:
            self.ledger.give_up(step.name)
            self.ledger.give_up(other)
        elif reply.status == 204:
            if target.known is Known.PRESENT and self._is_calm(target, sent_at):
                self._violated("one holder", f"{target.name} was given away and is there already")
            if not self._is_calm(entry, entry.changed_at):
                entry.runs = None  # its engine may have crashed
            entry.changed_at = sent_at
            self.ledger.rename(step.name, other)
            await self._read_back(step)

    # ---- reads

    async def _read_back(self, step: Step) -> None:
        """Look at once for what was just changed."""
        await self._list(Step(step.at, step.who, "list", manager=step.manager))

    async def _list(self, step: Step) -> None:
        sent_at = trio.current_time()
        reply = await self._ask(step, "GET", "/containers/json?all=1", None)
        if reply is None or reply.status != 200:
            return
        shown = {each["Names"][0].rpartition("/")[2]: each["State"] for each in reply.body}
        for entry in list(self.ledger.entries.values()):
            if self._is_calm(entry, min(entry.changed_at, sent_at)):
                self._compare(entry, entry.name in shown, "the list")
                self._compare_state(entry, shown.get(entry.name, ""))

    async def _inspect(self, step: Step, entry: Entry) -> None:
        reply = await self._ask(step, "GET", f"/containers/{entry.name}/json", None)
        if reply is None or reply.status not in (200, 404):
            return
        if self._is_calm(entry, entry.changed_at):
            self._compare(entry, reply.status == 200, "an inspection")

    def _compare(self, entry: Entry, is_shown: bool, what: str) -> None:
        if entry.known is Known.PRESENT and not is_shown:
            self._violated("read your writes", f"{what} lacks {entry.name}, which was created")
        was_removed = entry.known is Known.ABSENT and entry.engines
        if was_removed and is_shown and not self._has_namesake(entry):
            self._violated("read your writes", f"{what} has {entry.name}, which was removed")

    def _compare_state(self, entry: Entry, state: str) -> None:
        if state and entry.known is Known.PRESENT and entry.runs is not None:
            expected = ("running",) if entry.runs else ("created", "exited")
            if state not in expected:
                text = f"the list shows {entry.name} as {state}, not as {' or '.join(expected)}"
                self._violated("read your writes", text)

    # ---- asking

    async def _ask(self, step: Step, method: str, target: str, body: Any) -> Reply | None:
        world = self._world
        manager = world.managers[step.manager]
        try:
            reply = await ask(
                self._host, manager.address, method, target, body, leave_after=step.seconds
            )
        except NoAnswer as error:
            world.note(f"{self.name} asked {manager.name}: {method} {target}: {error}")
            self.answered[0] = self.answered.get(0, 0) + 1
            return None
        self.answered[reply.status] = self.answered.get(reply.status, 0) + 1
        told = f" {reply.message}" if reply.status >= 400 else ""
        world.note(f"{self.name} asked {manager.name}: {method} {target}: {reply.status}{told}")
        return reply

    def _engines_of(self, name: str) -> frozenset[str]:
        return frozenset(engine.name for engine in self._world.holders(name))

    def _is_calm(self, entry: Entry, since: float) -> bool:
        """Whether no fault since a moment excuses a wrong answer about *entry*."""
        world = self._world
        engines = entry.engines | self._engines_of(entry.name)
        return world.managers_are_calm(since) and all(world.is_calm(e, since) for e in engines)

    def _has_namesake(self, entry: Entry) -> bool:
        """Whether an older container has the name of *entry*.

        A manager that was just started lets a name be given again that is on an engine which does
        not answer yet.
        """
        return self._world.managers_were_lost and any(
            each.name == entry.name and identity(each) != entry.swarm_id
            for _, each in self._world.containers()
        )

    def _violated(self, invariant: str, text: str) -> None:
        self._world.note(f"VIOLATION {invariant}: {text}")
        self._world.history.violated(invariant, f"{self.name}: {text}")


def _request_of(step: Step, name: str) -> tuple[str, str, Any]:
    match step.what:
        case "create":
            return "POST", f"/containers/create?name={name}", _create_body(step)
        case "remove":
            return "DELETE", f"/containers/{name}?force=1", None
    return "POST", f"/containers/{name}/{step.what}", None


def _create_body(step: Step) -> Mapping[str, Any]:
    host_config: dict[str, Any] = {"Memory": int(step.number) * MiB}
    if "restart" in step.options:
        host_config["RestartPolicy"] = {"Name": "always"}
    if "port" in step.options:
        host_config["PortBindings"] = {"80/tcp": [{"HostPort": "8080"}]}
    labels = {"com.docker.swarm.reschedule-policies": _POLICY} if "move" in step.options else {}
    return {"Image": "busybox", "Cmd": ["forever"], "Labels": labels, "HostConfig": host_config}


def _is_unknown(reply: Reply) -> bool:
    """Whether an answer says that the outcome is not known."""
    return reply.status >= 500 and "unknown" in reply.message
