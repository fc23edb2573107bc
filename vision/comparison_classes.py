"""Metrics of a classification, for any number of resamples of its images at once."""

import numpy as np

from vision.comparison_tasks import Mean, Ratings

MOST_PAIRS = 1_500_000  # of an image of a class and one of another, in a table
SMALLEST = np.finfo(np.float64).eps  # no probability counts as less, as in scikit-learn


def rate_classes(predictions, probabilities, truth, classes):
    """The `Ratings` of labels and, where there are any, probabilities.

    Parameters
    ----------
    predictions, truth : sequence of n labels
    probabilities : (n, k) ndarray or None
        In the order of `classes`.
    classes : (k,) ndarray
        Every label of the truth, sorted.

    Returns
    -------
    Ratings

    Examples
    --------
    >>> found = rate_classes(["a", "b", "b"], None, ["a", "b", "a"], np.array(["a", "b"]))
    >>> found.per_image.tolist(), round(found.values()["macro F1"], 3)
    ([1.0, 1.0, 0.0], 0.667)
    """
    true, said = codes(truth, classes), codes(predictions, classes)
    areas = _Areas(true, said, len(classes))
    right = (true == said).astype(np.float64)
    statistics = {
        "accuracy": Mean(right),
        "balanced accuracy": areas.balanced_accuracy,
        "macro F1": areas.macro_f1,
    }
    if probabilities is not None:
        statistics |= _of_probabilities(np.asarray(probabilities, np.float64), true)
    return Ratings(right, statistics, areas.per_class(classes))


def codes(labels, classes):
    """The place of each label in `classes`; -1 of one that is not there.

    Examples
    --------
    >>> codes(["b", "c"], np.array(["a", "b"])).tolist()
    [1, -1]
    """
    places = {label: place for place, label in enumerate(np.asarray(classes).tolist())}
    return np.array([places.get(label, -1) for label in np.asarray(labels).tolist()], np.intp)


class _Areas:
    """Which images are of each class, are said to be, and both: (n, k) of 0 and 1."""

    def __init__(self, true, said, count):
        every = np.arange(count)
        self.true = (true[:, None] == every).astype(np.float64)
        self.said = (said[:, None] == every).astype(np.float64)
        self.both = self.true * self.said
        self._known = []

    def _counts(self, weights):
        """The sums of both metrics; resamples that are kept for all metrics are counted once."""
        for counted, counts in self._known:
            if counted is weights:
                return counts
        counts = weights @ self.true, weights @ self.said, weights @ self.both
        if not weights.flags.writeable:
            self._known.append((weights, counts))
        return counts

    def balanced_accuracy(self, weights):
        """Recall, averaged over the classes that occur."""
        true, _, both = self._counts(weights)
        return _mean_where(both, true)

    def macro_f1(self, weights):
        """F1, averaged over the classes that occur or are said to."""
        true, said, both = self._counts(weights)
        return _mean_where(2 * both, true + said)

    def per_class(self, classes):
        true, said, both = (row[0] for row in self._counts(np.ones((1, len(self.true)))))
        rows = zip(classes.tolist(), true, said, both, strict=True)
        return {
            label: {
                "images": int(n_true),
                "precision": _share(n_both, n_said),
                "recall": _share(n_both, n_true),
                "F1": _share(2 * n_both, n_true + n_said),
            }
            for label, n_true, n_said, n_both in rows
        }


def _share(part, whole):
    return float(part / whole) if whole else 0.0


def _mean_where(part, whole):
    """The mean of ``part / whole`` over the columns whose whole is not 0."""
    there = whole > 0
    shares = np.divide(part, whole, out=np.zeros_like(part), where=there)
    return shares.sum(axis=1) / np.maximum(there.sum(axis=1), 1)


def _of_probabilities(probabilities, true):
    rows = np.arange(len(true))
    of_true = probabilities[rows, true].clip(SMALLEST, 1)
    wanted = np.zeros_like(probabilities)
    wanted[rows, true] = 1
    errors = ((probabilities - wanted) ** 2).sum(axis=1)
    return {
        "AUC": _Ranking(probabilities, true),
        "log loss": Mean(-np.log(of_true)),
        "Brier score": Mean(errors / 2 if probabilities.shape[1] == 2 else errors),
    }


class _Ranking:
    """The area under the ROC curve, one class against the others, averaged over classes."""

    def __init__(self, probabilities, true):
        columns = range(1, 2) if probabilities.shape[1] == 2 else range(probabilities.shape[1])
        self.positive = (true[:, None] == np.array(columns)).astype(np.float64)
        self.won = [_won(probabilities[:, k], true == k) for k in columns]

    def __call__(self, weights):
        of_class = weights @ self.positive
        pairs = of_class * (weights.sum(axis=1, keepdims=True) - of_class)
        whole = weights.astype(np.float32)
        won = np.stack([part(whole) for part in self.won], axis=1)
        # A resample may leave out a class, or all others.
        return np.where((pairs > 0).any(axis=1), _mean_where(won, pairs), np.nan)


def _won(scores, positive):
    """How many pairs are ranked right, ties half, as a function of whole weights."""
    few = positive.sum() * (~positive).sum() <= MOST_PAIRS
    return (_ByPairs if few else _BySorting)(scores, positive)


class _ByPairs:
    """Every pair in a table: for thousands of images one product of matrices is faster."""

    def __init__(self, scores, positive):
        self.up, self.down = np.flatnonzero(positive), np.flatnonzero(~positive)
        lead = np.subtract.outer(scores[self.up], scores[self.down])
        # Whole numbers and halves: in 32 bits exact for as many images as fit here.
        self.table = (np.sign(lead) / 2 + 0.5).astype(np.float32)

    def __call__(self, weights):
        led = weights[:, self.up] @ self.table
        led *= weights[:, self.down]
        return led.sum(axis=1, dtype=np.float64)


class _BySorting:
    """Counts below each score, for any number of images."""

    def __init__(self, scores, positive):
        self.order = np.argsort(scores, kind="stable")
        # Equal scores are one step of the curve.
        self.starts = np.flatnonzero(np.diff(scores[self.order], prepend=-np.inf))
        self.positive = positive[self.order].astype(np.float64)

    def __call__(self, weights):
        counted = weights[:, self.order].astype(np.float64)
        up = np.add.reduceat(counted * self.positive, self.starts, axis=1)
        down = np.add.reduceat(counted * (1 - self.positive), self.starts, axis=1)
        below = np.cumsum(down, axis=1) - down
        return (up * (below + down / 2)).sum(axis=1)
