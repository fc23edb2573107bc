"""From gray or colour to a mask: a colour range, a fixed level, Otsu's and the triangle's."""

import numbers

import numpy as np

from vision.checks import check_bool, check_choice, check_number, refuse
from vision.errors import KindError
from vision.kinds import BLENDED, Kind
from vision.opencv import cv2
from vision.step import Step

MODES = {
    "binary": cv2.THRESH_BINARY,
    "binary_inv": cv2.THRESH_BINARY_INV,
    "trunc": cv2.THRESH_TRUNC,
    "tozero": cv2.THRESH_TOZERO,
    "tozero_inv": cv2.THRESH_TOZERO_INV,
}
# The channels of each colour space: name, lowest and highest value.
CHANNELS = {
    "hsv": (("hue", 0, 179), ("saturation", 0, 255), ("value", 0, 255)),
    "rgb": (("red", 0, 255), ("green", 0, 255), ("blue", 0, 255)),
    "hls": (("hue", 0, 179), ("lightness", 0, 255), ("saturation", 0, 255)),
    "ycrcb": (("Y", 0, 255), ("Cr", 0, 255), ("Cb", 0, 255)),
    "cmyk": (("cyan", 0, 255), ("magenta", 0, 255), ("yellow", 0, 255), ("black", 0, 255)),
    "lab": (("L", 0, 100), ("a", -128, 127), ("b", -128, 127)),
    "gray": (("gray", 0, 255),),
}


class InRange(Step):
    """The pixels whose colour lies between two bounds.

    Parameters
    ----------
    space : {"hsv", "rgb", "hls", "ycrcb", "cmyk", "lab", "gray"}
        The colour space of the bounds, and so of the image: nothing is converted.
    low, high : sequence of 3 numbers, of 4 for "cmyk", or one number for "gray"
        The bounds of each channel, both included. Whole numbers from 0 to 255, a hue ("hsv" and
        "hls") to 179; in "lab" any numbers, L 0 to 100, a and b -128 to 127. A hue may run from a
        higher to a lower number: (170, ...) to (10, ...) is red, from 170 to 179 and from 0 to 10.

    Takes an image of that colour space: uint8, ``(H, W, 3)``, ``(H, W, 4)`` for "cmyk" or
    ``(H, W)`` for "gray", and float32, ``(H, W, 3)``, for "lab". Gives a mask, ``(H, W)``, uint8:
    255 where every channel is in range.

    Raises
    ------
    ParameterError
        If `space` is unknown, a bound is out of its channel's range or not one number a channel,
        or a channel other than hue has its `low` above its `high`.
    KindError
        If the image is of another kind or dtype.

    Examples
    --------
    >>> hsv = np.array([[[175, 200, 200], [5, 200, 200], [60, 200, 200]]], np.uint8)
    >>> InRange("hsv", (170, 120, 70), (10, 255, 255))(hsv).tolist()
    [[255, 255, 0]]
    """

    gives = Kind.MASK
    example = {"space": "hsv", "low": (35, 60, 60), "high": (85, 255, 255)}

    def __init__(self, space, low, high):
        self.space = space
        self.low = low
        self.high = high

    @property
    def takes(self):
        """The kind of the colour space alone; anything while `space` is unknown."""
        known = isinstance(self.space, str) and self.space in CHANNELS
        return (Kind(self.space) if known else Kind.ANY,)

    @property
    def dtypes(self):
        """8 bits; Lab is float32."""
        return () if self.space == "lab" else ("uint8",)

    def check_params(self):
        """See `Step.check_params`."""
        check_choice("space", self.space, tuple(CHANNELS), owner=self)
        low, high = self._bounds("low"), self._bounds("high")
        for (channel, *_), least, most in zip(CHANNELS[self.space], low, high, strict=True):
            if least > most and channel != "hue":
                refuse("low", self.low, f"at most 'high', {self.high!r}, in {channel}", self)

    def _bounds(self, name):
        """The bounds as a tuple with one checked number a channel."""
        value, channels = getattr(self, name), CHANNELS[self.space]
        bounds = (value,) if isinstance(value, numbers.Real) else value
        if not (_is_row(bounds) and len(bounds) == len(channels) and self._inside(bounds)):
            kind = "number" if self.space == "lab" else "whole number"
            count = f"one {kind}" if len(channels) == 1 else f"{len(channels)} {kind}s"
            ranges = ", ".join(f"{channel} {least} to {most}" for channel, least, most in channels)
            refuse(name, value, f"{count} for space={self.space!r}: {ranges}", self)
        return tuple(map(float, bounds))

    def _inside(self, bounds):
        number = numbers.Real if self.space == "lab" else numbers.Integral
        return all(
            isinstance(bound, number) and not isinstance(bound, bool) and least <= bound <= most
            for bound, (_, least, most) in zip(bounds, CHANNELS[self.space], strict=True)
        )

    def prepare(self):
        """See `Step.prepare`."""
        low, high = self._bounds("low"), self._bounds("high")
        if low[0] <= high[0]:
            return self._limits(low, high), None
        return self._limits(low, (179, *high[1:])), self._limits((0, *low[1:]), high)

    def _limits(self, *bounds):
        # OpenCV reads arrays faster than tuples, but takes an array of one for a picture.
        if len(bounds[0]) == 1:
            return bounds
        return tuple(np.array(b, np.float32 if self.space == "lab" else np.uint8) for b in bounds)

    def apply(self, image):
        """See `Step.apply`."""
        limits, wrapped = self._tables
        mask = cv2.inRange(image, *limits)
        if wrapped is not None:
            cv2.bitwise_or(mask, cv2.inRange(image, *wrapped), dst=mask)
        return mask


