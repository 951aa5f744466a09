"""Runs the command line: ``python -m swarmcore``."""

import sys

from swarmcore.cli import main

if __name__ == "__main__":
    sys.exit(main())
