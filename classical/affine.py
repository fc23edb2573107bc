"""Steps that turn and slant a picture: rotation and any affine map, and the base of all warps.

Each tells by `to_input` where its pixels came from, so that what is found in its result can be
brought back to the picture that was given.
"""

import math

import numpy as np

from classical.framing import BORDERS, check_fill, fill_of, keeps_masks, kinds_to_fill
from classical.geometry import MIXABLE, refuse_pair
from classical.intensity import clip_like
from vision.checks import check_bool, check_choice, check_integer, check_number, refuse
from vision.errors import ImageError
from vision.kinds import BLENDED
from vision.opencv import cv2
from vision.step import Step

WARPS = {
    "nearest": cv2.INTER_NEAREST,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
}
# OpenCV 4 counts the pixels of a warp in 16 bits.
LONGEST_SIDE = 32766


class Warp(Step):
    """The base of steps whose result is read from the picture through a matrix.

    A subclass gives that matrix by `to_input`, and the size of its result by `new_size`.
    """

    gives = BLENDED
    dtypes = ("uint8", "uint16")

    @property
    def takes(self):
        """Images of one and of three channels, as far as `value` can fill them."""
        return kinds_to_fill(self, MIXABLE)

    def check_params(self):
        """Check how pixels are mixed, and what lies outside of the picture."""
        check_choice("interpolation", self.interpolation, tuple(WARPS), owner=self)
        check_choice("border", self.border, tuple(BORDERS), owner=self)
        check_fill(self)

    def gives_for(self, kind):
        """The kind that came; a mask becomes gray where pixels are mixed."""
        picked = self.interpolation == "nearest" and keeps_masks(self)
        return kind if picked else super().gives_for(kind)

    def new_size(self, width, height):
        """The result's width and height for a picture of that width and height."""
        raise NotImplementedError(f"{type(self).__name__} must define new_size(width, height).")

    def warp(self, image, matrix, size, **options):
        """OpenCV's warp by a matrix to the input."""
        return cv2.warpAffine(image, matrix[:2], size, **options)

    def apply(self, image):
        """See `Step.apply`."""
        size = self.new_size(image.shape[1], image.shape[0])
        if max(*size, *image.shape[:2]) > LONGEST_SIDE:
            raise ImageError(
                f"{type(self).__name__} takes and gives pictures of up to {LONGEST_SIDE:,} pixels "
                f"a side. Got one of shape {image.shape}, to become {size[0]} x {size[1]}. Resize "
                "it first."
            )
        chosen = "nearest" if image.dtype == np.int32 else self.interpolation
        fill = fill_of(self, image)
        warped = self.warp(
            image,
            self.to_input(image),
            size,
            flags=WARPS[chosen] | cv2.WARP_INVERSE_MAP,
            borderMode=BORDERS[self.border],
            borderValue=fill,
        )
        if image.dtype != np.float32:
            return warped
        return clip_like(warped, image, *(fill if self.border == "constant" else ()))


