"""Is an explanation true? The pointing game, and the sanity check against a randomised model."""

import numpy as np

from vision.checks import check_number, refuse
from vision.errors import ParameterError
from vision.explanation import explain
from vision.faithfulness import paired


def pointing_game(heatmaps, regions, *, tolerance=0):
    """Whether the peak of each map lies on the object.

    Parameters
    ----------
    heatmaps : sequence of Heatmap
    regions : sequence
        For each map where the object is: boxes xyxy, (4,) or (n, 4), `Detections`, or a mask,
        (H, W) uint8, of the map's size.
    tolerance : float, default=0
        Pixels that a peak may lie outside; the paper's is 15.

    Returns
    -------
    hits : (n,) ndarray of bool
        ``hits.mean()`` is the paper's accuracy.

    Raises
    ------
    ParameterError
        If there is not one region a map, or it is neither boxes nor a mask.

    References
    ----------
    J. Zhang et al., "Top-down Neural Attention by Excitation Backprop", ECCV 2016,
    arXiv:1608.00507, section 4.1.

    Examples
    --------
    >>> from vision import Heatmap
    >>> heat = Heatmap(np.array([[0, 0, 1]], np.float32))
    >>> pointing_game([heat, heat], [(2, 0, 3, 1), (0, 0, 2, 1)]).tolist()
    [True, False]
    """
    check_number("tolerance", tolerance, owner="pointing_game", at_least=0)
    pairs = paired(heatmaps, regions, "regions")
    return np.array([_distance(*pair) <= tolerance for pair in pairs], bool)


def _distance(heatmap, region):
    """Pixels from the peak to the nearest pixel of a region, 0 on it."""
    x, y = heatmap.peak
    region = np.asarray(getattr(region, "boxes", region))
    if region.shape == heatmap.shape and region.dtype == np.uint8:
        rows, columns = np.nonzero(region)
        return np.hypot(columns - x, rows - y).min(initial=np.inf)
    if region.ndim not in (1, 2) or region.shape[-1] != 4:
        refuse("regions", region, "boxes xyxy, Detections or masks of the maps", "pointing_game")
    left, top, right, bottom = region.reshape(-1, 4).T
    # Boxes are edges: pixel x covers [x, x + 1).
    across = np.maximum(np.maximum(left - x - 0.5, x + 0.5 - right), 0)
    down = np.maximum(np.maximum(top - y - 0.5, y + 0.5 - bottom), 0)
    return np.hypot(across, down).min(initial=np.inf)


def map_correlation(one, other):
    """How alike two maps order the pixels: Spearman's rank correlation.

    Parameters
    ----------
    one, other : Heatmap
        Of one size.

    Returns
    -------
    float
        From -1 to 1; 0 where a map is the same everywhere, and orders nothing.

    Raises
    ------
    ParameterError
        If their sizes differ.

    Examples
    --------
    >>> from vision import Heatmap
    >>> one = Heatmap(np.array([[0.1, 0.2, 0.9]], np.float32))
    >>> map_correlation(one, Heatmap(1 - one.values))
    -1.0
    """
    from scipy.stats import rankdata

    if one.shape != other.shape:
        raise ParameterError(
            f"map_correlation needs maps of one size. Got {one.shape} and {other.shape}."
        )
    ranks = [rankdata(heatmap.values.ravel()) for heatmap in (one, other)]
    ranks = [rank - rank.mean() for rank in ranks]
    spread = np.sqrt(np.prod([np.dot(rank, rank) for rank in ranks]))
    return float(np.dot(*ranks) / spread) if spread else 0.0


def sanity_check(estimator, randomized, images, method=None, **options):
    """How alike the maps of a trained and of a randomised model are: a true map is destroyed.

    Parameters
    ----------
    estimator : pipeline, step, scikit-learn estimator or keras.Model
        Fitted.
    randomized : the same
        With weights that learned nothing, or something else.
    images : sequence of ndarray
    method : str, optional
        As in `vision.explain`; the one chosen for `estimator` by default.
    **options
        Of the method.

    Returns
    -------
    correlations : (n,) ndarray of float64
        One an image, see `map_correlation`, both maps being for the class that `estimator` names:
        near 0 where the map depends on what was learned, near 1 where it is an edge detector.

    Raises
    ------
    UnknownNameError, ParameterError, KindError
        As for `vision.explain`.

    References
    ----------
    J. Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018, arXiv:1810.03292,
    section 3.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from classical import RawPixels
    >>> one, other = (RawPixels(2) >> LinearRegression().fit(np.eye(4), y) for y in np.eye(4)[:2])
    >>> image = np.full((2, 2), 200, np.uint8)
    >>> sanity_check(one, one, [image], window=1, fill=0).round(3).tolist()
    [1.0]
    """
    correlations = []
    for image in images:
        before = explain(estimator, image, method=method, **options)
        after = explain(randomized, image, before.target, before.method, **options)
        correlations.append(map_correlation(before, after))
    return np.array(correlations, np.float64)
