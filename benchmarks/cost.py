"""What a program costs as a whole process: ``python cost.py ARGUMENTS`` as JSON.

The kernel counts the memory of whoever starts a program as the program's own, so a
small process starts it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time


def main(arguments: list[str]) -> int:
    """Run a Python program to its end and print what it took."""
    started = time.perf_counter()
    command = [sys.executable, *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    found = {
        "wall_s": time.perf_counter() - started,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mib": usage.ru_maxrss / 1024,
    }
    sys.stdout.write(json.dumps(found))
    return 1 if status else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
