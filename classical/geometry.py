"""Steps that change a picture's size: resizing, and resizing into a frame of a given shape.

Each tells by `to_input` where its pixels came from, so that what is found in its result can be
brought back to the picture that was given.
"""

import math

import numpy as np

from classical.framing import check_fill, fill_of, keeps_masks, kinds_to_fill, shift
from classical.intensity import clip_like
from vision.checks import check_choice, check_integer, check_number, refuse
from vision.kinds import BLENDED, Kind
from vision.opencv import cv2
from vision.step import Step

INTERPOLATIONS = {
    # INTER_NEAREST takes the pixel at the upper left; the exact one the nearest centre
    "nearest": cv2.INTER_NEAREST_EXACT,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
    "area": cv2.INTER_AREA,
}
# What may be mixed: a hue may not.
MIXABLE = (
    Kind.RGB,
    Kind.GRAY,
    Kind.LAB,
    Kind.YCRCB,
    Kind.FLOAT,
    Kind.MAP,
    Kind.LABELS,
)


class Resize(Step):
    """The picture at another size.

    Parameters
    ----------
    size : int, default=None
        Width and height of a square result, in pixels; the aspect is not kept.
    width, height : int, default=None
        Instead of `size`, by name: with both the result has exactly this size, with one the other
        follows from the aspect, rounded.
    factor : float, default=None
        Instead of these, what both sides are multiplied by, rounded: 0.5 is half as wide and high.
    longest : int, default=None
        Instead of these, the longer of the two sides, in pixels; the other follows.
    interpolation : {"auto", "nearest", "linear", "cubic", "area"}, default="auto"
        "area" is the mean of the pixels that one pixel of the result covers, made to shrink;
        "auto" is that where neither side grows, and else "linear". "nearest" picks the pixel with
        the nearest centre (of two equally near ones, OpenCV 4 and 5 take different ones). "cubic"
        is cut off at the image's own range for a float image or map. Label maps are always
        "nearest": labels have no mean.

    Takes an rgb image, ``(H, W, 3)``, a gray one or a mask, ``(H, W)``, uint8 or uint16, a float,
    lab or ycrcb image, a map, or a label map, int32. Gives the same kind and dtype; of a
    mask it makes a gray image, except by "nearest". (A hue is an angle and has no such mean:
    resize before `ToHSV`.)

    Raises
    ------
    ParameterError
        If a size is not a whole number of at least 1, is a pair, is given twice or not at all,
        `factor` is not above 0, or `interpolation` is unknown.
    KindError
        If the image is of another kind or dtype.

    Examples
    --------
    >>> wide = np.array([[10, 20, 30, 40], [10, 20, 30, 40]], np.uint8)
    >>> Resize(width=2)(wide).tolist()
    [[15, 35]]
    >>> Resize(2, interpolation="nearest")(wide).tolist()
    [[20, 40], [20, 40]]
    >>> Resize(longest=200)(wide).shape, Resize(factor=3)(wide).shape
    ((100, 200), (6, 12))
    """

    takes = MIXABLE
    gives = BLENDED
    dtypes = ("uint8", "uint16")
    example = {"size": 64}

    def __init__(
        self,
        size=None,
        *,
        width=None,
        height=None,
        factor=None,
        longest=None,
        interpolation="auto",
    ):
        self.size = size
        self.width = width
        self.height = height
        self.factor = factor
        self.longest = longest
        self.interpolation = interpolation

    def check_params(self):
        """See `Step.check_params`."""
        check_choice("interpolation", self.interpolation, ("auto", *INTERPOLATIONS), owner=self)
        given = _check_sides(self, ("size", "width", "height", "longest"))
        if self.factor is not None:
            check_number("factor", self.factor, owner=self, above=0)
            given["factor"] = self.factor
        alone = [name for name in given if name not in ("width", "height")]
        if not given or (alone and len(given) > 1):
            name = alone[0] if alone else "size"
            ways = (
                "given alone, as Resize(64) for a square; else Resize(width=640, height=480), "
                "Resize(longest=640) or Resize(factor=0.5)"
            )
            refuse(name, getattr(self, name), ways, self)

    def gives_for(self, kind):
        """The kind that came; a mask becomes gray unless its pixels are only picked."""
        return kind if self.interpolation == "nearest" else super().gives_for(kind)

    def to_input(self, image):
        """Pixel centres to pixel centres: the outer edges of both pictures coincide."""
        height, width = image.shape[:2]
        return _scaling((width, height), self._new_size(width, height))

    def apply(self, image):
        """See `Step.apply`."""
        size = self._new_size(image.shape[1], image.shape[0])
        return _resized(image, size, self.interpolation)

    def _new_size(self, width, height):
        if self.size is not None:
            return self.size, self.size
        if self.factor is not None:
            return _side(width * self.factor), _side(height * self.factor)
        new_width, new_height = self.width, self.height
        if self.longest is not None:
            new_width, new_height = (
                (self.longest, None) if width >= height else (None, self.longest)
            )
        if new_height is None:
            return new_width, _side(height * new_width / width)
        if new_width is None:
            return _side(width * new_height / height), new_height
        return new_width, new_height


