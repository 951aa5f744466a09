"""The checks at the end of a run, when all faults are undone."""

import itertools
import json
import os
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from tests.chaos.clients import TOKEN
from tests.chaos.history import History
from tests.chaos.ledger import Knowledge, Ledger
from tests.chaos.plan import MANAGERS
from tests.chaos.world import World
from tests.system.raw_requests import ask
from tests.system.replication.members import mandates_in

#: How long the cluster may take to come to rest after its last fault.
REST_SECONDS = 60.0
#: Open files of a manager at rest: two sockets for each engine, the store, the other manager.
_FILES = 80


def give_verdict(world: World, ledger: Ledger, history: History) -> None:
    """Check all invariants; the violations are in *history*."""
    if not _wait(world.is_well):
        history.violate(f"the cluster did not heal within {REST_SECONDS:g} s")
        return
    for check in (_containers, _claims, _lists, _leaks):
        left: list[tuple[str, tuple[str, ...]]] = []

        def holds(check: Any = check, left: Any = left) -> bool:
            left[:] = check(world, ledger)
            return not left

        if not _wait(holds):
            for what, about in left:
                history.violate(what, *about)
    _mandates(world, history)
    _logs(world, history)


def _wait(state: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + REST_SECONDS
    while not state():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.3)
    return True


_Found = list[tuple[str, tuple[str, ...]]]


def _rows(world: World) -> dict[str, list[dict[str, Any]]]:
    """Return the containers of each engine, as it lists them itself."""
    return {
        name: engine.api.call("GET", "/containers/json?all=1")
        for name, engine in world.engines.items()
    }


def _containers(world: World, ledger: Ledger) -> _Found:
    """Acknowledged containers exist once, removed ones do not, names have one holder."""
    found: _Found = []
    places: dict[str, list[str]] = defaultdict(list)
    names: dict[str, set[str]] = defaultdict(set)
    running: Counter[str] = Counter()
    for engine, rows in _rows(world).items():
        for row in rows:
            token, name = row["Labels"][TOKEN], row["Names"][0].removeprefix("/")
            places[token].append(f"{engine}:{name} ({row['State']})")
            names[name].add(token)
            running[token] += row["State"] == "running"
    for entry in ledger.entries():
        about = (entry.token, entry.name, *entry.former)
        there = places.get(entry.token, [])
        told = ", ".join(there) or "nowhere"
        # The first attempt of a repeated create, whose outcome was unknown, may have made another.
        spare = int(entry.repeated and any(row.endswith("(created)") for row in there))
        if entry.state is Knowledge.PRESENT and len(there) not in (1, 1 + spare):
            found.append((f"{entry.token}, acknowledged as {entry.name}, is {told}", about))
        elif entry.state is Knowledge.GONE and len(there) > spare:
            found.append((f"{entry.token}, whose removal was acknowledged, is {told}", about))
        elif len(there) > 1 + spare:
            found.append((f"{entry.token} exists more than once: {told}", about))
        elif entry.policy and entry.started and there and running[entry.token] != 1:
            found.append((f"{entry.token} has to run once, and is {told}", about))
    for name, holders in names.items():
        if len(holders) > 1:
            found.append((f"{name} has several holders: {', '.join(sorted(holders))}", (name,)))
    return found


def _claims(world: World, ledger: Ledger) -> _Found:
    """Claims of memory are those of the containers that the engines have."""
    found: _Found = []
    for manager in MANAGERS:
        nodes = {node["Name"]: node for node in _get(world, manager, "/swarmcore/nodes")}
        for name, engine in world.engines.items():
            rows = engine.api.call("GET", "/containers/json?all=1")
            documents = [engine.api.call("GET", f"/containers/{row['Id']}/json") for row in rows]
            held = sum(document["HostConfig"]["Memory"] for document in documents)
            node = nodes[name]
            claimed = node["Memory"]["Claimed"]
            if claimed != held or node["Reservations"]:
                found.append((f"{manager} claims {claimed} bytes on {name}, which holds {held};"
                              f" reservations: {node['Reservations']}", ()))  # fmt: skip
    return found


def _lists(world: World, ledger: Ledger) -> _Found:
    """Both managers list the containers that the engines have."""
    there = sorted(row["Id"] for rows in _rows(world).values() for row in rows)
    found: _Found = []
    for manager in MANAGERS:
        listed = sorted(row["Id"] for row in _get(world, manager, "/containers/json?all=1"))
        if listed != there:
            differ = sorted({*listed} ^ {*there})
            found.append((f"{manager} and the engines differ in {differ}", ()))
    return found


def _leaks(world: World, ledger: Ledger) -> _Found:
    """A manager at rest has few open files, no request under way, and holds no reservation."""
    found: _Found = []
    for manager in MANAGERS:
        files = len(os.listdir(f"/proc/{world.hosts[manager].pid}/fd"))
        if files > _FILES:
            found.append((f"{manager} has {files} open files at rest", ()))
        metrics = _metrics(world, manager)
        if sum(metrics["requests_open"]) > 1:  # the one for the metrics
            found.append((f"{manager} answers requests at rest: {metrics['requests_open']}", ()))
        if sum(metrics["event_followers"]) + sum(metrics["reservations"]):
            found.append((f"{manager} has followers or reservations at rest", ()))
    return found


def _metrics(world: World, manager: str) -> dict[str, list[float]]:
    """Return the values of each metric of a manager, without the prefix of its name."""
    reply = ask(world.address(manager), "GET", "/metrics", seconds=30)
    found: dict[str, list[float]] = defaultdict(list)
    for line in reply.body.decode().splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            found[name.partition("{")[0].removeprefix("swarmcore_")].append(float(value))
    return found


def _mandates(world: World, history: History) -> None:
    """Terms grow, and no two managers led at the same time."""
    mandates = sorted(
        (
            mandate
            for number, name in enumerate(MANAGERS)
            for log in world.runs[name]
            for mandate in mandates_in(log.read_text(), number, world.killed.get(log))
        ),
        key=lambda mandate: mandate.began,
    )
    history.counts["terms"] = len(mandates)
    for before, after in itertools.pairwise(mandates):
        # A manager that is told to continue logs after another one leads that it no longer does.
        if before.term >= after.term or before.ended > after.began:
            history.violate(f"two primaries: {before} and {after}")


def _logs(world: World, history: History) -> None:
    for logs in world.runs.values():
        for log in logs:
            text = log.read_text(errors="replace")
            if found := re.search(r"(?m)^.*Traceback(?:.*\n){1,40}", text):
                history.violate(f"{log.name} has a traceback:\n{found[0]}")


def _get(world: World, manager: str, path: str) -> Any:
    reply = ask(world.address(manager), "GET", path, seconds=30)
    if reply.status != 200:
        return []
    return json.loads(reply.body)
