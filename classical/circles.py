"""Circles by Hough's transform along the gradients."""

import numpy as np

from vision.checks import check_choice, check_integer, check_number
from vision.kinds import Kind
from vision.opencv import cv2
from vision.shapes import Circles
from vision.step import Step

_METHODS = {"gradient_alt": cv2.HOUGH_GRADIENT_ALT, "gradient": cv2.HOUGH_GRADIENT}


class HoughCircles(Step):
    """Circles whose edges many gradients point away from or to.

    Every edge pixel votes for the centres along its gradient; a centre with many votes gets the
    radius that most of its edge pixels agree on.

    Parameters
    ----------
    method : str, default="gradient_alt"
        "gradient_alt" judges each circle by how much of it is edge: fewer false ones, exact
        radii, hardly any setting. "gradient" is the older way, faster: it wants a blurred image,
        a range of radii and `votes` that suit them.
    dp : float, default=1.0
        Size of the cells that centres are counted in, in pixels, at least 1: more is faster and
        as much less exact.
    min_distance : float, default=20.0
        Least distance between two centres, in pixels, above 0.
    high : float, default=300.0
        Upper threshold of the Canny edges on the gradient, in grey levels as Sobel's operator
        (Scharr's with "gradient_alt") counts them, above 0; the lower one is half of it.
    perfectness : float, default=0.8
        With "gradient_alt": how round a circle is at least, above 0 and below 1; 1 is a perfect
        one.
    votes : int, default=30
        With "gradient": votes that a centre exceeds, at least 1. Small circles have few.
    min_radius : int, default=0
        Smallest radius in pixels, at least 0.
    max_radius : int, default=None
        Largest radius in pixels, above `min_radius`; None: the longer side of the image.

    These are `method`, `dp`, `minDist`, `param1`, `param2` (two meanings, so two parameters),
    `minRadius` and `maxRadius` of ``cv2.HoughCircles``, in that order.

    Takes a gray image, ``(H, W)``, uint8. Gives circles, in OpenCV's order, their centres exact to
    about one cell. Jagged edges, as drawings have them, want a `GaussianBlur` first.

    Raises
    ------
    ParameterError
        If a number is out of its range, or `method` is neither.

    References
    ----------
    H. K. Yuen, J. Princen, J. Illingworth and J. Kittler, "Comparative study of Hough transform
    methods for circle finding", Image and Vision Computing 8(1), 1990,
    doi:10.1016/0262-8856(90)90059-E.

    Examples
    --------
    >>> y, x = np.mgrid[:100, :120]
    >>> disc = 180 * np.clip(25.5 - np.hypot(x - 70, y - 40), 0, 1) + 20
    >>> found = HoughCircles()(disc.astype(np.uint8))
    >>> found.centers.round().tolist(), found.radii.round().tolist()
    ([[70.0, 40.0]], [25.0])
    """

    takes = (Kind.GRAY,)
    gives = Kind.CIRCLES

    def __init__(
        self,
        method="gradient_alt",
        dp=1.0,
        min_distance=20.0,
        *,
        high=300.0,
        perfectness=0.8,
        votes=30,
        min_radius=0,
        max_radius=None,
    ):
        self.method = method
        self.dp = dp
        self.min_distance = min_distance
        self.high = high
        self.perfectness = perfectness
        self.votes = votes
        self.min_radius = min_radius
        self.max_radius = max_radius

    def check_params(self):
        """See `Step.check_params`."""
        check_choice("method", self.method, tuple(_METHODS), owner=self)
        check_number("dp", self.dp, owner=self, at_least=1)
        check_number("min_distance", self.min_distance, owner=self, above=0)
        check_number("high", self.high, owner=self, above=0)
        check_number("perfectness", self.perfectness, owner=self, above=0, below=1)
        check_integer("votes", self.votes, owner=self, at_least=1)
        check_integer("min_radius", self.min_radius, owner=self, at_least=0)
        if self.max_radius is not None:
            check_integer("max_radius", self.max_radius, owner=self, at_least=self.min_radius + 1)

    def apply(self, image):
        """See `Step.apply`."""
        found = cv2.HoughCircles(
            image,
            _METHODS[self.method],
            self.dp,
            self.min_distance,
            param1=self.high,
            param2=self.perfectness if self.method == "gradient_alt" else self.votes,
            minRadius=self.min_radius,
            maxRadius=self.max_radius or max(image.shape),
        )
        found = np.empty((0, 3)) if found is None else found.reshape(-1, found.shape[-1])
        return Circles(found[:, :2], found[:, 2], image.shape)
