"""A manager with embedded engines, and commands that are sent to it."""

import json
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import trio

from swarmcore.app import Manager
from swarmcore.cluster import Cluster
from swarmcore.model import State
from swarmcore.options import Options
from swarmcore.protocols import DiscoveryURI
from swarmcore.testing.embedded import EmbeddedEngine

SWARMCORE = Path(sys.executable).with_name("swarmcore")


@dataclass
class Operated:
    """A running manager, and the command line that uses it."""

    cluster: Cluster
    engines: list[EmbeddedEngine]
    environment: dict[str, str]

    async def __call__(self, *words, stdin="", **environment):
        """Run ``swarmcore`` with *words*; return its output and its status."""
        done = await trio.run_process(
            [SWARMCORE, *words],
            stdin=stdin.encode(),
            capture_stdout=True,
            capture_stderr=True,
            check=False,
            env={**self.environment, **environment},
        )
        out, err = done.stdout.decode(), done.stderr.decode()
        return subprocess.CompletedProcess(words, done.returncode, out, err)

    async def started(self, nursery, *words):
        """Start ``swarmcore`` with *words*; yield its standard output while it runs."""
        start = partial(
            trio.run_process, [SWARMCORE, *words], stdout=subprocess.PIPE, env=self.environment
        )
        return (await nursery.start(start)).stdout

    async def text(self, *words, **more):
        """Run a command that must succeed, and return its standard output."""
        done = await self(*words, **more)
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def json(self, *words, **more):
        """Run a command that must succeed, with ``--json``, and return the decoded output."""
        command, *rest = words
        return json.loads(await self.text(command, "--json", *rest, **more))

    def node(self, name):
        return next(node for node in self.cluster.nodes() if node.name == name)


@asynccontextmanager
async def operating(folder, engines, **options):
    """Run a manager with these engines, all healthy, on a unix socket in *folder*."""
    host = f"unix://{folder}/manager.sock"
    addresses = ",".join(engine.address for engine in engines)
    discovery = DiscoveryURI("nodes", addresses)
    # Two hundred engines in this process may be slow to answer, and are not lost for that.
    manager = Manager(Options(discovery, hosts=(host,), failure_retry=1000, **options))
    ready = trio.Event()
    clusters = []

    async def announce(cluster):
        clusters.append(cluster)
        async with cluster.follow_events() as events:
            while sum(node.state is State.HEALTHY for node in cluster.nodes()) < len(engines):
                await anext(aiter(events))
        ready.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(manager.run, announce)
        with trio.fail_after(200):
            await ready.wait()
        environment = {"DOCKER_HOST": host, "COLUMNS": "80", "HOME": str(folder), "TZ": "UTC"}
        yield Operated(clusters[0], list(engines), environment)
        nursery.cancel_scope.cancel()
