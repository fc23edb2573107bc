"""Figures of a compared classification: confusions, reliability, ROC and precision-recall."""

import numpy as np

from vision.comparison_classes import codes
from vision.figure_svg import (
    INK,
    LINE,
    SIZE,
    SOFT,
    WIDTH,
    key_above,
    key_height,
    label,
    new_axes,
    new_figure,
)

BINS = 10  # of the reliability diagram
MOST_CURVES = 6  # in one figure
MOST_NUMBERS = 12  # classes whose confusions are written into their squares
SQUEEZED = 0.95  # area from which curves leave but a corner of their square worth seeing
CORNER = 0.25  # the side of what is then shown
FADED = 0.6  # the strongest colour of a square, so that the number in it can be read


def confusion_counts(comparison, candidate):
    """How often each class was called each: rows are the truth.

    Parameters
    ----------
    comparison : Comparison
    candidate : Candidate

    Returns
    -------
    (k, k) ndarray of int
        Over the images that were held out; an answer that is no class of the truth is in no
        column.
    """
    true, said, _ = _held_out(comparison, candidate)
    size = len(comparison.classes)
    known = said >= 0
    flat = np.bincount(true[known] * size + said[known], minlength=size * size)
    return flat.reshape(size, size)


def reliability(probabilities, true, bins=BINS):
    """How often the most probable class is right, by how probable it is said to be.

    Parameters
    ----------
    probabilities : (n, k) ndarray
    true : (n,) ndarray of int
        Columns.
    bins : int, default=10
        Of equal width, from 0 to 1, each with its upper end.

    Returns
    -------
    confidence, accuracy : (b,) ndarray
        Means of the bins with images.
    counts : (b,) ndarray of int
    error : float
        The expected calibration error: the mean distance of the two, weighted by images.

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun, K. Weinberger, "On Calibration of Modern Neural Networks", ICML
    2017, arXiv:1706.04599, equation 3.

    Examples
    --------
    >>> said = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6]])
    >>> confidence, accuracy, counts, error = reliability(said, np.array([0, 1, 1, 1]))
    >>> confidence.tolist(), accuracy.tolist(), round(error, 3)
    ([0.6, 0.9], [1.0, 0.5], 0.4)
    """
    top = probabilities.argmax(axis=1)
    sure, right = probabilities[np.arange(len(top)), top], (top == true).astype(float)
    place = np.ceil(sure * bins).astype(int).clip(1, bins) - 1
    counts = np.bincount(place, minlength=bins)
    there = counts > 0
    confidence = np.bincount(place, sure, bins)[there] / counts[there]
    accuracy = np.bincount(place, right, bins)[there] / counts[there]
    error = np.abs(confidence - accuracy) @ counts[there] / len(sure)
    return confidence, accuracy, counts[there], float(error)


def ranking_curves(probabilities, true):
    """The ROC and the precision-recall curve, one class against the others, averaged over classes.

    Parameters
    ----------
    probabilities : (n, k) ndarray
    true : (n,) ndarray of int
        Columns. Classes without image, or with all of them, are left out.

    Returns
    -------
    roc : tuple of ndarray
        False and true positive rate; of two classes the curve of the second.
    area : float
        Under it, averaged over classes.
    recall_curve : tuple of ndarray
        Recall and precision.
    precision : float
        Average precision, averaged over classes.
    """
    from sklearn.metrics import (
        average_precision_score,
        precision_recall_curve,
        roc_auc_score,
        roc_curve,
    )

    columns = [1] if probabilities.shape[1] == 2 else range(probabilities.shape[1])
    there = [(true == k, probabilities[:, k]) for k in columns if 0 < np.sum(true == k) < len(true)]
    area = float(np.mean([roc_auc_score(*one) for one in there]))
    precision = float(np.mean([average_precision_score(*one) for one in there]))
    rocs = [roc_curve(*one, drop_intermediate=False)[:2] for one in there]
    recalls = [precision_recall_curve(*one)[:2] for one in there]
    if len(there) == 1:
        right, found = recalls[0]
        return rocs[0], area, (found[::-1], right[::-1]), precision
    rates = np.linspace(0, 1, 401)
    # Where a curve goes straight up it is at the upper end of that line.
    ups = [up[np.searchsorted(fall, rates, side="right") - 1] for fall, up in rocs]
    # Precision at a recall is that of the next point that reaches it.
    heights = [
        right[::-1][np.searchsorted(found[::-1], rates, side="left")] for right, found in recalls
    ]
    up = np.concatenate([[0], np.mean(ups, axis=0)])
    roc = np.concatenate([[0], rates]), up
    return roc, area, (rates, np.mean(heights, axis=0)), precision


