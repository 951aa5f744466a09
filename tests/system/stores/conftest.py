"""The stores, and engines that join with the real command."""

import subprocess

import pytest
from swarmcore_lab.stores import ConsulStore, EtcdStore, ZooKeeperStore, running

from tests.system.manager import SWARMCORE


@pytest.fixture(
    scope="module", params=[EtcdStore, ConsulStore, ZooKeeperStore], ids=["etcd", "consul", "zk"]
)
def store(request, tmp_path_factory):
    """Each store, running; a test that stops it must start it again."""
    with running(request.param(tmp_path_factory.mktemp("store"))) as store:
        yield store


@pytest.fixture
def join(tmp_path):
    """Start ``swarmcore join``; every process ends with the test."""
    processes = []

    def start(address, uri, *options):
        with (tmp_path / f"join-{len(processes)}.log").open("ab") as log:
            process = subprocess.Popen(
                [SWARMCORE, "join", "--advertise", address, *options, uri], stderr=log
            )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def listed():
    """Return the output of ``swarmcore list``."""

    def run(uri):
        done = subprocess.run(
            [SWARMCORE, "list", uri], capture_output=True, text=True, timeout=30, check=True
        )
        return done.stdout.split()

    return run
