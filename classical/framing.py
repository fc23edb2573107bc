"""Steps that cut and frame a picture without mixing pixels: cropping, padding and flipping.

Each tells by `to_input` where its pixels came from, so that what is found in its result can be
brought back to the picture that was given.
"""

import numpy as np

from vision.checks import check_choice, check_integer, check_number, refuse
from vision.errors import ImageError, ParameterError
from vision.kinds import BLENDED, SAME, Kind
from vision.opencv import cv2
from vision.step import Step

# Borders under NumPy's names; OpenCV's "reflect" is the one that repeats its pixel.
BORDERS = {
    "constant": cv2.BORDER_CONSTANT,
    "edge": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT_101,
    "symmetric": cv2.BORDER_REFLECT,
    "wrap": cv2.BORDER_WRAP,
}
DIRECTIONS = {"horizontal": 1, "vertical": 0, "both": -1}
# the largest value of each dtype but float32
_MOST = {np.dtype(name): int(np.iinfo(name).max) for name in ("uint8", "uint16", "int32")}
_COLOURS = (Kind.RGB, Kind.GRAY, Kind.HSV, Kind.HLS, Kind.LAB, Kind.YCRCB)
_PLAIN = (Kind.GRAY, Kind.MAP, Kind.LABELS)  # of one channel for certain


class Crop(Step):
    """A rectangle cut out of the picture.

    Parameters
    ----------
    left, top : int, default=0
        Its first column and row, in pixels.
    width, height : int, default=None
        Its size in pixels. None: as far as the picture goes.

    Takes an image of any kind but cmyk: gray or a mask, a colour one, uint8 or uint16, a float
    image, a map or a label map. Gives the same kind and dtype, ``(height, width)`` with the
    channels that came.

    Raises
    ------
    ParameterError
        If `left` or `top` is negative or no whole number, `width` or `height` below 1.
    ImageError
        If the rectangle is not wholly within the picture.
    KindError
        If the image is of another kind or dtype.

    Examples
    --------
    >>> rows = np.arange(12, dtype=np.uint8).reshape(3, 4)
    >>> Crop(left=1, top=2, width=2)(rows).tolist()
    [[9, 10]]
    """

    takes = (*_COLOURS, Kind.FLOAT, Kind.MAP, Kind.LABELS)
    gives = SAME
    dtypes = ("uint8", "uint16")

    def __init__(self, left=0, top=0, width=None, height=None):
        self.left = left
        self.top = top
        self.width = width
        self.height = height

    def check_params(self):
        """See `Step.check_params`."""
        check_integer("left", self.left, owner=self, at_least=0)
        check_integer("top", self.top, owner=self, at_least=0)
        for name in ("width", "height"):
            if getattr(self, name) is not None:
                check_integer(name, getattr(self, name), owner=self, at_least=1)

    def to_input(self, image):
        """A shift: the result's first pixel is at (left, top)."""
        return shift(self.left, self.top)

    def prepare(self):
        """See `Step.prepare`."""
        right = None if self.width is None else self.left + self.width
        bottom = None if self.height is None else self.top + self.height
        # The smallest picture that the rectangle lies in.
        least = bottom or self.top + 1, right or self.left + 1
        return (slice(self.top, bottom), slice(self.left, right)), *least

    def apply(self, image):
        """See `Step.apply`."""
        rectangle, height, width = self._tables
        if image.shape[0] < height or image.shape[1] < width:
            raise ImageError(
                f"{self!r} leaves the picture, which is {image.shape[1]} pixels wide and "
                f"{image.shape[0]} high. Resize it first, or crop less."
            )
        return image[rectangle].copy()


class Pad(Step):
    """The picture with a border around it.

    Parameters
    ----------
    size : int, default=0
        Width of the border in pixels, on every side that has no width of its own.
    left, top, right, bottom : int, default=None
        Width of the border on one side, in pixels.
    border : {"constant", "edge", "reflect", "symmetric", "wrap"}, default="constant"
        What fills it, under NumPy's names: `value`, the outermost pixel, the picture mirrored
        without or with its outermost pixel, or the picture from the other side.
    value : float or 3 floats, default=0
        What fills it where `border` is "constant", in the image's own unit: in every channel, or
        one number for each, as (255, 0, 0) for red.

    Takes an image of any kind but cmyk: gray or a mask, a colour one, uint8 or uint16, a float
    image, a map or a label map; with three values only what has three channels. Gives the same
    kind and dtype; of a mask padded with neither 0 nor 255 it makes a gray image.

    Raises
    ------
    ParameterError
        If a width is negative or no whole number, `border` is unknown, `value` is neither a
        number nor three, or such an image cannot hold it.
    KindError
        If the image is of another kind or dtype.

    Examples
    --------
    >>> Pad(1, left=0, border="edge")(np.array([[7, 9]], np.uint8)).tolist()
    [[7, 9, 9], [7, 9, 9], [7, 9, 9]]
    """

    gives = BLENDED
    dtypes = ("uint8", "uint16")
    example = {"size": 16}

    def __init__(
        self,
        size=0,
        *,
        left=None,
        top=None,
        right=None,
        bottom=None,
        border="constant",
        value=0,
    ):
        self.size = size
        self.left = left
        self.top = top
        self.right = right
        self.bottom = bottom
        self.border = border
        self.value = value

    @property
    def takes(self):
        """Images of one and of three channels, as far as `value` can fill them."""
        return kinds_to_fill(self, (*_COLOURS, Kind.FLOAT, Kind.MAP, Kind.LABELS))

    def check_params(self):
        """See `Step.check_params`."""
        for name in ("size", "left", "top", "right", "bottom"):
            if name == "size" or getattr(self, name) is not None:
                check_integer(name, getattr(self, name), owner=self, at_least=0)
        check_choice("border", self.border, tuple(BORDERS), owner=self)
        check_fill(self)

    def gives_for(self, kind):
        """The kind that came; a mask becomes gray where the border is."""
        return kind if keeps_masks(self) else super().gives_for(kind)

    def prepare(self):
        """See `Step.prepare`."""
        sides = [self._side(name) for name in ("top", "bottom", "left", "right")]
        return *sides, BORDERS[self.border]

    def to_input(self, image):
        """A shift: the result's first pixel lies left of and above the picture's."""
        return shift(-self._side("left"), -self._side("top"))

    def apply(self, image):
        """See `Step.apply`."""
        if not self.value:
            return cv2.copyMakeBorder(image, *self._tables)
        return cv2.copyMakeBorder(image, *self._tables, value=fill_of(self, image))

    def _side(self, name):
        own = getattr(self, name)
        return self.size if own is None else own


