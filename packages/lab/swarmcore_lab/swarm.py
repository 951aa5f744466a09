"""Swarm mode: form a swarm of engines of the lab."""

from functools import partial

from swarmcore_lab.engine import LabEngine
from swarmcore_lab.machine import wait_until

_READY_SECONDS = 60.0
_PORT = 2377


def form_swarm(manager: LabEngine, *workers: LabEngine) -> None:
    """Form a swarm of engines that are not in a swarm.

    Args:
        manager: its only manager.
        workers: its other members.

    Raises:
        LabError: an engine refused, or the swarm is not ready in time.
    """
    own = {"ListenAddr": f"{manager.ip}:{_PORT}", "AdvertiseAddr": manager.ip}
    manager.api.call("POST", "/swarm/init", own)
    token = manager.api.call("GET", "/swarm")["JoinTokens"]["Worker"]
    for worker in workers:
        theirs = {"ListenAddr": f"{worker.ip}:{_PORT}", "AdvertiseAddr": worker.ip}
        there = {"RemoteAddrs": [f"{manager.ip}:{_PORT}"], "JoinToken": token}
        worker.api.call("POST", "/swarm/join", {**theirs, **there})
    for engine in (manager, *workers):
        wait_until(
            partial(_is_member, engine), f"{engine.name} in the swarm", seconds=_READY_SECONDS
        )


def _is_member(engine: LabEngine) -> bool:
    swarm = engine.info()["Swarm"]
    listed = engine.api.call("GET", "/networks")
    return swarm["LocalNodeState"] == "active" and any(each["Name"] == "ingress" for each in listed)
