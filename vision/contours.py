"""Closed outlines of regions, as `FindContours` gives them."""

from dataclasses import dataclass, field
from operator import itemgetter

import numpy as np

from vision.canvas import OUTLINE, stroke
from vision.checks import refuse
from vision.contour_filling import Fillings
from vision.contour_measures import Measures, any_parent, side_by_side
from vision.mapping import check_shape, map_points
from vision.opencv import cv2
from vision.result_base import Result, chosen, described

_new = object.__new__


@dataclass(frozen=True, eq=False, repr=False)
class Contours(Measures, Fillings, Result):
    """Closed outlines of regions.

    ``len(contours)`` counts them; ``contours[0]`` is one's points; a mask, a slice or an array
    of whole numbers gives the `Contours` of the chosen ones: ``found[found.areas > 100]``. What
    is measured of them is listed under `Measures`, what fills them under `Fillings`.

    Parameters
    ----------
    points : tuple of (n_i, 2) int32 arrays
        For each contour its corners (x, y), pixel centres.
    shape : tuple of int
        The (height, width) of the image.
    hierarchy : (n, 4) int32 array or None
        Which contour lies in which, in OpenCV's convention: the number of the next contour in
        the same parent, the previous one, the first child and the parent; -1 for none.

    Raises
    ------
    ParameterError
        If a contour is no array of whole (x, y), or has no point; if the hierarchy is none of
        these contours'; if `shape` is no image's.

    Examples
    --------
    >>> square = np.array([[2, 1], [2, 5], [6, 5], [6, 1]])
    >>> found = Contours((square,), shape=(10, 10))
    >>> found.areas.tolist(), found.boxes.tolist()
    ([16.0], [[2.0, 1.0, 7.0, 6.0]])
    """

    points: tuple
    shape: tuple
    # A factory leaves no class attribute, which would hide the field that is not made yet.
    hierarchy: np.ndarray | None = field(default_factory=lambda: None)

    columns = (
        *("x", "y", "left", "top", "right", "bottom", "area", "perimeter"),
        *("circularity", "solidity", "eccentricity", "orientation"),
    )
    kind = "contours"
    _apart = False  # whether no two regions are known to have a pixel in common

    def __post_init__(self):
        if not isinstance(self.points, tuple | list):
            refuse("points", self.points, "a tuple of arrays, one a contour", self)
        points = tuple(_outline(one) for one in self.points)
        shape = check_shape("shape", self.shape, self)
        hierarchy = _links(self.hierarchy, len(points))
        self._hold(points=points, shape=shape, hierarchy=hierarchy)

    @classmethod
    def from_opencv(cls, points, hierarchy, shape, kept=None, *, apart=False):
        """What ``cv2.findContours`` gave, taken over without copies or checks.

        Parameters
        ----------
        points : sequence of (n_i, 1, 2) int32 arrays
        hierarchy : (1, n, 4) int32 array or None
        shape : tuple of int
            The (height, width) of the image.
        kept : (n,) array of bool, optional
            Which contours are taken; all if not given.
        apart : bool, default=False
            Whether no two regions have a pixel in common, as those of ``cv2.RETR_EXTERNAL``: they
            are filled by one call.

        Returns
        -------
        Contours

        Examples
        --------
        >>> dot = np.array([[[3, 4]]], np.int32)
        >>> Contours.from_opencv((dot,), None, (9, 9))[0].tolist()
        [[3, 4]]
        """
        rows = None if kept is None else np.flatnonzero(kept)
        points = points if rows is None else _taken(points, rows)
        return cls._of(points, hierarchy, shape, rows, apart)

    @classmethod
    def _of(cls, points, hierarchy, shape, rows, apart):
        """Contours that are rows of a hierarchy: some microseconds of every pipeline that ends
        here are saved by making each field on its first use.
        """
        self = _new(cls)
        fields = self.__dict__
        fields["shape"] = shape
        fields["_found"] = points, hierarchy, rows
        fields["_apart"] = apart
        return self

    def __getattr__(self, name):
        # Reached only for what is not there yet: the fields of an instance made by from_opencv.
        if name not in ("points", "hierarchy") or "_found" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        points, hierarchy, rows = self.__dict__["_found"]
        if name == "points":
            self._hold(points=tuple(_locked(one.reshape(-1, 2)) for one in points))
        elif hierarchy is None:
            self._hold(hierarchy=None)
        else:
            links = hierarchy.reshape(-1, 4)
            self._hold(hierarchy=links if rows is None else _selected_links(links, rows))
        return self.__dict__[name]

    def __len__(self):
        return len(self.points)

    def __iter__(self):
        return iter(self.points)

    def __getitem__(self, index):
        rows = chosen(index, len(self), type(self).__name__)
        if not rows.ndim:
            return self.points[rows]
        once = isinstance(index, slice) or getattr(index, "dtype", None) is np.dtype(bool)
        apart = self._apart and once
        return self._of(_taken(self.points, rows), self.hierarchy, self.shape, rows, apart)

    def __repr__(self):
        return f"Contours({len(self)} in {described(self.shape)})"

    def to_detections(self, label=None):
        """The boxes of the contours.

        Parameters
        ----------
        label : str or int, optional
            One for all.

        Returns
        -------
        Detections
        """
        from vision.detections import Detections

        labels = None if label is None else np.array([label] * len(self))
        return Detections(self.boxes, labels=labels, shape=self.shape)

    def _rows(self):
        measures = self.areas, self.perimeters, self.circularities, self.solidities
        columns = *measures, self.eccentricities, self.orientations
        return np.column_stack([self.centroids, self.boxes, *columns]).tolist()

    def _paint(self, canvas):
        def paint(canvas, color, thickness):
            # Smoothed lines take four times as long, and outlines follow the pixels anyway.
            cv2.drawContours(canvas, self.points, -1, color, thickness)

        if self.points:
            stroke(canvas, paint, OUTLINE)

    def _mapped(self, matrix, shape):
        cut = [_cut(map_points(matrix, one), shape) for one in self.points]
        rows = np.flatnonzero([len(one) for one in cut])
        return self._of(_taken(cut, rows), self.hierarchy, shape, rows, apart=False)


