"""Engines from discovery's lists, with each engine identity once."""

import trio
import trio.testing

from swarmcore.addresses import parse_address
from swarmcore.cluster.snapshot import natural_key
from swarmcore.http.messages import json_answer
from swarmcore.model import Entry, State
from tests.component.fleets import open_fleet, wait_for
from tests.scripted_engine import ScriptedEngine


def test_names_sort_by_the_value_of_their_digits():
    names = ["n10", "n2", "n1", "a", "n", "10", "9", "n2b", "n02"]
    assert sorted(names, key=natural_key) == [
        "9", "10", "a", "n", "n1", "n2", "n02", "n2b", "n10",
    ]  # fmt: skip


async def test_engines_come_and_go_with_discoverys_list(autojump_clock):
    one, two, three = (ScriptedEngine(f"n{n}", n) for n in (1, 2, 3))
    web = two.add("web")
    async with open_fleet(one, two) as fleet:
        assert fleet.states() == [("1", "Healthy"), ("2", "Healthy")]
        fleet.discover(one, three)
        await fleet.wait_healthy(three)
        assert fleet.states() == [("1", "Healthy"), ("3", "Healthy")]
        assert list(fleet.cluster.containers()) == []
    assert fleet.listener.heard == ["joined n1", "joined n2", "lost n2", "joined n3"]
    assert web in two.containers
    assert two.paths("DELETE") == []


async def test_an_engine_that_stays_in_the_list_is_left_alone(autojump_clock):
    one = ScriptedEngine("n1", 1)
    async with open_fleet(one) as fleet:
        one.asked.clear()
        fleet.discover(one)
        await trio.sleep(1)
        assert fleet.states() == [("1", "Healthy")]
        assert "/version" not in one.paths()


async def test_a_removed_engine_that_returns_is_known_again(autojump_clock):
    one = ScriptedEngine("n1", 1)
    one.add("web")
    async with open_fleet(one) as fleet:
        fleet.discover()
        assert fleet.states() == []
        fleet.discover(one)
        await fleet.wait_healthy(one)
        assert fleet.cluster.find_container("web").name == "web"


async def test_an_entry_with_new_labels_is_a_new_engine(autojump_clock):
    one = ScriptedEngine("n1", 1)
    async with open_fleet(one) as fleet:
        address = parse_address(one.address)
        fleet.cluster.membership.entries([Entry(address, {"rack": "r1"})])
        await wait_for(lambda: fleet.node(one).labels.get("rack") == "r1")


async def test_a_discovery_that_fails_keeps_the_engines(autojump_clock, caplog):
    one = ScriptedEngine("n1", 1)
    async with open_fleet(one) as fleet:
        fleet.cluster.membership.failed("no such file")
        await trio.sleep(100)
        assert fleet.states() == [("1", "Healthy")]
        assert fleet.cluster.discovery.error == "no such file"
        assert "Discovery error: no such file" in caplog.text


async def test_an_entry_that_stays_bad_is_named_once_in_the_log_and_shown_while_it_is_there(
    autojump_clock, caplog
):
    one = ScriptedEngine("n1", 1)
    async with open_fleet(one) as fleet:
        membership, entry = fleet.cluster.membership, Entry(parse_address(one.address))
        membership.entries([entry], ["entry 'bad'"])
        membership.failed("no answer")
        assert fleet.cluster.discovery.problems == ["entry 'bad'"]
        membership.entries([entry], ["entry 'bad'"])
        assert fleet.cluster.discovery.problems == ["entry 'bad'"]
        assert not fleet.cluster.discovery.error
        assert caplog.text.count("Discovery error: entry 'bad'; it is skipped") == 1
        membership.entries([entry])
        assert not fleet.cluster.discovery.problems


async def test_pending_engines_are_listed_and_not_used(autojump_clock):
    one, down = ScriptedEngine("n1", 1), ScriptedEngine("n2", 2)
    down.kill()
    async with open_fleet(one) as fleet:
        fleet.discover(one, down)
        await trio.sleep(5)
        assert set(fleet.states()) == {("1", "Healthy"), ("2", "Pending")}
        assert [engine.node.name for engine in fleet.cluster.engines()] == ["n1"]


async def test_one_engine_under_two_addresses_joins_once(autojump_clock):
    one = ScriptedEngine("n1", 1)
    again = ScriptedEngine("n1", 2)
    async with open_fleet(one) as fleet:
        fleet.discover(one, again)
        await wait_for(lambda: fleet.node(again).error)
        assert fleet.node(again).state is State.PENDING
        assert fleet.node(again).error == (
            "192.0.2.2:2375 and 192.0.2.1:2375 reach the same engine n1 (ID ID-n1): remove one of"
            " the two addresses from discovery"
        )
        await trio.sleep(100)
        fleet.discover(again)
        assert await wait_for(lambda: fleet.node(again).state is State.HEALTHY) < 2


