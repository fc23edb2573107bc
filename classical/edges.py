"""Canny's edges of a gray image."""

import numpy as np

from classical.gradients import check_size, otsu_level
from vision.checks import check_bool, check_choice, check_number, check_order
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step


class Canny(Step):
    """Thin edges of a gray image: local maxima of the gradient, followed from strong to weak.

    Parameters
    ----------
    low, high : float, default=100 and 200
        Hysteresis thresholds on the Sobel gradient, not negative. Above `high` is an edge; above
        `low` only if connected to one. They are in the unit of the raw Sobel sums, as in OpenCV:
        a slope of one gray level a pixel counts 8 with `aperture` 3, and a straight step of
        height h counts 4 h, with aperture 5 48 h, with aperture 7 640 h.
    aperture : {3, 5, 7}, default=3
        Width of the Sobel kernel in pixels.
    l2 : bool, default=False
        Whether the gradient's length is the Euclidean one; else the sum of both absolute parts,
        which is up to 1.4 times as much.
    thresholds : {"given", "median", "otsu"}, default="given"
        `low` and `high` as they are given, or instead of them two that suit the image: "median"
        0.67 and 1.33 times its median gray level (at most 255), a widespread rule of thumb for
        photographs; "otsu" half and all of the level that separates its gradients best.
    output : {"edges", "strength"}, default="edges"
        An edge mask, or a map of all local maxima of the gradient with their lengths, in the unit
        of the thresholds, and 0 elsewhere: what exceeds t is an edge where `low` and `high` are t.

    Nothing is smoothed: put `GaussianBlur` in front of it for a noisy picture.

    Takes a gray image, ``(H, W)``, uint8. Gives an edge mask, ``(H, W)``, uint8: 255 on edges, one
    pixel wide; or a map, ``(H, W)``, float32.

    Raises
    ------
    ParameterError
        If a threshold is negative, `low` exceeds `high`, `aperture` is not 3, 5 or 7, `l2` is not
        True or False, or `thresholds` or `output` is unknown.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    J. Canny, "A Computational Approach to Edge Detection", IEEE TPAMI 8(6), 1986,
    doi:10.1109/TPAMI.1986.4767851. Otsu's level on gradients: M. Fang, G. Yue and Q. Yu, "The
    study on an application of Otsu method in Canny operator", ISIP 2009, pp. 109-112.

    Examples
    --------
    >>> step = np.zeros((5, 6), np.uint8)
    >>> step[:, 3:] = 255
    >>> Canny()(step)[2].tolist()
    [0, 0, 255, 0, 0, 0]
    """

    takes = (Kind.GRAY,)

    def __init__(self, low=100, high=200, aperture=3, l2=False, thresholds="given", output="edges"):
        self.low = low
        self.high = high
        self.aperture = aperture
        self.l2 = l2
        self.thresholds = thresholds
        self.output = output

    @property
    def gives(self):
        """An edge mask, or with ``output="strength"`` a map."""
        return Kind.MAP if self.output == "strength" else Kind.EDGES

    def check_params(self):
        """See `Step.check_params`."""
        check_number("low", self.low, owner=self, at_least=0)
        check_number("high", self.high, owner=self, at_least=0)
        check_order("low", self.low, "high", self.high, owner=self)
        check_size("aperture", self.aperture, (3, 5, 7), owner=self)
        check_bool("l2", self.l2, owner=self)
        check_choice("thresholds", self.thresholds, ("given", "median", "otsu"), owner=self)
        check_choice("output", self.output, ("edges", "strength"), owner=self)

    def prepare(self):
        """See `Step.prepare`."""
        if self.output == "edges" and self.thresholds == "given":
            return self.low, self.high, None, self.aperture, self.l2
        return None

    def apply(self, image):
        """See `Step.apply`."""
        if self._tables is not None:
            return cv2.Canny(image, *self._tables)
        if self.output == "strength":
            return self._strength(image)
        return cv2.Canny(image, *self._levels(image), None, self.aperture, self.l2)

    def levels(self, image):
        """The two thresholds for an image.

        Parameters
        ----------
        image : ndarray
            A gray image, ``(H, W)``, uint8.

        Returns
        -------
        low, high : float
            As given, or chosen by the rule that `thresholds` names.

        Raises
        ------
        KindError
            If the image is of another kind or dtype.
        """
        self.make_ready()
        self.admit(image)
        return self._levels(image)

    def _levels(self, image):
        if self.thresholds == "given":
            return self.low, self.high
        if self.thresholds == "median":
            median = _median(image)
            return 0.67 * median, min(1.33 * median, 255.0)
        high = otsu_level(self._length(*self._gradient(image))) / self._scale
        return high / 2, high

    @property
    def _scale(self):
        """What OpenCV multiplies the sums with, so that they fit 16 bits."""
        return 1 / 16 if self.aperture == 7 else 1

    def _gradient(self, image):
        return [
            cv2.Sobel(
                image, cv2.CV_16S, *axis, None, self.aperture, self._scale, 0, cv2.BORDER_REPLICATE
            )
            for axis in ((1, 0), (0, 1))
        ]

    def _length(self, x, y):
        if not self.l2:
            return cv2.add(np.abs(x), np.abs(y), dtype=cv2.CV_32F)
        x, y = x.astype(np.float32), y.astype(np.float32)
        return cv2.sqrt(cv2.add(cv2.multiply(x, x, x), cv2.multiply(y, y, y), x), x)

    def _strength(self, image):
        x, y = self._gradient(image)
        # Without thresholds, Canny is non-maximum suppression alone.
        maxima = cv2.Canny(x, y, 0, 0, None, self.l2)
        strength = cv2.copyTo(self._length(x, y), maxima)
        return strength if self._scale == 1 else strength / np.float32(self._scale)


def _median(image):
    """The median level of an 8-bit image: of two in the middle their mean."""
    below = np.cumsum(cv2.calcHist([image], [0], None, [256], [0, 256]), dtype=np.float64)
    middle = (image.size - 1) / 2
    return float(np.searchsorted(below, [np.floor(middle), np.ceil(middle)], side="right").mean())
