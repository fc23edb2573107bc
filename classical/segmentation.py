"""Regions of a picture by colour: K-means on its histogram."""

import numpy as np

from vision.checks import check_choice, check_integer, check_random_state
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step

_SAMPLE = 400_000  # pixels that the histogram is made of, about, of a larger picture
_BLOCK = 1 << 16  # pixels labelled at a time: they stay in the cache
_LEVELS = 32  # of a channel in the histogram of a colour picture
_STARTS, _TRIALS = 16, 8  # of k-means++, and candidates for each centre
_ROUGH_ROUNDS, _ROUNDS = 6, 100  # of Lloyd's algorithm at most: on coarse bins, on all
_BEST = 3  # starts that are refined
_TOLERANCE = 1e-4  # share of the inertia that a round must gain
_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


class KMeansSegmenter(Step):
    """Regions of similar colour: K-means clusters of the pixels' colours.

    Parameters
    ----------
    n_clusters : int, default=4
        How many clusters, 1 to 256.
    space : {"rgb", "lab"}, default="rgb"
        Where distances are taken: between RGB values as they are, as ``cv2.kmeans`` on the pixels
        does, or in CIELAB, nearer to what the eye tells apart. Of a gray image, between levels.
    random_state : int, default=0
        Seed of the starts, 0 to 2**32 - 1.

    The clusters are found on the colour histogram: 32 levels a channel, spread over the values
    that occur, each bin standing for its pixels' mean colour; of a large picture it is made from
    evenly spaced rows and columns. Sixteen starts compete. Then each pixel gets the cluster whose
    centre is nearest. On photographs the sum of squared distances for 4 clusters is within 0.1% of
    the best of five runs on all pixels, for 256 about 5% above that of one. Fewer colours than
    `n_clusters` give fewer labels.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8. Gives labels, ``(H, W)``,
    int32: 1 for the darkest cluster up to `n_clusters` for the lightest; no background 0.

    Raises
    ------
    ParameterError
        If `n_clusters` is not 1 to 256, `space` is unknown, or `random_state` is out of range.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    S. P. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information Theory
    28(2), 1982, doi:10.1109/TIT.1982.1056489; D. Arthur and S. Vassilvitskii, "k-means++: the
    advantages of careful seeding", SODA 2007, pp. 1027-1035.

    Examples
    --------
    >>> image = np.array([[[250, 0, 0], [0, 0, 90], [244, 0, 6]]], np.uint8)
    >>> KMeansSegmenter(2)(image).tolist()
    [[2, 1, 2]]
    >>> KMeansSegmenter(2).centers(image).tolist()
    [[0.0, 0.0, 90.0], [247.0, 0.0, 3.0]]
    """

    takes = (Kind.RGB, Kind.GRAY)
    gives = Kind.LABELS

    def __init__(self, n_clusters=4, space="rgb", random_state=0):
        self.n_clusters = n_clusters
        self.space = space
        self.random_state = random_state

    def check_params(self):
        """See `Step.check_params`."""
        check_integer("n_clusters", self.n_clusters, owner=self, at_least=1, at_most=256)
        check_choice("space", self.space, ("rgb", "lab"), owner=self)
        check_random_state("random_state", self.random_state, owner=self)

    def apply(self, image):
        """See `Step.apply`."""
        centers, _ = self._learn(image)
        labels = np.empty(image.shape[:2], np.int32)
        numbers = np.arange(1, 257, dtype=np.int32)
        rows = max(1, _BLOCK // image.shape[1])
        for top in range(0, len(image), rows):
            block = image[top : top + rows]
            nearest, _ = _nearest(self._points(_planes(block)), centers)
            labels[top : top + rows] = cv2.LUT(nearest.reshape(block.shape[:2]), numbers)
        return labels

    def centers(self, image):
        """The colours of an image's clusters.

        Parameters
        ----------
        image : ndarray
            An rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8.

        Returns
        -------
        ndarray
            ``(n, 3)`` float32, RGB, 0 to 255: the mean colour of label 1 first.

        Raises
        ------
        KindError
            If the image is of another kind or dtype.
        """
        self.make_ready()
        self.admit(image)
        colors = self._learn(image)[1].T
        return np.ascontiguousarray(np.broadcast_to(colors, (len(colors), 3)))

    def _points(self, colors):
        """Colours, one a column, in the space where distances are taken."""
        if self.space == "rgb" or len(colors) == 1:
            return colors
        pixels = np.ascontiguousarray(colors.T)[None]
        return np.ascontiguousarray(cv2.cvtColor(pixels / 255, cv2.COLOR_RGB2Lab)[0].T)

    def _learn(self, image):
        """The clusters' centres, ``(axes, n, 1)``, and mean colours, ``(channels, n)``."""
        every = max(1, round(np.sqrt(image.shape[0] * image.shape[1] / _SAMPLE)))
        colors, weights, coarser = _histogram(np.ascontiguousarray(image[::every, ::every]))
        points = self._points(colors)
        centers = self._clusters(points, weights, coarser)
        nearest = _nearest(points, centers)[0][0]
        used = np.flatnonzero(np.bincount(nearest, minlength=centers.shape[1]))
        means = _means(colors, weights, nearest)[:, used]
        order = np.argsort(means[0] if len(means) == 1 else _LUMA @ means, kind="stable")
        return centers[:, used[order]], means[:, order]

    def _clusters(self, points, weights, coarser):
        """The best clusters: started on coarser bins, the best few refined on all."""
        count = self.n_clusters
        if len(weights) <= count:
            return points[:, :, None]
        rough = points, weights
        if coarser is not None and coarser.max() >= 10 * count:
            rough = _means(points, weights, coarser), np.bincount(coarser, weights)
        random = np.random.default_rng(self.random_state)
        centers, inertia = _lloyd(*rough, _plus_plus(*rough, count, random), _ROUGH_ROUNDS)
        best = np.argsort(inertia, kind="stable")[:_BEST]
        centers, inertia = _lloyd(points, weights, centers[:, :, best], _ROUNDS)
        return centers[:, :, [np.argmin(inertia)]]


def _planes(image):
    """The pixels of an image, one a column, float32."""
    return np.array([plane.ravel() for plane in cv2.split(image)], np.float32)


def _histogram(sample):
    """Mean colours of the occupied bins, their pixels' numbers, and a coarser bin for each."""
    channels = 1 if sample.ndim == 2 else 3
    levels = 256 if channels == 1 else _LEVELS
    tables = [
        _levels(sample, channel, levels) * np.uint16(levels**channel) for channel in range(channels)
    ]
    counts, *sums = np.zeros((1 + channels, levels**channels))
    for block in _blocks(sample):
        planes = cv2.split(block)
        bins = np.zeros(block.shape[:2], np.uint16)
        for plane, table in zip(planes, tables):
            cv2.add(bins, cv2.LUT(plane, table), bins)
        bins = bins.ravel().astype(np.intp)
        counts += np.bincount(bins, minlength=len(counts))
        for total, plane in zip(sums, planes):
            total += np.bincount(bins, plane.ravel(), len(counts))
    occupied = np.flatnonzero(counts)
    weights = counts[occupied]
    colors = (np.array(sums)[:, occupied] / weights).astype(np.float32)
    return colors, weights, _coarser(occupied) if channels == 3 else None


def _blocks(image):
    """The rows of an image, some at a time."""
    rows = max(1, _BLOCK // image.shape[1])
    return (image[top : top + rows] for top in range(0, len(image), rows))


def _coarser(bins):
    """The number of each colour bin in a histogram of half as many levels."""
    half = _LEVELS // 2
    halves = sum(bins // _LEVELS**channel % _LEVELS // 2 * half**channel for channel in range(3))
    return np.unique(halves, return_inverse=True)[1]


def _levels(image, channel, count):
    """The level of each value of a channel: `count` levels spread over the values that occur."""
    present = cv2.calcHist([image], [channel], None, [256], [0, 256]).ravel() > 0
    ranks = np.maximum(np.cumsum(present) - 1, 0)
    return (ranks * count // max(int(present.sum()), count)).astype(np.uint16)


def _means(points, weights, groups):
    total = np.bincount(groups, weights)
    sums = np.array([np.bincount(groups, weights * axis) for axis in points])
    return (sums / np.maximum(total, 1)).astype(np.float32)


def _squared(points, others):
    """Squared distances of all points from each start's one, ``(starts, points)``."""
    total = np.subtract(points[0], others[0][:, None])
    total *= total
    for axis, other in zip(points[1:], others[1:]):
        part = np.subtract(axis, other[:, None])
        part *= part
        total += part
    return total


def _nearest(points, centers):
    """For each start and point the nearest centre, uint8, and its squared distance."""
    best = _squared(points, centers[:, 0])
    nearest = np.zeros(best.shape, np.uint8)
    for number in range(1, centers.shape[1]):
        distances = _squared(points, centers[:, number])
        # Numbers rise, so the maximum is the latest that was closer: cheaper than a masked copy.
        closer = (distances < best).view(np.uint8)
        closer *= np.uint8(number)
        np.maximum(nearest, closer, out=nearest)
        np.minimum(best, distances, out=best)
    return nearest, best


def _plus_plus(points, weights, count, random):
    """Starts of centres far apart, ``(axes, count, starts)``: greedy k-means++."""
    every = np.arange(_STARTS)
    best = np.ones((_STARTS, len(weights)), np.float32)
    chosen = []
    for number in range(count):
        drawn = _draw(best * weights, 1 if number == 0 else _TRIALS, random)
        trials = [_squared(points, points[:, one]) for one in drawn]
        if number:
            trials = [np.minimum(best, trial, out=trial) for trial in trials]
        left = np.array([np.einsum("sn,n->s", trial, weights) for trial in trials])
        winners = left.argmin(axis=0)
        best = np.stack([trials[winner][start] for start, winner in enumerate(winners)])
        chosen.append(points[:, drawn[winners, every]])
    return np.stack(chosen, axis=1)


def _draw(chances, trials, random):
    """Points drawn in proportion to their chances, ``(trials, starts)``."""
    sums = np.cumsum(chances, axis=1)
    targets = random.random((len(sums), trials)) * sums[:, -1:]
    drawn = [np.searchsorted(row, target, side="right") for row, target in zip(sums, targets)]
    return np.minimum(np.array(drawn).T, chances.shape[1] - 1)


def _lloyd(points, weights, centers, rounds):
    """Centres moved to the means of their points until little changes, and their inertia."""
    _, count, starts = centers.shape
    shift = np.arange(starts)[:, None] * count
    moments = [np.tile(weights, starts), *(np.tile(weights * axis, starts) for axis in points)]
    before = np.inf
    for _ in range(rounds):
        nearest, distances = _nearest(points, centers)
        inertia = np.einsum("sn,n->s", distances, weights)
        if (before - inertia <= _TOLERANCE * inertia).all():
            break
        before = inertia
        groups = (nearest + shift).ravel()
        total, *sums = (
            np.bincount(groups, moment, starts * count).reshape(starts, count).T
            for moment in moments
        )
        means = (np.array(sums) / np.maximum(total, 1)).astype(np.float32)
        centers = np.where(total > 0, means, centers)
    return centers, inertia
