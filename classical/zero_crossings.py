"""Edges as the zero crossings of a second derivative: Laplacian, LoG and DoG."""

import numpy as np

from classical.gradients import check_size
from vision.checks import check_choice, check_number
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


class SecondDerivative(Step):
    """The base of the three: a signed response, and where it changes sign.

    A subclass gives `_laplacian(image)`, positive on the dark side of an edge, and ends its
    `self._tables` with the change of that from one pixel to the next across a step of height 1.
    """

    takes = (Kind.GRAY,)
    dtypes = ("uint8", "uint16")

    @property
    def gives(self):
        """A map, or with ``output="edges"`` an edge mask."""
        return Kind.EDGES if self.output == "edges" else Kind.MAP

    def check_params(self):
        """See `Step.check_params`."""
        check_choice("output", self.output, ("response", "strength", "edges"), owner=self)
        check_number("threshold", self.threshold, owner=self, at_least=0)

    def apply(self, image):
        """See `Step.apply`."""
        if self.output == "response":
            return self._response(image)
        change = self._tables[-1]
        crossing, strength = _zero_crossings(self._laplacian(image))
        strength /= np.float32(change)
        if self.output == "edges":
            crossing &= strength > self.threshold
            return crossing.view(np.uint8) * np.uint8(255)
        return np.where(crossing, strength, np.float32(0))

    def _response(self, image):
        return self._laplacian(image)


def _zero_crossings(response):
    """Where a negative pixel lies beside one that is not, and how far below the highest beside."""
    highest = cv2.dilate(response, _CROSS)
    # Not by cv2.compare: beside a number it takes an array of one or four for numbers too.
    crossing = response < 0
    crossing &= highest >= 0
    return crossing, cv2.subtract(highest, response, highest)


