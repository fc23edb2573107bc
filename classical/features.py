"""Rows of numbers that describe a picture: its pixels, its colours."""

import numpy as np

from vision.checks import check_choice, check_integer
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import FeatureStep

# The channels of a colour space and the number of values that each has.
CHANNELS = {
    "rgb": (("red", 256), ("green", 256), ("blue", 256)),
    "hsv": (("hue", 180), ("saturation", 256), ("value", 256)),
}


class RawPixels(FeatureStep):
    """The gray levels themselves, of the picture shrunk to a small square.

    Parameters
    ----------
    size : int, default=16
        Width and height in pixels that the picture is resized to, at least 1, by the mean over
        the area of each new pixel; its proportions are not kept.

    Takes a gray image, ``(H, W)``, uint8. Gives features, ``(size * size,)`` float32, 0 to 255,
    row by row, named ``pixel_<row>_<column>``.

    Raises
    ------
    ParameterError
        If `size` is not whole or below 1.
    KindError
        If the image is of another kind or dtype.

    Examples
    --------
    >>> image = np.array([[10, 20, 0, 0], [30, 40, 0, 8]], np.uint8)
    >>> RawPixels(2)(image).tolist()
    [15.0, 0.0, 35.0, 4.0]
    >>> RawPixels(2).get_feature_names_out().tolist()
    ['pixel_0_0', 'pixel_0_1', 'pixel_1_0', 'pixel_1_1']
    """

    takes = (Kind.GRAY,)

    def __init__(self, size=16):
        self.size = size

    def check_params(self):
        """See `Step.check_params`."""
        check_integer("size", self.size, owner=self, at_least=1)

    def get_feature_names_out(self, input_features=None):
        """See `FeatureStep.get_feature_names_out`."""
        self.make_ready()
        sides = range(self.size)
        return np.array([f"pixel_{row}_{column}" for row in sides for column in sides], object)

    def apply(self, image):
        """See `Step.apply`."""
        small = cv2.resize(image, (self.size, self.size), interpolation=cv2.INTER_AREA)
        return small.ravel().astype(np.float32)


class ColorHistogram(FeatureStep):
    """How often each range of colour values occurs, channel by channel.

    Parameters
    ----------
    bins : int, default=8
        Ranges that each channel is divided into, all of one width, 1 to 256; for "hsv" at most
        180.
    space : {"rgb", "hsv"}, default="rgb"
        The colour space of the image: nothing is converted.

    Takes an rgb image, or with ``space="hsv"`` an hsv one, ``(H, W, 3)``, uint8. Gives features,
    ``(3 * bins,)`` float32: shares that sum to 1 for each channel, named by channel and range,
    ``red_0`` being the darkest.

    Raises
    ------
    ParameterError
        If `bins` is out of its range or `space` is unknown.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    M. J. Swain and D. H. Ballard, "Color indexing", International Journal of Computer Vision 7(1),
    1991, doi:10.1007/BF00130487.

    Examples
    --------
    >>> image = np.array([[[255, 0, 0], [200, 100, 0]]], np.uint8)
    >>> ColorHistogram(2)(image).tolist()
    [0.0, 1.0, 1.0, 0.0, 1.0, 0.0]
    >>> ColorHistogram(2).get_feature_names_out().tolist()
    ['red_0', 'red_1', 'green_0', 'green_1', 'blue_0', 'blue_1']
    """

    def __init__(self, bins=8, space="rgb"):
        self.bins = bins
        self.space = space

    @property
    def takes(self):
        """The kind of the colour space alone."""
        return (Kind.HSV if self.space == "hsv" else Kind.RGB,)

    def check_params(self):
        """See `Step.check_params`."""
        check_choice("space", self.space, tuple(CHANNELS), owner=self)
        check_integer("bins", self.bins, owner=self, at_least=1, at_most=CHANNELS[self.space][0][1])

    def get_feature_names_out(self, input_features=None):
        """See `FeatureStep.get_feature_names_out`."""
        self.make_ready()
        channels = [name for name, _ in CHANNELS[self.space]]
        return np.array([f"{name}_{bin}" for name in channels for bin in range(self.bins)], object)

    def prepare(self):
        """See `Step.prepare`."""
        # Exact ranges of whole numbers; for 26 hues OpenCV rounds a few limits the wrong way.
        return [
            (channel, values, np.arange(values) * self.bins // values)
            for channel, (_, values) in enumerate(CHANNELS[self.space])
        ]

    def apply(self, image):
        """See `Step.apply`."""
        counts = [
            np.bincount(ranges, _count(image, channel, values), self.bins)
            for channel, values, ranges in self._tables
        ]
        return (np.concatenate(counts) / (image.shape[0] * image.shape[1])).astype(np.float32)


def _count(image, channel, values):
    return cv2.calcHist([image], [channel], None, [values], [0, values]).ravel()
