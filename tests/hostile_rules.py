"""What must hold after a run over hostile files, by its tables and its pictures."""

import csv
import io
import os
import warnings
from collections import Counter

import cv2
import numpy as np
from PIL import Image

from tests.hostile_contents import BAD, EITHER, GOOD
from tests.hostile_files import UNLISTED

TABLES = ("results.csv", "errors.csv")
TOLERANCE = 2  # grey levels: colour conversions round differently


class Judged:
    """A run of ``Flip()`` into PNG files, held against what is expected of each file.

    Parameters
    ----------
    source, out : Path
        The folders of the run.
    files : list of HostileFile
        Everything that is in the source.

    Attributes
    ----------
    counts : Counter
        Files by what is expected, and ``"done"`` or ``"refused"``.
    classes : Counter
        Files by the class of their error.
    broken : list of str
        What is not as it must be.
    """

    def __init__(self, source, files, out):
        self.source, self.counts, self.broken = source, Counter(), []
        results, errors = (rows_of(out / name) for name in TABLES)
        times = Counter(row["source"] for row in results + errors)
        self.classes = Counter(row["error"] for row in errors)
        self.outputs = {as_cell(path): out / path for path in below(out, "images")}
        self.results = {row["source"]: row for row in results}
        self.errors = {row["source"]: row for row in errors}
        for file in files:
            cell = as_cell(file.name)
            what = self._wrong(file, cell, times.pop(cell, 0))
            self.counts[file.expected, "done" if cell in self.results else "refused"] += 1
            if what:
                self.broken.append(f"{file.kind}: {file.name!a} {what}")
        self.broken += [f"{cell!a} is in the tables, and no file" for cell in sorted(times)]

    def _wrong(self, file, cell, times):
        """What is wrong with a file; an empty text if nothing is."""
        if times != (file.expected != UNLISTED):
            return f"is {times} times in the tables"
        error = self.errors.get(cell)
        if error is not None:
            if not (error["error"] and error["reason"]):
                return "is refused without a reason"
            return f"is refused: {error['reason']}" if file.expected == GOOD else ""
        if file.expected == BAD:
            return "is done"
        if file.reference is None or file.expected == UNLISTED:
            return ""
        return self._other_pixels(file, self.outputs[self.results[cell]["output"]])

    def _other_pixels(self, file, output):
        damaged = file.expected == EITHER
        if is_same(output, file.reference, larger=damaged):
            return ""
        if not damaged:
            return "is another picture than it must be"
        found = detectors(file.source, (self.source / file.name).read_bytes())
        return f"is damaged, as {' and '.join(found)} can tell" if found else ""


def rows_of(path):
    """The rows of a table."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def as_cell(name):
    """A file's name as the tables have it: on one line, bytes that are no text escaped."""
    line = name.replace("\r", "\\r").replace("\n", "\\n")
    return line.encode("utf-8", "backslashreplace").decode()


def below(out, folder):
    """Files in a folder and those in it, relative to `out`."""
    for place, _, names in os.walk(out / folder):
        yield from (os.path.relpath(f"{place}/{name}", out) for name in names)


def is_same(path, reference, *, larger=False):
    """Whether an output is the reference, mirrored; or has it in its last rows and columns."""
    found = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    found = found[..., ::-1] if found.ndim == 3 else np.dstack([found] * 3)
    found, (height, width) = found[:, ::-1], reference.shape[:2]
    if larger:  # as where the frame of a GIF was moved beyond its screen
        found = found[-height:, -width:]
    if found.dtype != reference.dtype or found.shape != reference.shape:
        return False
    return np.abs(found.astype(int) - reference).max() <= TOLERANCE


def detectors(before, data):
    """The readers of others that tell the damage: they read the file before, and refuse it now."""
    readers = {"Pillow": pillow_reads, "cv2.imdecode": cv2_reads}
    return [who for who, reads in readers.items() if reads(before) and not reads(data)]


def pillow_reads(data):
    """Whether Pillow loads all of it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as image:
                image.load()
    except Exception:
        return False
    return True


def cv2_reads(data):
    """Whether OpenCV decodes it."""
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) is not None
    except cv2.error:
        return False
