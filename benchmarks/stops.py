"""How long a folder run takes to end after a signal that comes within a step of many seconds.

    python -m benchmarks.stops

On threads and on worker processes, in a step that sleeps and, on workers, in one that keeps
Python's lock as native code may. Exit status 1 if a rule is broken:

    the run ends within two seconds, with 130, 143 or 129, or by Ctrl-C's signal itself
    what had been done is in results.csv
    no temporary file stays, and no process
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WITHIN = 2.0  # seconds
PICTURES, LONG = 30, 8  # and the one whose step takes long
PATIENCE = 60.0  # seconds until it has come to that one; until it has ended
SCRIPT = """
import json, sys
import vision
from tests.vision.dangerous_steps import Dangerous

source, out, notes, options = sys.argv[1:]
vision.run(Dangerous(notes), source, out, progress=False, **json.loads(options))
"""


def ending(folder, mark, number, options):
    """The seconds that a run takes to end after a signal, and the rules that it breaks."""
    out, notes = folder / "out", folder / "notes"
    put_pictures(folder / "in", mark)
    notes.mkdir()
    asked = [sys.executable, "-c", SCRIPT, folder / "in", out, notes, options]
    alone = {"stderr": subprocess.DEVNULL, "start_new_session": True}
    with subprocess.Popen(asked, **alone) as process:
        wait_for(lambda: any(notes.iterdir()) and ".png" in (out / "ledger.jsonl").read_text())
        time.sleep(0.2)
        others = children_of(process)
        started = time.monotonic()
        os.killpg(process.pid, number)  # as a terminal does: workers get it too
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)
        seconds = time.monotonic() - started
        process.kill()
    return seconds, list(broken(seconds, process.returncode, number, out, others))


def put_pictures(folder, mark):
    """Write the pictures."""
    from tests.vision.dangerous_steps import marked
    from tests.vision.run_folders import put

    for picture in range(PICTURES):
        put(folder, f"{picture:03}.png", marked(picture, mark if picture == LONG else 0))


def wait_for(what):
    """Until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not what():
        if time.monotonic() > deadline:
            raise TimeoutError("the run did not come to the long step")
        time.sleep(0.01)


def children_of(process):
    """All processes below one."""
    import psutil

    return psutil.Process(process.pid).children(recursive=True)


def broken(seconds, code, number, out, others):
    """The rules that are broken, in words."""
    import psutil

    if seconds > WITHIN:
        yield "late"
    if code not in (128 + number, -number if number == signal.SIGINT else 128 + number):
        yield f"status {code}"
    if (out / "results.csv").read_text().count("\n") < 2:
        yield "no results"
    if list(out.rglob(".vision-*")):
        yield "temporary files"
    if psutil.wait_procs(others, timeout=WITHIN)[1]:
        yield "processes"


def main():
    """Print the table; 1 if a rule is broken."""
    from benchmarks.machine import describe_machine
    from tests.vision.dangerous_steps import HANG, SLEEP

    print(describe_machine())
    print(f"{'who computes':<14}{'the step':<22}{'signal':<10}{'seconds':>8}  broken")
    cases = (
        ("2 threads", "sleeps", SLEEP, '{"threads": 2}'),
        ("2 workers", "sleeps", SLEEP, '{"workers": 2}'),
        ("2 workers", "holds Python's lock", HANG, '{"workers": 2}'),
    )
    failures = 0
    for who, step, mark, options in cases:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with tempfile.TemporaryDirectory() as folder:
                seconds, found = ending(Path(folder), mark, number, options)
            failures += len(found)
            print(f"{who:<14}{step:<22}{number.name:<10}{seconds:>8.2f}  {', '.join(found)}")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
