"""Bytes and CPUs as people read them: ``3.1 GiB``, ``1.5 CPUs``."""

from swarmcore.model import NANO

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def show_bytes(size: int) -> str:
    """*size* in the largest unit that leaves at least one, four digits, as classic prints it."""
    value, step = float(size), 0
    while abs(value) >= 1024 and step < len(_UNITS) - 1:
        value /= 1024
        step += 1
    return f"{value:.4g} {_UNITS[step]}"


def show_cpus(nano_cpus: int) -> str:
    """CPUs from units of 1e-9."""
    count = nano_cpus / NANO
    return f"{count:.4g} CPU{'' if count == 1 else 's'}"
