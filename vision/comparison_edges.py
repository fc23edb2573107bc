"""Metrics of edges, for any number of resamples of the images at once."""

import numpy as np

from vision.boundaries import MIXES, area_under, boundary_counts
from vision.comparison_tasks import Ratings

AT_ONCE = 10_000  # pieces between thresholds that are searched together


def rate_edges(predictions, probabilities, truth, classes):
    """The `Ratings` of edge masks or maps of strengths, by the protocol of BSDS500.

    Parameters
    ----------
    predictions : sequence of n ndarray, (H, W)
        As for `vision.boundary_f`.
    truth : sequence
        A mask an image, or a list of masks, one an annotator.
    probabilities, classes : None
        There are none.

    Returns
    -------
    Ratings
        Of a single image the F-measure at the threshold that is best for all.

    Examples
    --------
    >>> truth = np.zeros((100, 100), np.uint8)
    >>> truth[:, 50] = 255
    >>> found = rate_edges([truth, 255 - truth], None, [truth, truth], None)
    >>> found.per_image.round(1).tolist()
    [1.0, 0.0]
    """
    _, counts = boundary_counts(predictions, truth)
    table = np.array(
        [
            [(c.matched_predicted, c.predicted, c.matched_truth, c.truth) for c in image]
            for image in counts
        ],
        np.float64,
    )
    pooled = _Pooled(table)
    single = _f(*_shares(table))
    once = np.ones((1, len(table)))
    return Ratings(
        single[:, pooled.best_level(once)[0]],
        {"ODS F": pooled.ods, "OIS F": pooled.ois(single.argmax(axis=1)), "AP": pooled.ap},
    )


def _shares(table):
    """Precision and recall; 0 where nothing could be counted."""
    matched, predicted, found, true = np.moveaxis(table, -1, 0)
    return matched / np.maximum(predicted, 1), found / np.maximum(true, 1)


def _f(precision, recall):
    total = precision + recall
    return 2 * precision * recall / np.where(total == 0, 1, total)


class _Pooled:
    """Counts of many images, (n, levels, 4), as metrics of how often each image counts."""

    def __init__(self, table):
        self.table = table

    def _of(self, weights):
        return _shares(np.tensordot(weights, self.table, 1))

    def best_level(self, weights):
        """The place of the best threshold itself."""
        return _f(*self._of(weights)).argmax(axis=1)

    def ods(self, weights):
        """The best F on the straight pieces between thresholds."""
        precision, recall = self._of(weights)
        best = _f(precision, recall).max(axis=1)
        # F is nowhere on a piece higher than that of its larger ends: few pieces are looked at.
        bound = _f(*(np.maximum(one[:, 1:], one[:, :-1]) for one in (precision, recall)))
        rows, pieces = np.nonzero(bound > best[:, None])
        for part in range(0, len(rows), AT_ONCE):
            row, piece = (one[part : part + AT_ONCE] for one in (rows, pieces))
            ends = ((one[row, piece + 1], one[row, piece]) for one in (precision, recall))
            mixed = (one[:, None] * MIXES + other[:, None] * (1 - MIXES) for one, other in ends)
            np.maximum.at(best, row, _f(*mixed).max(axis=1))
        return best

    def ois(self, best):
        """F with each image at its own threshold."""
        chosen = self.table[np.arange(len(best)), best]
        return lambda weights: _f(*_shares(weights @ chosen))

    def ap(self, weights):
        """The area under precision over recall."""
        rows = zip(*self._of(weights), strict=True)
        return np.array([area_under(precision, recall) for precision, recall in rows])
