"""The figures of a comparison.

``scores`` with intervals, ``latency`` and ``size`` against the main metric with the Pareto front,
``learning`` curves and ``robustness`` where they were asked for; of a classification also
``reliability``, ``roc``, ``precision-recall`` and ``confusion: NAME`` of each candidate; of other
tasks ``images``, the main metric image by image.
"""

from dataclasses import dataclass

import numpy as np

from vision import classification_figures as of_classes
from vision.comparison_words import score, shown, took_ms
from vision.errors import UnknownNameError
from vision.figure_svg import (
    INK,
    SIZE,
    SOFT,
    WIDTH,
    Look,
    apart,
    drawing,
    key_above,
    key_height,
    label,
    new_axes,
    new_figure,
    write_beside,
)
from vision.nearest import did_you_mean
from vision.quantities import in_bytes

MOST_POINTS = 300  # of one candidate in `images`
ROW = 40  # points a candidate takes in `scores`
_TITLES = {"jpeg": "JPEG"}


@dataclass(frozen=True, eq=False)
class Drawn:
    """A figure and what is said of it.

    Parameters
    ----------
    name, title : str
    figure : matplotlib.figure.Figure
    caption : str
        Below it.
    words : str
        What it shows, for those who cannot see it.
    """

    name: str
    title: str
    figure: object
    caption: str
    words: str


def figure(comparison, name):
    """One figure of a comparison.

    Parameters
    ----------
    comparison : Comparison
    name : str
        See `vision.comparison_figures`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    UnknownNameError
        If the comparison has no such figure; the message names those it has.
    """
    return drawn(comparison, name).figure


def drawn(comparison, name):
    """One figure with its title and words: a `Drawn`.

    Raises
    ------
    UnknownNameError
        As `figure`.
    """
    titles = names(comparison)
    if name not in titles:
        hint = did_you_mean(name, titles) if isinstance(name, str) else ""
        known = ", ".join(map(repr, titles)) or "none, as no candidate finished"
        words = f"This comparison has no figure {name!r}.", hint, f"It has {known}."
        raise UnknownNameError(" ".join(filter(None, words)))
    look = Look(comparison.candidates)
    kind, _, of = name.partition(": ")
    more = (comparison[of],) if of else ()
    with drawing():
        return Drawn(name, titles[name], *_DRAW[kind](comparison, look, *more))


def names(comparison):
    """The figures that a comparison has.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    dict of str to str
        Titles by name, in the order of the report.
    """
    ranking = comparison.ranking()
    if not ranking:
        return {}
    metric = comparison.metric
    found = {"scores": f"{_capital(metric)}, with 95% intervals"}
    for cost, word in (("latency", "time"), ("size", "size")):
        if _costed(comparison, cost):
            found[cost] = f"{_capital(metric)} against {word}"
    if comparison.curves is not None:
        found["learning"] = f"{_capital(metric)} over training images"
    if _spoiled(comparison):
        found["robustness"] = f"{_capital(metric)} on spoiled images"
    if comparison.classes is None:
        return found | {"images": f"{_capital(metric)}, image by image"}
    if of_classes.with_probabilities(comparison):
        found["reliability"] = "Is it as sure as it should be?"
        held = np.asarray(comparison.truth)[np.asarray(comparison.folds) >= 0]
        if len(set(held.tolist())) > 1:
            found |= {"roc": "ROC curves", "precision-recall": "Precision and recall"}
    return found | {f"confusion: {name}": f"Confusions of {name}" for name in ranking}


def _capital(text):
    return text[:1].upper() + text[1:]


