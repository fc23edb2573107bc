"""Contours turned back into pixels: masks, label maps, and the mean colour of each."""

import numpy as np

from vision.checks import check_measured
from vision.opencv import cv2


class Fillings:
    """What fills the outlines of `Contours`: each region's pixels, those of its holes left out.

    The outline's own pixels belong to the region, also those of the outline of a hole: filling
    what ``FindContours(mode="ccomp")`` found gives its mask back. Without a hierarchy every
    contour is a region without holes. A subclass has `points`, `hierarchy`, `nested`, `depths`,
    `areas`, `boxes`, `shape`, and `_apart`: whether no two regions are known to overlap.
    """

    def to_mask(self):
        """The pixels of all regions together.

        Returns
        -------
        (H, W) ndarray of uint8
            255 within any region, else 0.

        Examples
        --------
        >>> from vision import Contours
        >>> square = np.array([[1, 1], [1, 2], [3, 2], [3, 1]])
        >>> Contours((square,), shape=(3, 5)).to_mask()[1].tolist()
        [0, 255, 255, 255, 0]
        """
        canvas = np.zeros(self.shape, np.uint8)
        if self._apart:
            return cv2.drawContours(canvas, self.points, -1, 255, cv2.FILLED)
        if not self.nested:
            # One by one: in one call, what two have in common would be left out. Dots and lines
            # have no inside and save the call.
            flat, fill = [], cv2.fillPoly
            for one in self.points:
                if len(one) > 2:
                    fill(canvas, (one,), 255)
                else:
                    flat.append(one)
            return cv2.polylines(canvas, flat, True, 255)
        for row, holes in self._regions():
            _fill_over(canvas, self.points[row], holes, 255)
        return canvas

    def to_labels(self):
        """The pixels of each region by number.

        Returns
        -------
        (H, W) ndarray of int32
            ``i + 1`` within the region of contour i, 0 elsewhere; where two overlap, one of them.

        Examples
        --------
        >>> from vision import Contours
        >>> dots = [[0, 0]], [[2, 1]]
        >>> Contours(dots, shape=(2, 3)).to_labels().tolist()
        [[1, 0, 0], [0, 0, 2]]
        """
        canvas = np.zeros(self.shape, np.int32)
        for row, holes in self._regions():
            _fill_over(canvas, self.points[row], holes, row + 1)
        return canvas

    def mean_colors(self, image):
        """The mean of an image over the pixels of each region; of a hole, over all within it.

        Holes are left out where they were found, by ``FindContours(mode="ccomp")`` or "tree".

        Parameters
        ----------
        image : (H, W) or (H, W, 3) ndarray
            Of the contours' `shape`: uint8, uint16 or float32, an image or a map.

        Returns
        -------
        ndarray of float64
            (n, 3) for three channels, in their order and unit; (n,) for one.

        Raises
        ------
        ParameterError
            If it is no such array.

        Examples
        --------
        >>> from vision import Contours
        >>> image = np.array([[10, 20], [30, 40]], np.uint8)
        >>> Contours(([[0, 0], [1, 0]],), shape=(2, 2)).mean_colors(image).tolist()
        [15.0]
        """
        check_measured(image, self.shape, "contours", "Contours.mean_colors")
        channels = 1 if image.ndim == 2 else 3
        means = np.zeros((len(self.points), channels))
        holes = dict(self._regions())
        for row, (left, top, right, bottom) in enumerate(self.boxes.astype(int).tolist()):
            where = np.zeros((bottom - top, right - left), np.uint8)
            _fill(where, self.points[row], holes.get(row, ()), 255, (-left, -top))
            means[row] = cv2.mean(image[top:bottom, left:right], where)[:channels]
        return means[:, 0] if channels == 1 else means

    def _regions(self):
        """The number of each region with the outlines of its holes, outer ones first."""
        if not self.nested:
            return [(row, ()) for row in range(len(self.points))]
        depths, holes = self.depths, {}
        for row in np.flatnonzero(depths % 2):
            holes.setdefault(self.hierarchy[row, 3], []).append(self.points[row])
        # With the mode "ccomp" a region in a hole is as deep as the one around it, but smaller.
        outer_first = np.argsort(-self.areas, kind="stable")
        rows = outer_first[depths[outer_first] % 2 == 0].tolist()
        return [(row, holes.get(row, ())) for row in rows]


def _fill_over(canvas, outline, holes, value):
    """Fill a region among others: what lies in its holes stays."""
    if not holes:
        cv2.fillPoly(canvas, [outline], value)
        return
    corner = outline.min(axis=0)
    width, height = outline.max(axis=0) - corner + 1
    inside = np.zeros((height, width), np.uint8)
    _fill(inside, outline, holes, 1, tuple((-corner).tolist()))
    left, top = np.maximum(corner, 0)
    x, y = np.maximum(-corner, 0)
    place = canvas[top : max(top, corner[1] + height), left : max(left, corner[0] + width)]
    where = inside[y : y + len(place), x : x + place.shape[1]].view(bool)
    np.copyto(place, value, where=where)


def _fill(canvas, outline, holes, value, offset=(0, 0)):
    cv2.fillPoly(canvas, [outline], value, offset=offset)
    for hole in holes:
        cv2.fillPoly(canvas, [hole], 0, offset=offset)
        # The outline of a hole runs through pixels of the region.
        cv2.polylines(canvas, [hole + np.array(offset, np.int32)], True, value)
