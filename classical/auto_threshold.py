"""Levels chosen from the histogram: by four more rules, and several at once."""

import numpy as np

from vision.checks import check_bool, check_choice, check_integer
from vision.errors import ImageError
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step

_SMOOTHINGS = 10_000  # of a histogram that does not come down to two peaks, at most


class AutoThreshold(Step):
    """The pixels above a level chosen from the histogram by a rule other than Otsu's.

    An image of one level has no two classes: its level is 0, so it is all white unless it is black.

    Parameters
    ----------
    method : {"li", "isodata", "yen", "minimum"}, default="li"
        "li" has the least cross entropy between the image and its mask: for small or faint
        objects. "isodata" lies halfway between the means of both classes, near Otsu's level. "yen"
        has the greatest correlation of both classes: it keeps the brightest only. "minimum" is the
        valley between two peaks, after smoothing until there are two.
    invert : bool, default=False
        Whether the dark class is the object: 255 at and below the level.

    Takes a gray image, ``(H, W)``, uint8, and but for "minimum" uint16. Gives a mask, ``(H, W)``,
    uint8.

    Raises
    ------
    ParameterError
        If `method` is unknown or `invert` is not True or False.
    ImageError
        If the histogram has no two peaks, with ``method="minimum"``.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    C. H. Li and P. K. S. Tam, "An iterative algorithm for minimum cross entropy thresholding",
    Pattern Recognition Letters 19(8), 1998, doi:10.1016/S0167-8655(98)00057-9; T. W. Ridler and
    S. Calvard, "Picture thresholding using an iterative selection method", IEEE Transactions on
    Systems, Man, and Cybernetics 8(8), 1978, doi:10.1109/TSMC.1978.4310039; J. C. Yen, F. J. Chang
    and S. Chang, "A new criterion for automatic multilevel thresholding", IEEE Transactions on
    Image Processing 4(3), 1995, doi:10.1109/83.366472; J. M. S. Prewitt and M. L. Mendelsohn,
    "The analysis of cell images", Annals of the New York Academy of Sciences 128, 1966,
    doi:10.1111/j.1749-6632.1965.tb11715.x.

    Examples
    --------
    >>> coins = np.array([[10, 12, 11, 200, 210]], np.uint8)
    >>> AutoThreshold("isodata")(coins).tolist(), AutoThreshold("isodata").threshold(coins)
    ([[0, 0, 0, 255, 255]], 108.0)
    """

    takes = (Kind.GRAY,)
    gives = Kind.MASK

    def __init__(self, method="li", invert=False):
        self.method = method
        self.invert = invert

    @property
    def dtypes(self):
        """8 bits; 16 too, but for "minimum"."""
        return ("uint8",) if self.method == "minimum" else ("uint8", "uint16")

    def check_params(self):
        """See `Step.check_params`."""
        check_choice("method", self.method, tuple(_RULES), owner=self)
        check_bool("invert", self.invert, owner=self)

    def threshold(self, image):
        """The level chosen for an image.

        Parameters
        ----------
        image : ndarray
            A gray image that the step takes.

        Returns
        -------
        float
            In the image's own unit; the bright class lies above it.

        Raises
        ------
        KindError
            If the image is of another kind or dtype.
        ImageError
            If the histogram has no two peaks, with ``method="minimum"``.
        """
        self.make_ready()
        self.admit(image)
        return self._level(image)

    def _level(self, image):
        levels, counts = _histogram(image)
        return float(_RULES[self.method](levels, counts)) if len(levels) > 1 else 0.0

    def prepare(self):
        """See `Step.prepare`."""
        return cv2.THRESH_BINARY_INV if self.invert else cv2.THRESH_BINARY

    def apply(self, image):
        """See `Step.apply`."""
        mask = cv2.threshold(image, self._level(image), 255, self._tables)[1]
        return mask if mask.dtype == np.uint8 else mask.astype(np.uint8)


