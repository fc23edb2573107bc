"""Connected regions: numbered, chosen by their form and place, and made a mask again."""

import numbers

import numpy as np

from classical.mask_cleaning import check_connectivity
from classical.ranges import RangeFilter, sides
from vision.checks import refuse
from vision.kinds import Kind
from vision.opencv import cv2
from vision.regions import as_mask
from vision.segmentation import Segmentation
from vision.step import Step


class ConnectedComponents(Step):
    """The connected regions of a mask, each with a number of its own.

    Parameters
    ----------
    connectivity : {8, 4}, default=8
        Whether pixels that touch by a corner are one region.

    What is measured of them, `Segmentation` tells: ``Segmentation(labels).areas``.

    Takes a mask, ``(H, W)``, uint8 of 0 and 255. Gives labels, ``(H, W)``, int32: 0 for the
    background, regions from 1, roughly from the top down.

    Raises
    ------
    ParameterError
        If `connectivity` is neither 8 nor 4.
    KindError
        If the image is no mask.

    References
    ----------
    F. Bolelli, S. Allegretti, L. Baraldi and C. Grana, "Spaghetti Labeling: Directed Acyclic
    Graphs for Block-Based Connected Components Labeling", IEEE Transactions on Image Processing
    29, 2020, doi:10.1109/TIP.2019.2946979.

    Examples
    --------
    >>> ConnectedComponents()(np.array([[255, 255, 0, 0, 255]], np.uint8)).tolist()
    [[1, 1, 0, 0, 2]]
    """

    takes, gives = (Kind.MASK,), Kind.LABELS
    numbers_regions = True

    def __init__(self, connectivity=8):
        self.connectivity = connectivity

    def check_params(self):
        """See `Step.check_params`."""
        check_connectivity(self.connectivity, self)

    def apply(self, image):
        """See `Step.apply`."""
        return cv2.connectedComponents(image, connectivity=self.connectivity)[1]


class FilterRegions(RangeFilter):
    """The regions of a label map whose measures all lie in the ranges given.

    Parameters
    ----------
    area : (low, high), default=None
        In pixels.
    perimeter : (low, high), default=None
        Length of the outer outline through pixel centres, in pixels.
    x, y : (low, high), default=None
        Centre of gravity, in pixels from the left and from the top.
    width, height : (low, high), default=None
        Of the upright box, in pixels.
    aspect_ratio : (low, high), default=None
        Width by height.
    extent : (low, high), default=None
        Area by that of the upright box, 0 to 1.
    solidity : (low, high), default=None
        Area by that of the convex hull, 0 to 1: low with dents or holes.
    circularity : (low, high), default=None
        4 pi area / perimeter^2 of the outer outline, 0 to 1, the area being that within the
        outline through pixel centres: of a disc 0.9 (0.8 of 17 pixels across), a square 0.79.
    eccentricity : (low, high), default=None
        0 for a disc, near 1 for a needle.
    orientation : (low, high), default=None
        Direction of the long axis, degrees in [0, 180), clockwise from the x axis. ``(170, 10)``
        goes round through 0.

    All limits are included; None in a pair is no limit: ``area=(100, None)``. What goes becomes
    background, what stays keeps its number. Of a label in several parts, all count together.

    Takes a label map, ``(H, W)``, int32. Gives a label map.

    Raises
    ------
    ParameterError
        If a range is no pair of numbers or None, or its first exceeds its second.
    KindError
        If the image is no label map.

    Examples
    --------
    >>> labels = np.array([[4, 4, 4, 0, 7, 0, 9, 9]], np.int32)
    >>> FilterRegions(area=(2, None))(labels).tolist()
    [[4, 4, 4, 0, 0, 0, 9, 9]]
    """

    takes, gives = (Kind.LABELS,), Kind.LABELS
    numbers_regions = None
    example = {"area": (100, None)}
    measures = {
        "area": lambda found: found.areas,
        "perimeter": lambda found: found.perimeters,
        "x": lambda found: found.centroids[:, 0],
        "y": lambda found: found.centroids[:, 1],
        "width": lambda found: sides(found)[0],
        "height": lambda found: sides(found)[1],
        "aspect_ratio": lambda found: found.aspect_ratios,
        "extent": lambda found: found.extents,
        "solidity": lambda found: found.solidities,
        "circularity": lambda found: found.circularities,
        "eccentricity": lambda found: found.eccentricities,
        "orientation": lambda found: found.orientations,
    }

    def __init__(
        self,
        area=None,
        perimeter=None,
        x=None,
        y=None,
        width=None,
        height=None,
        aspect_ratio=None,
        extent=None,
        solidity=None,
        circularity=None,
        eccentricity=None,
        orientation=None,
    ):
        self.area = area
        self.perimeter = perimeter
        self.x = x
        self.y = y
        self.width = width
        self.height = height
        self.aspect_ratio = aspect_ratio
        self.extent = extent
        self.solidity = solidity
        self.circularity = circularity
        self.eccentricity = eccentricity
        self.orientation = orientation

    def apply(self, image):
        """See `Step.apply`."""
        found = Segmentation(image)
        gone = found.numbers[~self.within(found)]
        highest = int(found.numbers.max(initial=0))
        if highest > image.size:  # a table over the whole range would outgrow the image
            return np.where(np.isin(image, gone), np.int32(0), image)
        table = np.arange(highest + 1, dtype=np.int32)
        table[gone] = 0
        return np.take(table, image)


class LabelsToMask(Step):
    """The mask of some labels of a label map, or of all but the background.

    Parameters
    ----------
    labels : int or sequence of int, default=None
        Which ones, not negative; None: all but 0.

    Takes a label map, ``(H, W)``, int32. Gives a mask, ``(H, W)``, uint8.

    Raises
    ------
    ParameterError
        If `labels` is no whole number, or none of a sequence.
    KindError
        If the image is no label map.

    Examples
    --------
    >>> LabelsToMask((1, 3))(np.array([[0, 1, 2, 3]], np.int32)).tolist()
    [[0, 255, 0, 255]]
    """

    takes, gives = (Kind.LABELS,), Kind.MASK

    def __init__(self, labels=None):
        self.labels = labels

    def check_params(self):
        """See `Step.check_params`."""
        several = isinstance(self.labels, tuple | list)
        given = self.labels if several else (self.labels,)
        good = self.labels is None or (len(given) and all(map(_is_label, given)))
        if not good:
            allowed = "a whole number of at least 0, several of them, or None"
            refuse("labels", self.labels, allowed, self)

    def apply(self, image):
        """See `Step.apply`."""
        if self.labels is None:
            return cv2.compare(image, np.zeros_like(image), cv2.CMP_NE)
        return as_mask(np.isin(image, self.labels))


def _is_label(value):
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool | np.bool_)
    return whole and value >= 0
