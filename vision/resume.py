"""What a run has to do, and what an earlier one has done already."""

import itertools
from collections import Counter

from vision.run_chunk import Chunk
from vision.run_outputs import intact
from vision.run_work import SECONDS

LARGEST = 1024  # files


class Resume:
    """Compares the files of a source with the ledger.

    Parameters
    ----------
    images : Images
        The files.
    ledger : Ledger
        What was done.
    key : str
        What the pipeline is.
    out : str
        The folder of the outputs.
    restart : bool
        Whether everything is done again.
    verify : bool
        Whether files and outputs are read, where otherwise their size and time must do.
    only_failed : bool
        Whether nothing but files that failed is tried.
    names : list of str, optional
        What the outputs of each file are called after; by default as `names_of` has them.

    Attributes
    ----------
    counts : Counter
        Of the files, by ``new``, ``changed``, ``edited`` (the pipeline was), ``altered`` (an
        output was, or is gone), ``failed``, ``unchanged`` and ``left`` (not tried).
    runs : Counter
        The unchanged files by the run that did them.
    paged : int
        How many of those that are not looked at again have several pages.
    """

    def __init__(self, images, ledger, key, out, *, restart, verify, only_failed, names=None):
        self.images, self.ledger, self.key, self.out = images, ledger, key, out
        self.restart, self.verify, self.only_failed = restart, verify, only_failed
        self.counts, self.runs, self.paged = Counter(), Counter(), 0
        self.names = names_of(images) if names is None else names

    def tasks(self):
        """The files to do: pairs of index, and the entry that holds if the content is the same."""
        for index, name in enumerate(self.names):
            entry = None if self.restart else self.ledger.get(name)
            what, earlier = self._judged(index, entry)
            self.counts[what] += 1
            if what == "unchanged":
                self.runs[entry["run"]] += 1
                if not self.verify:
                    self.paged += "pages" in entry
                    continue
            if what != "left":
                yield index, earlier

    def _judged(self, index, entry):
        if self.only_failed and (entry is None or "error" not in entry):
            return "left", None
        if entry is None:
            return "new", None
        if "error" in entry:
            return "failed", None
        if entry["key"] != self.key:
            return "edited", None
        if not intact(self.out, entry, verify=self.verify):
            return "altered", None
        if "vanished" in entry:
            return "changed", {field: entry[field] for field in entry if field != "vanished"}
        same = entry["state"] is not None and entry["state"] == self.images.state(index)
        return "unchanged" if same else "changed", entry

    def vanished(self):
        """The entries of files that the source had once, marked so that they are told apart."""
        there = set(self.names)
        for name in sorted(name for name in self.ledger if name not in there):
            entry = self.ledger[name]
            if "vanished" not in entry:
                yield entry | {"vanished": True}


def names_of(images):
    """What the outputs of each picture are called after: no two are the same."""
    suffix = ".png" if images.root is None else ""  # pictures in memory have no format
    return [images.name(index) + suffix for index in range(len(images))]


class Pace:
    """Cuts tasks into chunks of about a second, by the time that chunks took so far.

    Parameters
    ----------
    images : Images
        The files.
    names : list of str
        Their names.
    tasks : iterable
        As `Resume.tasks` gives them.
    largest : int
        The most files that a chunk may have.
    unit : int
        Chunks are multiples of it.
    """

    def __init__(self, images, names, tasks, *, largest=LARGEST, unit=1):
        self.images, self.names, self.tasks = images, names, iter(tasks)
        self.largest, self.unit, self.size, self.again = largest, unit, min(unit, largest), []
        self.left = len(names)

    def next(self, *, idle, slots):
        """The next chunk, or None; what was left for later only if nothing is in work.

        Towards the end chunks get smaller, so that all `slots` end at about the same time.
        """
        fair = max(self.unit, self.left // (2 * slots))
        taken = list(itertools.islice(self.tasks, min(self.size, fair)))
        self.left -= len(taken)
        if not taken and idle:
            taken, self.again = self.again[: self.size], self.again[self.size :]
        return self.chunk(taken) if taken else None

    def chunk(self, tasks):
        """A chunk of certain tasks."""
        indices = [index for index, _ in tasks]
        return Chunk(self.images[indices], [self.names[index] for index in indices], tasks)

    def note(self, chunk, entries, seconds):
        """A chunk took so long; its entries. What it did not get to is given again first."""
        found = {entry["name"]: entry for entry in entries}
        tasks = list(zip(chunk.tasks, chunk.names))
        self.again += [task for task, name in tasks if name in found and waits(found[name])]
        rest = [task for task, name in tasks if name not in found]
        self.tasks = itertools.chain(rest, self.tasks) if rest else self.tasks
        self.left += len(rest)
        if found:
            fitting = SECONDS * len(found) / max(seconds, 1e-6)
            fitting = max(self.unit, int(min(fitting, 4 * self.size)) // self.unit * self.unit)
            self.size = min(fitting, self.largest)
        return [entry for entry in entries if not waits(entry)]


def waits(entry):
    """Whether it stands for a file that waits for another of the same content."""
    return "waits" in entry
