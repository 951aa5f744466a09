"""Run chaos by hand: ``python -m tests.chaos --seed 7 --minutes 30``."""

import argparse
import secrets
import signal
import sys

from tests.chaos.run import Run


def main() -> int:
    """Run once; the status is 1 if an invariant did not hold, and 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--minutes", type=float, default=2.0, help="how long faults are injected")
    given = parser.parse_args()
    # Both end the run like Ctrl-C, so that nothing is left; in the background, SIGINT is ignored.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    run = Run(given.seed, given.minutes * 60, lambda line: print(line, flush=True))  # noqa: T201
    try:
        return 0 if run.go() else 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
