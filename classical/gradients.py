"""Edges as the slope of a gray image: Sobel, Scharr, Prewitt and Roberts."""

import numpy as np

from vision.checks import check_choice, check_number, refuse
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step


def check_size(name, size, sizes, *, owner):
    """Refuse anything but one of a few whole numbers.

    Examples
    --------
    >>> check_size("aperture", 4, (3, 5, 7), owner="Canny")
    Traceback (most recent call last):
    ...
    vision.errors.ParameterError: The 'aperture' of Canny must be 3, 5 or 7. Got 4.
    """
    whole = isinstance(size, int | np.integer) and not isinstance(size, bool)
    if not (whole and size in sizes):
        allowed = f"{', '.join(map(str, sizes[:-1]))} or {sizes[-1]}"
        refuse(name, size, allowed, owner)


def otsu_level(strength):
    """The level that separates the strengths of one image best, in their own unit.

    Parameters
    ----------
    strength : ndarray
        ``(H, W)`` float32, not negative.

    Returns
    -------
    float
        Otsu's level over 65,536 equal steps up to the highest strength.

    Examples
    --------
    >>> 2.9 < otsu_level(np.array([[1, 2, 3, 90, 100]], np.float32)) <= 3
    True
    """
    highest = float(strength.max())
    if highest == 0:
        return 0.0
    steps = (strength * np.float32(65535 / highest)).astype(np.uint16)
    return cv2.threshold(steps, 0, 255, cv2.THRESH_OTSU)[0] * highest / 65535


class Gradient(Step):
    """The base of the four: differences along each axis, smoothed across it.

    A subclass gives `_kernels()`, the difference and the smoothing, both of whole numbers.
    """

    takes = (Kind.GRAY,)
    dtypes = ("uint8", "uint16")
    direction = "both"
    _anchor = (-1, -1)  # the middle

    def __init__(self, output="strength", direction="both", threshold="otsu"):
        self.output = output
        self.direction = direction
        self.threshold = threshold

    @property
    def gives(self):
        """A map, or with ``output="edges"`` an edge mask."""
        return Kind.EDGES if self.output == "edges" else Kind.MAP

    def check_params(self):
        """See `Step.check_params`."""
        check_choice("output", self.output, ("strength", "edges"), owner=self)
        check_choice("direction", self.direction, ("both", "x", "y"), owner=self)
        if isinstance(self.threshold, str):
            check_choice("threshold", self.threshold, ("otsu",), owner=self)
        else:
            check_number("threshold", self.threshold, owner=self, at_least=0)

    def prepare(self):
        """See `Step.prepare`."""
        slope, smooth = (np.float64(kernel) for kernel in self._kernels())
        # What a ramp of one level a pixel sums up to, and the most that one level can.
        gain = float(slope @ np.arange(len(slope)) * smooth.sum())
        most = float(np.abs(slope).sum() / 2 * smooth.sum())
        return slope, smooth, gain, most

    def apply(self, image):
        """See `Step.apply`."""
        return self._edges(image) if self.output == "edges" else self._strength(image)

    def _parts(self, image, depth, scale):
        """The gradient along x and along y, None for one that is not wanted."""
        slope, smooth, *_ = self._tables
        across = smooth * scale

        def filtered(*kernels):
            memory = _aligned(image.shape) if depth == cv2.CV_32F else None
            return cv2.sepFilter2D(image, depth, *kernels, memory, self._anchor)

        x = filtered(slope, across) if self.direction != "y" else None
        return x, filtered(across, slope) if self.direction != "x" else None

    def _strength(self, image):
        gain = self._tables[2]
        x, y = self._parts(image, cv2.CV_32F, 1 / gain)
        if x is None or y is None:
            part = y if x is None else x
            return np.abs(part, out=part)
        return cv2.magnitude(x, y, x)

    def _edges(self, image):
        *_, gain, most = self._tables
        scale = _int16_scale(most * np.iinfo(image.dtype).max)
        x, y = self._parts(image, cv2.CV_16S, scale)
        x = np.zeros_like(y) if x is None else x
        y = np.zeros_like(x) if y is None else y
        level = self.threshold
        if level == "otsu":
            level = otsu_level(self._strength(image))
        level *= gain * scale
        # Without a weaker threshold, Canny is non-maximum suppression alone.
        return cv2.Canny(x, y, level, level, L2gradient=True)


