"""Steps that shape a picture's histogram: equalisation, CLAHE, and matching to another picture."""

import numpy as np

from vision.checks import check_choice, check_integer, check_number, refuse
from vision.kinds import BLENDED, Kind
from vision.opencv import cv2
from vision.step import Step

CHANNELS = ("luminance", "separate")


def channel_histograms(image):
    """How often each level occurs in each channel.

    Parameters
    ----------
    image : ndarray
        ``(H, W)`` or ``(H, W, 3)``, uint8 or uint16.

    Returns
    -------
    counts : ndarray of shape (channels, 256) or (channels, 65536), float64

    Examples
    --------
    >>> channel_histograms(np.array([[3, 3, 255]], np.uint8))[0, [0, 3, 255]].tolist()
    [0.0, 2.0, 1.0]
    """
    levels = np.iinfo(image.dtype).max + 1
    channels = 1 if image.ndim == 2 else image.shape[2]
    counts = [
        cv2.calcHist([image], [channel], None, [levels], [0, levels]).ravel()
        for channel in range(channels)
    ]
    return np.array(counts, np.float64)


def percentiles(counts, share):
    """The level below which a share of the pixels lies, between levels by linear interpolation.

    Parameters
    ----------
    counts : ndarray of shape (levels,)
        How often each level occurs.
    share : float
        In percent, 0 to 100.

    Returns
    -------
    float
        As ``np.percentile`` of the pixels themselves.

    Examples
    --------
    >>> percentiles(np.array([0, 1, 0, 1, 2]), 25)  # of 1, 3, 4 and 4
    2.5
    """
    total = np.cumsum(counts)
    rank = share / 100 * (total[-1] - 1)
    below, above = np.searchsorted(total, [np.floor(rank), np.ceil(rank)], side="right")
    return float(below + (rank - np.floor(rank)) * (above - below))


class _HistogramStep(Step):
    """A change of one channel at a time: of each channel, or of the luma of a colour image."""

    takes = (Kind.GRAY, Kind.RGB)
    gives = BLENDED

    def check_params(self):
        """See `Step.check_params`."""
        check_choice("channels", self.channels, CHANNELS, owner=self)

    def change(self, plane, number):
        """The channel of that number, changed; 0 is also the luma and the one of a gray image."""
        raise NotImplementedError

    def apply(self, image):
        """See `Step.apply`."""
        if image.ndim == 2:
            return self.change(image, 0)
        if self.channels == "separate":
            planes = [self.change(plane, number) for number, plane in enumerate(cv2.split(image))]
            return cv2.merge(planes)
        ycrcb = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)
        luma = self.change(cv2.extractChannel(ycrcb, 0), 0)
        return cv2.cvtColor(cv2.insertChannel(luma, ycrcb, 0), cv2.COLOR_YCrCb2RGB)


class HistogramEqualization(_HistogramStep):
    """The levels spread so that each is about equally frequent: the most global contrast.

    A level becomes 255 times the share of pixels at or below it, the darkest level that occurs
    becoming 0. A picture of one level stays as it is.

    Parameters
    ----------
    channels : {"luminance", "separate"}, default="luminance"
        What is equalised in a colour image: the luma alone (Y of `ToYCrCb`), which keeps the
        colours except where they leave RGB and are cut off, or each channel by itself, which
        shifts them.

    Takes a gray image, ``(H, W)``, or an rgb one, ``(H, W, 3)``, uint8. Gives the same kind and
    dtype; of a mask a gray image.

    Raises
    ------
    ParameterError
        If `channels` is unknown.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    R. C. Gonzalez and R. E. Woods, "Digital Image Processing", 4th edition, 2018, section 3.3.

    Examples
    --------
    >>> HistogramEqualization()(np.array([[50, 51, 52, 52]], np.uint8)).tolist()
    [[0, 85, 255, 255]]
    """

    def __init__(self, channels="luminance"):
        self.channels = channels

    def change(self, plane, number):
        """See `_HistogramStep.change`."""
        return cv2.equalizeHist(plane)


