"""A folder of photographs: `vision.run` on threads against a plain OpenCV loop.

    python -m benchmarks.folder
    python -m benchmarks.folder png | masks | dask | durable | small [FILES]

Without a word it is this; the others are in `benchmarks.folder_outputs` and
`benchmarks.small_files`.

Over 300 JPEGs of 0.3 to 12 MP. Both sides decode, go to HSV, threshold a range, open, find
contours, draw them on the picture, write it as JPEG of quality 90, and write a row of a table for
each contour. Each pass is a process of
its own, timed after its imports; the two sides take turns. Exit status 1 if a limit is missed:
speed-up, share of the limit that our own CPU seconds allow on two cores, CPU against the loop's,
peak memory, and the same peak for ten times the files.
"""

import csv
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 3
SPEED_UP, OF_LIMIT, CPU_RATIO, DECODED, GROWTH = 1.80, 0.93, 1.05, 8, 1.05
LOW, HIGH = (5, 60, 60), (25, 255, 255)
CORES = 2


def plain_loop(source, out):
    """What a careful user writes by hand."""
    import cv2
    import numpy as np

    from vision.canvas import INK, OUTLINE, line_thickness

    low, high = np.array(LOW, np.uint8), np.array(HIGH, np.uint8)
    element = cv2.getStructuringElement(cv2.MORPH_RECT, (5, 5))
    found = 0

    def row(name, number, contour):
        moments = cv2.moments(contour)
        area = moments["m00"]
        middle = contour.mean(axis=(0, 1)).tolist()
        if area:
            middle = [moments["m10"] / area, moments["m01"] / area]
        left, top, width, height = cv2.boundingRect(contour)
        box = [left, top, left + width, top + height]
        length = cv2.arcLength(contour, True)
        hull = cv2.contourArea(cv2.convexHull(contour))
        turn, spread = 0.0, 0.0
        if area:
            a, b, c = moments["mu20"] / area, moments["mu11"] / area, moments["mu02"] / area
            root = math.sqrt(4 * b * b + (a - c) ** 2)
            spread = math.sqrt(2 * root / (a + c + root)) if a + c + root else 0.0
            turn = math.degrees(math.atan2(2 * b, a - c) / 2) % 180
        round_ = 4 * math.pi * area / length**2 if length else 0.0
        solid = area / hull if hull else 1.0
        return [name, number, *middle, *box, area, length, round_, solid, spread, turn]

    def work():
        with (out / "results.csv").open("w", newline="") as file:
            walk(csv.writer(file))

    def walk(table):
        nonlocal found
        for path in sorted(source.iterdir()):
            image = cv2.imread(str(path))
            mask = cv2.inRange(cv2.cvtColor(image, cv2.COLOR_BGR2HSV), low, high)
            mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, element)
            contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
            width = line_thickness(image.shape)
            if width > 1:
                cv2.drawContours(image, contours, -1, INK, width + 2 * max(1, width // 3))
            cv2.drawContours(image, contours, -1, OUTLINE[::-1], width)
            cv2.imwrite(str(out / path.name), image, [cv2.IMWRITE_JPEG_QUALITY, 90])
            table.writerows(row(path.name, n, c) for n, c in enumerate(contours, 1))
            found += len(contours)

    return work, lambda: found


def ours(source, out):
    """The same as a pipeline."""
    import vision
    from classical import FindContours, InRange, Opening, ToHSV

    pipeline = ToHSV() >> InRange("hsv", LOW, HIGH) >> Opening(5) >> FindContours()
    pipeline.plan()
    vision.read(next(iter(sorted(source.iterdir()))))

    def work():
        options = {"overlay": True, "quality": 90, "threads": CORES}
        vision.run(pipeline, source, out, **options, report=False, progress=False)

    def found():
        rows = (out / "results.csv").read_text().splitlines()[1:]
        return sum(1 for row in rows if row.split(",")[1] != "0")

    return work, found


def imports_only(source, out):
    """The memory that stands before the first file."""
    ours(source, out)
    return (lambda: None), (lambda: 0)


SIDES = {"loop": plain_loop, "ours": ours, "imports": imports_only}


def child(side, source, out):
    """Run one side and print what it took as JSON."""
    work, found = SIDES[side](Path(source), Path(out))
    before, start = os.times(), time.perf_counter()
    work()
    wall, after = time.perf_counter() - start, os.times()
    # Not ru_maxrss: a child's begins with its parent's.
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    cpu = after.user + after.system - before.user - before.system
    print(json.dumps({"wall": wall, "cpu": cpu, "peak": peak, "found": found()}))


def measure(side, source):
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "benchmarks.folder", "--child", side, str(source), out]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(result.stdout.splitlines()[-1])


def tenth_of(source, folder):
    """A tenth of the files, two of the largest for each thread among them, so that these meet."""
    folder.mkdir()
    files = sorted(source.iterdir(), key=lambda path: -path.stat().st_size)
    for path in files[: 2 * CORES] + files[2 * CORES :: 11]:
        os.link(path, folder / path.name)
    return folder


def main():
    from benchmarks.corpus import SIZES, make_corpus
    from benchmarks.machine import describe_machine

    print(describe_machine())
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "photographs"
        source.mkdir()
        count, pixels, size = make_corpus(source)
        print(f"{count} JPEGs, {pixels / 1e6:.0f} MP, {size / pixels:.2f} bytes per pixel")
        tenth = tenth_of(source, Path(folder) / "tenth")
        # Two large pictures meet by chance: ten times the tenth has as many chances as all.
        few = max(measure("ours", tenth)["peak"] for _ in range(10))
        standing = measure("imports", source)["peak"]
        rounds = []
        for index in range(ROUNDS):
            order = ("loop", "ours") if index % 2 else ("ours", "loop")
            rounds.append({side: measure(side, source) for side in order})
    for one in rounds:
        assert one["loop"]["found"] > 0
        print(
            f"loop {one['loop']['wall']:.2f} s ({one['loop']['cpu']:.2f} s CPU, "
            f"{one['loop']['found']} contours), ours {one['ours']['wall']:.2f} s "
            f"({one['ours']['cpu']:.2f} s CPU, {one['ours']['found']} contours)"
        )
    return int(not judged(rounds, standing, few, max(w * h for w, h, _ in SIZES) * 3 / 2**20))


def judged(rounds, standing, few, largest):
    """Print each figure beside its limit; whether all are kept."""
    peak = max(one["ours"]["peak"] for one in rounds)
    figures = [
        ("speed-up", [o["loop"]["wall"] / o["ours"]["wall"] for o in rounds], SPEED_UP, 1),
        (
            "of the limit",
            [o["ours"]["cpu"] / CORES / o["ours"]["wall"] for o in rounds],
            OF_LIMIT,
            1,
        ),
        ("CPU, ours / loop", [o["ours"]["cpu"] / o["loop"]["cpu"] for o in rounds], CPU_RATIO, -1),
        ("peak above imports / largest", [(peak - standing) / largest], DECODED, -1),
        ("peak, all files / a tenth", [o["ours"]["peak"] / few for o in rounds], GROWTH, -1),
    ]
    kept = True
    for name, values, limit, sign in figures:
        value = statistics.median(values)
        good = (value - limit) * sign >= 0
        kept &= good
        bound = "at least" if sign > 0 else "at most"
        print(f"{name:<30}{value:8.3f}   {bound} {limit}{'' if good else '   MISSED'}")
    print(f"peak {peak:.0f} MB, imports {standing:.0f} MB, largest picture {largest:.0f} MB")
    return kept


def chosen(word, arguments):
    """The benchmark that a word stands for."""
    if word == "small":
        from benchmarks import small_files

        return small_files.main(*map(int, arguments))
    from benchmarks import folder_outputs

    if word not in folder_outputs.ROWS:
        sys.exit(f"{word!r} is none of small, {', '.join(folder_outputs.ROWS)}")
    return folder_outputs.main(word)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:])
    else:
        sys.exit(chosen(sys.argv[1], sys.argv[2:]) if sys.argv[1:] else main())
