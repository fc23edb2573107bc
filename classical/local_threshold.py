"""Masks by what surrounds each pixel: adaptive mean, Niblack, Sauvola, hysteresis."""

import numpy as np

from classical.noise import LEVEL
from classical.threshold import check_level, kinds_of_level
from vision.checks import (
    check_bool,
    check_choice,
    check_integer,
    check_number,
    check_order,
    check_window,
    refuse,
)
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step

METHODS = {
    "gaussian": cv2.ADAPTIVE_THRESH_GAUSSIAN_C,
    "mean": cv2.ADAPTIVE_THRESH_MEAN_C,
}


class AdaptiveThreshold(Step):
    """The pixels brighter than their own surroundings: for uneven light.

    Parameters
    ----------
    size : int, default=11
        Width of the square window in pixels, odd, at least 3; wider than what is looked for.
    offset : int, default=2
        What the surroundings' mean is lowered by, in gray levels; OpenCV calls it C. The higher,
        the more counts as bright; negative asks for more than the mean.
    method : {"gaussian", "mean"}, default="gaussian"
        Whether near pixels weigh more, by a Gaussian of the deviation that `GaussianBlur` derives
        from `size`, or all weigh the same. The mean is rounded to whole levels.
    invert : bool, default=False
        Whether what is dark is the object, as ink on paper.

    The border repeats its pixel: ``a a | a b c | c c``.

    Takes a gray image, ``(H, W)``, uint8. Gives a mask, ``(H, W)``, uint8: 255 above mean minus
    `offset`.

    Raises
    ------
    ParameterError
        If `size` is a pair, not odd or below 3, `offset` is not whole, `method` is unknown, or
        `invert` is not True or False.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    OpenCV, ``cv::adaptiveThreshold``; R. C. Gonzalez and R. E. Woods, "Digital Image
    Processing", 4th edition, 2018, section 10.3.

    Examples
    --------
    >>> shade = np.arange(0, 200, 10, dtype=np.uint8)[None].repeat(9, axis=0)
    >>> shade[4, 5] -= 30
    >>> np.argwhere(AdaptiveThreshold(5, offset=9, method="mean", invert=True)(shade)).tolist()
    [[4, 5]]
    """

    takes = (Kind.GRAY,)
    gives = Kind.MASK

    def __init__(self, size=11, offset=2, method="gaussian", invert=False):
        self.size = size
        self.offset = offset
        self.method = method
        self.invert = invert

    def check_params(self):
        """See `Step.check_params`."""
        check_window("size", self.size, owner=self, at_least=3)
        # cv2 rounds a fraction up for one direction and down for the other
        check_integer("offset", self.offset, owner=self)
        check_choice("method", self.method, tuple(METHODS), owner=self)
        check_bool("invert", self.invert, owner=self)

    def prepare(self):
        """See `Step.prepare`."""
        mode = cv2.THRESH_BINARY_INV if self.invert else cv2.THRESH_BINARY
        return METHODS[self.method], mode

    def apply(self, image):
        """See `Step.apply`."""
        method, mode = self._tables
        return cv2.adaptiveThreshold(image, 255, method, mode, self.size, self.offset)


class _Statistics(Step):
    """The base of the two that compare a pixel with the mean and the deviation around it.

    A subclass gives `_level(total, spread, unit)`: the mean, the deviation and the level are all
    times the number of pixels, `unit` is a gray level times that.
    """

    takes = (Kind.GRAY,)
    gives = Kind.MASK
    dtypes = ("uint8", "uint16")

    def apply(self, image):
        """See `Step.apply`."""
        window, pixels = (self.size, self.size), self.size**2
        # Sums, not means: whole numbers are exact, and a flat surface deviates by exactly 0.
        total = cv2.boxFilter(image, cv2.CV_64F, window, normalize=False)
        spread = cv2.sqrBoxFilter(image, cv2.CV_64F, window, normalize=False)
        spread *= pixels
        spread -= total * total
        np.sqrt(np.maximum(spread, 0, out=spread), out=spread)
        level = self._level(total, spread, pixels * LEVEL[image.dtype.name])
        return np.where(np.multiply(image, pixels, dtype=np.float64) > level, *self._tables)

    def prepare(self):
        """See `Step.prepare`."""
        return np.array([[0], [255]] if self.invert else [[255], [0]], np.uint8)


class Niblack(_Statistics):
    """The pixels brighter than the mean around them less a share of the deviation there.

    Parameters
    ----------
    size : int, default=15
        Width of the square window in pixels, odd, at least 3; about as wide as a letter.
    k : float, default=0.2
        How many standard deviations the level lies below the mean; negative: above it.
    invert : bool, default=False
        Whether what is dark is the object, as ink on paper.

    The level is ``mean - k * deviation``. Where nothing but noise surrounds a pixel it follows the
    noise, and a flat surface counts as dark: with `Sauvola` both are bright. The border is mirrored
    without repeating its pixel.

    Takes a gray image, ``(H, W)``, uint8 or uint16. Gives a mask, ``(H, W)``, uint8: 255 above the
    level.

    Raises
    ------
    ParameterError
        If `size` is a pair, not odd or below 3, `k` is no finite number, or `invert` is not True
        or False.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    W. Niblack, "An Introduction to Digital Image Processing", Prentice-Hall, 1986, pp. 115-116.

    Examples
    --------
    >>> stripes = np.array([[200, 40, 210, 50, 190, 40]], np.uint8)
    >>> Niblack(3, invert=True)(stripes).tolist()
    [[0, 255, 0, 255, 0, 255]]
    """

    def __init__(self, size=15, k=0.2, invert=False):
        self.size = size
        self.k = k
        self.invert = invert

    def check_params(self):
        """See `Step.check_params`."""
        check_window("size", self.size, owner=self, at_least=3)
        check_number("k", self.k, owner=self)
        check_bool("invert", self.invert, owner=self)

    def _level(self, total, spread, _):
        spread *= -self.k
        spread += total
        return spread


