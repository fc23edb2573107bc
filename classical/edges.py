"""Edges of a gray image: Canny, Sobel gradients, and Laplacian of Gaussian."""

import numpy as np

from vision.checks import check_bool, check_choice, check_number, check_order, refuse
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step


def _check_size(name, size, sizes, owner):
    whole = isinstance(size, int | np.integer) and not isinstance(size, bool)
    if not (whole and size in sizes):
        allowed = f"{', '.join(map(str, sizes[:-1]))} or {sizes[-1]}"
        refuse(name, size, allowed, owner)


class Canny(Step):
    """Thin edges of a gray image: local maxima of the gradient, followed from strong to weak.

    Parameters
    ----------
    low, high : float, default=100 and 200
        Hysteresis thresholds on the Sobel gradient, not negative. Above `high` is an edge; above
        `low` only if connected to one. They are in the unit of the raw Sobel sums, as in OpenCV:
        a slope of one gray level a pixel counts 8 with `aperture` 3, and a straight step of
        height h counts 4 h, with aperture 5 48 h, with aperture 7 640 h.
    aperture : {3, 5, 7}, default=3
        Width of the Sobel kernel in pixels.
    l2 : bool, default=False
        Whether the gradient's length is the Euclidean one; else the sum of both absolute parts,
        which is up to 1.4 times as much.

    Nothing is smoothed: put `GaussianBlur` in front of it for a noisy picture.

    Takes a gray image, ``(H, W)``, uint8. Gives an edge mask, ``(H, W)``, uint8: 255 on edges, one
    pixel wide.

    Raises
    ------
    ParameterError
        If a threshold is negative, `low` exceeds `high`, `aperture` is not 3, 5 or 7, or `l2` is
        not True or False.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    J. Canny, "A Computational Approach to Edge Detection", IEEE TPAMI 8(6), 1986,
    doi:10.1109/TPAMI.1986.4767851.

    Examples
    --------
    >>> step = np.zeros((5, 6), np.uint8)
    >>> step[:, 3:] = 255
    >>> Canny()(step)[2].tolist()
    [0, 0, 255, 0, 0, 0]
    """

    takes = (Kind.GRAY,)
    gives = Kind.EDGES

    def __init__(self, low=100, high=200, aperture=3, l2=False):
        self.low = low
        self.high = high
        self.aperture = aperture
        self.l2 = l2

    def check_params(self):
        """See `Step.check_params`."""
        check_number("low", self.low, owner=self, at_least=0)
        check_number("high", self.high, owner=self, at_least=0)
        check_order("low", self.low, "high", self.high, owner=self)
        _check_size("aperture", self.aperture, (3, 5, 7), self)
        check_bool("l2", self.l2, owner=self)

    def apply(self, image):
        """See `Step.apply`."""
        return cv2.Canny(image, self.low, self.high, None, self.aperture, self.l2)


