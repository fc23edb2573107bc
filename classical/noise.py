"""Noise: four kinds to add, and how much of it a picture has."""

import numpy as np
from isal import isal_zlib

from vision.checks import check_choice, check_number, check_random_state
from vision.kinds import BLENDED, SAME, Kind
from vision.opencv import cv2
from vision.step import FeatureStep, Step

# One gray level of 8 bits in the unit of each dtype, and white.
LEVEL = {"uint8": 1.0, "uint16": 257.0, "float32": 1 / 255}
WHITE = {"uint8": 255, "uint16": 65535, "float32": 1}
_AT_ONCE = 2**14  # values that are drawn together


class Noise(Step):
    """The base of the four: images, and a seed that depends on `random_state` and the image."""

    takes = (Kind.RGB, Kind.GRAY, Kind.FLOAT)
    gives = BLENDED
    dtypes = ("uint8", "uint16")

    def _seed(self, image):
        """32 bits that differ from picture to picture, so that no two get the same pattern."""
        own = int(self.random_state).to_bytes(4, "little")
        return isal_zlib.crc32(own, isal_zlib.crc32(np.ascontiguousarray(image)))

    def _normal(self, image, mean, sigma, dtype=np.float32):
        """Gaussian numbers of the image's shape, from OpenCV's generator."""
        numbers = np.empty(image.shape, dtype)
        cv2.setRNGSeed(self._seed(image) - 2**31)  # it takes a signed number
        cv2.randn(numbers.reshape(len(image), -1), mean, sigma)
        return numbers


class GaussianNoise(Noise):
    """The picture with a normally distributed number added to every value.

    Parameters
    ----------
    sigma : float, default=25
        Standard deviation of the noise, at least 0, in gray levels of 8 bits; on 16-bit and float
        images the same share of white.
    random_state : int, default=0
        Seed, 0 to 2**32 - 1. The noise depends on it and the image alone: the same picture always
        gets the same noise, another picture another.

    Channels get noise of their own; the result is rounded for 8 and 16 bits and cut off at black
    and white.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8 or uint16, or a float
    image. Gives the same kind, shape and dtype; of a mask it makes a gray image.

    Raises
    ------
    ParameterError
        If `sigma` is negative or `random_state` is out of range.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    R. C. Gonzalez and R. E. Woods, "Digital Image Processing", 4th edition, 2018, section 5.2.

    Examples
    --------
    >>> noisy = GaussianNoise(sigma=10)(np.full((300, 400), 128, np.uint8))
    >>> round(float(noisy.mean())), round(float(noisy.std()))
    (128, 10)
    """

    def __init__(self, sigma=25, random_state=0):
        self.sigma = sigma
        self.random_state = random_state

    def check_params(self):
        """See `Step.check_params`."""
        check_number("sigma", self.sigma, owner=self, at_least=0)
        check_random_state("random_state", self.random_state, owner=self)

    def apply(self, image):
        """See `Step.apply`."""
        sigma = self.sigma * LEVEL[image.dtype.name]
        if image.dtype == np.uint8:
            # Rounding the noise rounds the sum, as the image is whole.
            return cv2.add(image, self._normal(image, 0, sigma, np.int16), dtype=cv2.CV_8U)
        noisy = cv2.add(image, self._normal(image, 0, sigma), dtype=cv2.CV_32F)
        return _in_range(noisy, image)


class SpeckleNoise(Noise):
    """The picture with every value multiplied by a normal number around 1: the grain of radar.

    Parameters
    ----------
    sigma : float, default=0.1
        Standard deviation of the factor, at least 0: the noise as a share of the brightness.
    random_state : int, default=0
        Seed, 0 to 2**32 - 1; with the image it determines the noise, as in `GaussianNoise`.

    Channels get noise of their own; the result is rounded for 8 and 16 bits and cut off at black
    and white. Black stays black.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8 or uint16, or a float
    image. Gives the same kind, shape and dtype; of a mask it makes a gray image.

    Raises
    ------
    ParameterError
        If `sigma` is negative or `random_state` is out of range.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    J. S. Lee, "Speckle suppression and analysis for synthetic aperture radar images", Optical
    Engineering 25(5), 1986, doi:10.1117/12.7973877.

    Examples
    --------
    >>> noisy = SpeckleNoise(sigma=0.1)(np.full((300, 400), 50, np.uint8))
    >>> round(float(noisy.mean())), round(float(noisy.std()))
    (50, 5)
    """

    def __init__(self, sigma=0.1, random_state=0):
        self.sigma = sigma
        self.random_state = random_state

    def check_params(self):
        """See `Step.check_params`."""
        check_number("sigma", self.sigma, owner=self, at_least=0)
        check_random_state("random_state", self.random_state, owner=self)

    def apply(self, image):
        """See `Step.apply`."""
        factors = self._normal(image, 1, self.sigma)
        if image.dtype == np.uint8:
            return cv2.multiply(image, factors, dtype=cv2.CV_8U)
        return _in_range(cv2.multiply(image, factors, dtype=cv2.CV_32F), image)


