"""A picture kept where a mask is set."""

import numbers

import numpy as np
from sklearn.base import clone

from vision.checks import refuse
from vision.composition import Composable, Edits
from vision.errors import KindError
from vision.flow import chain_kinds, is_stateless
from vision.kinds import SAME, Kind, is_binary
from vision.opencv import cv2
from vision.step import Step


class ApplyMask(Step):
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
    _PREPARED = (*Step._PREPARED, "_edits")

    def __init__(self, mask, fill=0):
        self.mask = mask
        self.fill = fill

    @classmethod
    def make_example(cls):
        """A working instance for the catalogue."""
        from classical.colour import Gray
        from classical.threshold import Otsu

        return cls(Gray() >> Otsu())

    @property
    def takes(self):
        """Rgb and gray images, as far as the mask's steps take them and `fill` suits them."""
        kinds = (Kind.RGB,) if _is_color(self.fill) else (Kind.RGB, Kind.GRAY)
        if not isinstance(self.mask, Composable):
            return kinds
        makes = chain_kinds([self.mask])
        fitting = [kind for kind in kinds if _makes_mask(makes, kind)]
        if not fitting:
            raise KindError(self._no_mask(makes))
        return tuple(fitting)

    @property
    def dtypes(self):
        """8 and 16 bits, as far as the mask's steps take them and `fill` fits in."""
        allowed = getattr(self.mask, "dtypes", ("uint8", "uint16"))
        highest = max(self.fill) if _is_color(self.fill) else self.fill
        narrow = isinstance(highest, numbers.Integral) and highest > 255
        return tuple(dtype for dtype in allowed if not (narrow and dtype == "uint8"))

    @staticmethod
    def _no_mask(makes):
        taken, given = next(iter(makes.items()))
        return (
            "The 'mask' of ApplyMask must make a mask from an rgb or a gray image, but of "
            f"{taken.described} it makes {given.described}. "
            "Put the conversion inside, as in ApplyMask(Gray() >> Otsu())."
        )

    def gives_for(self, kind):
        """The kind that came; of a mask filled with gray, a gray image."""
        masks = kind in (Kind.MASK, Kind.EDGES)
        return kind if self.fill in (0, 255) or not masks else Kind.GRAY

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = isinstance(self.mask, Composable) and not is_stateless(self.mask)
        return tags

    def check_params(self):
        """See `Step.check_params`."""
        if isinstance(self.mask, np.ndarray):
            self._check_fixed()
        elif not isinstance(self.mask, Composable):
            refuse("mask", self.mask, "a step or pipeline that makes a mask, or a mask", self)
        levels = self.fill if _is_color(self.fill) else (self.fill,)
        if not all(_is_level(level) for level in levels):
            refuse("fill", self.fill, "a whole number from 0 to 65535, or three of them", self)
        if isinstance(self.mask, Composable):
            chain_kinds([self])

    def _check_fixed(self):
        mask = self.mask
        if not (mask.ndim == 2 and mask.dtype == np.uint8 and mask.size and is_binary(mask)):
            hint = "A boolean mask is mask.astype(np.uint8) * 255."
            refuse("mask", mask, "an (H, W) uint8 array of 0 and 255", self, hint)

    def make_ready(self):
        """Check again whenever a step within `mask` may have changed."""
        if self.__dict__.get("_edits") != Edits.count:
            edits = Edits.count
            self.__dict__.pop("_ready", None)
            super().make_ready()
            self.__dict__["_edits"] = edits

    def __call__(self, image):
        self.make_ready()
        return super().__call__(image)

    def fit(self, images=None, truth=None):
        """Fit a copy of what makes the mask, if it learns.

        Returns
        -------
        ApplyMask
            Itself.
        """
        if isinstance(self.mask, Composable) and not is_stateless(self.mask):
            self.mask = clone(self.mask).fit(images, truth)
        self.make_ready()
        return self

    def __sklearn_is_fitted__(self):
        from sklearn.exceptions import NotFittedError
        from sklearn.utils.validation import check_is_fitted

        try:
            if not is_stateless(self):
                check_is_fitted(self.mask)
        except NotFittedError:
            return False
        return True

    def apply(self, image):
        """See `Step.apply`."""
        mask = self.mask if isinstance(self.mask, np.ndarray) else self.mask(image)
        if mask.shape != image.shape[:2]:
            raise KindError(self._other_size(mask, image))
        kept = np.full_like(image, self.fill)
        return cv2.copyTo(image, mask, kept)

    def _other_size(self, mask, image):
        return (
            f"ApplyMask needs a mask of the image's size, {image.shape[1]} x {image.shape[0]} "
            f"pixels. Its 'mask' is {mask.shape[1]} x {mask.shape[0]}."
        )


def _makes_mask(makes, kind):
    given = [made for taken, made in makes.items() if kind.fits((taken,))]
    return bool(given) and given[0].fits((Kind.MASK,))


def _is_color(value):
    return isinstance(value, tuple | list) and len(value) == 3


def _is_level(value):
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool | np.bool_)
    return whole and 0 <= value <= 65535
