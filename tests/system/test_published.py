"""Ports that are published on the address in the client's DOCKER_HOST."""

import urllib.request

import pytest

from swarmcore.testing.ports import free_port

SERVE = ["httpd", "-f", "-p", "80", "-h", "/etc"]


@pytest.fixture(scope="module")
def manager_host(lab, shared_fleet, start_manager):
    """A manager with an address that no engine has."""
    host = f"tcp://{lab.gateway}:{free_port()}"
    engines = ",".join(engine.address for engine in shared_fleet.engines.values())
    start_manager("-H", host, engines).wait_healthy(3)
    return host


def read(address):
    with urllib.request.urlopen(f"http://{address}/hosts", timeout=10) as answer:
        return answer.read()


@pytest.mark.parametrize("port", ["", "18086"])
def test_the_address_of_docker_host_is_the_nodes_own(fleet, make_docker, manager_host, port):
    engine = fleet.engines["new"]
    for host in (f"tcp://{engine.address}", manager_host):
        docker = make_docker("28", host)
        ip = host.removeprefix("tcp://").partition(":")[0]
        docker("run", "-d", "--name", "web", "-p", f"{ip}:{port}:80", "busybox", *SERVE)
        published = docker("port", "web", "80")
        assert b"localhost" in read(published)
        docker("rm", "-f", "web")


def test_a_port_of_that_address_is_given_once_on_each_node(fleet, make_docker, manager_host, lab):
    docker = make_docker("28", manager_host)
    publish = ("-p", f"{lab.gateway}:18087:80")
    for name in ("one", "two", "three"):
        docker("run", "-d", "--name", name, *publish, "busybox", *SERVE)
    addresses = {docker("port", name, "80") for name in ("one", "two", "three")}
    assert addresses == {
        f"{engine.address.partition(':')[0]}:18087" for engine in fleet.engines.values()
    }
    refused = docker.run("run", "-d", *publish, "busybox", *SERVE)
    assert refused.returncode == 125
    assert "no node fits" in refused.stderr


@pytest.mark.parametrize("release", ["20.10", "28"])
def test_a_port_on_loopback_is_warned_of(fleet, make_docker, manager_host, release):
    options = ("run", "--rm", "-p", "127.0.0.1::80", "busybox", "true")
    direct = make_docker(release, f"tcp://{fleet.engines['new'].address}").run(*options)
    assert (direct.returncode, direct.stderr) == (0, "")
    done = make_docker(release, manager_host).run(*options)
    assert done.returncode == 0
    assert "WARNING: 80/tcp is published on loopback: only " in done.stderr