def _is_row(value):
    return isinstance(value, tuple | list) or (isinstance(value, np.ndarray) and value.ndim == 1)


class Threshold(Step):
    """The pixels above a fixed level.

    Parameters
    ----------
    value : float, default=127
        The level, in the image's own unit: 0 to 255 for 8 bits, 0 to 65535 for 16, 0 to 1 for a
        float image, any number for a map. Only what is above it counts.
    mode : {"binary", "binary_inv", "trunc", "tozero", "tozero_inv"}, default="binary"
        What becomes of a pixel above the level, and of the others: 255 and 0; 0 and 255; the
        level and unchanged; unchanged and 0; 0 and unchanged. For 8 and 16 bits the level is
        rounded down first, which only "trunc" shows.

    Takes a gray image, ``(H, W)``, uint8 or uint16, a float one of one channel or a map. Gives a
    mask, ``(H, W)``, uint8, in the two binary modes; the others give the kind and dtype that came,
    and of a mask a gray image.

    Raises
    ------
    ParameterError
        If `mode` is unknown, or `value` is no finite number or beyond the image's dtype.
    KindError
        If the image is of another kind or dtype, or a float image of three channels.

    Examples
    --------
    >>> Threshold(100)(np.array([[99, 100, 101]], np.uint8)).tolist()
    [[0, 0, 255]]
    >>> Threshold(100, mode="trunc")(np.array([[99, 100, 101]], np.uint8)).tolist()
    [[99, 100, 100]]
    """

    dtypes = ("uint8", "uint16")

    def __init__(self, value=127, mode="binary"):
        self.value = value
        self.mode = mode

    @property
    def takes(self):
        """A gray image, a float one and a map, as far as `value` lies within their range."""
        return kinds_of_level(self.value)

    @property
    def gives(self):
        """A mask in the two binary modes; in the others the kind that came."""
        return Kind.MASK if self.mode in ("binary", "binary_inv") else BLENDED

    def check_params(self):
        """See `Step.check_params`."""
        check_number("value", self.value, owner=self)
        check_choice("mode", self.mode, tuple(MODES), owner=self)

    def prepare(self):
        """See `Step.prepare`."""
        value = float(self.value)
        return value, MODES[self.mode], 1 if value <= 255 else None

    def apply(self, image):
        """See `Step.apply`."""
        value, mode, size = self._tables
        if image.itemsize == size:
            return cv2.threshold(image, value, 255, mode)[1]
        check_level("value", value, image, self)
        result = cv2.threshold(image, value, 255, mode)[1]
        return result.astype(np.uint8) if self.gives is Kind.MASK else result


