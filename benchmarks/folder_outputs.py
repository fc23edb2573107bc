"""What a folder run writes, and how: pictures and masks as PNG, workers, flushing to a disk.

    python -m benchmarks.folder png      RGB pictures as PNG, against the plain OpenCV loop
    python -m benchmarks.folder masks    masks, against the plain OpenCV loop
    python -m benchmarks.folder dask     two local worker processes, against two threads
    python -m benchmarks.folder durable  what waiting for the disk costs: file, chunk, none

Over 302 JPEGs of 0.3 to 12 MP (`durable`: 2,000 small ones on the disk of the working folder). The
loop writes PNG as OpenCV does unless told otherwise. Each pass is a process of its own, timed after
its imports; sides take turns. Exit status 1 if a limit is missed.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 3
PNG, MASKS, DASK = 4.0, 2.3, 0.9
SMALL, SIDE = 2000, 256  # files of `durable`, and their pixels a side


def loop(source, out, word):
    """The plain loop."""
    import cv2

    for path in sorted(source.iterdir()):
        image = cv2.imread(str(path))
        if word == "png":
            image = cv2.GaussianBlur(image, (5, 5), 0)
        else:
            gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
            image = cv2.threshold(gray, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]
        cv2.imwrite(str(out / f"{path.name}.png"), image)


def pipeline_of(word):
    """The same as a pipeline."""
    from classical import GaussianBlur, Gray, Otsu

    return GaussianBlur(5) if word == "png" else Gray() >> Otsu()


def child(side, word, source, out):
    """Run one side; print as JSON the seconds that it took, and those until the first file."""
    source, out = Path(source), Path(out)
    if side == "loop":
        started = time.perf_counter()
        loop(source, out, word)
        print(json.dumps({"seconds": time.perf_counter() - started}))
        return
    import vision
    from vision.run_job import Job

    moments, take = [], Job.take

    def taken(job, entries):
        take(job, entries)
        moments.append((time.perf_counter(), len(entries)))

    Job.take = taken
    options = {"threads": {"threads": 2}, "dask": {"workers": 2}}.get(side, {"durable": side})
    format = "png" if word == "png" else None
    pipeline, started = pipeline_of(word), time.perf_counter()
    vision.run(pipeline, source, out, format=format, report=False, progress=False, **options)
    ended = time.perf_counter()
    # In steady state: from when both have begun to deliver to when the last file is there.
    first = len(moments) // 10
    files = sum(count for _, count in moments[first + 1 :])
    rate = files / (moments[-1][0] - moments[first][0])
    print(json.dumps({"seconds": ended - started, "rate": rate, "start": moments[0][0] - started}))


def measure(side, word, source, folder=None):
    """One pass in a process of its own."""
    with tempfile.TemporaryDirectory(dir=folder) as out:
        here = [sys.executable, "-m", "benchmarks.folder_outputs", side, word, str(source), out]
        result = subprocess.run(here, capture_output=True, text=True, check=True)
    return json.loads(result.stdout.splitlines()[-1])


def told(name, value, limit):
    """Print a figure beside its limit; whether it is kept."""
    good = value >= limit
    print(f"{name:<36}{value:8.3f}   at least {limit}{'' if good else '   MISSED'}")
    return good


def speed_up(word, source, limit):
    """How many times as fast as the loop two threads are."""
    rounds = []
    for index in range(ROUNDS):
        order = ("loop", "threads") if index % 2 else ("threads", "loop")
        rounds.append({side: measure(side, word, source)["seconds"] for side in order})
        print(f"loop {rounds[-1]['loop']:.2f} s, two threads {rounds[-1]['threads']:.2f} s")
    ratio = statistics.median(one["loop"] / one["threads"] for one in rounds)
    return told(f"speed-up, {word}", ratio, limit)


def workers(word, source, limit):
    """The rate of two worker processes by that of two threads, on pictures written as PNG."""
    ratios = []
    for _ in range(ROUNDS):
        found = {side: measure(side, "png", source) for side in ("threads", "dask")}
        for side, one in found.items():
            print(
                f"{side:<8}{one['rate']:7.1f} files a second, the first after {one['start']:.2f} s"
            )
        ratios.append(found["dask"]["rate"] / found["threads"]["rate"])
    return told("rate, Dask / threads", statistics.median(ratios), limit)


def durability(word, source, limit):
    """What each of the three ways costs a file, on a real disk."""
    for side in ("none", "chunk", "file"):
        seconds = [measure(side, word, source, folder=".")["seconds"] for _ in range(ROUNDS)]
        print(f"durable={side:<6}{min(seconds) / SMALL * 1e6:8.0f} us a file")
    return True


def make_small(folder):
    """Small pictures: for these waiting for the disk counts most."""
    import cv2
    import numpy as np

    from benchmarks.corpus import mosaic, photographs

    whole = mosaic(photographs(), 4096, 4096, np.random.default_rng(0))
    for number in range(SMALL):
        top, left = 61 * (number // 64), 60 * (number % 64)
        image = whole[top : top + SIDE, left : left + SIDE]
        (folder / f"{number:05}.jpg").write_bytes(cv2.imencode(".jpg", image)[1])


ROWS = {
    "png": (speed_up, PNG),
    "masks": (speed_up, MASKS),
    "dask": (workers, DASK),
    "durable": (durability, None),
}


def main(word):
    from benchmarks.corpus import make_corpus
    from benchmarks.machine import describe_machine

    print(describe_machine())
    judged, limit = ROWS[word]
    with tempfile.TemporaryDirectory(dir="." if word == "durable" else None) as folder:
        source = Path(folder) / "photographs"
        source.mkdir()
        make_small(source) if word == "durable" else make_corpus(source)
        print(f"{sum(1 for _ in source.iterdir())} files")
        return int(not judged(word, source, limit))


if __name__ == "__main__":
    child(*sys.argv[1:])
