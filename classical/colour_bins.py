"""Pixels as points: the bins of their colours and places, and which centre is nearest to each."""

import numpy as np

from vision.opencv import cv2

_SAMPLE = 80_000  # pixels that the bins are made of, about, of a larger picture
_FEWER, _TILES = 16, 16  # levels of a channel where the place counts too; tiles along a side


def planes_of(image):
    """The pixels of an image, one a column, float32."""
    return np.array([plane.ravel() for plane in cv2.split(image)], np.float32)


def places_of(image, top, rows):
    """The x and y of the pixels of some rows, the longer side of the image being 1."""
    height, width = image.shape[:2]
    y, x = np.mgrid[top : min(height, top + rows), :width].reshape(2, -1)
    return np.array([x, y], np.float32) / max(height, width)


def sampled(image):
    """The image, or evenly spaced rows and columns of a large one."""
    height, width = image.shape[:2]
    every = max(1, round(np.sqrt(height * width / _SAMPLE)))
    size = max(1, width // every), max(1, height // every)
    return cv2.resize(image, size, interpolation=cv2.INTER_NEAREST) if every > 1 else image


def colour_bins(image, placed=False, levels=32):
    """The pixels of an image as fewer points: one for each bin of colours, and places, that occurs.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) ndarray of uint8
    placed : bool, default=False
        Whether pixels of one colour and different places are different points.
    levels : int, default=32
        How many of a channel, spread over the values that occur; 256 of a gray image, 16 if
        `placed`.

    Returns
    -------
    colors : (channels, n) ndarray of float32
        The mean of each bin's pixels.
    places : (2, n) ndarray of float32
        Their mean x and y, the longer side of the image being 1; (0, n) unless `placed`.
    weights : (n,) ndarray of float32
        How many pixels.
    coarse : (n,) ndarray of int64
        The number of a bin of twice the side that holds this one.

    Examples
    --------
    >>> image = np.array([[9, 9, 200]], np.uint8)
    >>> colors, _, weights, _ = colour_bins(image)
    >>> colors.tolist(), weights.tolist()
    ([[9.0, 200.0]], [2.0, 1.0])
    """
    axes = list(cv2.split(image))
    channels, levels = len(axes), 256 if image.ndim == 2 else _FEWER if placed else levels
    codes = [_levels(plane, levels) for plane in axes]
    if placed:
        axes += list(places_of(image, 0, len(image)).reshape(2, *image.shape[:2]))
        codes += [(axis * _TILES).astype(np.int32) for axis in axes[channels:]]
    sizes = [levels] * channels + [_TILES] * (len(axes) - channels)
    bins = codes[0]
    for size, code in zip(sizes[1:], codes[1:]):
        bins = bins * np.int32(size) + code
    bins = bins.ravel().astype(np.intp)
    counts = np.bincount(bins)
    occupied = np.flatnonzero(counts)
    weights = counts[occupied].astype(np.float32)
    counts[occupied] = np.arange(len(occupied))
    bins = counts[bins]
    means = np.array([np.bincount(bins, axis.ravel()) for axis in axes], np.float32) / weights
    halves = [code // 2 for code in np.unravel_index(occupied, sizes)]
    coarse = _without_gaps(np.ravel_multi_index(halves, sizes))
    return means[:channels], means[channels:], weights, coarse


def _without_gaps(numbers):
    """The numbers counted through from 0, in their order: faster than ``np.unique``."""
    present = np.bincount(numbers) > 0
    return (np.cumsum(present) - 1)[numbers]


def _levels(plane, count):
    """The level of each value of a channel: `count` levels spread over the values that occur."""
    present = cv2.calcHist([plane], [0], None, [256], [0, 256]).ravel() > 0
    ranks = np.maximum(np.cumsum(present) - 1, 0)
    return cv2.LUT(plane, (ranks * count // max(int(present.sum()), count)).astype(np.int32))


def group_means(points, weights, groups):
    """The weighted means of the points, one a column, of each group."""
    total = np.bincount(groups, weights)
    sums = np.array([np.bincount(groups, weights * axis) for axis in points])
    return (sums / np.maximum(total, 1)).astype(np.float32)


def nearest_centers(points, centers):
    """For each point the number of the nearest centre, uint8; of equally near ones the first."""
    # The squared distance without the part that is the same for all centres.
    scores = (-2 * centers.T) @ points
    scores += np.einsum("an,an->n", centers, centers)[:, None]
    best, nearest = scores[0], np.zeros(points.shape[1], np.uint8)
    for number, score in enumerate(scores[1:], 1):
        note_nearest(score, best, nearest, number)
    return nearest


def note_nearest(score, best, nearest, number):
    """Note, in `best` and `nearest`, where the score of a centre is the least so far."""
    # Numbers rise, so the maximum is the latest that was closer: cheaper than a masked copy.
    closer = (score < best).view(np.uint8)
    closer *= np.uint8(number)
    np.maximum(nearest, closer, out=nearest)
    np.minimum(best, score, out=best)
