"""Split and merge: homogeneous squares of a quadtree joined to regions; and what joins regions."""

import numpy as np

from vision.checks import check_integer, check_number
from vision.kinds import Kind
from vision.step import Step


class SplitAndMerge(Step):
    """Even regions: the image split into even squares, then neighbours joined while they are even.

    Parameters
    ----------
    max_deviation : float, default=20
        What counts as even: the standard deviation of each channel in a region, in levels, at
        most this; at least 0.
    min_size : int, default=50
        Regions of fewer pixels go to the neighbour of the most similar mean colour in the end, at
        least 1.

    Squares are quartered until they are even, down to single pixels. Of two neighbours those are
    joined first whose union deviates least; pairs that are each other's best go at once.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8. Gives labels, ``(H, W)``,
    int32, from 1, each one connected region; no background 0.

    Raises
    ------
    ParameterError
        If `max_deviation` is negative, or `min_size` is not whole or below 1.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    S. L. Horowitz and T. Pavlidis, "Picture Segmentation by a Tree Traversal Algorithm", Journal
    of the ACM 23(2), 1976, doi:10.1145/321941.321956.

    Examples
    --------
    >>> image = np.array([[10, 10, 10, 90], [10, 10, 90, 90]], np.uint8)
    >>> SplitAndMerge(min_size=1)(image).tolist()
    [[1, 1, 1, 2], [1, 1, 2, 2]]
    """

    takes = (Kind.RGB, Kind.GRAY)
    gives = Kind.LABELS
    numbers_regions = True

    def __init__(self, max_deviation=20, min_size=50):
        self.max_deviation = max_deviation
        self.min_size = min_size

    def check_params(self):
        """See `Step.check_params`."""
        check_number("max_deviation", self.max_deviation, owner=self, at_least=0)
        check_integer("min_size", self.min_size, owner=self, at_least=1)

    def apply(self, image):
        """See `Step.apply`."""
        variance = self.max_deviation**2
        regions = merge_even(quadtree(image, variance), image, variance)
        return merge_small(regions, image, self.min_size)


def quadtree(image, max_variance):
    """The even squares of an image, each with a number of its own.

    Parameters
    ----------
    image : (H, W) or (H, W, channels) ndarray of uint8
    max_variance : float
        The most that a channel of a square may have.

    Returns
    -------
    (H, W) ndarray of int32
        From 0, without gaps.

    Examples
    --------
    >>> image = np.zeros((2, 4), np.uint8)
    >>> image[1, 3] = 80
    >>> quadtree(image, 0).tolist()
    [[0, 0, 1, 2], [0, 0, 3, 4]]
    """
    height, width = image.shape[:2]
    sums = [_moments(image)]  # of all squares of one side, doubled from entry to entry
    while max(sums[-1].shape[1:]) > 1:
        sums.append(_quartets(sums[-1]))
    squares = np.zeros((1, 1), np.int64)
    even = _variances(sums[-1]) <= max_variance
    for level in range(len(sums) - 2, -1, -1):
        rows, columns = sums[level].shape[1:]
        # Within an even square all parts keep its number; others get one of their own.
        keep = even.repeat(2, 0).repeat(2, 1)[:rows, :columns]
        inherited = squares.repeat(2, 0).repeat(2, 1)[:rows, :columns]
        first = int(squares.max()) + 1
        own = first + np.arange(rows * columns).reshape(rows, columns)
        squares = np.where(keep, inherited, own)
        even = keep | (_variances(sums[level]) <= max_variance)
    return _without_gaps(squares[:height, :width])


def _moments(image):
    """For each pixel 1, its channels, and their squares: ``(1 + 2 channels, H, W)``."""
    channels = np.atleast_3d(image).transpose(2, 0, 1).astype(np.float32)
    return np.concatenate([np.ones((1, *image.shape[:2])), channels, channels**2])


def _quartets(sums):
    """The sums over two rows and two columns; beyond the edge there is nothing."""
    _, rows, columns = sums.shape
    sums = np.pad(sums, ((0, 0), (0, rows % 2), (0, columns % 2)))
    sums = np.add(sums[:, ::2], sums[:, 1::2], dtype=np.float64)
    return sums[:, :, ::2] + sums[:, :, 1::2]


def _variances(sums):
    """The largest variance of the channels, of what the first axis counts and sums."""
    count, channels = sums[0], len(sums) // 2
    means, squares = sums[1 : channels + 1] / count, sums[channels + 1 :] / count
    return (squares - means * means).max(axis=0)


def _without_gaps(labels):
    """The labels numbered from 0, in the order of their numbers."""
    present = np.bincount(labels.ravel()) > 0
    return (np.cumsum(present) - 1).astype(np.int32)[labels]