class Rotate(Warp):
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
    value : float or 3 floats, default=0
        What fills them where `border` is "constant", in every channel or one number for each, in
        the image's own unit.

    Takes an rgb image, ``(H, W, 3)``, a gray one or a mask, ``(H, W)``, uint8 or uint16, a float,
    lab or ycrcb image, a map, or a label map, int32; no side over 32,766 pixels. Gives the
    same kind and dtype; of a mask it makes a gray image, except by "nearest" with a border of 0
    or 255.

    Raises
    ------
    ParameterError
        If `angle` is no finite number, `value` neither one nor three, `expand` is not True or
        False, `interpolation` or `border` is unknown, or such an image cannot hold `value`.
    ImageError
        If a side of the picture or of the result is over 32,766 pixels.
    KindError
        If the image is of another kind or dtype.

    Examples
    --------
    >>> Rotate(90, expand=True)(np.array([[1, 2, 3]], np.uint8)).tolist()
    [[3], [2], [1]]
    """

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
        super().check_params()

    def to_input(self, image):
        """A turn about the centres of both pictures, which coincide."""
        height, width = image.shape[:2]
        new_width, new_height = self.new_size(width, height)
        x, y, new_x, new_y = ((n - 1) / 2 for n in (width, height, new_width, new_height))
        cos, sin = self._turn()
        return np.array(
            [
                [cos, -sin, x - cos * new_x + sin * new_y],
                [sin, cos, y - sin * new_x - cos * new_y],
                [0, 0, 1],
            ]
        )

    def new_size(self, width, height):
        """See `Warp.new_size`."""
        if not self.expand:
            return width, height
        cos, sin = map(abs, self._turn())
        # the allowance keeps rounding from adding an empty column
        wide, high = width * cos + height * sin - 1e-6, width * sin + height * cos - 1e-6
        return math.ceil(wide), math.ceil(high)

    def _turn(self):
        """Cosine and sine, without the 6e-17 that would blur a right angle."""
        angle = math.radians(self.angle)
        return round(math.cos(angle), 15), round(math.sin(angle), 15)


class Affine(Warp):
    """The picture moved, scaled, turned and slanted by a 2x3 matrix: parallels stay parallel.

    Parameters
    ----------
    matrix : (2, 3) sequence of numbers
        Where each pixel centre (x, y) of the picture comes to: ``x' = a x + b y + c`` in the first
        row, ``y'`` in the second, as ``cv2.warpAffine`` takes it. (``cv2.getAffineTransform``
        finds it from three points, ``cv2.getRotationMatrix2D`` from an angle and a centre.)
    width, height : int, default=None
        The size of the result, in pixels. None: as the picture.
    interpolation : {"nearest", "linear", "cubic"}, default="linear"
        "cubic" is cut off at the image's own range for a float image or map. Label maps are
        always "nearest". A picture that shrinks by much is better resized by `Resize`, which
        takes means.
    border : {"constant", "edge", "reflect", "symmetric", "wrap"}, default="constant"
        What fills the place where no picture is, as in `Pad`.
    value : float or 3 floats, default=0
        What fills it where `border` is "constant", in every channel or one number for each, in
        the image's own unit.

    Takes an rgb image, ``(H, W, 3)``, a gray one or a mask, ``(H, W)``, uint8 or uint16, a float,
    lab or ycrcb image, a map, or a label map, int32; no side over 32,766 pixels. Gives the
    same kind and dtype; of a mask it makes a gray image, except by "nearest" with a border of 0
    or 255.

    Raises
    ------
    ParameterError
        If `matrix` is not 2x3, finite and invertible, `width` or `height` is not a whole number
        of at least 1 or a pair, `interpolation` or `border` is unknown, `value` is neither a
        number nor three, or such an image cannot hold it.
    ImageError
        If a side of the picture or of the result is over 32,766 pixels.
    KindError
        If the image is of another kind or dtype.

    Examples
    --------
    >>> Affine([[1, 0, 1], [0, 1, 0]])(np.array([[7, 8, 9]], np.uint8)).tolist()
    [[0, 7, 8]]
    """

    example = {"matrix": ((1, 0.2, 0), (-0.1, 1, 4))}

    def __init__(
        self,
        matrix,
        width=None,
        height=None,
        interpolation="linear",
        border="constant",
        value=0,
    ):
        self.matrix = matrix
        self.width = width
        self.height = height
        self.interpolation = interpolation
        self.border = border
        self.value = value

    def check_params(self):
        """See `Step.check_params`."""
        _affine_matrix(self)
        check_result_size(self)
        super().check_params()

    def prepare(self):
        """The matrix from the result's pixels to the picture's."""
        return np.linalg.inv(_affine_matrix(self))

    def to_input(self, image):
        """The inverse of `matrix`."""
        self.make_ready()
        return self._tables

    def new_size(self, width, height):
        """See `Warp.new_size`."""
        return self.width or width, self.height or height


def check_result_size(step):
    """Check the `width` and `height` of a warp's result, where they are given."""
    for name in ("width", "height"):
        value = getattr(step, name)
        if value is not None:
            refuse_pair(name, value, type(step).__name__)
            check_integer(name, value, owner=step, at_least=1)


def _affine_matrix(step):
    """The matrix as a new 3x3 array, refused if it is no invertible affine map."""
    try:
        found = np.array(step.matrix, np.float64)
    except (TypeError, ValueError):
        found = np.empty(0)
    if found.shape != (2, 3) or not np.isfinite(found).all() or not np.linalg.det(found[:, :2]):
        allowed = "2 rows of 3 finite numbers, an invertible map"
        hint = "A 3x3 matrix is for Perspective." if found.shape == (3, 3) else ""
        refuse("matrix", step.matrix, allowed, step, hint)
    return np.vstack([found, [0, 0, 1]])
