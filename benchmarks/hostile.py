"""Hostile image files: what `vision.read` does with each, how long it takes and how much memory.

    VISION_DATA=... python -m benchmarks.hostile

Reads the 664 files of ``hostile_images_a`` (made and labelled by others, with the outcome of
Pillow and OpenCV) from a folder, under their own names, one after the other in one process after
its imports; a file that kills or hangs that process costs no other. Exit status 1 if a rule is
broken:

- a `valid` file that both Pillow and OpenCV read is read, upright size equal;
- `truncated`, `empty`, `not_image` and `bomb` files raise `ImageError`, in 5 ms and 5 MB (a bomb
  whose picture is within the limit on pixels may be read);
- `corrupt` and `unlabelled` files are read or refused, within a second and 500 MB.
"""

import csv
import ctypes
import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import defaultdict
from pathlib import Path

from benchmarks.machine import describe_machine

SET = "hostile_images_a"
REFUSED = ("truncated", "empty", "not_image", "bomb")
OUTCOMES = ("read", "refused")
KINDS = ("valid", *REFUSED, "corrupt", "unlabelled")
REFUSAL_SECONDS, REFUSAL_MEGABYTES = 0.005, 5
READ_SECONDS, READ_MEGABYTES = 1, 500
PATIENCE = 60  # seconds after which a file counts as hanging


def load_set(folder):
    """The rows of expected.csv, and the archive's bytes by file name."""
    source = Path(folder, SET)
    with (source / "expected.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    with zipfile.ZipFile(source / "hostile_a.zip") as archive:
        return rows, {row["file"]: archive.read(row["file"]) for row in rows}


def unpack(rows, contents, folder):
    """Write the files under their own names, each in a folder of its own; return the paths."""
    paths = []
    for number, row in enumerate(rows):
        path = folder / str(number) / row["file"].rsplit("/", 1)[-1]
        path.parent.mkdir()
        path.write_bytes(contents[row["file"]])
        paths.append(path)
    return paths


def measure(path):
    """Outcome, size, seconds and peak megabytes of one `vision.read`."""
    from vision.errors import ImageError
    from vision.io import read

    best, before, found = None, _reset_peak(), {}
    for attempt in range(3):  # a refusal is quick: the least of three is without the others' noise
        start = time.perf_counter()
        try:
            height, width = read(path).shape[:2]
            found = {"outcome": "read", "size": [width, height]}
        except ImageError as error:
            found = {"outcome": "refused", "reason": error.reason}
        except Exception as error:  # the rule says ImageError: any other is what is looked for
            found = {"outcome": "error", "reason": repr(error)}
        seconds = time.perf_counter() - start
        best = seconds if best is None else min(best, seconds)
        if attempt == 0:
            peak = _peak() - before
        if found["outcome"] == "read":
            break
    return {**found, "seconds": best, "megabytes": max(0, peak) / 1024}


def _status(name):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise LookupError(name)


def _reset_peak():
    """Kilobytes in use now; the peak starts again from here (Linux)."""
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _peak():
    return _status("VmHWM")


def warm_up():
    """Load every decoder, so that what is measured comes after imports."""
    import numpy as np

    from vision.io import decode, encode

    image = np.zeros((8, 8, 3), np.uint8)
    for name in ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "AVIF", "PNM"):
        decode(encode(image, name))
    decode(encode(image.astype(np.uint16), "TIFF"))
    import PIL.GifImagePlugin
    import PIL.Jpeg2KImagePlugin
    import PIL.JpegImagePlugin  # noqa: F401


def work():
    """The child: one line for each path that comes on standard input."""
    warm_up()
    for line in sys.stdin:
        print(json.dumps(measure(os.fsdecode(json.loads(line)))), flush=True)


