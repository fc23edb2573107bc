"""Regions that grow from points: flood fill, and growing by the mean of the region so far."""

import numbers

import numpy as np

from classical.mask_cleaning import check_connectivity
from vision.checks import check_choice, check_number, refuse
from vision.errors import ParameterError
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step


class SeededStep(Step):
    """The base of steps that start from points of the image."""

    takes = (Kind.RGB, Kind.GRAY)
    example = {"seeds": ((0, 0),)}

    def check_params(self):
        """See `Step.check_params`."""
        check_number("tolerance", self.tolerance, owner=self, at_least=0)
        check_connectivity(self.connectivity, self)
        seeds = self.seeds
        good = isinstance(seeds, list | tuple | np.ndarray) and len(seeds) > 0
        if not (good and all(_is_point(seed) for seed in seeds)):
            hint = "One point is [(40, 25)]: the column first."
            refuse("seeds", seeds, "a list of points (x, y), whole numbers from 0", self, hint)
        if len({tuple(map(int, seed)) for seed in seeds}) < len(seeds):
            refuse("seeds", seeds, "different points", self)

    def prepare(self):
        """See `Step.prepare`."""
        return [(int(x), int(y)) for x, y in self.seeds]

    def check_inside(self, image):
        """Refuse seeds outside the image."""
        height, width = image.shape[:2]
        for x, y in self._tables:
            if x >= width or y >= height:
                raise ParameterError(
                    f"The 'seeds' of {type(self).__name__} must lie in the image, of {width} x "
                    f"{height} pixels. Got the point (x, y) = ({x}, {y})."
                )


def _is_point(value):
    pair = isinstance(value, list | tuple | np.ndarray) and len(value) == 2
    return pair and all(
        isinstance(part, numbers.Integral) and not isinstance(part, bool) and part >= 0
        for part in value
    )


class FloodFill(SeededStep):
    """What is connected to a point and like it: the magic wand.

    Parameters
    ----------
    seeds : list of (x, y)
        Points where to start, whole pixels; the floods of several are put together.
    tolerance : float, default=20
        How many levels each channel of a pixel may differ, at least 0.
    compare_to : {"seed", "neighbor"}, default="seed"
        From what: the colour at the seed; or that of the neighbour which was reached already, so
        that a flood may follow a gentle slope.
    connectivity : {4, 8}, default=4
        Whether pixels that touch by a corner are connected.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8. Gives a mask, ``(H, W)``,
    uint8: 255 where the floods reach.

    Raises
    ------
    ParameterError
        If `seeds` are no points, not in the image or not different, `tolerance` is negative, or
        `compare_to` or `connectivity` is unknown.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    A. R. Smith, "Tint fill", SIGGRAPH 1979, doi:10.1145/800249.807456.

    Examples
    --------
    >>> image = np.array([[10, 20, 30, 90, 12]], np.uint8)
    >>> FloodFill([(0, 0)], tolerance=10)(image).tolist()
    [[255, 255, 0, 0, 0]]
    >>> FloodFill([(0, 0)], tolerance=10, compare_to="neighbor")(image).tolist()
    [[255, 255, 255, 0, 0]]
    """

    gives = Kind.MASK

    def __init__(self, seeds, tolerance=20, compare_to="seed", connectivity=4):
        self.seeds = seeds
        self.tolerance = tolerance
        self.compare_to = compare_to
        self.connectivity = connectivity

    def check_params(self):
        """See `Step.check_params`."""
        super().check_params()
        check_choice("compare_to", self.compare_to, ("seed", "neighbor"), owner=self)

    def apply(self, image):
        """See `Step.apply`."""
        self.check_inside(image)
        flags = self.connectivity | 255 << 8 | cv2.FLOODFILL_MASK_ONLY
        flags |= cv2.FLOODFILL_FIXED_RANGE if self.compare_to == "seed" else 0
        range_ = (self.tolerance,) * 3
        # OpenCV takes only an image that may be written, though it does not.
        image = image if image.flags.writeable and image.flags.c_contiguous else image.copy()
        filled = None
        for seed in self._tables:
            mask = np.zeros((image.shape[0] + 2, image.shape[1] + 2), np.uint8)
            cv2.floodFill(image, mask, seed, 0, range_, range_, flags)
            filled = mask if filled is None else cv2.bitwise_or(filled, mask, filled)
        return filled[1:-1, 1:-1].copy()


