"""Ridges, lines that are darker or brighter than both sides: Frangi's and Sato's filters."""

import math
import numbers

import numpy as np

from vision.checks import check_choice, check_number, refuse
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step

_REACH = 8  # standard deviations that a kernel reaches
_LEAST = 1e-10  # what stands for a curvature of the wrong sign


class _Ridges(Step):
    """A response to ridges at several scales, the largest at each pixel."""

    takes = (Kind.GRAY,)
    gives = Kind.MAP
    dtypes = ("uint8", "uint16")

    def check_params(self):
        """See `Step.check_params`."""
        several = isinstance(self.sigmas, tuple | list | range) and len(self.sigmas)
        if not (several and all(_is_scale(sigma) for sigma in self.sigmas)):
            refuse("sigmas", self.sigmas, "a sequence of numbers above 0", self)
        check_choice("polarity", self.polarity, ("dark", "bright"), owner=self)

    def prepare(self):
        """See `Step.prepare`."""
        return [_kernels(float(sigma)) for sigma in self.sigmas]

    def _curvatures(self, image):
        """For each scale the two principal curvatures, the algebraically larger first.

        A dark ridge has a positive one across.
        """
        # Curvature knows no level, but rounding does: an even picture must answer exactly 0.
        image = image.astype(np.float32) - np.float32(round(cv2.mean(image)[0]))
        if self.polarity == "bright":
            np.negative(image, out=image)
        for smooth, slope in self._tables:
            yield _principal(*_hessian(image, smooth, slope))


def _is_scale(value):
    real = isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)
    return real and math.isfinite(value) and value > 0


def _kernels(sigma):
    """A Gaussian of half the variance and its derivative: applied twice they have sigma."""
    half = sigma / math.sqrt(2)
    reach = int(_REACH * max(half, 1) + 0.5)
    x = np.arange(-reach, reach + 1.0)
    smooth = np.exp(-(x**2) / (2 * half**2))
    smooth /= smooth.sum()
    return smooth, x / half**2 * smooth


def _filtered(image, across, down):
    return cv2.sepFilter2D(image, cv2.CV_32F, across, down, borderType=cv2.BORDER_REFLECT)


def _hessian(image, smooth, slope):
    """The second derivatives, down, slanted and across, each as two first ones in turn."""
    down, across = _filtered(image, smooth, slope), _filtered(image, slope, smooth)
    slanted = _filtered(down, slope, smooth)
    return _filtered(down, smooth, slope), slanted, _filtered(across, slope, smooth)


def _principal(down, slanted, across):
    """Eigenvalues of symmetric 2x2 matrices, the larger first."""
    middle = cv2.addWeighted(down, 0.5, across, 0.5, 0)
    apart = cv2.addWeighted(down, 0.5, across, -0.5, 0)
    # cv2.magnitude would be simpler, but its last bit depends on where the arrays lie in memory.
    squares = cv2.multiply(apart, apart, apart), cv2.multiply(slanted, slanted, slanted)
    apart = cv2.sqrt(cv2.add(*squares, apart), apart)
    return cv2.add(middle, apart), cv2.subtract(middle, apart)