def neighbours(labels):
    """The pairs of labels that touch along a side.

    Parameters
    ----------
    labels : (H, W) ndarray of int32
        Not negative.

    Returns
    -------
    (n, 2) ndarray of int64
        The lower label first, each pair once, in order.

    Examples
    --------
    >>> neighbours(np.array([[3, 3, 1], [3, 0, 1]], np.int32)).tolist()
    [[0, 1], [0, 3], [1, 3]]
    """
    count = int(labels.max()) + 1
    codes = []
    for one, other in ((labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:])):
        apart = one != other
        low, high = np.minimum(one[apart], other[apart]), np.maximum(one[apart], other[apart])
        codes.append(low.astype(np.int64) * count + high)
    return np.stack(np.divmod(_distinct(np.concatenate(codes)), count), axis=1)


def _distinct(values):
    """The values, each once, ascending: faster here than ``np.unique``."""
    values = np.sort(values)
    return values[np.diff(values, prepend=-1) > 0]


def merge_even(labels, image, max_variance):
    """Join neighbouring regions, the evenest unions first, while these are even.

    Parameters
    ----------
    labels : (H, W) ndarray of int32
        From 0, without gaps.
    image : (H, W) or (H, W, channels) ndarray of uint8
    max_variance : float
        The most that a channel of a union may have.

    Returns
    -------
    (H, W) ndarray of int32
        From 0, without gaps.

    Examples
    --------
    >>> labels = np.array([[0, 1, 2, 3]], np.int32)
    >>> merge_even(labels, np.array([[10, 12, 50, 51]], np.uint8), 4).tolist()
    [[0, 0, 1, 1]]
    """
    flat = labels.ravel()
    sums = np.array([np.bincount(flat, moment.ravel()) for moment in _moments(image)])
    pairs, owner = neighbours(labels), np.arange(sums.shape[1])
    variance = _joint_variances(sums, pairs)
    while (even := variance <= max_variance).any():
        kept, gone = _best_pairs(pairs[even], variance[even], np.ones(len(owner), bool)).T
        sums[:, kept] += sums[:, gone]
        table, changed = np.arange(len(sums[0])), np.zeros(len(sums[0]), bool)
        table[gone], changed[kept], changed[gone] = kept, True, True
        # Only what touches a new union is new; what was too uneven may be even then.
        same = ~changed[pairs].any(axis=1)
        moved = _renamed(pairs[~same], table)
        pairs = np.concatenate([pairs[same], moved])
        variance = np.concatenate([variance[same], _joint_variances(sums, moved)])
        owner = table[owner]
    return _without_gaps(owner[labels])


def _joint_variances(sums, pairs):
    return _variances(sums[:, pairs[:, 0]] + sums[:, pairs[:, 1]])


def _best_pairs(pairs, costs, choosy):
    """Those pairs of which no choosy label is in a better one; of equal ones the first is."""
    ranks = np.empty(len(pairs), np.int64)
    ranks[np.argsort(costs, kind="stable")] = np.arange(len(pairs))
    best = np.full(len(choosy), len(pairs))
    for side in pairs.T:
        np.minimum.at(best, side, ranks)
    return pairs[((best[pairs] == ranks[:, None]) | ~choosy[pairs]).all(axis=1)]


def _renamed(pairs, table):
    """The pairs under new names, without those that became one, each once."""
    pairs = np.sort(table[pairs], axis=1)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    return np.stack(
        np.divmod(_distinct(pairs[:, 0] * len(table) + pairs[:, 1]), len(table)), axis=1
    )


def merge_small(labels, image, min_size):
    """Give each region that is too small to the neighbour of the most similar mean colour.

    Parameters
    ----------
    labels : (H, W) ndarray of int32
        Not negative.
    image : (H, W) or (H, W, channels) ndarray of uint8
    min_size : int
        In pixels.

    Returns
    -------
    (H, W) ndarray of int32
        From 1, without gaps; a region that has no neighbour stays whatever its size.

    Examples
    --------
    >>> labels = np.array([[1, 1, 2, 3, 3]], np.int32)
    >>> merge_small(labels, np.array([[10, 10, 20, 90, 90]], np.uint8), 2).tolist()
    [[1, 1, 1, 2, 2]]
    """
    labels = _without_gaps(labels)
    flat, channels = labels.ravel(), np.atleast_3d(image).reshape(labels.size, -1).T
    sums = np.array([np.bincount(flat), *(np.bincount(flat, axis) for axis in channels)])
    pairs, owner = neighbours(labels), np.arange(sums.shape[1])
    while len(pairs):
        small = sums[0] < min_size
        touching = pairs[small[pairs].any(axis=1)]
        if not len(touching):
            break
        means = sums[1:] / np.maximum(sums[0], 1)
        apart = ((means[:, touching[:, 0]] - means[:, touching[:, 1]]) ** 2).sum(axis=0)
        low, high = _best_pairs(touching, apart, small).T
        table = np.arange(len(small))
        table[np.where(small[high], high, low)] = np.where(small[high], low, high)
        sums = np.array([np.bincount(table, moment, len(table)) for moment in sums])
        owner, pairs = table[owner], _renamed(pairs, table)
    return _without_gaps(owner[labels]) + np.int32(1)
