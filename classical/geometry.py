"""Steps that move pixels: resizing, cropping, padding and rotating.

Each tells by `to_input` where its pixels came from, so that what is found in its result can be
brought back to the picture that was given.
"""

import math

import numpy as np

from classical.intensity import clip_like
from vision.checks import check_bool, check_choice, check_integer, check_number, refuse
from vision.errors import ImageError
from vision.kinds import BLENDED, SAME, Kind
from vision.opencv import cv2
from vision.step import Step

INTERPOLATIONS = {
    # INTER_NEAREST takes the pixel at the upper left; the exact one the nearest centre
    "nearest": cv2.INTER_NEAREST_EXACT,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
    "area": cv2.INTER_AREA,
}
WARPS = {
    "nearest": cv2.INTER_NEAREST,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
}
# Borders under NumPy's names; OpenCV's "reflect" is the one that repeats its pixel.
BORDERS = {
    "constant": cv2.BORDER_CONSTANT,
    "edge": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT_101,
    "symmetric": cv2.BORDER_REFLECT,
    "wrap": cv2.BORDER_WRAP,
}
# cv2.warpAffine of OpenCV 4 counts pixels in 16 bits.
LONGEST_SIDE = 32766


class Resize(Step):
    """The picture at another size.

    Parameters
    ----------
    size : int, default=None
        Width and height of a square result, in pixels; the aspect is not kept.
    width, height : int, default=None
        Instead of `size`, by name: with both the result has exactly this size, with one the other
        follows from the aspect, rounded.
    interpolation : {"auto", "nearest", "linear", "cubic", "area"}, default="auto"
        "area" is the mean of the pixels that one pixel of the result covers, made to shrink;
        "auto" is that where neither side grows, and else "linear". "nearest" picks the pixel with
        the nearest centre (of two equally near ones, OpenCV 4 and 5 take different ones). "cubic"
        is cut off at the image's own range for a float image or map. Label maps are always
        "nearest": labels have no mean.

    Takes an rgb image, ``(H, W, 3)``, a gray one or a mask, ``(H, W)``, uint8 or uint16, a float
    image, a map, or a label map, int32. Gives the same kind and dtype; of a mask it makes a gray
    image, except by "nearest". (A hue is an angle and has no such mean: resize before `ToHSV`.)

    Raises
    ------
    ParameterError
        If a size is not a whole number of at least 1, is a pair, is given twice or not at all, or
        `interpolation` is unknown.
    KindError
        If the image is of another kind or dtype.

    Examples
    --------
    >>> wide = np.array([[10, 20, 30, 40], [10, 20, 30, 40]], np.uint8)
    >>> Resize(width=2)(wide).tolist()
    [[15, 35]]
    >>> Resize(2, interpolation="nearest")(wide).tolist()
    [[20, 40], [20, 40]]
    """

    takes = (Kind.RGB, Kind.GRAY, Kind.FLOAT, Kind.MAP, Kind.LABELS)
    gives = BLENDED
    dtypes = ("uint8", "uint16")
    example = {"size": 64}

    def __init__(self, size=None, *, width=None, height=None, interpolation="auto"):
        self.size = size
        self.width = width
        self.height = height
        self.interpolation = interpolation

    def check_params(self):
        """See `Step.check_params`."""
        check_choice("interpolation", self.interpolation, ("auto", *INTERPOLATIONS), owner=self)
        sides = {"size": self.size, "width": self.width, "height": self.height}
        given = {name: value for name, value in sides.items() if value is not None}
        for name, value in given.items():
            _refuse_pair(name, value)
            check_integer(name, value, owner=self, at_least=1)
        if not given or ("size" in given and len(given) > 1):
            ways = "given alone, as Resize(64) for a square; else Resize(width=640, height=480)"
            refuse("size", self.size, ways, self)

    def gives_for(self, kind):
        """The kind that came; a mask becomes gray unless its pixels are only picked."""
        return kind if self.interpolation == "nearest" else super().gives_for(kind)

    def to_input(self, image):
        """Pixel centres to pixel centres: the outer edges of both pictures coincide."""
        height, width = image.shape[:2]
        new_width, new_height = self._new_size(width, height)
        x, y = width / new_width, height / new_height
        return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])

    def apply(self, image):
        """See `Step.apply`."""
        height, width = image.shape[:2]
        size = self._new_size(width, height)
        chosen = self.interpolation
        if image.dtype == np.int32:
            chosen = "nearest"
        elif chosen == "auto":
            chosen = "area" if size[0] <= width and size[1] <= height else "linear"
        resized = cv2.resize(image, size, interpolation=INTERPOLATIONS[chosen])
        return clip_like(resized, image) if image.dtype == np.float32 else resized

    def _new_size(self, width, height):
        if self.size is not None:
            return self.size, self.size
        if self.height is None:
            return self.width, max(1, math.floor(height * self.width / width + 0.5))
        if self.width is None:
            return max(1, math.floor(width * self.height / height + 0.5)), self.height
        return self.width, self.height


