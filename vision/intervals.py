"""How sure is a number? Intervals over the images that a metric was measured on."""

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from vision.checks import check_integer, check_number, check_random_state, refuse

BLOCK = 2**20  # counts of one block of resamples: 8 MB
FEW = 2**16  # draws at a time
JACKKNIFE = 500  # groups of images at most that are left out in turn


@dataclass(frozen=True)
class Estimate:
    """A number with its interval.

    The interval speaks of other images of the same kind, for the method as it was trained. What
    training it anew would change is not in it.

    Parameters
    ----------
    value : float
        What was measured.
    low, high : float
        The ends of the interval.
    level : float, default=0.95
        In how many of 100 such studies, divided by 100, the interval holds the true value.

    Examples
    --------
    >>> Estimate(0.912, 0.884, 0.935).text(percent=True)
    '91.2% (88.4 to 93.5)'
    """

    value: float
    low: float
    high: float
    level: float = 0.95

    def text(self, percent=False):
        """The number and, where there is one, its interval in words.

        Parameters
        ----------
        percent : bool, default=False
            Write 0.912 as 91.2%.

        Returns
        -------
        str

        Examples
        --------
        >>> Estimate(31.2284, 30.9, 31.55).text()
        '31.228 (30.900 to 31.550)'
        """
        scale, digits, unit = (100, 1, "%") if percent else (1, 3, "")
        value, low, high = (f"{scale * x:.{digits}f}" for x in (self.value, self.low, self.high))
        ends = "" if math.isnan(self.low) else f" ({low} to {high})"
        return f"{value}{unit}{ends}"

    def __neg__(self):
        return Estimate(-self.value, -self.high, -self.low, self.level)

    def within(self, bounds):
        """The interval cut at the bounds of its metric, a pair of numbers; itself for None."""
        if bounds is None:
            return self
        low, high = bounds
        return Estimate(self.value, max(self.low, low), min(self.high, high), self.level)


def accuracy_interval(right, *, level=0.95):
    """The share of images that are right, with Wilson's score interval.

    Parameters
    ----------
    right : array-like of n bool, 0 or 1
        Whether each image is right.
    level : float, default=0.95
        Above 0 and below 1.

    Returns
    -------
    Estimate
        From 0 to 1.

    Raises
    ------
    ParameterError
        If `right` holds something else or nothing, or `level` makes no sense.

    References
    ----------
    E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22,
    1927, doi:10.1080/01621459.1927.10502953. Recommended by L. D. Brown, T. T. Cai and A. DasGupta,
    "Interval Estimation for a Binomial Proportion", Statistical Science 16(2), 2001,
    doi:10.1214/ss/1009213286.

    Examples
    --------
    >>> accuracy_interval([1] * 45 + [0] * 5).text(percent=True)
    '90.0% (78.6 to 95.7)'
    """
    right = check_scores("right", right, "accuracy_interval")
    if not is_binary(right):
        refuse("right", right, "True or False, or 1 or 0, for each image", "accuracy_interval")
    check_level(level, "accuracy_interval")
    share, spread = float(right.mean()), quantile(level) ** 2 / len(right)
    middle = (share + spread / 2) / (1 + spread)
    half = math.sqrt(spread * (share * (1 - share) + spread / 4)) / (1 + spread)
    # Rounding must not leave [0, 1], nor the share that was seen.
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return Estimate(share, min(low, share), max(high, share), level)


