"""Filters over a window: Gaussian, median, box, and unsharp mask."""

import numpy as np

from classical.intensity import clip_like
from vision.checks import check_number, check_window, refuse
from vision.errors import KindError
from vision.kinds import BLENDED, SAME, Kind
from vision.opencv import cv2
from vision.step import Step


class GaussianBlur(Step):
    """Every pixel replaced by the Gaussian mean of its neighbours: noise and detail go.

    Parameters
    ----------
    size : int, default=None
        Width of the square window in pixels, odd, at least 1. None: as wide as `sigma` asks for,
        3 sigma to each side for 8 bits and 4 sigma for the others; 5 without a `sigma`.
    sigma : float, default=None
        Standard deviation in pixels, above 0, at most 1,000. None:
        ``0.3 * ((size - 1) / 2 - 1) + 0.8``, so 1.1 for size 5; for small sizes OpenCV has fixed
        weights, at size 5 1 4 6 4 1 over 16.

    A `size` below 6 `sigma` or so cuts the Gaussian off.

    The border is mirrored without repeating its pixel: ``c b | a b c | b a``.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8 or uint16, a float image
    or a map. Gives the same kind, shape and dtype; of a mask it makes a gray image.

    Raises
    ------
    ParameterError
        If `size` is a pair or not odd, or `sigma` is not above 0 and at most 1,000.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    OpenCV, ``cv::GaussianBlur`` and ``cv::getGaussianKernel``.

    Examples
    --------
    >>> dot = np.zeros((5, 5), np.uint8)
    >>> dot[2, 2] = 160
    >>> GaussianBlur(3)(dot)[1:4, 1:4].tolist()
    [[10, 20, 10], [20, 40, 20], [10, 20, 10]]
    """

    revision = 2
    takes = (Kind.RGB, Kind.GRAY, Kind.FLOAT, Kind.MAP)
    gives = BLENDED
    dtypes = ("uint8", "uint16")

    def __init__(self, size=None, sigma=None):
        self.size = size
        self.sigma = sigma

    def check_params(self):
        """See `Step.check_params`."""
        if _is_zero(self.size):
            hint = "Leave it out to have the width follow from 'sigma'."
            refuse("size", self.size, "an odd whole number at least 1, or None", self, hint)
        if _is_zero(self.sigma):
            hint = "Leave it out to have it follow from 'size'."
            refuse("sigma", self.sigma, "a number above 0", self, hint)
        if self.size is not None:
            check_window("size", self.size, owner=self)
        if self.sigma is not None:
            check_number("sigma", self.sigma, owner=self, above=0, at_most=1000)

    def prepare(self):
        """See `Step.prepare`."""
        size = self.size or (0 if self.sigma else 5)
        return (size, size), self.sigma or 0

    def apply(self, image):
        """See `Step.apply`."""
        blurred = cv2.GaussianBlur(image, *self._tables)
        return clip_like(blurred, image) if image.dtype.kind == "f" else blurred


def _is_zero(value):
    """Whether it is 0 or (0, 0), by which OpenCV has one size follow from the other."""
    return value in (0, (0, 0)) if isinstance(value, int | float | tuple) else False


class MedianBlur(Step):
    """Every pixel replaced by the median around it: specks go, edges stay.

    Parameters
    ----------
    size : int, default=5
        Width of the square window in pixels, odd, at least 3. Above 5 OpenCV has it for 8 bits
        only.

    Channels are taken one by one; the border repeats its pixel: ``a a | a b c | c c``.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8; with size 3 or 5 also
    uint16, float images and maps. Gives the same kind, shape and dtype; a mask stays a mask.

    Raises
    ------
    ParameterError
        If `size` is a pair, not odd, or below 3.
    KindError
        If the image is of another kind or dtype, or not of 8 bits with a `size` above 5.

    References
    ----------
    S. Perreault and P. Hebert, "Median filtering in constant time", IEEE Transactions on Image
    Processing 16(9), 2007, doi:10.1109/TIP.2007.902329.

    Examples
    --------
    >>> speck = np.full((5, 5), 40, np.uint8)
    >>> speck[2, 2] = 255
    >>> int(MedianBlur(3)(speck).max())
    40
    """

    gives = SAME
    _WIDE = (3, 5)

    def __init__(self, size=5):
        self.size = size

    @property
    def takes(self):
        """Rgb and gray images; float images and maps too where `size` is 3 or 5."""
        floats = (Kind.FLOAT, Kind.MAP) if self.size in self._WIDE else ()
        return (Kind.RGB, Kind.GRAY, *floats)

    @property
    def dtypes(self):
        """8 bits; 16 too where `size` is 3 or 5."""
        return ("uint8", "uint16") if self.size in self._WIDE else ("uint8",)

    def check_params(self):
        """See `Step.check_params`."""
        check_window("size", self.size, owner=self, at_least=3)

    def admit(self, image):
        """See `Step.admit`."""
        if self.size > 5 and getattr(image, "dtype", None) in (np.uint16, np.float32):
            raise KindError(
                f"MedianBlur with size={self.size} takes 8-bit images: above 5 OpenCV has no "
                f"other. Got {image.dtype}. Put ToUint8() in front, or take MedianBlur(5)."
            )
        super().admit(image)

    def apply(self, image):
        """See `Step.apply`."""
        return cv2.medianBlur(image, self.size)


