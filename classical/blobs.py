"""Bright or dark spots of any size: maxima of the Laplacian or of differences of Gaussians."""

import functools
import itertools
import math

import numpy as np

from vision.checks import check_bool, check_choice, check_integer, check_number, check_order
from vision.keypoints import Keypoints
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step

_POLARITIES = ("bright", "dark", "both")
_REACH = 4  # standard deviations that a kernel reaches
_AROUND = np.ones((3, 3), np.uint8)
_DISC = math.sqrt(2)  # radius of the disc that a sigma answers to most


class _ScaleBlobs(Step):
    """Blobs as maxima, over place and scale, of responses that a subclass computes."""

    takes = (Kind.GRAY,)
    gives = Kind.KEYPOINTS
    dtypes = ("uint8", "uint16")

    def check_params(self):
        """See `Step.check_params`."""
        check_number("min_sigma", self.min_sigma, owner=self, above=0)
        check_number("max_sigma", self.max_sigma, owner=self, above=0)
        check_order("min_sigma", self.min_sigma, "max_sigma", self.max_sigma, owner=self)
        check_number("threshold", self.threshold, owner=self, at_least=0)
        check_number("overlap", self.overlap, owner=self, at_least=0, at_most=1)
        check_choice("polarity", self.polarity, _POLARITIES, owner=self)

    def apply(self, image):
        """See `Step.apply`."""
        scaled = image.astype(np.float32)
        scaled /= np.iinfo(image.dtype).max
        points, levels, responses = _peaks(self._signed(scaled), self.threshold)
        sigmas = self._tables[0][levels]
        kept = _apart(points, _DISC * sigmas, self.overlap)
        return Keypoints(points[kept], image.shape, 2 * _DISC * sigmas[kept], None, responses[kept])

    def _signed(self, image):
        """For each scale the response, high where a blob of the wanted polarity is."""
        for response in self._responses(image):
            if self.polarity == "dark":
                np.negative(response, out=response)
            elif self.polarity == "both":
                np.abs(response, out=response)
            yield response


def _filtered(image, across, down):
    return cv2.sepFilter2D(image, cv2.CV_32F, across, down, borderType=cv2.BORDER_REFLECT)


def _gaussian(sigma):
    """Where a Gaussian is sampled, and its weights; their sum is 1."""
    reach = int(_REACH * sigma + 0.5)
    x = np.arange(-reach, reach + 1.0)
    weights = np.exp(-(x**2) / (2 * sigma**2))
    return x, weights / weights.sum()


def _peaks(responses, threshold):
    """Where a response exceeds the threshold and none around it, in place and scale, is higher.

    Returns points (x, y), their levels and responses, the strongest first. Three levels are held
    at a time.
    """
    found = [np.empty((0, 4))]
    below = here = None
    for level, response in enumerate(itertools.chain(responses, [None]), start=-1):
        above = None if response is None else (response, cv2.dilate(response, _AROUND))
        if here is not None:
            around = [pair[1] for pair in (below, here, above) if pair is not None]
            highest = here[0] >= functools.reduce(cv2.max, around)
            y, x = np.nonzero(highest & (here[0] > threshold))
            found.append(np.column_stack([x, y, np.full(len(x), level), here[0][y, x]]))
        below, here = here, above
    x, y, levels, strengths = np.concatenate(found).T
    order = np.lexsort((levels, x, y, -strengths))
    return np.column_stack([x, y])[order], levels[order].astype(np.intp), strengths[order]


def _apart(points, radii, overlap):
    """The numbers of the discs that no larger one kept, or as large and stronger, covers."""
    kept = []
    for number in np.argsort(-radii, kind="stable"):
        ways = points[kept] - points[number]
        covered = _covered(np.hypot(*ways.T), radii[number], radii[kept])
        if not (covered > overlap).any():
            kept.append(number)
    return np.sort(np.array(kept, np.intp))


def _covered(distance, radius, larger):
    """Which share of a disc other discs cover that are not smaller."""
    with np.errstate(divide="ignore", invalid="ignore"):
        own = (distance**2 + radius**2 - larger**2) / (2 * distance * radius)
        other = (distance**2 + larger**2 - radius**2) / (2 * distance * larger)
        sides = (-distance + radius + larger) * (distance + radius - larger)
        sides *= (distance - radius + larger) * (distance + radius + larger)
        lens = radius**2 * np.arccos(own.clip(-1, 1)) + larger**2 * np.arccos(other.clip(-1, 1))
        share = (lens - np.sqrt(np.abs(sides)) / 2) / (np.pi * radius**2)
    share = np.where(distance > radius + larger, 0, share)
    return np.where(distance <= larger - radius, 1, share)


