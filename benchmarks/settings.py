"""The settings of one run of the benchmarks."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

#: The manager of this clone.
OWN_MANAGER = f"{sys.executable} -m swarmcore manage -H {{listen}} -H unix://{{socket}} {{nodes}}"
_STREAM_MB = 256


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a cluster: engines, and containers on each of them."""

    engines: int
    containers: int

    def __str__(self) -> str:
        return f"{self.engines:,} engines x {self.containers:,} containers"


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one run.

    Attributes:
        names: names of workloads; empty for all.
        sizes: the sizes to measure, one after another.
        seconds: the length of one measurement.
        rounds: how often each workload is measured.
        idle_seconds: the seconds over which idle CPU is measured.
        settle_seconds: the longest wait for the end of the work after a start.
        stream_bytes: the bytes of one measurement of a stream.
        manager: the command line of the manager, with ``{listen}``, ``{nodes}`` and, for a unix
            socket, ``{socket}``.
        against: the command line of a second manager; empty for none.
        more_clients: whether to measure requests by 4 and 64 clients, too.
        floor: whether to measure the limits of this machine, too.
        json_file: gets every figure.
        plot_folder: gets plots.
    """

    names: Sequence[str]
    sizes: Sequence[Size]
    seconds: float = 2.0
    rounds: int = 3
    idle_seconds: float = 10.0
    settle_seconds: float = 30.0
    stream_bytes: int = _STREAM_MB << 20
    manager: str = OWN_MANAGER
    against: str = ""
    more_clients: bool = False
    floor: bool = False
    json_file: Path | None = None
    plot_folder: Path | None = None


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, epilog="See docs/benchmarks.md."
    )
    add = parser.add_argument
    add("names", nargs="*", metavar="WORKLOAD", help="workloads or families; default: all")
    add("--list", action="store_true", help="show the workloads and end")
    add("--engines", type=_numbers, default=[10], metavar="N,...", help="engines (10)")
    add("--containers", type=_numbers, default=[500], metavar="N,...", help="on each engine (500)")
    add("--seconds", type=float, default=2.0, help="length of one measurement (2)")
    add("--rounds", type=int, default=3, help="measurements of each workload (3)")
    add("--quick", action="store_true", help="one round of half a second, 10 engines x 50")
    add("--idle", type=float, default=10.0, help="seconds over which idle CPU is taken (10)")
    add("--settle", type=float, default=30.0, help="longest wait for quiet after a start (30)")
    add("--megabytes", type=int, default=_STREAM_MB, help=f"length of a stream ({_STREAM_MB})")
    add("--manager", default=OWN_MANAGER, metavar="CMD", help="first manager; see --against")
    add(
        "--against", default="", metavar="CMD",
        help="a second manager's command line, with {listen}, {nodes}, perhaps {socket}",
    )  # fmt: skip
    add("--more-clients", action="store_true", help="also requests by 4 and 64 clients")
    add("--floor", action="store_true", help="also measure what this machine can do at best")
    add("--json", type=Path, metavar="FILE", help="write every figure")
    add(
        "--read", type=Path, metavar="FILE", action="append",
        help="measure nothing: show what --json wrote; may be given several times",
    )  # fmt: skip
    add("--plot", type=Path, metavar="FOLDER", help="draw how cost grows, as SVG")
    return parser


def read_settings(asked: argparse.Namespace) -> Settings:
    """Return the settings from the command line."""
    if asked.quick:
        asked.rounds, asked.seconds, asked.containers = 1, 0.5, [50]
        asked.idle, asked.megabytes = 5.0, 64
    return Settings(
        names=asked.names,
        sizes=[Size(engines, each) for engines in asked.engines for each in asked.containers],
        seconds=asked.seconds,
        rounds=asked.rounds,
        idle_seconds=asked.idle,
        settle_seconds=asked.settle,
        stream_bytes=asked.megabytes << 20,
        manager=asked.manager,
        against=asked.against,
        more_clients=asked.more_clients,
        floor=asked.floor,
        json_file=asked.json,
        plot_folder=asked.plot,
    )


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]
