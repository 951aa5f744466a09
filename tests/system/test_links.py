"""Aliases of ``--link``: one engine and the manager show and remove the same aliases."""

import json
import urllib.request

import pytest

pytestmark = pytest.mark.docker


@pytest.fixture(params=["engine", "manager"])
def place(request, fleet):
    """The CLI and the address of an engine, or of the manager."""
    if request.param == "engine":
        yield fleet.direct("new"), fleet.engines["new"].address
    else:
        yield fleet.docker(), f"127.0.0.1:{fleet.manager.port}"
    fleet.docker().remove_all()


def names(address):
    """Return the names of every container, as lists show them."""
    with urllib.request.urlopen(f"http://{address}/v1.41/containers/json?all=1") as answer:
        return {each["Names"][0]: sorted(each["Names"]) for each in json.load(answer)}


def test_an_alias_is_a_name_from_the_create_to_the_end_of_the_link(place):
    docker, address = place
    docker("run", "-d", "--name", "db", "busybox", "sleep", "1000")
    docker("run", "-d", "--name", "web", "--link", "db:data", "busybox", "sleep", "1000")
    assert names(address) == {"/db": ["/db", "/web/data"], "/web": ["/web"]}
    assert docker("inspect", "--format", "{{.Name}}", "web/data") == "/db"
    docker("rename", "web", "shop")
    assert names(address) == {"/db": ["/db", "/shop/data"], "/shop": ["/shop"]}
    docker("rm", "--link", "/shop/data")
    assert names(address) == {"/db": ["/db"], "/shop": ["/shop"]}


def test_an_alias_goes_with_the_container_that_links(place):
    docker, address = place
    docker("run", "-d", "--name", "db", "busybox", "sleep", "1000")
    docker("create", "--name", "web", "--link", "db", "busybox")
    assert names(address) == {"/db": ["/db", "/web/db"], "/web": ["/web"]}
    docker("rm", "web")
    assert names(address) == {"/db": ["/db"]}
