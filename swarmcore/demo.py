"""``swarmcore demo``: a whole cluster on this machine.

Uses real engines if the lab (the distribution ``swarmcore-lab``) is installed, the process is root
and dockerd is available; otherwise the embedded engines of the test kit.
"""

import shutil
import sys
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack

import trio

from swarmcore.app import Manager, Serving
from swarmcore.cluster import Cluster
from swarmcore.errors import ConfigError, SwarmError
from swarmcore.model import GiB, State
from swarmcore.options import Options
from swarmcore.protocols import DiscoveryURI
from swarmcore.testing.embedded import EmbeddedEngine


def demo(engines: int, kind: str | None, listen: Sequence[str]) -> int:
    """Run engines and a manager until a signal; remove everything afterwards.

    Args:
        engines: number of engines.
        kind: ``real``, ``embedded``, or ``None`` for real ones if possible.
        listen: values of ``-H`` for the manager.

    Returns:
        The exit status.

    Raises:
        ConfigError: real engines cannot run on this machine; the message says why.
    """
    reason = _why_not_real()
    if kind == "real" and reason is not None:
        raise ConfigError(f"demo --real: {reason}; --embedded runs anywhere")
    if kind == "embedded" or reason is not None:
        if kind is None:
            _say(f"No real Docker Engines here: {reason}.")
        return trio.run(_run_embedded, engines, listen)
    return _run_real(engines, listen)


def _why_not_real() -> str | None:
    try:
        from swarmcore_lab import available
    except ModuleNotFoundError:
        return "the package swarmcore-lab is not installed"
    return available()


def _run_real(count: int, listen: Sequence[str]) -> int:
    from swarmcore_lab import Lab, LabError, releases

    kinds = sorted(releases())
    specs = [{"name": f"n{n + 1}", "release": kinds[n % len(kinds)]} for n in range(count)]
    _say(f"Starting {count} real Docker Engines, each in namespaces of its own ...")
    try:
        with Lab() as lab:
            started = lab.start_engines(specs)
            image = lab.image(started)
            _say(
                "Running: "
                + ", ".join(f"{engine.name} (Docker {engine.release})" for engine in started)
            )
            manager = _make_manager((engine.address for engine in started), listen)
            return trio.run(manager.run, _announce(count, listen, image))
    except LabError as error:
        raise SwarmError(f"demo: {error}") from error


async def _run_embedded(count: int, listen: Sequence[str]) -> int:
    engines = [EmbeddedEngine(f"n{n + 1}", memory=8 * GiB, pullable=["*"]) for n in range(count)]
    _say(f"Running {count} embedded engines: they play Docker, and run nothing real.")
    async with AsyncExitStack() as stack:
        for engine in engines:
            await stack.enter_async_context(engine.serving())
        manager = _make_manager((engine.address for engine in engines), listen)
        return await manager.run(_announce(count, listen, "busybox"))


def _make_manager(addresses: Iterable[str], listen: Sequence[str]) -> Manager:
    return Manager(Options(DiscoveryURI("nodes", ",".join(addresses)), hosts=tuple(listen)))


def _announce(count: int, listen: Sequence[str], image: str) -> Serving:
    """A task that prints the commands to try, once all engines are healthy."""

    async def announce(cluster: Cluster) -> None:
        async with cluster.follow_events() as events:
            while sum(node.state is State.HEALTHY for node in cluster.nodes()) < count:
                await anext(aiter(events), None)
        _say(
            f"""
In a second shell:

    export DOCKER_HOST={listen[0]}
    docker run -d --name web {image} sleep 600
    docker ps
    docker info

Ctrl-C ends it and leaves nothing behind."""
        )
        if shutil.which("docker") is None:
            _say("(There is no docker command on this machine's PATH: install one first.)")

    return announce


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