def draw_confusion(comparison, look, candidate):
    """One candidate's confusions as a square: rows the truth, columns what it said."""
    counts = confusion_counts(comparison, candidate)
    size = len(counts)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = [label(name, 10) for name in comparison.classes]
    left = 26 + 6.2 * max(map(len, names)) if size <= 40 else 26
    # Names below stand upright where they would touch.
    upright = max(map(len, names)) * 6.6 > (WIDTH - left) / size - 2
    bottom = 24 + (6.2 * max(map(len, names)) if upright else 14) if size <= 40 else 24
    side = WIDTH - left - 8
    figure = new_figure(side + bottom + 8)
    axes = new_axes(figure, left, bottom, 8, 8)
    _squares(axes, counts, shares, look.color(candidate.name))
    axes.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5), xlabel="said", ylabel="truth")
    every = range(size) if size <= 40 else []
    axes.set_xticks(every, names if size <= 40 else [], rotation=90 if upright else 0)
    axes.set_yticks(every, names if size <= 40 else [])
    axes.tick_params(length=0, labelcolor=INK)
    if 12 < size <= 40:
        axes.tick_params(labelsize=max(6, 150 / size))
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color(LINE)
    return figure, *_confusion_words(comparison, candidate, counts)


def _squares(axes, counts, shares, color):
    from matplotlib.patches import Rectangle

    size = len(counts)
    for row, column in zip(*np.nonzero(counts)):
        strength = FADED * max(0.06, shares[row, column])
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fc=color, alpha=strength, lw=0))
        if size <= MOST_NUMBERS:
            weight = "bold" if row == column else "normal"
            small = min(SIZE, 118 / size)
            axes.text(
                column, row, f"{counts[row, column]}",
                ha="center", va="center_baseline", size=small, weight=weight,
            )  # fmt: skip


def _confusion_words(comparison, candidate, counts):
    off = counts.copy()
    np.fill_diagonal(off, 0)
    total, wrong = counts.sum(), off.sum()
    caption = f"{total - wrong} of {total} right."
    worst = [place for place in np.argsort(-off, axis=None)[:3] if off.flat[place] > 0]
    if worst:
        rows, columns = np.unravel_index(worst, off.shape)
        said = [
            f"{_class(comparison, row)} as {_class(comparison, column)} ({off[row, column]})"
            for row, column in zip(rows, columns)
        ]
        caption += f" Most often it took {', '.join(said)}."
    return caption, f"Confusion matrix of {candidate.name}. {caption}"


def _class(comparison, place):
    return label(comparison.classes[place], 24)


def draw_reliability(comparison, look):
    """Accuracy over confidence: on the diagonal a candidate is as often right as it says."""
    told, chosen = [], _shown(comparison)
    above = key_height(len(chosen))
    figure = new_figure(320 + above)
    axes = new_axes(figure, 46, 44, 12, 10 + above)
    axes.plot([0, 1], [0, 1], color=SOFT, lw=1, dashes=(3, 3))
    for candidate in chosen:
        true, _, probabilities = _held_out(comparison, candidate)
        confidence, accuracy, counts, error = reliability(probabilities, true)
        name = candidate.name
        axes.plot(confidence, accuracy, color=look.color(name), ls=look.dash(name))
        area = 6 + 70 * counts / counts.sum()
        axes.scatter(confidence, accuracy, s=area, color=look.color(name), marker=look.mark(name))
        told.append((name, error))
    axes.set(
        xlim=(0, 1.02),
        ylim=(0, 1.02),
        xlabel="how sure it says it is",
        ylabel="share that is right",
    )
    _grid(axes)
    key_above(figure, [(name, f"{label(name, 13)} {error:.3f}") for name, error in told], look)
    words = ". ".join(f"{name}: expected calibration error {error:.3f}" for name, error in told)
    caption = (
        "On the dashed line a candidate is right as often as it says; below it, it is too sure of "
        "itself. Larger marks stand for more images. The number beside each name is the expected "
        "calibration error, the mean distance from the line."
    )
    return figure, caption + _left_out(comparison), f"Reliability diagram. {words}."