class PoissonNoise(Noise):
    """The picture as counted photons make it: the noise grows with the root of the brightness.

    Parameters
    ----------
    peak : float, default=255
        How many photons white stands for, above 0: the fewer, the noisier. At 255 each gray level
        of 8 bits is one photon.
    random_state : int, default=0
        Seed, 0 to 2**32 - 1; with the image it determines the noise, as in `GaussianNoise`.

    Each value is a count drawn from the Poisson distribution around its share of `peak`, brought
    back to the image's own unit, rounded for 8 and 16 bits and cut off at white.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8 or uint16, or a float
    image. Gives the same kind, shape and dtype; of a mask it makes a gray image.

    Raises
    ------
    ParameterError
        If `peak` is not above 0 and at most 1e9, or `random_state` is out of range.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    S. W. Hasinoff, "Photon, Poisson Noise", in: K. Ikeuchi (ed.), Computer Vision: A Reference
    Guide, 2014, doi:10.1007/978-0-387-31439-6_482.

    Examples
    --------
    >>> noisy = PoissonNoise()(np.full((300, 400), 100, np.uint8))
    >>> round(float(noisy.mean())), round(float(noisy.std()))
    (100, 10)
    """

    def __init__(self, peak=255, random_state=0):
        self.peak = peak
        self.random_state = random_state

    def check_params(self):
        """See `Step.check_params`."""
        check_number("peak", self.peak, owner=self, above=0, at_most=1e9)
        check_random_state("random_state", self.random_state, owner=self)

    def apply(self, image):
        """See `Step.apply`."""
        photons = self.peak / WHITE[image.dtype.name]
        draw = np.random.default_rng(self._seed(image)).poisson
        noisy = np.empty_like(image)
        rows = max(1, _AT_ONCE // image[0].size)
        # Some rows at a time stay in the cache; the generator goes on where it was.
        for top in range(0, len(image), rows):
            part = image[top : top + rows]
            counts = draw(part * photons)
            noisy[top : top + rows] = _in_range((counts / photons).astype(np.float32), part)
        return noisy


class SaltAndPepperNoise(Noise):
    """The picture with single pixels white or black, as dead sensor cells leave them.

    Parameters
    ----------
    amount : float, default=0.05
        Chance of each pixel to be replaced, 0 to 1.
    salt : float, default=0.5
        Share of white among those, 0 to 1; the others are black.
    random_state : int, default=0
        Seed, 0 to 2**32 - 1; with the image it determines the noise, as in `GaussianNoise`.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8 or uint16, or a float
    image; all channels of a pixel are replaced together. Gives the same kind, shape and dtype: a
    mask stays a mask.

    Raises
    ------
    ParameterError
        If `amount` or `salt` is not from 0 to 1, or `random_state` is out of range.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    R. C. Gonzalez and R. E. Woods, "Digital Image Processing", 4th edition, 2018, section 5.2.

    Examples
    --------
    >>> noisy = SaltAndPepperNoise(amount=0.2)(np.full((300, 400), 128, np.uint8))
    >>> [round(float(np.mean(noisy == level)), 2) for level in (0, 128, 255)]
    [0.1, 0.8, 0.1]
    """

    gives = SAME

    def __init__(self, amount=0.05, salt=0.5, random_state=0):
        self.amount = amount
        self.salt = salt
        self.random_state = random_state

    def check_params(self):
        """See `Step.check_params`."""
        check_number("amount", self.amount, owner=self, at_least=0, at_most=1)
        check_number("salt", self.salt, owner=self, at_least=0, at_most=1)
        check_random_state("random_state", self.random_state, owner=self)

    def apply(self, image):
        """See `Step.apply`."""
        numbers = np.empty(image.shape[:2], np.float32)
        cv2.setRNGSeed(self._seed(image) - 2**31)
        cv2.randu(numbers, 0, 1)
        noisy = image.copy()
        noisy[numbers < self.amount] = 0
        noisy[numbers < self.amount * self.salt] = WHITE[image.dtype.name]
        return noisy


def _in_range(values, image):
    """Float32 values as an image of the dtype of `image`: cut off, rounded for whole numbers."""
    values = np.clip(values, 0, WHITE[image.dtype.name], out=values)
    return values if image.dtype == np.float32 else np.rint(values, out=values).astype(image.dtype)


# Daubechies' wavelet with two vanishing moments: its high-pass half.
_ROOT = np.sqrt(3)
_HIGH_PASS = np.array([1 - _ROOT, _ROOT - 3, 3 + _ROOT, -1 - _ROOT]) / np.sqrt(32)
_IMMERKAER = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float64)
_QUARTILE = 0.6744897501960817  # of the normal distribution: half of it lies nearer to 0


