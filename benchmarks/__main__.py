"""``python -m benchmarks``: measure, print a table, write JSON."""

import signal
import sys

from benchmarks.report import write_report
from benchmarks.runner import run
from benchmarks.settings import parser, read_settings
from benchmarks.workloads import WORKLOADS, choose


def main() -> None:
    """Obey the command line."""
    asked = parser().parse_args()
    if asked.list:
        for workload in WORKLOADS:
            print(f"{workload.name:<20}{workload.about}")
        return
    settings = read_settings(asked)
    try:
        workloads = choose(settings.names, floor=settings.floor)
    except ValueError as error:
        raise SystemExit(str(error)) from None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended early"))
    results = run(settings, workloads)
    if settings.json_file is not None:
        results.write(settings.json_file, settings)
    print(write_report(results), end="")


if __name__ == "__main__":
    main()
