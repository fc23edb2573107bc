"""A bank of Gabor filters: how much of each wavelength and direction a picture holds."""

import math
import numbers

import numpy as np

from classical.cooccurrence import check_all
from vision.checks import check_integer, check_number
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import FeatureStep

_REACH = 3  # standard deviations of the envelope that a kernel reaches


class GaborBank(FeatureStep):
    """How strong the waves of each length and direction are: texture by a bank of Gabor filters.

    Parameters
    ----------
    frequencies : tuple of float, default=(0.05, 0.1, 0.2, 0.4)
        In cycles a pixel, each above 0 and at most 0.5. Low ones cost more: a kernel is about
        ``3.4 / frequency`` pixels wide.
    n_orientations : int, default=6
        Directions in which the waves run, evenly spread over 180 degrees, at least 1; the first
        is along x, and they turn towards y, down.
    bandwidth : float, default=1
        Of a filter in octaves, above 0: the envelope's standard deviation is 0.56 wavelengths at
        1, and larger the narrower the band.

    Filters are those of ``skimage.filters.gabor``, with the image mirrored at its border:
    ``b a | a b c | c b``. Strengths are the magnitude of the real and the imaginary response, in
    gray levels.

    Takes a gray image, ``(H, W)``, uint8. Gives features, float32: for each frequency and
    orientation the mean and the standard deviation over the image of the strength, named
    ``gabor_<frequency>_<degrees>_mean`` and ``..._std``.

    Raises
    ------
    ParameterError
        If a number is out of its range, or `frequencies` holds none.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    B. S. Manjunath and W. Y. Ma, "Texture features for browsing and retrieval of image data",
    IEEE TPAMI 18(8), 1996, doi:10.1109/34.531803.

    Examples
    --------
    >>> wave = 100 + 80 * np.cos(2 * np.pi * 0.2 * np.arange(60))
    >>> upright = np.tile(wave.astype(np.uint8), (40, 1))
    >>> bank = GaborBank((0.1, 0.2), n_orientations=2)
    >>> bank.get_feature_names_out()[bank(upright).argmax()]
    'gabor_0.2_0_mean'
    """

    takes = (Kind.GRAY,)

    def __init__(self, frequencies=(0.05, 0.1, 0.2, 0.4), n_orientations=6, bandwidth=1):
        self.frequencies = frequencies
        self.n_orientations = n_orientations
        self.bandwidth = bandwidth

    def check_params(self):
        """See `Step.check_params`."""
        allowed = "numbers above 0 and at most 0.5"
        check_all("frequencies", self.frequencies, _is_frequency, allowed, self)
        check_integer("n_orientations", self.n_orientations, owner=self, at_least=1)
        check_number("bandwidth", self.bandwidth, owner=self, above=0)

    def prepare(self):
        """See `Step.prepare`."""
        turns = np.pi * np.arange(self.n_orientations) / self.n_orientations
        octaves = 2.0**self.bandwidth
        spread = math.sqrt(math.log(2) / 2) / math.pi * (octaves + 1) / (octaves - 1)
        return [
            _waves(spread / frequency, frequency, turn)
            for frequency in self.frequencies
            for turn in turns
        ]

    def get_feature_names_out(self, input_features=None):
        """See `FeatureStep.get_feature_names_out`."""
        self.make_ready()
        names = [
            f"gabor_{frequency:g}_{180 * number / self.n_orientations:g}_{measure}"
            for frequency in self.frequencies
            for number in range(self.n_orientations)
            for measure in ("mean", "std")
        ]
        return np.array(names, object)

    def strengths(self, image):
        """The strength of every filter at every pixel.

        Parameters
        ----------
        image : (H, W) ndarray of uint8

        Yields
        ------
        (H, W) ndarray of float32
            Frequency by frequency, then orientation by orientation, in gray levels.

        Raises
        ------
        KindError
            If the image is of another kind or dtype.
        """
        self.make_ready()
        self.admit(image)
        return self._strengths(image)

    def _strengths(self, image):
        image = image.astype(np.float32)
        for across, down in self._tables:
            even, odd = _filtered(image, across[0]), _filtered(image, across[1])
            # The product of two complex waves, one along x and one along y.
            real = _filtered(even, None, down[0]) - _filtered(odd, None, down[1])
            imaginary = _filtered(even, None, down[1]) + _filtered(odd, None, down[0])
            yield cv2.magnitude(real, imaginary)

    def apply(self, image):
        """See `Step.apply`."""
        pairs = [cv2.meanStdDev(strength) for strength in self._strengths(image)]
        return np.array(pairs).ravel().astype(np.float32)


def _is_frequency(value):
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return real and 0 < value <= 0.5


def _waves(sigma, frequency, turn):
    """The even and odd wave along x, and those along y, whose products are the filter.

    The envelope is round, so that the filter is a product of two: a tenth of the time.
    """
    ways = math.cos(turn), math.sin(turn)
    reach = math.ceil(max(_REACH * sigma * abs(ways[0]), _REACH * sigma * abs(ways[1]), 1))
    places = np.arange(-reach, reach + 1.0)
    envelope = np.exp(-(places**2) / (2 * sigma**2)) / math.sqrt(2 * math.pi * sigma**2)
    phases = [2 * np.pi * frequency * way * places for way in ways]
    return [(envelope * np.cos(phase), envelope * np.sin(phase)) for phase in phases]


def _filtered(image, across=None, down=None):
    one = np.ones(1)
    across, down = (one if kernel is None else kernel for kernel in (across, down))
    return cv2.sepFilter2D(image, cv2.CV_32F, across, down, borderType=cv2.BORDER_REFLECT)