class Sobel(Step):
    """How steep a gray image is at each pixel, or the thin ridges of that: its edges.

    Parameters
    ----------
    size : {1, 3, 5, 7}, default=3
        Width of the kernel in pixels; 1 is the plain difference of the two neighbours. The
        larger, the more is smoothed across the direction of the slope.
    output : {"strength", "edges"}, default="strength"
        The length of the gradient, or an edge mask: its local maxima along the gradient, above
        `threshold`.
    direction : {"both", "x", "y"}, default="both"
        The whole gradient, or its absolute part along one axis: "x" answers to upright edges, "y"
        to level ones.
    threshold : float or "otsu", default="otsu"
        For "edges", the strength that an edge exceeds; "otsu" separates the strengths of this
        image best.

    Strength is in gray levels a pixel whatever the size: a ramp that gains 1 a pixel has strength
    1, a straight step of height h has h/2 with size 1 and 3. OpenCV's raw sums are 2, 8, 128 and
    2048 times as much for sizes 1, 3, 5 and 7. The border is mirrored without repeating its
    pixel: ``c b | a b c | b a``.

    Takes a gray image, ``(H, W)``, uint8 or uint16. Gives a map, ``(H, W)``, float32, or an edge
    mask, ``(H, W)``, uint8: 255 on edges, one pixel wide.

    Raises
    ------
    ParameterError
        If `size`, `output` or `direction` is none of these, or `threshold` is negative or another
        word.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    I. Sobel and G. Feldman, "A 3x3 isotropic gradient operator for image processing", Stanford
    Artificial Intelligence Project, 1968; R. O. Duda and P. E. Hart, "Pattern Classification and
    Scene Analysis", 1973, p. 271.

    Examples
    --------
    >>> ramp = np.tile(np.arange(0, 50, 10, dtype=np.uint8), (4, 1))
    >>> Sobel()(ramp)[1].tolist()
    [0.0, 10.0, 10.0, 10.0, 0.0]
    """

    takes = (Kind.GRAY,)
    dtypes = ("uint8", "uint16")

    def __init__(self, size=3, output="strength", direction="both", threshold="otsu"):
        self.size = size
        self.output = output
        self.direction = direction
        self.threshold = threshold

    @property
    def gives(self):
        """A map, or with ``output="edges"`` an edge mask."""
        return Kind.EDGES if self.output == "edges" else Kind.MAP

    def check_params(self):
        """See `Step.check_params`."""
        _check_size("size", self.size, (1, 3, 5, 7), self)
        check_choice("output", self.output, ("strength", "edges"), owner=self)
        check_choice("direction", self.direction, ("both", "x", "y"), owner=self)
        if isinstance(self.threshold, str):
            check_choice("threshold", self.threshold, ("otsu",), owner=self)
        else:
            check_number("threshold", self.threshold, owner=self, at_least=0)

    def prepare(self):
        """See `Step.prepare`."""
        slope, smooth = (kernel.ravel() for kernel in cv2.getDerivKernels(1, 0, self.size))
        # What a ramp of one level a pixel sums up to, and the most that one level can.
        gain = float(slope @ (np.arange(len(slope)) - len(slope) // 2) * smooth.sum())
        return gain, float(np.abs(slope).sum() / 2 * smooth.sum())

    def apply(self, image):
        """See `Step.apply`."""
        return self._edges(image) if self.output == "edges" else self._strength(image)

    def _gradient(self, image, depth, scale):
        return [
            cv2.Sobel(image, depth, int(axis == "x"), int(axis == "y"), None, self.size, scale)
            if self.direction in (axis, "both")
            else None
            for axis in "xy"
        ]

    def _strength(self, image):
        gain, _ = self._tables
        x, y = self._gradient(image, cv2.CV_32F, 1 / gain)
        if x is None or y is None:
            part = y if x is None else x
            return np.abs(part, out=part)
        # Not cv2.magnitude: its last bit depends on where in memory the arrays lie.
        cv2.multiply(x, x, dst=x)
        cv2.multiply(y, y, dst=y)
        return cv2.sqrt(cv2.add(x, y, dst=x), dst=x)

    def _edges(self, image):
        gain, most = self._tables
        scale = _int16_scale(most * np.iinfo(image.dtype).max)
        x, y = self._gradient(image, cv2.CV_16S, scale)
        x = np.zeros_like(y) if x is None else x
        y = np.zeros_like(x) if y is None else y
        level = self.threshold
        if level == "otsu":
            level = _otsu_level(self._strength(image))
        level *= gain * scale
        # Without a weaker threshold, Canny is non-maximum suppression alone.
        return cv2.Canny(x, y, level, level, L2gradient=True)


def _int16_scale(most):
    """The power of two that brings sums of at most `most` into 16 bits; 1 if they fit."""
    return min(1.0, 2.0 ** np.floor(np.log2(32767 / most)))


def _otsu_level(strength):
    highest = float(strength.max())
    if highest == 0:
        return 0.0
    steps = cv2.multiply(strength, 65535 / highest).astype(np.uint16)
    return cv2.threshold(steps, 0, 255, cv2.THRESH_OTSU)[0] * highest / 65535


class LoG(Step):
    """Laplacian of Gaussian: the curvature of the smoothed image, or its zero crossings as edges.

    Parameters
    ----------
    sigma : float, default=2.0
        Standard deviation of the Gaussian in pixels, at least 0.5: detail smaller than that does
        not show.
    output : {"response", "edges"}, default="response"
        The signed response, or an edge mask: where it changes sign, on the bright side.
    threshold : float, default=20
        For "edges", the height in gray levels of the weakest straight step, upright or level, that
        is an edge; up to 1.4 times that for slanting ones. It is a limit on the response's slope
        at the crossing, threshold / (sqrt(2 pi) sigma^3).

    The response is in gray levels a square pixel, positive on the dark side of an edge, negative
    in the middle of a bright spot; it is not scaled by sigma^2, which a comparison across scales
    needs. The kernels reach 5 sigma; flat and sloping surfaces answer 0, and x^2 + y^2 answers 4.
    The border is mirrored without repeating its pixel: ``c b | a b c | b a``.

    Takes a gray image, ``(H, W)``, uint8 or uint16. Gives a map, ``(H, W)``, float32, or an edge
    mask, ``(H, W)``, uint8: 255 on edges.

    Raises
    ------
    ParameterError
        If `sigma` is below 0.5, `output` is unknown, or `threshold` is negative.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    D. Marr and E. Hildreth, "Theory of edge detection", Proceedings of the Royal Society of
    London B 207, 1980, doi:10.1098/rspb.1980.0020.

    Examples
    --------
    >>> step = np.zeros((9, 8), np.uint8)
    >>> step[:, 4:] = 100
    >>> LoG(1, output="edges")(step)[4].tolist()
    [0, 0, 0, 0, 255, 0, 0, 0]
    """

    takes = (Kind.GRAY,)
    dtypes = ("uint8", "uint16")

    def __init__(self, sigma=2.0, output="response", threshold=20):
        self.sigma = sigma
        self.output = output
        self.threshold = threshold

    @property
    def gives(self):
        """A map, or with ``output="edges"`` an edge mask."""
        return Kind.EDGES if self.output == "edges" else Kind.MAP

    def check_params(self):
        """See `Step.check_params`."""
        check_number("sigma", self.sigma, owner=self, at_least=0.5)
        check_choice("output", self.output, ("response", "edges"), owner=self)
        check_number("threshold", self.threshold, owner=self, at_least=0)

    def prepare(self):
        """See `Step.prepare`."""
        reach = int(np.ceil(5 * self.sigma))
        x = np.arange(-reach, reach + 1.0)
        smooth = np.exp(-(x**2) / (2 * self.sigma**2))
        smooth /= smooth.sum()
        curve = (x**2 / self.sigma**2 - 1) * smooth
        # Sampling leaves a remainder: a flat surface must answer 0 and x^2 its curvature, 2.
        curve -= smooth * curve.sum()
        curve *= 2 / (curve @ x**2)
        # A step of height 1 changes the response by the middle weight from one pixel to the next.
        return smooth, curve, float(self.threshold * -curve[reach])

    def apply(self, image):
        """See `Step.apply`."""
        smooth, curve, slope = self._tables
        response = cv2.sepFilter2D(image, cv2.CV_32F, curve, smooth)
        cv2.add(response, cv2.sepFilter2D(image, cv2.CV_32F, smooth, curve), response)
        return _zero_crossings(response, slope) if self.output == "edges" else response


_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


def _zero_crossings(response, slope):
    """Negative pixels beside one that is not, and higher by more than `slope`."""
    highest = cv2.dilate(response, _CROSS)
    edges = cv2.compare(response, 0, cv2.CMP_LT)
    cv2.bitwise_and(edges, cv2.compare(highest, 0, cv2.CMP_GE), edges)
    steep = cv2.compare(cv2.subtract(highest, response), slope, cv2.CMP_GT)
    return cv2.bitwise_and(edges, steep, edges)
