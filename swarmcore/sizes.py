"""Formats bytes, CPUs and GPUs: ``3.1 GiB``, ``1.5 CPUs``."""

from collections.abc import Sequence

from swarmcore.model import ALL_GPUS, NANO

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def show_bytes(size: int) -> str:
    """*size* with four digits in the largest fitting unit, as Swarm classic prints it."""
    value, step = float(size), 0
    while abs(value) >= 1024 and step < len(_UNITS) - 1:
        value /= 1024
        step += 1
    return f"{value:.4g} {_UNITS[step]}"


def show_cpus(nano_cpus: int) -> str:
    """Format CPUs, given in units of 1e-9."""
    count = nano_cpus / NANO
    return f"{count:.4g} CPU{'' if count == 1 else 's'}"


def show_gpus(count: int, ids: Sequence[str]) -> str:
    """Format a number of GPUs and the ids of others; empty for none."""
    parts = [f"GPU {', '.join(ids)}"] if ids else []
    if count:
        parts.append("all GPUs" if count == ALL_GPUS else f"{count} GPU{'' if count == 1 else 's'}")
    return " and ".join(parts)
