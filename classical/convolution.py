"""Convolution with any kernel."""

import numpy as np

from vision.checks import check_choice, refuse
from vision.errors import ImageError
from vision.kinds import BLENDED, Kind
from vision.opencv import cv2
from vision.step import Step

# Borders under NumPy's names, as in `Pad`; cv2.filter2D has all but the last.
BORDERS = {
    "constant": cv2.BORDER_CONSTANT,
    "edge": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT_101,
    "symmetric": cv2.BORDER_REFLECT,
    "wrap": cv2.BORDER_WRAP,
}


class Convolution(Step):
    """Every pixel replaced by a weighted sum of its neighbours: any linear filter.

    The kernel is laid over the picture as it is written, not turned by 180 degrees: what networks
    and ``cv2.filter2D`` call convolution, and mathematics cross-correlation.

    Parameters
    ----------
    kernel : (h, w) array or nested sequence of finite numbers
        The weights. The pixel that a sum belongs to lies under ``kernel[h // 2][w // 2]``.
    output : {"response", "image"}, default="response"
        The sums as they are, signed and unbounded; or an image again, as smoothing and sharpening
        want it: rounded for 8 and 16 bits, and cut off at black and white.
    padding : {"same", "valid"}, default="same"
        Whether the result has the size of the picture, which is continued beyond its border, or
        only the pixels whose whole window lies within: h - 1 rows and w - 1 columns fewer.
    border : {"reflect", "constant", "edge", "symmetric", "wrap"}, default="reflect"
        How "same" continues the picture, under NumPy's names: mirrored without its outermost
        pixel, zeros (as networks pad), the outermost pixel, mirrored with it, or from the other
        side.

    Takes a gray image, ``(H, W)``, uint8 or uint16, or a map, and gives a map, float32. With
    ``output="image"`` takes an rgb image, ``(H, W, 3)``, a gray or a float one, channels one by
    one, and gives the same kind and dtype; of a mask it makes a gray image.

    Raises
    ------
    ParameterError
        If `kernel` is no table of finite numbers, or `output`, `padding` or `border` is unknown.
    ImageError
        If `padding` is "valid" and the image is smaller than the kernel.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    I. Goodfellow, Y. Bengio and A. Courville, "Deep Learning", 2016, equation 9.6.

    Examples
    --------
    >>> ramp = np.array([[1, 2, 4], [1, 2, 4], [1, 2, 4]], np.uint8)
    >>> Convolution([[1, 0, -1]] * 3, padding="valid")(ramp).tolist()
    [[-9.0]]
    >>> Convolution([[0, 0.5, 0.5]], output="image", border="edge")(ramp).tolist()[0]
    [2, 3, 4]
    """

    dtypes = ("uint8", "uint16")
    example = {"kernel": ((1, 0, -1), (1, 0, -1), (1, 0, -1))}

    def __init__(self, kernel, output="response", padding="same", border="reflect"):
        self.kernel = kernel
        self.output = output
        self.padding = padding
        self.border = border

    @property
    def takes(self):
        """One channel for a response; rgb too for an image."""
        if self.output == "image":
            return (Kind.RGB, Kind.GRAY, Kind.FLOAT)
        return (Kind.GRAY, Kind.MAP)

    @property
    def gives(self):
        """A map, or with ``output="image"`` the kind that came, blended."""
        return BLENDED if self.output == "image" else Kind.MAP

    def check_params(self):
        """See `Step.check_params`."""
        if not _is_kernel(self.kernel):
            allowed = "a table of finite numbers, as [[1, 0, -1], [1, 0, -1], [1, 0, -1]]"
            refuse("kernel", self.kernel, allowed, self)
        check_choice("output", self.output, ("response", "image"), owner=self)
        check_choice("padding", self.padding, ("same", "valid"), owner=self)
        check_choice("border", self.border, tuple(BORDERS), owner=self)

    def prepare(self):
        """See `Step.prepare`."""
        kernel = np.ascontiguousarray(self.kernel, np.float64)
        depth = -1 if self.output == "image" else cv2.CV_32F
        wraps = self.padding == "same" and self.border == "wrap"
        border = BORDERS["reflect" if wraps else self.border]
        return kernel, depth, border, wraps

    def to_input(self, image):
        """Without padding a shift: the result's first pixel is the middle of the first window."""
        if self.padding == "same":
            return None
        height, width = np.shape(self.kernel)
        return np.array([[1.0, 0, width // 2], [0, 1, height // 2], [0, 0, 1]])

    def apply(self, image):
        """See `Step.apply`."""
        kernel, depth, border, wraps = self._tables
        if wraps:
            image = cv2.copyMakeBorder(image, *_reach(kernel), BORDERS["wrap"])
        result = cv2.filter2D(image, depth, kernel, borderType=border)
        if wraps or self.padding == "valid":
            result = self._whole_windows(result, kernel)
        clipped = depth < 0 and result.dtype == np.float32
        return np.clip(result, 0, 1, out=result) if clipped else result

    def _whole_windows(self, result, kernel):
        """The part of a filtered picture for which nothing beyond the border was read."""
        top, bottom, left, right = _reach(kernel)
        height, width = result.shape[:2]
        if top + bottom >= height or left + right >= width:
            raise ImageError(
                f"Convolution with padding='valid' needs a picture of at least "
                f"{kernel.shape[1]} x {kernel.shape[0]} pixels, the kernel's size. Got one of "
                f"{width} x {height}. padding='same' takes any size."
            )
        return result[top : height - bottom, left : width - right].copy()


def _reach(kernel):
    """How many pixels a kernel reads above, below, left and right of the one it belongs to."""
    height, width = kernel.shape
    return height // 2, height - 1 - height // 2, width // 2, width - 1 - width // 2


def _is_kernel(value):
    if not isinstance(value, tuple | list | np.ndarray):
        return False
    try:
        table = np.asarray(value)
    except ValueError:  # rows of different lengths
        return False
    numbers = table.ndim == 2 and table.size > 0 and table.dtype.kind in "iuf"
    return numbers and bool(np.isfinite(table).all())
