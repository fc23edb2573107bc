"""What can be measured of contours: properties, computed on first use, a row for each contour."""

import functools
from itertools import repeat

import numpy as np

from vision import contour_shapes as shapes
from vision.checks import check_choice, check_number, refuse
from vision.opencv import cv2

HU_METHODS = {
    "i1": cv2.CONTOURS_MATCH_I1,
    "i2": cv2.CONTOURS_MATCH_I2,
    "i3": cv2.CONTOURS_MATCH_I3,
}
UNLIKE = float(np.finfo(np.float64).max)  # what OpenCV gives where one of both has no area


class Measures:
    """The measures of `Contours`: of each outline as a polygon through pixel centres.

    A subclass has `points`, `hierarchy`, `shape` and `boxes`.
    """

    @functools.cached_property
    def areas(self):
        """Area of each polygon through the pixel centres, (n,), in square pixels.

        Smaller than the number of pixels: those on the outline count half or less.
        """
        return _locked(polygon_areas(self.points))

    @functools.cached_property
    def perimeters(self):
        """Length of each closed outline, (n,), in pixels."""
        return _locked(np.array([cv2.arcLength(one, True) for one in self.points], np.float64))

    @functools.cached_property
    def boxes(self):
        """The upright box xyxy around the pixels of each outline, (n, 4), right and bottom open."""
        return _locked(shapes.upright_boxes(self.points))

    @functools.cached_property
    def _moments(self):
        return shapes.moment_table(self.points)

    @functools.cached_property
    def centroids(self):
        """Centre of gravity (x, y) of each polygon, (n, 2); of its corners where it has no area."""
        centers = self._moments[:, 1:3].copy()
        for row in np.flatnonzero(np.isnan(centers[:, 0])):
            centers[row] = self.points[row].mean(axis=0)
        return _locked(centers)

    @functools.cached_property
    def rotated_boxes(self):
        """The smallest box of any direction around each polygon, (n, 5).

        Centre x, y, length, width (not above the length), and the direction of the length in
        degrees, in [0, 180), from the x axis clockwise (towards the y axis, which points down).
        """
        return _locked(shapes.rotated_boxes(self.points))

    @functools.cached_property
    def rotated_corners(self):
        """The corners (x, y) of the rotated boxes, (n, 4, 2), in order around each."""
        return _locked(shapes.box_corners(self.rotated_boxes))

    @functools.cached_property
    def ellipses(self):
        """The ellipse with the centre and second moments of each polygon, (n, 5).

        Centre x, y, long and short axis (whole ones), and the direction of the long one as in
        `rotated_boxes`. Where there is no area, the rotated box gives the axes. Other than
        ``cv2.fitEllipse`` it does not depend on how densely the outline was sampled.
        """
        table = self._moments
        found = shapes.moment_ellipses(table[:, 1:3], *table[:, 3:].T)
        empty = np.isnan(found[:, 0])
        found[empty] = self.rotated_boxes[empty] if empty.any() else found[empty]
        return _locked(found)

    @functools.cached_property
    def orientations(self):
        """Direction of the long axis of each ellipse, (n,), degrees in [0, 180), clockwise."""
        return self.ellipses[:, 4]

    @functools.cached_property
    def eccentricities(self):
        """How long each ellipse is, (n,): 0 for a circle or a point, near 1 for a needle."""
        return _locked(shapes.eccentricities(self.ellipses))

    @functools.cached_property
    def equivalent_diameters(self):
        """Diameter of the circle of the same area, (n,), in pixels."""
        return _locked(2 * np.sqrt(self.areas / np.pi))

    @functools.cached_property
    def hull_areas(self):
        """Area of the convex hull of each polygon, (n,), in square pixels."""
        area, hull, areas = cv2.contourArea, cv2.convexHull, self.areas.tolist()
        # Each hull is dropped before the next is made, so that it stays in the cache.
        found = [area(hull(one)) if len(one) > 3 else own for one, own in zip(self.points, areas)]
        return _locked(np.array(found, np.float64))

    @functools.cached_property
    def solidities(self):
        """Area by that of the convex hull, (n,), 0 to 1: 1 without any dent, also without area."""
        area, hull, found = cv2.contourArea, cv2.convexHull, []
        for one in self.points:  # both at once: the caches do not hold all of a large picture's
            whole = area(hull(one)) if len(one) > 3 else 0.0
            found.append(area(one) / whole if whole else 1.0)
        return _locked(np.fromiter(found, np.float64, len(found)))

    @functools.cached_property
    def extents(self):
        """Area by that of the upright box through pixel centres, (n,), 0 to 1; 1 without area."""
        width, height = (self.boxes[:, 2:] - self.boxes[:, :2] - 1).T
        return _locked(shapes.shares(self.areas, width * height))

    @functools.cached_property
    def aspect_ratios(self):
        """Width by height of each upright box, (n,)."""
        width, height = (self.boxes[:, 2:] - self.boxes[:, :2]).T
        return _locked(width / height)

    @functools.cached_property
    def circularities(self):
        """4 pi area / perimeter^2, (n,), 0 to 1: 1 for a circle, 0.79 for a square, 0 for a line.

        The outline of a disc of pixels is a staircase, longer than the circle: about 0.9.
        """
        return _locked(shapes.circularities(self.areas, self.perimeters))

    @functools.cached_property
    def hu_moments(self):
        """Hu's seven invariants of each polygon, (n, 7): alike however it lies and how large.

        Only the sign of the seventh tells a shape from its mirror image. Zeros without area.
        """
        return _locked(shapes.hu_moments(self.points))

    @functools.cached_property
    def depths(self):
        """In how many others each contour lies, (n,): even for regions, odd for their holes.

        Zeros where nothing is known of the hierarchy, as with the modes "external" and "list".
        """
        if not self.nested:
            return _locked(np.zeros(len(self.points), int))
        return _locked(nesting(self.hierarchy[:, 3]))

    @property
    def nested(self):
        """Whether any contour is known to lie in another."""
        if self._apart or self.hierarchy is None:
            return False
        return any_parent(self.hierarchy)

    def hulls(self):
        """The convex hull of each contour.

        Returns
        -------
        Contours
            In the same order and hierarchy.
        """
        return self._replaced([cv2.convexHull(one) for one in self.points])

    def approximated(self, tolerance=0.02):
        """Each contour as a polygon of few corners, by Douglas and Peucker.

        Parameters
        ----------
        tolerance : float, default=0.02
            How far an outline may leave its polygon, as a share of its length, at least 0.

        Returns
        -------
        Contours
            In the same order and hierarchy; ``len(contours[i])`` is the number of corners.

        Raises
        ------
        ParameterError
            If `tolerance` is negative.

        References
        ----------
        D. H. Douglas and T. K. Peucker, "Algorithms for the reduction of the number of points
        required to represent a digitized line or its caricature", Cartographica 10(2), 1973,
        doi:10.3138/FM57-6770-U75U-7727.
        """
        check_number("tolerance", tolerance, owner="Contours.approximated", at_least=0)
        approximate, length = cv2.approxPolyDP, cv2.arcLength
        # Each length is taken while its outline is in the cache, whether or not it is known.
        return self._replaced(
            [
                one if len(one) == 1 else approximate(one, tolerance * length(one, True), True)
                for one in self.points
            ]
        )

    def shape_distances(self, template, method="i1"):
        """How far the form of each contour is from that of a template, by Hu's moments.

        Parameters
        ----------
        template : (m, 2) ndarray
            The outline of the template: ``contours[0]`` of another `Contours`, say.
        method : {"i1", "i2", "i3"}, default="i1"
            How the logarithms of the moments are compared, as in ``cv2.matchShapes``: sum of
            differences of their inverses, sum of differences, largest relative difference.

        Returns
        -------
        (n,) ndarray of float64
            0 for the same form, of whatever size and direction; infinite without area.

        Raises
        ------
        ParameterError
            If `template` is no outline with an area, or `method` is unknown.
        """
        owner = "Contours.shape_distances"
        check_choice("method", method, tuple(HU_METHODS), owner=owner)
        outline = np.asarray(template)
        good = outline.ndim == 2 and outline.shape[1] == 2 and outline.dtype.kind in "iuf"
        if not (good and len(outline) > 2 and cv2.contourArea(outline.astype(np.float32)) > 0):
            refuse("template", template, "an outline of (x, y) around some area, (m, 2)", owner)
        dtype = np.float32 if outline.dtype.kind == "f" else np.int32
        found = shape_distances(self.points, outline.astype(dtype), HU_METHODS[method])
        found[found >= UNLIKE] = np.inf
        return found

    def _replaced(self, outlines):
        hierarchy = None if self.hierarchy is None else self.hierarchy.copy()
        return type(self).from_opencv(tuple(outlines), hierarchy, self.shape)


