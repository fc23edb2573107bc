"""Steps that change the point of view: any homography, and four corners made a rectangle."""

import math

import numpy as np

from classical.affine import Warp, check_result_size
from vision.checks import check_integer, refuse
from vision.mapping import check_matrix
from vision.opencv import cv2


class _PerspectiveWarp(Warp):
    """A warp by a full 3x3 matrix, which `prepare` finds from the parameters."""

    def to_input(self, image):
        """The matrix from the result's pixels to the picture's."""
        self.make_ready()
        return self._tables[0]

    def new_size(self, width, height):
        """See `Warp.new_size`."""
        wide, high = self._tables[1]
        return wide or width, high or height

    def warp(self, image, matrix, size, **options):
        """See `Warp.warp`."""
        return cv2.warpPerspective(image, matrix, size, **options)


class Perspective(_PerspectiveWarp):
    """The picture through a homography: straight lines stay straight.

    Parameters
    ----------
    matrix : (3, 3) sequence of numbers
        Where each pixel centre (x, y, 1) of the picture comes to, up to scale, as
        ``cv2.warpPerspective`` takes it and ``cv2.findHomography`` gives it.
    width, height : int, default=None
        The size of the result, in pixels. None: as the picture.
    interpolation : {"nearest", "linear", "cubic"}, default="linear"
        "cubic" is cut off at the image's own range for a float image or map. Label maps are
        always "nearest".
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
        If `matrix` is not 3x3, finite and invertible, `width` or `height` is not a whole number
        of at least 1 or a pair, `interpolation` or `border` is unknown, `value` is neither a
        number nor three, or such an image cannot hold it.
    ImageError
        If a side of the picture or of the result is over 32,766 pixels.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    R. Hartley and A. Zisserman, "Multiple View Geometry in Computer Vision", 2nd edition, 2004,
    section 2.3, doi:10.1017/CBO9780511811685.

    Examples
    --------
    >>> Perspective([[1, 0, 1], [0, 1, 0], [0, 0, 1]])(np.array([[7, 8, 9]], np.uint8)).tolist()
    [[0, 7, 8]]
    """

    example = {"matrix": ((1, 0.1, 0), (0, 1, 2), (0.002, 0, 1))}

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
        check_matrix(self.matrix, self)
        check_result_size(self)
        super().check_params()

    def prepare(self):
        """See `Step.prepare`."""
        matrix = np.linalg.inv(check_matrix(self.matrix, self))
        return matrix, (self.width, self.height)


class Rectify(_PerspectiveWarp):
    """A page, sign or facade seen at an angle, made the rectangle that it is.

    The four corners of the picture come to the centres of the result's corner pixels.

    Parameters
    ----------
    corners : (4, 2) sequence of numbers
        The corners (x, y) in pixels of the picture, clockwise as it is seen, beginning with the
        one that becomes the upper left: so a page that lies on its side is turned as well. They
        may lie outside of the picture.
    width, height : int, default=None
        The size of the result, in pixels, at least 2. None, both: the longer of the two opposite
        sides, so that no detail is lost. None, one: from the other by the same proportion. (Only
        a camera's focal length would tell the true one.)
    interpolation : {"nearest", "linear", "cubic"}, default="linear"
        "cubic" is cut off at the image's own range for a float image or map. Label maps are
        always "nearest".
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
        If `corners` are not four finite points, or not those of a convex quadrilateral in
        clockwise order, `width` or `height` is not a whole number of at least 2 or a pair,
        `interpolation` or `border` is unknown, `value` is neither a number nor three, or such an
        image cannot hold it.
    ImageError
        If a side of the picture or of the result is over 32,766 pixels.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    R. Hartley and A. Zisserman, "Multiple View Geometry in Computer Vision", 2nd edition, 2004,
    section 2.7, doi:10.1017/CBO9780511811685.

    Examples
    --------
    >>> rows = np.arange(12, dtype=np.uint8).reshape(3, 4)
    >>> Rectify([(1, 0), (3, 0), (3, 1), (1, 1)])(rows).tolist()
    [[1, 2, 3], [5, 6, 7]]
    >>> Rectify([(1, 1), (1, 0), (3, 0), (3, 1)])(rows).tolist()
    [[5, 1], [6, 2], [7, 3]]
    """

    example = {"corners": ((8, 6), (56, 2), (60, 44), (4, 40))}

    def __init__(
        self,
        corners,
        width=None,
        height=None,
        interpolation="linear",
        border="constant",
        value=0,
    ):
        self.corners = corners
        self.width = width
        self.height = height
        self.interpolation = interpolation
        self.border = border
        self.value = value

    def check_params(self):
        """See `Step.check_params`."""
        self._corners()
        check_result_size(self)
        for name in ("width", "height"):
            if getattr(self, name) is not None:
                check_integer(name, getattr(self, name), owner=self, at_least=2)
        super().check_params()

    def prepare(self):
        """See `Step.prepare`."""
        corners = self._corners()
        width, height = self._size(corners)
        right, bottom = width - 1, height - 1
        target = np.array([[0, 0], [right, 0], [right, bottom], [0, bottom]], np.float32)
        # about their centre: float32 is exact to 1/1000 of a pixel only near the origin
        centre = corners.mean(axis=0)
        matrix = cv2.getPerspectiveTransform(target, (corners - centre).astype(np.float32))
        return _moved(centre) @ matrix, (width, height)

    def _size(self, corners):
        sides = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
        across, down = max(sides[0], sides[2]), max(sides[1], sides[3])
        width, height = self.width, self.height
        if width is None:
            width = _pixels(across if height is None else (height - 1) * across / down)
        if height is None:
            height = _pixels(down if self.width is None else (self.width - 1) * down / across)
        return width, height

    def _corners(self):
        """The corners as a new array, refused if they are none."""
        try:
            found = np.array(self.corners, np.float64)
        except (TypeError, ValueError):
            found = np.empty(0)
        if found.shape != (4, 2) or not np.isfinite(found).all():
            refuse("corners", self.corners, "four points (x, y), a (4, 2) array", self)
        turns = _turns(found)
        if not (turns > 0).all():
            order = "those of a convex quadrilateral, clockwise from the upper left"
            hint = "These go counter-clockwise: the result would be mirrored."
            refuse("corners", self.corners, order, self, hint if (turns < 0).all() else "")
        return found


def _turns(corners):
    """At each corner the cross product of the two sides: positive where they turn clockwise."""
    sides = np.roll(corners, -1, axis=0) - corners
    following = np.roll(sides, -1, axis=0)
    return sides[:, 0] * following[:, 1] - sides[:, 1] * following[:, 0]


def _pixels(length):
    """How many pixels lie on a side of that length between the centres of the outermost two."""
    return max(2, math.floor(length + 0.5) + 1)


def _moved(centre):
    return np.array([[1, 0, centre[0]], [0, 1, centre[1]], [0, 0, 1]])
