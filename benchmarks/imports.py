"""How fast the toolkit starts: whole fresh processes against a bare interpreter.

    python -m benchmarks.imports

The median of 15 runs each, in turn. Exit status 1 if importing the three packages costs more than
0.05 s above a bare interpreter, or a quick command of the command line takes longer than 0.2 s.
"""

import statistics
import subprocess
import sys
import time

from benchmarks.machine import describe_machine

RUNS = 15
ABOVE_BARE, COMMAND = 0.05, 0.20
BARE = "bare interpreter"
COMMANDS = {
    BARE: ["-c", "pass"],
    "import vision, classical, deep": ["-c", "import vision, classical, deep"],
    "vision --help": ["-m", "vision", "--help"],
    "vision --wrong": ["-m", "vision", "--wrong"],
    "vision steps": ["-m", "vision", "steps"],
    "vision steps Canny": ["-m", "vision", "steps", "Canny"],
}


def seconds(arguments):
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], capture_output=True)
    return time.perf_counter() - start


def main():
    print(describe_machine())
    times = {name: [] for name in COMMANDS}
    for _ in range(RUNS):
        for name, arguments in COMMANDS.items():
            times[name].append(seconds(arguments))
    medians = {name: statistics.median(values) for name, values in times.items()}
    missed = False
    for name, value in medians.items():
        limit = medians[BARE] + ABOVE_BARE if name.startswith("import") else COMMAND
        missed |= value > limit
        print(f"{name:<34}{value:7.3f} s   at most {limit:.3f}{'   MISSED' * (value > limit)}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