def _scores(comparison, look):
    """Each candidate's main metric with its interval, the best on top."""
    ranking, measure = comparison.ranking(), comparison.measures[comparison.metric]
    chart = new_figure(ROW * len(ranking) + 34)
    axes = new_axes(chart, 10, 32, 12, 2)
    found = [comparison[name].scores[comparison.metric] for name in ranking]
    low, high = _range([end for one in found for end in (one.low, one.value, one.high)])
    room = 0.06 * (high - low or abs(high) or 1)
    most = min(high + room, 1.004) if measure.percent else high + room
    axes.set(xlim=(low - room, most), ylim=(len(ranking) - 0.35, -0.75))
    top = max(found, key=lambda one: one.value if measure.higher else -one.value)
    if np.isfinite(top.low):
        axes.axvspan(top.low, top.high, color=look.color(ranking[0]), alpha=0.08, lw=0)
    for row, (name, one) in enumerate(zip(ranking, found)):
        color = look.color(name)
        axes.plot([one.low, one.high], [row, row], color=color, lw=3, solid_capstyle="round")
        axes.plot(one.value, row, marker=look.mark(name), ms=9, color=color)
        axes.text(0, row - 0.42, label(name, 30), transform=axes.get_yaxis_transform(),
                  color=color, weight="bold", va="center")  # fmt: skip
        axes.text(1, row - 0.42, score(one, measure), transform=axes.get_yaxis_transform(),
                  color=INK, va="center", ha="right")  # fmt: skip
    _number_axis(axes.xaxis, measure)
    axes.grid(True, axis="x")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.tick_params(length=0)
    told = "; ".join(f"{name} {score(one, measure)}" for name, one in zip(ranking, found))
    worse = "" if measure.higher else " Less is better."
    caption = (
        f"Marks: {measure.name} over all images, each predicted by a model that never saw it. "
        f"Bars: 95% intervals over images; the shade is that of the best.{worse}"
    )
    return chart, caption, f"{_capital(measure.name)} with 95% intervals: {told}."


def _range(values):
    """The least and the largest that an axis can show."""
    finite = [value for value in values if np.isfinite(value)] or [0.0, 1.0]
    return min(finite), max(finite)


def _number_axis(axis, measure):
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(5))
    if measure.percent:
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}%"))


def _costed(comparison, cost):
    """The candidates that have a place in both, the best first."""
    found = {name: comparison[name] for name in comparison.ranking()}
    return [
        name
        for name, one in found.items()
        if _cost(one, cost) is not None and np.isfinite(one.scores[comparison.metric].value)
    ]


def _cost(candidate, cost):
    if cost == "size":
        return candidate.size_bytes
    return None if candidate.latency is None else candidate.latency.one_ms


def _against(comparison, look, cost):
    """The main metric over a cost, with the front that nobody beats in both."""
    measure = comparison.measures[comparison.metric]
    chart = new_figure(310)
    axes = new_axes(chart, 52, 44, 14, 16)
    found = {name: _cost(comparison[name], cost) for name in _costed(comparison, cost)}
    heights = {name: comparison[name].scores[measure.name] for name in found}
    front = [name for name in comparison.pareto(cost) if name in found]
    axes.plot([found[n] for n in front], [heights[n].value for n in front],
              color=SOFT, lw=1.2, dashes=(4, 3), zorder=1)  # fmt: skip
    for name, one in heights.items():
        color = look.color(name)
        axes.plot([found[name]] * 2, [one.low, one.high], color=color, lw=1.5, alpha=0.55)
        axes.plot(found[name], one.value, marker=look.mark(name), ms=9, color=color)
    _log_axis(axes, list(found.values()), cost)
    axes.margins(y=0.12)
    if measure.percent:
        axes.set_ylim(top=min(1.012, axes.get_ylim()[1]))
    if not measure.higher:
        axes.invert_yaxis()
    _number_axis(axes.yaxis, measure)
    axes.set(ylabel=measure.name)
    axes.grid(True)
    axes.tick_params(length=0)
    axes.minorticks_off()
    points = [
        (found[name], heights[name].value, name, look.color(name))
        for name in sorted(found, key=lambda name: name not in front)
    ]
    nameless = write_beside(axes, points)
    said = "time for one image" if cost == "latency" else "size of the fitted pipeline on disk"
    axes.set_xlabel(f"{said} (less is better)")
    told = "; ".join(
        f"{name} {shown(one.value, measure)} at {_costs(found[name], cost)}"
        for name, one in heights.items()
    )
    nobody = f"The dashed line joins those that no other beats in both: {', '.join(front)}."
    if len(front) == 1:
        nobody = f"{front[0]} is the best and the cheapest."
    caption = f"{nobody} Thin bars: 95% intervals."
    if nameless:
        caption += f" Without a name here, for want of room: {nameless}; the table has them all."
    return chart, caption, f"{_capital(measure.name)} against {said}: {told}."


def _costs(value, cost):
    return took_ms(value) if cost == "latency" else in_bytes(int(value))


