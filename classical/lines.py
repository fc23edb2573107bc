"""Straight lines through edges: Hough's transform, for whole lines and for segments."""

import numbers

import numpy as np

from vision.checks import check_integer, check_number, refuse
from vision.kinds import Kind
from vision.opencv import cv2
from vision.shapes import Lines
from vision.step import Step


def _is_share(value):
    """Whether a number is a share of the image's diagonal: a fraction, not a whole number."""
    return isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral)


def _check_share(name, value, owner, at_least):
    if _is_share(value):
        good = 0 < value <= 1
    else:
        whole = isinstance(value, numbers.Integral) and not isinstance(value, bool | np.bool_)
        good = whole and value >= at_least
    if not good:
        allowed = (
            f"a whole number of at least {at_least}, in pixels, or a float above 0 and at most 1, "
            "as a share of the image's diagonal"
        )
        refuse(name, value, allowed, owner)


def _pixels(value, shape):
    return value * float(np.hypot(*shape)) if _is_share(value) else value


class HoughLines(Step):
    """The straight lines that most edge pixels lie on, through the whole image.

    Every edge pixel votes for all lines through it. Of lines that lie close to each other the one
    with the most votes is kept.

    Parameters
    ----------
    threshold : int or float, default=0.25
        Votes that a line exceeds: a whole number of pixels, at least 1, or a float above 0 and at
        most 1 as a share of the image's diagonal, so that one pipeline suits images of all sizes.
    rho : float, default=1.0
        Step of the distance from pixel (0, 0), in pixels, above 0.
    theta : float, default=1.0
        Step of the angle in degrees, above 0, at most 90.
    min_distance : float, default=10
        Two lines are close if their distances differ by at most this, in pixels, ...
    min_angle : float, default=10
        ... and their angles by at most this, in degrees, below 90. With both 0 all are kept.
    max_lines : int, default=None
        At most so many, the strongest ones, at least 1; None: no limit.
    min_theta, max_theta : float, default=0 and 180
        Range of the normal's angle in degrees: 0 and 180 are upright lines, 90 level ones.

    Takes an edge mask or another mask, ``(H, W)``, uint8 of 0 and 255. Gives lines, the strongest
    first, with ``rho_theta`` (``x cos(theta) + y sin(theta) = rho``; pixels, radians), their
    votes, and the segments that lie within the image.

    Raises
    ------
    ParameterError
        If a number is out of its range, or `min_theta` is not below `max_theta`.
    KindError
        If the image is no mask.

    References
    ----------
    R. O. Duda and P. E. Hart, "Use of the Hough Transformation to Detect Lines and Curves in
    Pictures", Communications of the ACM 15(1), 1972, doi:10.1145/361237.361242.

    Examples
    --------
    >>> mask = np.zeros((50, 50), np.uint8)
    >>> mask[:, 30] = 255
    >>> found = HoughLines()(mask)
    >>> found.rho_theta.tolist(), found.votes.tolist()
    ([[30.0, 0.0]], [50.0])
    """

    takes = (Kind.EDGES, Kind.MASK)
    gives = Kind.LINES

    def __init__(
        self,
        threshold=0.25,
        rho=1.0,
        theta=1.0,
        min_distance=10,
        min_angle=10,
        max_lines=None,
        min_theta=0,
        max_theta=180,
    ):
        self.threshold = threshold
        self.rho = rho
        self.theta = theta
        self.min_distance = min_distance
        self.min_angle = min_angle
        self.max_lines = max_lines
        self.min_theta = min_theta
        self.max_theta = max_theta

    def check_params(self):
        """See `Step.check_params`."""
        _check_share("threshold", self.threshold, self, at_least=1)
        check_number("rho", self.rho, owner=self, above=0)
        check_number("theta", self.theta, owner=self, above=0, at_most=90)
        check_number("min_distance", self.min_distance, owner=self, at_least=0)
        check_number("min_angle", self.min_angle, owner=self, at_least=0, below=90)
        if self.max_lines is not None:
            check_integer("max_lines", self.max_lines, owner=self, at_least=1)
        check_number("max_theta", self.max_theta, owner=self, above=0, at_most=180)
        check_number("min_theta", self.min_theta, owner=self, at_least=0, below=self.max_theta)

    def prepare(self):
        """See `Step.prepare`."""
        return np.deg2rad([self.theta, self.min_theta, self.max_theta]).tolist()

    def apply(self, image):
        """See `Step.apply`."""
        theta, low, high = self._tables
        votes = int(_pixels(self.threshold, image.shape))
        found = cv2.HoughLinesWithAccumulator(
            image, self.rho, theta, votes, min_theta=low, max_theta=high
        )
        found = np.empty((0, 3)) if found is None else found.reshape(-1, 3).astype(np.float64)
        found = found[self._strongest(found)]
        return Lines.from_rho_theta(found[:, :2], image.shape, found[:, 2])

    def _strongest(self, found):
        """The lines that no stronger one is close to; the strongest come first."""
        rho, theta = found[:, 0], found[:, 1]
        kept, left = [], np.arange(len(found))
        while len(left) and (self.max_lines is None or len(kept) < self.max_lines):
            first, left = left[0], left[1:]
            kept.append(first)
            left = left[~self._close(rho[left], theta[left], rho[first], theta[first])]
        return kept

    def _close(self, rho, theta, first_rho, first_theta):
        if self.min_distance == 0 and self.min_angle == 0:
            return np.zeros(len(rho), bool)
        turn = np.abs(theta - first_theta)
        # (rho, theta) and (-rho, theta + pi) are one line.
        opposite = turn > np.pi / 2
        turn = np.where(opposite, np.pi - turn, turn)
        apart = np.abs(np.where(opposite, -rho, rho) - first_rho)
        return (apart <= self.min_distance) & (turn <= np.deg2rad(self.min_angle) + 1e-9)


