"""The tables of a run, derived from its ledger: results, errors, and files that vanished."""

import heapq
import time

from vision.file_listing import natural
from vision.parquet_table import write_parquet
from vision.tables import Table

RESULTS, ERRORS, VANISHED = "results.csv", "errors.csv", "vanished.csv"
PARQUET = "results.parquet"


def write_tables(out, ledgers, key, *, branches, within=None, parquet=False, seen=None):
    """Write the tables anew, sorted by source and object.

    Rows are those of the pipeline that ran last: what another one gave, and has not been done
    again, is in the ledger alone. Files that the source has no more are in ``vanished.csv``, which
    is there only if there are any.

    Parameters
    ----------
    out : Path
        The folder of the run.
    ledgers : list of Ledger or vision.merging.Part
        One, or those of all shards.
    key : str
        What the pipeline is.
    branches : bool
        Whether results have a column ``branch``.
    within : float, optional
        Seconds; the tables stay as they are if it takes longer.
    parquet : bool, default=False
        Whether results are written as Parquet too; otherwise an older such file is removed.
    seen : callable, optional
        Called with each entry of the pipeline that ran last and of each file that vanished, in
        the order of the tables.

    Returns
    -------
    bool
        Whether they were written.

    Raises
    ------
    MissingDependencyError
        If Parquet is asked for, and pyarrow is not installed.
    WriteError
        If one cannot be written; older ones are intact.
    """
    deadline = None if within is None else time.monotonic() + within
    lead = ["source", *(["branch"] if branches else []), "object"]
    with (
        Table(out / RESULTS, lead) as results,
        Table(out / ERRORS, ["source", "error", "reason"]) as errors,
        Table(out / VANISHED, ["source", "output"]) as vanished,
    ):
        for entry in _in_order(ledgers):
            if deadline is not None and time.monotonic() > deadline:
                for table in (results, errors, vanished):
                    table.discard()
                return False
            if seen is not None and ("vanished" in entry or entry["key"] == key):
                seen(entry)
            if "vanished" in entry:
                paths = [path for path, *_ in entry["outputs"]] or [None]
                vanished.add([{"source": entry["source"], "output": path} for path in paths])
            elif entry["key"] != key:
                continue
            elif "error" in entry:
                errors.add([{"source": entry["source"], **entry["error"]}])
            else:
                results.add(entry["rows"])
        if not vanished.rows:
            vanished.discard()
            vanished.path.unlink(missing_ok=True)
    if not parquet:
        (out / PARQUET).unlink(missing_ok=True)
        return True
    try:
        write_parquet(out / PARQUET, lead, lambda: _rows(ledgers, key, deadline))
    except _LateError:
        return False
    return True


class _LateError(Exception):
    """There is no time left."""


def _in_order(ledgers):
    """The entries of all ledgers as one."""
    parts = [ledger.in_order(natural) for ledger in ledgers]
    return heapq.merge(*parts, key=lambda entry: natural(entry["name"])) if parts[1:] else parts[0]


def _rows(ledgers, key, deadline):
    for entry in _in_order(ledgers):
        if deadline is not None and time.monotonic() > deadline:
            raise _LateError
        if entry["key"] == key and "vanished" not in entry:
            yield from entry["rows"]