def _log_axis(axes, values, cost):
    """Powers of ten, and 2 and 5 of them where the values lie close together."""
    from matplotlib.ticker import FixedLocator, FuncFormatter

    low, high = min(values) / 1.9, max(values) * 1.9
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    every = [m * 10.0**power for power in range(-4, 13) for m in (1, 2, 5)]
    ticks = [tick for tick in every if low < tick < high]
    while len(ticks) > 5:
        ticks = [t for t in ticks if f"{t:.0e}"[0] == "1"] if len(ticks) > 9 else ticks[::2]
        if len(ticks) > 9:
            ticks = ticks[::2]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _costs(value, cost)))


def _latency(comparison, look):
    return _against(comparison, look, "latency")


def _size(comparison, look):
    return _against(comparison, look, "size")


def _learning(comparison, look):
    """The main metric over training images, with the crossing that matters."""
    from vision.comparison_words import chosen_crossing

    curves, measure = comparison.curves, comparison.measures[comparison.metric]
    chart = new_figure(330)
    axes = new_axes(chart, 52, 44, 112, 12)
    sizes, ends = np.asarray(curves.sizes), []
    axes.set_xscale("log")
    for name in (name for name in comparison.ranking() if name in curves.scores):
        rows = np.asarray(curves.scores[name], float)
        there = ~np.isnan(rows).all(axis=0) & ~np.isinf(rows).any(axis=0)
        if not there.any():
            continue
        rows, at = rows[:, there], sizes[there]
        means, color = np.nanmean(rows, axis=0), look.color(name)
        worst, best = np.nanmin(rows, axis=0), np.nanmax(rows, axis=0)
        axes.fill_between(at, worst, best, color=color, alpha=0.13, lw=0)
        axes.plot(at, means, color=color, ls=look.dash(name), marker=look.mark(name), ms=4)
        ends.append((name, at[-1], means[-1]))
    axes.set_xlim(sizes[0] / 1.08, sizes[-1] * 1.04)
    _size_ticks(axes, sizes)
    _number_axis(axes.yaxis, measure)
    axes.set(xlabel="training images", ylabel=measure.name)
    axes.grid(True)
    axes.tick_params(length=0)
    axes.minorticks_off()
    _end_labels(axes, ends, look)
    crossing = chosen_crossing(comparison)
    if crossing is not None and crossing.images is not None:
        _mark_crossing(axes, crossing.images, sizes)
    told = "; ".join(f"{name} {shown(height, measure)} with {at}" for name, at, height in ends)
    said = [] if crossing is None else [crossing.words]
    caption = " ".join([*said, "Bands reach from the worst to the best repeat.", *curves.notes])
    return chart, caption, f"Learning curves, at their right ends: {told}. {' '.join(said)}"


