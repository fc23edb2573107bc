"""Masks tidied up by whole regions: holes filled, specks and cut-off regions removed."""

import numbers

import numpy as np

from vision.checks import check_integer, refuse
from vision.kinds import SAME, Kind
from vision.opencv import cv2
from vision.step import Step


class FillHoles(Step):
    """Holes of a mask's regions filled: background that is shut in.

    Parameters
    ----------
    max_area : int, default=None
        Largest hole that is filled, in pixels, at least 1; None: all.

    Background is connected by its four neighbours, so a diagonal line shuts in. What reaches the
    image's border is no hole. A region within a hole is filled over with it, unless `max_area`
    says otherwise: then it stays as it is, and the hole is counted without it.

    Takes a mask, ``(H, W)``, uint8 of 0 and 255. Gives a mask.

    Raises
    ------
    ParameterError
        If `max_area` is not whole or below 1.
    KindError
        If the image is no mask.

    References
    ----------
    P. Soille, "Morphological Image Analysis", 2nd edition, 2004, section 6.3.7,
    doi:10.1007/978-3-662-05088-0.

    Examples
    --------
    >>> ring = np.full((3, 4), 255, np.uint8)
    >>> ring[1, 1:3] = 0
    >>> FillHoles()(ring)[1].tolist(), FillHoles(max_area=1)(ring)[1].tolist()
    ([255, 255, 255, 255], [255, 0, 0, 255])
    """

    takes, gives = (Kind.MASK,), Kind.MASK

    def __init__(self, max_area=None):
        self.max_area = max_area

    def check_params(self):
        """See `Step.check_params`."""
        if self.max_area is not None:
            check_integer("max_area", self.max_area, owner=self, at_least=1)

    def apply(self, image):
        """See `Step.apply`."""
        # An empty frame joins all background that reaches the border into one region.
        framed = cv2.copyMakeBorder(image, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        if self.max_area is None:
            cv2.floodFill(framed, None, (0, 0), 255)
            holes = cv2.bitwise_not(framed, dst=framed)
        else:
            holes = self._small_holes(cv2.bitwise_not(framed))
        return cv2.bitwise_or(image, holes[1:-1, 1:-1])

    def _small_holes(self, background):
        labels, areas = _regions(background, 4)
        filled = areas <= self.max_area
        filled[labels[0, 0]] = False
        return _chosen(labels, filled)


class RemoveSmallObjects(Step):
    """Regions of a mask below an area removed, all others kept as they are.

    Parameters
    ----------
    min_area : int, default=64
        Smallest area that stays, in pixels, at least 0.
    connectivity : {8, 4}, default=8
        Whether pixels that touch by a corner are one region.

    Unlike `Opening` it leaves the form of what stays alone. Small holes are closed by
    ``FillHoles(max_area)``.

    Takes a mask, ``(H, W)``, uint8 of 0 and 255. Gives a mask.

    Raises
    ------
    ParameterError
        If `min_area` is not whole or negative, or `connectivity` is neither 8 nor 4.
    KindError
        If the image is no mask.

    References
    ----------
    L. Vincent, "Morphological area openings and closings for grey-scale images", Shape in
    Picture, 1994, doi:10.1007/978-3-662-03039-4_13.

    Examples
    --------
    >>> row = np.array([[255, 0, 255, 255, 0, 255, 255, 255]], np.uint8)
    >>> RemoveSmallObjects(2)(row).tolist()
    [[0, 0, 255, 255, 0, 255, 255, 255]]
    """

    takes, gives = (Kind.MASK,), Kind.MASK

    def __init__(self, min_area=64, connectivity=8):
        self.min_area = min_area
        self.connectivity = connectivity

    def check_params(self):
        """See `Step.check_params`."""
        check_integer("min_area", self.min_area, owner=self, at_least=0)
        check_connectivity(self.connectivity, self)

    def apply(self, image):
        """See `Step.apply`."""
        labels, areas = _regions(image, self.connectivity)
        return _chosen(labels, areas >= self.min_area)


class KeepLargest(Step):
    """The largest regions of a mask, all others removed.

    Parameters
    ----------
    count : int, default=1
        How many stay, at least 1. Which of equal ones stays is always the same, but not laid down.
    connectivity : {8, 4}, default=8
        Whether pixels that touch by a corner are one region.

    Takes a mask, ``(H, W)``, uint8 of 0 and 255. Gives a mask.

    Raises
    ------
    ParameterError
        If `count` is not whole or below 1, or `connectivity` is neither 8 nor 4.
    KindError
        If the image is no mask.

    Examples
    --------
    >>> row = np.array([[255, 0, 255, 255, 0, 255, 255, 255]], np.uint8)
    >>> KeepLargest()(row).tolist()
    [[0, 0, 0, 0, 0, 255, 255, 255]]
    """

    takes, gives = (Kind.MASK,), Kind.MASK

    def __init__(self, count=1, connectivity=8):
        self.count = count
        self.connectivity = connectivity

    def check_params(self):
        """See `Step.check_params`."""
        check_integer("count", self.count, owner=self, at_least=1)
        check_connectivity(self.connectivity, self)

    def apply(self, image):
        """See `Step.apply`."""
        labels, areas = _regions(image, self.connectivity)
        kept = np.zeros(len(areas), bool)
        kept[np.argsort(-areas, kind="stable")[: self.count]] = True
        return _chosen(labels, kept)


class ClearBorder(Step):
    """Regions that touch the image's border removed: they may be cut off.

    Takes a mask, ``(H, W)``, uint8 of 0 and 255, whose regions also touch by a corner, or a label
    map, ``(H, W)``, int32, whose labels go as a whole. Gives the same kind.

    Raises
    ------
    KindError
        If the image is neither.

    References
    ----------
    P. Soille, "Morphological Image Analysis", 2nd edition, 2004, section 6.3.6,
    doi:10.1007/978-3-662-05088-0.

    Examples
    --------
    >>> labels = np.array([[0, 0, 0, 0], [5, 0, 7, 0], [0, 0, 0, 0]], np.int32)
    >>> ClearBorder()(labels)[1].tolist()
    [0, 0, 7, 0]
    """

    takes, gives = (Kind.MASK, Kind.LABELS), SAME

    def apply(self, image):
        """See `Step.apply`."""
        if image.dtype == np.uint8:
            # A frame that is set joins all that touches it, and is filled with nothing.
            framed = cv2.copyMakeBorder(image, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=255)
            cv2.floodFill(framed, None, (0, 0), 0, flags=8)
            return framed[1:-1, 1:-1].copy()
        cut = np.unique(np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]]))
        return np.where(np.isin(image, cut), np.int32(0), image)


def check_connectivity(value, owner):
    """Refuse anything but 8 and 4 neighbours."""
    if not (isinstance(value, numbers.Integral) and value in (4, 8)):
        refuse("connectivity", value, "8 or 4", owner)


def _regions(mask, connectivity):
    """The connected regions of a mask as a label map, and their areas; none of the background."""
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
        mask, connectivity, cv2.CV_32S, cv2.CCL_GRANA if connectivity == 8 else cv2.CCL_WU
    )
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = -1
    return labels, areas


def _chosen(labels, kept):
    """The mask of some labels; background, label 0, is none."""
    table = kept * np.uint8(255)
    table[0] = 0
    return np.take(table, labels)
