"""What can be measured of the regions of a label map: properties, a row for each label."""

import functools

import numpy as np

from vision import contour_shapes as shapes
from vision.checks import check_measured
from vision.opencv import cv2
from vision.regions import region_corners, region_moments


class RegionMeasures:
    """The measures of `Segmentation`: of the pixels of each label but 0, labels ascending.

    Pixels are squares, so a rectangle of w x h of them has area w h and solidity 1. Only
    `perimeters` and `circularities` follow the outline through pixel centres, as those of
    `Contours` do, and by circularities the area within that outline is meant, not `areas`. A
    subclass has `labels` and ``_regions``.
    """

    @functools.cached_property
    def _counted(self):
        """The labels that occur, and how often: in half the time of the whole table."""
        if "_regions" in self.__dict__ or self.labels.max() > 4 * self.labels.size:
            return self._regions[:2]
        counts = np.bincount(self.labels.ravel())
        counts[0] = 0
        numbers = np.flatnonzero(counts)
        return numbers, counts[numbers]

    @property
    def numbers(self):
        """The labels that occur, ascending, without the background 0, (n,)."""
        return self._counted[0]

    @property
    def areas(self):
        """In pixels, (n,)."""
        return self._counted[1]

    @property
    def boxes(self):
        """The upright box xyxy, (n, 4), right and bottom open."""
        return self._regions[2]

    @property
    def centroids(self):
        """The mean (x, y) of the pixel centres, (n, 2)."""
        return self._regions[3]

    @functools.cached_property
    def ellipses(self):
        """The ellipse with the centre and second moments of each region, (n, 5).

        Centre x, y, long and short axis (whole ones), and the direction of the long one in
        degrees, in [0, 180), from the x axis clockwise (towards the y axis, which points down).
        """
        table = region_moments(self.labels)
        return _locked(shapes.moment_ellipses(table[:, 1:3], *table[:, 3:].T))

    @property
    def orientations(self):
        """Direction of the long axis of each ellipse, (n,), degrees in [0, 180), clockwise."""
        return self.ellipses[:, 4]

    @functools.cached_property
    def eccentricities(self):
        """How long each ellipse is, (n,): 0 for a disc or a pixel, near 1 for a needle."""
        return _locked(shapes.eccentricities(self.ellipses))

    @functools.cached_property
    def equivalent_diameters(self):
        """Diameter of the disc of the same area, (n,), in pixels."""
        return _locked(2 * np.sqrt(self.areas / np.pi))

    @functools.cached_property
    def aspect_ratios(self):
        """Width by height of each upright box, (n,)."""
        width, height = (self.boxes[:, 2:] - self.boxes[:, :2]).T
        return _locked(width / height)

    @functools.cached_property
    def extents(self):
        """Area by that of the upright box, (n,), 0 to 1."""
        return _locked(self.areas / np.prod(self.boxes[:, 2:] - self.boxes[:, :2], axis=1))

    @functools.cached_property
    def hull_areas(self):
        """Area of the convex hull of each region's pixels, (n,), in square pixels."""
        hulls = [cv2.convexHull(one) for one in region_corners(self.labels)]
        return _locked(np.array([cv2.contourArea(hull) for hull in hulls], np.float64))

    @functools.cached_property
    def solidities(self):
        """Area by that of the convex hull, (n,), 0 to 1: 1 without any dent or hole."""
        return _locked(self.areas / self.hull_areas)

    @functools.cached_property
    def _outlines(self):
        """Of each label the length of its outer outlines and the area within them, (n, 2)."""
        table = np.zeros((len(self.areas), 2))
        for row, (number, box) in enumerate(zip(self.numbers, self.boxes.tolist(), strict=True)):
            left, top, right, bottom = box
            part = (self.labels[top:bottom, left:right] == number).view(np.uint8)
            outer = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
            table[row, 0] = sum(cv2.arcLength(one, True) for one in outer)
            table[row, 1] = sum(cv2.contourArea(one) for one in outer)
        return table

    @property
    def perimeters(self):
        """Length of the outer outlines of each label through pixel centres, (n,), in pixels."""
        return self._outlines[:, 0]

    @functools.cached_property
    def circularities(self):
        """4 pi A / P^2 of the outer outlines, (n,), 0 to 1: of a disc 0.9, holes filled."""
        return _locked(shapes.circularities(self._outlines[:, 1], self.perimeters))

    def mean_colors(self, image):
        """The mean of an image over the pixels of each label.

        Parameters
        ----------
        image : (H, W) or (H, W, 3) ndarray
            Of the label map's size: uint8, uint16 or float32, an image or a map.

        Returns
        -------
        ndarray of float64
            (n, 3) for three channels, in their order and unit; (n,) for one.

        Raises
        ------
        ParameterError
            If it is no such array.
        """
        check_measured(image, self.labels.shape, "label map", "Segmentation.mean_colors")
        inside = self.labels != 0
        rows = np.searchsorted(self.numbers, self.labels[inside])
        pixels = image[inside].reshape(len(rows), 1 if image.ndim == 2 else 3)
        sums = [np.bincount(rows, channel, len(self.areas)) for channel in pixels.T]
        means = np.column_stack(sums) / self.areas[:, None]
        return means if image.ndim == 3 else means[:, 0]


def _locked(array):
    array.flags.writeable = False
    return array
