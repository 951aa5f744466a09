"""A container's resource usage, once or every second; the numbers are made up and increase."""

from typing import Any

import trio

from swarmcore.http.messages import dump_json
from swarmcore.testing.documents.moments import NANO, NEVER, timestamp
from swarmcore.testing.embedded.call import Call
from swarmcore.testing.embedded.container import ContainerRecord
from swarmcore.testing.embedded.host import Host, routes

_PERIOD_SECONDS = 1.0
_MEMORY_BYTES = 1 << 20
#: CPU time is the running time divided by this: one hundredth of one CPU.
_LOAD = 100

_BLOCK_COUNTERS = (
    "io_service_bytes",
    "io_serviced",
    "io_queue",
    "io_service_time",
    "io_wait_time",
    "io_merged",
    "io_time",
    "sectors",
)
_NETWORK_COUNTERS = ("bytes", "packets", "errors", "dropped")
_NO_CPU: Any = {
    "cpu_usage": {"total_usage": 0, "usage_in_kernelmode": 0, "usage_in_usermode": 0},
    "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0},
}


async def _stats(engine: Host, call: Call) -> None:
    record = engine.state.find_container(call.params["name"])
    streaming = call.query.flag("stream") or "stream" not in call.query
    if not streaming:
        one_shot = call.query.flag("one-shot")
        sample = _sample(engine, record, first=one_shot)
        if one_shot and record.alive:
            del sample["name"], sample["id"]
        await call.send_json(sample)
        return
    async with call.stream() as send:
        first = True
        while not record.removed.is_set():
            await send(dump_json(_sample(engine, record, first=first)))
            first = False
            with trio.move_on_after(_PERIOD_SECONDS):
                await record.removed.wait()


def _sample(engine: Host, record: ContainerRecord, *, first: bool) -> dict[str, Any]:
    """Return one sample; the *first* one has no previous sample."""
    now, alive = engine.state.clock(), record.alive
    counters: list[Any] | None = [] if alive else None
    told: dict[str, Any] = {
        "name": f"/{record.name}",
        "id": record.id,
        "read": timestamp(now) if alive else NEVER,
        "preread": timestamp(now - NANO) if alive and not first else NEVER,
        "pids_stats": {"current": 1} if alive else {},
        "blkio_stats": {f"{name}_recursive": counters for name in _BLOCK_COUNTERS},
        "num_procs": 0,
        "storage_stats": {},
        "cpu_stats": _NO_CPU,
        "precpu_stats": _NO_CPU,
        "memory_stats": {},
    }
    if not alive:
        return told
    ran = max(0, now - record.started)
    directions = [f"{way}_{what}" for way in ("rx", "tx") for what in _NETWORK_COUNTERS]
    return {
        **told,
        "cpu_stats": _cpu(ran, engine.cpus),
        "precpu_stats": _NO_CPU if first else _cpu(max(0, ran - NANO), engine.cpus),
        "memory_stats": {
            "usage": _MEMORY_BYTES,
            "stats": {},
            "limit": record.host_config["Memory"] or engine.memory,
        },
        "networks": {"eth0": dict.fromkeys(directions, 0)},
    }


def _cpu(ran_nano: int, cpus: int) -> dict[str, Any]:
    """Return the CPU usage after *ran_nano* nanoseconds of running."""
    return {
        "cpu_usage": {**_NO_CPU["cpu_usage"], "total_usage": ran_nano // _LOAD},
        "system_cpu_usage": ran_nano * cpus,
        "online_cpus": cpus,
        "throttling_data": _NO_CPU["throttling_data"],
    }


ROUTES = routes({"GET /containers/{name}/stats": _stats})
