"""``python -m benchmarks``: measure, print a table, write JSON and plots."""

import signal
import sys

from benchmarks.figures import Results, read_results
from benchmarks.plots import draw_all
from benchmarks.report import write_report
from benchmarks.runner import run
from benchmarks.settings import Settings, parser, read_settings
from benchmarks.workloads import WORKLOADS, choose


def main() -> None:
    """Run the command line."""
    asked = parser().parse_intermixed_args()
    if asked.list:
        for workload in WORKLOADS:
            if workload.by_default:
                print(f"{workload.name:<20}{workload.about}")
        return
    settings = read_settings(asked)
    results = read_results(*asked.read) if asked.read else _measure(settings)
    if settings.json_file is not None:
        results.write(settings.json_file, settings)
    print(write_report(results), end="")
    if settings.plot_folder is not None:
        for path in draw_all(results, settings.plot_folder):
            print(path)


def _measure(settings: Settings) -> Results:
    try:
        workloads = choose(settings.names, floor=settings.floor, more_clients=settings.more_clients)
    except ValueError as error:
        raise SystemExit(str(error)) from None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended early"))
    return run(settings, workloads)


if __name__ == "__main__":
    main()
