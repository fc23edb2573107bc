"""`vision.status`: where a run stands, from its ledger alone, also while it writes."""

import contextlib
import heapq
import os
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from vision.ledger_summary import SLOWEST, LedgerSummary, ledgers_of
from vision.progress import in_words
from vision.quantities import in_bytes, took


@dataclass(frozen=True)
class RunStatus:
    """Where a run stands.

    Parameters
    ----------
    out : Path
        Its folder.
    running : bool or None
        Whether a run writes there now; None where the system cannot tell.
    files : int
        What the last run found in the source; with shards, the sum of them.
    done, failed, left : int
        How many of these have a result of the pipeline that ran last, failed, or neither. Files
        that the source lost are told apart once a run has ended.
    vanished : int
        Files that have results, and that the source has no more.
    rate : float
        Files a second of the last run.
    seconds_left : float or None
        Until the run that is going on has done the rest; None if there is none.
    slowest : tuple of (str, float)
        The slowest files with their seconds.
    disk : int
        Bytes of the outputs as they were written, and of the tables and ledgers. Files that share
        the outputs of another with the same content count once.
    damaged : int
        Lines of the ledgers that were cut or altered, and are ignored.
    mixed : tuple of str
        Where results come from different versions: the name, and each version with its files.
    runs : int
        How many runs wrote there.

    Examples
    --------
    >>> RunStatus(Path("results"), False, 42, 40, 2, 0, rate=12.5)
    RunStatus(40 done, 2 failed, 0 left of 42)
    """

    out: Path
    running: bool | None
    files: int
    done: int
    failed: int
    left: int
    vanished: int = 0
    rate: float = 0.0
    seconds_left: float | None = None
    slowest: tuple = ()
    disk: int = 0
    damaged: int = 0
    mixed: tuple = ()
    runs: int = 0

    def __repr__(self):
        counts = f"{self.done} done, {self.failed} failed, {self.left} left of {self.files}"
        return f"RunStatus({counts}{', running' if self.running else ''})"

    def __str__(self):
        return "\n".join(self._lines())

    def _lines(self):
        state = "running" if self.running else "not running"
        yield f"{self.out}: {state}, {self.runs:,} run{'' if self.runs == 1 else 's'} so far"
        yield f"  {self.done:,} done, {self.failed:,} failed, {self.left:,} left of {self.files:,}"
        left = "" if self.seconds_left is None else f", {in_words(self.seconds_left)} left"
        yield f"  {self.rate:{'.0f' if self.rate > 100 else '.3g'}} files a second{left}"
        yield f"  {in_bytes(self.disk)} on the disk"
        if self.vanished:
            yield f"  {self.vanished:,} gone from the source: see vanished.csv"
        if self.damaged:
            yield f"  {self.damaged:,} damaged lines in the ledger: their files are done again"
        for line in self.mixed:
            yield f"  results of different versions: {line}"
        for title, (source, seconds) in zip(["slowest:"] + [""] * SLOWEST, self.slowest):
            yield f"  {title or ' ' * 8} {took(seconds):>8}  {source}"


def status(out):
    """Where a run stands: what is done, failed and left, how fast, and what is wrong.

    Reads the ledgers (with shards several) and nothing else, also while a run writes them.

    Parameters
    ----------
    out : str or path-like
        The folder of the run.

    Returns
    -------
    RunStatus

    Raises
    ------
    ParameterError
        If no run wrote there.
    OSError
        If a ledger cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import vision
    >>> from classical import Otsu
    >>> out = tempfile.mkdtemp()
    >>> summary = vision.run(Otsu(), [np.eye(4, dtype=np.uint8)], out, progress=False)
    >>> status(out)
    RunStatus(1 done, 0 failed, 0 left of 1)
    """
    out, now = Path(out), time.time()
    parts = [LedgerSummary(path, now) for path in ledgers_of(out, owner="status")]
    working = [part for part in parts if part.running]
    left = [part.seconds_left for part in working if part.seconds_left is not None]
    running = True if working else None if None in {part.running for part in parts} else False
    slowest = heapq.nlargest(SLOWEST, (pair for part in parts for pair in part.slowest))
    return RunStatus(
        out=out,
        running=running,
        files=sum(part.files for part in parts),
        done=sum(part.done for part in parts),
        failed=sum(part.failed for part in parts),
        left=sum(part.left for part in parts),
        vanished=sum(part.vanished for part in parts),
        rate=_rate(working or parts),
        seconds_left=max(left, default=None),
        slowest=tuple((source, seconds) for seconds, source in slowest),
        disk=sum(part.disk for part in parts) + _own_files(out),
        damaged=sum(part.damaged for part in parts),
        mixed=tuple(_mixed(parts)),
        runs=sum(len(part.heads) for part in parts),
    )


def _rate(parts):
    """Files a second: together where they work at the same time."""
    made = sum(part.made for part in parts)
    if not made:
        return 0.0
    started = [part for part in parts if part.made]
    if len(started) > 1 and all(part.running for part in started):
        return sum(part.made / part.took for part in started)
    return made / max(part.took for part in started)


def _mixed(parts):
    """The versions that differ among results, with the number of files of each."""
    found = {}
    for part in parts:
        for run, files in part.by_run.items():
            for name, version in part.heads.get(run, {}).get("versions", {}).items():
                found.setdefault(name, Counter())[str(version)] += files
    for name, versions in sorted(found.items()):
        used = [(version, files) for version, files in versions.items() if files]
        if len(used) > 1:
            yield f"{name} {', '.join(f'{version} ({files:,})' for version, files in used)}"


def _own_files(out):
    """Bytes of what lies in the folder itself: tables, ledgers, descriptions, the report."""
    total = 0
    with os.scandir(out) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):  # a table got its name just now
                total += entry.stat().st_size if entry.is_file() else 0
    return total
