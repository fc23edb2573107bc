"""What is bright shrunk, grown, opened and closed by a structuring element."""

import numpy as np

from vision.checks import check_choice, check_integer, check_window, refuse
from vision.kinds import SAME, Kind
from vision.opencv import cv2
from vision.step import Step

SHAPES = {
    "rectangle": cv2.MORPH_RECT,
    "cross": cv2.MORPH_CROSS,
    "ellipse": cv2.MORPH_ELLIPSE,
}


class Morphology(Step):
    """The base of the family: an element, built once, and how often it is applied."""

    takes = (Kind.GRAY, Kind.RGB, Kind.FLOAT, Kind.MAP)
    gives = SAME
    dtypes = ("uint8", "uint16")

    def __init__(self, size=3, shape="rectangle", iterations=1, element=None):
        self.size = size
        self.shape = shape
        self.iterations = iterations
        self.element = element

    def check_params(self):
        """See `Step.check_params`."""
        check_window("size", self.size, owner=self, odd=False)
        check_choice("shape", self.shape, tuple(SHAPES), owner=self)
        check_integer("iterations", self.iterations, owner=self, at_least=1)
        if self.element is not None and not _is_element(self.element):
            allowed = "None or an (h, w) array of 0 and 1 with 1 at its anchor (h // 2, w // 2)"
            refuse("element", self.element, allowed, self, _way_out(self.element))

    def prepare(self):
        """See `Step.prepare`."""
        element = self.element
        if element is None:
            element = cv2.getStructuringElement(SHAPES[self.shape], (self.size, self.size))
        element = np.ascontiguousarray(element, np.uint8)
        # Turned about its anchor, so that what the first pass moved, the second moves back.
        turned = element[::-1, ::-1].copy()
        # What is not passed need not be read: a tenth of a small image's time.
        first = (element,) if self.iterations == 1 else (element, None, (-1, -1), self.iterations)
        second = turned, None, _anchor_of_turned(element), self.iterations
        alike = element.shape[0] % 2 and element.shape[1] % 2 and np.array_equal(element, turned)
        return first, second, bool(alike)


def _way_out(value):
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return "Whole numbers are element.astype(np.uint8)."
    return "A list becomes one by np.array(element, np.uint8)." if isinstance(value, list) else ""


