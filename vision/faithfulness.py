"""Is an explanation true? What the score does when pixels go, by the order of the map."""

from dataclasses import dataclass

import numpy as np

from vision.checks import check_integer
from vision.errors import KindError, ParameterError
from vision.occlusion import hidden
from vision.target_scores import TargetScores


@dataclass(frozen=True)
class Curve:
    """The score of a class while pixels of its picture are taken away, or added.

    Parameters
    ----------
    shares : (n,) ndarray of float64
        The share of the pixels that was changed, from 0 to 1.
    scores : (n,) ndarray of float64
        What the classifier then says.

    Attributes
    ----------
    area : float
        Under the curve, by the trapezoidal rule.

    Examples
    --------
    >>> Curve(np.array([0.0, 0.5, 1.0]), np.array([1.0, 0.5, 0.0])).area
    0.5
    """

    shares: np.ndarray
    scores: np.ndarray

    @property
    def area(self):
        """The area under the curve."""
        # np.trapezoid is new in NumPy 2.
        return float(np.diff(self.shares) @ (self.scores[1:] + self.scores[:-1]) / 2)

    def __repr__(self):
        return f"Curve(area {self.area:.4g}, {len(self.shares)} points)"


def deletion_curve(estimator, image, heatmap, *, steps=32, fill="mean"):
    """The score of the class while its most important pixels are hidden, the first ones first.

    The better the map, the faster the score falls: less area.

    Parameters
    ----------
    estimator : pipeline, step, scikit-learn estimator or keras.Model
        Fitted, giving scores.
    image : ndarray of shape (H, W) or (H, W, 3)
        What it takes.
    heatmap : Heatmap
        On the grid of `image`; its `target` is the class, where it has none the one that the
        estimator names.
    steps : int, default=32
        How many times pixels are hidden, the same number each time, at least 1.
    fill : {"mean", "blur"} or number, default="mean"
        What hides, see `vision.occlusion.hidden`.

    Returns
    -------
    Curve

    Raises
    ------
    ParameterError
        If a parameter makes no sense or the map is of another size than the image.
    KindError
        If the estimator gives no scores.

    References
    ----------
    V. Petsiuk, A. Das and K. Saenko, "RISE: Randomized Input Sampling for Explanation of Black-box
    Models", BMVC 2018, arXiv:1806.07421, section 4.2.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from classical import RawPixels
    >>> mean = RawPixels(1) >> LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
    >>> from vision import Heatmap
    >>> heat = Heatmap(np.array([[1, 0.5], [0.2, 0]], np.float32))
    >>> image = np.array([[100, 60], [40, 0]], np.uint8)
    >>> deletion_curve(mean, image, heat, steps=4, fill=0).scores.round(3).tolist()
    [50.0, 25.0, 10.0, 0.0, 0.0]
    """
    return _curve(estimator, image, heatmap, image, hidden(image, fill), steps)


def insertion_curve(estimator, image, heatmap, *, steps=32, fill="blur"):
    """The score of the class while its most important pixels appear, the first ones first.

    The better the map, the faster the score rises: more area.

    Parameters
    ----------
    estimator, image, heatmap, steps
        As for `deletion_curve`.
    fill : {"mean", "blur"} or number, default="blur"
        What there is before, see `vision.occlusion.hidden`.

    Returns
    -------
    Curve

    Raises
    ------
    ParameterError, KindError
        As for `deletion_curve`.

    References
    ----------
    As for `deletion_curve`.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from classical import RawPixels
    >>> mean = RawPixels(1) >> LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
    >>> from vision import Heatmap
    >>> heat = Heatmap(np.array([[1, 0.5], [0.2, 0]], np.float32))
    >>> image = np.array([[100, 60], [40, 0]], np.uint8)
    >>> insertion_curve(mean, image, heat, steps=2, fill=0).scores.round(3).tolist()
    [0.0, 40.0, 50.0]
    """
    return _curve(estimator, image, heatmap, hidden(image, fill), image, steps)


