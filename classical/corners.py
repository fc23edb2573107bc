"""Corners of a gray image: Harris, Shi-Tomasi and FAST."""

from operator import attrgetter

import numpy as np

from vision.checks import check_bool, check_choice, check_integer, check_number, refuse
from vision.errors import ImageError
from vision.keypoints import Keypoints
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step

_SETTLED = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 40, 0.001)  # rounds, pixels


class _StructureCorners(Step):
    """Corners where the structure tensor says that the gradient points every way."""

    takes = (Kind.GRAY,)

    @property
    def gives(self):
        """Keypoints, or with ``output="response"`` a map."""
        return Kind.MAP if self.output == "response" else Kind.KEYPOINTS

    def check_params(self):
        """See `Step.check_params`."""
        if self.max_corners is not None:
            check_integer("max_corners", self.max_corners, owner=self, at_least=1)
        check_number("quality", self.quality, owner=self, above=0, at_most=1)
        check_number("min_distance", self.min_distance, owner=self, at_least=0)
        check_integer("block", self.block, owner=self, at_least=1)
        if not (isinstance(self.aperture, int | np.integer) and self.aperture in (3, 5, 7)):
            refuse("aperture", self.aperture, "3, 5 or 7", self)
        check_integer("refine", self.refine, owner=self, at_least=0)
        check_choice("output", self.output, ("corners", "response"), owner=self)

    def _corners(self, image, **harris):
        places, responses = cv2.goodFeaturesToTrackWithQuality(
            image,
            self.max_corners or 0,
            self.quality,
            self.min_distance,
            None,
            blockSize=self.block,
            gradientSize=self.aperture,
            **harris,
        )
        if places is None:
            return Keypoints([], image.shape, responses=[])
        places = places.reshape(-1, 2)
        if self.refine:
            places = self._refined(image, places)
        return _corners(places, image.shape, self.block, responses.ravel().astype(np.float64))

    def _refined(self, image, places):
        needed = 2 * self.refine + 5
        if min(image.shape) < needed:
            raise ImageError(
                f"{self!r} refines corners in pictures of at least {needed} pixels a side. Got "
                f"one of shape {image.shape}; refine=0 leaves corners on whole pixels."
            )
        window = (self.refine, self.refine)
        return cv2.cornerSubPix(image, places, window, (-1, -1), _SETTLED)


class HarrisCorners(_StructureCorners):
    """Corners by Harris and Stephens: the gradient is strong along two directions.

    Parameters
    ----------
    max_corners : int, default=None
        At most so many, the strongest ones; None: no limit.
    quality : float, default=0.01
        A corner's response is at least this share of the strongest in the image, in (0, 1].
    min_distance : float, default=10
        Of corners closer than this, in pixels, the stronger is kept; 0 keeps all local maxima.
    k : float, default=0.04
        How much edges are punished, 0 to 0.25: the response is det(M) - k trace(M)^2.
    block : int, default=3
        Width of the box that M, the products of the gradient's parts, is averaged over, in pixels.
    aperture : {3, 5, 7}, default=3
        Width of the Sobel kernel in pixels.
    refine : int, default=0
        Half the width of the window in which corners are moved to a fraction of a pixel, where
        the gradient all around is at right angles to the way there; 0: whole pixels.
    output : {"corners", "response"}, default="corners"
        The corners, or the response at every pixel.

    The response is OpenCV's: for an image scaled to [0, 1], with Sobel sums divided by
    ``2^(aperture - 1) block``. The border is mirrored without repeating its pixel:
    ``c b | a b c | b a``; its outermost pixels are no corners.

    Takes a gray image, ``(H, W)``, uint8. Gives keypoints, the strongest first, with `block` as
    size and their responses, or a map, ``(H, W)``, float32.

    Raises
    ------
    ParameterError
        If a number is out of its range, or `aperture` or `output` none of these.
    ImageError
        If corners are refined in a picture with a side below ``2 refine + 5`` pixels.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    C. Harris and M. Stephens, "A combined corner and edge detector", Alvey Vision Conference,
    1988, doi:10.5244/C.2.23.

    Examples
    --------
    >>> square = np.zeros((40, 50), np.uint8)
    >>> square[10:30, 15:35] = 200
    >>> sorted(HarrisCorners()(square).points.tolist())
    [[15.0, 10.0], [15.0, 29.0], [34.0, 10.0], [34.0, 29.0]]
    """

    def __init__(
        self,
        max_corners=None,
        quality=0.01,
        min_distance=10,
        k=0.04,
        block=3,
        aperture=3,
        refine=0,
        output="corners",
    ):
        self.max_corners = max_corners
        self.quality = quality
        self.min_distance = min_distance
        self.k = k
        self.block = block
        self.aperture = aperture
        self.refine = refine
        self.output = output

    def check_params(self):
        """See `Step.check_params`."""
        super().check_params()
        check_number("k", self.k, owner=self, at_least=0, at_most=0.25)

    def apply(self, image):
        """See `Step.apply`."""
        if self.output == "response":
            return cv2.cornerHarris(image, self.block, self.aperture, self.k)
        return self._corners(image, useHarrisDetector=True, k=self.k)


