"""Is one method better than another? Tests of two methods on the same images, and their words."""

import math
from dataclasses import dataclass

import numpy as np

from vision.checks import check_bool, check_integer, check_number, refuse
from vision.intervals import (
    Estimate,
    check_level,
    check_resampling,
    check_scores,
    is_binary,
    mean_interval,
    quantile,
    replicates,
    resampled,
)

ALPHA = 0.05
TIE = 1e-9  # statistics as near as that differ by rounding alone
ROUNDING = 1e-12  # and scores, relative to their size


@dataclass(frozen=True)
class PairedTest:
    """Two methods on the same images.

    Parameters
    ----------
    difference : Estimate
        By how much the first is higher, with the interval of this pair alone.
    p_value : float
        How often two methods that are as good as each other differ as much; 1 where they do not.
    only_first, only_second : int or None
        On how many images only the first (the second) is right; for scores other than 0 and 1, on
        how many it is higher. None where images have no score of their own.
    method : str
        The test, in words.
    """

    difference: Estimate
    p_value: float
    only_first: int | None
    only_second: int | None
    method: str


def mcnemar(first_right, second_right, *, level=0.95, conditional=False):
    """McNemar's test, with a mid-p value, of two methods that are right or wrong on each image.

    Its statistic is (b - c)^2 / (b + c), b and c being the images on which one alone is right. The
    mid-p value is the probability of a larger one plus half that of the same one. The textbook
    takes it among studies with the same b + c, which finds too little where b + c is small: with
    5 of 100 images, equal methods are told apart in 2.5% of the studies instead of 5%. Unless
    told, it is taken here over all studies of so many images, at the share of b + c that was seen.

    Parameters
    ----------
    first_right, second_right : array-like of n bool, 0 or 1
        Whether each image is right, at least two, in one order.
    level : float, default=0.95
        Of the interval of the difference, Tango's score interval.
    conditional : bool, default=False
        Whether to take the textbook's value.

    Returns
    -------
    PairedTest

    Raises
    ------
    ParameterError
        If the two hold something else, or not one entry for each image.

    References
    ----------
    M. W. Fagerland, S. Lydersen and P. Laake, "The McNemar Test for Binary Matched-pairs Data:
    Mid-p and Asymptotic Are Better than Exact Conditional", BMC Medical Research Methodology 13,
    2013, doi:10.1186/1471-2288-13-91. B. E. Storer and C. Kim, "Exact Properties of Some Exact
    Test Statistics for Comparing Two Binomial Proportions", JASA 85, 1990, pages 146-155, put an
    estimate for the share that is not known, as is done here. T. Tango,
    "Equivalence Test and Confidence Interval for the Difference in Proportions for the
    Paired-sample Design", Statistics in Medicine 17, 1998,
    doi:10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0.CO;2-B.

    Examples
    --------
    >>> first, second = [1] * 90 + [0] * 10, [1] * 75 + [0] * 21 + [1] * 4
    >>> test = mcnemar(first, second)
    >>> test.only_first, test.only_second, round(test.p_value, 4)
    (15, 4, 0.0099)
    >>> test.difference.text(percent=True)
    '11.0% (2.7 to 20.1)'
    """
    owner = "mcnemar"
    first, second = _scores(first_right, second_right, ("first_right", "second_right"), owner)
    for name, right in (("first_right", first), ("second_right", second)):
        if not is_binary(right):
            refuse(name, right, "True or False, or 1 or 0, for each image", owner)
    check_level(level, owner)
    check_bool("conditional", conditional, owner=owner)
    only_first, only_second = int(np.sum(first > second)), int(np.sum(second > first))
    if conditional:
        p_value = _conditional(only_first, only_second)
    else:
        p_value = _unconditional(only_first, only_second, len(first))
    return PairedTest(
        _score_interval(only_first, only_second, len(first), level),
        p_value,
        only_first,
        only_second,
        f"McNemar's test, {'' if conditional else 'un'}conditional mid-p value",
    )


def _conditional(only_first, only_second):
    from scipy.stats import binom

    smaller, both = min(only_first, only_second), only_first + only_second
    return float(2 * binom.cdf(smaller, both, 0.5) - binom.pmf(smaller, both, 0.5))


def _unconditional(only_first, only_second, count):
    from scipy.stats import binom

    apart, both = abs(only_first - only_second), only_first + only_second
    if not apart:
        return 1.0
    # How many images another study might have told apart, and by how many of them it must differ.
    reach = 10 * math.sqrt(both) + 10
    others = np.arange(max(1, int(both - reach)), min(count, int(both + reach)) + 1)
    needed = apart * np.sqrt(others / both)
    whole = np.rint(needed).astype(np.int64)
    same = whole**2 * both == apart**2 * others
    needed = np.where(same, whole, needed)
    heads = np.floor((needed + others) / 2)
    larger = 2 * binom.sf(heads, others, 0.5)
    equal = np.where(same & ((whole + others) % 2 == 0), binom.pmf(heads, others, 0.5), 0)
    return min(1.0, float(binom.pmf(others, count, both / count) @ (larger + equal)))


