"""The program: `python -m unisphere eval x.npy y.npy`, and the script `unisphere`."""

import sys

from . import _native
from ._engine import keep_drivers_quiet


def main() -> None:
    """Runs the program on the command line, and ends with its exit code."""
    keep_drivers_quiet()
    sys.exit(_native.run_program(["unisphere", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