class BoxBlur(Step):
    """Every pixel replaced by the plain mean of the square around it: the cheapest blur.

    Parameters
    ----------
    size : int, default=5
        Width of the square window in pixels, odd, at least 1.

    The border is mirrored without repeating its pixel: ``c b | a b c | b a``.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8 or uint16, a float image
    or a map. Gives the same kind, shape and dtype; of a mask it makes a gray image.

    Raises
    ------
    ParameterError
        If `size` is a pair, not odd, or below 1.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    M. J. McDonnell, "Box-filtering techniques", Computer Graphics and Image Processing 17(1),
    1981, doi:10.1016/S0146-664X(81)80009-3.

    Examples
    --------
    >>> dot = np.zeros((5, 5), np.uint8)
    >>> dot[2, 2] = 90
    >>> BoxBlur(3)(dot)[2].tolist()
    [0, 10, 10, 10, 0]
    """

    takes = (Kind.RGB, Kind.GRAY, Kind.FLOAT, Kind.MAP)
    gives = BLENDED
    dtypes = ("uint8", "uint16")

    def __init__(self, size=5):
        self.size = size

    def check_params(self):
        """See `Step.check_params`."""
        check_window("size", self.size, owner=self)

    def prepare(self):
        """See `Step.prepare`."""
        return self.size, self.size

    def apply(self, image):
        """See `Step.apply`."""
        return cv2.blur(image, self._tables)


class UnsharpMask(Step):
    """A sharper picture: what a Gaussian blur takes away is added once more.

    Parameters
    ----------
    sigma : float, default=1.0
        Standard deviation of the blur in pixels, above 0: about the width of the edges that are
        to become steeper.
    amount : float, default=1.0
        How much of the difference between the picture and its blur is added, at least 0.

    The result is ``image + amount * (image - blurred)``, cut off at black and white. For 8 and 16
    bits the blur is rounded to whole levels first. The border is mirrored without repeating its
    pixel.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8 or uint16, or a float
    image. Gives the same kind, shape and dtype; of a mask it makes a gray image.

    Raises
    ------
    ParameterError
        If `sigma` is not above 0 or `amount` is negative.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    R. C. Gonzalez and R. E. Woods, "Digital Image Processing", 4th edition, 2018, section 3.6.

    Examples
    --------
    >>> step = np.repeat(np.array([[100, 100, 100, 150, 150, 150]], np.uint8), 3, axis=0)
    >>> UnsharpMask()(step)[1].tolist()
    [100, 97, 85, 165, 153, 150]
    """

    takes = (Kind.RGB, Kind.GRAY, Kind.FLOAT)
    gives = BLENDED
    dtypes = ("uint8", "uint16")

    def __init__(self, sigma=1.0, amount=1.0):
        self.sigma = sigma
        self.amount = amount

    def check_params(self):
        """See `Step.check_params`."""
        check_number("sigma", self.sigma, owner=self, above=0)
        check_number("amount", self.amount, owner=self, at_least=0)

    def apply(self, image):
        """See `Step.apply`."""
        blurred = cv2.GaussianBlur(image, (0, 0), self.sigma)
        sharp = cv2.addWeighted(image, 1 + self.amount, blurred, -self.amount, 0, blurred)
        return np.clip(sharp, 0, 1, out=sharp) if sharp.dtype == np.float32 else sharp
