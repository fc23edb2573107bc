"""Occlusion: how much the score falls where a part of the picture is hidden."""

import itertools

import numpy as np

from vision.checks import check_integer, refuse
from vision.kinds import is_binary
from vision.opencv import cv2
from vision.target_scores import TargetScores

FILLS = ("mean", "blur")
_WINDOWS = 8  # of the default size, along the shorter side
_BLUR = 0.05  # of the longer side: details are gone, broad shapes and colours stay


def explain_occlusion(classifier, image, target=None, *, window=None, stride=None, fill="mean"):
    """How much the score of a class falls, on average, where a square over a pixel hides it.

    It asks nothing of the classifier but its scores, and it takes one call for each square.

    Parameters
    ----------
    classifier : pipeline, step, scikit-learn estimator or keras.Model
        Fitted, giving scores of images.
    image : ndarray of shape (H, W) or (H, W, 3)
        What it gets.
    target : str or int, optional
        The class; by default the one that it names.
    window : int, optional
        Side of the square in pixels; by default an eighth of the shorter side.
    stride : int, optional
        Pixels from one square to the next, at most `window`; by default half of it.
    fill : {"mean", "blur"} or number, default="mean"
        What hides, see `hidden`.

    Returns
    -------
    values : (H, W) ndarray of float32
        The mean, over the squares that cover a pixel, of the fall of the score: negative where
        hiding helps.
    target : str, int or None
        The class.

    Raises
    ------
    ParameterError
        If a parameter makes no sense, or `target` is none of the classes.
    KindError
        If the classifier gives no scores.

    References
    ----------
    M. D. Zeiler and R. Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014,
    arXiv:1311.2901, section 4.2.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from classical import RawPixels
    >>> image = np.full((2, 2), 200, np.uint8)
    >>> first = LinearRegression().fit(np.eye(4), [1, 0, 0, 0])  # looks at the first pixel
    >>> values, _ = explain_occlusion(RawPixels(2) >> first, image, window=1, fill=0)
    >>> values.round(3).tolist()
    [[150.0, -50.0], [-50.0, -50.0]]
    """
    height, width = image.shape[:2]
    window, stride = _checked(window, stride, min(height, width))
    scores = TargetScores(classifier, image, target)
    cover = hidden(image, fill)
    places = list(
        itertools.product(_starts(height, window, stride), _starts(width, window, stride))
    )
    hiding = (_covered(image, cover, y, x, window) for y, x in places)
    falls = scores([image])[0] - scores(hiding)
    total, count = np.zeros((2, height, width))
    for (y, x), fall in zip(places, falls, strict=True):
        total[y : y + window, x : x + window] += fall
        count[y : y + window, x : x + window] += 1
    return (total / count).astype(np.float32), scores.target


def hidden(image, fill="mean"):
    """A picture that tells nothing: what parts of an image are hidden with.

    Parameters
    ----------
    image : ndarray of shape (H, W) or (H, W, 3)
        uint8, uint16 or float32.
    fill : {"mean", "blur"} or number, default="mean"
        "mean": the image's mean colour; of a mask the commoner of 0 and 255. "blur": the image,
        blurred until its details are gone. A number: that level.

    Returns
    -------
    picture : ndarray
        Of the shape and dtype of `image`.

    Raises
    ------
    ParameterError
        If `fill` is none of these, or a number that the dtype does not hold.

    Examples
    --------
    >>> hidden(np.array([[10, 20]], np.uint8)).tolist()
    [[15, 15]]
    >>> hidden(np.array([[0, 255, 255]], np.uint8)).tolist()
    [[255, 255, 255]]
    """
    top = 1.0 if image.dtype.kind == "f" else np.iinfo(image.dtype).max
    if isinstance(fill, str) and fill in FILLS:
        return _blurred(image) if fill == "blur" else _mean(image)
    number = isinstance(fill, int | float | np.number) and not isinstance(fill, bool)
    if not (number and 0 <= fill <= top):
        refuse("fill", fill, f"'mean', 'blur' or a number from 0 to {top}", "explain")
    return np.full_like(image, fill)


def _mean(image):
    level = image.mean(axis=(0, 1), dtype=np.float64)
    if image.dtype.kind != "f":
        level = np.rint(level)
    if image.ndim == 2 and image.dtype == np.uint8 and is_binary(image):
        level = 255 * (2 * cv2.countNonZero(image) > image.size)
    filled = np.empty_like(image)
    filled[:] = level
    return filled


def _blurred(image):
    if image.ndim == 2 and image.dtype == np.uint8 and is_binary(image):
        return _mean(image)
    return cv2.GaussianBlur(image, (0, 0), max(1.0, _BLUR * max(image.shape[:2])))


def _checked(window, stride, shorter):
    if window is None:
        window = max(1, round(shorter / _WINDOWS))
    check_integer("window", window, owner="explain", at_least=1, at_most=shorter)
    if stride is None:
        stride = max(1, window // 2)
    check_integer("stride", stride, owner="explain", at_least=1, at_most=window)
    return window, stride


def _starts(length, window, stride):
    """Where squares begin, the last one at the border."""
    last = length - window
    return [*range(0, last, stride), last]


def _covered(image, cover, y, x, window):
    part = np.s_[y : y + window, x : x + window]
    copy = image.copy()
    copy[part] = cover[part]
    return copy
