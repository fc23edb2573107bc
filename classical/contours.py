"""Outlines of the regions of a mask or label map, made simpler, convex, or pixels again."""

import numpy as np
from scipy import ndimage

from vision.checks import check_choice, check_number, check_order
from vision.contour_measures import nesting, polygon_areas, side_by_side
from vision.contours import Contours
from vision.errors import ImageError
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step

MODES = {
    "external": cv2.RETR_EXTERNAL,
    "list": cv2.RETR_LIST,
    "ccomp": cv2.RETR_CCOMP,
    "tree": cv2.RETR_TREE,
}
APPROXIMATIONS = {"simple": cv2.CHAIN_APPROX_SIMPLE, "none": cv2.CHAIN_APPROX_NONE}


class FindContours(Step):
    """The outlines of regions, touching pixels (also by a corner) being one region.

    Parameters
    ----------
    min_area : float, default=0
        Smallest area in square pixels, not negative. Area is that of the polygon through the
        centres of the outline's pixels: a square of n x n pixels has (n - 1)^2, one pixel 0.
    max_area : float, default=None
        Largest area in square pixels; None: no limit.
    mode : {"external", "list", "ccomp", "tree"}, default="external"
        Which outlines: the outer ones that lie in no other region; all, with those of holes, in no
        order; all, each hole below its region; all, nested as deep as they lie.
    approximation : {"simple", "none"}, default="simple"
        Corners only, straight runs (level, upright or diagonal) left out; or every pixel.

    An outline runs through the outermost pixels of its region, that of a hole through the region's
    pixels around it. Regions that touch the image's border count like others. With "ccomp" and
    "tree" a hole goes when its region goes; what lay in it stays and moves up in the hierarchy.

    Of a label map each label is taken by itself, the lowest first, and 0 is background: what a
    watershed took apart stays apart.

    Takes a mask, ``(H, W)``, uint8 of 0 and 255, or a label map, ``(H, W)``, int32. Gives contours,
    with the hierarchy.

    Raises
    ------
    ParameterError
        If an area is negative, `min_area` exceeds `max_area`, or `mode` or `approximation` is
        unknown.
    ImageError
        If a label is negative.
    KindError
        If the image is no mask and no label map.

    References
    ----------
    S. Suzuki and K. Abe, "Topological structural analysis of digitized binary images by border
    following", Computer Vision, Graphics, and Image Processing 30(1), 1985,
    doi:10.1016/0734-189X(85)90016-7.

    Examples
    --------
    >>> import numpy as np
    >>> mask = np.zeros((20, 20), np.uint8)
    >>> mask[2:9, 3:12] = 255
    >>> mask[15, 15] = 255
    >>> FindContours(min_area=10)(mask).boxes.tolist()
    [[3.0, 2.0, 12.0, 9.0]]
    >>> touching = np.array([[1, 1, 2, 2], [1, 1, 2, 2]], np.int32)
    >>> FindContours()(touching).boxes.tolist()
    [[0.0, 0.0, 2.0, 2.0], [2.0, 0.0, 4.0, 2.0]]
    """

    takes = (Kind.MASK, Kind.LABELS)
    gives = Kind.CONTOURS

    def __init__(self, min_area=0, max_area=None, mode="external", approximation="simple"):
        self.min_area = min_area
        self.max_area = max_area
        self.mode = mode
        self.approximation = approximation

    def check_params(self):
        """See `Step.check_params`."""
        check_number("min_area", self.min_area, owner=self, at_least=0)
        if self.max_area is not None:
            check_number("max_area", self.max_area, owner=self, at_least=0)
            check_order("min_area", self.min_area, "max_area", self.max_area, owner=self)
        check_choice("mode", self.mode, tuple(MODES), owner=self)
        check_choice("approximation", self.approximation, tuple(APPROXIMATIONS), owner=self)

    def prepare(self):
        """See `Step.prepare`."""
        filters = self.min_area > 0 or self.max_area is not None
        return MODES[self.mode], APPROXIMATIONS[self.approximation], filters

    def apply(self, image):
        """See `Step.apply`."""
        mode, approximation, filters = self._tables
        find = cv2.findContours if image.dtype == np.uint8 else _of_labels
        points, hierarchy = find(image, mode, approximation)
        kept = self._kept(points, hierarchy) if filters and points else None
        # Of a mask no region lies within another one's outline; labels may.
        apart = self.mode == "external" and image.dtype == np.uint8
        return Contours.from_opencv(points, hierarchy, image.shape, kept, apart=apart)

    def _kept(self, points, hierarchy):
        areas = polygon_areas(points)
        kept = areas >= self.min_area
        if self.max_area is not None:
            kept &= areas <= self.max_area
        if self.mode in ("ccomp", "tree"):
            parents = hierarchy.reshape(-1, 4)[:, 3]
            kept &= kept[parents] | (nesting(parents) % 2 == 0)
        return kept


