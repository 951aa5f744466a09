"""Several managers with one store, and engines in a separate process."""

import json
import subprocess
import sys
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest
from swarmcore_lab.stores import ConsulStore, EtcdStore, ZooKeeperStore, running

from tests.system.replication.members import Managers, Member

_ENGINES = Path(__file__).with_name("engines.py")


@pytest.fixture(
    scope="module", params=[EtcdStore, ConsulStore, ZooKeeperStore], ids=["etcd", "consul", "zk"]
)
def store(request, tmp_path_factory):
    """Each store whose plugin has an election, running."""
    with running(request.param(tmp_path_factory.mktemp("store"))) as store:
        yield store


@pytest.fixture
def engines():
    """The addresses of three embedded engines."""
    process = subprocess.Popen([sys.executable, _ENGINES], stdout=subprocess.PIPE, text=True)
    with process, process.stdout:
        yield process.stdout.readline().split()
        process.kill()


@pytest.fixture
def start_managers(store, engines, tmp_path):
    """Start some managers with the engines, and wait until one of them leads."""
    with ExitStack() as stack:

        def start(count, ttl_seconds):
            for address in engines:
                store.put(f"{tmp_path.name}/docker/swarm/nodes/{address}", address)
            members = []
            for number in range(count):
                log = tmp_path / f"{number}.log"
                member = Member(store, tmp_path.name, log, ttl_seconds)
                stack.enter_context(member.proxy)
                stack.callback(member.end)
                member.manager.start()
                members.append(member)
            managers = Managers(members, ttl_seconds)
            managers.wait_settled()
            for member in members:
                member.manager.wait_healthy(len(engines))
            return managers

        yield start


@pytest.fixture
def on_engines(engines):
    """Return the names of all containers, asked from each engine."""

    def ask():
        names = []
        for address in engines:
            url = f"http://{address}/containers/json?all=1"
            with urllib.request.urlopen(url, timeout=30) as answer:
                names += [each["Names"][0].removeprefix("/") for each in json.load(answer)]
        return names

    return ask
