"""Ranges and dtypes of intensities: 8 bits, floats, and maps made visible."""

import numpy as np

from vision.checks import check_number, refuse
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step


class ToUint8(Step):
    """The same picture in 8 bits.

    A float image times 255 and a 16-bit one divided by 257 (65535 becomes 255), rounded to the
    nearest; an 8-bit image is copied.

    Takes a float image, or an rgb or gray one, uint8 or uint16. Gives uint8 of the same shape:
    rgb or gray.

    Raises
    ------
    KindError
        If the image is of another kind or dtype.
    ImageError
        If a float image is not finite or leaves [0, 1].

    Examples
    --------
    >>> ToUint8()(np.array([[0, 0.5, 1]], np.float32)).tolist()
    [[0, 128, 255]]
    >>> ToUint8()(np.array([[0, 386, 65535]], np.uint16)).tolist()
    [[0, 2, 255]]
    """

    takes = (Kind.FLOAT, Kind.RGB, Kind.GRAY)
    dtypes = ("uint8", "uint16")
    narrows = True
    _SCALES = {"float32": 255, "uint16": 1 / 257}

    def gives_for(self, kind):
        """The kind that came; a float image may be rgb or gray, which only its shape tells."""
        return Kind.ANY if kind is Kind.FLOAT else kind

    def apply(self, image):
        """See `Step.apply`."""
        scale = self._SCALES.get(image.dtype.name)
        return image.copy() if scale is None else cv2.convertScaleAbs(image, alpha=scale)


class ToFloat(Step):
    """The same picture as a float image: 0 is black, 1 is white.

    8 bits are divided by 255, 16 bits by 65535; a float image is copied.

    Takes an rgb or gray image, uint8 or uint16, or a float image. Gives a float image of the same
    shape, float32, in [0, 1].

    Raises
    ------
    KindError
        If the image is of another kind or dtype.
    ImageError
        If a float image is not finite or leaves [0, 1].

    Examples
    --------
    >>> ToFloat()(np.array([[0, 51, 255]], np.uint8)).tolist()
    [[0.0, 0.20000000298023224, 1.0]]
    """

    takes = (Kind.RGB, Kind.GRAY, Kind.FLOAT)
    gives = Kind.FLOAT
    dtypes = ("uint8", "uint16")

    def apply(self, image):
        """See `Step.apply`."""
        if image.dtype == np.float32:
            return image.copy()
        return np.divide(image, np.iinfo(image.dtype).max, dtype=np.float32)


class Normalize(Step):
    """The values from `low` to `high` spread over 0 to 255, so that a map can be seen and written.

    Linear; what lies outside is cut off at black or white. A constant image becomes black.

    Parameters
    ----------
    low, high : float, default=None
        The values that become 0 and 255, in the image's own unit. None: the image's own minimum
        or maximum, over all channels. Give both where pictures are to be compared: a range taken
        from each image makes the same gray mean something else in every one.

    Takes a map, ``(H, W)``, float32, a gray image, uint8 or uint16, or a float image. Gives uint8
    of the same shape: gray, or rgb for a float image of three channels.

    Raises
    ------
    ParameterError
        If a bound is no finite number, or `low` is not below `high`.
    KindError
        If the image is of another kind or dtype.

    Examples
    --------
    >>> Normalize()(np.array([[-2, 0, 3]], np.float32)).tolist()
    [[0, 102, 255]]
    >>> Normalize(low=0, high=2)(np.array([[-2, 0.4, 3]], np.float32)).tolist()
    [[0, 51, 255]]
    """

    takes = (Kind.MAP, Kind.GRAY, Kind.FLOAT)
    gives = Kind.GRAY
    dtypes = ("uint8", "uint16")
    narrows = True

    def __init__(self, low=None, high=None):
        self.low = low
        self.high = high

    def check_params(self):
        """See `Step.check_params`."""
        for name in ("low", "high"):
            if getattr(self, name) is not None:
                check_number(name, getattr(self, name), owner=self)
        if self.low is not None and self.high is not None and self.low >= self.high:
            refuse("low", self.low, f"below 'high', which is {self.high!r}", self)

    def gives_for(self, kind):
        """Gray; a float image may be rgb or gray, which only its shape tells."""
        return Kind.ANY if kind is Kind.FLOAT else Kind.GRAY

    def prepare(self):
        """See `Step.prepare`."""
        return self.low, self.high

    def apply(self, image):
        """See `Step.apply`."""
        low, high = self._tables
        if low is high is None and _is_wide(image):
            return cv2.normalize(image, None, 0, 255, cv2.NORM_MINMAX, cv2.CV_8U)
        low = float(image.min() if low is None else low)
        high = float(image.max() if high is None else high)
        if low >= high:
            return np.where(image > high, np.uint8(255), np.uint8(0))
        above = cv2.subtract(image, low, dtype=cv2.CV_32F)
        return cv2.multiply(above, 255 / (high - low), dtype=cv2.CV_8U)


def _is_wide(image):
    """Whether the values spread so far that float32 may scale them before shifting them.

    Two pixels tell, or a few: all of them spread no less.
    """
    if _is_far(image.item(0), image.item(image.size // 2)):
        return True
    few = image[:: image.shape[0] // 8 + 1, :: image.shape[1] // 8 + 1]
    return _is_far(float(few.min()), float(few.max()))


def _is_far(one, other):
    return abs(other - one) > 1e-3 * max(abs(one), abs(other))


def clip_like(result, image, *fill):
    """Cut a result off at the range of the image that it was made from, in place.

    Means lie within that range, but their float32 sums leave it by a few units in the last place
    (white becomes 1.0000002), and cubic interpolation by a tenth.

    Parameters
    ----------
    result, image : ndarray
        float32.
    *fill : float
        Values that were mixed in as well, such as a border's.

    Returns
    -------
    ndarray
        `result` itself.

    Examples
    --------
    >>> clip_like(np.float32([[-0.1, 0.5, 1.1]]), np.float32([[0, 1]])).tolist()
    [[0.0, 0.5, 1.0]]
    """
    # fmin and fmax pass over NaN, which would turn every pixel into NaN
    low = min(np.fmin.reduce(image, axis=None), *fill, np.float32(np.inf))
    high = max(np.fmax.reduce(image, axis=None), *fill, np.float32(-np.inf))
    return np.clip(result, low, high, out=result)
