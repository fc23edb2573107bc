"""Watersheds: a picture flooded from markers, and touching objects of a mask taken apart."""

import numpy as np

from classical.companion import CompanionStep
from classical.distance import straight_distances
from classical.reconstruction import reconstruct
from vision.checks import check_bool, check_number, refuse
from vision.kinds import Kind, is_binary
from vision.opencv import cv2
from vision.step import Step

_SQUARE = np.ones((3, 3), np.uint8)
_FAR = 1 << 10  # above any difference of levels
_DEEP = -1e6  # below any distance


class Watershed(CompanionStep):
    """Regions that grow from markers, or from all even places, until they meet on edges.

    Parameters
    ----------
    markers : step, pipeline, (H, W) ndarray or None, default=None
        Where regions start: a step that makes labels or a mask of the same image, or a fixed label
        map, int32, or mask, uint8. Of labels each number above 0 is a region, of a mask each
        connected component; 0 is left open. None: each basin of the gradient is a region.
    sigma : float, default=2
        Gaussian blur before flooding, in pixels, at least 0: without it noise leads regions
        astray.
    depth : float, default=10
        Without markers: how many grey levels the edge around a region must rise above its even
        middle, 0 to 255. Higher gives fewer regions.
    lines : bool, default=False
        Whether pixels where regions meet stay 0. Otherwise they go to the neighbour whose colour
        is nearer.

    Pixels are taken in the order of their difference to a neighbour that has a region already, the
    largest of the channels, as ``cv2.watershed`` does, but up to the image's border.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8. Gives labels, ``(H, W)``,
    int32: the markers' own numbers, those of components and basins from 1; no background 0 but on
    lines, or everywhere if there is no marker.

    Raises
    ------
    ParameterError
        If `markers` is no step, pipeline, label map or mask, `sigma` or `depth` is out of range,
        or `lines` is not True or False.
    KindError
        If the image is of another kind or dtype, or the markers are not of its size.

    References
    ----------
    F. Meyer, "Color image segmentation", International Conference on Image Processing and its
    Applications, 1992, pp. 303-306; S. Beucher and C. Lantuejoul, "Use of watersheds in contour
    detection", International Workshop on Image Processing, 1979.

    Examples
    --------
    >>> image = np.array([[10, 12, 11, 90, 91, 90]], np.uint8)
    >>> markers = np.array([[7, 0, 0, 0, 0, 3]], np.int32)
    >>> Watershed(markers, sigma=0)(image).tolist()
    [[7, 7, 7, 3, 3, 3]]
    >>> Watershed(sigma=0)(image.repeat(3, axis=0))[1].tolist()
    [1, 1, 1, 2, 2, 2]
    """

    gives = Kind.LABELS
    companion_name = "markers"
    companion_kinds = (Kind.LABELS, Kind.MASK)
    kinds = (Kind.RGB, Kind.GRAY)
    dtypes = ("uint8",)

    def __init__(self, markers=None, sigma=2, depth=10, lines=False):
        self.markers = markers
        self.sigma = sigma
        self.depth = depth
        self.lines = lines

    @property
    def numbers_regions(self):
        """Not where the labels are given, as a map of markers."""
        return not isinstance(self.markers, np.ndarray) or self.markers.dtype == np.uint8

    def check_params(self):
        """See `Step.check_params`."""
        check_number("sigma", self.sigma, owner=self, at_least=0)
        check_number("depth", self.depth, owner=self, at_least=0, at_most=255)
        check_bool("lines", self.lines, owner=self)
        if self.markers is not None:
            super().check_params()

    def check_fixed(self, array):
        """See `CompanionStep.check_fixed`."""
        flat = array.ndim == 2 and array.size > 0
        mask = flat and array.dtype == np.uint8 and is_binary(array)
        if not (mask or (flat and array.dtype == np.int32 and array.min() >= 0)):
            allowed = "a label map, (H, W) int32 of at least 0, or a mask, (H, W) uint8, 0 and 255"
            refuse("markers", array, allowed, self)

    def apply(self, image):
        """See `Step.apply`."""
        even = cv2.GaussianBlur(image, (0, 0), self.sigma) if self.sigma else image
        markers = basins(even, self.depth) if self.markers is None else self._given(image)
        return flooded(even, markers, self.lines)

    def _given(self, image):
        markers = self.made(image)
        self.check_size(markers, image)
        return markers


def basins(image, depth):
    """The basins of an image's gradient, numbered from 1 on their floors alone.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) ndarray of uint8
    depth : float
        How far, in grey levels, a basin's rim must rise above its floor.

    Returns
    -------
    (H, W) ndarray of int32
        0 elsewhere.

    Examples
    --------
    >>> basins(np.array([[5, 5, 80, 80, 80, 5]], np.uint8).repeat(2, axis=0), 10)[0].tolist()
    [1, 0, 0, 2, 0, 0]
    """
    gradient = cv2.morphologyEx(image, cv2.MORPH_GRADIENT, _SQUARE)
    if gradient.ndim == 3:
        gradient = gradient.max(axis=2)
    # 16 bits, so that floors can be raised above the highest rim.
    gradient = gradient.astype(np.uint16)
    filled = reconstruct(gradient + np.uint16(round(depth)), gradient, "erosion")
    raised = reconstruct(filled + np.uint16(1), filled, "erosion")
    return cv2.connectedComponents((raised > filled).view(np.uint8))[1]


