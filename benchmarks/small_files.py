"""100,000 files of 64x64 pixels on a memory file system, where all time is overhead.

    python -m benchmarks.folder small [FILES]

Threads and two Dask workers, outputs as single files and packed, against a plain OpenCV loop that
reads, decodes, works, encodes and writes, without ledger, table or rename. Time per file in steady
state is that of nine tenths of the files: of a run over all, less that of a run over a tenth of
them; so what a run costs once is in neither, and all that grows with the files, from listing to
table, is. Exit status 1 if a limit is missed.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.resume import FILES, MEMORY, SIDE, Memory, make_files

THREADS, WORKERS, FLAT = 1.10, 0.80, 1.25
SIDES = [(side, pack) for side in ("threads", "dask") for pack in ("", "tar")]


def loop(source, out):
    """What a careful user writes by hand."""
    import cv2

    cv2.setNumThreads(1)
    for path in sorted(source.rglob("*.png")):
        gray = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2GRAY)
        mask = cv2.threshold(gray, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]
        cv2.imwrite(str(out / path.name), mask)


def child(side, pack, source, out):
    """Run one side; print its seconds, and its memory in MB early and late, as JSON."""
    memory, source, out = Memory(), Path(source), Path(out)
    if side == "loop":
        work = loop
    else:
        import vision
        from classical import Gray, Otsu

        pipeline = Gray() >> Otsu()
        pipeline.plan()
        options = {"threads": 2} if side == "threads" else {"workers": 2}
        options |= {"pack": pack or None, "report": False, "progress": False}

        def work(source, out):
            summary = vision.run(pipeline, source, out, **options)
            assert not summary.failed

    with memory:
        started = time.perf_counter()
        work(source, out)
        seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = {"seconds": seconds, "early": memory.at(0.1), "late": memory.at(0.9), "peak": peak}
    print(json.dumps(found))


def measure(side, pack, source, folder):
    """One pass in a process of its own."""
    with tempfile.TemporaryDirectory(dir=folder) as out:
        here = [sys.executable, "-m", "benchmarks.small_files", side, pack, str(source), out]
        result = subprocess.run(here, capture_output=True, text=True, check=True)
    return json.loads(result.stdout.splitlines()[-1])


def passes(side, pack, folder, count):
    """Microseconds a file in steady state, seconds that are spent once, and memory."""
    few = measure(side, pack, folder / "tenth", folder)
    whole = measure(side, pack, folder / "all", folder)
    more = count - count // 10
    each = (whole["seconds"] - few["seconds"]) / more
    return each * 1e6, few["seconds"] - each * (count // 10), whole


def main(count=FILES):
    from benchmarks.machine import describe_machine

    print(describe_machine())
    kept = True
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        folder = Path(folder)
        for name, files in (("tenth", count // 10), ("all", count)):
            (folder / name).mkdir()
            make_files(folder / name, files)
        bare = passes("loop", "", folder, count)[0]
        print(f"{count:,} files of {SIDE}x{SIDE}: the loop takes {bare:.0f} us a file")
        for side, pack in SIDES:
            found = passes(side, pack, folder, count)
            limit = THREADS if side == "threads" else WORKERS
            kept &= judged(f"{side}, {pack or 'single files'}", *found, bare, limit)
    return int(not kept)


def judged(title, each, once, whole, bare, limit):
    """Print the figures of one side beside their limits; whether they are kept."""
    figures = [
        ("time / loop", each / bare, limit),
        ("memory", whole["late"] / whole["early"], FLAT),
    ]
    print(f"{title}: {each:.0f} us a file, {once:.2f} s once, peak {whole['peak']:.0f} MB")
    for name, value, most in figures:
        print(f"    {name:<22}{value:6.2f}   at most {most}{'' if value <= most else '   MISSED'}")
    return all(value <= most for _, value, most in figures)


if __name__ == "__main__":
    child(*sys.argv[1:])