def bootstrap_interval(values, *, bounds=None, level=0.95, resamples=2000, random_state=0):
    """The mean over images with its bootstrap interval, the images drawn with replacement.

    It is the symmetric studentised interval (bootstrap-t); of values of 0 and 1 alone, the one of
    `accuracy_interval`. Where all values are the same, they cannot tell how sure it is, and it
    has no width.

    Parameters
    ----------
    values : array-like of n float
        The score of each of at least two images.
    bounds : pair of float, optional
        The range of the metric, such as (0, 1): the interval is cut there.
    level : float, default=0.95
        Above 0 and below 1.
    resamples : int, default=2000
        At least 100.
    random_state : int, default=0
        Equal ones draw the same images.

    Returns
    -------
    Estimate

    Raises
    ------
    ParameterError
        If `values` holds fewer than two finite numbers or another parameter makes no sense.

    References
    ----------
    P. Hall, "On Symmetric Bootstrap Confidence Intervals", Journal of the Royal Statistical
    Society B 50(1), 1988, pages 35-45. B. Efron and R. J. Tibshirani, "An Introduction to the
    Bootstrap", 1993, section 12.5, doi:10.1007/978-1-4899-4541-9.

    Examples
    --------
    >>> ious = np.linspace(0.4, 0.9, 40) ** 2
    >>> bootstrap_interval(ious).text()
    '0.444 (0.383 to 0.506)'
    """
    owner = "bootstrap_interval"
    check_resampling(level, resamples, random_state, owner)
    values = check_scores("values", values, owner, at_least=2)
    if is_binary(values):
        return accuracy_interval(values, level=level)
    return mean_interval(values, level, resamples, random_state).within(bounds)


def pooled_interval(statistic, count, *, bounds=None, level=0.95, resamples=2000, random_state=0):
    """A metric that is no mean over images, such as an F-measure or AUC, with its interval.

    It is the bias-corrected and accelerated bootstrap interval (BCa), the images drawn with
    replacement. Where the resamples do not vary, as those of a metric that is perfect on all
    images, they cannot tell how sure it is, and it has no width.

    Parameters
    ----------
    statistic : callable
        ``statistic(weights)`` gives ``(m,)`` values for ``weights``, an ``(m, count)`` table of
        float64 that says how often each image counts. Resamples for which it is NaN are left out;
        if it is for all, the interval has NaN ends.
    count : int
        The number of images, at least 2.
    bounds, level, resamples, random_state
        As for `bootstrap_interval`.

    Returns
    -------
    Estimate

    Raises
    ------
    ParameterError
        If a parameter makes no sense.

    References
    ----------
    B. Efron, "Better Bootstrap Confidence Intervals", JASA 82, 1987,
    doi:10.1080/01621459.1987.10478410.

    Examples
    --------
    The F1 score of one class, pooled over all images:

    >>> truth = np.array([1] * 35 + [0] * 65)
    >>> predicted = np.array([1] * 30 + [0] * 5 + [1] * 3 + [0] * 62)
    >>> def f1(weights):
    ...     return 2 * weights @ (truth * predicted) / (weights @ (truth + predicted))
    >>> pooled_interval(f1, 100).text()
    '0.882 (0.780 to 0.948)'
    """
    check_resampling(level, resamples, random_state, "pooled_interval")
    check_integer("count", count, owner="pooled_interval", at_least=2)
    value = float(statistic(np.ones((1, count)))[0])
    drawn = replicates(statistic, count, resamples, random_state)
    if not len(drawn):
        return Estimate(value, math.nan, math.nan, level)
    if not np.ptp(drawn):
        return Estimate(value, value, value, level)
    bias, acceleration = correction(statistic, count, value, drawn)
    normal, ends = NormalDist(), []
    for side in (-1, 1):
        moved = bias + side * quantile(level)
        ends.append(normal.cdf(bias + moved / (1 - acceleration * moved)))
    low, high = np.quantile(drawn, ends)
    return Estimate(value, float(low), float(high), level).within(bounds)


def mean_interval(values, level, resamples, random_state):
    """The interval of `bootstrap_interval`, of values that `check_scores` has passed."""
    if not np.ptp(values):
        return Estimate(*[float(values[0])] * 3, level)
    count, mean, spread = len(values), float(values.mean()), float(values.std())
    centred, studentised = (values - mean) / spread, []
    squares = centred**2
    for weights in resampled(count, resamples, random_state):
        means = weights @ centred / count
        # A resample without any of few values that differ has no variance: it gets a little.
        variances = np.maximum(weights @ squares / count - means**2, 0) + 1 / count
        studentised.append(np.abs(means) / np.sqrt(variances))
    half = spread * float(np.quantile(np.concatenate(studentised), level))
    return Estimate(mean, mean - half, mean + half, level)


def replicates(statistic, count, resamples, random_state):
    """What a statistic gives for each resample where it can be told: (r,) with r <= resamples."""
    drawn = [np.asarray(statistic(w)) for w in resampled(count, resamples, random_state)]
    drawn = np.concatenate(drawn)
    return drawn[~np.isnan(drawn)]