class RegionGrowing(SeededStep):
    """A region from each seed, which takes in the pixels around it that are like its mean.

    Parameters
    ----------
    seeds : list of (x, y)
        One point for each region, whole pixels.
    tolerance : float, default=30
        How far a pixel's colour may be from the region's mean, the straight distance in levels, at
        least 0.
    connectivity : {4, 8}, default=4
        Whether pixels that touch by a corner are connected.

    In each round all pixels join that touch a region and are within `tolerance` of its mean, or of
    the nearest mean of several; then the means are taken anew, until no pixel joins. A region
    starts with its seed alone: blur a noisy image first.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8. Gives labels, ``(H, W)``,
    int32: 1 for the region of the first seed and so on, 0 for what none reached.

    Raises
    ------
    ParameterError
        If `seeds` are no points, not in the image or not different, `tolerance` is negative, or
        `connectivity` is unknown.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    R. Adams and L. Bischof, "Seeded region growing", IEEE TPAMI 16(6), 1994,
    doi:10.1109/34.295913 (which takes one pixel at a time); S. W. Zucker, "Region growing:
    Childhood and adolescence", Computer Graphics and Image Processing 5(3), 1976,
    doi:10.1016/S0146-664X(76)80014-7.

    Examples
    --------
    >>> image = np.array([[10, 20, 30, 90, 99, 40]], np.uint8)
    >>> RegionGrowing([(0, 0), (4, 0)], tolerance=15)(image).tolist()
    [[1, 1, 1, 2, 2, 0]]
    """

    gives = Kind.LABELS
    numbers_regions = True

    def __init__(self, seeds, tolerance=30, connectivity=4):
        self.seeds = seeds
        self.tolerance = tolerance
        self.connectivity = connectivity

    def apply(self, image):
        """See `Step.apply`."""
        self.check_inside(image)
        height, width = image.shape[:2]
        framed = cv2.copyMakeBorder(image, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        labels = np.full((height + 2, width + 2), -1, np.int32)  # a frame that nothing enters
        labels[1:-1, 1:-1] = 0
        seeds = np.array([(y + 1) * (width + 2) + x + 1 for x, y in self._tables])
        steps = [-width - 2, -1, 1, width + 2]
        if self.connectivity == 8:
            steps += [-width - 3, -width - 1, width + 1, width + 3]
        pixels = framed.reshape(len(labels.ravel()), -1)
        _grow(pixels, labels.reshape(-1), seeds, np.array(steps), self.tolerance)
        return labels[1:-1, 1:-1].copy()


def _grow(pixels, labels, seeds, steps, tolerance):
    """Grow regions in a flat label map from the places of their seeds, by the places of others."""
    count = len(seeds) + 1
    sums, sizes = np.zeros((count, pixels.shape[1])), np.zeros(count)
    joined, names = seeds, np.arange(1, count)
    rim, owners = np.empty(0, np.intp), np.empty(0, np.intp)
    while len(joined):
        labels[joined] = names
        for axis, values in enumerate(pixels[joined].T):
            sums[:, axis] += np.bincount(names, values, count)
        sizes += np.bincount(names, minlength=count)
        rim, owners = _widened(rim, owners, joined, names, labels, steps)
        means = sums / np.maximum(sizes, 1)[:, None]
        apart = pixels[rim] - means[owners]
        apart = np.einsum("na,na->n", apart, apart)
        near = np.flatnonzero(apart <= tolerance * tolerance)
        # By pixel, then by distance: the first of each pixel is the region that it joins.
        order = near[np.lexsort((owners[near], apart[near], rim[near]))]
        first = np.diff(rim[order], prepend=-1) > 0
        joined, names = rim[order[first]], owners[order[first]]


def _widened(rim, owners, joined, names, labels, steps):
    """The pixels without a region beside each one, with its number: a pair perhaps repeatedly."""
    kept, around = labels[rim] == 0, (joined[:, None] + steps).ravel()
    free = labels[around] == 0
    rim = np.concatenate([rim[kept], around[free]])
    return rim, np.concatenate([owners[kept], names.repeat(len(steps))[free]])
