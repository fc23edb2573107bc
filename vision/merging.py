"""`vision.merge`: the tables of a run in shards, from their ledgers."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vision.atomic import PREFIX, temporaries_of
from vision.file_listing import natural
from vision.kinds import Kind
from vision.ledger import Ledger, parsed
from vision.ledger_summary import ledgers_of
from vision.run_digest import Digest
from vision.run_report import report_merged
from vision.run_tables import ERRORS, RESULTS, write_tables
from vision.shards import shards_of

BLOCK = 64  # entries of one ledger that are read at once
NAMED = 5  # shards that a note names
OWN = "merge"  # what its temporary files carry in place of a run's identity


@dataclass(frozen=True)
class MergeSummary:
    """What the tables of a run hold.

    Parameters
    ----------
    done, failed, left : int
        Files that have a result, files with a row in `errors_csv`, and files that no shard has
        done yet; those of shards that have not begun are not among them.
    results_csv, errors_csv : Path
        The two tables.
    notes : tuple of str
        What is missing.

    Examples
    --------
    >>> MergeSummary(40, 2, 0, Path("out/results.csv"), Path("out/errors.csv"))
    MergeSummary(40 done, 2 failed, 0 left: out/results.csv)
    """

    done: int
    failed: int
    left: int
    results_csv: Path
    errors_csv: Path
    notes: tuple = ()

    def __repr__(self):
        counts = f"{self.done} done, {self.failed} failed, {self.left} left"
        return f"MergeSummary({counts}: {self.results_csv})"


def merge(out):
    """Write the tables of a run from its ledgers: with shards the one thing left to do.

    ``results.csv``, ``errors.csv`` and ``vanished.csv`` are, byte for byte, what a run that is not
    in shards writes; ``results.parquet`` and ``index.html`` too if the last run was asked for them.
    May be called while shards are at work, on any machine that has the folder, and again: rows are
    those of the pipeline and options that began last, files that others did are told, and the rest
    as left. Outputs stay where they are. In memory there are 8 bytes a file, and the index of one
    shard.

    Parameters
    ----------
    out : str or path-like
        The folder of the run.

    Returns
    -------
    MergeSummary

    Raises
    ------
    ParameterError
        If no run wrote there.
    MissingDependencyError
        If Parquet was asked for, and pyarrow is not installed.
    WriteError
        If a table cannot be written; older ones are intact.
    OSError
        If a ledger cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> import vision
    >>> from classical import Otsu
    >>> out, pictures = tempfile.mkdtemp(), np.ones((9, 4, 6), np.uint8)
    >>> for shard in ("1/2", "2/2"):
    ...     summary = vision.run(Otsu(), pictures, out, shard=shard, progress=False)
    >>> vision.merge(out)
    MergeSummary(9 done, 0 failed, 0 left: ...results.csv)
    """
    out = Path(out)
    ledgers = ledgers_of(out, owner="merge")
    with _alone(out), temporaries_of(OWN):
        return _merged(out, ledgers)


def _merged(out, ledgers):
    parts = [Part(path) for path in ledgers]
    begun = [part for part in parts if part.head is not None]
    last = max((part.head for part in begun), key=lambda head: head["started"], default=None)
    if last is None:
        last = {"key": None, "branches": False, "asked": {}}
    digest = Digest({name: Kind(kind) for name, kind in last.get("kinds", {}).items()})
    write_tables(
        out,
        parts,
        last["key"],
        branches=last.get("branches", False),
        parquet="parquet" in last["asked"].get("tables", ()),
        seen=digest.note,
    )
    left = sum(part.head["files"] for part in begun) - digest.done - digest.failed
    notes = [*_notes(out, parts, last)]
    if begun and last["asked"].get("report"):
        try:
            report_merged(out, [part.head for part in begun], digest, notes)
        except Exception as error:  # the tables are there, with or without a page
            notes.append(f"there is no report: {error}")
    return MergeSummary(
        digest.done, digest.failed, max(0, left), out / RESULTS, out / ERRORS, tuple(notes)
    )


@contextlib.contextmanager
def _alone(out):
    """Merges of one folder wait for each other; then what a killed one left is removed."""
    try:
        import fcntl

        folder = os.open(out, os.O_RDONLY)
    except (ImportError, OSError):  # Windows has no such locks
        yield
        return
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(folder, fcntl.LOCK_EX)
            for left in Path(out).glob(f"{PREFIX}{OWN}-*.tmp"):
                left.unlink(missing_ok=True)
        yield
    finally:
        os.close(folder)


class Part:
    """A ledger of which nothing stays in memory but where its entries lie, in order.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    head : dict or None
        The first line of its last run.
    damaged : int
        As of `Ledger`.
    """

    def __init__(self, path):
        self.path = path
        with Ledger(path) as ledger:
            self.head = next(reversed(ledger.runs.values()), None)
            self.damaged = ledger.damaged
            self._offsets = np.fromiter(ledger.offsets(key=natural), np.int64, len(ledger))

    def in_order(self, key):
        """The entries; the file is open for a moment at a time, since there may be thousands."""
        for start in range(0, len(self._offsets), BLOCK):
            with self.path.open("rb") as file:
                entries = [_read(file, offset) for offset in self._offsets[start : start + BLOCK]]
            yield from entries


def _read(file, offset):
    file.seek(offset)
    return parsed(file.readline())


def _notes(out, parts, last):
    there = {part.path.name for part in parts if part.head is not None}
    shards = shards_of(out)
    if shards:
        every = [type(shards[0])(number + 1, shards[0].count) for number in range(shards[0].count)]
        missing = [shard for shard in every if shard.ledger not in there]
        if missing:
            yield f"not begun yet: {_named(missing)}"
    other = [part.path.name for part in parts if part.head and part.head["key"] != last["key"]]
    if other:
        yield f"another pipeline or option ran last in {_named(other)}: run them again"
    damaged = sum(part.damaged for part in parts)
    if damaged:
        yield f"{damaged} damaged lines of the ledgers were ignored: run their shards again"


def _named(things):
    more = f" and {len(things) - NAMED} more" if len(things) > NAMED else ""
    return ", ".join(map(str, things[:NAMED])) + more
