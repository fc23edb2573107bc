"""Contours chosen by their likeness to a given shape."""

import numpy as np

from classical.contour_filters import with_holes
from classical.residues import as_table
from vision.checks import check_choice, check_number, refuse
from vision.contour_measures import HU_METHODS, shape_distances
from vision.kinds import Kind, is_binary
from vision.opencv import cv2
from vision.step import Step


class MatchShapes(Step):
    """The contours of a template's form, wherever they lie, however large and turned.

    Parameters
    ----------
    template : (m, 2) array-like of whole numbers, or (H, W) ndarray of uint8
        One outline (x, y), such as ``found[0]`` of `Contours`; or a mask, 0 and 255, whose largest
        region is the shape.
    max_distance : float, default=0.1
        Largest distance that is kept, at least 0; ``distances`` shows those of some contours.
    method : {"i1", "i2", "i3"}, default="i1"
        How the logarithms of Hu's moments are compared, as in ``cv2.matchShapes``: sum of
        differences of their inverses, sum of differences, largest relative difference.

    A shape and its mirror image are alike. Small shapes of pixels are not: below some 20 pixels
    across, the grid changes them more than turning does. Only regions are judged, by their outer
    outline; holes stay or go with them.

    Takes contours. Gives contours, in the order in which they came.

    Raises
    ------
    ParameterError
        If `template` is neither or has no area, `max_distance` is negative, or `method` is
        unknown.
    KindError
        If what comes is no contours.

    References
    ----------
    M.-K. Hu, "Visual pattern recognition by moment invariants", IRE Transactions on Information
    Theory 8(2), 1962, doi:10.1109/TIT.1962.1057692.

    Examples
    --------
    >>> from vision import Contours
    >>> bar, square = [[0, 0], [40, 0], [40, 9], [0, 9]], [[0, 0], [30, 0], [30, 30], [0, 30]]
    >>> upright = [[50, 10], [59, 10], [59, 50], [50, 50]]
    >>> found = MatchShapes(upright)(Contours((bar, square), shape=(99, 99)))
    >>> found.boxes.tolist()
    [[0.0, 0.0, 41.0, 10.0]]
    """

    takes, gives = (Kind.CONTOURS,), Kind.CONTOURS
    example = {"template": ((0, 0), (30, 0), (30, 30), (0, 30))}

    def __init__(self, template, max_distance=0.1, method="i1"):
        self.template = template
        self.max_distance = max_distance
        self.method = method

    def check_params(self):
        """See `Step.check_params`."""
        formed = _is_outline_or_mask(self.template)
        if not formed or not _area(self.template):
            allowed = "an outline, (m, 2) whole numbers, or a mask, (H, W) uint8 of 0 and 255"
            hint = "It encloses no area, so it has no form." if formed else ""
            refuse("template", self.template, allowed, self, hint)
        check_number("max_distance", self.max_distance, owner=self, at_least=0)
        check_choice("method", self.method, tuple(HU_METHODS), owner=self)

    def prepare(self):
        """See `Step.prepare`."""
        outline = _outline(self.template)
        dtype = np.float32 if outline.dtype.kind == "f" else np.int32
        return outline.astype(dtype), HU_METHODS[self.method]

    def apply(self, contours):
        """See `Step.apply`."""
        near = shape_distances(contours.points, *self._tables) <= self.max_distance
        return contours[with_holes(contours, near)]

    def distances(self, contours):
        """How far the form of each contour is from the template's.

        Parameters
        ----------
        contours : Contours

        Returns
        -------
        ndarray
            ``(n,)`` float64; 0 for the same form, infinite where there is no area.

        Raises
        ------
        KindError
            If it is no contours.
        """
        self.make_ready()
        self.admit(contours)
        return contours.shape_distances(self._tables[0], self.method)


def _is_outline_or_mask(value):
    if isinstance(value, np.ndarray) and value.dtype == np.uint8:
        return value.ndim == 2 and value.size > 0 and is_binary(value)
    points = as_table(value)
    return points.shape[1] == 2 and len(points) > 0


def _area(template):
    return cv2.contourArea(_outline(template).astype(np.float32))


def _outline(template):
    """The outline itself, or that of the largest region of a mask."""
    template = np.asarray(template)
    if template.dtype != np.uint8:
        return template
    found = cv2.findContours(template, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    nothing = np.zeros((1, 1, 2), np.int32)
    return max([nothing, *found], key=cv2.contourArea).reshape(-1, 2)