def _score_interval(only_first, only_second, count, level):
    """Tango's interval: the differences that the score test, his equation 24, does not refuse."""
    seen, limit = (only_first - only_second) / count, quantile(level)

    def refused(difference):
        linear = (2 * count - only_first + only_second) * difference - only_first - only_second
        constant = -only_second * difference * (1 - difference)
        root = math.sqrt(max(linear**2 - 8 * count * constant, 0))
        variance = (root - linear) / (2 * count) + difference * (1 - difference)
        distance = only_first - only_second - count * difference
        return distance**2 > limit**2 * count * max(variance, 0)

    ends = []
    for outside in (-1.0, 1.0):
        inside = seen
        for _ in range(60):
            middle = (inside + outside) / 2
            inside, outside = (inside, middle) if refused(middle) else (middle, outside)
        ends.append(inside)
    return Estimate(seen, *ends, level)


def paired_bootstrap(first, second, *, level=0.95, resamples=2000, random_state=0):
    """Two methods with a score for each image, told apart by the bootstrap.

    For the p-value, images are drawn with replacement and a coin says each time which method is
    called the first: so two methods that are as good as each other would differ. What is compared
    is the mean difference in units of its standard error; ties count half. The interval is that
    of `vision.intervals.bootstrap_interval`. For right and wrong, the p-value of all possible
    resamples is known, and is that of `mcnemar`; so is the interval.

    Parameters
    ----------
    first, second : array-like of n float
        A score for each of at least two images, in one order, higher being better.
    level : float, default=0.95
        Of the interval of the difference.
    resamples : int, default=2000
        At least 100. No p-value is below 1 / (resamples + 1).
    random_state : int, default=0
        Equal ones draw the same images.

    Returns
    -------
    PairedTest

    Raises
    ------
    ParameterError
        If `first` and `second` do not hold one finite number for each image, or another parameter
        makes no sense.

    References
    ----------
    P. Hall and S. R. Wilson, "Two Guidelines for Bootstrap Hypothesis Testing", Biometrics 47(2),
    1991, doi:10.2307/2532163. B. Phipson and G. K. Smyth, "Permutation P-values Should Never Be
    Zero", Statistical Applications in Genetics and Molecular Biology 9(1), 2010,
    doi:10.2202/1544-6115.1585.

    Examples
    --------
    >>> first = np.linspace(0.5, 0.9, 60)
    >>> test = paired_bootstrap(first, first - 0.01 + 0.02 * np.cos(np.arange(60)))
    >>> test.difference.text(), test.only_first, test.p_value < 0.001
    ('0.010 (0.006 to 0.013)', 39, True)
    """
    owner = "paired_bootstrap"
    check_resampling(level, resamples, random_state, owner)
    first, second = _scores(first, second, ("first", "second"), owner)
    differences = np.where(np.isclose(first, second, rtol=ROUNDING, atol=0), 0, first - second)
    only_first, only_second = int(np.sum(differences > 0)), int(np.sum(differences < 0))
    if np.isin(differences, (-1, 0, 1)).all():
        interval = _score_interval(only_first, only_second, len(first), level)
        p_value = _unconditional(only_first, only_second, len(first))
    else:
        interval = mean_interval(differences, level, resamples, random_state)
        p_value = _studentised(differences, resamples, random_state)
    method = "paired bootstrap, studentised, mid-p value"
    return PairedTest(interval, p_value, only_first, only_second, method)


def pooled_test(first, second, count, *, level=0.95, resamples=2000, random_state=0):
    """Two methods by a metric that is no mean over images, such as an F-measure.

    Both meet the same resamples. Their difference is taken in units of its bootstrap standard
    error, which Student's distribution judges: with few images on which they differ, that keeps
    its word where BCa and percentiles do not. Where all resamples differ by the same, it is the
    sign test.

    Parameters
    ----------
    first, second : callable
        The statistic of each method, ``statistic(weights)``, higher being better, as for
        `vision.intervals.pooled_interval`.
    count : int
        The number of images, at least 2.
    level, resamples, random_state
        As for `paired_bootstrap`.

    Returns
    -------
    PairedTest
        Without `only_first` and `only_second`. Where no resample can tell the metric, the ends of
        its interval are NaN.

    Raises
    ------
    ParameterError
        If a parameter makes no sense.

    References
    ----------
    B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", 1993, section 12.4,
    doi:10.1007/978-1-4899-4541-9.

    Examples
    --------
    >>> right = np.arange(200) % 10 > 1
    >>> test = pooled_test(lambda w: w @ right / 200, lambda w: w @ right[::-1] / 200, 200)
    >>> test.p_value > 0.9
    True
    """
    from scipy.stats import t as student

    check_resampling(level, resamples, random_state, "pooled_test")
    check_integer("count", count, owner="pooled_test", at_least=2)

    def difference(weights):
        return np.asarray(first(weights)) - np.asarray(second(weights))

    value = float(difference(np.ones((1, count)))[0])
    drawn = replicates(difference, count, resamples, random_state)
    error = float(drawn.std(ddof=1)) if len(drawn) > 1 else np.nan
    half = error * float(student.ppf((1 + level) / 2, count - 1))
    if error > ROUNDING * abs(value):
        p_value = 2 * float(student.sf(abs(value) / error, count - 1))
    elif value and not math.isnan(error):  # all resamples say the same: a coin for each image
        p_value = 0.5 ** (count - 1)
    else:
        p_value = 1.0
    interval = Estimate(value, value - half, value + half, level)
    return PairedTest(interval, p_value, None, None, "paired bootstrap of a pooled metric")


