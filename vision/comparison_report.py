"""The report of a comparison: one page that needs no other file, server or network."""

import base64
import hashlib
import shlex

import numpy as np

from vision.comparison_figures import drawn, names
from vision.comparison_gallery import disagreements
from vision.comparison_result import COSTS
from vision.comparison_words import SPREAD, gap, pair_of, score, shown, took_ms, verdict
from vision.explanation_table import BASELINES
from vision.figure_svg import Look, style_sheet, svg
from vision.pages import environment, when
from vision.progress import in_words
from vision.quantities import in_bytes, took

MOST_PAIRS = 6  # that are not folded away
MOST_DUPLICATES = 30
COST_NAMES = (
    "one image, median",
    "95th percentile",
    "in a batch",
    "training, a fold",
    "memory",
    "parameters",
    "size",
)
EXPLAINED = {  # the column's title, and whether more or less is better
    "deletion": ("deletion ↓", -1),
    "insertion": ("insertion ↑", 1),
    "average_drop": ("average drop ↓", -1),
    "increase": ("increase ↑", 1),
    "pointing": ("pointing ↑", 1),
    "sanity": ("sanity, best 0", -1),
}
UNKNOWN = "–"  # noqa: RUF001


def write_comparison(comparison, path):
    """Write the report, atomically; a file of that name is replaced.

    Explanations take at most `vision.comparison_gallery.SECONDS`.

    Parameters
    ----------
    comparison : Comparison
    path : str or path-like

    Raises
    ------
    WriteError
        If the file cannot be written.
    """
    from vision.io import write_bytes

    write_bytes(path, report_html(comparison).encode("utf-8", "backslashreplace"))


def report_html(comparison):
    """The report as text: see `write_comparison`."""
    from markupsafe import Markup

    pages = environment()
    script = pages.loader.get_source(pages, "compare.js")[0].strip()
    light, dark = style_sheet()
    facts = summary(comparison) | _figures(comparison) | _details(comparison)
    facts |= {"script": Markup(script), "script_hash": Markup(_hash(script))}
    facts |= {"light": light, "dark": dark}
    return pages.get_template("compare.html").render(facts)


def summary_html(comparison):
    """The verdict and the table alone, as a notebook shows a comparison.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    str
    """
    return environment().get_template("compare_summary.html").render(summary(comparison))


