"""From what was said of each image to intervals and tests, the images or their groups resampled."""

import itertools
import math

import numpy as np

from vision.comparison_result import Pair
from vision.comparison_tasks import Mean
from vision.intervals import Estimate, bootstrap_interval, pooled_interval
from vision.paired_tests import PairedTest, holm, mcnemar, paired_bootstrap, pooled_test, verdict

RESAMPLES = 1000  # of a metric that is no mean: the AUC of many classes takes longest
LISTED = 1e-12  # an image counts as better said from this difference on


class Draws:
    """What is drawn in a resample: images; where they have groups, whole groups.

    Parameters
    ----------
    count : int
        Images.
    groups : (count,) sequence, optional
    seed : int, default=0
    """

    def __init__(self, count, groups=None, seed=0):
        self.seed, self.count, self.codes = seed, count, None
        if groups is not None:
            found, self.codes = np.unique(np.asarray(groups), return_inverse=True)
            self.count = len(found)

    def spread(self, statistic):
        """The statistic of how often each group counts, of one of how often each image does."""
        if self.codes is None:
            return statistic
        return lambda weights: statistic(weights[:, self.codes])

    def estimate(self, statistic, bounds=None):
        """The value over all images with its interval; NaN ends where there is none.

        Parameters
        ----------
        statistic : callable
            Of how often each image counts.
        bounds : (float, float), optional
            Between which it always lies.

        Returns
        -------
        Estimate
        """
        if isinstance(statistic, Mean) and not np.isfinite(statistic.values).all():
            value = float(statistic(np.ones((1, len(statistic.values))))[0])
            return Estimate(value, math.nan, math.nan)
        if self.count < 2:
            every = 1 if self.codes is None else len(self.codes)
            value = float(statistic(np.ones((1, every)))[0])
            return Estimate(value, math.nan, math.nan)
        if isinstance(statistic, Mean) and self.codes is None:
            return bootstrap_interval(statistic.values, bounds=bounds, random_state=self.seed)
        counted = self.spread(statistic)
        return pooled_interval(
            counted, self.count, bounds=bounds, resamples=RESAMPLES, random_state=self.seed
        )

    def test(self, first, second, metric, sign, graded):
        """Two candidates' `Ratings` against each other.

        Returns
        -------
        PairedTest or None
            None where images are too few or a score is infinite.
        """
        one, other = first.statistics[metric], second.statistics[metric]
        means = isinstance(one, Mean)
        finite = np.isfinite([*first.per_image, *second.per_image]).all()
        if self.count < 2 or not finite:
            return None
        if self.codes is None and means:
            if not graded:
                return mcnemar(first.per_image, second.per_image)
            seed = self.seed
            return paired_bootstrap(
                sign * first.per_image, sign * second.per_image, random_state=seed
            )
        signed = [lambda w, s=s: sign * s(w) for s in map(self.spread, (one, other))]
        return pooled_test(*signed, self.count, random_state=self.seed)


def estimates(ratings, draws, task):
    """Every metric of a candidate with its interval: a dictionary."""
    bounds = {measure.name: measure.bounds for measure in task.measures}
    return {
        name: draws.estimate(statistic, bounds.get(name))
        for name, statistic in ratings.statistics.items()
    }


def pairs_of(rated, places, task, draws):
    """Every two candidates against each other.

    Parameters
    ----------
    rated : dict of str to Ratings
        By name, those that finished.
    places : (n,) ndarray of int
        Which images the ratings are of.
    task : ComparedTask
    draws : Draws

    Returns
    -------
    tuple of Pair
        In the order of the candidates, p-values corrected for how many there are.
    """
    measure = task.measures[0]
    sign = 1 if measure.higher else -1
    tested = {}
    for names in itertools.combinations(rated, 2):
        ratings = [rated[name] for name in names]
        test = draws.test(*ratings, measure.name, sign, task.graded)
        if test is not None:
            tested[names] = test, _sides(*ratings, sign, places)
    adjusted = holm([test.p_value for test, _ in tested.values()]) if tested else ()
    return tuple(
        _pair(names, test, sides, float(p_value), task)
        for (names, (test, sides)), p_value in zip(tested.items(), adjusted, strict=True)
    )


def _sides(first, second, sign, places):
    """Images on which the one and the other is better, the clearest first."""
    lead = sign * (first.per_image - second.per_image)
    sides = []
    for one in (lead, -lead):
        better = np.flatnonzero(one > LISTED)
        sides.append(places[better[np.argsort(-one[better], kind="stable")]])
    return sides


def _pair(names, test, sides, p_adjusted, task):
    if test.only_first is None:
        counts = [len(side) for side in sides]
        test = PairedTest(test.difference, test.p_value, *counts, test.method)
    unit = task.measures[0].unit
    words = verdict(*names, test, p_adjusted, unit=unit, graded=task.graded)
    return Pair(*names, test, p_adjusted, *sides, words)
