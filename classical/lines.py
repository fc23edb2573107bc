"""Straight lines: Hough's transform for whole lines and for segments, and gradient regions."""

import math
import numbers

import numpy as np

from vision.checks import check_choice, check_integer, check_number, refuse
from vision.kinds import Kind
from vision.opencv import cv2
from vision.shapes import Lines
from vision.step import Step

_DEGREE = np.pi / 180
_UNITS = ("pixels", "diagonal")


def _check_extent(name, value, unit, owner, *, whole=False):
    """Refuse what is no length (or, if `whole`, no count of votes) in the unit asked for."""
    if value is None:
        return
    good = isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)
    if unit == "diagonal":
        allowed = "None or a number above 0 and at most 1, a share of the image's diagonal"
        if not (good and 0 < value <= 1):
            refuse(name, value, allowed, owner, "Pixels are meant by unit='pixels'.")
    elif whole:
        if not (good and isinstance(value, numbers.Integral) and value >= 1):
            hint = "Shares of the image's diagonal are meant by unit='diagonal'."
            refuse(name, value, "None or a whole number of at least 1", owner, hint)
    elif not (good and math.isfinite(value) and value >= 0):
        refuse(name, value, "None or a number of pixels of at least 0", owner)


def _check_radians(name, value, owner, *, most, most_name):
    good = isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)
    if not (good and 0 < value <= most):
        allowed = f"an angle in radians above 0 and at most {most_name}"
        refuse(name, value, allowed, owner, "One degree is np.pi / 180.")


def _pixels(value, unit, shape, share):
    """A length in pixels; by default the share of the diagonal."""
    if value is None:
        return share * math.hypot(*shape)
    return value * math.hypot(*shape) if unit == "diagonal" else value


def _longest_first(segments, most):
    ways = segments[:, 2:] - segments[:, :2]
    return segments[np.argsort(-np.hypot(*ways.T), kind="stable")[:most]]


class HoughLines(Step):
    """The straight lines that most edge pixels lie on, through the whole image.

    Every edge pixel votes for all lines through it. A thick or uneven edge gives several lines
    that nearly agree: `MergeLines` makes them one.

    Parameters
    ----------
    rho : float, default=1.0
        Step of the distance from pixel (0, 0), in pixels, above 0.
    theta : float, default=np.pi / 180
        Step of the angle in radians, above 0, at most pi / 4.
    threshold : int or float, default=None
        Votes that a line exceeds, in the `unit`; None: a fifth of the image's diagonal.
    min_theta, max_theta : float, default=0 and np.pi
        Range of the normal's angle in radians, from 0 to pi: at both ends lines are upright, at
        pi / 2 level.
    max_lines : int, default=None
        At most so many, the strongest ones, at least 1; None: no limit.
    unit : str, default="pixels"
        Of `threshold`: "pixels", whole and at least 1, or "diagonal", a share of the image's
        diagonal above 0 and at most 1, so that one pipeline suits images of all sizes.

    The first three stand in the order and units of ``cv2.HoughLines`` and give the same lines.

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
    >>> found = HoughLines(1, np.pi / 180, 40)(mask)
    >>> found.rho_theta.tolist(), found.votes.tolist()
    ([[30.0, 0.0]], [50.0])
    """

    takes = (Kind.EDGES, Kind.MASK)
    gives = Kind.LINES

    def __init__(
        self,
        rho=1.0,
        theta=_DEGREE,
        threshold=None,
        *,
        min_theta=0.0,
        max_theta=np.pi,
        max_lines=None,
        unit="pixels",
    ):
        self.rho = rho
        self.theta = theta
        self.threshold = threshold
        self.min_theta = min_theta
        self.max_theta = max_theta
        self.max_lines = max_lines
        self.unit = unit

    def check_params(self):
        """See `Step.check_params`."""
        check_number("rho", self.rho, owner=self, above=0)
        _check_radians("theta", self.theta, self, most=np.pi / 4, most_name="pi / 4")
        check_choice("unit", self.unit, _UNITS, owner=self)
        _check_extent("threshold", self.threshold, self.unit, self, whole=True)
        _check_radians("max_theta", self.max_theta, self, most=np.pi, most_name="pi")
        check_number("min_theta", self.min_theta, owner=self, at_least=0, below=self.max_theta)
        if self.max_lines is not None:
            check_integer("max_lines", self.max_lines, owner=self, at_least=1)

    def apply(self, image):
        """See `Step.apply`."""
        votes = int(_pixels(self.threshold, self.unit, image.shape, 0.2))
        found = cv2.HoughLinesWithAccumulator(
            image,
            self.rho,
            self.theta,
            votes,
            min_theta=self.min_theta,
            max_theta=self.max_theta,
        )
        return Lines.from_opencv(None if found is None else found[: self.max_lines], image.shape)