class HoughSegments(Step):
    """Straight segments along edges: the progressive probabilistic Hough transform.

    Edge pixels vote one by one in a fixed random order; once a line has enough votes its segments
    are followed along the edges and their pixels vote no more.

    Parameters
    ----------
    threshold : int or float, default=0.06
        Votes that a line exceeds before it is followed: a whole number of pixels, at least 1, or a
        float above 0 and at most 1 as a share of the image's diagonal.
    min_length : int or float, default=0.06
        Shortest segment along x or y, whichever is longer: in pixels, at least 0, or as a share
        of the diagonal.
    max_gap : int or float, default=0.005
        Longest gap within a segment: in pixels, at least 0, or as a share of the diagonal.
    rho : float, default=1.0
        Step of the distance from pixel (0, 0), in pixels, above 0.
    theta : float, default=1.0
        Step of the angle in degrees, above 0, at most 90.
    max_lines : int, default=None
        At most so many, the longest ones, at least 1; None: no limit.

    The same mask gives the same segments, whatever was done before and on any thread.

    Takes an edge mask or another mask, ``(H, W)``, uint8 of 0 and 255. Gives lines, the longest
    first, with their ends in whole pixels.

    Raises
    ------
    ParameterError
        If a number is out of its range.
    KindError
        If the image is no mask.

    References
    ----------
    J. Matas, C. Galambos and J. Kittler, "Robust Detection of Lines Using the Progressive
    Probabilistic Hough Transform", Computer Vision and Image Understanding 78(1), 2000,
    doi:10.1006/cviu.1999.0831.

    Examples
    --------
    >>> mask = np.zeros((50, 50), np.uint8)
    >>> mask[10:41, 30] = 255
    >>> sorted(HoughSegments()(mask).segments[0].reshape(2, 2).tolist())
    [[30.0, 10.0], [30.0, 40.0]]
    """

    takes = (Kind.EDGES, Kind.MASK)
    gives = Kind.LINES

    def __init__(
        self, threshold=0.06, min_length=0.06, max_gap=0.005, rho=1.0, theta=1.0, max_lines=None
    ):
        self.threshold = threshold
        self.min_length = min_length
        self.max_gap = max_gap
        self.rho = rho
        self.theta = theta
        self.max_lines = max_lines

    def check_params(self):
        """See `Step.check_params`."""
        _check_share("threshold", self.threshold, self, at_least=1)
        _check_share("min_length", self.min_length, self, at_least=0)
        _check_share("max_gap", self.max_gap, self, at_least=0)
        check_number("rho", self.rho, owner=self, above=0)
        check_number("theta", self.theta, owner=self, above=0, at_most=90)
        if self.max_lines is not None:
            check_integer("max_lines", self.max_lines, owner=self, at_least=1)

    def apply(self, image):
        """See `Step.apply`."""
        shares = self.threshold, self.min_length, self.max_gap
        votes, length, gap = (_pixels(share, image.shape) for share in shares)
        found = cv2.HoughLinesP(
            image, self.rho, np.deg2rad(self.theta), max(int(votes), 1), None, length, gap
        )
        if found is None:
            return Lines(np.empty((0, 4)), image.shape)
        found = found.reshape(-1, 4)
        lengths = np.hypot(found[:, 2] - found[:, 0], found[:, 3] - found[:, 1])
        longest = np.argsort(-lengths, kind="stable")[: self.max_lines]
        return Lines(found[longest], image.shape)
