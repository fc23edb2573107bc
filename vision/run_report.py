"""The report of a run: one page that shows what went in and came out, what failed, and how long."""

import os
import shlex
import signal
import time
from pathlib import Path

from vision.images import Images
from vision.kinds import LOCATED, Kind
from vision.pages import environment
from vision.run_pictures import Pictures
from vision.step_times import EVERY
from vision.stopping import Stopping

REPORT = "index.html"
MARK = '<meta name="generator" content="vision run">'
SHARE, LEAST, LONGEST = 0.02, 0.4, 10.0  # of the run's time, seconds: for the pictures
MOMENT = 0.1  # seconds, after a signal
LINKED = (
    "results.csv",
    "results.parquet",
    "errors.csv",
    "vanished.csv",
    "pipeline.yaml",
    "pipeline.vision",
    "ledger.jsonl",
)


def write_report(out, head, digest, counts, *, images, names, seconds, notes, stopping):
    """Write ``index.html`` into the folder of a run.

    Pictures are made of at most `vision.run_digest.SAMPLES` files, chosen evenly, for 2% of the
    time that the run took, but at least 0.4 and at most 10 seconds; for a moment if a signal
    ended the run, and no longer than until one comes.

    Parameters
    ----------
    out : Path
        The folder.
    head : dict
        The first line of the run in the ledger.
    digest : Digest
        What the tables hold.
    counts : dict of str to int
        How many files of this run, by what the page calls them: ``done``, ``failed`` and others.
    images : Images
        The source.
    names : list of str
        What the outputs of each are called after.
    seconds : float
        How long the run took.
    notes : iterable of str
        What else is to be known.
    stopping : Stopping
        Knows the signal that ended the run, or that one has come.

    Returns
    -------
    Path
        The page: one file that needs no other.

    Raises
    ------
    WriteError
        If it cannot be written.
    FileExistsError
        If there is a page of that name that no run wrote; it stays.
    """
    from vision.io import write_bytes

    page = Path(out) / REPORT
    if not _is_ours(page):
        raise FileExistsError(f"{str(page)!r} is there, and no run wrote it")
    stopped = None if stopping.signal is None else signal.Signals(stopping.signal).name
    within = MOMENT if stopped else min(max(SHARE * seconds, LEAST), LONGEST)
    ends = time.monotonic() + within

    def left():
        late = stopping.signal is not None and not stopped
        return 0.0 if late else ends - time.monotonic()

    figures = Pictures(out, images, names, digest, left).figures()
    facts = {
        **_told(out, head, digest),
        "counts": counts,
        "notes": notes,
        "stopped": stopped,
        "seconds": seconds,
        "left": head["files"]
        - sum(counts.get(name, 0) for name in ("done", "failed", "unchanged")),
        "figures": figures,
        "branches": [name for name in digest.kinds if name],
        "drawable": bool({*digest.kinds.values()} & {*LOCATED, Kind.CLASS}),
        "widest": max((len(figure["pictures"]) for figure in figures), default=0),
    }
    text = environment().get_template("run.html").render(facts)
    write_bytes(page, text.encode("utf-8", "backslashreplace"), durable=False)
    return page


def _is_ours(page):
    try:
        with page.open("rb") as file:
            return MARK.encode() in file.read(500)
    except FileNotFoundError:
        return True


def report_merged(out, heads, digest, notes):
    """Write the page of a run in shards, from what their ledgers say.

    Parameters
    ----------
    out : Path
        The folder.
    heads : list of dict
        The first line of the last run of each shard.
    digest : Digest
        What the tables hold.
    notes : iterable of str
        What else is to be known.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    WriteError, FileExistsError
        As `write_report`.
    """
    last = max(heads, key=lambda head: head["started"])
    started = min(head["started"] for head in heads)
    asked = {name: value for name, value in last["asked"].items() if name != "shard"}
    files = sum(head["files"] for head in heads)
    chosen = digest.chosen() if last["root"] and Path(last["root"]).is_dir() else []
    paths = [f"{last['root']}/{entry['source']}" for entry in chosen]
    return write_report(
        out,
        last | {"started": started, "asked": asked, "files": files},
        digest,
        {"done": digest.done, "failed": digest.failed, "gone from the source": digest.vanished},
        images=Images(paths, mode=asked["mode"], max_pixels=asked["max_pixels"]) if paths else (),
        names=[entry["name"] for entry in chosen],
        seconds=max(digest.ended - started, 0.0),
        notes=notes,
        stopping=Stopping(),
    )


def _told(out, head, digest):
    """What the page says that the ledger knows."""
    source, steps = head["source"], digest.steps()
    return {
        "head": head,
        "digest": digest,
        "title": _title(source),
        "origin": _origin(source, head["root"]),
        "tables": [name for name in LINKED if (Path(out) / name).exists()],
        "steps": steps,
        "total": sum(mean for _, _, mean, _ in steps) or 1,
        "largest": max((mean for _, _, mean, _ in steps), default=0) or 1,
        "timed": max((files for _, files, _, _ in steps), default=0),
        "every": EVERY,
        "slowest": digest.slowest(),
        "asked": [(name, _option(value)) for name, value in head["asked"].items() if value],
        "revisions": [pair for pair in head["versions"].items() if isinstance(pair[1], int)],
        "replay": _replay(out, head),
    }


def _option(value):
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "yes" if value is True else value


def _title(source):
    if isinstance(source, str):
        return f"Run over {Path(source).name or source}"
    return "Run over pictures in memory" if source is None else "Run over a list of files"


def _origin(source, root):
    return source if isinstance(source, str) else root or "memory"


def _replay(out, head):
    """The command that does the same again; None where nothing leads to the pipeline or source."""
    if head["source"] is None or head["pipeline"] is None:
        return None
    return shlex.join(["vision", "replay", os.path.abspath(out), "--out", "again"])  # noqa: PTH100
