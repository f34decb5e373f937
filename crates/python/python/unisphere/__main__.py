"""The program: `python -m unisphere eval x.npy y.npy`, and the script `unisphere`."""

import os
import sys

from . import _native


def main() -> None:
    """Runs the program on the command line, and ends with its exit code."""
    if "XDG_RUNTIME_DIR" not in os.environ:
        # Without a desktop, Mesa's Vulkan layer would complain on stderr.
        os.environ.setdefault("NODEVICE_SELECT", "1")
    sys.exit(_native.run_program(["unisphere", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