def _refuse_pair(name, value):
    pair = value.tolist() if isinstance(value, np.ndarray) else value
    if isinstance(pair, tuple | list) and len(pair) == 2:
        first, second = pair
        hint = (
            f"Resize({(first, second)!r}) could mean width={first}, height={second} or "
            f"height={first}, width={second}: say which, as Resize(width=..., height=...)."
        )
        refuse(name, value, "one whole number", "Resize", hint)


class Crop(Step):
    """A rectangle cut out of the picture.

    Parameters
    ----------
    left, top : int, default=0
        Its first column and row, in pixels.
    width, height : int, default=None
        Its size in pixels. None: as far as the picture goes.

    Takes an image of any kind: rgb, hsv, gray, mask, float, map or labels. Gives the same kind
    and dtype, ``(height, width)`` or ``(height, width, 3)``.

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

    takes = (Kind.RGB, Kind.GRAY, Kind.HSV, Kind.FLOAT, Kind.MAP, Kind.LABELS)
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
        return _shift(self.left, self.top)

    def apply(self, image):
        """See `Step.apply`."""
        height, width = image.shape[:2]
        right = width if self.width is None else self.left + self.width
        bottom = height if self.height is None else self.top + self.height
        if not (self.left < right <= width and self.top < bottom <= height):
            raise ImageError(
                f"{self!r} leaves the picture, which is {width} pixels wide and {height} high. "
                "Resize it first, or crop less."
            )
        return image[self.top : bottom, self.left : right].copy()


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
    value : float, default=0
        What fills it in every channel where `border` is "constant", in the image's own unit.

    Takes an image of any kind: rgb, hsv, gray, mask, float, map or labels. Gives the same kind
    and dtype; of a mask padded with neither 0 nor 255 it makes a gray image.

    Raises
    ------
    ParameterError
        If a width is negative or no whole number, `border` is unknown, `value` is no number, or
        the image's dtype cannot hold it.
    KindError
        If the image is of another kind or dtype.

    Examples
    --------
    >>> Pad(1, left=0, border="edge")(np.array([[7, 9]], np.uint8)).tolist()
    [[7, 9, 9], [7, 9, 9], [7, 9, 9]]
    """

    takes = (Kind.RGB, Kind.GRAY, Kind.HSV, Kind.FLOAT, Kind.MAP, Kind.LABELS)
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

    def check_params(self):
        """See `Step.check_params`."""
        for name in ("size", "left", "top", "right", "bottom"):
            if name == "size" or getattr(self, name) is not None:
                check_integer(name, getattr(self, name), owner=self, at_least=0)
        check_choice("border", self.border, tuple(BORDERS), owner=self)
        check_number("value", self.value, owner=self)

    def gives_for(self, kind):
        """The kind that came; a mask becomes gray where the border is."""
        return kind if _keeps_masks(self) else super().gives_for(kind)

    def to_input(self, image):
        """A shift: the result's first pixel lies left of and above the picture's."""
        return _shift(-self._side("left"), -self._side("top"))

    def apply(self, image):
        """See `Step.apply`."""
        sides = [self._side(name) for name in ("top", "bottom", "left", "right")]
        fill = _fill(self, image)
        return cv2.copyMakeBorder(image, *sides, BORDERS[self.border], value=fill)

    def _side(self, name):
        own = getattr(self, name)
        return self.size if own is None else own