def _aligned(shape):
    """An empty float32 array at a multiple of 64 bytes, where cv2.magnitude gives the same bits.

    Elsewhere the last one depends on the array's place in memory.
    """
    size = shape[0] * shape[1]
    memory = np.empty(size + 16, np.float32)
    start = -memory.ctypes.data % 64 // 4
    return memory[start : start + size].reshape(shape)


def _int16_scale(most):
    """The power of two that brings sums of at most `most` into 16 bits; 1 if they fit."""
    return min(1.0, 2.0 ** np.floor(np.log2(32767 / most)))


class Sobel(Gradient):
    """How steep a gray image is at each pixel, or the thin ridges of that: its edges.

    Parameters
    ----------
    size : {1, 3, 5, 7}, default=3
        Width of the kernel in pixels; 1 is the plain difference of the two neighbours. The
        larger, the more is smoothed across the direction of the slope.
    output : {"strength", "edges"}, default="strength"
        The length of the gradient, or an edge mask: its local maxima along the gradient, above
        `threshold`.
    direction : {"both", "x", "y"}, default="both"
        The whole gradient, or its absolute part along one axis: "x" answers to upright edges, "y"
        to level ones.
    threshold : float or "otsu", default="otsu"
        For "edges", the strength that an edge exceeds; "otsu" separates the strengths of this
        image best.

    Strength is in gray levels a pixel whatever the size: a ramp that gains 1 a pixel has strength
    1, a straight step of height h has h/2 with size 1 and 3. OpenCV's raw sums are 2, 8, 128 and
    2048 times as much for sizes 1, 3, 5 and 7. The border is mirrored without repeating its
    pixel: ``c b | a b c | b a``.

    Takes a gray image, ``(H, W)``, uint8 or uint16. Gives a map, ``(H, W)``, float32, or an edge
    mask, ``(H, W)``, uint8: 255 on edges, one pixel wide.

    Raises
    ------
    ParameterError
        If `size`, `output` or `direction` is none of these, or `threshold` is negative or another
        word.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    I. Sobel and G. Feldman, "A 3x3 isotropic gradient operator for image processing", Stanford
    Artificial Intelligence Project, 1968; R. O. Duda and P. E. Hart, "Pattern Classification and
    Scene Analysis", 1973, p. 271.

    Examples
    --------
    >>> ramp = np.tile(np.arange(0, 50, 10, dtype=np.uint8), (4, 1))
    >>> Sobel()(ramp)[1].tolist()
    [0.0, 10.0, 10.0, 10.0, 0.0]
    """

    def __init__(self, size=3, output="strength", direction="both", threshold="otsu"):
        super().__init__(output, direction, threshold)
        self.size = size

    def check_params(self):
        """See `Step.check_params`."""
        check_size("size", self.size, (1, 3, 5, 7), owner=self)
        super().check_params()

    def _kernels(self):
        return [kernel.ravel() for kernel in cv2.getDerivKernels(1, 0, self.size)]

    def _parts(self, image, depth, scale):
        usual = image.dtype == np.uint8 and self.size == 3 and self.direction == "both"
        if usual and depth == cv2.CV_16S:
            return cv2.spatialGradient(image)  # the same in half the time
        return super()._parts(image, depth, scale)


class Scharr(Gradient):
    """The slope as Sobel's, but with weights whose error in direction is smallest.

    Parameters
    ----------
    output : {"strength", "edges"}, default="strength"
        The length of the gradient, or an edge mask: its local maxima along the gradient, above
        `threshold`.
    direction : {"both", "x", "y"}, default="both"
        The whole gradient, or its absolute part along one axis: "x" answers to upright edges, "y"
        to level ones.
    threshold : float or "otsu", default="otsu"
        For "edges", the strength that an edge exceeds; "otsu" separates the strengths of this
        image best.

    Strength is in gray levels a pixel: a ramp that gains 1 a pixel has strength 1, whatever its
    direction, a straight step of height h has h/2. The raw sums of ``cv2.Scharr`` are 32 times as
    much. The border is mirrored without repeating its pixel: ``c b | a b c | b a``.

    Takes a gray image, ``(H, W)``, uint8 or uint16. Gives a map, ``(H, W)``, float32, or an edge
    mask, ``(H, W)``, uint8: 255 on edges, one pixel wide.

    Raises
    ------
    ParameterError
        If `output` or `direction` is none of these, or `threshold` is negative or another word.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    H. Scharr, "Optimal operators in digital image processing", dissertation, University of
    Heidelberg, 2000, doi:10.11588/heidok.00000962.

    Examples
    --------
    >>> corner = np.array([[0, 0, 0], [0, 0, 0], [0, 0, 64]], np.uint8)
    >>> Scharr(direction="x")(corner)[1].tolist()
    [0.0, 6.0, 0.0]
    """

    def _kernels(self):
        return (-1, 0, 1), (3, 10, 3)