def _is_element(value):
    if not (isinstance(value, np.ndarray) and value.ndim == 2 and value.dtype.kind in "biu"):
        return False
    height, width = value.shape
    # Without its anchor, an element could lie wholly outside: nothing there to choose from.
    anchored = value.size > 0 and value[height // 2, width // 2] == 1
    return anchored and set(np.unique(value).tolist()) <= {0, 1}


def _anchor_of_turned(element):
    height, width = element.shape
    return width - 1 - width // 2, height - 1 - height // 2


class Erosion(Morphology):
    """The darkest pixel under the element: what is bright shrinks, what is small vanishes.

    Parameters
    ----------
    size : int, default=3
        Width and height of the element in pixels, at least 1. Its anchor, the pixel that the
        result belongs to, is at ``size // 2``: the middle, or of an even size the right and lower
        of the two middle pixels.
    shape : {"rectangle", "cross", "ellipse"}, default="rectangle"
        The element's form, as ``cv2.getStructuringElement`` draws it.
    iterations : int, default=1
        How many times in a row, at least 1.
    element : (h, w) ndarray of 0 and 1, default=None
        An element of your own, with 1 at its anchor ``(h // 2, w // 2)``; `size` and `shape` then
        do not count.

    What lies outside the image never wins: the border does not shrink anything by itself.

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
    R. M. Haralick, S. R. Sternberg and X. Zhuang, "Image Analysis Using Mathematical Morphology",
    IEEE TPAMI 9(4), 1987, doi:10.1109/TPAMI.1987.4767941.

    Examples
    --------
    >>> bar = np.array([[0, 255, 255, 255, 0, 255, 0]], np.uint8)
    >>> Erosion(3)(bar).tolist()
    [[0, 0, 255, 0, 0, 0, 0]]
    """

    def apply(self, image):
        """See `Step.apply`."""
        return cv2.erode(image, *self._tables[0])


class Dilation(Morphology):
    """The brightest pixel under the element: what is bright grows, small gaps close.

    Parameters
    ----------
    size : int, default=3
        Width and height of the element in pixels, at least 1, anchored at ``size // 2``.
    shape : {"rectangle", "cross", "ellipse"}, default="rectangle"
        The element's form, as ``cv2.getStructuringElement`` draws it.
    iterations : int, default=1
        How many times in a row, at least 1.
    element : (h, w) ndarray of 0 and 1, default=None
        An element of your own, with 1 at its anchor ``(h // 2, w // 2)``; `size` and `shape` then
        do not count. It is laid on the image as it is, as OpenCV does, not turned by 180 degrees:
        so dilation is the dual of `Erosion` with the same element.

    What lies outside the image never wins.

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
    R. M. Haralick, S. R. Sternberg and X. Zhuang, "Image Analysis Using Mathematical Morphology",
    IEEE TPAMI 9(4), 1987, doi:10.1109/TPAMI.1987.4767941.

    Examples
    --------
    >>> dots = np.array([[0, 0, 255, 0, 0, 0, 255]], np.uint8)
    >>> Dilation(3)(dots).tolist()
    [[0, 255, 255, 255, 0, 255, 255]]
    """

    def apply(self, image):
        """See `Step.apply`."""
        return cv2.dilate(image, *self._tables[0])


class Opening(Morphology):
    """Erosion, then dilation: bright specks and thin bridges go, the rest keeps its size.

    Parameters
    ----------
    size : int, default=3
        Width and height of the element in pixels, at least 1: brighter parts narrower than that
        go.
    shape : {"rectangle", "cross", "ellipse"}, default="rectangle"
        The element's form, as ``cv2.getStructuringElement`` draws it.
    iterations : int, default=1
        Erosions in a row, then as many dilations; at least 1.
    element : (h, w) ndarray of 0 and 1, default=None
        An element of your own, with 1 at its anchor ``(h // 2, w // 2)``; `size` and `shape` then
        do not count.

    The second pass lays the element turned by 180 degrees about its anchor: nothing moves
    whatever the element, and opening twice changes nothing more. (``cv2.morphologyEx`` is the
    same for elements with a middle pixel and no preferred side, and shifts by a pixel for
    others.) What lies outside the image never wins.

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
    R. M. Haralick, S. R. Sternberg and X. Zhuang, "Image Analysis Using Mathematical Morphology",
    IEEE TPAMI 9(4), 1987, doi:10.1109/TPAMI.1987.4767941.

    Examples
    --------
    >>> noisy = np.array([[0, 255, 255, 255, 0, 255, 0]], np.uint8)
    >>> Opening(3)(noisy).tolist()
    [[0, 255, 255, 255, 0, 0, 0]]
    """

    def apply(self, image):
        """See `Step.apply`."""
        first, second, alike = self._tables
        if alike:
            return cv2.morphologyEx(image, cv2.MORPH_OPEN, *first)
        return cv2.dilate(cv2.erode(image, *first), *second)


class Closing(Morphology):
    """Dilation, then erosion: dark holes and thin gaps go, the rest keeps its size.

    Parameters
    ----------
    size : int, default=3
        Width and height of the element in pixels, at least 1: darker parts narrower than that go.
    shape : {"rectangle", "cross", "ellipse"}, default="rectangle"
        The element's form, as ``cv2.getStructuringElement`` draws it.
    iterations : int, default=1
        Dilations in a row, then as many erosions; at least 1.
    element : (h, w) ndarray of 0 and 1, default=None
        An element of your own, with 1 at its anchor ``(h // 2, w // 2)``; `size` and `shape` then
        do not count.

    The second pass lays the element turned by 180 degrees about its anchor, as in `Opening`. What
    lies outside the image never wins.

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
    R. M. Haralick, S. R. Sternberg and X. Zhuang, "Image Analysis Using Mathematical Morphology",
    IEEE TPAMI 9(4), 1987, doi:10.1109/TPAMI.1987.4767941.

    Examples
    --------
    >>> holed = np.array([[0, 0, 255, 255, 0, 255, 0, 0]], np.uint8)
    >>> Closing(3)(holed).tolist()
    [[0, 0, 255, 255, 255, 255, 0, 0]]
    """

    def apply(self, image):
        """See `Step.apply`."""
        first, second, alike = self._tables
        if alike:
            return cv2.morphologyEx(image, cv2.MORPH_CLOSE, *first)
        return cv2.erode(cv2.dilate(image, *first), *second)
