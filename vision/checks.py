"""Checks of parameters: each message names the parameter, what is allowed and what came."""

import math
import numbers

import numpy as np

from vision.errors import ParameterError
from vision.nearest import did_you_mean


def _owner_name(owner):
    return owner if isinstance(owner, str) else type(owner).__name__


def refuse(name, value, allowed, owner, hint=""):
    """Raise a `ParameterError` in the toolkit's one wording.

    Examples
    --------
    >>> refuse("size", -1, "a whole number of at least 1", "Resize")
    Traceback (most recent call last):
    ...
    vision.errors.ParameterError: The 'size' of Resize must be a whole number of at least 1.
    Got -1.
    """
    shown = repr(value)
    if isinstance(value, np.ndarray):
        shown = f"an array of shape {value.shape} and dtype {value.dtype}"
    elif len(shown) > 200:
        shown = shown[:200] + "..."
    message = f"The '{name}' of {_owner_name(owner)} must be {allowed}. Got {shown}."
    raise ParameterError(f"{message} {hint}".strip())


def _bounds(at_least, above, at_most, below):
    parts = []
    if at_least is not None:
        parts.append(f"at least {at_least}")
    if above is not None:
        parts.append(f"above {above}")
    if at_most is not None:
        parts.append(f"at most {at_most}")
    if below is not None:
        parts.append(f"below {below}")
    return " and ".join(parts)


def _inside(value, at_least, above, at_most, below):
    return (
        (at_least is None or value >= at_least)
        and (above is None or value > above)
        and (at_most is None or value <= at_most)
        and (below is None or value < below)
    )


def check_number(name, value, *, owner, at_least=None, above=None, at_most=None, below=None):
    """Refuse anything but a finite real number within the bounds.

    Examples
    --------
    >>> check_number("sigma", 1.5, owner="GaussianBlur", above=0)
    >>> check_number("sigma", "big", owner="GaussianBlur", above=0)
    Traceback (most recent call last):
    ...
    vision.errors.ParameterError: The 'sigma' of GaussianBlur must be a number above 0. Got 'big'.
    """
    good = isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)
    if not (good and math.isfinite(value) and _inside(value, at_least, above, at_most, below)):
        allowed = f"a number {_bounds(at_least, above, at_most, below)}".strip()
        refuse(name, value, allowed, owner)


def check_integer(name, value, *, owner, at_least=None, at_most=None, odd=False):
    """Refuse anything but a whole number within the bounds (an odd one where asked).

    Examples
    --------
    >>> check_integer("size", 4, owner="MedianBlur", at_least=3, odd=True)
    Traceback (most recent call last):
    ...
    vision.errors.ParameterError: The 'size' of MedianBlur must be an odd whole number at least 3.
    Got 4.
    """
    good = isinstance(value, numbers.Integral) and not isinstance(value, bool | np.bool_)
    if not (good and _inside(value, at_least, None, at_most, None) and (not odd or value % 2)):
        kind = "an odd whole number" if odd else "a whole number"
        refuse(name, value, f"{kind} {_bounds(at_least, None, at_most, None)}".strip(), owner)


def check_window(name, size, *, owner, at_least=1, odd=True):
    """Refuse anything but one whole number, the width of a square window; odd unless told.

    A pair of equal numbers, as OpenCV takes it, is refused with the call that was meant.

    Examples
    --------
    >>> check_window("size", 5, owner="GaussianBlur")
    >>> check_window("size", (5, 5), owner="GaussianBlur")
    Traceback (most recent call last):
    ...
    vision.errors.ParameterError: The 'size' of GaussianBlur must be one odd whole number, the
    width of its square window. Got (5, 5). Write GaussianBlur(5).
    """
    pair = size.tolist() if isinstance(size, np.ndarray) else size
    if isinstance(pair, tuple | list) and len(pair) == 2:
        width, owner_name = pair[0], _owner_name(owner)
        good = isinstance(width, numbers.Integral) and width >= at_least and (width % 2 or not odd)
        hint = f"Write {owner_name}({width})." if good and pair[1] == width else ""
        kind = "odd whole number" if odd else "whole number"
        refuse(name, size, f"one {kind}, the width of its square window", owner, hint)
    check_integer(name, size, owner=owner, at_least=at_least, odd=odd)


def check_choice(name, value, choices, *, owner):
    """Refuse anything but one of `choices` (strings); suggest the nearest.

    Examples
    --------
    >>> check_choice("shape", "elipse", ("rectangle", "ellipse"), owner="Erosion")
    Traceback (most recent call last):
    ...
    vision.errors.ParameterError: The 'shape' of Erosion must be 'rectangle' or 'ellipse'.
    Got 'elipse'. Did you mean 'ellipse'?
    """
    if not (isinstance(value, str) and value in choices):
        shown = [repr(choice) for choice in choices]
        allowed = shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"
        refuse(name, value, allowed, owner, did_you_mean(value, choices))


def check_bool(name, value, *, owner):
    """Refuse anything but True or False."""
    if not isinstance(value, bool | np.bool_):
        refuse(name, value, "True or False", owner)


def check_order(low_name, low, high_name, high, *, owner):
    """Refuse a pair whose first exceeds its second.

    Examples
    --------
    >>> check_order("low", 300, "high", 200, owner="Canny")
    Traceback (most recent call last):
    ...
    vision.errors.ParameterError: The 'low' of Canny must not exceed 'high'. Got low=300, high=200.
    """
    if low > high:
        raise ParameterError(
            f"The '{low_name}' of {_owner_name(owner)} must not exceed '{high_name}'. "
            f"Got {low_name}={low!r}, {high_name}={high!r}."
        )


def check_random_state(name, value, *, owner):
    """Refuse anything but a whole number from 0 to 2**32 - 1.

    ``None`` is refused too: a step's result depends on its parameters and the image alone.
    """
    check_integer(name, value, owner=owner, at_least=0, at_most=2**32 - 1)


def check_measured(image, shape, result, owner):
    """Refuse what is no picture to measure a result in: one of its size, 8 or 16 bits or float32.

    Examples
    --------
    >>> check_measured(np.zeros((4, 6, 3), np.uint8), (4, 6), "contours", "Contours.mean_colors")
    >>> check_measured(np.zeros((4, 6)), (4, 6), "contours", "Contours.mean_colors")
    Traceback (most recent call last):
    ...
    vision.errors.ParameterError: The 'image' of Contours.mean_colors must be an image of the size
    of the contours, 6 x 4, gray or of three channels, uint8, uint16 or float32. Got an array of
    shape (4, 6) and dtype float64. A float32 image is image.astype(np.float32).
    """
    form = getattr(image, "shape", ())
    sized = isinstance(image, np.ndarray) and form in (tuple(shape), (*shape, 3))
    if sized and image.dtype.name in ("uint8", "uint16", "float32"):
        return
    numbered = sized and image.dtype.kind in "biuf"
    height, width = shape
    refuse(
        "image",
        image,
        f"an image of the size of the {result}, {width} x {height}, gray or of three channels, "
        "uint8, uint16 or float32",
        owner,
        "A float32 image is image.astype(np.float32)." if numbered else "",
    )