class Prewitt(Gradient):
    """The slope as Sobel's, but with all three rows weighed alike.

    Parameters
    ----------
    output : {"strength", "edges"}, default="strength"
        The length of the gradient, or an edge mask: its local maxima along the gradient, above
        `threshold`.
    direction : {"both", "x", "y"}, default="both"
        The whole gradient, or its absolute part along one axis: "x" answers to upright edges, "y"
        to level ones.
    threshold : float or "otsu", default="otsu"
        For "edges", the strength that an edge exceeds; "otsu" separates the strengths of this
        image best.

    Strength is in gray levels a pixel: a ramp that gains 1 a pixel has strength 1, a straight step
    of height h has h/2. The raw sums of the kernels of -1, 0 and 1 are 6 times as much. The border
    is mirrored without repeating its pixel: ``c b | a b c | b a``.

    Takes a gray image, ``(H, W)``, uint8 or uint16. Gives a map, ``(H, W)``, float32, or an edge
    mask, ``(H, W)``, uint8: 255 on edges, one pixel wide.

    Raises
    ------
    ParameterError
        If `output` or `direction` is none of these, or `threshold` is negative or another word.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    J. M. S. Prewitt, "Object enhancement and extraction", in: B. S. Lipkin and A. Rosenfeld (eds.),
    Picture Processing and Psychopictorics, Academic Press, 1970, pp. 75-149.

    Examples
    --------
    >>> corner = np.array([[0, 0, 0], [0, 0, 0], [0, 0, 60]], np.uint8)
    >>> Prewitt(direction="x")(corner)[1].tolist()
    [0.0, 10.0, 0.0]
    """

    def _kernels(self):
        return (-1, 0, 1), (1, 1, 1)


class Roberts(Gradient):
    """The slope from the two diagonals of each block of 2 x 2 pixels: the finest detail.

    Parameters
    ----------
    output : {"strength", "edges"}, default="strength"
        The length of the gradient, or an edge mask: its local maxima along the gradient, above
        `threshold`.
    threshold : float or "otsu", default="otsu"
        For "edges", the strength that an edge exceeds; "otsu" separates the strengths of this
        image best.

    Strength is in gray levels a pixel: the root of half the sum of both squared differences, so
    that a ramp that gains 1 a pixel has strength 1, and a straight step of height h has h. It lies
    between the pixels; the result at a pixel belongs to the block of which it is the upper left
    one. The border is mirrored without repeating its pixel: ``c b | a b c | b a``.

    Takes a gray image, ``(H, W)``, uint8 or uint16. Gives a map, ``(H, W)``, float32, or an edge
    mask, ``(H, W)``, uint8: 255 on edges, one pixel wide.

    Raises
    ------
    ParameterError
        If `output` is neither of these, or `threshold` is negative or another word.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    L. G. Roberts, "Machine perception of three-dimensional solids", MIT Lincoln Laboratory,
    Technical Report 315, 1963.

    Examples
    --------
    >>> step = np.repeat(np.array([[10, 10, 50, 50]], np.uint8), 3, axis=0)
    >>> Roberts()(step)[1].tolist()
    [0.0, 40.0, 0.0, 0.0]
    """

    def __init__(self, output="strength", threshold="otsu"):
        self.output = output
        self.threshold = threshold

    _anchor = (0, 0)

    def _kernels(self):
        # The differences along the diagonals, turned by 45 degrees: of the same length.
        return (-1, 1), (1, 1)