class ShiTomasiCorners(_StructureCorners):
    """Corners by Shi and Tomasi, good to track: the gradient's weaker direction is strong too.

    Parameters
    ----------
    max_corners : int, default=None
        At most so many, the strongest ones; None: no limit.
    quality : float, default=0.01
        A corner's response is at least this share of the strongest in the image, in (0, 1].
    min_distance : float, default=10
        Of corners closer than this, in pixels, the stronger is kept; 0 keeps all local maxima.
    block : int, default=3
        Width of the box that M, the products of the gradient's parts, is averaged over, in pixels.
    aperture : {3, 5, 7}, default=3
        Width of the Sobel kernel in pixels.
    refine : int, default=0
        Half the width of the window in which corners are moved to a fraction of a pixel, as in
        `HarrisCorners`; 0: whole pixels.
    output : {"corners", "response"}, default="corners"
        The corners, or the response at every pixel.

    The response is the smaller eigenvalue of M, in OpenCV's unit and with the border of
    `HarrisCorners`.

    Takes a gray image, ``(H, W)``, uint8. Gives keypoints, the strongest first, with `block` as
    size and their responses, or a map, ``(H, W)``, float32.

    Raises
    ------
    ParameterError
        If a number is out of its range, or `aperture` or `output` none of these.
    ImageError
        If corners are refined in a picture with a side below ``2 refine + 5`` pixels.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    J. Shi and C. Tomasi, "Good features to track", CVPR 1994, doi:10.1109/CVPR.1994.323794.

    Examples
    --------
    >>> square = np.zeros((40, 50), np.uint8)
    >>> square[10:30, 15:35] = 200
    >>> sorted(ShiTomasiCorners()(square).points.tolist())
    [[15.0, 10.0], [15.0, 29.0], [34.0, 10.0], [34.0, 29.0]]
    """

    def __init__(
        self,
        max_corners=None,
        quality=0.01,
        min_distance=10,
        block=3,
        aperture=3,
        refine=0,
        output="corners",
    ):
        self.max_corners = max_corners
        self.quality = quality
        self.min_distance = min_distance
        self.block = block
        self.aperture = aperture
        self.refine = refine
        self.output = output

    def apply(self, image):
        """See `Step.apply`."""
        if self.output == "response":
            return cv2.cornerMinEigenVal(image, self.block, ksize=self.aperture)
        return self._corners(image)


_CIRCLE = 7.0  # pixels across


class FAST(Step):
    """Corners by the segment test: an arc of the circle around is all brighter or all darker.

    Parameters
    ----------
    threshold : int, default=20
        How much brighter or darker than the centre, in gray levels, 0 to 255: more than this.
        OpenCV's own 10 gives ten thousand corners on a detailed photograph.
    nonmax_suppression : bool, default=True
        Whether of adjacent corners the strongest alone is kept.

    The arc has 9 of the circle's 16 pixels (FAST-9). Fast, and without a scale or direction; noise
    gives corners unless `threshold` exceeds it.

    Takes a gray image, ``(H, W)``, uint8. Gives keypoints, the strongest first, with the width of
    the circle as size, 7 pixels. Their response is the largest threshold at which they are
    corners; without `nonmax_suppression` it is not computed, and rows come from the top.

    Raises
    ------
    ParameterError
        If `threshold` is no whole number from 0 to 255, or `nonmax_suppression` not True or
        False.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    E. Rosten and T. Drummond, "Machine learning for high-speed corner detection", ECCV 2006,
    doi:10.1007/11744023_34.

    Examples
    --------
    >>> dots = np.zeros((40, 50), np.uint8)
    >>> dots[10, 15], dots[30, 40] = 90, 200
    >>> found = FAST()(dots)
    >>> found.points.tolist(), found.responses.tolist()
    ([[40.0, 30.0], [15.0, 10.0]], [199.0, 89.0])
    """

    takes = (Kind.GRAY,)
    gives = Kind.KEYPOINTS

    def __init__(self, threshold=20, nonmax_suppression=True):
        self.threshold = threshold
        self.nonmax_suppression = nonmax_suppression

    def check_params(self):
        """See `Step.check_params`."""
        check_integer("threshold", self.threshold, owner=self, at_least=0, at_most=255)
        check_bool("nonmax_suppression", self.nonmax_suppression, owner=self)

    def apply(self, image):
        """See `Step.apply`."""
        # OpenCV's other circles, 7 of 12 and 5 of 8, leave out corners that pass the test.
        found = cv2.FastFeatureDetector_create(
            int(self.threshold), bool(self.nonmax_suppression)
        ).detect(image)
        if not found:
            return Keypoints([], image.shape, [], None, [] if self.nonmax_suppression else None)
        points = cv2.KeyPoint_convert(found)
        levels = None
        if self.nonmax_suppression:
            levels = np.fromiter(map(attrgetter("response"), found), np.float64, len(found))
            # Whole numbers below 256: as bytes they are sorted by counting.
            strongest = np.argsort(255 - levels.astype(np.uint8), kind="stable")
            points, levels = points.take(strongest, axis=0), levels.take(strongest)
        return _corners(points, image.shape, _CIRCLE, levels)


def _corners(points, shape, size, responses):
    return Keypoints.unchecked(
        points=points.astype(np.float64),
        shape=shape,
        sizes=np.full(len(points), float(size)),
        angles=None,
        responses=responses,
        descriptors=None,
    )
