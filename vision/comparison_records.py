"""A comparison as rows, as a table in a file, and as one JSON document."""

import csv
import io
import json
from pathlib import Path

import numpy as np

FORMAT = 1


def records(comparison):
    """A row a candidate, see `Comparison.to_records`."""
    return [_record(comparison, one) for one in comparison.candidates]


def _record(comparison, one):
    row = {"name": one.name, "family": one.family}
    for metric in comparison.measures:
        estimate = one.scores.get(metric)
        for suffix, end in (("", "value"), ("_low", "low"), ("_high", "high")):
            row[metric + suffix] = None if estimate is None else float(getattr(estimate, end))
    latency = one.latency
    row["fit_seconds"] = float(np.median(one.fit_seconds)) if one.fit_seconds else None
    for name in ("one_ms", "one_p95_ms", "batch_ms"):
        row[name] = None if latency is None else getattr(latency, name)
    for name in ("memory_bytes", "parameters", "size_bytes", "error"):
        row[name] = getattr(one, name)
    return row


def write(comparison, path):
    """Write the ``.csv`` or ``.json`` of `Comparison.save`."""
    from vision.io import write_bytes

    make = _csv if Path(path).suffix.lower() == ".csv" else _json
    write_bytes(path, make(comparison).encode("utf-8", "backslashreplace"))


def _csv(comparison):
    rows, text = records(comparison), io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _json(comparison):
    return json.dumps(document(comparison), indent=1, allow_nan=False) + "\n"


def document(comparison):
    """Everything that is numbers and text, of plain values; NaN and infinity are None.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    dict
        Pictures are left out: predictions and truth that are masks or images.
    """
    labels = comparison.classes is not None
    return _plain(
        {
            "format": FORMAT,
            "task": comparison.task,
            "metric": comparison.metric,
            "measures": {name: vars(one) for name, one in comparison.measures.items()},
            "classes": comparison.classes,
            "names": comparison.names,
            "truth": np.asarray(comparison.truth) if labels else None,
            "folds": comparison.folds,
            "candidates": [_candidate(one, labels) for one in comparison.candidates],
            "pairs": [_pair(pair) for pair in comparison.pairs],
            "duplicates": [vars(pair) for pair in comparison.duplicates],
            "curves": _curves(comparison.curves),
            "robustness": _fields(comparison.robustness),
            "faithfulness": _fields(comparison.faithfulness),
            "provenance": comparison.provenance,
        }
    )


def _fields(one):
    return None if one is None else vars(one)


def _candidate(one, labels):
    told = {name: value for name, value in vars(one).items() if name != "fitted"}
    told["scores"] = {name: vars(estimate) for name, estimate in one.scores.items()}
    told["per_class"] = [{"class": name, **values} for name, values in one.per_class.items()]
    told["latency"] = _fields(one.latency)
    told["predictions"] = one.predictions if labels else None
    return told


def _pair(pair):
    test = {**vars(pair.test), "difference": vars(pair.test.difference)}
    return {**vars(pair), "test": test}


def _curves(curves):
    if curves is None:
        return None
    crossings = [{**vars(one), "images": _fields(one.images)} for one in curves.crossings]
    return {**vars(curves), "crossings": crossings}


def _plain(value):
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if isinstance(value, str | int | bool | None) else repr(value)