def _size_ticks(axes, sizes):
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    places = axes.transData.transform([(size, 0) for size in sizes])[:, 0]
    chosen = []
    for size, place in reversed(list(zip(sizes, places))):  # the largest always, others with room
        if not chosen or chosen[-1][1] - place > 36:
            chosen.append((size, place))
    axes.xaxis.set_major_locator(FixedLocator([size for size, _ in chosen]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def _end_labels(axes, ends, look):
    """Names at the right ends of curves, moved apart where they would touch."""
    if not ends:
        return
    heights = axes.transData.transform([(at, height) for _, at, height in ends])[:, 1]
    moved = apart(heights, SIZE + 3)
    for (name, at, height), before, after in zip(ends, heights, moved):
        axes.annotate(
            label(name, 17),
            (at, height),
            xytext=(8, after - before),
            textcoords="offset points",
            va="center",
            color=look.color(name),
            annotation_clip=False,
        )


def _mark_crossing(axes, images, sizes):
    low, high = np.clip([images.low, images.high], sizes[0] / 1.08, sizes[-1] * 1.04)
    axes.axvspan(low, high, color=SOFT, alpha=0.14, lw=0)
    axes.axvline(images.value, color=INK, lw=1.2, dashes=(3, 2))
    place = axes.get_xaxis_transform()
    left = np.log(images.value / sizes[0]) > np.log(sizes[-1] / sizes[0]) / 2
    axes.annotate(
        f"{images.value:,.0f} images",
        (images.value, 0.02),
        xycoords=place,
        xytext=(-5 if left else 5, 0),
        textcoords="offset points",
        ha="right" if left else "left",
        color=INK,
    )


def _spoiled(comparison):
    """The candidates that were measured on spoiled images, the best first."""
    scores = {} if comparison.robustness is None else comparison.robustness.scores
    return [n for n in comparison.ranking() if n in scores and not np.isnan(scores[n]).all()]


def _robustness(comparison, look):
    """The main metric over the strength of each corruption, small and side by side."""
    found, measure = comparison.robustness, comparison.measures[comparison.metric]
    there = _spoiled(comparison)
    rows = -(-len(found.corruptions) // 2)
    key = key_height(len(there))
    height, gap = 106, 46
    chart = new_figure(key + rows * (height + gap))
    low, high = _range(np.concatenate([np.ravel(found.scores[name]) for name in there]))
    room = 0.06 * (high - low or 1)
    total, column = key + rows * (height + gap), (WIDTH - 46 - 8 - 22) / 2
    for place, corruption in enumerate(found.corruptions):
        left = 46 + (place % 2) * (column + 22)
        top = key + (place // 2) * (height + gap) + 18
        axes = new_axes(chart, left, total - top - height + 18, WIDTH - left - column, top)
        for name in there:
            scores = np.asarray(found.scores[name], float)[place]
            color, dash = look.color(name), look.dash(name)
            axes.plot(range(len(scores)), scores, color=color, ls=dash, lw=1.8)
        axes.set(xlim=(0, 5), ylim=(low - room, high + room))
        levels = [label(text, 12) for text in found.strengths[place]]
        axes.set_xticks([0, len(levels) - 1], [levels[0], levels[-1]])
        for text, side in zip(axes.get_xticklabels(), ("left", "right")):
            text.set_ha(side)
        _number_axis(axes.yaxis, measure)
        axes.yaxis.get_major_locator().set_params(nbins=3)
        if place % 2:
            axes.set_yticklabels([])
        axes.set_title(
            _TITLES.get(corruption, _capital(corruption)), size=SIZE, color=INK, loc="left", pad=4
        )
        axes.grid(True, axis="y")
        axes.tick_params(length=0)
    key_above(chart, [(name, name) for name in there], look)
    told = "; ".join(
        f"{name} from {shown(found.scores[name][0][0], measure)} to "
        f"{shown(np.nanmean(np.asarray(found.scores[name], float)[:, -1]), measure)}"
        for name in there
    )
    caption = " ".join(
        ["The same images, spoiled at five strengths; at the left untouched.", *found.notes]
    )
    return chart, caption, f"Robustness, untouched and on average at the greatest strength: {told}."


def _images(comparison, look):
    """The main metric of every image: points, the median, and the middle half."""
    ranking, measure = comparison.ranking(), comparison.measures[comparison.metric]
    chart = new_figure(52 * len(ranking) + 34)
    axes = new_axes(chart, 14, 32, 14, 2)
    told = []
    generator = np.random.default_rng(0)
    for row, name in enumerate(ranking):
        values = np.asarray(comparison[name].per_image, float)
        values = values[np.isfinite(values)]
        if not len(values):
            continue
        color, quarters = look.color(name), np.percentile(values, [25, 50, 75])
        some = (
            values if len(values) <= MOST_POINTS else generator.choice(values, MOST_POINTS, False)
        )
        heights = row + generator.uniform(-0.14, 0.22, len(some))
        axes.plot(some, heights, ls="", marker="o", ms=3, mew=0, color=color, alpha=0.4)
        axes.plot(quarters[[0, 2]], [row, row], color=color, lw=4, alpha=0.7)
        axes.plot(quarters[1], row, marker="|", ms=20, mew=3, color=color)
        axes.text(0, row - 0.36, label(name, 30), transform=axes.get_yaxis_transform(),
                  color=color, weight="bold", va="center")  # fmt: skip
        axes.text(1, row - 0.36, f"median {shown(quarters[1], measure)}", color=INK, va="center",
                  transform=axes.get_yaxis_transform(), ha="right")  # fmt: skip
        told.append(f"{name} median {shown(quarters[1], measure)}")
    axes.set_ylim(len(ranking) - 0.6, -0.62)
    _number_axis(axes.xaxis, measure)
    axes.grid(True, axis="x")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.tick_params(length=0)
    caption = "Points are images; the bar is the middle half of them, its line the median."
    return chart, caption, f"{_capital(measure.name)}, image by image: {'; '.join(told)}."


_DRAW = {
    "scores": _scores,
    "latency": _latency,
    "size": _size,
    "learning": _learning,
    "robustness": _robustness,
    "images": _images,
    "reliability": of_classes.draw_reliability,
    "roc": of_classes.draw_roc,
    "precision-recall": of_classes.draw_precision_recall,
    "confusion": of_classes.draw_confusion,
}
