"""A picture kept where a mask is set."""

import numbers

import numpy as np

from classical.companion import CompanionStep
from vision.checks import refuse
from vision.conversions import to_mask
from vision.kinds import SAME, Kind, is_binary
from vision.opencv import cv2


class ApplyMask(CompanionStep):
    """The picture where a mask is set, one colour elsewhere.

    Parameters
    ----------
    mask : step, pipeline or (H, W) ndarray
        What makes the mask from the same image, or a fixed mask, uint8 of 0 and 255.
    fill : int or sequence of 3 ints, default=0
        What stands elsewhere: one level for all channels, or (red, green, blue) for rgb images;
        0 to 255, for 16-bit images up to 65535.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8 or uint16, as far as the
    steps of `mask` take it. Gives the same kind, shape and dtype; of a mask, a mask if `fill` is
    0 or 255.

    Raises
    ------
    ParameterError
        If `mask` is no step, pipeline or mask, or `fill` is none of these.
    KindError
        If what `mask` makes of the image is no mask, or one of another size; if the image is of
        another kind or dtype.

    Examples
    --------
    >>> from classical import Threshold
    >>> ApplyMask(Threshold(100), fill=9)(np.array([[50, 150, 250]], np.uint8)).tolist()
    [[9, 150, 250]]
    """

    gives = SAME
    way_out = " Put the conversion inside, as in ApplyMask(Gray() >> Otsu())."

    def __init__(self, mask, fill=0):
        self.mask = mask
        self.fill = fill

    @classmethod
    def make_example(cls):
        """A working instance for the catalogue."""
        from classical.colour import Gray
        from classical.threshold import Otsu

        return cls(Gray() >> Otsu())

    def possible_kinds(self):
        """Rgb and gray images; a colour to fill with is for rgb alone."""
        return (Kind.RGB,) if _is_color(self.fill) else self.kinds

    @property
    def dtypes(self):
        """8 and 16 bits, as far as the mask's steps take them and `fill` fits in."""
        allowed = super().dtypes
        highest = max(self.fill) if _is_color(self.fill) else self.fill
        narrow = isinstance(highest, numbers.Integral) and highest > 255
        return tuple(dtype for dtype in allowed if not (narrow and dtype == "uint8"))

    def gives_for(self, kind):
        """The kind that came; of a mask filled with gray, a gray image."""
        masks = kind in (Kind.MASK, Kind.EDGES)
        return kind if self.fill in (0, 255) or not masks else Kind.GRAY

    def check_params(self):
        """See `Step.check_params`."""
        levels = self.fill if _is_color(self.fill) else (self.fill,)
        if not all(_is_level(level) for level in levels):
            refuse("fill", self.fill, "a whole number from 0 to 65535, or three of them", self)
        super().check_params()

    def check_fixed(self, array):
        """See `CompanionStep.check_fixed`."""
        if not (array.ndim == 2 and array.dtype == np.uint8 and array.size and is_binary(array)):
            allowed = "an (H, W) uint8 array of 0 and 255"
            refuse("mask", array, allowed, self, to_mask(array))

    def apply(self, image):
        """See `Step.apply`."""
        mask = self.made(image)
        self.check_size(mask, image)
        kept = np.full_like(image, self.fill, order="C")  # OpenCV writes into no other
        return cv2.copyTo(image, mask, kept)


def _is_color(value):
    return isinstance(value, tuple | list) and len(value) == 3


def _is_level(value):
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool | np.bool_)
    return whole and 0 <= value <= 65535
