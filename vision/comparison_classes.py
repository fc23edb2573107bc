"""Metrics of a classification, for any number of resamples of its images at once."""

import weakref
from functools import cached_property

import numpy as np

from vision.comparison_tasks import Mean, Ratings

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
    # An array of a list would hold labels of several types as texts.
    labels = labels.tolist() if isinstance(labels, np.ndarray) else labels
    return np.array([places.get(label, -1) for label in labels], np.intp)


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
            if counted() is weights:
                return counts
        counts = weights @ self.true, weights @ self.said, weights @ self.both
        if not weights.flags.writeable:
            self._known = [known for known in self._known if known[0]() is not None]
            self._known.append((weakref.ref(weights), counts))
        return counts

    def __getstate__(self):
        return self.__dict__ | {"_known": []}

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
        self.probabilities = probabilities[:, columns]

    @cached_property
    def won(self):
        """One a class; not made where nobody asks for the area."""
        columns = zip(self.probabilities.T, self.positive.T, strict=True)
        return [_Won(scores, positive > 0) for scores, positive in columns]

    def __call__(self, weights):
        of_class = weights @ self.positive
        pairs = of_class * (weights.sum(axis=1, keepdims=True) - of_class)
        by_image = np.ascontiguousarray(weights.T, np.float32)
        won = np.stack([part(by_image) for part in self.won], axis=1)
        # A resample may leave out a class, or all others.
        return np.where((pairs > 0).any(axis=1), _mean_where(won, pairs), np.nan)


class _Won:
    """How many pairs are ranked right, ties half, as a function of whole weights.

    A row an image and a column a resample: NumPy adds along rows, and 32 bits count exactly up to
    16 million.
    """

    def __init__(self, scores, positive):
        self.up, down = np.flatnonzero(positive), np.flatnonzero(~positive)
        self.down = down[np.argsort(scores[down], kind="stable")]
        ordered = scores[self.down]
        sides = [np.searchsorted(ordered, scores[self.up], side) for side in ("left", "right")]
        # Between two of these places no image of the class lies: one sum of the others will do.
        places, sides = np.unique([np.zeros_like(sides[0]), *sides], return_inverse=True)
        self.starts = places[places < len(down)]
        _, self.below, self.up_to = sides

    def __call__(self, weights):
        counts = np.zeros((len(self.starts) + 1, weights.shape[1]), np.float32)
        if len(self.starts):
            parts = np.add.reduceat(weights[self.down], self.starts, axis=0)
            np.cumsum(parts, axis=0, out=counts[1:])
        twice = counts[self.below] + counts[self.up_to]
        return np.einsum("ij,ij->j", weights[self.up], twice, dtype=np.float64) / 2