def shape_distances(outlines, template, method):
    """How far the form of each polygon is from that of a template, (n,) float64; or `UNLIKE`.

    Parameters
    ----------
    outlines : sequence of (n_i, 2) int32 arrays
    template : (m, 2) ndarray of int32 or float32
    method : int
        One of OpenCV's ``CONTOURS_MATCH_*``.

    Examples
    --------
    >>> square = np.array([[0, 0], [4, 0], [4, 4], [0, 4]], np.int32)
    >>> found = shape_distances([3 * square, square[:2]], square, cv2.CONTOURS_MATCH_I1)
    >>> float(found[0]), bool(found[1] >= UNLIKE)
    (0.0, True)
    """
    match, unlike = cv2.matchShapes, UNLIKE
    if sum(len(one) < 3 for one in outlines[:32]) < 4:
        found = map(match, outlines, repeat(template), repeat(method), repeat(0))
    else:  # of one or two pixels, as in noisy masks: where they are many, they are not looked at
        found = (match(one, template, method, 0) if len(one) > 2 else unlike for one in outlines)
    return np.fromiter(found, np.float64, len(outlines))


def polygon_areas(outlines):
    """The area within each polygon, (n,) float64, in square pixels.

    Examples
    --------
    >>> square = np.array([[0, 0], [4, 0], [4, 4], [0, 4]], np.int32)
    >>> polygon_areas([square, square[:2]]).tolist()
    [16.0, 0.0]
    """
    area = cv2.contourArea
    return np.array([area(one) if len(one) > 2 else 0.0 for one in outlines], np.float64)


def any_parent(hierarchy):
    """Whether any of these contours lies in another.

    Examples
    --------
    >>> any_parent(np.array([[1, -1, -1, -1], [-1, 0, -1, -1]]))
    False
    """
    return bool(hierarchy[:, 3].max(initial=-1) >= 0)


def side_by_side(count):
    """The hierarchy of contours none of which lies in another.

    Examples
    --------
    >>> side_by_side(2).tolist()
    [[1, -1, -1, -1], [-1, 0, -1, -1]]
    """
    links, numbers = np.full((count, 4), -1, np.int32), np.arange(count)
    links[:-1, 0], links[1:, 1] = numbers[1:], numbers[:-1]
    return links


def nesting(parents):
    """In how many others each contour lies, by the numbers of their parents, -1 for none.

    Examples
    --------
    >>> nesting(np.array([-1, 0, 1, -1])).tolist()
    [0, 1, 2, 0]
    """
    depths, above = np.zeros(len(parents), int), parents
    while (inside := above >= 0).any():
        depths += inside
        above = np.where(inside, parents[above], -1)
    return depths


def _locked(array):
    array.flags.writeable = False
    return array