def _curve(estimator, image, heatmap, start, end, steps):
    _check_map(heatmap, image)
    check_integer("steps", steps, owner="the curve", at_least=1)
    scores = TargetScores(estimator, image, heatmap.target)
    # Stable, so that of pixels alike the first, row by row, come first on every machine.
    order = np.argsort(-heatmap.values.ravel(), kind="stable")
    counts = np.linspace(0, order.size, steps + 1).round().astype(int)
    ranks = np.empty(order.size, np.intp)
    ranks[order] = np.arange(order.size)
    ranks = ranks.reshape(heatmap.shape)
    mixed = (_mixed(start, end, ranks < count) for count in counts)
    return Curve(counts / order.size, scores(mixed))


def _mixed(start, end, changed):
    picture = start.copy()
    picture[changed] = end[changed]
    return picture


def confidence_change(estimator, images, heatmaps, *, fill=0):
    """How the score fares when only what the maps show is left of the pictures.

    Parameters
    ----------
    estimator : pipeline, step, scikit-learn estimator or keras.Model
        Fitted, giving probabilities.
    images : sequence of ndarray
    heatmaps : sequence of Heatmap
        One an image, on its grid. What speaks against the class counts as nothing.
    fill : {"mean", "blur"} or number, default=0
        What a picture fades into where its map is 0, see `vision.occlusion.hidden`; the paper's is
        black.

    Returns
    -------
    average_drop : float
        The mean share of the score that is lost, 0 to 1; lower is better.
    increase : float
        The share of the pictures whose score rises; higher is better.

    Raises
    ------
    ParameterError
        If there is not one map an image, or it is of another size.
    KindError
        If the estimator gives no probabilities.

    References
    ----------
    A. Chattopadhay, A. Sarkar, P. Howlader and V. Balasubramanian, "Grad-CAM++", WACV 2018,
    arXiv:1710.11063, section 4.1.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from classical import RawPixels
    >>> dark, bright = np.zeros((4, 4), np.uint8), np.full((4, 4), 250, np.uint8)
    >>> model = RawPixels(1) >> GaussianNB()
    >>> model = model.fit([dark, dark + 9, bright, bright + 5], [0, 0, 1, 1])
    >>> from vision import Heatmap
    >>> everything = Heatmap(np.ones((4, 4), np.float32))
    >>> confidence_change(model, [bright], [everything])
    (0.0, 0.0)
    """
    pairs = paired(images, heatmaps)
    found = [_before_and_after(estimator, *pair, fill) for pair in pairs]
    before, after = np.array(found, np.float64).T
    lost = np.maximum(0, before - after) / np.maximum(before, np.finfo(float).tiny)
    return float(lost.mean()), float((after > before).mean())


def _before_and_after(estimator, image, heatmap, fill):
    _check_map(heatmap, image)
    scores = TargetScores(estimator, image, heatmap.target)
    if scores.score_kind != "probability":
        raise KindError(
            "confidence_change needs probabilities: shares of decision values mean nothing. "
            "CalibratedClassifierCV around the classifier gives them."
        )
    share = np.maximum(heatmap.values, 0)
    share = share[..., None] if image.ndim == 3 else share
    mixed = image * share + hidden(image, fill) * (1 - share)
    mixed = mixed if image.dtype.kind == "f" else np.rint(mixed)
    return scores([image, mixed.astype(image.dtype)])


def paired(first, second, name="heatmaps"):
    """Two sequences side by side; a `ParameterError` if they are empty or differ in length."""
    first, second = list(first), list(second)
    if len(first) != len(second) or not first:
        raise ParameterError(
            f"The '{name}' must be as many as there are of the others, at least one. "
            f"Got {len(second)} for {len(first)}."
        )
    return list(zip(first, second, strict=True))


def _check_map(heatmap, image):
    if heatmap.shape != image.shape[:2]:
        raise ParameterError(
            f"The 'heatmap' must be on the grid of its image, {image.shape[:2]}. "
            f"Got one of {heatmap.shape}."
        )