class HoughSegments(Step):
    """Straight segments along edges: the progressive probabilistic Hough transform.

    Edge pixels vote one by one in a fixed random order; once a line has enough votes its segments
    are followed along the edges and their pixels vote no more.

    Parameters
    ----------
    rho : float, default=1.0
        Step of the distance from pixel (0, 0), in pixels, above 0.
    theta : float, default=np.pi / 180
        Step of the angle in radians, above 0, at most pi / 4.
    threshold : int or float, default=None
        Votes that a line reaches before it is followed, in the `unit`; None: 0.06 of the image's
        diagonal.
    min_length : float, default=None
        Shortest segment along x or y, whichever is longer, in the `unit`; None: 0.06 of the
        diagonal. OpenCV's own default is 0.
    max_gap : float, default=None
        Longest gap within a segment, in the `unit`; None: 0.005 of the diagonal. OpenCV's own
        default is 0.
    max_lines : int, default=None
        At most so many, the longest ones, at least 1; None: no limit.
    unit : str, default="pixels"
        Of `threshold`, `min_length` and `max_gap`: "pixels" (votes whole and at least 1, lengths
        at least 0), or "diagonal", shares of the image's diagonal above 0 and at most 1.

    The first three stand in the order and units of ``cv2.HoughLinesP``. The same mask gives the
    same segments, whatever was done before and on any thread.

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
        self,
        rho=1.0,
        theta=_DEGREE,
        threshold=None,
        *,
        min_length=None,
        max_gap=None,
        max_lines=None,
        unit="pixels",
    ):
        self.rho = rho
        self.theta = theta
        self.threshold = threshold
        self.min_length = min_length
        self.max_gap = max_gap
        self.max_lines = max_lines
        self.unit = unit

    def check_params(self):
        """See `Step.check_params`."""
        check_number("rho", self.rho, owner=self, above=0)
        _check_radians("theta", self.theta, self, most=np.pi / 4, most_name="pi / 4")
        check_choice("unit", self.unit, _UNITS, owner=self)
        _check_extent("threshold", self.threshold, self.unit, self, whole=True)
        _check_extent("min_length", self.min_length, self.unit, self)
        _check_extent("max_gap", self.max_gap, self.unit, self)
        if self.max_lines is not None:
            check_integer("max_lines", self.max_lines, owner=self, at_least=1)

    def apply(self, image):
        """See `Step.apply`."""
        votes = _pixels(self.threshold, self.unit, image.shape, 0.06)
        length = _pixels(self.min_length, self.unit, image.shape, 0.06)
        gap = _pixels(self.max_gap, self.unit, image.shape, 0.005)
        found = cv2.HoughLinesP(image, self.rho, self.theta, max(int(votes), 1), None, length, gap)
        if found is None:
            return Lines(np.empty((0, 4)), image.shape)
        found = found.reshape(-1, 4).astype(np.float64)
        return Lines(_longest_first(found, self.max_lines), image.shape)


class LineSegmentDetector(Step):
    """Straight segments where the grey levels change, to a fraction of a pixel (LSD).

    Neighbouring pixels whose gradients agree grow into regions; what is as thin as a line is one.
    Needs no edge mask and hardly any setting.

    Parameters
    ----------
    refine : str, default="standard"
        "none" takes the regions as they grow, "standard" breaks curved ones into straight pieces,
        "advanced" also drops what chance would give (see `log_eps`).
    scale : float, default=0.8
        The image is looked at in this size, above 0, at most 1: less finds coarser lines, faster.
    sigma_scale : float, default=0.6
        The blur before that has this sigma divided by `scale`, in pixels, above 0.
    quant : float, default=2.0
        Largest error of a grey level by quantisation: weaker gradients are passed over; at
        least 0.
    ang_th : float, default=22.5
        Gradients within a region agree to this angle, in degrees, above 0 and below 180.
    log_eps : float, default=0
        For "advanced": lines are kept if ``-log10`` of the number of false alarms exceeds this.
    density_th : float, default=0.7
        Least share of a line's rectangle that its region fills, at least 0 and at most 1.
    n_bins : int, default=1024
        Bins in which pixels are sorted by gradient, at least 1.
    min_length : float, default=0
        Shorter segments are left out, in pixels, at least 0.
    max_lines : int, default=None
        At most so many, the longest ones, at least 1; None: no limit.

    Names and defaults are those of ``cv2.createLineSegmentDetector``. Its segments lie
    ``0.5 / scale - 0.5`` pixels too far left and up (0.125 by default); here they are in their
    place.

    Takes a gray image, ``(H, W)``, uint8. Gives lines, the longest first, each with the brighter
    side on its left as it is walked from its first to its second end; with "advanced" their votes
    are ``-log10`` of the number of false alarms.

    Raises
    ------
    ParameterError
        If a number is out of its range or `refine` is no such way.

    References
    ----------
    R. Grompone von Gioi, J. Jakubowicz, J.-M. Morel and G. Randall, "LSD: a Line Segment
    Detector", Image Processing On Line 2, 2012, doi:10.5201/ipol.2012.gjmr-lsd.

    Examples
    --------
    >>> image = np.full((60, 80), 40, np.uint8)
    >>> image[:, 30:] = 200
    >>> found = LineSegmentDetector(scale=1)(image)
    >>> len(found), found.segments[0, [0, 2]].round(2).tolist()
    (1, [29.5, 29.5])
    """

    takes = (Kind.GRAY,)
    gives = Kind.LINES

    def __init__(
        self,
        refine="standard",
        scale=0.8,
        sigma_scale=0.6,
        quant=2.0,
        ang_th=22.5,
        log_eps=0.0,
        density_th=0.7,
        n_bins=1024,
        *,
        min_length=0.0,
        max_lines=None,
    ):
        self.refine = refine
        self.scale = scale
        self.sigma_scale = sigma_scale
        self.quant = quant
        self.ang_th = ang_th
        self.log_eps = log_eps
        self.density_th = density_th
        self.n_bins = n_bins
        self.min_length = min_length
        self.max_lines = max_lines

    def check_params(self):
        """See `Step.check_params`."""
        check_choice("refine", self.refine, tuple(_REFINE), owner=self)
        check_number("scale", self.scale, owner=self, above=0, at_most=1)
        check_number("sigma_scale", self.sigma_scale, owner=self, above=0)
        check_number("quant", self.quant, owner=self, at_least=0)
        check_number("ang_th", self.ang_th, owner=self, above=0, below=180)
        check_number("log_eps", self.log_eps, owner=self)
        check_number("density_th", self.density_th, owner=self, at_least=0, at_most=1)
        check_integer("n_bins", self.n_bins, owner=self, at_least=1)
        check_number("min_length", self.min_length, owner=self, at_least=0)
        if self.max_lines is not None:
            check_integer("max_lines", self.max_lines, owner=self, at_least=1)

    def apply(self, image):
        """See `Step.apply`."""
        # Built for each image: the detector keeps the image that it works on.
        detector = cv2.createLineSegmentDetector(
            _REFINE[self.refine],
            self.scale,
            self.sigma_scale,
            self.quant,
            self.ang_th,
            self.log_eps,
            self.density_th,
            self.n_bins,
        )
        segments, _, _, false_alarms = detector.detect(image)
        if segments is None:
            return Lines(np.empty((0, 4)), image.shape)
        segments = segments.reshape(-1, 4).astype(np.float64) + (0.5 / self.scale - 0.5)
        lengths = np.hypot(segments[:, 2] - segments[:, 0], segments[:, 3] - segments[:, 1])
        kept = np.argsort(-lengths, kind="stable")
        kept = kept[lengths[kept] >= self.min_length][: self.max_lines]
        votes = None if false_alarms is None else false_alarms.ravel()[kept]
        return Lines(segments[kept], image.shape, votes=votes)


_REFINE = {
    "none": cv2.LSD_REFINE_NONE,
    "standard": cv2.LSD_REFINE_STD,
    "advanced": cv2.LSD_REFINE_ADV,
}