def draw_roc(comparison, look):
    """True over false positive rate, averaged over classes."""
    found = _curves(comparison)
    figure = new_figure(340)
    axes = new_axes(figure, 46, 44, 12, 10)
    close = min(area for _, _, area, _, _ in found) > SQUEEZED
    for name, (fall, up), _, _, _ in found:
        axes.plot(fall, up, color=look.color(name), ls=look.dash(name), clip_on=True)
    far = CORNER if close else 1
    if not close:
        axes.plot([0, 1], [0, 1], color=SOFT, lw=1, dashes=(3, 3))
    axes.set(xlim=(0, far), ylim=(1 - far, 1 + far / 50))
    axes.set(xlabel="false positive rate", ylabel="true positive rate")
    _grid(axes)
    _key(
        axes,
        look,
        [(name, f"{label(name, 18)}  AUC {area:.3f}") for name, _, area, _, _ in found],
        "lower right",
    )
    words = ". ".join(f"{name}: area under the curve {area:.3f}" for name, _, area, _, _ in found)
    corner = f" Only the corner is shown, up to {CORNER} of each side." if close else ""
    return figure, _averaged(comparison) + corner + _left_out(comparison), f"ROC curves. {words}."


def draw_precision_recall(comparison, look):
    """Precision over recall, averaged over classes."""
    found = _curves(comparison)
    figure = new_figure(340)
    axes = new_axes(figure, 46, 44, 12, 10)
    close = min(precision for *_, precision in found) > SQUEEZED
    for name, _, _, (found_share, right), _ in found:
        axes.plot(found_share, right, color=look.color(name), ls=look.dash(name))
    far = CORNER if close else 1
    axes.set(xlim=(1 - far, 1 + far / 50), ylim=(1 - far, 1 + far / 50))
    axes.set(xlabel="recall", ylabel="precision")
    _grid(axes)
    _key(
        axes,
        look,
        [(name, f"{label(name, 18)}  AP {ap:.3f}") for name, *_, ap in found],
        "lower left",
    )
    words = ". ".join(f"{name}: average precision {ap:.3f}" for name, *_, ap in found)
    corner = f" Only the corner is shown, up to {CORNER} of each side." if close else ""
    caption = f"{_averaged(comparison)} AP is average precision.{corner}{_left_out(comparison)}"
    return figure, caption, f"Precision-recall curves. {words}."


def _averaged(comparison):
    if len(comparison.classes) == 2:
        return f"Of the class {label(comparison.classes[1])}."
    return "Each class against all others, averaged over classes."


def _curves(comparison):
    found = []
    for candidate in _shown(comparison):
        true, _, probabilities = _held_out(comparison, candidate)
        found.append((candidate.name, *ranking_curves(probabilities, true)))
    return found


def _held_out(comparison, candidate):
    """Classes of the truth and of the answers as places, and probabilities, where held out."""
    held = np.flatnonzero(comparison.folds >= 0)
    true = codes([comparison.truth[i] for i in held], comparison.classes)
    said = codes([candidate.predictions[i] for i in held], comparison.classes)
    given = candidate.probabilities
    return true, said, None if given is None else np.asarray(given, float)[held]


def with_probabilities(comparison):
    """The candidates that give probabilities, the best first."""
    return [
        comparison[name]
        for name in comparison.ranking()
        if comparison[name].probabilities is not None
    ]


def _shown(comparison):
    return with_probabilities(comparison)[:MOST_CURVES]


def _left_out(comparison):
    """Who is not in the figure, in words."""
    without = [n for n in comparison.ranking() if comparison[n].probabilities is None]
    said = f" Without probabilities, so not here: {', '.join(without)}." if without else ""
    if len(with_probabilities(comparison)) > MOST_CURVES:
        said += f" The best {MOST_CURVES} are shown."
    return said


def _grid(axes):
    axes.grid(True)
    axes.tick_params(length=0)


def _key(axes, look, entries, place):
    """Names in the colours of their curves, in the corner where no curve is."""
    from matplotlib.lines import Line2D

    lines = [Line2D([], [], color=look.color(n), ls=look.dash(n), lw=2) for n, _ in entries]
    texts = [text for _, text in entries]
    colors = [look.color(name) for name, _ in entries]
    axes.legend(lines, texts, loc=place, labelcolor=colors, handlelength=1.8, borderpad=0.2)
