"""Contours that settle where the two sides of an image are most even: Chan-Vese."""

import numpy as np

from vision.checks import check_integer, check_number
from vision.kinds import Kind
from vision.opencv import cv2
from vision.regions import as_mask
from vision.step import Step

_STEP = 1 / np.sqrt(8)  # of both variables: the gradient's norm is at most sqrt(8)
_FULL = {"uint8": 255, "uint16": 65535, "float32": 1}
_ROUNDS = 10  # between two looks at the means


class ChanVese(Step):
    """Two even parts with a short outline between them, whether or not there is an edge.

    Parameters
    ----------
    mu : float, default=0.25
        What a pixel of outline costs, at least 0, where a pixel on the wrong side of a step from
        black to white costs 1. Objects of a contrast d, from 0 to 1, and a radius below
        ``2 * mu / d**2`` pixels vanish.
    lambda1, lambda2 : float, default=1
        How much differences from the mean count in the bright part and in the dark one, above 0.
    max_iterations : int, default=500
        At most, at least 1.
    tolerance : float, default=0.0001
        How much pixels may still change in ten iterations on average, 1 being a change of sides;
        0 to 1.

    The energy is `mu` times the length of the outline, plus the squared differences of all pixels
    from the mean of their part, the mean over the channels. It starts from Otsu's threshold of the
    gray image; for given means the outline is the best that there is, wherever it started.

    Takes a gray image, ``(H, W)``, or an rgb one, ``(H, W, 3)``, uint8 or uint16, or a float
    image. Gives a mask, ``(H, W)``, uint8: 255 on the brighter part.

    Raises
    ------
    ParameterError
        If a parameter is out of range.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    T. F. Chan and L. A. Vese, "Active contours without edges", IEEE Transactions on Image
    Processing 10(2), 2001, doi:10.1109/83.902291; T. F. Chan, S. Esedoglu and M. Nikolova,
    "Algorithms for Finding Global Minimizers of Image Segmentation and Denoising Models", SIAM
    Journal on Applied Mathematics 66(5), 2006, doi:10.1137/040615286; A. Chambolle and T. Pock,
    "A First-Order Primal-Dual Algorithm for Convex Problems with Applications to Imaging", Journal
    of Mathematical Imaging and Vision 40, 2011, doi:10.1007/s10851-010-0251-1.

    Examples
    --------
    >>> image = np.full((20, 30), 40, np.uint8)
    >>> image[5:15, 8:20] = 200
    >>> image[2, 25] = 200
    >>> mask = ChanVese()(image)
    >>> mask[10, 10], mask[2, 25]
    (np.uint8(255), np.uint8(0))
    """

    takes = (Kind.GRAY, Kind.RGB, Kind.FLOAT)
    gives = Kind.MASK
    dtypes = ("uint8", "uint16")

    def __init__(self, mu=0.25, lambda1=1, lambda2=1, max_iterations=500, tolerance=0.0001):
        self.mu = mu
        self.lambda1 = lambda1
        self.lambda2 = lambda2
        self.max_iterations = max_iterations
        self.tolerance = tolerance

    def check_params(self):
        """See `Step.check_params`."""
        check_number("mu", self.mu, owner=self, at_least=0)
        check_number("lambda1", self.lambda1, owner=self, above=0)
        check_number("lambda2", self.lambda2, owner=self, above=0)
        check_integer("max_iterations", self.max_iterations, owner=self, at_least=1)
        check_number("tolerance", self.tolerance, owner=self, at_least=0, at_most=1)

    def apply(self, image):
        """See `Step.apply`."""
        planes = [plane.astype(np.float32) / _FULL[image.dtype.name] for plane in cv2.split(image)]
        bright = _bright(planes)
        relaxed, dual = bright.astype(np.float32), np.zeros((2, *bright.shape), np.float32)
        for start in range(0, self.max_iterations, _ROUNDS):
            rounds = min(_ROUNDS, self.max_iterations - start)
            before = relaxed
            relaxed = _descend(relaxed, dual, self._costs(planes, bright), self.mu, rounds)
            bright = relaxed > 0.5
            # Not the mask's change: a region that shrinks slowly changes sides at once, and late.
            if cv2.norm(before, relaxed, cv2.NORM_L1) <= self.tolerance * bright.size:
                break
        inside, outside = (_means(planes, part).mean() for part in (bright, ~bright))
        return as_mask(bright if inside >= outside else ~bright)

    def _costs(self, planes, bright):
        """For each pixel what it costs in the bright part more than in the dark one."""
        costs = np.zeros(bright.shape, np.float32)
        for plane, high, low in zip(planes, _means(planes, bright), _means(planes, ~bright)):
            costs += np.float32(self.lambda1) * (plane - high) ** 2
            costs -= np.float32(self.lambda2) * (plane - low) ** 2
        return costs / np.float32(len(planes))


def _bright(planes):
    """Where the mean of the channels is above Otsu's threshold."""
    gray = sum(planes) / np.float32(len(planes))
    levels = (gray * 255 + 0.5).astype(np.uint8)
    return levels > cv2.threshold(levels, 0, 255, cv2.THRESH_OTSU)[0]


def _means(planes, part):
    """The mean of each channel in a part; of an empty one that of the whole."""
    part = part if part.any() else np.ones_like(part)
    mask = as_mask(part)
    return np.array([cv2.mean(plane, mask)[0] for plane in planes], np.float32)


def _descend(relaxed, dual, costs, mu, rounds):
    """Some rounds of the primal-dual algorithm; `dual`, ``(2, H, W)``, is changed in place."""
    # The dual variable is as long as mu; where outlines are dear, costs are felt from further away.
    balance = max(mu * min(max(2 * mu, 1), 10), 1e-3)
    rise, fall = np.float32(_STEP * balance), np.float32(_STEP / balance)
    ahead, (across, down) = relaxed, dual
    slope, flow = np.zeros_like(relaxed), np.empty_like(relaxed)
    for _ in range(rounds):
        np.subtract(ahead[:, 1:], ahead[:, :-1], out=slope[:, :-1])
        slope[:, -1] = 0
        across += rise * slope
        np.subtract(ahead[1:], ahead[:-1], out=slope[:-1])
        slope[-1] = 0
        down += rise * slope
        # Not cv2.magnitude: its last bit depends on where in memory an array begins.
        length = np.sqrt(across * across + down * down)
        length = np.maximum(length / np.float32(max(mu, 1e-12)), 1)
        across /= length
        down /= length
        np.add(across, down, out=flow)
        flow[:, 1:] -= across[:, :-1]
        flow[1:] -= down[:-1]
        flow -= costs
        before, relaxed = relaxed, np.clip(relaxed + fall * flow, 0, 1)
        ahead = 2 * relaxed - before
    return relaxed
