"""Contours chosen by their form and place, or by the colour of what they enclose."""

import numpy as np

from classical.companion import CompanionStep
from classical.ranges import RangeFilter, sides
from vision.checks import check_number, refuse
from vision.kinds import Kind
from vision.opencv import cv2


class FilterContours(RangeFilter):
    """The contours whose measures all lie in the ranges given.

    Parameters
    ----------
    area, perimeter : (low, high), default=None
        In square pixels and pixels, of the polygon through pixel centres.
    x, y : (low, high), default=None
        Centre of gravity, in pixels from the left and from the top.
    width, height : (low, high), default=None
        Of the upright box around the pixels.
    aspect_ratio : (low, high), default=None
        Width by height.
    extent : (low, high), default=None
        Area by that of the upright box, 0 to 1.
    solidity : (low, high), default=None
        Area by that of the convex hull, 0 to 1: low with dents.
    circularity : (low, high), default=None
        4 pi area / perimeter^2, 0 to 1: of a drawn disc 0.9 (0.8 of 17 pixels across), a square
        0.79, a line 0.
    eccentricity : (low, high), default=None
        0 for a disc, near 1 for a needle.
    orientation : (low, high), default=None
        Direction of the long axis, degrees in [0, 180), clockwise from the x axis. ``(170, 10)``
        goes round through 0.
    corners : (low, high), default=None
        How many corners `ApproximatePolygons` finds with its default: ``(4, 4)`` for rectangles.

    All limits are included; None in a pair is no limit: ``area=(100, None)``. Only regions are
    judged: a hole stays or goes with its region, what lies in it counts for itself.

    Takes contours. Gives contours, with what is left of the hierarchy.

    Raises
    ------
    ParameterError
        If a range is no pair of numbers or None, or its first exceeds its second.
    KindError
        If what comes is no contours.

    Examples
    --------
    >>> from classical import FindContours
    >>> mask = np.zeros((40, 90), np.uint8)
    >>> mask[10:30, 5:25], mask[18:22, 40:85] = 255, 255
    >>> (FindContours() >> FilterContours(eccentricity=(0.9, None)))(mask).boxes.tolist()
    [[40.0, 18.0, 85.0, 22.0]]
    """

    takes, gives = (Kind.CONTOURS,), Kind.CONTOURS
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
        "corners": lambda found: np.array([len(one) for one in found.approximated()]),
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
        corners=None,
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
        self.corners = corners

    def apply(self, contours):
        """See `Step.apply`."""
        return contours[with_holes(contours, self.within(contours))]


class FilterByColor(CompanionStep):
    """The contours that a finder gives whose mean colour is near a given one.

    Parameters
    ----------
    find : step or pipeline
        Finds contours in the same image: ``Gray() >> Otsu() >> FindContours()``.
    color : sequence of 3 ints
        Red, green and blue, 0 to 255.
    max_distance : float, default=25
        Largest distance of the mean colour in CIELAB, at least 0: 2 is just seen, 25 is another
        shade of the same, 100 black from white.

    The mean is taken over each region's pixels, in RGB as the picture has it: without those of its
    holes where `find` tells these, by ``FindContours(mode="ccomp")`` or "tree". Holes stay or go
    with their regions.

    Takes an rgb image, ``(H, W, 3)``, uint8. Gives contours.

    Raises
    ------
    ParameterError
        If `find` is no step or pipeline, `color` is no colour, or `max_distance` is negative.
    KindError
        If `find` makes no contours of an rgb image.

    References
    ----------
    CIE 15:2004, "Colorimetry", the CIE 1976 L*a*b* colour difference.

    Examples
    --------
    >>> from classical import FindContours, Gray, Threshold
    >>> image = np.zeros((20, 50, 3), np.uint8)
    >>> image[5:15, 5:15], image[5:15, 30:40] = (200, 40, 40), (40, 40, 200)
    >>> find = Gray() >> Threshold(20) >> FindContours()
    >>> FilterByColor(find, (210, 30, 30))(image).boxes.tolist()
    [[5.0, 5.0, 15.0, 15.0]]
    """

    gives = Kind.CONTOURS
    companion_name = "find"
    companion_kinds = (Kind.CONTOURS,)
    fixed = False
    kinds = (Kind.RGB,)
    way_out = " Put the whole chain inside, as in Gray() >> Otsu() >> FindContours()."
    dtypes = ("uint8",)

    def __init__(self, find, color, max_distance=25):
        self.find = find
        self.color = color
        self.max_distance = max_distance

    @classmethod
    def make_example(cls):
        """A working instance for the catalogue."""
        from vision.catalogue import make

        return cls(make("Gray") >> make("Otsu") >> make("FindContours"), (200, 150, 100))

    def check_params(self):
        """See `Step.check_params`."""
        color = np.asarray(self.color) if isinstance(self.color, tuple | list) else np.empty(0)
        whole = color.shape == (3,) and color.dtype.kind in "iu"
        if not (whole and color.min() >= 0 and color.max() <= 255):
            refuse("color", self.color, "(red, green, blue), each a whole number 0 to 255", self)
        check_number("max_distance", self.max_distance, owner=self, at_least=0)
        super().check_params()

    def prepare(self):
        """See `Step.prepare`."""
        return _lab(np.array([self.color]))

    def apply(self, image):
        """See `Step.apply`."""
        contours = self.made(image)
        away = np.linalg.norm(_lab(contours.mean_colors(image)) - self._tables, axis=1)
        return contours[with_holes(contours, away <= self.max_distance)]


def with_holes(contours, kept):
    """Which contours stay if these regions do: holes share the fate of theirs."""
    if not contours.nested:
        return kept
    holes = contours.depths % 2 == 1
    return np.where(holes, kept[contours.hierarchy[:, 3]], kept)


def _lab(colors):
    if not len(colors):
        return np.empty((0, 3))
    return cv2.cvtColor(np.float32(colors / 255)[None], cv2.COLOR_RGB2Lab)[0]