class LoGBlobs(_ScaleBlobs):
    """Blobs of all sizes: maxima of the Laplacian of Gaussian over place and scale.

    Parameters
    ----------
    min_sigma, max_sigma : float, default=1 and 50
        The smallest and the largest scale, in pixels, above 0: a disc of radius r is found at
        sigma = r / sqrt(2).
    num_sigma : int, default=10
        How many scales, at least 1.
    threshold : float, default=0.2
        What the response exceeds, at least 0. It is multiplied by sigma^2 and the image scaled to
        [0, 1], so that a disc that is 1 brighter than its surround has response 0.74 whatever its
        size.
    overlap : float, default=0.5
        Of two blobs the smaller is left out if the larger covers more than this share of it, 0 to
        1; of equal ones the weaker.
    log_scale : bool, default=False
        Whether the scales are spread evenly in their logarithm.
    polarity : {"bright", "dark", "both"}, default="bright"
        Blobs brighter than their surround, darker, or either.

    As ``skimage.feature.blob_log``, with the responses within 1e-5. Time grows with `max_sigma`:
    choose it no larger than the blobs. The border is mirrored with its pixel:
    ``b a | a b c | c b``.

    Takes a gray image, ``(H, W)``, uint8 or uint16. Gives keypoints, the strongest first, with
    the diameter of the disc, ``2 sqrt(2) sigma``, as size, and their responses.

    Raises
    ------
    ParameterError
        If a number is out of its range, `min_sigma` exceeds `max_sigma`, `log_scale` is not True
        or False, or `polarity` none of these.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    T. Lindeberg, "Feature detection with automatic scale selection", International Journal of
    Computer Vision 30(2), 1998, doi:10.1023/A:1008045108935.

    Examples
    --------
    >>> y, x = np.mgrid[:60, :80]
    >>> disc = np.where((x - 50) ** 2 + (y - 20) ** 2 <= 64, 200, 0).astype(np.uint8)
    >>> found = LoGBlobs(2, 10, num_sigma=17)(disc)
    >>> found.points.tolist(), found.sizes.round(1).tolist()
    ([[50.0, 20.0]], [15.6])
    """

    def __init__(
        self,
        min_sigma=1,
        max_sigma=50,
        num_sigma=10,
        threshold=0.2,
        overlap=0.5,
        log_scale=False,
        polarity="bright",
    ):
        self.min_sigma = min_sigma
        self.max_sigma = max_sigma
        self.num_sigma = num_sigma
        self.threshold = threshold
        self.overlap = overlap
        self.log_scale = log_scale
        self.polarity = polarity

    def check_params(self):
        """See `Step.check_params`."""
        super().check_params()
        check_integer("num_sigma", self.num_sigma, owner=self, at_least=1)
        check_bool("log_scale", self.log_scale, owner=self)

    def prepare(self):
        """See `Step.prepare`."""
        spread = np.geomspace if self.log_scale else np.linspace
        sigmas = spread(float(self.min_sigma), float(self.max_sigma), self.num_sigma)
        kernels = []
        for sigma in sigmas:
            x, smooth = _gaussian(sigma)
            # Scaled by -sigma^2: positive on a bright blob, and alike for all sizes.
            kernels.append((smooth, (1 - x**2 / sigma**2) * smooth))
        return sigmas, kernels

    def _responses(self, image):
        for smooth, curve in self._tables[1]:
            response = _filtered(image, curve, smooth)
            yield cv2.add(response, _filtered(image, smooth, curve), response)


class DoGBlobs(_ScaleBlobs):
    """Blobs of all sizes: maxima of the difference of two Gaussians over place and scale.

    Parameters
    ----------
    min_sigma, max_sigma : float, default=1 and 50
        The smallest and the largest scale, in pixels, above 0.
    sigma_ratio : float, default=1.6
        How much larger each scale is than the one before, above 1: few scales, so sizes are
        coarse. At 1.6 the difference is nearest to the Laplacian that `LoGBlobs` takes.
    threshold : float, default=0.2
        What the response exceeds, at least 0: the difference divided by ``sigma_ratio - 1``, of
        the image scaled to [0, 1].
    overlap : float, default=0.5
        Of two blobs the smaller is left out if the larger covers more than this share of it, 0 to
        1; of equal ones the weaker.
    polarity : {"bright", "dark", "both"}, default="bright"
        Blobs brighter than their surround, darker, or either.

    As ``skimage.feature.blob_dog``, with the responses within 1e-5; its threshold is 0.5 by
    default. The border is mirrored with its pixel: ``b a | a b c | c b``.

    Takes a gray image, ``(H, W)``, uint8 or uint16. Gives keypoints, the strongest first, with
    ``2 sqrt(2) sigma`` of the narrower Gaussian as size, and their responses.

    Raises
    ------
    ParameterError
        If a number is out of its range, `min_sigma` exceeds `max_sigma`, or `polarity` is none of
        these.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    D. G. Lowe, "Distinctive Image Features from Scale-Invariant Keypoints", International Journal
    of Computer Vision 60(2), 2004, section 3, doi:10.1023/B:VISI.0000029664.99615.94; D. Marr and
    E. Hildreth, "Theory of edge detection", Proceedings of the Royal Society of London B 207,
    1980, doi:10.1098/rspb.1980.0020.

    Examples
    --------
    >>> y, x = np.mgrid[:60, :80]
    >>> disc = np.where((x - 50) ** 2 + (y - 20) ** 2 <= 64, 200, 0).astype(np.uint8)
    >>> DoGBlobs(2, 10)(disc).points.tolist()
    [[50.0, 20.0]]
    """

    def __init__(
        self,
        min_sigma=1,
        max_sigma=50,
        sigma_ratio=1.6,
        threshold=0.2,
        overlap=0.5,
        polarity="bright",
    ):
        self.min_sigma = min_sigma
        self.max_sigma = max_sigma
        self.sigma_ratio = sigma_ratio
        self.threshold = threshold
        self.overlap = overlap
        self.polarity = polarity

    def check_params(self):
        """See `Step.check_params`."""
        super().check_params()
        check_number("sigma_ratio", self.sigma_ratio, owner=self, above=1)

    def prepare(self):
        """See `Step.prepare`."""
        count = int(math.log(self.max_sigma / self.min_sigma, self.sigma_ratio) + 1)
        sigmas = self.min_sigma * float(self.sigma_ratio) ** np.arange(count + 1)
        return sigmas, [_gaussian(sigma)[1] for sigma in sigmas]

    def _responses(self, image):
        scale = 1 / (self.sigma_ratio - 1)
        blurred = (_filtered(image, smooth, smooth) for smooth in self._tables[1])
        for narrow, wide in itertools.pairwise(blurred):
            yield cv2.addWeighted(narrow, scale, wide, -scale, 0)
