"""What ledgers say of their runs as a whole: counts, times, sizes, versions."""

import heapq
import os
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from vision.checks import refuse
from vision.images import natural
from vision.ledger import parsed

SLOWEST = 10


def ledgers_of(out, *, owner):
    """The ledgers in a folder: one, or one a shard.

    Parameters
    ----------
    out : Path
        The folder of a run.
    owner : str
        Who asks.

    Returns
    -------
    list of Path

    Raises
    ------
    ParameterError
        If there is none.
    """
    found = sorted(Path(out).glob("ledger*.jsonl"), key=lambda path: natural(path.name))
    if not found:
        hint = "It would hold a ledger.jsonl."
        refuse("out", os.fspath(out), "the folder of a run", owner, hint)
    return found


class LedgerSummary:
    """What one ledger says of its runs, in one pass; in memory there is a small record an entry.

    Parameters
    ----------
    path : Path
        The file; a run may be writing to it.
    now : float
        The time, for how long that run has taken.

    Attributes
    ----------
    heads : dict of str to dict
        The first line of each run, in order.
    running : bool or None
        Whether a run holds it; None where the system has no such locks.
    files, done, failed, left, vanished : int
        See `vision.status`.
    made, took : int, float
        What the last run has done, and the seconds that it took for it.
    disk, damaged : int
        Bytes of the outputs, and lines that are ignored.
    slowest : list of (float, str)
        Seconds and sources, in no order.
    by_run : Counter
        The results by the run that made them.
    """

    def __init__(self, path, now):
        self.now, self.heads, self.damaged = now, {}, 0
        self.running = _in_use(path)
        self.entries = {}
        with path.open("rb") as file:
            for line in file:
                self._read(line)
        self.head = next(reversed(self.heads.values()), None)
        self._count()
        del self.entries

    def _read(self, line):
        entry = parsed(line)
        if entry is None:
            being_written = self.running and not line.endswith(b"\n")
            self.damaged += bool(line.strip()) and not being_written
        elif "name" in entry:
            self.entries[entry["name"]] = _Entry.of(entry)
        elif "run" in entry:
            self.heads[entry["run"]] = entry

    def _count(self):
        """Everything that is told of the entries that hold."""
        self.files = self.head["files"] if self.head else 0
        self.done = self.failed = self.vanished = self.disk = self.made = 0
        self.by_run, self.slowest, last = Counter(), [], 0.0
        for entry in self.entries.values():
            self.disk += entry.disk
            self.vanished += entry.vanished
            if entry.vanished or not self._holds(entry):
                continue
            self.failed += entry.failed
            self.done += not entry.failed
            self.by_run[entry.run] += not entry.failed
            self._note_slow(entry)
            if entry.run == self.head["run"]:
                self.made += 1
                last = max(last, entry.at)
        self.took = max((self.now if self.running else last) - self._started, 1e-3)
        self.left = max(0, self.files - self.done - self.failed)

    @property
    def _started(self):
        return self.head["started"] if self.head else self.now

    def _holds(self, entry):
        """Whether the run that was last takes it for a result of its own."""
        if self.head is None or entry.key != self.head["key"]:
            return False
        return not self.head.get("asked", {}).get("restart") or entry.run == self.head["run"]

    def _note_slow(self, entry):
        push = heapq.heappush if len(self.slowest) < SLOWEST else heapq.heappushpop
        push(self.slowest, (entry.seconds, entry.source))

    @property
    def seconds_left(self):
        """Until the run that is going on has done the rest; None while that is unknown."""
        if not self.running:
            return None
        return self.left * self.took / self.made if self.made else None


@dataclass(slots=True)
class _Entry:
    """What is kept of an entry: there may be millions."""

    source: str
    key: str
    run: str
    seconds: float
    at: float
    disk: int
    failed: bool
    vanished: bool

    @classmethod
    def of(cls, entry):
        shared = "copied" in entry
        return cls(
            entry["source"],
            sys.intern(entry["key"]),
            sys.intern(entry["run"]),
            entry["seconds"],
            entry.get("at", 0.0),
            0 if shared else sum(size or 0 for _, size, *_ in entry["outputs"]),
            "error" in entry,
            "vanished" in entry,
        )


def _in_use(path):
    """Whether a run holds the ledger; None where the system has no such locks."""
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:  # a file system without locks
            return None
    return False