def correction(statistic, count, value, drawn):
    """Bias and acceleration, equations 14.14 and 14.15 of Efron and Tibshirani.

    The jackknife leaves out each image in turn or, of many images, each of 500 groups.
    """
    below = np.mean(drawn < value) + np.mean(drawn == value) / 2  # ties count half
    bias = NormalDist().inv_cdf(min(max(float(below), 1 / len(drawn)), 1 - 1 / len(drawn)))
    left_out = np.concatenate([np.asarray(statistic(weights)) for weights in _jackknife(count)])
    told = left_out[~np.isnan(left_out)]
    influence = told.sum() / max(len(told), 1) - told
    scale = 6 * (influence**2).sum() ** 1.5
    return bias, float((influence**3).sum() / scale) if scale else 0.0


def _jackknife(count):
    """Blocks in which each row leaves out one image, or one of `JACKKNIFE` groups of them."""
    parts = min(count, JACKKNIFE)
    blocks = min(parts, -(-count * parts // BLOCK))
    for left_out in np.array_split(np.arange(parts), blocks):
        yield _left_out(count, parts, int(left_out[0]), int(left_out[-1]))


@lru_cache(maxsize=2)  # 16 MB at most
def _left_out(count, parts, first, last):
    groups = np.arange(count) * parts // count
    return frozen((groups != np.arange(first, last + 1)[:, None]).astype(np.float64))


def resampled(count, resamples, random_state, *, signed=False):
    """Blocks of resamples: how often each image was drawn.

    Parameters
    ----------
    count : int
        The number of images, and of draws a resample.
    resamples, random_state : int
        Equal ones draw the same, so that all candidates of a comparison meet the same resamples.
    signed : bool, default=False
        Whether each draw also tosses a coin.

    Yields
    ------
    (m, count) ndarray of float64
        With `signed`, a pair of these: the draws, and heads minus tails among them.

    Examples
    --------
    >>> [weights.sum(axis=1).tolist() for weights in resampled(5, 3, 0)]
    [[5.0, 5.0, 5.0]]
    """
    rows = max(1, BLOCK // count)
    for start in range(0, resamples, rows):
        yield _block(count, min(rows, resamples - start), (random_state, start), signed)


@lru_cache(maxsize=8)  # 64 MB at most: every metric of a comparison takes them
def _block(count, rows, seed, signed):
    generator, width = np.random.default_rng(seed), count * (1 + signed)
    counts = np.empty((rows, width))
    few = max(1, FEW // count)  # at a time: what is drawn for them stays in the cache
    for start in range(0, rows, few):
        part = counts[start : start + few]
        drawn = generator.integers(width, size=(len(part), count))
        drawn += width * np.arange(len(part))[:, None]
        part[:] = np.bincount(drawn.ravel(), minlength=part.size).reshape(part.shape)
    if not signed:
        return frozen(counts)
    heads, tails = counts[:, :count], counts[:, count:]
    return frozen(heads + tails), frozen(heads - tails)


def frozen(array):
    """The array itself, which nobody can write to any more."""
    array.setflags(write=False)
    return array


def quantile(level):
    """The z value of a two-sided interval: 1.96 for 0.95."""
    return NormalDist().inv_cdf((1 + level) / 2)


def is_binary(values):
    """Whether all values are 0 or 1."""
    return bool(np.isin(values, (0, 1)).all())


def check_scores(name, values, owner, *, at_least=1):
    """One finite number for each image, as float64."""
    array = np.asarray(values)
    numeric = array.ndim == 1 and array.dtype.kind in "biuf" and len(array) >= at_least
    if not (numeric and np.isfinite(array).all()):
        refuse(name, array, f"one finite number for each image, at least {at_least}", owner)
    return array.astype(np.float64)


def check_resampling(level, resamples, random_state, owner):
    """Refuse parameters of a bootstrap that make no sense."""
    check_level(level, owner)
    check_integer("resamples", resamples, owner=owner, at_least=100)
    check_random_state("random_state", random_state, owner=owner)


def check_level(level, owner):
    """Refuse anything but a number above 0 and below 1."""
    check_number("level", level, owner=owner, above=0, below=1)