class Sauvola(_Statistics):
    """The pixels brighter than the mean around them, lowered where there is little contrast.

    Parameters
    ----------
    size : int, default=15
        Width of the square window in pixels, odd, at least 3; about as wide as a letter.
    k : float, default=0.2
        The share of the mean by which the level lies below it where there is no contrast.
    r : float, default=128
        The deviation at which the level is the mean, above 0, in gray levels of 8 bits (on 16-bit
        images the same share of white): the greatest that there can be.
    invert : bool, default=False
        Whether what is dark is the object, as ink on paper.

    The level is ``mean * (1 + k * (deviation / r - 1))``. The border is mirrored without repeating
    its pixel.

    Takes a gray image, ``(H, W)``, uint8 or uint16. Gives a mask, ``(H, W)``, uint8: 255 above the
    level.

    Raises
    ------
    ParameterError
        If `size` is a pair, not odd or below 3, `k` is no finite number, `r` is not above 0, or
        `invert` is not True or False.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    J. Sauvola and M. Pietikainen, "Adaptive document image binarization", Pattern Recognition
    33(2), 2000, doi:10.1016/S0031-3203(99)00055-2.

    Examples
    --------
    >>> paper = np.full((5, 5), 200, np.uint8)
    >>> paper[2, 2], paper[4, 4] = 40, 190
    >>> np.argwhere(Sauvola(3, invert=True)(paper)).tolist()
    [[2, 2]]
    """

    def __init__(self, size=15, k=0.2, r=128, invert=False):
        self.size = size
        self.k = k
        self.r = r
        self.invert = invert

    def check_params(self):
        """See `Step.check_params`."""
        check_window("size", self.size, owner=self, at_least=3)
        check_number("k", self.k, owner=self)
        check_number("r", self.r, owner=self, above=0)
        check_bool("invert", self.invert, owner=self)

    def _level(self, total, spread, unit):
        spread *= self.k / (self.r * unit)
        spread += 1 - self.k
        spread *= total
        return spread


class HysteresisThreshold(Step):
    """The pixels above a high level, and those above a low one that are connected to them.

    Parameters
    ----------
    low, high : float, default=100 and 200
        The two levels, in the image's own unit: 0 to 255 for 8 bits, 0 to 65535 for 16, 0 to 1 for
        a float image, any numbers for a map. Only what is above a level counts.
    connectivity : {8, 4}, default=8
        Whether pixels that touch by a corner are connected, as in `Canny`, or only by a side.

    Takes a gray image, ``(H, W)``, uint8 or uint16, a float one of one channel or a map, such as
    the strength of edges. Gives a mask, ``(H, W)``, uint8.

    Raises
    ------
    ParameterError
        If a level is no finite number or beyond the image's dtype, `low` exceeds `high`, or
        `connectivity` is neither 8 nor 4.
    KindError
        If the image is of another kind or dtype, or a float image of three channels.

    References
    ----------
    J. Canny, "A Computational Approach to Edge Detection", IEEE TPAMI 8(6), 1986, section VII,
    doi:10.1109/TPAMI.1986.4767851.

    Examples
    --------
    >>> line = np.array([[120, 250, 120, 90, 120]], np.uint8)
    >>> HysteresisThreshold()(line).tolist()
    [[255, 255, 255, 0, 0]]
    """

    gives = Kind.MASK
    dtypes = ("uint8", "uint16")

    def __init__(self, low=100, high=200, connectivity=8):
        self.low = low
        self.high = high
        self.connectivity = connectivity

    @property
    def takes(self):
        """A gray image, a float one and a map, as far as the levels lie within their range."""
        return kinds_of_level(self.low, self.high)

    def check_params(self):
        """See `Step.check_params`."""
        check_number("low", self.low, owner=self)
        check_number("high", self.high, owner=self)
        check_order("low", self.low, "high", self.high, owner=self)
        if isinstance(self.connectivity, bool) or self.connectivity not in (4, 8):
            refuse("connectivity", self.connectivity, "8 or 4", self)

    def apply(self, image):
        """See `Step.apply`."""
        check_level("high", self.high, image, self)
        weak = cv2.threshold(image, self.low, 255, cv2.THRESH_BINARY)[1]
        weak = weak if weak.dtype == np.uint8 else weak.astype(np.uint8)
        count, regions = cv2.connectedComponents(weak, connectivity=self.connectivity)
        kept = np.zeros(count, np.uint8)
        kept[regions[image > self.high]] = 255
        return kept[regions]