def flooded(image, markers, lines=False):
    """The regions that grow from markers over the differences between neighbouring pixels.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) ndarray of uint8
    markers : (H, W) ndarray of int32 or uint8
        Numbers above 0 where regions start, none negative; or a mask, 0 and 255, of which each
        connected component is a region.
    lines : bool, default=False
        Whether pixels where regions meet stay 0.

    Returns
    -------
    (H, W) ndarray of int32

    Examples
    --------
    >>> image = np.array([[10, 10, 90, 90]], np.uint8)
    >>> flooded(image, np.array([[1, 0, 0, 2]], np.int32)).tolist()
    [[1, 1, 2, 2]]
    """
    # OpenCV makes the outermost pixels a line: they are given to a frame.
    height, width = markers.shape
    labels = np.zeros((height + 2, width + 2), np.int32)
    inside = labels[1:-1, 1:-1]
    if markers.dtype == np.int32:
        inside[:] = markers
        some = inside.any()
    else:
        some = cv2.connectedComponents(markers, inside)[0] > 1
    if not some:
        return np.zeros(markers.shape, np.int32)
    _flood(labels, image, lines)
    return np.maximum(inside, 0)


def _flood(labels, image, lines):
    """Let the labels of a framed map grow over an image, whose own frame is not kept."""
    framed = cv2.copyMakeBorder(image, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    framed = cv2.merge([framed] * 3) if framed.ndim == 2 else framed
    cv2.watershed(framed, labels)
    if not lines:
        _close_lines(labels, framed)


def _close_lines(labels, image):
    """Give each pixel within the frame that has no region to its most similar neighbour's."""
    width = labels.shape[1]
    flat, pixels = labels.reshape(-1), image.reshape(-1, 3).astype(np.int16)
    inside = np.zeros(labels.shape, bool)
    inside[1:-1, 1:-1] = labels[1:-1, 1:-1] <= 0
    waiting, found = np.flatnonzero(inside), np.ones(1, bool)
    while len(waiting) and found.any():
        around = waiting[:, None] + np.array([-width, -1, 1, width])
        known = flat[around] > 0
        apart = np.abs(pixels[around] - pixels[waiting, None]).max(axis=2)
        nearest = np.where(known, apart, _FAR).argmin(axis=1)
        found = known.any(axis=1)
        flat[waiting[found]] = flat[around[found, nearest[found]]]
        waiting = waiting[~found]


class DistanceWatershed(Step):
    """Touching objects of a mask taken apart at their necks, and numbered.

    Parameters
    ----------
    height : float, default=1
        How much wider than the neck between them, in pixels of half the width, two parts must be
        to count as two objects; above 0. Higher leaves more together: raise it where objects with
        rough outlines fall to pieces.

    Each object is a peak of the distance to the background that stands at least `height` above the
    highest pass to a higher one; from these peaks the mask is flooded downwards. What lies outside
    the image does not count as background.

    Takes a mask, ``(H, W)``, uint8 of 0 and 255. Gives labels, ``(H, W)``, int32: 0 for the
    background, objects from 1, roughly from the top down.

    Raises
    ------
    ParameterError
        If `height` is not above 0.
    KindError
        If the image is no mask.

    References
    ----------
    L. Vincent and P. Soille, "Watersheds in digital spaces: an efficient algorithm based on
    immersion simulations", IEEE TPAMI 13(6), 1991, doi:10.1109/34.87344; P. Soille,
    "Morphological Image Analysis", 2nd edition, 2004, section 9.2.4,
    doi:10.1007/978-3-662-05088-0.

    Examples
    --------
    >>> mask = np.zeros((11, 25), np.uint8)
    >>> mask[1:10, 1:10] = mask[1:10, 14:23] = 255
    >>> mask[5, 10:14] = 255
    >>> DistanceWatershed()(mask)[5, ::3].tolist()
    [0, 1, 1, 1, 2, 2, 2, 2, 0]
    """

    takes, gives = (Kind.MASK,), Kind.LABELS
    numbers_regions = True

    def __init__(self, height=1):
        self.height = height

    def check_params(self):
        """See `Step.check_params`."""
        check_number("height", self.height, owner=self, above=0)

    def apply(self, image):
        """See `Step.apply`."""
        from skimage.morphology import local_maxima
        from skimage.segmentation import watershed

        if image.min():
            return np.ones(image.shape, np.int32)
        distance = straight_distances(image)
        # No level may pass through the background, or specks would drown in it.
        distance[image == 0] = _DEEP
        lowered = reconstruct(distance - np.float32(self.height), distance)
        peaks = local_maxima(lowered).view(np.uint8)
        markers = cv2.connectedComponents(cv2.min(peaks, image))[1]
        return watershed(-distance, markers, connectivity=2, mask=image > 0)