def _hash(script):
    """By which the page allows its one script and no other."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def summary(comparison):
    """What `summary_html` and the report show first: the verdict and the rows of the table."""
    ranking = comparison.ranking()
    failed = [one.name for one in comparison.candidates if one.failed]
    look = Look(comparison.candidates)
    return {
        "verdict": verdict(comparison),
        "measure": comparison.measures[comparison.metric],
        "metric": comparison.metric[:1].upper() + comparison.metric[1:],
        "rows": [
            _row(comparison, name, ranking) | {"color": look.style(name)}
            for name in [*ranking, *failed]
        ],
    }


def _row(comparison, name, ranking):
    one = comparison[name]
    row = {"name": name, "family": one.family, "error": one.error, "cells": ()}
    if one.failed:
        return row
    measure = comparison.measures[comparison.metric]
    found = one.scores[comparison.metric]
    fit = COSTS["fit"](one) if one.fit_seconds else None
    cells = [
        _cell(found.value, shown(found.value, measure), _ends(found, measure)),
        _behind(comparison, name, ranking[0], measure),
        *_times(one.latency),
        _cell(fit, fit if fit is None else took(fit)),
        _cell(
            one.size_bytes, one.size_bytes if one.size_bytes is None else in_bytes(one.size_bytes)
        ),
    ]
    return row | {"cells": cells}


def _cell(value, text, small=""):
    if value is None:
        return {"value": "", "text": UNKNOWN, "small": ""}
    return {"value": repr(float(value)), "text": text, "small": small}


def _ends(estimate, measure):
    """The ends of an interval, without the unit that stands above them; empty without one."""
    if np.isnan(estimate.low):
        return ""
    ends = (shown(end, measure) for end in (estimate.low, estimate.high))
    return " to ".join(end.removesuffix("%").removesuffix(" dB") for end in ends)


def _behind(comparison, name, best, measure):
    """The difference from the best, with its interval."""
    if name == best:
        return _cell(0, "the best")
    pair = pair_of(comparison, name, best)
    if pair is None:
        return _cell(None, "")
    difference = pair.test.difference if pair.first == name else -pair.test.difference
    ends = (
        f"{gap(difference.low, measure, unit=False)} to {gap(difference.high, measure, unit=False)}"
    )
    return _cell(difference.value, gap(difference.value, measure), ends)


def _times(latency):
    if latency is None:
        return _cell(None, ""), _cell(None, "")
    worst = f"95% within {took_ms(latency.one_p95_ms)}"
    return (
        _cell(latency.one_ms, took_ms(latency.one_ms), worst),
        _cell(latency.batch_ms, took_ms(latency.batch_ms), f"{latency.batch_size} at once"),
    )


def _figures(comparison):
    """The figures as elements of the page: the first beside the verdict, confusions by class."""
    from markupsafe import Markup

    found = []
    for place, name in enumerate(names(comparison)):
        one = drawn(comparison, name)
        element = Markup(svg(one.figure, f"f{place}", one.words))
        found.append({"name": name, "title": one.title, "caption": one.caption, "svg": element})
    confusions = [one for one in found if one["name"].startswith("confusion: ")]
    return {
        "lead": found[:1],
        "figures": [one for one in found[1:] if one not in confusions],
        "confusions": confusions,
    }


def _details(comparison):
    pairs = _ordered(comparison, comparison.pairs)
    curves = comparison.curves
    crossings = () if curves is None else _ordered(comparison, curves.crossings)
    methods = dict.fromkeys(pair.test.method for pair in pairs)
    return {
        "about": _about(comparison),
        "spread": comparison.provenance.get("not_in_intervals", SPREAD),
        "notes": [
            {"name": one.name, "text": text} for one in comparison.candidates for text in one.notes
        ],
        "pairs": [_pair(pair) for pair in pairs],
        "most_pairs": MOST_PAIRS,
        "method": "; ".join(methods),
        "crossings": [one.words for one in crossings],
        "gallery": disagreements(comparison),
        "faithfulness": _faithfulness(comparison),
        "classes": comparison.classes,
        "per_class": _per_class(comparison),
        **_duplicates(comparison),
        "measures": {name: measure.words for name, measure in comparison.measures.items()},
        "all_rows": [_all(comparison, comparison[name]) for name in comparison.ranking()],
        "cost_names": COST_NAMES,
        "candidates": comparison.candidates,
        **_provenance(comparison),
    }


def _pair(pair):
    chance = "p < 0.001" if pair.p_adjusted < 0.001 else f"p = {pair.p_adjusted:.3f}"
    return {"first": pair.first, "second": pair.second, "words": pair.words, "chance": chance}


def _ordered(comparison, pairs):
    """The pairs of the best first, then those of the next."""
    places = {name: place for place, name in enumerate(comparison.ranking())}

    def order(pair):
        return sorted(places.get(name, len(places)) for name in (pair.first, pair.second))

    return sorted(pairs, key=order)


def _about(comparison):
    held = int((comparison.folds >= 0).sum())
    folds = len(set(comparison.folds[comparison.folds >= 0].tolist()))
    parts = [
        comparison.task[:1].upper() + comparison.task[1:],
        f"{len(comparison.candidates)} candidates",
        f"{held:,} image{'' if held == 1 else 's'}"
        + (f" in {len(comparison.classes)} classes" if comparison.classes is not None else ""),
        f"{folds} folds"
        if folds > 1
        else f"held out, {len(comparison.folds) - held:,} to learn from",
    ]
    if "started" in comparison.provenance:
        parts.append(when(comparison.provenance["started"]))
    return " · ".join(parts)


def _faithfulness(comparison):
    """The table of the explanations; what is better than both baselines is marked."""
    found = comparison.faithfulness
    if found is None or not found.rows:
        return None
    names = [name for name in EXPLAINED if any(row[name] is not None for row in found.rows)]
    rows, baselines = [], {}
    for row in found.rows:
        if row["method"] in BASELINES:
            baselines.setdefault(row["candidate"], []).append(row)
    for row in found.rows:
        plain = row["method"] in BASELINES
        others = () if plain else baselines[row["candidate"]]
        cells = [_explained_cell(row, others, name) for name in names]
        name = "" if plain else row["candidate"]
        rows.append({"name": name, "method": row["method"], "plain": plain, "cells": cells})
    return {"names": [EXPLAINED[name][0] for name in names], "rows": rows, "notes": found.notes}


def _explained_cell(row, baselines, name):
    value, sign = row[name], EXPLAINED[name][1]
    if value is None:
        return {"text": UNKNOWN, "best": False}
    others = [other[name] for other in baselines if other[name] is not None]
    best = bool(others) and all(sign * value > sign * other for other in others)
    return {"text": f"{value:.3f}", "best": best}


def _per_class(comparison):
    """A metric of each class: F1 where there is one, else the first."""
    found = {name: comparison[name].per_class for name in comparison.ranking()}
    found = {name: table for name, table in found.items() if table}
    if not found:
        return None
    first = next(iter(found.values()))
    kinds = [kind for kind in next(iter(first.values())) if kind != "images"]
    metric = "F1" if "F1" in kinds else kinds[0]
    rows = []
    for label, of_first in first.items():
        values = [table.get(label, {}).get(metric) for table in found.values()]
        known = [value for value in values if value is not None]
        best = max(known, default=None)
        cells = [
            {"text": UNKNOWN if value is None else f"{100 * value:.1f}%", "best": value == best}
            for value in values
        ]
        rows.append({"name": str(label), "images": of_first.get("images", UNKNOWN), "cells": cells})
    return {"metric": metric, "names": list(found), "rows": rows}


def _duplicates(comparison):
    found = sorted(comparison.duplicates, key=lambda one: (not one.across, one.distance))
    across = sum(one.across for one in found)
    rows = [
        {
            "first": comparison.names[one.first],
            "second": comparison.names[one.second],
            "alike": "every pixel" if one.exact else f"nearly (distance {one.distance:.3g})",
            "across": one.across,
        }
        for one in found[:MOST_DUPLICATES]
    ]
    words = (
        f"{len(found):,} pair{'' if len(found) == 1 else 's'} of the same or nearly the same "
        f"picture, {across:,} of them on both sides of a split."
    )
    return {"duplicates": rows, "duplicate_count": len(found), "duplicate_words": words}


def _all(comparison, one):
    """Every measure of a candidate, in words."""
    told = {name: found for name, found in one.scores.items() if not np.isnan(found.value)}
    metrics = [
        score(told[name], measure) if name in told else UNKNOWN
        for name, measure in comparison.measures.items()
    ]
    latency, measure = one.latency, comparison.measures[comparison.metric]
    costs = [
        *(
            [UNKNOWN] * 3
            if latency is None
            else map(took_ms, (latency.one_ms, latency.one_p95_ms, latency.batch_ms))
        ),
        took(COSTS["fit"](one)) if one.fit_seconds else UNKNOWN,
        UNKNOWN if one.memory_bytes is None else in_bytes(one.memory_bytes),
        UNKNOWN if one.parameters is None else f"{one.parameters:,}",
        UNKNOWN if one.size_bytes is None else in_bytes(one.size_bytes),
    ]
    folds = ", ".join(shown(value, measure) for value in one.fold_scores)
    return {"name": one.name, "metrics": metrics, "costs": costs, "folds": folds}


def _provenance(comparison):
    told = comparison.provenance
    command = told.get("command")
    facts = [
        ("begun", when(told["started"]) if "started" in told else None),
        ("took", in_words(told["seconds"]) if "seconds" in told else None),
        ("machine", told.get("machine")),
        ("budget", told.get("budget")),
        ("threads", _threads(told.get("threads"))),
        ("seed", told.get("seed")),
        ("folds", _folds(comparison)),
        *(("note", note) for note in told.get("notes", ())),
        ("not in the intervals", told.get("not_in_intervals", SPREAD)),
    ]
    return {
        "command": command if isinstance(command, str | None) else shlex.join(command),
        "facts": [(name, value) for name, value in facts if value is not None],
        "versions": list(told.get("versions", {}).items()),
    }


def _threads(told):
    """Threads by who has them, as words."""
    if not isinstance(told, dict):
        return told
    return ", ".join(f"{name} {count}" for name, count in told.items())


def _folds(comparison):
    held = comparison.folds[comparison.folds >= 0]
    counts = np.bincount(held)
    if len(counts) == 1:
        rest = len(comparison.folds) - len(held)
        return f"one: {len(held):,} images held out, {rest:,} to learn from"
    sizes = f"{counts.min():,} to {counts.max():,}"
    return f"{len(counts)}, of {sizes} images, the same for every candidate"
