"""A finished run over 100,000 small files, run again: how soon is it known that nothing is left?

    python -m benchmarks.resume [FILES]

Pictures of 64x64 pixels on a memory file system, no two the same, as single outputs and packed.
Each pass is a process of its own, timed from the call of `vision.run` to its return. A tenth of the
files tells what a file costs in memory. Exit status 1 if a limit is missed: seconds until the
finished run has decided, its share of the bytes of the files, bytes of memory a file, and memory
while the first run went on.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

FILES, SIDE = 100_000, 64
# Seconds, share of the bytes, bytes of memory a file, the peak over that after a tenth of the work.
DECIDES, READ, A_FILE, FLAT = 20.0, 0.01, 1024, 1.25
MEMORY = Path("/dev/shm")


def make_files(folder, count):
    """Write the pictures: a gradient with noise, of which no two are the same."""
    import cv2
    import numpy as np

    generator = np.random.default_rng(0)
    ramp = np.add.outer(np.arange(SIDE), np.arange(SIDE))[..., None]
    total = 0
    for number in range(count):
        place = folder / f"{number // 1000:03}"
        place.mkdir(exist_ok=True)
        noise = generator.integers(0, 12, (SIDE, SIDE, 3))
        image = (ramp + noise + number % 97).astype(np.uint8)
        data = cv2.imencode(".png", image)[1]
        (place / f"{number:06}.png").write_bytes(data)
        total += len(data)
    return total


def child(source, out, pack):
    """One run; prints what it took as JSON."""
    import vision
    import vision.sources
    from classical import Gray, Otsu

    pipeline = Gray() >> Otsu()
    pipeline.plan()
    read, load = [0], vision.sources.load_file

    def counted(*args, **options):
        data, state = load(*args, **options)
        read[0] += len(data)
        return data, state

    vision.sources.load_file = counted
    memory = Memory()
    before, started = os.times(), time.perf_counter()
    with memory:
        summary = vision.run(pipeline, source, out, pack=pack or None, threads=2, progress=False)
    seconds, after = time.perf_counter() - started, os.times()
    found = {
        "seconds": seconds,
        "cpu": after.user + after.system - before.user - before.system,
        "read": read[0],
        "done": summary.done,
        "unchanged": summary.unchanged,
        "failed": summary.failed,
        "notes": summary.notes,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "tenth": memory.at(0.1),
        "last": memory.at(0.9),
    }
    print(json.dumps(found))


class Memory:
    """The resident memory in MB, ten times a second."""

    def __init__(self):
        self.samples, self._ended = [], threading.Event()

    def __enter__(self):
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def __exit__(self, *exception):
        self._ended.set()
        self._thread.join()

    def _watch(self):
        page = os.sysconf("SC_PAGE_SIZE") / 2**20
        while not self._ended.wait(0.1):
            self.samples.append(int(Path("/proc/self/statm").read_text().split()[1]) * page)

    def at(self, share):
        """The most so far, after that share of the time."""
        return max(self.samples[: int(share * len(self.samples)) + 1], default=0.0)


def measure(source, out, pack):
    command = [sys.executable, "-m", "benchmarks.resume", "--child", str(source), str(out), pack]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(result.stdout.splitlines()[-1])


def passes(source, folder, pack):
    """The first run, one that has nothing to do, and the size of the ledger."""
    out = folder / f"out{pack}"
    first, again = measure(source, out, pack), measure(source, out, pack)
    return first, again, (out / "ledger.jsonl").stat().st_size


def main():
    from benchmarks.machine import describe_machine

    count = int(sys.argv[1]) if len(sys.argv) > 1 else FILES
    print(describe_machine())
    kept = True
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        folder = Path(folder)
        for name in ("tenth", "all"):
            (folder / name).mkdir()
        make_files(folder / "tenth", count // 10)
        size = make_files(folder / "all", count)
        print(f"{count:,} files of {SIDE}x{SIDE}, {size / 1e6:.0f} MB")
        for pack in ("", "tar"):
            few = passes(folder / "tenth", folder / "few", pack)
            kept &= judged(
                pack or "single files", count, size, few, passes(folder / "all", folder, pack)
            )
    return int(not kept)


def judged(title, count, size, few, whole):
    """Print each figure beside its limit; whether all are kept."""
    (first, again, ledger), (few_first, few_again, _) = whole, few
    more = count - count // 10
    nothing = (again["done"], again["failed"], again["unchanged"]) == (0, 0, count)
    figures = [
        ("seconds to decide", again["seconds"], DECIDES),
        ("share of the bytes read", again["read"] / size, READ),
        ("bytes a file, first run", (first["peak"] - few_first["peak"]) * 2**20 / more, A_FILE),
        ("bytes a file, run again", (again["peak"] - few_again["peak"]) * 2**20 / more, A_FILE),
        ("peak at 90% / at 10% of the run", first["last"] / first["tenth"], FLAT),
    ]
    print(f"\n{title}: {'nothing is left' if nothing else 'SOMETHING IS LEFT'}")
    for name, value, limit in figures:
        print(f"{name:<34}{value:10.3f}   at most {limit}{'' if value <= limit else '   MISSED'}")
    print(
        f"first run {first['seconds']:.1f} s ({first['seconds'] / count * 1e6:.0f} us a file, "
        f"{first['cpu']:.1f} s CPU), again {again['seconds']:.1f} s ({again['cpu']:.1f} s CPU); "
        f"peak {first['peak']:.0f} and {again['peak']:.0f} MB; "
        f"ledger {ledger / count:.0f} bytes a file"
    )
    return nothing and all(value <= limit for _, value, limit in figures)


if __name__ == "__main__":
    if "--child" in sys.argv:
        child(*sys.argv[2:])
    else:
        sys.exit(main())