class Flip(Step):
    """The picture mirrored.

    Parameters
    ----------
    direction : {"horizontal", "vertical", "both"}, default="horizontal"
        What changes places: left and right, top and bottom, or both, which is half a turn.

    Takes an image of any kind but cmyk: gray or a mask, a colour one, uint8 or uint16, a float
    image, a map or a label map. Gives the same kind, dtype and shape.

    Raises
    ------
    ParameterError
        If `direction` is unknown.
    KindError
        If the image is of another kind or dtype.

    Examples
    --------
    >>> Flip()(np.array([[1, 2, 3], [4, 5, 6]], np.uint8)).tolist()
    [[3, 2, 1], [6, 5, 4]]
    """

    takes = (*_COLOURS, Kind.FLOAT, Kind.MAP, Kind.LABELS)
    gives = SAME
    dtypes = ("uint8", "uint16")

    def __init__(self, direction="horizontal"):
        self.direction = direction

    def check_params(self):
        """See `Step.check_params`."""
        check_choice("direction", self.direction, tuple(DIRECTIONS), owner=self)

    def to_input(self, image):
        """The mirror: the same matrix leads there and back."""
        height, width = image.shape[:2]
        matrix = np.eye(3)
        if self.direction != "vertical":
            matrix[0, [0, 2]] = -1, width - 1
        if self.direction != "horizontal":
            matrix[1, [1, 2]] = -1, height - 1
        return matrix

    def apply(self, image):
        """See `Step.apply`."""
        return cv2.flip(image, DIRECTIONS[self.direction])


def shift(x, y):
    """The matrix that adds (x, y).

    Examples
    --------
    >>> (shift(2, -1) @ [5, 5, 1]).tolist()
    [7.0, 4.0, 1.0]
    """
    return np.array([[1.0, 0, x], [0, 1, y], [0, 0, 1]])


def keeps_masks(step):
    """Whether the border that a step gives to a mask is one of its two values.

    Examples
    --------
    >>> keeps_masks(Pad(3, value=255)), keeps_masks(Pad(3, value=9))
    (True, False)
    """
    return step.border != "constant" or step.value in (0, 255)


def kinds_to_fill(step, kinds):
    """Those of the kinds whose border a step can fill: three values need three channels.

    Examples
    --------
    >>> kinds = Kind.RGB, Kind.GRAY, Kind.FLOAT
    >>> [kind.value for kind in kinds_to_fill(Pad(3, value=(255, 0, 0)), kinds)]
    ['rgb', 'float']
    """
    colored = step.border == "constant" and _is_row(step.value)
    return tuple(kind for kind in kinds if kind not in _PLAIN) if colored else kinds


def check_fill(step):
    """Refuse a border's value that is neither a number nor three.

    Examples
    --------
    >>> check_fill(Pad(3, value=(255, 0)))
    Traceback (most recent call last):
    ...
    vision.errors.ParameterError: The 'value' of Pad must be a number, or a tuple of three, one
    a channel. Got (255, 0).
    """
    values = step.value if _is_row(step.value) else (step.value,) * 3
    try:
        for value in values:
            check_number("value", value, owner=step)
    except ParameterError:
        values = ()
    if len(values) != 3:
        refuse("value", step.value, "a number, or a tuple of three, one a channel", step)


def fill_of(step, image):
    """The border's value for each channel, refused where such an image cannot hold it.

    Examples
    --------
    >>> fill_of(Pad(3, value=9), np.zeros((2, 2), np.uint8))
    (9.0, 9.0, 9.0, 9.0)
    """
    row, most = _is_row(step.value), _MOST.get(image.dtype)
    values = tuple(map(float, step.value)) if row else (float(step.value),)
    if step.border != "constant":
        return (0,) * 4
    if row and image.ndim == 2:
        refuse("value", step.value, "one number where the image has one channel", step)
    if most is not None and not all(0 <= value <= most and value.is_integer() for value in values):
        numbers = "whole numbers" if row else "a whole number"
        allowed = f"{numbers} from 0 to {most} where the image is {image.dtype}"
        refuse("value", step.value, allowed, step)
    if most is None and image.ndim == 3 and not all(0 <= value <= 1 for value in values):
        _check_lab(step, image, values)
    return values if row else values * 4


def _check_lab(step, image, values):
    """Refuse values beyond [0, 1], unless they are a true Lab colour and so is the image."""
    ranges = (0, 100), (-128, 127), (-128, 127)
    each = values * 3 if len(values) == 1 else values
    inside = all(low <= value <= high for value, (low, high) in zip(each, ranges, strict=True))
    if not inside or (image.min() >= 0 and image.max() <= 1):
        refuse("value", step.value, "from 0 to 1 for a float image", step)


def _is_row(value):
    return isinstance(value, tuple | list)