class MultiOtsu(Step):
    """Regions of similar brightness: the levels that separate several classes best.

    The levels leave the classes the smallest variance within, over the image's histogram, of all
    there could be: they are found exactly, by dynamic programming.

    Parameters
    ----------
    n_classes : int, default=3
        How many classes, 2 to 256. An image of fewer levels gets one class for each.

    Takes a gray image, ``(H, W)``, uint8. Gives labels, ``(H, W)``, int32: 1 for the darkest class
    up to `n_classes` for the brightest; no background 0.

    Raises
    ------
    ParameterError
        If `n_classes` is not a whole number from 2 to 256.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    P.-S. Liao, T.-S. Chen and P.-C. Chung, "A fast algorithm for multilevel thresholding", Journal
    of Information Science and Engineering 17(5), 2001, pp. 713-727, doi:10.6688/JISE.2001.17.5.1.

    Examples
    --------
    >>> shades = np.array([[10, 12, 90, 95, 200, 210]], np.uint8)
    >>> MultiOtsu()(shades).tolist(), MultiOtsu().thresholds(shades).tolist()
    ([[1, 1, 2, 2, 3, 3]], [12.0, 95.0])
    """

    takes = (Kind.GRAY,)
    gives = Kind.LABELS

    def __init__(self, n_classes=3):
        self.n_classes = n_classes

    def check_params(self):
        """See `Step.check_params`."""
        check_integer("n_classes", self.n_classes, owner=self, at_least=2, at_most=256)

    def thresholds(self, image):
        """The levels chosen for an image.

        Parameters
        ----------
        image : ndarray
            A gray image, ``(H, W)``, uint8.

        Returns
        -------
        ndarray
            ``(n_classes - 1,)`` float64, rising; a class lies above the level before it, up to its
            own. Fewer, if the image has fewer levels than `n_classes`.

        Raises
        ------
        KindError
            If the image is of another kind or dtype.
        """
        self.make_ready()
        self.admit(image)
        return self._levels(image)

    def _levels(self, image):
        levels, counts = _histogram(image)
        levels, counts = levels[counts > 0], counts[counts > 0]
        if len(levels) <= self.n_classes:
            return levels[:-1]
        return levels[_last_of_classes(levels, counts, self.n_classes)]

    def apply(self, image):
        """See `Step.apply`."""
        number = np.searchsorted(self._levels(image), np.arange(256))
        return cv2.LUT(image, (number + 1).astype(np.int32))


def _histogram(image):
    """The levels from the darkest to the brightest that occurs, float64, and their pixels."""
    size = 256 if image.dtype == np.uint8 else 65536
    counts = cv2.calcHist([image], [0], None, [size], [0, size]).ravel()
    occupied = np.flatnonzero(counts)
    low, high = occupied[0], occupied[-1] + 1
    return np.arange(low, high, dtype=np.float64), counts[low:high].astype(np.float64)


def _last_of_classes(levels, counts, n_classes):
    """The index of each class's last level, but for the brightest class."""
    first = np.concatenate([[0], np.cumsum(counts)])
    sums = np.concatenate([[0], np.cumsum(counts * (levels - levels[0]))])
    pixels = first[1:] - first[:-1, None]  # of a class from a row's level to a column's
    totals = sums[1:] - sums[:-1, None]
    # The variance between classes is, up to a constant, the sum of their totals^2 / pixels.
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.where(pixels > 0, totals * totals / pixels, -np.inf)
    best, choices = gain[:, -1], []  # of the levels from a row's on, in one class
    for _ in range(n_classes - 1):
        both = gain + np.append(best[1:], -np.inf)
        choices.append(both.argmax(axis=1))
        best = both.max(axis=1)
    last, start = [], 0
    for choice in reversed(choices):
        last.append(choice[start])
        start = last[-1] + 1
    return last


def _class_means(levels, counts):
    """For each level but the highest the means of what is at most as bright, and of the rest."""
    pixels, sums = np.cumsum(counts), np.cumsum(counts * levels)
    return sums[:-1] / pixels[:-1], (sums[-1] - sums[:-1]) / (pixels[-1] - pixels[:-1])


def _li(levels, counts):
    dark, bright = _class_means(levels - levels[0], counts)
    level, before = np.average(levels - levels[0], weights=counts), -1
    # Each round lowers the cross entropy, so that no level comes twice.
    while int(level) != before:
        before = int(level)
        if dark[before] == 0:
            break
        level = (dark[before] - bright[before]) / np.log(dark[before] / bright[before])
    return levels[0] + level


def _isodata(levels, counts):
    dark, bright = _class_means(levels, counts)
    above = (dark + bright) / 2 - levels[:-1]
    return levels[np.flatnonzero((above >= 0) & (above < 1))[0]]


def _yen(levels, counts):
    shares = counts / counts.sum()
    dark = np.cumsum(shares)[:-1]
    dark_squares = np.cumsum(shares**2)[:-1]
    bright_squares = np.cumsum(shares[::-1] ** 2)[-2::-1]
    # Equation 4 of the paper as one logarithm, which does not move the maximum.
    return levels[np.argmax((dark * (1 - dark)) ** 2 / (dark_squares * bright_squares))]


def _minimum(levels, counts):
    for _ in range(_SMOOTHINGS):
        wide = np.pad(counts, 1, mode="edge")
        counts = (wide[:-2] + wide[1:-1] + wide[2:]) / 3
        peaks = _peaks(counts)
        if len(peaks) < 3:
            break
    if len(peaks) != 2:
        raise ImageError(
            "AutoThreshold('minimum') needs a histogram of two peaks, and this picture's has "
            f"{len(peaks)}. Otsu() takes any."
        )
    return levels[peaks[0] + np.argmin(counts[peaks[0] : peaks[1] + 1])]


def _peaks(counts):
    """Where the counts fall after they last rose, or from the start."""
    slopes = np.sign(np.diff(counts))
    places = np.flatnonzero(slopes)
    before = np.concatenate([[1], slopes[places][:-1]])
    return places[(before > 0) & (slopes[places] < 0)]


_RULES = {"li": _li, "isodata": _isodata, "yen": _yen, "minimum": _minimum}
