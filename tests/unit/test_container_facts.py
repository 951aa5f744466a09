"""What the documents of a container tell beyond its fields."""

from dataclasses import replace

from swarmcore.container_facts import read_facts
from swarmcore.testing.builders import a_container

NETWORK = {"NetworkID": "1a2b"}


def facts(summary=None, **detail):
    return read_facts(summary or {}, detail)


def test_things_are_the_networks_and_volumes_of_both_documents():
    read = facts(
        {"Mounts": [{"Name": "data"}, {"Type": "bind", "Source": "/srv"}]},
        Mounts=[{"Name": "logs"}],
        HostConfig={"NetworkMode": "front"},
        NetworkSettings={"Networks": {"back": NETWORK, "gone": None}},
    )
    networks = {("network", name) for name in ("front", "back", "1a2b", "gone")}
    assert read.things == networks | {("volume", "data"), ("volume", "logs")}
    assert read.networks == (("back", "1a2b"), ("gone", ""))


def test_the_network_of_another_container_is_not_its_own():
    assert not facts(HostConfig={"NetworkMode": "container:db"}).things


def test_links_have_no_slashes():
    assert facts(HostConfig={"Links": ["/db:/web/data", "odd"]}).links == {("db", "web/data")}


def test_mounts_are_found_by_name_or_source_and_by_destination():
    mounts = [{"Name": "data", "Source": "/v", "Destination": "/d"}, {"Source": "", "Target": 1}]
    assert facts(Mounts=mounts).mounts == {"data", "/d", ""}


def test_the_state_of_a_container_that_was_never_started():
    read = facts(State={"Error": "no such file", "StartedAt": "0001-01-01T00:00:00Z"})
    assert (read.start_failed, read.was_started, read.exit_code) == (True, False, None)
    assert read.health == "none"


def test_the_state_of_a_container_that_has_ended():
    state = {
        "ExitCode": 3, "StartedAt": "2024-05-01T12:00:00Z", "Health": {"Status": "unhealthy"}
    }  # fmt: skip
    read = facts(State=state)
    assert (read.start_failed, read.was_started, read.exit_code) == (False, True, 3)
    assert read.health == "unhealthy"


def test_fields_of_other_types_count_as_missing():
    odd = facts({"Mounts": 3}, State=[], HostConfig="x", Mounts={}, NetworkSettings=None)
    assert odd == facts()


def test_a_container_without_facts_reads_them_from_its_documents():
    made = a_container("web")
    assert made.facts == read_facts(made.summary, made.detail)
    assert replace(made, read=facts()).facts == facts()
