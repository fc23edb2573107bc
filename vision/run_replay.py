"""`vision.replay`: a run once more, as its ledger tells it, and what came out differently."""

import os
import warnings
from dataclasses import replace
from pathlib import Path

from vision.checks import refuse
from vision.fingerprints import pipeline_key, versions_of
from vision.ledger import Ledger
from vision.ledger_summary import ledgers_of
from vision.packing import as_file, is_packed
from vision.run_folder import AS_ARCHIVE, LEDGER

NAMED = 3  # files that a note names


def replay(out, to=None, *, progress=None):
    """Run the pipeline of an earlier run over its source again, with its options.

    Parameters
    ----------
    out : str or path-like
        The folder of the run; the last one into it is meant.
    to : str or path-like, optional
        Where the outputs go. By default to the same folder, where only what is new, changed or
        failed is done; in another one everything, and what differs is told.
    progress : bool, optional
        As in `vision.run`.

    Returns
    -------
    RunSummary
        Its `notes` say which versions are others than those of the earlier run and, in another
        folder, how many files gave the same.

    Raises
    ------
    ParameterError
        If there is no run in `out`, or its pictures were in memory, or its pipeline has no text.
    LoadError
        If the pipeline can no longer be loaded.
    Exception
        What `vision.run` raises.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import vision
    >>> from classical import Otsu
    >>> folder = Path(tempfile.mkdtemp())
    >>> vision.write(folder / "a.png", np.eye(4, dtype=np.uint8))
    >>> summary = vision.run(Otsu(), folder / "a.png", folder / "out", progress=False)
    >>> replay(folder / "out", folder / "again", progress=False).notes
    ('1 file gave the same as before',)
    """
    from vision.runner import run

    out = Path(out)
    head = last_head(out)
    pipeline = _pipeline(out, head)
    options = {"mode": head["asked"]["mode"], "max_pixels": head["asked"]["max_pixels"]}
    target = out if to is None else Path(to)
    notes = list(_versions(pipeline, head))
    summary = run(pipeline, head["source"], target, **head["options"], **options, progress=progress)
    if target.resolve() != out.resolve():
        notes += _compared(out, target)
    return replace(summary, notes=(*summary.notes, *notes))


def last_head(out):
    """The first line of the last run into a folder.

    Raises
    ------
    ParameterError
        If there is none.
    """
    heads = []
    for path in ledgers_of(out, owner="replay"):
        with Ledger(path) as ledger:
            heads += list(ledger.runs.values())[-1:]  # in order, whatever the clock did
    if not heads:
        refuse("out", os.fspath(out), "the folder of a run that has begun", "replay")
    return max(heads, key=lambda head: head["started"])


def _pipeline(out, head):
    from vision.archive import VersionWarning, load
    from vision.composition import chain
    from vision.text import from_text

    way = "Run it again from Python."
    if head.get("source") is None:
        kept = "one over a path or a list of paths: this one's pictures were in memory"
        refuse("out", os.fspath(out), kept, "replay", way)
    if (out / AS_ARCHIVE).exists():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", VersionWarning)  # the notes tell it
            return chain(load(out / AS_ARCHIVE))
    if head["pipeline"] is None:
        kept = "one whose pipeline has a text: a step of this one is not in the catalogue"
        refuse("out", os.fspath(out), kept, "replay", way)
    return chain(from_text(head["pipeline"]))


def _versions(pipeline, head):
    """What is to be said before the results are compared."""
    now, before = versions_of(pipeline), head["versions"]
    for name in sorted(now.keys() | before.keys()):
        if now.get(name) != before.get(name):
            yield f"{name} was {before.get(name, 'not used')} and is {now.get(name, 'not used')}"
    key = pipeline_key(pipeline, head["options"] | {"mode": head["asked"]["mode"]})
    if key != head["key"]:
        yield "what the pipeline learned is not byte for byte what ran before"


def _compared(out, target):
    """How many files gave the same, and which did not."""
    same, other = 0, []
    ledgers = [Ledger(path) for path in ledgers_of(out, owner="replay")]
    with Ledger(target / LEDGER) as new:
        for name in new:
            before = next((ledger[name] for ledger in ledgers if name in ledger), None)
            if before is None or "vanished" in before:
                continue
            if _result(before) == _result(new[name]):
                same += 1
            else:
                other.append(name)
    for ledger in ledgers:
        ledger.close()
    files = f"{same} file{'' if same == 1 else 's'}"
    yield f"{files} gave the same as before"
    if other:
        more = "" if len(other) <= NAMED else f" and {len(other) - NAMED} more"
        yield f"{len(other)} gave something else: {', '.join(other[:NAMED])}{more}"


def _result(entry):
    """What is the same if a result is: rows, pictures by their hash, or the error."""
    pictures = [(as_file(path), content) for path, _, _, content in entry["outputs"]]
    rows = entry["rows"]
    if any(is_packed(path) for path, *_ in entry["outputs"]):
        # Which archive an output goes to depends on the order of the work.
        rows = [
            row | {"output": as_file(row["output"])} if row.get("output") else row for row in rows
        ]
    return rows, pictures, entry.get("error")
