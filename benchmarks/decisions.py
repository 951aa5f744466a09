"""Decisions of the scheduler with nodes in memory, without a socket.

``python -m benchmarks.decisions NODES CONTAINERS SECONDS`` prints its figures as JSON.
"""

import gc
import json
import sys
import time
from collections.abc import Callable

from swarmcore_filter_affinity import AffinityFilter
from swarmcore_filter_constraint import ConstraintFilter
from swarmcore_filter_health import HealthFilter
from swarmcore_filter_port import PortFilter
from swarmcore_strategy_spread import Spread

from swarmcore.model import GiB, MiB
from swarmcore.node import Node
from swarmcore.protocols import Decision, Filter
from swarmcore.scheduler import Scheduler
from swarmcore.testing.builders import a_config, a_container, a_decision, a_node, a_reservation


def main() -> None:
    """Build the nodes, decide repeatedly, and print the figures."""
    nodes, containers = int(sys.argv[1]), int(sys.argv[2])
    decide, change = _prepare(nodes, containers)
    decide()
    gc.collect()
    gc.freeze()
    times = list[float]()
    began, cpu = time.perf_counter(), time.process_time()
    while not times or time.perf_counter() - began < float(sys.argv[3]):
        asked = time.perf_counter()
        decision = decide()
        times.append(time.perf_counter() - asked)
        change(decision.node)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    times.sort()
    told = {
        "operations": len(times),
        "seconds": seconds,
        "per_s": len(times) / seconds,
        "p50_ms": times[len(times) // 2] * 1e3,
        "p99_ms": times[len(times) * 99 // 100] * 1e3,
        "cpu": cpu,
        "cpu_us": cpu / len(times) * 1e6,
        "busy": cpu / seconds * 100,
    }
    print(json.dumps(told))


def _prepare(nodes: int, containers: int) -> tuple[Callable[[], Decision], Callable[[Node], None]]:
    """Return a function that decides on a container with four rules, and one that changes nodes.

    The rules are a constraint, an affinity, a port and resources.  Between two decisions of a
    manager, nodes change: the function reserves on the node that it is given, and releases the
    previous reservation.
    """
    filters: list[Filter] = [HealthFilter(), PortFilter(), AffinityFilter(), ConstraintFilter()]
    scheduler = Scheduler(Spread(), filters)
    boxes = [
        a_container(f"box-{number}", ports=[f"{20000 + number}:80"], memory=64 * MiB)
        for number in range(containers)
    ]
    made = tuple(
        a_node(
            f"n{number}",
            cpus=64,
            memory=1024 * GiB,
            labels={"storage": ("ssd", "disk")[number % 2], "zone": "abc"[number % 3]},
            containers=boxes,
        )
        for number in range(nodes)
    )
    env = ["constraint:storage==ssd", "affinity:container!=web-7"]
    config = a_config(env=env, ports=["8080:80"], memory=64 * MiB, cpus=0.5)
    reservation = a_reservation("soon", ports=["9090:80"], memory=64 * MiB, cpus=0.5)
    reserved: list[Node] = []

    def decide() -> Decision:
        return a_decision(scheduler, config.informed_by(made, all_known=True), made)

    def change(node: Node) -> None:
        if reserved:
            reserved.pop().release(reservation.id)
        node.reserve(reservation)
        reserved.append(node)

    return decide, change


if __name__ == "__main__":
    main()
