"""What a morphological operation takes away: edges, bright and dark details; found patterns."""

import numpy as np

from classical.morphology import Morphology
from vision.checks import refuse
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step


class MorphologicalGradient(Morphology):
    """Dilation minus erosion: how much the levels differ under the element, an edge strength.

    Parameters
    ----------
    size : int, default=3
        Width and height of the element in pixels, at least 1: edges come out about as wide.
    shape : {"rectangle", "cross", "ellipse"}, default="rectangle"
        The element's form, as ``cv2.getStructuringElement`` draws it.
    iterations : int, default=1
        How many dilations, and erosions, in a row; at least 1.
    element : (h, w) ndarray of 0 and 1, default=None
        An element of your own, with 1 at its anchor ``(h // 2, w // 2)``; `size` and `shape` then
        do not count.

    Of a mask: the pixels around its outline, inside and outside. What lies outside the image
    never wins, so its border is no edge.

    Takes a gray image, ``(H, W)``, or an rgb one, ``(H, W, 3)``, uint8 or uint16, a float image
    or a map; channels one by one. Gives the same kind, shape and dtype: a mask stays a mask.

    Raises
    ------
    ParameterError
        If `size` or `iterations` is not whole or below 1, `shape` is unknown, or `element` is not
        an array of 0 and 1 with 1 at its anchor.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    J.-F. Rivest, P. Soille and S. Beucher, "Morphological gradients", Journal of Electronic
    Imaging 2(4), 1993, doi:10.1117/12.159642.

    Examples
    --------
    >>> ramp = np.array([[10, 10, 10, 90, 90, 90]], np.uint8)
    >>> MorphologicalGradient(3)(ramp).tolist()
    [[0, 0, 80, 80, 0, 0]]
    """

    def apply(self, image):
        """See `Step.apply`."""
        return cv2.morphologyEx(image, cv2.MORPH_GRADIENT, *self._tables[0])


class TopHat(Morphology):
    """The image minus its opening (white top-hat): bright details that the element covers.

    Parameters
    ----------
    size : int, default=15
        Width and height of the element in pixels, at least 1: larger than the details that are
        kept. A background that changes over longer distances goes.
    shape : {"rectangle", "cross", "ellipse"}, default="rectangle"
        The element's form, as ``cv2.getStructuringElement`` draws it.
    iterations : int, default=1
        Erosions in a row, then as many dilations; at least 1.
    element : (h, w) ndarray of 0 and 1, default=None
        An element of your own, with 1 at its anchor ``(h // 2, w // 2)``; `size` and `shape` then
        do not count.

    Takes a gray image, ``(H, W)``, or an rgb one, ``(H, W, 3)``, uint8 or uint16, a float image
    or a map; channels one by one. Gives the same kind, shape and dtype: a mask stays a mask.

    Raises
    ------
    ParameterError
        If `size` or `iterations` is not whole or below 1, `shape` is unknown, or `element` is not
        an array of 0 and 1 with 1 at its anchor.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    F. Meyer, "Contrast feature extraction", Quantitative Analysis of Microstructures in Materials
    Sciences, Biology and Medicine, 1978; P. Soille, "Morphological Image Analysis", 2nd edition,
    2004, section 4.4, doi:10.1007/978-3-662-05088-0.

    Examples
    --------
    >>> uneven = np.array([[10, 20, 90, 40, 50, 60, 60]], np.uint8)
    >>> TopHat(3)(uneven).tolist()
    [[0, 0, 50, 0, 0, 0, 0]]
    """

    def __init__(self, size=15, shape="rectangle", iterations=1, element=None):
        super().__init__(size, shape, iterations, element)

    def apply(self, image):
        """See `Step.apply`."""
        first, second, alike = self._tables
        if alike:
            return cv2.morphologyEx(image, cv2.MORPH_TOPHAT, *first)
        return cv2.subtract(image, cv2.dilate(cv2.erode(image, *first), *second))


