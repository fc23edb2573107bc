"""How many images until one method overtakes another? Scores over the size of the training set.

In each repeat the held-out images of one fold stay what is tested on, and the images that may be
learned from are put in an order by chance, of a classification every class in its share all along.
The first so many of them are learned from: a larger set holds the smaller ones, and it is the same
for every candidate.
"""

import itertools

import numpy as np

from vision.checks import check_integer, refuse
from vision.comparison_candidates import Said, fitted_clone
from vision.comparison_extras import Crossing, LearningCurves
from vision.intervals import Estimate, resampled

REPEATS, POINTS = 3, 5
RESAMPLES = 1000
LEVEL = 0.95


def curve_sizes(curve, study):
    """How many training images are tried.

    Parameters
    ----------
    curve : True or sequence of int
        True: all that a fold has, a half, a quarter and so on, five in all, of a classification
        two of each class or more where there are two such sizes.
    study : Study

    Returns
    -------
    list of int
        Rising.

    Raises
    ------
    ParameterError
        If a size is not whole, below 2 (below the number of classes) or above what a fold has, or
        there are no two of them.
    """
    most = min(len(train) for train, _ in study.folds.splits)
    least = 2 if study.classes is None else len(study.classes)
    if curve is True:
        fewest = max(least, min(2 * least, most // 2))
        sizes = {most >> halved for halved in range(POINTS)}
        sizes = sorted(size for size in sizes if size >= fewest)
        if len(sizes) < 2:
            refuse("curve", curve, f"False, as a fold has only {most} training images", "compare")
        return sizes
    if isinstance(curve, str) or not hasattr(curve, "__iter__"):
        refuse("curve", curve, "True or numbers of training images", "compare")
    sizes = list(curve)
    for size in sizes:
        check_integer("curve", size, owner="compare", at_least=least, at_most=most)
    sizes = sorted(set(map(int, sizes)))
    if len(sizes) < 2:
        refuse("curve", curve, "at least two numbers of training images", "compare")
    return sizes


def curve_repeats(study):
    """How many repeats there are: each has a fold of its own."""
    return min(REPEATS, len(study.folds.splits))


def learning_order(study, repeat):
    """The images that a repeat learns from, in order, and those that it is tested on.

    Returns
    -------
    order, test : ndarray of int
    """
    train, test = study.folds.splits[repeat]
    generator = np.random.default_rng((study.seed, repeat))
    order = generator.permutation(train)
    if study.classes is None:
        return order, test
    labels = np.asarray(study.truth)[order]
    # Each image's rank within its class, as a share of the class: sorted by it, all classes come
    # in their shares, and one of each at the very beginning.
    shares, first = np.empty(len(order)), np.zeros(len(order), bool)
    for label in np.unique(labels):
        places = np.flatnonzero(labels == label)
        shares[places] = (np.arange(len(places)) + generator.random()) / len(places)
        first[places[0]] = True
    return order[np.lexsort((shares, ~first))], test


def measure_curve(study, estimator, sizes, rate, advance):
    """One candidate's main metric of each held-out image, by repeat and size.

    Parameters
    ----------
    study : Study
    estimator : estimator
        Clones are fitted.
    sizes : sequence of int
    rate : callable
        ``rate(predictions, probabilities, places)`` gives `Ratings`.
    advance : callable
        ``advance(failed)`` is told of each fit.

    Returns
    -------
    scores : (repeats, sizes) ndarray
        The main metric.
    per_image : list of (sizes, images) ndarray
        One a repeat.
    """
    scores, per_image = [], []
    for repeat in range(curve_repeats(study)):
        order, test = learning_order(study, repeat)
        rows = []
        for size in sizes:
            said = Said(study)
            fitted_clone(study, estimator, np.sort(order[:size]), said, test)
            ratings = rate(said.predictions, said.probabilities, test)
            rows.append((ratings.value(study.task.metric), ratings.per_image))
            advance(False)
        scores.append([score for score, _ in rows])
        per_image.append(np.array([values for _, values in rows]))
    return np.array(scores), per_image


def learning_curves(found, sizes, study):
    """The curves of all candidates, and where they cross.

    Parameters
    ----------
    found : dict of str to (scores, per_image)
        As `measure_curve` gives them; None of one that failed.
    sizes : sequence of int
    study : Study

    Returns
    -------
    LearningCurves
    """
    repeats = curve_repeats(study)
    tests = [test for _, test in study.folds.splits[:repeats]]
    together = [test if study.groups is None else study.groups[test] for test in tests]
    missing = np.full((repeats, len(sizes)), np.nan)
    done = {name: one for name, one in found.items() if one is not None}
    sign = 1 if study.task.measures[0].higher else -1
    crossings = tuple(
        crossing(
            names,
            [done[name][1] for name in names],
            sizes,
            sign=sign,
            seed=study.seed,
            groups=together,
        )
        for names in itertools.combinations(done, 2)
        if all(np.isfinite(table).all() for name in names for table in done[name][1])
    )
    notes = (
        f"{repeats} repeats, each with a held-out fold of its own; within one, larger training "
        "sets hold the smaller ones and every candidate learns from the same images.",
        "Crossings: straight lines between sizes, by the logarithm of the size; intervals resample "
        f"repeats and the held-out {'images' if study.groups is None else 'groups'} in them.",
    )
    scores = {name: missing if one is None else one[0] for name, one in found.items()}
    return LearningCurves(np.array(sizes), scores, crossings, notes)


def crossing(names, per_image, sizes, *, sign=1, seed=0, groups=None):
    """From how many training images on the one candidate is better than the other.

    The crossing is the last change of the lead; before it the one leads and after it the other up
    to the largest size. Its interval comes of resamples in which the same candidate overtakes; it
    is left open above or below where some of them have no crossing.

    Parameters
    ----------
    names : (str, str)
    per_image : pair of list of (sizes, images) ndarray
        The main metric, one array a repeat, the same images for both.
    sizes : sequence of int
    sign : {1, -1}, default=1
        -1 where less is better.
    seed : int, default=0
    groups : list of (images,) ndarray, optional
        One a repeat: images of one group are drawn together.

    Returns
    -------
    Crossing
    """
    leads = [sign * (second - first) for first, second in zip(*per_image, strict=True)]
    lead = np.mean([one.mean(axis=1) for one in leads], axis=0)
    if lead[-1] == 0:
        words = f"{names[0]} and {names[1]} are level at {sizes[-1]} training images."
        return Crossing(*names, None, words)
    (behind, ahead), turn = (names, 1) if lead[-1] > 0 else (names[::-1], -1)
    at = float(overtakes(turn * lead[None], sizes)[0])
    groups = [np.arange(one.shape[1]) for one in leads] if groups is None else groups
    codes = [np.unique(one, return_inverse=True)[1] for one in groups]
    drawn = overtakes(turn * _resampled(leads, codes, seed), sizes)
    if at <= sizes[0]:
        return Crossing(behind, ahead, None, _always(behind, ahead, sizes, drawn))
    estimate = _estimate(at, drawn, sizes)
    turns = np.diff(turn * lead > 0).sum()
    words = _crosses(behind, ahead, estimate, sizes, " for good" if turns > 1 else "")
    return Crossing(behind, ahead, estimate, words)


def overtakes(leads, sizes):
    """From which size on a lead is above 0 for good.

    Parameters
    ----------
    leads : (m, k) ndarray
    sizes : sequence of k int
        At least two.

    Returns
    -------
    (m,) ndarray
        The first size where it is always ahead; infinity where it is not ahead at the last.

    Examples
    --------
    >>> leads = [[-0.1, -0.1, 0.1], [0.1, 0.2, 0.1], [0.1, 0.1, 0.0]]
    >>> overtakes(np.array(leads), [100, 200, 400]).round(1).tolist()
    [282.8, 100.0, inf]
    """
    rows, logs = np.arange(len(leads)), np.log(np.asarray(sizes, np.float64))
    behind = leads <= 0
    at = (behind * np.arange(1, len(sizes) + 1)).max(axis=1) - 1  # the last place behind, or -1
    crosses = (at >= 0) & ~behind[:, -1]
    at = at.clip(0, len(sizes) - 2)
    lead, gain = leads[rows, at], np.diff(leads)[rows, at]
    share = np.divide(-lead, gain, out=np.zeros(len(leads)), where=crosses)
    found = np.exp(logs[at] + share * np.diff(logs)[at])
    found = np.where(share == 0, np.asarray(sizes)[at], found)  # as rounding would not give it
    return np.where(behind[:, -1], np.inf, np.where(crosses, found, float(sizes[0])))


def _resampled(leads, codes, seed):
    """Mean leads, one a resample: repeats drawn anew, and groups of images anew within each."""
    chosen = np.random.default_rng(seed).integers(len(leads), size=(RESAMPLES, len(leads)))
    total = np.zeros((RESAMPLES, len(leads[0])))
    for repeat, (lead, code) in enumerate(zip(leads, codes, strict=True)):
        rows = np.repeat(np.arange(RESAMPLES), (chosen == repeat).sum(axis=1))
        for counts in resampled(code.max() + 1, len(rows), seed + repeat):
            now, rows = np.split(rows, [len(counts)])
            weights = counts[:, code]
            np.add.at(total, now, weights @ lead.T / weights.sum(axis=1, keepdims=True))
    return total / len(leads)


def _estimate(at, drawn, sizes):
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="nearest")
    return Estimate(at, 0.0 if low <= sizes[0] else float(low), float(high), LEVEL)


def _crosses(behind, ahead, estimate, sizes, lasting):
    value, low, high = (_rounded(end) for end in (estimate.value, estimate.low, estimate.high))
    ends = f"95% interval {low} to {high}"
    if estimate.low == 0 and np.isinf(estimate.high):
        ends = "but that may be anywhere: the curves lie too close"
    elif np.isinf(estimate.high):
        ends = f"95% interval from {low} on, with no end within {sizes[-1]}"
    elif estimate.low == 0:
        ends = f"95% interval up to {high}, with no beginning above {sizes[0]}"
    return f"{ahead} overtakes {behind}{lasting} at about {value} training images, {ends}."


def _always(behind, ahead, sizes, drawn):
    sure = np.mean(drawn <= sizes[0])
    words = f"{ahead} is ahead of {behind} at every size tried, {sizes[0]} to {sizes[-1]} images"
    return f"{words}; in {sure:.0%} of resamples too."


def _rounded(value):
    """Two digits: more are not known."""
    if not np.isfinite(value) or value < 100:
        return f"{value:.0f}"
    scale = 10 ** (int(np.log10(value)) - 1)
    return f"{round(value / scale) * scale:,}"