class Rotate(Step):
    """The picture turned about its centre.

    Parameters
    ----------
    angle : float
        In degrees, counter-clockwise as the picture is seen. Multiples of 90 are exact, where
        `expand` is True or the picture is square.
    expand : bool, default=False
        Whether the result is as large as the whole turned picture needs; otherwise it has the
        size of the picture, and the corners are lost.
    interpolation : {"nearest", "linear", "cubic"}, default="linear"
        "cubic" is cut off at the image's own range for a float image or map. Label maps are
        always "nearest".
    border : {"constant", "edge", "reflect", "symmetric", "wrap"}, default="constant"
        What fills the corners, as in `Pad`.
    value : float, default=0
        What fills them in every channel where `border` is "constant", in the image's own unit.

    Takes an rgb image, ``(H, W, 3)``, a gray one or a mask, ``(H, W)``, uint8 or uint16, a float
    image, a map, or a label map, int32; no side over 32,766 pixels. Gives the same kind and dtype;
    of a mask it makes a gray image, except by "nearest" with a border of 0 or 255.

    Raises
    ------
    ParameterError
        If `angle` or `value` is no finite number, `expand` is not True or False, `interpolation`
        or `border` is unknown, or the image's dtype cannot hold `value`.
    ImageError
        If a side of the picture or of the result is over 32,766 pixels.
    KindError
        If the image is of another kind or dtype.

    Examples
    --------
    >>> Rotate(90, expand=True)(np.array([[1, 2, 3]], np.uint8)).tolist()
    [[3], [2], [1]]
    """

    takes = (Kind.RGB, Kind.GRAY, Kind.FLOAT, Kind.MAP, Kind.LABELS)
    gives = BLENDED
    dtypes = ("uint8", "uint16")
    example = {"angle": 30}

    def __init__(self, angle, expand=False, interpolation="linear", border="constant", value=0):
        self.angle = angle
        self.expand = expand
        self.interpolation = interpolation
        self.border = border
        self.value = value

    def check_params(self):
        """See `Step.check_params`."""
        check_number("angle", self.angle, owner=self)
        check_bool("expand", self.expand, owner=self)
        check_choice("interpolation", self.interpolation, tuple(WARPS), owner=self)
        check_choice("border", self.border, tuple(BORDERS), owner=self)
        check_number("value", self.value, owner=self)

    def gives_for(self, kind):
        """The kind that came; a mask becomes gray where pixels are mixed."""
        picked = self.interpolation == "nearest" and _keeps_masks(self)
        return kind if picked else super().gives_for(kind)

    def to_input(self, image):
        """A turn about the centres of both pictures, which coincide."""
        height, width = image.shape[:2]
        new_width, new_height = self._new_size(width, height)
        x, y, new_x, new_y = ((n - 1) / 2 for n in (width, height, new_width, new_height))
        cos, sin = self._turn()
        return np.array(
            [
                [cos, -sin, x - cos * new_x + sin * new_y],
                [sin, cos, y - sin * new_x - cos * new_y],
                [0, 0, 1],
            ]
        )

    def apply(self, image):
        """See `Step.apply`."""
        size = self._new_size(image.shape[1], image.shape[0])
        if max(*size, *image.shape[:2]) > LONGEST_SIDE:
            raise ImageError(
                f"Rotate takes and gives pictures of up to {LONGEST_SIDE:,} pixels a side. Got "
                f"one of shape {image.shape}, to become {size[0]} x {size[1]}. Resize it first."
            )
        chosen = "nearest" if image.dtype == np.int32 else self.interpolation
        turned = cv2.warpAffine(
            image,
            self.to_input(image)[:2],
            size,
            flags=WARPS[chosen] | cv2.WARP_INVERSE_MAP,
            borderMode=BORDERS[self.border],
            borderValue=_fill(self, image),
        )
        if image.dtype != np.float32:
            return turned
        return clip_like(turned, image, *([self.value] if self.border == "constant" else []))

    def _turn(self):
        """Cosine and sine, without the 6e-17 that would blur a right angle."""
        angle = math.radians(self.angle)
        return round(math.cos(angle), 15), round(math.sin(angle), 15)

    def _new_size(self, width, height):
        if not self.expand:
            return width, height
        cos, sin = map(abs, self._turn())
        # the allowance keeps rounding from adding an empty column
        wide, high = width * cos + height * sin - 1e-6, width * sin + height * cos - 1e-6
        return math.ceil(wide), math.ceil(high)


def _shift(x, y):
    return np.array([[1.0, 0, x], [0, 1, y], [0, 0, 1]])


def _keeps_masks(step):
    """Whether the border of a mask is one of its two values."""
    return step.border != "constant" or step.value in (0, 255)


def _fill(step, image):
    """The border's value for every channel, refused where the image's dtype cannot hold it."""
    value = float(step.value)
    if image.dtype != np.float32:
        most = np.iinfo(image.dtype).max
        if not (0 <= value <= most and value.is_integer()):
            allowed = f"a whole number from 0 to {most} for a {image.dtype} image"
            refuse("value", step.value, allowed, step)
    return (value,) * 4