def _studentised(differences, resamples, random_state):
    """How often a resample of the images, signs tossed, is as far from 0 as what was seen."""
    differences = differences / np.abs(differences).max()
    squares = differences**2
    seen = abs(differences.sum()) / math.sqrt(squares.sum())
    if seen < TIE:
        return 1.0
    drawn = [
        np.abs(signs @ differences) / np.sqrt(np.maximum(weights @ squares, TIE))
        for weights, signs in resampled(len(differences), resamples, random_state, signed=True)
    ]
    drawn = np.concatenate(drawn)
    further, ties = np.sum(drawn > seen + TIE), np.sum(np.abs(drawn - seen) <= TIE)
    return float(min(1, (1 + further + ties / 2) / (resamples + 1)))


def _scores(first, second, names, owner):
    first = check_scores(names[0], first, owner, at_least=2)
    second = check_scores(names[1], second, owner)
    if len(first) != len(second):
        refuse(names[1], second, f"one for each of the {len(first)} images of the other", owner)
    return first, second


def holm(p_values):
    """P-values made fit for having looked at all of them, by Holm's step-down procedure.

    Where they are below 0.05, at most one study in 20 tells any two methods apart that are as good
    as each other.

    Parameters
    ----------
    p_values : sequence of k float
        From 0 to 1.

    Returns
    -------
    (k,) ndarray of float64
        In the order given, none below what came.

    Raises
    ------
    ParameterError
        If `p_values` holds something else.

    References
    ----------
    S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of
    Statistics 6(2), 1979, https://www.jstor.org/stable/4615733.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    given = np.asarray(p_values, np.float64)
    if given.ndim != 1 or not ((given >= 0) & (given <= 1)).all():
        refuse("p_values", p_values, "a list of numbers from 0 to 1", "holm")
    order = np.argsort(given, kind="stable")
    stepped = given[order] * np.arange(len(given), 0, -1)
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1)
    return adjusted


def verdict(first, second, test, p_adjusted=None, *, unit="points", graded=False, alpha=ALPHA):
    """What a test says, in words.

    That no difference was found is said as that: it does not make two methods equal.

    Parameters
    ----------
    first, second : str
        The names of the methods.
    test : PairedTest
    p_adjusted : float, optional
        The p-value after `holm`; that of the test where there was no other.
    unit : str, default="points"
        Of the difference; shares are written in points, of a hundred.
    graded : bool, default=False
        Whether images have scores, not only right and wrong.
    alpha : float, default=0.05
        Below it, a difference counts as found.

    Returns
    -------
    str

    Raises
    ------
    ParameterError
        If `p_adjusted` is no number from 0 to 1.

    Examples
    --------
    >>> svm, network = [1] * 400 + [0] * 83 + [1] * 17, [1] * 483 + [0] * 17
    >>> test = mcnemar(network, svm)
    >>> verdict("the network", "the SVM", test)
    'the network is better by 13.2 points, 95% interval 9.5 to 17.1; on 17 images only the SVM is
    right'
    >>> verdict("one", "another", mcnemar(network, network))
    'no difference between one and another was found: 0.0 points, 95% interval -0.8 to 0.8; they
    are right on the same images'
    """
    p_value = test.p_value if p_adjusted is None else p_adjusted
    check_number("p_adjusted", p_value, owner="verdict", at_least=0, at_most=1)
    difference, ahead, behind = test.difference, first, second
    alone = {first: test.only_first, second: test.only_second}
    if difference.value < 0:
        difference, ahead, behind = -difference, second, first
    known = test.only_first is not None
    if p_value < alpha:
        words = f"{ahead} is better by {_amount(difference, unit)}"
        return f"{words}; {_alone(behind, alone[behind], graded)}" if known else words
    favour = f" in favour of {ahead}" if difference.value else ""
    words = (
        f"no difference between {first} and {second} was found: {_amount(difference, unit, favour)}"
    )
    if not known:
        return words
    if not any(alone.values()):
        same = "have the same score on every image" if graded else "are right on the same images"
        return f"{words}; they {same}"
    return f"{words}; " + ", ".join(_alone(name, alone[name], graded) for name in alone)


def _amount(difference, unit, favour=""):
    scale, digits = {"points": (100, 1), "dB": (1, 2)}.get(unit, (1, 3))
    value, low, high = (
        f"{round(scale * number, digits) + 0.0:.{digits}f}"
        for number in (difference.value, difference.low, difference.high)
    )
    return (
        f"{value} {unit}".strip()
        + f"{favour}, {100 * difference.level:g}% interval {low} to {high}"
    )


def _alone(name, count, graded):
    images = f"on {count:,} image{'' if count == 1 else 's'}"
    return f"{images} {name} is better" if graded else f"{images} only {name} is right"