class Letterbox(Step):
    """The whole picture, its aspect kept, in the middle of a frame of a given size.

    It is resized to touch the frame on two sides, the other two are filled: as networks want
    their input. Of an odd number of rows or columns to fill, the right or lower side gets one
    more.

    Parameters
    ----------
    size : int, default=None
        Width and height of a square frame, in pixels.
    width, height : int, default=None
        Instead of `size`, both by name.
    interpolation : {"auto", "nearest", "linear", "cubic", "area"}, default="auto"
        As in `Resize`.
    value : float or 3 floats, default=0
        What fills the bars in every channel, or one number for each, in the image's own unit.
        (YOLO's gray is 114.)

    Takes an rgb image, ``(H, W, 3)``, a gray one or a mask, ``(H, W)``, uint8 or uint16, a float,
    lab or ycrcb image, a map, or a label map, int32. Gives the same kind and dtype; of a
    mask it makes a gray image, except by "nearest" with a `value` of 0 or 255.

    Raises
    ------
    ParameterError
        If a size is not a whole number of at least 1, is a pair, is given twice or not wholly,
        `interpolation` is unknown, `value` is neither a number nor three, or such an image cannot
        hold it.
    KindError
        If the image is of another kind or dtype.

    Examples
    --------
    >>> Letterbox(4, value=9)(np.array([[10, 20], [30, 40], [50, 60], [70, 80]], np.uint8)).tolist()
    [[9, 10, 20, 9], [9, 30, 40, 9], [9, 50, 60, 9], [9, 70, 80, 9]]
    """

    gives = BLENDED
    dtypes = ("uint8", "uint16")
    example = {"size": 64}
    border = "constant"

    def __init__(self, size=None, *, width=None, height=None, interpolation="auto", value=0):
        self.size = size
        self.width = width
        self.height = height
        self.interpolation = interpolation
        self.value = value

    @property
    def takes(self):
        """Images of one and of three channels, as far as `value` can fill them."""
        return kinds_to_fill(self, MIXABLE)

    def check_params(self):
        """See `Step.check_params`."""
        check_choice("interpolation", self.interpolation, ("auto", *INTERPOLATIONS), owner=self)
        check_fill(self)
        given = _check_sides(self, ("size", "width", "height"))
        if tuple(given) not in (("size",), ("width", "height")):
            ways = (
                "given alone, as Letterbox(64) for a square; else Letterbox(width=640, height=480)"
            )
            refuse("size", self.size, ways, self)

    def gives_for(self, kind):
        """The kind that came; a mask becomes gray where pixels are mixed, or the bars are."""
        picked = self.interpolation == "nearest" and keeps_masks(self)
        return kind if picked else super().gives_for(kind)

    def to_input(self, image):
        """A shift by the bars, then pixel centres to pixel centres as in `Resize`."""
        height, width = image.shape[:2]
        (left, top, _, _), size = self._frame(width, height)
        return _scaling((width, height), size) @ shift(-left, -top)

    def apply(self, image):
        """See `Step.apply`."""
        (left, top, right, bottom), size = self._frame(image.shape[1], image.shape[0])
        inner, fill = _resized(image, size, self.interpolation), fill_of(self, image)
        sides = top, bottom, left, right
        return cv2.copyMakeBorder(inner, *sides, cv2.BORDER_CONSTANT, value=fill)

    def _frame(self, width, height):
        """The bars on the four sides, and the size of the picture between them."""
        wide, high = (self.size, self.size) if self.size else (self.width, self.height)
        scale = min(wide / width, high / height)
        # rounding up may not leave the frame
        size = min(wide, _side(width * scale)), min(high, _side(height * scale))
        across, down = wide - size[0], high - size[1]
        return (across // 2, down // 2, across - across // 2, down - down // 2), size


def _check_sides(step, names):
    """The sides that a step was given, each checked, by name."""
    given = {name: getattr(step, name) for name in names if getattr(step, name) is not None}
    for name, value in given.items():
        refuse_pair(name, value, type(step).__name__)
        check_integer(name, value, owner=step, at_least=1)
    return given


def refuse_pair(name, value, owner):
    """Refuse a pair as a size: whether width or height comes first is not said.

    Examples
    --------
    >>> refuse_pair("size", (640, 480), "Resize")
    Traceback (most recent call last):
    ...
    vision.errors.ParameterError: The 'size' of Resize must be one whole number. Got (640, 480).
    Resize((640, 480)) could mean width=640, height=480 or height=640, width=480: say which, as
    Resize(width=..., height=...).
    """
    pair = value.tolist() if isinstance(value, np.ndarray) else value
    if isinstance(pair, tuple | list) and len(pair) == 2:
        first, second = pair
        hint = (
            f"{owner}({(first, second)!r}) could mean width={first}, height={second} or "
            f"height={first}, width={second}: say which, as {owner}(width=..., height=...)."
        )
        refuse(name, value, "one whole number", owner, hint)


def _side(length):
    """A length as whole pixels, halves upwards, never none."""
    return max(1, math.floor(length + 0.5))


def _scaling(old, new):
    """From the pixel centres of a picture of size `new` to those of one of size `old`."""
    x, y = old[0] / new[0], old[1] / new[1]
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])


def _resized(image, size, interpolation):
    if image.dtype == np.int32:
        interpolation = "nearest"
    elif interpolation == "auto":
        shrinks = size[0] <= image.shape[1] and size[1] <= image.shape[0]
        interpolation = "area" if shrinks else "linear"
    resized = cv2.resize(image, size, interpolation=INTERPOLATIONS[interpolation])
    return clip_like(resized, image) if image.dtype == np.float32 else resized
