"""White balance: the colour of the light estimated from the picture, and taken out of it."""

import numpy as np

from classical.histogram import channel_histograms, percentiles
from vision.checks import check_choice, check_number
from vision.errors import KindError
from vision.kinds import SAME, Kind
from vision.opencv import cv2
from vision.step import Step

METHODS = ("shades_of_gray", "gray_world", "white_patch")


class WhiteBalance(Step):
    """The picture as under white light: a colour cast is estimated and removed.

    Each channel is multiplied by one gain (von Kries). "gray_world" takes the mean of each
    channel for the colour of the light, as if the scene were gray on average; "shades_of_gray"
    the mean by a Minkowski norm, in which bright pixels count for more, so that a picture full of
    one colour loses less of it. Both keep the mean of the three estimates, and so about the
    brightness. "white_patch" makes the brightest part of each channel white. What exceeds white
    is cut off; the gains act on the values as stored, without undoing the gamma of sRGB.

    Parameters
    ----------
    method : {"shades_of_gray", "gray_world", "white_patch"}, default="shades_of_gray"
        How the colour of the light is estimated.
    norm : float, default=6
        The norm of "shades_of_gray", 1 to 50: 1 is "gray_world"; the larger, the nearer to the
        brightest pixels alone. 6 was best in the paper.
    percentile : float, default=99
        For "white_patch", the share of a channel's pixels, in percent, at and below the value
        that becomes white. 100 is the largest value, which one glint may decide.

    Takes an rgb image, ``(H, W, 3)``, uint8 or uint16, or a float image of three channels.
    Gives the same kind and dtype. A channel that is black stays so.

    Raises
    ------
    ParameterError
        If `method` is unknown, `norm` is below 1 or above 50, or `percentile` is not above 0 and
        at most 100.
    KindError
        If the image is of another kind or dtype, or a float image of one channel.

    References
    ----------
    G. Buchsbaum, "A spatial processor model for object colour perception", Journal of the
    Franklin Institute 310(1), 1980, doi:10.1016/0016-0032(80)90058-7 (gray world).
    G. D. Finlayson and E. Trezzi, "Shades of Gray and Colour Constancy", Color and Imaging
    Conference 12, 2004, pages 37-41. E. H. Land and J. J. McCann, "Lightness and Retinex Theory",
    JOSA 61(1), 1971, doi:10.1364/JOSA.61.000001 (white patch).

    Examples
    --------
    >>> orange_light = np.array([[[120, 100, 80], [60, 50, 40]]], np.uint8)
    >>> WhiteBalance()(orange_light).tolist()
    [[[100, 100, 100], [50, 50, 50]]]
    """

    takes = (Kind.RGB, Kind.FLOAT)
    gives = SAME
    dtypes = ("uint8", "uint16")

    def __init__(self, method="shades_of_gray", norm=6, percentile=99):
        self.method = method
        self.norm = norm
        self.percentile = percentile

    def check_params(self):
        """See `Step.check_params`."""
        check_choice("method", self.method, METHODS, owner=self)
        check_number("norm", self.norm, owner=self, at_least=1, at_most=50)
        check_number("percentile", self.percentile, owner=self, above=0, at_most=100)

    def apply(self, image):
        """See `Step.apply`."""
        if image.ndim == 2:
            raise KindError("WhiteBalance takes three channels. Got a float image of one.")
        balanced = cv2.transform(image, np.diag(self._gains(image)))
        if image.dtype == np.float32:
            np.minimum(balanced, 1, out=balanced)
        return balanced

    def _gains(self, image):
        light, white = self._light(image)
        return np.divide(white, light, out=np.ones(3), where=light > 0)

    def _light(self, image):
        """The colour of the light, and the level that all its channels are to have."""
        if self.method == "white_patch":
            most = 1 if image.dtype == np.float32 else np.iinfo(image.dtype).max
            return self._brightest(image), most
        light = self._mean(image)
        return light, light.mean()

    def _brightest(self, image):
        if image.dtype == np.float32:
            return np.percentile(image, self.percentile, axis=(0, 1))
        counts = channel_histograms(image)
        return np.array([percentiles(count, self.percentile) for count in counts])

    def _mean(self, image):
        if self.method == "gray_world":
            return np.array(cv2.mean(image)[:3])
        if image.dtype == np.float32:
            means = np.array(cv2.mean(cv2.pow(image, self.norm))[:3])
            return means ** (1 / self.norm)
        counts = channel_histograms(image)
        levels = np.linspace(0, 1, counts.shape[1]) ** self.norm
        means = counts @ levels / counts[0].sum()
        return means ** (1 / self.norm) * (counts.shape[1] - 1)