async def test_two_engines_with_one_id_are_told_apart_and_the_second_waits(autojump_clock):
    one = ScriptedEngine("n1", 1, engine_id="SAME")
    clone = ScriptedEngine("n2", 2, engine_id="SAME")
    clone.add("web")
    async with open_fleet(one) as fleet:
        fleet.discover(one, clone)
        await wait_for(lambda: fleet.node(clone).error)
        assert fleet.node(clone).error.startswith(
            "ID duplicated. SAME shared by this node 192.0.2.2:2375 and another node"
            " 192.0.2.1:2375: n2 and n1 are clones;"
        )
        assert list(fleet.cluster.containers()) == []
        clone.engine_id = "OTHER"
        assert await wait_for(lambda: fleet.node(clone).state is State.HEALTHY) < 31
        assert [container.name for container in fleet.cluster.containers()] == ["web"]


async def test_an_identity_is_free_again_when_its_holder_never_became_healthy(autojump_clock):
    broken = ScriptedEngine("n1", 1)
    sound = ScriptedEngine("n1", 2)

    async def never():
        await trio.sleep_forever()

    broken.answer("GET", "^/images/json", never)
    async with open_fleet() as fleet:
        fleet.discover(broken, sound)
        await fleet.wait_healthy(sound)


async def test_many_engines_are_first_read_a_few_at_a_time(autojump_clock):
    fleet_size = 40
    reading = most = 0

    async def list_slowly():
        nonlocal reading, most
        reading += 1
        most = max(most, reading)
        await trio.sleep(1)
        reading -= 1

    engines = [ScriptedEngine(f"n{n}", n) for n in range(1, fleet_size + 1)]
    for engine in engines:
        engine.answer("GET", "^/images/json", list_slowly)
    async with open_fleet(*engines):
        assert most == 16


SHARED = {"Id": "f00d", "Name": "ov", "Driver": "overlay", "Scope": "global"}


def share_a_store(engine, networks):
    """Give *engine* a cluster store and *networks*; its list is read at each request."""
    info = {
        "ID": engine.engine_id, "Name": engine.name, "NCPU": 4, "MemTotal": 1 << 30,
        "ClusterStore": "etcd://192.0.2.9:2379",
    }  # fmt: skip

    async def listed():
        return json_answer(list(networks))

    engine.answer("GET", "^/info", json_answer(info))
    engine.answer("GET", "^/networks", listed)


async def test_a_network_that_comes_and_goes_on_one_engine_is_read_on_those_that_share_it(
    autojump_clock,
):
    one, two, three = (ScriptedEngine(f"n{n}", n) for n in (1, 2, 3))
    networks = []
    for engine in (one, two):
        share_a_store(engine, networks)
    async with open_fleet(one, two, three) as fleet:
        three.asked.clear()
        for change, action in ((networks.append, "create"), (networks.remove, "destroy")):
            change(SHARED)
            one.say(action, "f00d", kind="network", name="ov", type="overlay")
            seconds = await wait_for(
                lambda: (
                    [SHARED["Id"] in fleet.node(each).networks for each in (one, two)]
                    == [bool(networks)] * 2
                )
            )
            assert seconds < 5
        assert three.paths() == []


async def test_a_member_of_a_swarm_that_gets_another_role_is_read_again(autojump_clock):
    one, two = (ScriptedEngine(f"n{n}", n) for n in (1, 2))
    managers = [{"NodeID": "m-n1"}]
    for engine in (one, two):

        async def info(engine=engine):
            return json_answer({
                "ID": engine.engine_id, "Name": engine.name, "NCPU": 4, "MemTotal": 1 << 30,
                "Swarm": {"LocalNodeState": "active", "RemoteManagers": list(managers),
                          "NodeID": f"m-{engine.name}"},
            })  # fmt: skip

        engine.answer("GET", "^/info", info)
    async with open_fleet(one, two) as fleet:
        managers.append({"NodeID": "m-n2"})
        one.asked.clear()
        one.say("update", "m-n2", kind="node", name="n2")  # a container has come, say
        await trio.sleep(1)
        assert fleet.node(two).ties.swarm == {"m-n1"}
        one.say("update", "m-n2", kind="node", **{"role.new": "manager", "role.old": "worker"})
        seconds = await wait_for(lambda: fleet.node(two).ties.swarm == {"m-n1", "m-n2"})
        assert seconds < 5
        assert "/info" not in one.paths()


async def test_a_removed_network_does_not_come_back_with_a_late_answer(autojump_clock):
    one = ScriptedEngine("n1", 1)
    arrived, go_on = trio.Event(), trio.Event()

    async def late():
        arrived.set()
        await go_on.wait()
        return json_answer([SHARED])

    async with open_fleet(one) as fleet, trio.open_nursery() as nursery:
        (engine,) = fleet.cluster.engines()
        one.answer("GET", "^/networks", late)
        nursery.start_soon(engine.refresh_networks)
        await arrived.wait()
        engine.forget_network(SHARED["Id"])
        go_on.set()
        nursery.start_soon(engine.refresh_networks)
        await trio.testing.wait_all_tasks_blocked()
        assert fleet.node(one).networks == {}