def _outline(points):
    array = np.asarray(points)
    whole = array.dtype.kind in "iu" and array.ndim == 2 and array.shape[1] == 2 and len(array)
    if not whole or np.abs(array).max(initial=0) >= 2**31:
        refuse("points", points, "arrays of whole (x, y), shape (n, 2) with n >= 1", "Contours")
    return _locked(array.astype(np.int32))


def _locked(array):
    array.flags.writeable = False
    return array


def _links(hierarchy, count):
    if hierarchy is None:
        return None
    array = np.asarray(hierarchy)
    if array.shape != (count, 4) or (array.size and array.dtype.kind not in "iu"):
        refuse("hierarchy", hierarchy, f"whole numbers of shape ({count}, 4), or None", "Contours")
    if array.size and not (array.min() >= -1 and array.max() < count):
        refuse("hierarchy", hierarchy, f"numbers of contours from -1 to {count - 1}", "Contours")
    return array.astype(np.int32)


def _taken(points, rows):
    if len(rows) > 1:  # one call is a third of the time of many
        return itemgetter(*rows.tolist())(points)
    return tuple(points[row] for row in rows)


def _selected_links(hierarchy, rows):
    """The hierarchy of the chosen contours: a parent left out gives way to its own parent."""
    if not any_parent(hierarchy):
        return side_by_side(len(rows))
    number = np.full(len(hierarchy) + 1, -1)  # one more: -1, for none, stays -1
    number[rows] = np.arange(len(rows))
    parents = hierarchy[rows, 3]
    for _ in range(len(hierarchy)):
        lost = (parents >= 0) & (number[parents] < 0)
        if not lost.any():
            break
        parents[lost] = hierarchy[parents[lost], 3]
    parents = number[parents]
    links = np.full((len(rows), 4), -1, np.int32)
    links[:, 3] = parents
    order = np.argsort(parents, kind="stable")
    siblings = parents[order[1:]] == parents[order[:-1]]
    links[order[:-1][siblings], 0] = order[1:][siblings]
    links[order[1:][siblings], 1] = order[:-1][siblings]
    first = order[np.append(True, ~siblings)] if len(rows) else order
    first = first[parents[first] >= 0]
    links[parents[first], 2] = first
    return links


def _cut(points, shape):
    """A mapped outline cut to an image, by Sutherland and Hodgman, on whole pixels."""
    limit = np.array(shape[::-1])
    for axis in (0, 1):
        points = _half_plane(points, points[:, axis] + 0.5)
        points = _half_plane(points, limit[axis] - 0.5 - points[:, axis])
    return np.rint(points).clip(0, limit - 1).astype(np.int32)


def _half_plane(points, depth):
    """The part of a polygon where the depth of its corners is not negative."""
    inside = depth >= 0
    if inside.all():
        return points
    following, deeper = np.roll(points, -1, axis=0), np.roll(depth, -1)
    crossing = inside != np.roll(inside, -1)
    share = np.divide(depth, depth - deeper, out=np.zeros_like(depth), where=crossing)
    borders = points + (following - points) * share[:, None]
    corners = np.stack([points, borders], axis=1).reshape(-1, 2)
    return corners[np.stack([inside, crossing], axis=1).ravel()]