def kinds_of_level(*levels):
    """The one-channel kinds in whose range the levels lie.

    Examples
    --------
    >>> [kind.value for kind in kinds_of_level(0.5)], [kind.value for kind in kinds_of_level(-3)]
    (['gray', 'float', 'map'], ['map'])
    """
    numeric = [level for level in levels if isinstance(level, numbers.Real)]
    gray = all(0 <= level <= 65535 for level in numeric)
    unit = all(0 <= level <= 1 for level in numeric)
    return (*[Kind.GRAY] * gray, *[Kind.FLOAT] * unit, Kind.MAP)


def check_level(name, level, image, owner):
    """Refuse a level that an 8-bit image cannot reach, and an image that has three channels."""
    if image.dtype == np.uint8:
        if level > 255:
            refuse(name, getattr(owner, name), "at most 255 for an 8-bit image", owner)
    elif image.ndim == 3:
        raise KindError(
            f"{type(owner).__name__} takes one channel. Got a float image of three; Gray() makes "
            "it gray."
        )


class _Chosen(Step):
    """The base of the two whose level OpenCV chooses for each image."""

    takes = (Kind.GRAY,)
    gives = Kind.MASK

    def __init__(self, invert=False):
        self.invert = invert

    def check_params(self):
        """See `Step.check_params`."""
        check_bool("invert", self.invert, owner=self)

    def threshold(self, image):
        """The level chosen for an image.

        Parameters
        ----------
        image : ndarray
            A gray image that the step takes.

        Returns
        -------
        float
            In the image's own unit; the bright class lies above it.

        Raises
        ------
        KindError
            If the image is of another kind or dtype.
        """
        self.make_ready()
        self.admit(image)
        return cv2.threshold(image, 0, 255, self._tables)[0]

    def prepare(self):
        """See `Step.prepare`."""
        return self._method | (cv2.THRESH_BINARY_INV if self.invert else cv2.THRESH_BINARY)

    def apply(self, image):
        """See `Step.apply`."""
        mask = cv2.threshold(image, 0, 255, self._tables)[1]
        return mask if mask.dtype == np.uint8 else mask.astype(np.uint8)


class Otsu(_Chosen):
    """The pixels above the level that separates dark and bright best.

    The level leaves the two classes the smallest variance within, over the image's histogram. An
    image of one level has no two classes: its level is 0, so it is all white unless it is black.

    Parameters
    ----------
    invert : bool, default=False
        Whether the dark class is the object: 255 at and below the level.

    Takes a gray image, ``(H, W)``, uint8 or uint16. Gives a mask, ``(H, W)``, uint8.

    Raises
    ------
    ParameterError
        If `invert` is not True or False.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    N. Otsu, "A Threshold Selection Method from Gray-Level Histograms", IEEE Transactions on
    Systems, Man, and Cybernetics 9(1), 1979, doi:10.1109/TSMC.1979.4310076.

    Examples
    --------
    >>> coins = np.array([[10, 12, 11, 200, 210]], np.uint8)
    >>> Otsu()(coins).tolist(), Otsu().threshold(coins)
    ([[0, 0, 0, 255, 255]], 12.0)
    """

    dtypes = ("uint8", "uint16")
    _method = cv2.THRESH_OTSU


class Triangle(_Chosen):
    """The pixels above the foot of the histogram's only peak: for small objects on much background.

    A line is drawn from the top of the histogram's highest peak to the end of its longer tail; the
    level is where the histogram lies farthest below that line.

    Parameters
    ----------
    invert : bool, default=False
        Whether the dark class is the object: 255 at and below the level.

    Takes a gray image, ``(H, W)``, uint8. Gives a mask, ``(H, W)``, uint8.

    Raises
    ------
    ParameterError
        If `invert` is not True or False.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    G. W. Zack, W. E. Rogers and S. A. Latt, "Automatic measurement of sister chromatid exchange
    frequency", Journal of Histochemistry and Cytochemistry 25(7), 1977, doi:10.1177/25.7.70454.

    Examples
    --------
    >>> sky = np.full((8, 8), 30, np.uint8)
    >>> sky[2, 3:5] = 200, 90
    >>> np.argwhere(Triangle()(sky)).tolist()
    [[2, 3], [2, 4]]
    """

    _method = cv2.THRESH_TRIANGLE
