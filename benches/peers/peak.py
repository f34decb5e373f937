"""What a command prints, and the most memory that it held, as JSON.

A process of its own, which holds next to nothing: on Linux, a child's peak begins with what its parent held.
"""

import json
import os
import subprocess
import sys


def main():
    process = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, encoding="utf-8")
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{sys.argv[1:]} failed")
    unit = 1 if sys.platform == "darwin" else 1024
    print(json.dumps({"output": output, "peak": usage.ru_maxrss * unit}))


if __name__ == "__main__":
    main()