class Frangi(_Ridges):
    """How much each pixel lies on a vessel, 0 to 1: curved across, straight along, and strong.

    Parameters
    ----------
    sigmas : sequence of float, default=(1, 3, 5, 7, 9)
        Scales in pixels, above 0: a ridge of width w answers most at about w / 2. The largest
        response of all is given.
    beta : float, default=0.5
        How blob-like a ridge may be, above 0: the ratio of the curvature along to that across at
        which the response has fallen to 0.61.
    gamma : float, default=None
        How strong a ridge must be, above 0: the length of both curvatures, in gray levels a square
        pixel, at which the response has risen to 0.39. None: half the largest in this image at
        the first scale.
    polarity : {"dark", "bright"}, default="dark"
        Ridges darker than both sides, or brighter.

    As ``skimage.filters.frangi``, within 1e-3: curvatures are not scaled by sigma^2, so wide
    ridges answer less. With `gamma` None the response depends on the whole image. The border is
    mirrored with its pixel: ``b a | a b c | c b``.

    Takes a gray image, ``(H, W)``, uint8 or uint16. Gives a map, ``(H, W)``, float32, 0 to 1.

    Raises
    ------
    ParameterError
        If `sigmas` is no sequence of numbers above 0, `beta` or `gamma` not above 0, or
        `polarity` unknown.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    A. F. Frangi, W. J. Niessen, K. L. Vincken and M. A. Viergever, "Multiscale vessel enhancement
    filtering", MICCAI 1998, equation 15, doi:10.1007/BFb0056195.

    Examples
    --------
    >>> image = np.full((30, 40), 200, np.uint8)
    >>> image[:, 20] = 50
    >>> response = Frangi()(image)
    >>> int(response[15].argmax()), float(response[15, 5])
    (20, 0.0)
    """

    def __init__(self, sigmas=(1, 3, 5, 7, 9), beta=0.5, gamma=None, polarity="dark"):
        self.sigmas = sigmas
        self.beta = beta
        self.gamma = gamma
        self.polarity = polarity

    def check_params(self):
        """See `Step.check_params`."""
        super().check_params()
        check_number("beta", self.beta, owner=self, above=0)
        if self.gamma is not None:
            check_number("gamma", self.gamma, owner=self, above=0)

    def apply(self, image):
        """See `Step.apply`."""
        response, gamma = np.zeros(image.shape, np.float32), self.gamma
        for larger, smaller in self._curvatures(image):
            strength = cv2.add(cv2.multiply(larger, larger), cv2.multiply(smaller, smaller))
            if gamma is None:
                gamma = math.sqrt(float(strength.max())) / 2 or 1.0
            cv2.max(response, self._vesselness(larger, smaller, strength, gamma), response)
        return response

    def _vesselness(self, larger, smaller, strength, gamma):
        """Equation 15: what is not blob-like, times what is not background."""
        # Where the stronger curvature is negative the ridge has the other polarity; the ratio is
        # huge there, and the response 0.
        across = np.where(larger > -smaller, larger, np.float32(_LEAST))
        ratio = cv2.divide(smaller, cv2.max(across, _LEAST))
        blob = cv2.exp(cv2.multiply(ratio, ratio, scale=-1 / (2 * self.beta**2)))
        cv2.exp(cv2.multiply(strength, -1 / (2 * gamma**2)), strength)
        return cv2.multiply(blob, cv2.subtract(1, strength))


class Sato(_Ridges):
    """How strong a ridge each pixel lies on: the curvature across, at the scale where it is most.

    Parameters
    ----------
    sigmas : sequence of float, default=(1, 3, 5, 7, 9)
        Scales in pixels, above 0: a ridge of width w answers most at about w / 2. The largest
        response of all is given.
    polarity : {"dark", "bright"}, default="dark"
        Ridges darker than both sides, or brighter.

    The curvature is multiplied by sigma^2, so ridges of all widths answer alike. As
    ``skimage.filters.sato``, within a millionth of the image's range. The border is mirrored with
    its pixel: ``b a | a b c | c b``.

    Takes a gray image, ``(H, W)``, uint8 or uint16. Gives a map, ``(H, W)``, float32, in gray
    levels, 0 where there is no ridge.

    Raises
    ------
    ParameterError
        If `sigmas` is no sequence of numbers above 0, or `polarity` unknown.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    Y. Sato, S. Nakajima, N. Shiraga, H. Atsumi, S. Yoshida, T. Koller, G. Gerig and R. Kikinis,
    "Three-dimensional multi-scale line filter for segmentation and visualization of curvilinear
    structures in medical images", Medical Image Analysis 2(2), 1998,
    doi:10.1016/S1361-8415(98)80009-1.

    Examples
    --------
    >>> image = np.full((30, 40), 200, np.uint8)
    >>> image[:, 20] = 50
    >>> int(Sato()(image)[15].argmax())
    20
    """

    def __init__(self, sigmas=(1, 3, 5, 7, 9), polarity="dark"):
        self.sigmas = sigmas
        self.polarity = polarity

    def apply(self, image):
        """See `Step.apply`."""
        response = np.zeros(image.shape, np.float32)
        for sigma, (larger, _) in zip(self.sigmas, self._curvatures(image)):
            cv2.max(response, cv2.multiply(larger, float(sigma) ** 2), response)
        return response
