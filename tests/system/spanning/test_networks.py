"""Networks that span engines: names, lists, inspection and removal."""

from concurrent.futures import ThreadPoolExecutor

from tests.system.spanning.spanning_fleet import OVERLAY, endpoints, spanning, unless_store_is_lost


@unless_store_is_lost
def test_a_network_that_another_node_uses_is_not_removed(docker, fleet):
    docker(*OVERLAY, "ov")
    fleet.run(docker, "user", node=fleet.nodes[-1])
    done = docker.run("network", "rm", "ov")
    direct = fleet.direct(fleet.nodes[0]).run("network", "rm", "ov")
    assert done.returncode == direct.returncode == 1
    words = "has active endpoints" if fleet.sort == "store" else "is in use by task"
    assert words in done.stderr
    assert words in direct.stderr
    assert spanning(docker) == ["ov"]


@unless_store_is_lost
def test_a_removed_network_is_gone_everywhere_at_once(docker, fleet):
    for _ in range(3):
        docker(*OVERLAY, "ov")
        fleet.run(docker, "user", node=fleet.nodes[-1])
        docker("rm", "-f", "user")
        docker("network", "rm", "ov")
        assert spanning(docker) == []
        assert docker.run("network", "inspect", "ov").returncode != 0
    assert all(spanning(fleet.direct(node)) == [] for node in fleet.nodes)


@unless_store_is_lost
def test_an_inspect_shows_the_containers_of_all_nodes(docker, fleet):
    id = docker(*OVERLAY, "ov")
    assert endpoints(docker) == {}
    made = {fleet.run(docker, f"on-{node}", node=node): f"on-{node}" for node in fleet.nodes}
    assert endpoints(docker) == endpoints(docker, id) == endpoints(docker, id[:10]) == made


@unless_store_is_lost
def test_a_network_is_listed_once_by_its_name_alone(docker, fleet):
    id = docker(*OVERLAY, "--label", "tier=front", "ov")
    for node in fleet.nodes:
        fleet.run(docker, f"on-{node}", node=node)
        assert spanning(docker) == ["ov"]
    assert spanning(docker, "--filter", "label=tier=front") == ["ov"]
    assert spanning(docker, "--filter", f"id={id}") == ["ov"]
    assert spanning(docker, "--filter", "dangling=true") == []
    assert spanning(docker, "--filter", "scope=local") == []


@unless_store_is_lost
def test_a_name_is_taken_on_every_node(docker, fleet):
    docker(*OVERLAY, "ov")
    for create in (OVERLAY, ("network", "create")):
        done = docker.run(*create, "ov")
        assert done.returncode == 1
        assert "network with name ov already exists" in done.stderr
    assert spanning(docker) == ["ov"]


@unless_store_is_lost
def test_a_node_in_the_name_chooses_the_store_or_swarm(docker, fleet, reaches):
    docker(*OVERLAY, f"{fleet.nodes[-1]}/ov")
    assert spanning(docker) == ["ov"]
    fleet.run(docker, "user", node=fleet.nodes[0], network=f"{fleet.nodes[0]}/ov")
    fleet.run(docker, "other", node=fleet.nodes[-1], network=f"{fleet.nodes[0]}/ov")
    assert reaches(docker, "user", "other")


@unless_store_is_lost
def test_a_prune_removes_and_reports_each_network_once(docker, fleet):
    docker(*OVERLAY, "used")
    docker(*OVERLAY, "free")
    docker("network", "create", f"{fleet.nodes[1]}/own")
    fleet.run(docker, "user", node=fleet.nodes[-1], network="used")
    told = docker("network", "prune", "-f").split()
    assert told.count("free") == told.count("own") == 1
    assert spanning(docker) == ["used"]


@unless_store_is_lost
def test_many_networks_at_once(docker, fleet):
    names = [f"ov-{number}" for number in range(6)]

    def use(name):
        docker(*OVERLAY, name)
        fleet.run(docker, f"user-{name}", network=name)
        docker("rm", "-f", f"user-{name}")
        docker("network", "rm", name)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(use, names))
    assert spanning(docker) == []


@unless_store_is_lost
def test_changes_made_directly_on_an_engine_are_soon_known(docker, fleet, wait_until):
    direct = fleet.direct(fleet.nodes[0])
    id = direct(*OVERLAY, "ov")
    wait_until(lambda: spanning(docker) == ["ov"], "the network to be listed")
    fleet.run(docker, "user", node=fleet.nodes[-1])
    docker("rm", "-f", "user")
    direct("network", "rm", id)
    wait_until(lambda: spanning(docker) == [], "the network to be gone")