def _of_labels(labels, mode, approximation):
    """As ``cv2.findContours`` gives them, of every label by itself."""
    if labels.min() < 0:
        raise ImageError(
            f"FindContours takes labels of 0, the background, and above. Got {labels.min()}; "
            "np.maximum(labels, 0) makes background of it."
        )
    points, parts = [], []
    if labels.max() > labels.size:  # SciPy's table is as long as the highest label
        numbers, ranks = np.unique(labels, return_inverse=True)
        labels = ranks.reshape(labels.shape) + (numbers[0] > 0)
    for number, place in enumerate(ndimage.find_objects(labels), 1):
        if place is None:
            continue
        region = (labels[place] == number).view(np.uint8)
        offset = place[1].start, place[0].start
        found, hierarchy = cv2.findContours(region, mode, approximation, offset=offset)
        points += found
        parts.append(hierarchy[0])
    nested = parts and mode in (cv2.RETR_CCOMP, cv2.RETR_TREE)
    links = _chained(parts) if nested else side_by_side(len(points))
    return tuple(points), links[None]


def _chained(parts):
    """One hierarchy of many: the outermost contours of each part follow those of the last."""
    counts, links = np.array([len(part) for part in parts]), np.vstack(parts)
    before = np.repeat(np.cumsum(counts) - counts, counts)
    links = np.where(links < 0, -1, links + before[:, None]).astype(np.int32)
    outermost = links[:, 3] < 0
    last = np.flatnonzero(outermost & (links[:, 0] < 0))
    first = np.flatnonzero(outermost & (links[:, 1] < 0))
    links[last[:-1], 0], links[first[1:], 1] = first[1:], last[:-1]
    return links


class ApproximatePolygons(Step):
    """Contours as polygons of few corners, by Douglas and Peucker.

    Parameters
    ----------
    tolerance : float, default=0.02
        How far an outline may leave its polygon, as a share of the outline's length, at least 0.

    With the default a photographed rectangle becomes four corners, a disc about eight.

    Takes contours. Gives contours, in the same order and hierarchy.

    Raises
    ------
    ParameterError
        If `tolerance` is negative.
    KindError
        If what comes is no contours.

    References
    ----------
    D. H. Douglas and T. K. Peucker, "Algorithms for the reduction of the number of points required
    to represent a digitized line or its caricature", Cartographica 10(2), 1973,
    doi:10.3138/FM57-6770-U75U-7727.

    Examples
    --------
    >>> from vision import Contours
    >>> nearly = [[0, 0], [10, 0], [20, 0], [20, 9], [20, 20], [0, 20], [1, 10]]
    >>> ApproximatePolygons()(Contours((nearly,), shape=(30, 30)))[0].tolist()
    [[0, 0], [20, 0], [20, 20], [0, 20]]
    """

    takes, gives = (Kind.CONTOURS,), Kind.CONTOURS

    def __init__(self, tolerance=0.02):
        self.tolerance = tolerance

    def check_params(self):
        """See `Step.check_params`."""
        check_number("tolerance", self.tolerance, owner=self, at_least=0)

    def apply(self, contours):
        """See `Step.apply`."""
        return contours.approximated(self.tolerance)


class ConvexHulls(Step):
    """The convex hull of each contour: its dents bridged.

    Takes contours. Gives contours, in the same order and hierarchy.

    Raises
    ------
    KindError
        If what comes is no contours.

    References
    ----------
    J. Sklansky, "Finding the convex hull of a simple polygon", Pattern Recognition Letters 1(2),
    1982, doi:10.1016/0167-8655(82)90016-2.

    Examples
    --------
    >>> from vision import Contours
    >>> arrow = [[0, 0], [9, 0], [5, 4], [0, 9]]
    >>> sorted(ConvexHulls()(Contours((arrow,), shape=(10, 10)))[0].tolist())
    [[0, 0], [0, 9], [9, 0]]
    """

    takes, gives = (Kind.CONTOURS,), Kind.CONTOURS

    def apply(self, contours):
        """See `Step.apply`."""
        return contours.hulls()


class FillContours(Step):
    """The mask of what contours enclose, their holes left out.

    The outlines' own pixels belong to it, so that filling what ``FindContours(mode="ccomp")`` found
    gives its mask back; where the mode did not ask for holes they are filled. With filters in
    between, masks are cleaned by the shape of their regions.

    Takes contours. Gives a mask, ``(H, W)``, uint8, of the size of the image that they are from.

    Raises
    ------
    KindError
        If what comes is no contours.

    Examples
    --------
    >>> from vision import Contours
    >>> square = [[1, 1], [1, 2], [3, 2], [3, 1]]
    >>> FillContours()(Contours((square,), shape=(3, 5)))[1].tolist()
    [0, 255, 255, 255, 0]
    """

    takes, gives = (Kind.CONTOURS,), Kind.MASK

    def apply(self, contours):
        """See `Step.apply`."""
        return contours.to_mask()
