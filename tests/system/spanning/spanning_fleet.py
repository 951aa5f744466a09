"""Engines that share networks, with a cluster store or as a swarm, and helpers to inspect them."""

import functools
import json
import re

import pytest
from swarmcore_lab import form_swarm

from tests.system.waiting import wait_until

#: ``network create`` for containers of all engines.
OVERLAY = ("network", "create", "-d", "overlay", "--attachable")
#: What the log of an engine says when it lost its store: release 20.10 leaves threads in the
#: namespace of an overlay that its last container on that engine has left, and what is asked from
#: such a thread reaches no store.  One start in forty fails for that under load.
LOST_STORE = re.compile("network is unreachable|(in|from) store")
ATTEMPTS = 5
#: Tests of what only engines with a cluster store, or only those of a swarm, have.
of_store = pytest.mark.parametrize("spanning_fleet", ["store"], indirect=True)
of_swarm = pytest.mark.parametrize("spanning_fleet", ["swarm"], indirect=True)
#: On how many nodes a container may be on two networks from its start: engines from 26 on, as
#: workers, look for the first among those that they show already, in an order of chance.
SEVERAL_NETWORKS = {"store": 3, "swarm": 1}


class NotReached(AssertionError):
    """One container did not reach another in time.

    With a cluster store, engines of release 20.10 ask each other for the places of containers by
    UDP; on a busy machine such an engine is taken for a failed one, and its answers never come.
    """


def unless_store_is_lost(test):
    """Repeat *test* with a clean fleet if it failed while an engine lost its store or its peers."""

    @functools.wraps(test)
    def attempt(**arguments):
        fleet = arguments["fleet"]
        for left in reversed(range(ATTEMPTS)):
            seen = fleet.log_sizes()
            try:
                test(**arguments)
                return
            except (AssertionError, pytest.fail.Exception) as error:
                if not (left and fleet.failed_itself(error, seen)):
                    raise
            fleet.clean()

    return attempt


class SpanningFleet:
    """Three engines that share networks, a manager of them, and the CLI of a release."""

    def __init__(self, sort, lab, engines, manager, make_docker):
        self.sort = sort
        self.lab = lab
        self.engines = engines
        self.manager = manager
        self._make_docker = make_docker
        self.nodes = [engine.name for engine in engines]

    def docker(self, release=""):
        """The CLI of a release: with a store the oldest, otherwise the newest."""
        release = release or ("20.10" if self.sort == "store" else "28")
        return self._make_docker(release, self.manager.host)

    def behind(self, manager):
        """Return the newest CLI with another manager of these engines."""
        return self._make_docker("28", manager.host)

    def direct(self, node):
        engine = next(each for each in self.engines if each.name == node)
        return self._make_docker("20.10", f"tcp://{engine.address}")

    def log_sizes(self):
        return [engine.log.stat().st_size for engine in self.engines]

    def failed_itself(self, error, seen):
        """Return whether *error* may be for engines that lost their store or each other.

        Args:
            error: the failure of a test.
            seen: the sizes of the engines' logs in bytes when the test began.
        """
        if self.sort != "store":
            return False
        if isinstance(error, NotReached):
            return True
        logs = (
            engine.log.read_bytes()[size:] for engine, size in zip(self.engines, seen, strict=True)
        )
        return any(LOST_STORE.search(log.decode(errors="replace")) for log in logs)

    def networks_at(self, node, container):
        """Return the networks of a container as the engine of its node shows them itself."""
        engine = next(each for each in self.engines if each.name == node)
        return networks_of(self.docker().at(engine.address), container)

    def clean(self):
        """Remove containers, then networks, including endpoints of lost containers."""
        docker = self.docker()
        docker.remove_all()
        docker.run("network", "prune", "-f")  # networks of single engines
        wait_until(lambda: not self._remove_networks(docker), "networks to be gone")
        # The engines of a swarm take a network away in their own time, and list it until then.
        wait_until(lambda: not any(map(self._listed, self.engines)), "engines to list none")

    def _listed(self, engine):
        return [
            each["Name"]
            for each in engine.api.call("GET", "/networks")
            if each["Scope"] != "local" and each["Name"] != "ingress"
        ]

    def _remove_networks(self, docker):
        for network in spanning(docker):
            if docker.run("network", "rm", network).returncode != 0 and self.sort == "store":
                for name in endpoints(docker, network).values():
                    docker.run("network", "disconnect", "-f", network, name)
        return spanning(docker)

    def run(self, docker, name, *arguments, node=None, network="ov"):
        where = ("-e", f"constraint:node=={node}") if node else ()
        return docker("run", "-d", "--init", "--name", name, "--network", network,
                      *where, *arguments, "busybox", "sleep", "600")  # fmt: skip


def start_engines(sort, lab):
    if sort == "store":
        arguments = lab.cluster_store().engine_arguments
        specs = [{"name": f"store-{n}", "release": "20.10", "args": arguments} for n in range(3)]
    else:
        releases = ("20.10", "26.1", "28.5")
        specs = [{"name": f"swarm-{n}", "release": each} for n, each in enumerate(releases)]
    engines = lab.start_engines(specs)
    lab.image(engines)
    if sort == "swarm":
        form_swarm(*engines)
    return engines


def spanning(docker, *filters):
    """Return the listed names of networks that span engines, without the swarm's own network."""
    rows = docker("network", "ls", *filters, "--format", "{{.Name}} {{.Scope}}").splitlines()
    split = (row.split() for row in rows)
    return [name for name, scope in split if scope != "local" and name != "ingress"]


def node_of(docker, container):
    return docker("inspect", "-f", "{{.Node.Name}}", container)


def answers(docker, name, other):
    """Return whether *other* reaches container *name* by that name."""
    return docker.run("exec", name, "ping", "-c", "1", "-W", "5", other).returncode == 0


def endpoints(docker, network="ov"):
    """Return the containers in an inspect: id -> name, without the swarm's own endpoints."""
    done = docker.run("network", "inspect", network)
    shown = json.loads(done.stdout)[0]["Containers"] if done.returncode == 0 else {}
    return {id: each["Name"] for id, each in (shown or {}).items() if not id.startswith("lb-")}


def networks_of(docker, container):
    """Return the networks of a container, by id and by the names that its engine shows."""
    shown = json.loads(docker("inspect", container))[0]["NetworkSettings"]["Networks"]
    ids = {each["NetworkID"] for each in shown.values()}
    rows = docker("network", "ls", "--no-trunc", "--format", "{{.ID}} {{.Name}}").splitlines()
    return {name for id, name in (row.split() for row in rows) if id in ids}
