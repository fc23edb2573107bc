"""Runs on a failing disk, over the results of an older run, held against the rules of a run.

A file that has its name is the older one or the new one, whole; what failed is told by name;
nothing temporary stays; and another run brings about what an undisturbed one gives.
"""

import csv
import errno
import hashlib
import os
import shutil
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

import vision
import vision.ledger
from classical import FindContours, Gray, Threshold
from tests.failing_disk import FailingDisk, whole_files
from vision.errors import WriteError

PICTURES, BEFORE, NOW = 6, 60, 120  # files, and the thresholds of the older and the new pipeline
TABLES = ("results.csv", "errors.csv")


def pipeline(threshold):
    """Masks as pictures, and a row for each contour."""
    mask = Gray() >> Threshold(threshold)
    return vision.Branches({"mask": mask, "areas": mask >> FindContours()})


def put_source(folder):
    """Pictures in two folders, of which one is there twice, and a file that is none."""
    (folder / "sub").mkdir(parents=True)
    for number in range(PICTURES):
        image = np.zeros((24, 60), np.uint8)
        image[5:15, 10 : 20 + 5 * number], image[18:, 40:] = 90, 200  # one each, one now
        name = f"{'sub/' * (number % 2)}{number}.png"
        Image.fromarray(image).save(folder / name)
    shutil.copy(folder / "2.png", folder / "sub" / "twin.png")
    (folder / "torn.png").write_bytes((folder / "0.png").read_bytes()[:60])
    return folder


def as_in_files(text):
    """``images-00001.tar/a.png`` is ``images/a.png``, wherever it is in a table."""
    parts = text.split(".tar/")
    return "/".join([part[: -len("-00001")] for part in parts[:-1]] + parts[-1:])


def tables(out):
    """The text of the tables that are there, whether or not outputs are packed."""
    return {name: as_in_files((out / name).read_text()) for name in TABLES if (out / name).exists()}


def manifest(out):
    """Names and hashes of all pictures, and the tables."""
    found = whole_files(out / "images") | members(out)
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in found.items()}
    return hashes | tables(out)


def members(out):
    """The packed pictures that the table of results names."""
    found = {}
    for row in (out / "results.csv").read_text().splitlines():
        for cell in row.split(","):
            archive, packed, member = cell.partition(".tar/")
            if packed:
                with tarfile.open(out / f"{archive}.tar") as opened:
                    found[member] = opened.extractfile(member).read()
    return found


def temporaries(out):
    """Hidden files, which no run leaves."""
    return [name for name in whole_files(out) if Path(name).name.startswith(".")]


