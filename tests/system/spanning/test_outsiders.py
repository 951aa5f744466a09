"""Engines that are dead, or outside of the store or swarm of the others."""

from tests.system.spanning.spanning_fleet import (
    OVERLAY,
    endpoints,
    node_of,
    of_store,
    of_swarm,
    unless_store_is_lost,
)


@of_store  # a swarm takes the endpoints of a dead node away itself
@unless_store_is_lost
def test_an_endpoint_of_a_dead_engine_is_cut_off(fleet, wait_until):
    docker, engine = fleet.docker(), fleet.engines[-1]
    docker(*OVERLAY, "ov")
    fleet.run(docker, "lost", node=engine.name)
    engine.kill()
    fleet.manager.wait_healthy(2)
    assert docker.run("network", "rm", "ov").returncode == 1
    docker("network", "disconnect", "-f", "ov", "lost")
    docker("network", "rm", "ov")
    engine.start()
    fleet.manager.wait_healthy(3)


@unless_store_is_lost
def test_engines_without_shared_networks_are_not_used(fleet, stranger, start_manager):
    addresses = [engine.address for engine in (stranger, *fleet.engines)]
    manager = start_manager(",".join(addresses))
    manager.wait_healthy(4)
    docker = fleet.behind(manager)
    docker(*OVERLAY, "ov")
    names = [f"c{number}" for number in range(4)]
    for name in names:
        fleet.run(docker, name)
    assert {node_of(docker, name) for name in names} == set(fleet.nodes)
    fleet.run(docker, "far", node=stranger.name, network="bridge")
    done = docker.run("network", "connect", "ov", "far")
    assert done.returncode == 1
    assert f"container far is on {stranger.name}" in done.stderr
    done = docker.run("run", "--rm", "-e", f"constraint:node=={stranger.name}", "--network", "ov",
                      "busybox", "true")  # fmt: skip
    assert done.returncode == 125
    assert f"network ov is only on {', '.join(fleet.nodes)}" in done.stderr
    docker("rm", "-f", *names, "far")
    docker("network", "rm", "ov")
    manager.stop()


@of_swarm
def test_networks_of_a_swarm_whose_manager_is_elsewhere_are_found(fleet, stranger, start_manager):
    addresses = [engine.address for engine in (stranger, *fleet.engines[1:])]
    manager = start_manager(",".join(addresses))
    manager.wait_healthy(3)
    docker = fleet.behind(manager)
    fleet.direct(fleet.nodes[0])(*OVERLAY, "ov")
    for name in ("c0", "c1"):
        fleet.run(docker, name)
    assert {node_of(docker, name) for name in ("c0", "c1")} == set(fleet.nodes[1:])
    assert set(endpoints(docker).values()) == {"c0", "c1"}
    docker("rm", "-f", "c0", "c1")
    done = docker.run(*OVERLAY, "mine")
    assert "not a swarm manager" in done.stderr
    manager.stop()