class NoiseLevel(FeatureStep):
    """How strong the noise of a picture is: the standard deviation of Gaussian noise in it.

    Parameters
    ----------
    method : {"wavelet", "laplacian"}, default="wavelet"
        "wavelet" is the median of the finest diagonal wavelet coefficients, which edges hardly
        touch; "laplacian" the mean size of a difference of two Laplacians, which is faster and
        takes more of the texture for noise.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8 or uint16, or a float
    image. Gives features, ``(1,)`` float32, named ``noise_level``: in gray levels of 8 bits, on
    16-bit and float images the same share of white; of a colour image the mean of its channels. A
    picture without a coefficient, as one of a single pixel, has 0.

    Raises
    ------
    ParameterError
        If `method` is unknown.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    D. L. Donoho and I. M. Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika
    81(3), 1994, doi:10.1093/biomet/81.3.425; J. Immerkaer, "Fast noise variance estimation",
    Computer Vision and Image Understanding 64(2), 1996, doi:10.1006/cviu.1996.0060.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> noise = (128 + rng.normal(0, 10, (300, 400))).astype(np.uint8)
    >>> NoiseLevel()(noise).round().tolist(), NoiseLevel("laplacian")(noise).round().tolist()
    ([10.0], [10.0])
    """

    takes = (Kind.RGB, Kind.GRAY, Kind.FLOAT)
    dtypes = ("uint8", "uint16")

    def __init__(self, method="wavelet"):
        self.method = method

    def check_params(self):
        """See `Step.check_params`."""
        check_choice("method", self.method, tuple(_ESTIMATES), owner=self)

    def get_feature_names_out(self, input_features=None):
        """See `FeatureStep.get_feature_names_out`."""
        return np.array(["noise_level"], object)

    def apply(self, image):
        """See `Step.apply`."""
        estimate = _ESTIMATES[self.method]
        sigma = np.mean([estimate(plane) for plane in cv2.split(image)])
        return np.array([sigma / LEVEL[image.dtype.name]], np.float32)


def _wavelet_estimate(plane):
    wide = cv2.copyMakeBorder(plane, 3, 3, 3, 3, cv2.BORDER_REFLECT)
    # Of a filter of 4 the anchor is 2, so the sum over rows 0 to 3 stands at row 2.
    details = cv2.sepFilter2D(wide, cv2.CV_32F, _HIGH_PASS, _HIGH_PASS)[3:-1:2, 3:-1:2]
    sizes = np.abs(details)
    sizes = sizes[sizes > 1e-3 * LEVEL[plane.dtype.name]]  # flat where black or white is cut off
    return np.median(sizes) / _QUARTILE if sizes.size else 0.0


def _laplacian_estimate(plane):
    height, width = plane.shape
    if min(height, width) < 3:
        return 0.0
    response = cv2.filter2D(plane, cv2.CV_32F, _IMMERKAER)[1:-1, 1:-1]
    # The squares of the kernel's weights sum to 36; a normal number's size is sqrt(2 / pi) sigma.
    return np.sqrt(np.pi / 2) * cv2.norm(response, cv2.NORM_L1) / (6 * (height - 2) * (width - 2))


_ESTIMATES = {"wavelet": _wavelet_estimate, "laplacian": _laplacian_estimate}
