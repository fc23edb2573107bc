"""GrabCut: an object cut out of its background by what both look like."""

import numbers

import numpy as np

from classical.companion import CompanionStep
from vision.checks import check_integer, check_random_state, refuse
from vision.errors import ImageError
from vision.kinds import Kind, is_binary
from vision.opencv import cv2
from vision.regions import as_mask

_MARGIN = 20  # the part of a side that is taken for background where nothing else is said
_FEWEST = 5  # pixels that five colours need


class GrabCut(CompanionStep):
    """The object within a box, or around a rough mask, cut out along edges.

    Parameters
    ----------
    box : (left, top, right, bottom), default=None
        Where the object lies, in pixels, right and bottom not included: what is outside is surely
        background. None: the mask alone says; without one, all but a twentieth at each side.
    mask : step, pipeline, (H, W) ndarray or None, default=None
        Where the object probably is: a step that makes a mask of the same image, such as
        ``Gray() >> Otsu()``; a fixed mask, uint8; or an array of OpenCV's marks, which say more: 0
        surely background, 1 surely object, 2 probably background, 3 probably object.
    iterations : int, default=5
        How many times the colours of both are learned and the cut made anew, at least 1.
    random_state : int, default=0
        Seed of the first guess of the colours, 0 to 2**32 - 1.

    Object and background are each described by five colours and their spread; the cut is the one
    of least energy, that of unlikely colours plus that of outlines where there is no edge.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8. Gives a mask, ``(H, W)``,
    uint8: 255 on the object.

    Raises
    ------
    ParameterError
        If a parameter makes no sense.
    KindError
        If the image is of another kind or dtype, or the mask not of its size.
    ImageError
        If fewer than five pixels may be object, or fewer than five background.

    References
    ----------
    C. Rother, V. Kolmogorov and A. Blake, '"GrabCut": interactive foreground extraction using
    iterated graph cuts', ACM Transactions on Graphics 23(3), 2004, doi:10.1145/1015706.1015720.

    Examples
    --------
    >>> image = np.full((30, 40, 3), (20, 60, 20), np.uint8)
    >>> image[10:20, 12:30] = (220, 40, 40)
    >>> mask = GrabCut((6, 5, 35, 26))(image)
    >>> np.array_equal(mask > 0, image[:, :, 0] > 100)
    True
    """

    gives = Kind.MASK
    companion_name = "mask"
    companion_kinds = (Kind.MASK,)
    kinds = (Kind.RGB, Kind.GRAY)
    dtypes = ("uint8",)

    def __init__(self, box=None, mask=None, iterations=5, random_state=0):
        self.box = box
        self.mask = mask
        self.iterations = iterations
        self.random_state = random_state

    def check_params(self):
        """See `Step.check_params`."""
        if self.box is not None and not _is_box(self.box):
            allowed = "(left, top, right, bottom) in pixels from 0, left < right and top < bottom"
            refuse("box", self.box, allowed, self)
        check_integer("iterations", self.iterations, owner=self, at_least=1)
        check_random_state("random_state", self.random_state, owner=self)
        if self.mask is not None:
            super().check_params()

    def check_fixed(self, array):
        """See `CompanionStep.check_fixed`."""
        good = array.ndim == 2 and array.size and array.dtype == np.uint8
        if not (good and (is_binary(array) or array.max() <= 3)):
            refuse("mask", array, "an (H, W) uint8 array of 0 and 255, or of 0, 1, 2 and 3", self)

    def apply(self, image):
        """See `Step.apply`."""
        marks = self._marks(image)
        objects = int(np.count_nonzero(marks & 1))
        if min(objects, marks.size - objects) < _FEWEST:
            raise ImageError(
                f"GrabCut needs at least {_FEWEST} pixels that may be object and as many that may "
                f"be background. Got {objects} and {marks.size - objects}, in an image of "
                f"{image.shape[1]} x {image.shape[0]} pixels; change 'box' or 'mask'."
            )
        rgb = cv2.merge([image] * 3) if image.ndim == 2 else image
        # OpenCV takes a signed number of 32 bits.
        cv2.setRNGSeed(self.random_state - (self.random_state >> 31 << 32))
        cv2.grabCut(rgb, marks, None, None, None, self.iterations, cv2.GC_INIT_WITH_MASK)
        return as_mask((marks & 1).astype(bool))

    def _marks(self, image):
        """What is surely or probably object or background: OpenCV's marks."""
        height, width = image.shape[:2]
        if self.mask is None:
            marks = np.full((height, width), cv2.GC_PR_FGD, np.uint8)
        else:
            mask = self.made(image)
            self.check_size(mask, image)
            probable = np.where(mask > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD)
            marks = (mask if mask.max() <= 3 and mask.any() else probable).astype(np.uint8)
        box = self.box
        if box is None and self.mask is None:
            x, y = -(-width // _MARGIN), -(-height // _MARGIN)
            box = x, y, width - x, height - y
        if box is not None:
            left, top, right, bottom = box
            outside = np.ones((height, width), bool)
            outside[top:bottom, left:right] = False
            marks[outside] = cv2.GC_BGD
        return marks


def _is_box(value):
    if not (isinstance(value, list | tuple | np.ndarray) and len(value) == 4):
        return False
    whole = [isinstance(part, numbers.Integral) and not isinstance(part, bool) for part in value]
    left, top, right, bottom = value
    return all(whole) and 0 <= left < right and 0 <= top < bottom
