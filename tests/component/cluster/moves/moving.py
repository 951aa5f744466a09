"""Engines that are lost and come back, and their containers."""

from swarmcore.model import State
from tests.component.fleets import wait_for

SWARM_ID = "com.docker.swarm.id"


async def lose(fleet, engine):
    engine.kill()
    await wait_for(lambda: fleet.node(engine).state is State.UNHEALTHY)


async def come_back(fleet, engine):
    engine.start()
    await wait_for(lambda: fleet.node(engine).state is State.HEALTHY)


def add(fleet, engine, name="web", **options):
    labels = {SWARM_ID: f"swarm-id-of-{name}".ljust(64, "0"), **options.pop("labels", {})}
    return engine.add(name, labels=labels, **options)


async def known(fleet, id):
    await wait_for(lambda: has(fleet, id), 60)
    return fleet.cluster.find_container(id)


def has(fleet, id):
    return any(id in node.containers for node in fleet.cluster.nodes())


def holders(engines, name="web"):
    """Return name of the engine -> state of its containers called *name*."""
    return {
        engine.name: detail["State"]["Status"]
        for engine in engines
        for detail in engine.containers.values()
        if detail["Name"] == f"/{name}" and engine.up
    }


def shown(fleet):
    """Return the ids of the containers that clients see in lists."""
    return [id for node in fleet.cluster.nodes() for id in node.shown_containers]
