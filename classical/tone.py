"""Tone curves, the same for every pixel: contrast stretching, gamma, brightness, negative."""

import numpy as np

from classical.histogram import channel_histograms, percentiles
from vision.checks import check_choice, check_number, check_order
from vision.kinds import BLENDED, SAME, Kind
from vision.opencv import cv2
from vision.step import Step


class ContrastStretching(Step):
    """The levels between two percentiles spread over the whole range of the dtype.

    Linear; what lies outside is cut off at black or white. Where the two percentiles coincide, as
    in a picture of one level, nothing is changed. (`Normalize` stretches between fixed values,
    and makes 8 bits of whatever comes.)

    Parameters
    ----------
    low, high : float, default=2 and 98
        The percentiles that become black and white, in percent of the pixels. 0 and 100: the
        smallest and the largest value.
    channels : {"together", "separate"}, default="together"
        Whether the channels of a colour image share one pair of percentiles, over all their
        values, which keeps its tint, or each has its own, which evens it out as well.

    Takes a gray image, ``(H, W)``, an rgb one, ``(H, W, 3)``, uint8 or uint16, or a float image.
    Gives the same kind and dtype, over 0 to 255, 65535 or 1; of a mask a gray image.

    Raises
    ------
    ParameterError
        If `low` or `high` is not in 0 to 100, `low` exceeds `high`, or `channels` is unknown.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    R. C. Gonzalez and R. E. Woods, "Digital Image Processing", 4th edition, 2018, section 3.2.

    Examples
    --------
    >>> ContrastStretching(0, 100)(np.array([[100, 110, 120]], np.uint8)).tolist()
    [[0, 128, 255]]
    """

    takes = (Kind.GRAY, Kind.RGB, Kind.FLOAT)
    gives = BLENDED
    dtypes = ("uint8", "uint16")

    def __init__(self, low=2, high=98, channels="together"):
        self.low = low
        self.high = high
        self.channels = channels

    def check_params(self):
        """See `Step.check_params`."""
        check_number("low", self.low, owner=self, at_least=0, at_most=100)
        check_number("high", self.high, owner=self, at_least=0, at_most=100)
        check_order("low", self.low, "high", self.high, owner=self)
        check_choice("channels", self.channels, ("together", "separate"), owner=self)

    def apply(self, image):
        """See `Step.apply`."""
        if image.ndim == 3 and self.channels == "separate":
            return cv2.merge([self._stretched(plane) for plane in cv2.split(image)])
        return self._stretched(image)

    def _stretched(self, image):
        low, high = self._limits(image)
        if low >= high:
            return image.copy()
        most = _most(image)
        return _linear(image, most / (high - low), -low * most / (high - low))

    def _limits(self, image):
        if image.dtype == np.float32:
            return np.percentile(image, (self.low, self.high)).tolist()
        # one channel, as wide as all of them
        counts = channel_histograms(image.reshape(len(image), -1))[0]
        return percentiles(counts, self.low), percentiles(counts, self.high)


class GammaCorrection(Step):
    """The levels raised to a power: below 1 the dark parts become brighter, above 1 darker.

    With the range of the dtype scaled to 0 to 1, the result is the level to the power of `gamma`,
    rounded; black and white stay.

    Parameters
    ----------
    gamma : float
        The exponent, above 0 and at most 100. 1 changes nothing; 0.5 brightens, 2 darkens. (Some
        programs count the other way and raise to 1 / gamma.)

    Takes a gray image, ``(H, W)``, an rgb one, ``(H, W, 3)``, uint8 or uint16, or a float image;
    every channel alike. Gives the same kind and dtype; of a mask a gray image.

    Raises
    ------
    ParameterError
        If `gamma` is not above 0 and at most 100.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    R. C. Gonzalez and R. E. Woods, "Digital Image Processing", 4th edition, 2018, section 3.2.

    Examples
    --------
    >>> GammaCorrection(0.5)(np.array([[0, 64, 255]], np.uint8)).tolist()
    [[0, 128, 255]]
    """

    takes = (Kind.GRAY, Kind.RGB, Kind.FLOAT)
    gives = BLENDED
    dtypes = ("uint8", "uint16")
    example = {"gamma": 0.5}

    def __init__(self, gamma):
        self.gamma = gamma

    def check_params(self):
        """See `Step.check_params`."""
        check_number("gamma", self.gamma, owner=self, above=0, at_most=100)

    def prepare(self):
        """See `Step.prepare`."""
        return {dtype: _power_table(np.iinfo(dtype).max, self.gamma) for dtype in self.dtypes}

    def apply(self, image):
        """See `Step.apply`."""
        if image.dtype == np.uint8:
            return cv2.LUT(image, self._tables["uint8"])
        if image.dtype == np.uint16:
            return self._tables["uint16"].take(image)
        return np.minimum(cv2.pow(image, self.gamma), 1)