class Child:
    """A process that measures files and may die of one."""

    def __init__(self):
        command = [sys.executable, "-m", "benchmarks.hostile", "--child"]
        pipe, quiet = subprocess.PIPE, subprocess.DEVNULL
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=quiet, text=True)
        self.ready = selectors.DefaultSelector()
        self.ready.register(self.process.stdout, selectors.EVENT_READ)

    def ask(self, path):
        """The measurement, or what became of the process."""
        print(json.dumps(os.fspath(path)), file=self.process.stdin, flush=True)
        if not self.ready.select(PATIENCE):
            return {"outcome": "hang"}
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"outcome": "crash"}

    def close(self):
        self.process.kill()
        self.process.communicate()


def run(paths):
    """One measurement a path."""
    child, found = Child(), []
    for path in paths:
        found.append({"seconds": 0, "megabytes": 0, **child.ask(path)})
        if found[-1]["outcome"] in ("crash", "hang"):
            child.close()
            child = Child()
    child.close()
    return found


def violation(row, found):
    """The rule that a file broke, or the empty string."""
    kind, outcome = row["kind"], found["outcome"]
    slow = f"{found['seconds'] * 1000:.1f} ms, {found['megabytes']:.1f} MB"
    if outcome not in OUTCOMES:
        return f"{outcome}: {found.get('reason', '')}"
    if kind == "valid" and row["pillow_ok"] == row["cv2_ok"] == "1":
        size = [int(row["upright_width"]), int(row["upright_height"])]
        if found.get("size") != size:
            return f"must be read as {size}: {found}"
    if kind in REFUSED:
        if outcome == "read":
            return "must be refused" if kind != "bomb" else bomb_violation(row, found)
        if found["seconds"] > REFUSAL_SECONDS or found["megabytes"] > REFUSAL_MEGABYTES:
            return f"refused too late: {slow}"
    elif found["seconds"] > READ_SECONDS or found["megabytes"] > READ_MEGABYTES:
        return f"too much: {slow}"
    return ""


def bomb_violation(row, found):
    """A bomb may be read if it is whole, right, and within the limit on pixels."""
    from vision.io import MAX_PIXELS

    width, height = found["size"]
    right = row["cv2_color_shape"].startswith(f"{height}x{width}x")
    return "" if right and width * height <= MAX_PIXELS else f"must be refused: {found}"


def print_table(rows, results):
    """Kinds by outcome, and the worst of each; return the number of broken rules."""
    groups, broken = defaultdict(list), 0
    for row, found in zip(rows, results):
        groups[row["kind"]].append(found)
        reason = violation(row, found)
        if reason:
            broken += 1
            print(f"BROKEN {row['kind']} {row['file']!a}: {reason}")
    print(f"{'':26}{'refused, worst':>24}{'read, worst':>24}")
    print(f"{'kind':<11}{'files':>6}{'read':>6}{'refused':>9}", end="")
    print(f"{'ms':>11}{'MB':>7}{'ms':>17}{'MB':>7}")
    for kind in KINDS:
        by = {name: [f for f in groups[kind] if f["outcome"] == name] for name in OUTCOMES}
        print(
            f"{kind:<11}{len(groups[kind]):>6}{len(by['read']):>6}{len(by['refused']):>9}", end=""
        )
        for name, width in (("refused", 11), ("read", 17)):
            seconds = max((found["seconds"] for found in by[name]), default=0)
            megabytes = max((found["megabytes"] for found in by[name]), default=0)
            print(f"{seconds * 1000:>{width}.2f}{megabytes:>7.1f}", end="")
        print()
    print(f"{len(rows)} files, {broken} rules broken")
    return broken


def main():
    """Print the table; 1 if a rule is broken."""
    if "VISION_DATA" not in os.environ or not Path("/proc/self/clear_refs").exists():
        print(f"Needs Linux, and VISION_DATA: the folder that holds {SET}.", file=sys.stderr)
        return 2
    print(describe_machine())
    rows, contents = load_set(os.environ["VISION_DATA"])
    with tempfile.TemporaryDirectory() as folder:
        results = run(unpack(rows, contents, Path(folder)))
    return 1 if print_table(rows, results) else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--child"]:
        work()
    else:
        sys.exit(main())
