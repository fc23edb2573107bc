"""Boundary detection scored as the Berkeley benchmark (BSDS500) does it: ODS, OIS and AP.

The benchmark's matching gives each pixel at most one partner within the tolerance, as many pixels
as can be and, among such matchings, at the least total distance (`vision.pixel_matching`). The
counts for recall follow from the number of pairs and are those of the benchmark; which of several
equally near pixels is matched is drawn at random there, so precision against several annotators
may differ in the last pixels.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from vision.checks import check_bool, check_integer, check_number, refuse
from vision.errors import ParameterError
from vision.kinds import is_binary
from vision.metrics import check_same_shape
from vision.pixel_matching import match_pixels
from vision.thinning import thinned

# The benchmark looks for the best F on 100 points of each straight piece between two thresholds.
MIXES = np.linspace(0, 1, 100)


@dataclass(frozen=True)
class BoundaryCounts:
    """How many boundary pixels found a partner. Counts of several images add up with ``+``.

    Attributes
    ----------
    matched_predicted : int
        Predicted pixels with a partner in the truth of at least one annotator.
    predicted : int
        Predicted pixels, after thinning.
    matched_truth : int
        True pixels with a partner in the prediction, summed over annotators.
    truth : int
        True pixels, summed over annotators.
    precision, recall, f : float
        ``matched_predicted / predicted``, ``matched_truth / truth`` and their harmonic mean;
        0 where nothing could be counted, as in the benchmark.
    """

    matched_predicted: int = 0
    predicted: int = 0
    matched_truth: int = 0
    truth: int = 0

    @property
    def precision(self):
        return self.matched_predicted / max(self.predicted, 1)

    @property
    def recall(self):
        return self.matched_truth / max(self.truth, 1)

    @property
    def f(self):
        return float(_f_measure(self.precision, self.recall))

    def __add__(self, other):
        if not isinstance(other, BoundaryCounts):
            return NotImplemented
        return BoundaryCounts(
            self.matched_predicted + other.matched_predicted,
            self.predicted + other.predicted,
            self.matched_truth + other.matched_truth,
            self.truth + other.truth,
        )


@dataclass(frozen=True)
class BoundaryScore:
    """How well boundary maps of a set of images agree with those that people drew.

    Attributes
    ----------
    ods : float
        Optimal dataset scale: the F-measure over all images at the best threshold common to all.
    ois : float
        Optimal image scale: the same with the best threshold for each image.
    ap : float
        Average precision: the area under precision against recall. Recalls that no threshold
        reaches count as precision 0, so a single binary map, one point, has 0.
    threshold : float
        The threshold at which `ods` is reached, between two of `thresholds` as in the benchmark.
    thresholds, precision, recall : numpy.ndarray, shape (t,), float64
        The curve over all images, at the thresholds evaluated.
    """

    ods: float
    ois: float
    ap: float
    threshold: float
    thresholds: np.ndarray
    precision: np.ndarray
    recall: np.ndarray


def boundary_match(predicted, truth, *, tolerance=0.0075, thin=True):
    """Match the boundary pixels of one image one to one with those that people drew.

    As many pixels as can be are paired within the tolerance, with the least total distance.

    Parameters
    ----------
    predicted : numpy.ndarray, shape (H, W)
        A mask (uint8, 0 or 255; or bool), set on boundaries.
    truth : numpy.ndarray, shape (H, W), or list of them
        One such mask for each annotator, boundaries one pixel wide.
    tolerance : float, default=0.0075
        Largest distance between partners, as a fraction of the image's diagonal: 4.3 pixels on
        321 x 481. At 0 only equal pixels match.
    thin : bool, default=True
        Whether to thin the prediction to one pixel width first, as the benchmark does.

    Returns
    -------
    BoundaryCounts

    Raises
    ------
    ParameterError
        If an array is no mask, a shape differs, there is no annotator, or the tolerance is
        negative or 1 and more.

    References
    ----------
    D. Martin, C. Fowlkes, J. Malik, "Learning to Detect Natural Image Boundaries Using Local
    Brightness, Color, and Texture Cues", IEEE TPAMI 26(5), 2004, doi:10.1109/TPAMI.2004.1273918.
    Thinning: Z. Guo, R. W. Hall, "Parallel Thinning with Two-Subiteration Algorithms", CACM
    32(3), 1989, doi:10.1145/62065.62074, which Matlab's ``bwmorph(..., "thin", Inf)`` is too.

    Examples
    --------
    >>> truth = np.zeros((100, 100), np.uint8)
    >>> truth[:, 50] = 255
    >>> predicted = np.roll(truth, 1, axis=1)  # one pixel off; 0.0075 of the diagonal is 1.06
    >>> counts = boundary_match(predicted, truth)
    >>> counts.matched_predicted, counts.predicted, counts.f
    (100, 100, 1.0)
    """
    _check_options(tolerance, thin, "boundary_match")
    predicted = _mask("predicted", predicted, "boundary_match")
    annotators = _annotators(truth, predicted, "boundary_match")
    return _count(predicted, annotators, tolerance, thin)


def boundary_f(predicted_maps, truths, *, thresholds=99, tolerance=0.0075, thin=True):
    """Score boundary maps by the protocol of BSDS500: the F-measures ODS and OIS, and AP.

    Each map is cut at every threshold (a pixel is a boundary if its strength is at least that),
    thinned, and matched with each annotator in turn: recall counts the true pixels of all
    annotators, precision the predicted pixels that any annotator agrees with.

    Parameters
    ----------
    predicted_maps : list of numpy.ndarray, shape (H, W), one an image
        Strengths (float32, finite, from 0 up; the benchmark's are at most 1), or masks (uint8, 0
        or 255; or bool), which are the same at every threshold.
    truths : list, one an image
        As for `boundary_match`: a mask, or one for each annotator.
    thresholds : int or sequence of float, default=99
        The thresholds, increasing and above 0. A number n stands for so many, evenly spaced
        within (0, 1): k / (n + 1). If any strength exceeds 1, they are spaced in the same way
        from 0 to the largest strength of all maps.
    tolerance, thin
        As for `boundary_match`.

    Returns
    -------
    BoundaryScore

    Raises
    ------
    ParameterError
        As for `boundary_match`, and if the lists are empty or differ in length, or a strength is
        negative or not finite.

    References
    ----------
    P. Arbelaez, M. Maire, C. Fowlkes, J. Malik, "Contour Detection and Hierarchical Image
    Segmentation", IEEE TPAMI 33(5), 2011, doi:10.1109/TPAMI.2010.161; and the code of BSDS500,
    whose interpolation of F between thresholds and of AP at recalls 0, 0.01, ..., 1 is followed.

    Examples
    --------
    >>> truth = np.zeros((100, 100), np.uint8)
    >>> truth[:, 50] = 255
    >>> strength = np.zeros((100, 100), np.float32)
    >>> strength[:, 50], strength[:, 20] = 0.8, 0.3  # a true line, and a weaker false one
    >>> score = boundary_f([strength], [truth], thresholds=9)
    >>> score.ods, score.precision.tolist()
    (1.0, [0.5, 0.5, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0])
    """
    return score_counts(
        *boundary_counts(
            predicted_maps, truths, thresholds=thresholds, tolerance=tolerance, thin=thin
        )
    )


def boundary_counts(predicted_maps, truths, *, thresholds=99, tolerance=0.0075, thin=True):
    """What `boundary_f` counts: the matched boundary pixels of each image at each threshold.

    Parameters
    ----------
    predicted_maps, truths, thresholds, tolerance, thin
        As for `boundary_f`.

    Returns
    -------
    levels : (k,) ndarray of float64
        The thresholds.
    counts : list of list of BoundaryCounts
        For each image one for each threshold.

    Raises
    ------
    ParameterError
        As for `boundary_f`.

    Examples
    --------
    >>> truth = np.zeros((100, 100), np.uint8)
    >>> truth[:, 50] = 255
    >>> levels, counts = boundary_counts([truth], [truth], thresholds=3)
    >>> levels.tolist(), [count.f for count in counts[0]]
    ([0.25, 0.5, 0.75], [1.0, 1.0, 1.0])
    """
    _check_options(tolerance, thin, "boundary_f")
    maps, truths = list(predicted_maps), list(truths)
    if not maps or len(maps) != len(truths):
        raise ParameterError(
            "boundary_f takes one map and one truth (a mask or a list of masks) for each of at "
            f"least one image. Got {len(maps)} maps and {len(truths)} truths."
        )
    maps = [_strengths(one) for one in maps]
    truths = [
        _annotators(truth, one, "boundary_f") for one, truth in zip(maps, truths, strict=True)
    ]
    levels = _levels(thresholds, maps)
    counts = [
        _count_levels(one, truth, levels, tolerance, thin)
        for one, truth in zip(maps, truths, strict=True)
    ]
    return levels, counts


def _check_options(tolerance, thin, owner):
    check_number("tolerance", tolerance, owner=owner, at_least=0, below=1)
    check_bool("thin", thin, owner=owner)


def _is_mask(array):
    if array.ndim != 2 or array.size == 0:
        return False
    return array.dtype == bool or (array.dtype == np.uint8 and is_binary(array))


def _mask(name, mask, owner):
    """The mask as bool."""
    mask = np.asarray(mask)
    if not _is_mask(mask):
        refuse(name, mask, "a mask (H, W), uint8 with 0 and 255 alone or bool", owner)
    return mask != 0


def _annotators(truth, predicted, owner):
    """The boundary pixels of each annotator, (row, column), as a tree for neighbour search."""
    single = isinstance(truth, np.ndarray) and truth.ndim == 2
    masks = [_mask("truth", mask, owner) for mask in ([truth] if single else truth)]
    if not masks:
        refuse("truth", truth, "a mask, or a list with a mask of each annotator", owner)
    for mask in masks:
        way_out = "Scale the strengths, not the truth: thin lines do not survive scaling."
        check_same_shape(predicted, mask, owner=owner, way_out=way_out)
    return [cKDTree(np.argwhere(mask)) for mask in masks]


def _strengths(boundary_map):
    """The map itself if it is one of strengths; a mask as bool."""
    boundary_map = np.asarray(boundary_map)
    if _is_mask(boundary_map):
        return boundary_map != 0
    good = boundary_map.dtype.kind == "f" and boundary_map.ndim == 2 and boundary_map.size
    if not (good and boundary_map.min() >= 0 and np.isfinite(boundary_map.max())):
        refuse(
            "predicted_maps",
            boundary_map,
            "a list of masks, or of maps (H, W) of finite float32 strengths from 0 up",
            "boundary_f",
            "Of a signed response give np.abs(response); of grey levels, "
            "levels.astype(np.float32) / 255.",
        )
    return boundary_map


def _levels(thresholds, maps):
    if np.ndim(thresholds) == 0:
        check_integer("thresholds", thresholds, owner="boundary_f", at_least=1)
        largest = max(1.0, *(float(one.max()) for one in maps))
        step = 1 / (thresholds + 1)
        return np.linspace(step, 1 - step, thresholds) * largest
    levels = np.asarray(thresholds, dtype=np.float64)
    increasing = levels.ndim == 1 and levels.size and (np.diff(levels, prepend=0) > 0).all()
    if not (increasing and np.isfinite(levels[-1])):
        allowed = "a number of thresholds, or a list of them, increasing and above 0"
        refuse("thresholds", thresholds, allowed, "boundary_f")
    return levels


def _count_levels(strength, annotators, levels, tolerance, thin):
    """The counts at each threshold; maps that are equal at several are matched once."""
    counts, pixels = [], -1
    for level in levels:
        # The level is rounded to the map's own precision: a strength of 0.7 passes 0.7.
        mask = strength if strength.dtype == bool else strength >= strength.dtype.type(level)
        # Maps at rising thresholds are nested: as many pixels are the same pixels.
        if np.count_nonzero(mask) != pixels:
            pixels = np.count_nonzero(mask)
            count = _count(mask, annotators, tolerance, thin)
        counts.append(count)
    return counts


def _count(mask, annotators, tolerance, thin):
    if thin:
        mask = thinned(mask.astype(np.uint8) * np.uint8(255))
    radius = tolerance * math.hypot(*mask.shape)
    pixels = cKDTree(np.argwhere(mask))
    agreed = np.zeros(pixels.n, bool)
    matched_truth = 0
    for truth in annotators:
        partnered = match_pixels(pixels, truth, radius)
        agreed[partnered] = True
        matched_truth += len(partnered)
    return BoundaryCounts(
        int(agreed.sum()), pixels.n, matched_truth, sum(truth.n for truth in annotators)
    )


def _f_measure(precision, recall):
    total = precision + recall
    return 2 * precision * recall / np.where(total == 0, 1, total)


def score_counts(levels, counts):
    """The scores of `boundary_f` from what `boundary_counts` gives.

    Returns
    -------
    BoundaryScore
    """
    overall = [sum(at_level, BoundaryCounts()) for at_level in zip(*counts, strict=True)]
    precision = np.array([count.precision for count in overall])
    recall = np.array([count.recall for count in overall])
    ods, threshold = best_f(levels, precision, recall)
    at_best = [max(image, key=lambda count: count.f) for image in counts]
    return BoundaryScore(
        ods=ods,
        ois=sum(at_best, BoundaryCounts()).f,
        ap=area_under(precision, recall),
        threshold=threshold,
        thresholds=levels,
        precision=precision,
        recall=recall,
    )


def best_f(levels, precision, recall):
    """The best F, and its threshold, on the straight pieces between neighbouring thresholds.

    Parameters
    ----------
    levels, precision, recall : (k,) ndarray of float64

    Returns
    -------
    f, threshold : float

    Examples
    --------
    >>> best_f(np.array([0.2, 0.4]), np.array([0.5, 1.0]), np.array([1.0, 1.0]))
    (1.0, 0.4)
    """
    if len(levels) > 1:
        levels, precision, recall = (
            (values[1:, None] * MIXES + values[:-1, None] * (1 - MIXES)).ravel()
            for values in (levels, precision, recall)
        )
    scores = _f_measure(precision, recall)
    return float(scores.max()), float(levels[scores.argmax()])


def area_under(precision, recall):
    """The area under precision over recall, as the benchmark sums it.

    Parameters
    ----------
    precision, recall : (k,) ndarray of float64

    Returns
    -------
    float

    Examples
    --------
    >>> round(area_under(np.array([1.0, 1.0]), np.array([0.0, 1.0])), 2)
    1.01
    """
    reached, first = np.unique(recall, return_index=True)
    if len(reached) < 2:
        return 0.0
    at = np.interp(np.arange(101) / 100, reached, precision[first], left=0, right=0)
    # 101 points times 0.01, as in the benchmark's code: every published AP is this sum.
    return float(at.sum() * 0.01)