class Trials:
    """Runs over one source, one kind of outputs.

    Parameters
    ----------
    folder : Path
        For everything; must be empty.
    pack : str or None
        As in `vision.run`.
    older : bool, default=True
        Whether there are results of an older run, which are to be replaced.
    options
        Further ones of `vision.run`.

    Attributes
    ----------
    summary : RunSummary
        Of the run that nothing disturbs.
    """

    def __init__(self, folder, pack=None, *, older=True, **options):
        self.source, self.out = put_source(folder / "in"), folder / "out"
        self.older, self.whole = folder / "older", folder / "whole"
        self.options = {"pack": pack, "threads": 1, "report": False, **options}
        self.packed, self.before = pack is not None, {}
        self.summary = self.run(NOW, self.whole)
        self.expected, self.new = manifest(self.whole), whole_files(self.whole)
        if older:
            self.run(BEFORE, self.older)
            self.before = whole_files(self.older)
            self.before_tables = tables(self.older)

    def run(self, threshold, out):
        """A run of the pipeline with a threshold, over all files."""
        options = {"progress": False, **self.options}
        return vision.run(pipeline(threshold), self.source, out, **options)

    def fail(self, name, number, **how):
        """A run whose disk fails at one call, and another whose disk does not.

        Parameters
        ----------
        name, number, how
            As of `FailingDisk`.

        Returns
        -------
        disk : FailingDisk
        broken : list of str
            What is not as it must be.
        """
        self._prepare()
        error, summary = None, None
        with FailingDisk(name, number, **how) as disk:
            try:
                summary = self.run(NOW, self.out)
            except WriteError as caught:
                error = caught
        broken = []
        if disk.failed:
            broken += self._told(error, summary, disk.code)
            broken += self._halves(ended=error is not None) + self._left("at once")
        broken += self._resumed()
        return disk, broken

    def _prepare(self):
        shutil.rmtree(self.out, ignore_errors=True)
        if self.before:
            shutil.copytree(self.older, self.out)

    def _told(self, error, summary, code):
        """Whether the run told what failed: as its error, in a row or note, or not at all if it
        brought about everything."""
        words = os.strerror(code)
        if error is not None:
            named = words in str(error) and str(self.out) in str(error) and error.errno == code
            return [] if named else [f"the error names nothing: {error}"]
        told = words in (self.out / "errors.csv").read_text() + " ".join(summary.notes)
        whole = manifest(self.out) == self.expected
        return [] if told or whole else ["it failed, and nobody was told"]

    def _halves(self, *, ended):
        """Files that are neither the older ones nor the new ones; tables too, if the run ended
        before it wrote them."""
        found = whole_files(self.out) if self.out.exists() else {}
        broken = [
            f"neither old nor new: {name}"
            for name, data in found.items()
            if name.startswith("images/") and data not in (self.before.get(name), self.new[name])
        ]
        wanted = {name for name in self.before if name.startswith("images/")}
        broken += [f"gone: {name}" for name in wanted - set(found)]
        if not ended:
            return broken + self._unmentioned()
        for name, text in (tables(self.out) if self.before else {}).items():
            if text not in (self.before_tables[name], self.expected[name]):
                broken.append(f"neither old nor new: {name}")
        return broken

    def _unmentioned(self):
        """Files that a run, which came to its end, has not in one table and one alone."""
        sources = {name: set() for name in TABLES}
        for name, found in sources.items():
            with (self.out / name).open(newline="") as rows:
                found |= {row["source"] for row in csv.DictReader(rows)}
        wanted = {path.relative_to(self.source).as_posix() for path in self.source.rglob("*.png")}
        broken = wanted ^ set.union(*sources.values()) | set.intersection(*sources.values())
        return [f"not in one table alone: {name}" for name in broken]

    def _left(self, when):
        names = temporaries(self.out) if self.out.exists() else []
        return [f"left {when}: {name}" for name in names]

    def _resumed(self):
        """Another run does what is left, once, and then all is there."""
        done = self._noted()
        again = self.run(NOW, self.out)
        broken = self._left("by the next run")
        if manifest(self.out) != self.expected:
            broken.append("the next run gives something else")
        if again.unchanged != done:
            broken.append(f"{done} in the ledger, but {again.unchanged} unchanged in the next run")
        return broken

    def _noted(self):
        """How many files the ledger says are done by the new pipeline, read as lines."""
        path = self.out / "ledger.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        entries = [vision.ledger.parsed(line.encode()) for line in lines]
        key = self._key()
        last = {entry["name"]: entry for entry in entries if entry and "name" in entry}
        return sum(entry["key"] == key and "error" not in entry for entry in last.values())

    def _key(self):
        with vision.ledger.Ledger(self.whole / "ledger.jsonl") as ledger:
            return next(iter(ledger.runs.values()))["key"]


def sweep(trials, name, most=10_000, **how):
    """Trials that fail at the first call of a name, at the second, and so on to the last.

    Returns
    -------
    int
        How many calls there are.
    list of str
        What is not as it must be, with the number of the call.
    """
    broken = []
    for number in range(1, most + 1):
        disk, found = trials.fail(name, number, **how)
        broken += [f"{name} {number}: {what}" for what in found]
        if not disk.failed:
            return number - 1, broken
    raise AssertionError(f"more than {most} calls of {name}")


KINDS = (  # what fails and how: each is swept
    ("write", {}),
    ("write", {"lasting": True}),
    ("write", {"short": True}),
    ("sync", {}),
    ("sync", {"lasting": True, "code": errno.EIO}),
    ("rename", {}),
    ("rename", {"code": errno.EACCES}),
    ("link", {}),
    ("create", {}),
    ("create", {"lasting": True}),
    ("mkdir", {}),
)