class Laplacian(SecondDerivative):
    """The sum of both second derivatives of a gray image, or its zero crossings as edges.

    Parameters
    ----------
    size : {1, 3, 5, 7}, default=1
        Width of the kernel in pixels; 1 compares a pixel with its four neighbours, the others
        smooth across the direction of each derivative.
    output : {"response", "strength", "edges"}, default="response"
        The signed response; the strength of its zero crossings, 0 elsewhere: the height in gray
        levels of the straight step, upright or level, that crosses as steeply (up to 1.4 times the
        height of slanting ones); or an edge mask: where the strength exceeds `threshold`.
    threshold : float, default=20
        For "edges", the strength that an edge exceeds, in gray levels.

    Nothing else is smoothed, and noise has zero crossings everywhere: put `GaussianBlur` in front,
    or take `LoG`. The response is in gray levels a square pixel, positive on the dark side of an
    edge; x^2 + y^2 answers 4 whatever the size. The raw sums of ``cv2.Laplacian`` are 1, 4, 128
    and 2048 times as much for sizes 1, 3, 5 and 7. An edge lies on the bright side. The border is
    mirrored without repeating its pixel: ``c b | a b c | b a``.

    Takes a gray image, ``(H, W)``, uint8 or uint16. Gives a map, ``(H, W)``, float32, or an edge
    mask, ``(H, W)``, uint8: 255 on edges.

    Raises
    ------
    ParameterError
        If `size` or `output` is none of these, or `threshold` is negative.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    R. C. Gonzalez and R. E. Woods, "Digital Image Processing", 4th edition, 2018, sections 3.6
    and 10.2.

    Examples
    --------
    >>> dot = np.zeros((3, 5), np.uint8)
    >>> dot[1, 2] = 10
    >>> Laplacian()(dot)[1].tolist()
    [0.0, 10.0, -40.0, 10.0, 0.0]
    """

    def __init__(self, size=1, output="response", threshold=20):
        self.size = size
        self.output = output
        self.threshold = threshold

    def check_params(self):
        """See `Step.check_params`."""
        check_size("size", self.size, (1, 3, 5, 7), owner=self)
        super().check_params()

    def prepare(self):
        """See `Step.prepare`."""
        curve, smooth = (kernel.ravel() for kernel in cv2.getDerivKernels(2, 0, self.size))
        x = np.arange(len(curve)) - len(curve) // 2
        gain = float(curve @ x**2 / 2 * smooth.sum())
        return gain, float(-curve[len(curve) // 2] * smooth.sum() / gain)

    def _laplacian(self, image):
        return cv2.Laplacian(image, cv2.CV_32F, None, self.size, 1 / self._tables[0])


class LoG(SecondDerivative):
    """Laplacian of Gaussian: the curvature of the smoothed image, or its zero crossings as edges.

    Parameters
    ----------
    sigma : float, default=2.0
        Standard deviation of the Gaussian in pixels, at least 0.5: detail smaller than that does
        not show.
    output : {"response", "strength", "edges"}, default="response"
        The signed response; the strength of its zero crossings, 0 elsewhere: the height in gray
        levels of the straight step, upright or level, that crosses as steeply (up to 1.4 times the
        height of slanting ones); or an edge mask: where the strength exceeds `threshold`.
    threshold : float, default=20
        For "edges", the strength that an edge exceeds, in gray levels.

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

    def __init__(self, sigma=2.0, output="response", threshold=20):
        self.sigma = sigma
        self.output = output
        self.threshold = threshold

    def check_params(self):
        """See `Step.check_params`."""
        check_number("sigma", self.sigma, owner=self, at_least=0.5)
        super().check_params()

    def prepare(self):
        """See `Step.prepare`."""
        x, smooth = _gaussian(self.sigma, reach=5)
        curve = (x**2 / self.sigma**2 - 1) * smooth
        # Sampling leaves a remainder: a flat surface must answer 0 and x^2 its curvature, 2.
        curve -= smooth * curve.sum()
        curve *= 2 / (curve @ x**2)
        return smooth, curve, float(-curve[len(curve) // 2])

    def _laplacian(self, image):
        smooth, curve, _ = self._tables
        response = cv2.sepFilter2D(image, cv2.CV_32F, curve, smooth)
        return cv2.add(response, cv2.sepFilter2D(image, cv2.CV_32F, smooth, curve), response)


def _gaussian(sigma, reach):
    """The places of a kernel that reaches `reach` deviations to each side, and its weights."""
    radius = int(np.ceil(reach * sigma))
    x = np.arange(-radius, radius + 1.0)
    weights = np.exp(-(x**2) / (2 * sigma**2))
    return x, weights / weights.sum()


class DoG(SecondDerivative):
    """Difference of two Gaussian blurs: what is of one size, or its zero crossings as edges.

    Parameters
    ----------
    sigma : float, default=2.0
        Standard deviation of the narrow Gaussian in pixels, at least 0.5: detail smaller than that
        does not show.
    ratio : float, default=1.6
        How many times as wide the other is, above 1. With 1.6 the difference is nearest to a
        Laplacian of Gaussian.
    output : {"response", "strength", "edges"}, default="response"
        The signed response; the strength of its zero crossings, 0 elsewhere: the height in gray
        levels of the straight step, upright or level, that crosses as steeply (up to 1.4 times the
        height of slanting ones); or an edge mask: where the strength exceeds `threshold`.
    threshold : float, default=20
        For "edges", the strength that an edge exceeds, in gray levels.

    The response is the narrow blur less the wide one, in gray levels: positive in the middle of a
    bright spot and on the bright side of an edge, the sign opposite to that of `LoG`. The kernels
    reach 4 sigma. An edge lies on the bright side. The border is mirrored without repeating its
    pixel: ``c b | a b c | b a``.

    Takes a gray image, ``(H, W)``, uint8 or uint16. Gives a map, ``(H, W)``, float32, or an edge
    mask, ``(H, W)``, uint8: 255 on edges.

    Raises
    ------
    ParameterError
        If `sigma` is below 0.5, `ratio` is not above 1, `output` is unknown, or `threshold` is
        negative.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    D. Marr and E. Hildreth, "Theory of edge detection", Proceedings of the Royal Society of
    London B 207, 1980, appendix B, doi:10.1098/rspb.1980.0020.

    Examples
    --------
    >>> step = np.zeros((9, 8), np.uint8)
    >>> step[:, 4:] = 100
    >>> DoG(1, output="edges")(step)[4].tolist()
    [0, 0, 0, 0, 255, 0, 0, 0]
    """

    def __init__(self, sigma=2.0, ratio=1.6, output="response", threshold=20):
        self.sigma = sigma
        self.ratio = ratio
        self.output = output
        self.threshold = threshold

    def check_params(self):
        """See `Step.check_params`."""
        check_number("sigma", self.sigma, owner=self, at_least=0.5)
        check_number("ratio", self.ratio, owner=self, above=1)
        super().check_params()

    def prepare(self):
        """See `Step.prepare`."""
        _, narrow = _gaussian(self.sigma, reach=4)
        _, wide = _gaussian(self.ratio * self.sigma, reach=4)
        return narrow, wide, float(narrow[len(narrow) // 2] - wide[len(wide) // 2])

    def _blurred(self, image):
        return [cv2.sepFilter2D(image, cv2.CV_32F, one, one) for one in self._tables[:2]]

    def _response(self, image):
        narrow, wide = self._blurred(image)
        return cv2.subtract(narrow, wide, narrow)

    def _laplacian(self, image):
        narrow, wide = self._blurred(image)
        return cv2.subtract(wide, narrow, wide)
