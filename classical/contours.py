"""Outlines of the regions of a mask."""

import numpy as np

from vision.checks import check_choice, check_number, check_order
from vision.contours import Contours
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
    """The outlines of a mask's regions, touching pixels (also by a corner) being one region.

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

    Takes a mask, ``(H, W)``, uint8 of 0 and 255. Gives contours, with the hierarchy.

    Raises
    ------
    ParameterError
        If an area is negative, `min_area` exceeds `max_area`, or `mode` or `approximation` is
        unknown.
    KindError
        If the image is no mask.

    References
    ----------
    S. Suzuki and K. Abe, "Topological structural analysis of digitized binary images by border
    following", Computer Vision, Graphics, and Image Processing 30(1), 1985,
    doi:10.1016/0734-189X(85)90016-7.

    Examples
    --------
    >>> mask = np.zeros((20, 20), np.uint8)
    >>> mask[2:9, 3:12] = 255
    >>> mask[15, 15] = 255
    >>> FindContours(min_area=10)(mask).boxes.tolist()
    [[3.0, 2.0, 12.0, 9.0]]
    """

    takes = (Kind.MASK,)
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
        points, hierarchy = cv2.findContours(image, mode, approximation)
        contours = Contours.from_opencv(points, hierarchy, image.shape)
        return self._filtered(contours) if filters and points else contours

    def _filtered(self, contours):
        areas = contours.areas
        kept = areas >= self.min_area
        if self.max_area is not None:
            kept &= areas <= self.max_area
        if self.mode in ("ccomp", "tree"):
            parents = contours.hierarchy[:, 3]
            holes = _depths(parents) % 2 == 1
            kept &= kept[parents] | ~holes
        return contours[kept]


def _depths(parents):
    """How many contours each one lies in: even for regions, odd for holes."""
    depths, above = np.zeros(len(parents), int), parents
    while (inside := above >= 0).any():
        depths += inside
        above = np.where(inside, parents[above], -1)
    return depths