class CLAHE(_HistogramStep):
    """Contrast-limited adaptive equalisation: each part of the picture by its own histogram.

    The picture is divided into tiles; each tile's histogram is cut off at a limit, what was cut is
    spread over all levels, and the result equalises. Between the centres of the tiles the four
    nearest are mixed, so that no seam shows.

    Parameters
    ----------
    clip_limit : float, default=2
        Where the histograms are cut off, as a multiple of their mean: 1 changes little, 40 (the
        default of ``cv2.createCLAHE``) hardly limits, and noise shows.
    tiles : int, default=8
        How many tiles there are along each side. The picture is mirrored on the right and below
        where a side is no multiple of that.
    channels : {"luminance", "separate"}, default="luminance"
        What is equalised in a colour image: the luma alone (Y of `ToYCrCb`), which keeps the
        colours except where they leave RGB and are cut off, or each channel by itself, which
        shifts them.

    Takes a gray image, ``(H, W)``, or an rgb one, ``(H, W, 3)``, uint8 or uint16. Gives the same
    kind and dtype; of a mask a gray image.

    Raises
    ------
    ParameterError
        If `clip_limit` is not above 0, `tiles` is not a whole number from 1 to 256, or `channels`
        is unknown.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    K. Zuiderveld, "Contrast Limited Adaptive Histogram Equalization", Graphics Gems IV, 1994,
    pages 474-485, doi:10.1016/B978-0-12-336156-1.50061-6.

    Examples
    --------
    >>> dark = np.arange(16, dtype=np.uint8).reshape(4, 4)
    >>> CLAHE(clip_limit=40, tiles=1)(dark)[:, 3].tolist()
    [64, 128, 191, 255]
    """

    dtypes = ("uint8", "uint16")

    def __init__(self, clip_limit=2.0, tiles=8, channels="luminance"):
        self.clip_limit = clip_limit
        self.tiles = tiles
        self.channels = channels

    def check_params(self):
        """See `Step.check_params`."""
        super().check_params()
        check_number("clip_limit", self.clip_limit, owner=self, above=0)
        check_integer("tiles", self.tiles, owner=self, at_least=1, at_most=256)

    def change(self, plane, number):
        """See `_HistogramStep.change`."""
        # made on each call: the object holds buffers that two threads would share
        return cv2.createCLAHE(self.clip_limit, (self.tiles, self.tiles)).apply(plane)


class HistogramMatching(_HistogramStep):
    """The levels changed so that the histogram becomes that of another picture.

    Each level becomes the reference's level below which the same share of pixels lies,
    interpolated linearly and rounded.

    Parameters
    ----------
    reference : ndarray
        The picture whose histogram is taken over, gray or rgb, uint8 or uint16; of any size.
    channels : {"separate", "luminance"}, default="separate"
        What is matched in a colour image: each channel by itself, which takes over the colours as
        well, or the luma alone (Y of `ToYCrCb`), which keeps the image's own.

    Takes a gray image for a gray reference, an rgb one for an rgb one, and both for "luminance",
    of the reference's dtype. Gives the same kind and dtype; of a mask a gray image.

    Raises
    ------
    ParameterError
        If `reference` is no gray or rgb picture, uint8 or uint16, or `channels` is unknown.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    R. C. Gonzalez and R. E. Woods, "Digital Image Processing", 4th edition, 2018, section 3.3.

    Examples
    --------
    >>> reference = np.array([[10, 20, 30, 40]], np.uint8)
    >>> HistogramMatching(reference)(np.array([[7, 9, 9, 8]], np.uint8)).tolist()
    [[10, 40, 40, 20]]
    """

    def __init__(self, reference, channels="separate"):
        self.reference = reference
        self.channels = channels

    @classmethod
    def make_example(cls):
        """A working instance for the catalogue: towards a picture brighter to the right."""
        ramp = np.arange(64, 256, 12, dtype=np.uint8)
        return cls(np.dstack([ramp[None], ramp[None], ramp[None] - 32]))

    @property
    def takes(self):
        """What the reference is, and both gray and rgb where only the luma counts."""
        gray = getattr(self.reference, "ndim", 0) == 2
        if self.channels == "luminance":
            return (Kind.RGB, Kind.GRAY)
        return (Kind.GRAY,) if gray else (Kind.RGB,)

    @property
    def dtypes(self):
        """The reference's dtype."""
        return (str(getattr(self.reference, "dtype", "uint8")),)

    def check_params(self):
        """See `Step.check_params`."""
        super().check_params()
        found = self.reference
        if not (
            isinstance(found, np.ndarray)
            and found.dtype in (np.uint8, np.uint16)
            and (found.ndim == 2 or (found.ndim == 3 and found.shape[2] == 3))
            and found.size
        ):
            refuse("reference", found, "a gray or rgb picture, uint8 or uint16", self)

    def prepare(self):
        """The levels of each channel that occur in the reference, and the share up to each."""
        reference = self.reference
        if self.channels == "luminance" and reference.ndim == 3:
            reference = cv2.extractChannel(cv2.cvtColor(reference, cv2.COLOR_RGB2YCrCb), 0)
        return [_quantiles(counts) for counts in channel_histograms(reference)]

    def change(self, plane, number):
        """See `_HistogramStep.change`."""
        levels, shares = _quantiles(channel_histograms(plane)[0])
        wanted, wanted_shares = self._tables[number]
        table = np.zeros(np.iinfo(plane.dtype).max + 1, plane.dtype)
        table[levels] = np.rint(np.interp(shares, wanted_shares, wanted))
        return cv2.LUT(plane, table) if plane.dtype == np.uint8 else table.take(plane)


def _quantiles(counts):
    levels = np.flatnonzero(counts)
    return levels, np.cumsum(counts[levels]) / counts.sum()