def _power_table(most, gamma):
    levels = np.linspace(0, 1, most + 1) ** gamma
    return np.rint(levels * most).astype(np.min_scalar_type(most))


class BrightnessContrast(Step):
    """Every level times `contrast`, plus `brightness`.

    Rounded, and cut off at black and white. To turn the contrast about middle gray instead of
    black, add ``128 * (1 - contrast)`` to `brightness`.

    Parameters
    ----------
    brightness : float, default=0
        What is added, in the image's own unit: gray levels, for a float image a part of 1.
    contrast : float, default=1
        The factor, 0 to 1000.

    Takes a gray image, ``(H, W)``, an rgb one, ``(H, W, 3)``, uint8 or uint16, or a float image;
    every channel alike. Gives the same kind and dtype; of a mask a gray image.

    Raises
    ------
    ParameterError
        If `brightness` is no finite number, or `contrast` not one from 0 to 1000.
    KindError
        If the image is of another kind or dtype.

    Examples
    --------
    >>> levels = np.array([[0, 10, 100, 200]], np.uint8)
    >>> BrightnessContrast(brightness=-20, contrast=1.5)(levels).tolist()
    [[0, 0, 130, 255]]
    """

    takes = (Kind.GRAY, Kind.RGB, Kind.FLOAT)
    gives = BLENDED
    dtypes = ("uint8", "uint16")
    example = {"brightness": -20, "contrast": 1.3}

    def __init__(self, brightness=0, contrast=1):
        self.brightness = brightness
        self.contrast = contrast

    def check_params(self):
        """See `Step.check_params`."""
        check_number("brightness", self.brightness, owner=self)
        check_number("contrast", self.contrast, owner=self, at_least=0, at_most=1000)

    def apply(self, image):
        """See `Step.apply`."""
        return _linear(image, float(self.contrast), float(self.brightness))


class Negative(Step):
    """Bright becomes dark: each level subtracted from the largest.

    255, 65535 or 1 minus the level, in every channel. (`Not` is the same for a mask, and the
    operator ``~``.)

    Takes a gray image or a mask, ``(H, W)``, an rgb image, ``(H, W, 3)``, uint8 or uint16, or a
    float image. Gives the same kind and dtype.

    Raises
    ------
    KindError
        If the image is of another kind or dtype.

    Examples
    --------
    >>> Negative()(np.array([[0, 100, 255]], np.uint8)).tolist()
    [[255, 155, 0]]
    """

    takes = (Kind.GRAY, Kind.RGB, Kind.FLOAT)
    gives = SAME
    dtypes = ("uint8", "uint16")

    def apply(self, image):
        """See `Step.apply`."""
        return cv2.bitwise_not(image) if image.dtype.kind == "u" else np.subtract(1, image)


def _most(image):
    """The level of white."""
    return 1 if image.dtype == np.float32 else int(np.iinfo(image.dtype).max)


def _linear(image, factor, offset):
    """Levels times a factor plus an offset, rounded and cut off as the dtype needs."""
    flat = image.reshape(len(image), -1)
    # OpenCV's linear map of one channel; its convertScaleAbs would fold negative levels back
    changed = cv2.transform(flat, np.array([[factor, offset]])).reshape(image.shape)
    return np.clip(changed, 0, 1, out=changed) if image.dtype == np.float32 else changed
