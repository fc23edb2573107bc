"""Wrong versions of a step, made from outside: what a test that looks closely must tell apart.

Each mutant is a context manager: inside, the class is wrong in one way.
"""

import contextlib
import dataclasses
import functools
import inspect
import sys
import types

import numpy as np
from scipy import ndimage

import vision
from vision.errors import ParameterError
from vision.opencv import cv2

CONSTANT, REPLICATE, REFLECT_101 = cv2.BORDER_CONSTANT, cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT_101
# Where each function of OpenCV has its border among the positional arguments.
_BORDERS = {
    "GaussianBlur": ("borderType", 5),
    "blur": ("borderType", 4),
    "boxFilter": ("borderType", 6),
    "sqrBoxFilter": ("borderType", 6),
    "filter2D": ("borderType", 6),
    "sepFilter2D": ("borderType", 7),
    "Sobel": ("borderType", 8),
    "Scharr": ("borderType", 7),
    "Laplacian": ("borderType", 6),
    "spatialGradient": ("borderType", 4),
    "bilateralFilter": ("borderType", 5),
    "cornerHarris": ("borderType", 5),
    "cornerMinEigenVal": ("borderType", 4),
    "copyMakeBorder": ("borderType", 5),
    "warpAffine": ("borderMode", 5),
    "warpPerspective": ("borderMode", 5),
    "remap": ("borderMode", 5),
}
# What a border of erode, dilate and morphologyEx holds that is counted instead of left out.
_COUNTED = {"erode": 0, "dilate": 1e9, "morphologyEx": 0}
_COUNTED_AT = {"erode": 5, "dilate": 5, "morphologyEx": 6}
_NDIMAGE = [
    name
    for name in ndimage.__all__
    if "mode" in inspect.signature(getattr(ndimage, name)).parameters
]
_OTHER_BORDER = ("reflect", "replicate", "edge", "constant", "mirror", "wrap")
_ALONE = ("random_state",)  # a seed is a name, not a quantity


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One way to be wrong: a name, what installs it, the parameter it concerns, and its use.

    `used` gets an entry whenever the mutant had anything to do.
    """

    name: str
    install: object
    parameter: str | None = None
    used: list = dataclasses.field(default_factory=list)


def mutants_of(cls, example):
    """The mutants of a step's class.

    Parameters
    ----------
    cls : type
        A step or estimator.
    example : dict
        Parameters of a working instance.

    Returns
    -------
    list of Mutant
    """
    wrong = {"colour": _in_swapped_colours, "xy": _transposed, "kernel": _kernel_transposed}
    found = [_wrong_method(name, cls, how, ["apply"]) for name, how in wrong.items()]
    found.append(_wrong_method("border", cls, _in_other_border, ["apply", "prepare"]))
    for name, parameter in inspect.signature(cls.__init__).parameters.items():
        value = _shifted(cls, example, name, parameter.default)
        if value is not None:
            label = f"{name}={parameter.default!r} -> {value!r}"
            found.append(Mutant(label, functools.partial(_default, cls, name, value), name, [True]))
    return found


@contextlib.contextmanager
def _set(owner, **values):
    """Attributes of an object, as long as it lasts."""
    before = {name: vars(owner).get(name) for name in values}
    for name, value in values.items():
        setattr(owner, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            delattr(owner, name) if value is None else setattr(owner, name, value)


def _wrong_method(label, cls, how, names):
    """The class with other methods; what a method itself calls of the class is left right."""
    busy, used = [], []

    def wrapped(right):
        @functools.wraps(right)
        def wrong(self, *args):
            if busy:
                return right(self, *args)
            busy.append(True)
            try:
                return how(used, functools.partial(right, self), *args)
            finally:
                busy.pop()

        return wrong

    return Mutant(
        label, lambda: _set(cls, **{n: wrapped(getattr(cls, n)) for n in names}), used=used
    )


def _in_swapped_colours(used, apply, image):
    if not isinstance(image, np.ndarray) or image.ndim < 3 or image.shape[2] < 3:
        return apply(image)
    used.append(True)
    return apply(np.ascontiguousarray(image[..., ::-1]))


def _transposed(used, apply, value):
    used.append(True)
    return apply(swap_axes(value))


def _kernel_transposed(used, apply, image):
    """What a step does that has its kernel, or its own coordinates, transposed."""
    if not isinstance(image, np.ndarray) or image.ndim < 2:
        return apply(image)
    result = apply(swap_axes(image))
    if not isinstance(result, np.ndarray) or result.ndim < 2:
        return apply(image)
    used.append(True)
    return swap_axes(result)


def swap_axes(value):
    """A picture, contours or lines with x for y and y for x; anything else as it is."""
    if isinstance(value, np.ndarray) and value.ndim > 1:
        return np.ascontiguousarray(value.swapaxes(0, 1))
    if isinstance(value, vision.Contours):
        points = tuple(np.ascontiguousarray(np.asarray(p)[..., ::-1]) for p in value.points)
        return dataclasses.replace(value, points=points, shape=value.shape[::-1])
    if isinstance(value, vision.Lines):
        segments = value.segments[:, [1, 0, 3, 2]]
        return vision.Lines(segments, shape=value.shape[::-1], votes=value.votes)
    return value


def _in_other_border(used, method, *args):
    """With every border of OpenCV, NumPy and SciPy another."""
    names = [name for name in (*_BORDERS, *_COUNTED) if hasattr(cv2, name)]
    opencv = {name: _other_cv2(name, getattr(cv2, name), used) for name in names}
    scipy = {name: _other_mode(getattr(ndimage, name), used) for name in _NDIMAGE}
    with _set(cv2, **opencv), _set(ndimage, **scipy), _set(np, pad=_other_pad(np.pad, used)):
        return method(*args)


def _other_cv2(name, right, used):
    if name in _COUNTED:
        border = {"borderType": CONSTANT, "borderValue": (_COUNTED[name],) * 4}

        def wrong(*args, **kwargs):
            used.append(name)
            return right(*args[: _COUNTED_AT[name]], **kwargs | border)

        return wrong
    key, place = _BORDERS[name]
    usual = CONSTANT if key == "borderMode" else REFLECT_101

    def other(given):
        # Replicated is near to mirrored: what is mirrored becomes black.
        return REPLICATE if given & ~cv2.BORDER_ISOLATED == CONSTANT else CONSTANT

    return _replaced(right, key, place, usual, other, used)


def _other_mode(right, used):
    place = list(inspect.signature(right).parameters).index("mode")

    def other(given):
        return "nearest" if given == "constant" else "constant"

    return _replaced(right, "mode", place, "reflect", other, used)


def _replaced(right, key, place, usual, other, used):
    """A function with another value of one argument, wherever that is given."""

    @functools.wraps(right)
    def wrong(*args, **kwargs):
        used.append(right.__name__)
        if len(args) > place:
            return right(*args[:place], other(args[place]), *args[place + 1 :], **kwargs)
        return right(*args, **kwargs | {key: other(kwargs.get(key, usual))})

    return wrong


def _other_pad(right, used):
    def wrong(array, width, mode="constant", **kwargs):
        # The frames that libraries need for themselves keep them from reading elsewhere.
        if not sys._getframe(1).f_globals["__name__"].startswith(("classical.", "vision.")):
            return right(array, width, mode=mode, **kwargs)
        used.append("pad")
        return right(array, width, mode="edge" if mode == "constant" else "constant")

    return wrong


def _shifted(cls, example, name, default):
    """A default 20% higher, or lower where that is refused; None for what is no quantity."""
    if name in _ALONE or isinstance(default, bool | None):
        return None
    if name in ("border", "mode") and isinstance(default, str):
        return _allowed(cls, example, name, [v for v in _OTHER_BORDER if v != default])
    up, down = _scaled(default, 1.2), _scaled(default, 0.8)
    if up is None:
        return None
    if type(default) is not int:
        return _allowed(cls, example, name, [up, down])
    # A quantity that need not be whole; else the next odd size after an even one that is refused.
    candidates = [round(default * 1.2, 6), round(default * 0.8, 6)] if default else []
    candidates = [c for c in candidates if c % 1] + [up, up + 1, down, down - 1]
    return _allowed(cls, example, name, candidates)


def _scaled(value, by):
    if type(value) is int:
        return value + max(1, round(abs(value) * 0.2)) * (1 if by > 1 else -1)
    if type(value) is float:
        return round(value * by if value else by - 1, 9)
    if type(value) is tuple and value:
        parts = tuple(_scaled(part, by) for part in value)
        return None if None in parts else parts
    return None


def _allowed(cls, example, name, values):
    """The first of the values that the step does not refuse."""
    for value in values:
        try:
            cls(**{**example, name: value}).make_ready()
        except ParameterError:
            continue
        return value
    return None


def _default(cls, name, value):
    """The class with another default of one parameter; a base that it has it from stays right."""
    right = cls.__init__
    names = list(inspect.signature(right).parameters)
    wrong = types.FunctionType(
        right.__code__, right.__globals__, right.__name__, None, right.__closure__
    )
    wrong.__kwdefaults__ = dict(right.__kwdefaults__ or {})
    if name in wrong.__kwdefaults__:
        wrong.__kwdefaults__[name] = value
        wrong.__defaults__ = right.__defaults__
    else:
        positional = [n for n in names if n not in wrong.__kwdefaults__]
        place = positional.index(name) - len(positional)
        defaults = list(right.__defaults__)
        defaults[place] = value
        wrong.__defaults__ = tuple(defaults)
    return _set(cls, __init__=wrong)
