"""Bright or dark spots by many thresholds, chosen by their shape: OpenCV's simple detector."""

import numpy as np

from vision.checks import check_choice, check_integer, check_number, check_order
from vision.keypoints import Keypoints
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step

_COLORS = {"dark": 0, "bright": 255}


class SimpleBlobs(Step):
    """Blobs that stay the same over several thresholds, chosen by area and roundness.

    The image is cut at each threshold; the closed outlines of each cut are blobs if they pass all
    filters; blobs of different cuts whose centres are near are one.

    Parameters
    ----------
    polarity : {"dark", "bright"}, default="dark"
        Blobs darker than their surround, or brighter.
    min_area, max_area : float, default=25 and 5000
        Areas allowed, in square pixels, above 0; `max_area` None: no limit.
    min_circularity : float, default=None
        The least ``4 pi area / perimeter^2``, in (0, 1]: 1 is a disc, 0.785 a square; None: any.
    min_inertia : float, default=0.1
        The least ratio of the squared extent across to that along, in (0, 1]: 1 is a disc, near 0
        a line; None: any.
    min_convexity : float, default=0.9
        The least share of its convex hull that a blob covers, in (0, 1]; None: any.
    min_threshold, max_threshold : float, default=50 and 220
        The first threshold and the limit that none reaches, in gray levels.
    threshold_step : float, default=10
        From one to the next, above 0.
    min_repeatability : int, default=2
        How many cuts must have the blob, at least 1.
    min_distance : float, default=10
        Centres nearer than this, in pixels, above 0, are one blob.

    OpenCV's ``SimpleBlobDetector`` with its defaults, but for `min_convexity`: at 0.95 it misses
    perfect discs of 5, 6 and 8 pixels radius, so coarse are their outlines.

    Takes a gray image, ``(H, W)``, uint8. Gives keypoints, the largest first, with the diameter
    of the blob, twice the median distance from its centre to its outline, as size.

    Raises
    ------
    ParameterError
        If a number is out of its range, a minimum exceeds its maximum, or `polarity` is unknown.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    G. Bradski, "The OpenCV Library", Dr. Dobb's Journal of Software Tools, 2000:
    ``cv2.SimpleBlobDetector``.

    Examples
    --------
    >>> y, x = np.mgrid[:60, :80]
    >>> disc = np.where((x - 50) ** 2 + (y - 20) ** 2 <= 64, 30, 240).astype(np.uint8)
    >>> found = SimpleBlobs()(disc)
    >>> found.points.tolist(), found.sizes.round().tolist()
    ([[50.0, 20.0]], [17.0])
    """

    takes = (Kind.GRAY,)
    gives = Kind.KEYPOINTS

    def __init__(
        self,
        polarity="dark",
        min_area=25,
        max_area=5000,
        min_circularity=None,
        min_inertia=0.1,
        min_convexity=0.9,
        min_threshold=50,
        max_threshold=220,
        threshold_step=10,
        min_repeatability=2,
        min_distance=10,
    ):
        self.polarity = polarity
        self.min_area = min_area
        self.max_area = max_area
        self.min_circularity = min_circularity
        self.min_inertia = min_inertia
        self.min_convexity = min_convexity
        self.min_threshold = min_threshold
        self.max_threshold = max_threshold
        self.threshold_step = threshold_step
        self.min_repeatability = min_repeatability
        self.min_distance = min_distance

    def check_params(self):
        """See `Step.check_params`."""
        check_choice("polarity", self.polarity, tuple(_COLORS), owner=self)
        check_number("min_area", self.min_area, owner=self, above=0)
        if self.max_area is not None:
            check_number("max_area", self.max_area, owner=self, above=0)
            check_order("min_area", self.min_area, "max_area", self.max_area, owner=self)
        for name in ("min_circularity", "min_inertia", "min_convexity"):
            if getattr(self, name) is not None:
                check_number(name, getattr(self, name), owner=self, above=0, at_most=1)
        for name in ("min_threshold", "max_threshold"):
            check_number(name, getattr(self, name), owner=self, at_least=0, at_most=256)
        check_order(
            "min_threshold", self.min_threshold, "max_threshold", self.max_threshold, owner=self
        )
        check_number("threshold_step", self.threshold_step, owner=self, above=0)
        check_integer("min_repeatability", self.min_repeatability, owner=self, at_least=1)
        check_number("min_distance", self.min_distance, owner=self, above=0)

    def apply(self, image):
        """See `Step.apply`."""
        found = cv2.SimpleBlobDetector_create(self._settings()).detect(image)
        found = Keypoints.from_opencv(found, image.shape)
        largest = np.argsort(-found.sizes, kind="stable")
        return Keypoints(found.points[largest], image.shape, found.sizes[largest])

    def _settings(self):
        """OpenCV's settings, new for every call: they can be neither pickled nor copied."""
        settings = cv2.SimpleBlobDetector_Params()
        settings.blobColor = _COLORS[self.polarity]
        settings.minArea = self.min_area
        settings.maxArea = np.finfo(np.float32).max if self.max_area is None else self.max_area
        for name, minimum in (
            ("Circularity", self.min_circularity),
            ("InertiaRatio", self.min_inertia),
            ("Convexity", self.min_convexity),
        ):
            setattr(settings, f"filterBy{name.removesuffix('Ratio')}", minimum is not None)
            if minimum is not None:
                setattr(settings, f"min{name}", minimum)
        settings.minThreshold, settings.maxThreshold = self.min_threshold, self.max_threshold
        settings.thresholdStep = self.threshold_step
        settings.minRepeatability = self.min_repeatability
        settings.minDistBetweenBlobs = self.min_distance
        return settings