class BlackHat(Morphology):
    """The closing minus the image (black top-hat): dark details that the element covers.

    Parameters
    ----------
    size : int, default=15
        Width and height of the element in pixels, at least 1: larger than the details that are
        kept. A background that changes over longer distances goes.
    shape : {"rectangle", "cross", "ellipse"}, default="rectangle"
        The element's form, as ``cv2.getStructuringElement`` draws it.
    iterations : int, default=1
        Dilations in a row, then as many erosions; at least 1.
    element : (h, w) ndarray of 0 and 1, default=None
        An element of your own, with 1 at its anchor ``(h // 2, w // 2)``; `size` and `shape` then
        do not count.

    Takes a gray image, ``(H, W)``, or an rgb one, ``(H, W, 3)``, uint8 or uint16, a float image
    or a map; channels one by one. Gives the same kind, shape and dtype, dark details bright.

    Raises
    ------
    ParameterError
        If `size` or `iterations` is not whole or below 1, `shape` is unknown, or `element` is not
        an array of 0 and 1 with 1 at its anchor.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    P. Soille, "Morphological Image Analysis", 2nd edition, 2004, section 4.4,
    doi:10.1007/978-3-662-05088-0.

    Examples
    --------
    >>> page = np.array([[200, 200, 30, 210, 220, 220]], np.uint8)
    >>> BlackHat(3)(page).tolist()
    [[0, 0, 170, 0, 0, 0]]
    """

    def __init__(self, size=15, shape="rectangle", iterations=1, element=None):
        super().__init__(size, shape, iterations, element)

    def apply(self, image):
        """See `Step.apply`."""
        first, second, alike = self._tables
        if alike:
            return cv2.morphologyEx(image, cv2.MORPH_BLACKHAT, *first)
        return cv2.subtract(cv2.erode(cv2.dilate(image, *first), *second), image)


class HitOrMiss(Step):
    """Where a pattern of set and unset pixels fits exactly: corners, ends, single pixels.

    Parameters
    ----------
    pattern : (h, w) array-like of 1, 0 and -1
        Rows, as an array or lists: 1 where the mask must be set, -1 where it must not be, 0 where
        it does not matter. The pixel that the result belongs to is at ``(h // 2, w // 2)``.

    What lies outside the image is background. The pattern is laid as it is; for all four
    directions join four steps: ``HitOrMiss(p) | HitOrMiss(np.rot90(p)) | ...``.

    Takes a mask, ``(H, W)``, uint8 of 0 and 255. Gives a mask.

    Raises
    ------
    ParameterError
        If `pattern` is no such array, or holds no 1.
    KindError
        If the image is no mask.

    References
    ----------
    J. Serra, "Image Analysis and Mathematical Morphology", 1982, chapter II.

    Examples
    --------
    >>> row = np.array([[255, 0, 255, 255, 255, 0]], np.uint8)
    >>> HitOrMiss([[-1, 1, -1]])(row).tolist()
    [[255, 0, 0, 0, 0, 0]]
    """

    takes, gives = (Kind.MASK,), Kind.MASK
    # The upper left corner of a region.
    example = {"pattern": ((0, -1, -1), (-1, 1, 1), (-1, 1, 0))}

    def __init__(self, pattern):
        self.pattern = pattern

    def check_params(self):
        """See `Step.check_params`."""
        pattern = as_table(self.pattern)
        # Of nothing but unset pixels, every other one of an empty mask would be a hit.
        if not (pattern.size and np.isin(pattern, (-1, 0, 1)).all() and (pattern == 1).any()):
            hint = ""
            if isinstance(self.pattern, np.ndarray) and self.pattern.dtype.kind == "f":
                hint = "Whole numbers are pattern.astype(np.int8)."
            allowed = "rows of the whole numbers 1, 0 and -1, all as long, with at least one 1"
            refuse("pattern", self.pattern, allowed, self, hint)

    def prepare(self):
        """See `Step.prepare`."""
        pattern = as_table(self.pattern)
        miss = (pattern == -1).astype(np.uint8)
        return (pattern == 1).astype(np.uint8), miss if miss.any() else None

    def apply(self, image):
        """See `Step.apply`."""
        hit, miss = self._tables
        found = cv2.erode(image, hit, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        if miss is None:
            return found
        grown = cv2.dilate(image, miss, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        return cv2.subtract(found, grown, dst=found)


def as_table(value):
    """Rows of whole numbers as a two-dimensional array; an empty one if it is none."""
    nothing = np.empty((0, 0), np.int64)
    if not isinstance(value, np.ndarray | tuple | list):
        return nothing
    try:
        table = np.asarray(value)
    except ValueError:  # rows of different lengths
        return nothing
    return table if table.ndim == 2 and table.dtype.kind in "iu" else nothing
