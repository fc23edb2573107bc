"""Filters that take noise away and leave edges: bilateral, non-local means, total variation."""

import math

import numpy as np

from classical.noise import LEVEL, NoiseLevel
from vision.checks import check_integer, check_number, check_window
from vision.kinds import BLENDED, Kind
from vision.opencv import cv2
from vision.step import Step


class BilateralFilter(Step):
    """A mean over neighbours that are near in place and in colour, so that edges stay sharp.

    Parameters
    ----------
    size : int, default=9
        Width of the round window in pixels, odd, at least 3. The time grows with its square.
    sigma_color : float, default=75
        How far colours may be apart to be mixed: standard deviation of a Gaussian, above 0, in
        gray levels of 8 bits (on float images the same share of white). The difference of two
        colours is the sum over the channels.
    sigma_space : float, default=75
        The same for places, in pixels, above 0. The default weighs the whole window alike.

    The border is mirrored without repeating its pixel: ``c b | a b c | b a``.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8, or a float image. Gives the
    same kind, shape and dtype; of a mask it makes a gray image.

    Raises
    ------
    ParameterError
        If `size` is a pair, not odd, or below 3, or a deviation is not above 0.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    C. Tomasi and R. Manduchi, "Bilateral filtering for gray and color images", ICCV 1998,
    doi:10.1109/ICCV.1998.710815.

    Examples
    --------
    >>> step = np.array([[10, 14, 10, 200, 204, 200]], np.uint8)
    >>> BilateralFilter(3, sigma_color=20)(step).tolist()
    [[12, 12, 11, 201, 202, 202]]
    """

    takes = (Kind.RGB, Kind.GRAY, Kind.FLOAT)
    gives = BLENDED

    def __init__(self, size=9, sigma_color=75, sigma_space=75):
        self.size = size
        self.sigma_color = sigma_color
        self.sigma_space = sigma_space

    def check_params(self):
        """See `Step.check_params`."""
        check_window("size", self.size, owner=self, at_least=3)
        check_number("sigma_color", self.sigma_color, owner=self, above=0)
        check_number("sigma_space", self.sigma_space, owner=self, above=0)

    def apply(self, image):
        """See `Step.apply`."""
        sigma = self.sigma_color * LEVEL[image.dtype.name]
        result = cv2.bilateralFilter(image, self.size, sigma, self.sigma_space)
        return np.clip(result, 0, 1, out=result) if result.dtype == np.float32 else result


class NonLocalMeans(Step):
    """A mean over pixels whose surroundings look alike, wherever nearby they are.

    Parameters
    ----------
    sigma : float, default=None
        Standard deviation of the noise, at least 0, in gray levels of 8 bits (on 16-bit and float
        images the same share of white). None: what `NoiseLevel` finds in the image.
    strength : float, default=0.7
        How unlike surroundings may be, in units of `sigma`, above 0: more smooths more. Best is
        about 0.8 for a `sigma` of 15 and 0.5 for 50.
    patch : int, default=5
        Width of the square surroundings that are compared, in pixels, odd, at least 3.
    search : int, default=13
        Width of the square window that is searched, in pixels, odd, at least 3. The time grows
        with its square.

    A neighbour whose patch has the mean squared difference d^2, over all channels, weighs
    ``exp(-max(d^2 - 2 sigma^2, 0) / (strength sigma)^2)``: two patches that differ by noise alone
    count in full. The border is mirrored without repeating its pixel.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8 or uint16, or a float
    image. Gives the same kind, shape and dtype; of a mask it makes a gray image.

    Raises
    ------
    ParameterError
        If `sigma` is negative, `strength` is not above 0, or `patch` or `search` is not odd or
        below 3.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    A. Buades, B. Coll and J.-M. Morel, "A non-local algorithm for image denoising", CVPR 2005,
    doi:10.1109/CVPR.2005.38, and "Non-Local Means Denoising", Image Processing On Line 1, 2011,
    doi:10.5201/ipol.2011.bcm_nlm.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> noisy = np.clip(rng.normal(128, 20, (60, 80)), 0, 255).astype(np.uint8)
    >>> bool(NonLocalMeans()(noisy).std() < 3)
    True
    """

    takes = (Kind.RGB, Kind.GRAY, Kind.FLOAT)
    gives = BLENDED
    dtypes = ("uint8", "uint16")

    def __init__(self, sigma=None, strength=0.7, patch=5, search=13):
        self.sigma = sigma
        self.strength = strength
        self.patch = patch
        self.search = search

    def check_params(self):
        """See `Step.check_params`."""
        if self.sigma is not None:
            check_number("sigma", self.sigma, owner=self, at_least=0)
        check_number("strength", self.strength, owner=self, above=0)
        check_integer("patch", self.patch, owner=self, at_least=3, odd=True)
        check_integer("search", self.search, owner=self, at_least=3, odd=True)

    def apply(self, image):
        """See `Step.apply`."""
        sigma = NoiseLevel().apply(image)[0] if self.sigma is None else self.sigma
        sigma = float(sigma) * LEVEL[image.dtype.name]
        if sigma == 0:
            return image.copy()
        planes = [plane.astype(np.float32) for plane in cv2.split(image)]
        means = _nonlocal_means(planes, sigma, self.strength * sigma, self.patch, self.search)
        return _as_image(means, image)


class TotalVariation(Step):
    """The picture with the least total variation near the given one: flat regions, kept edges.

    Parameters
    ----------
    weight : float, default=0.1
        How much a step counts against closeness to the given picture, above 0, where white is 1,
        whatever the dtype. Best is about 0.6 to 0.8 of the noise's standard deviation.
    iterations : int, default=50
        Steps of the solver, at least 1. With 50 the result is within 0.2% of white of the solution
        (root of the mean square) for a weight of 0.1, with 100 for 0.2.

    The result u minimises ``sum((u - image)^2) / 2 + weight * sum(|gradient of u|)`` (Rudin, Osher
    and Fatemi's model), the gradient being the differences to the next pixel right and below.
    Channels are taken one by one.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8 or uint16, or a float
    image. Gives the same kind, shape and dtype; of a mask it makes a gray image.

    Raises
    ------
    ParameterError
        If `weight` is not above 0 or `iterations` is not whole or below 1.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    A. Chambolle, "An algorithm for total variation minimization and applications", Journal of
    Mathematical Imaging and Vision 20, 2004, doi:10.1023/B:JMIV.0000011325.36760.1e. The solver:
    A. Beck and M. Teboulle, "Fast gradient-based algorithms for constrained total variation image
    denoising and deblurring problems", IEEE Transactions on Image Processing 18(11), 2009,
    doi:10.1109/TIP.2009.2028250.

    Examples
    --------
    >>> step = np.array([[0, 0, 0, 255, 255, 255]], np.uint8)
    >>> TotalVariation(weight=0.6)(step).tolist()  # each half of 3 gives up 0.6 / 3
    [[51, 51, 51, 204, 204, 204]]
    """

    takes = (Kind.RGB, Kind.GRAY, Kind.FLOAT)
    gives = BLENDED
    dtypes = ("uint8", "uint16")

    def __init__(self, weight=0.1, iterations=50):
        self.weight = weight
        self.iterations = iterations

    def check_params(self):
        """See `Step.check_params`."""
        check_number("weight", self.weight, owner=self, above=0)
        check_integer("iterations", self.iterations, owner=self, at_least=1)

    def apply(self, image):
        """See `Step.apply`."""
        weight = self.weight * 255 * LEVEL[image.dtype.name]
        planes = [plane.astype(np.float32) for plane in cv2.split(image)]
        return _as_image([_least_variation(p, weight, self.iterations) for p in planes], image)


def _as_image(planes, image):
    """Float32 channels as an image of the dtype of `image`: cut off, rounded for whole numbers."""
    result = planes[0] if image.ndim == 2 else cv2.merge(planes)
    white = 255 * LEVEL[image.dtype.name]
    result = np.clip(result, 0, white, out=result)
    return result if image.dtype == np.float32 else np.rint(result, out=result).astype(image.dtype)


_BAND = 256  # rows at a time, so that a large picture needs little more memory than itself


def _nonlocal_means(planes, sigma, decay, patch, search):
    """The weighted means of all channels, float32."""
    margin = search // 2 + patch // 2
    padded = [cv2.copyMakeBorder(p, *[margin] * 4, cv2.BORDER_REFLECT_101) for p in planes]
    bands = [
        _band([p[top : top + _BAND + 2 * margin] for p in padded], sigma, decay, patch, search)
        for top in range(0, len(planes[0]), _BAND)
    ]
    return [np.concatenate(parts) for parts in zip(*bands)]


def _band(padded, sigma, decay, patch, search):
    """The weighted means of some rows, given with a margin on all sides."""
    reach, margin = search // 2, search // 2 + patch // 2
    height, width = (side - 2 * margin for side in padded[0].shape)
    inner = [plane[margin : margin + height, margin : margin + width] for plane in padded]
    sums, total = [plane.copy() for plane in inner], np.ones((height, width), np.float32)
    weigh = _Weights(padded, sigma, decay, patch, reach)
    # Two patches are as alike one way as the other, so half of the shifts do for all.
    for dy in range(reach + 1):
        for dx in range(-reach if dy else 1, reach + 1):
            left = max(0, dx)
            weights = weigh(dy, dx)
            ahead = weights[dy:, left : left + width]
            behind = weights[:height, left - dx : left - dx + width]
            for weight, y, x in (
                (ahead, margin + dy, margin + dx),
                (behind, margin - dy, margin - dx),
            ):
                cv2.add(total, weight, total)
                for sum_, plane in zip(sums, padded):
                    cv2.accumulateProduct(weight, plane[y : y + height, x : x + width], sum_)
    return [cv2.divide(sum_, total, sum_) for sum_ in sums]


class _Weights:
    """The weights of all pixels and those shifted from them, in memory that is used again."""

    def __init__(self, padded, sigma, decay, patch, reach):
        self.padded, self.reach, self.half = padded, reach, patch // 2
        self.mean = np.full(patch, 1 / patch, np.float32)
        # The exponent is linear in the mean squared difference, as long as it is negative.
        self.slope = -1 / (decay**2 * len(padded))
        self.offset = 2 * sigma**2 / decay**2
        self.buffers = np.empty((2, *padded[0].shape), np.float32)

    def __call__(self, dy, dx):
        """Of the pixels in the band, `dy` rows above it, and as many columns beside it as `dx`."""
        height, width = (side - 2 * self.reach for side in self.padded[0].shape)
        rows, columns, half = height + dy, width + abs(dx), self.half
        squares, other = self.buffers[:, :rows, :columns]
        top, left = self.reach - dy, self.reach - max(0, dx)
        for number, plane in enumerate(self.padded):
            here = plane[top : top + rows, left : left + columns]
            there = plane[top + dy : top + dy + rows, left + dx : left + dx + columns]
            part = other if number else squares
            cv2.subtract(here, there, part)
            cv2.multiply(part, part, part)
            if number:
                cv2.add(squares, part, squares)
        cv2.sepFilter2D(squares, -1, self.mean, self.mean, other)
        weights = other[half : rows - half, half : columns - half]
        cv2.addWeighted(weights, self.slope, weights, 0, self.offset, weights)
        return cv2.exp(np.minimum(weights, 0, out=weights), weights)


def _least_variation(image, weight, iterations):
    """The minimiser for one channel, float32: gradient projection of the dual, accelerated."""
    # The dual field (x, y) and the one before; (ahead_x, ahead_y) is where the gradient is taken.
    x, y, old_x, old_y, ahead_x, ahead_y, length, result = np.zeros((8, *image.shape), np.float32)
    momentum = 1.0
    for _ in range(iterations):
        _add_divergence(image, ahead_x, ahead_y, weight, result)
        x, old_x, y, old_y = old_x, x, old_y, y
        np.subtract(result[:, 1:], result[:, :-1], out=x[:, :-1])
        np.subtract(result[1:], result[:-1], out=y[:-1])
        # 8 bounds the squared norm of the gradient operator
        cv2.scaleAdd(x, 1 / (8 * weight), ahead_x, x)
        cv2.scaleAdd(y, 1 / (8 * weight), ahead_y, y)
        _project(x, y, length)
        following = (1 + math.sqrt(1 + 4 * momentum**2)) / 2
        swing = (momentum - 1) / following
        momentum = following
        cv2.addWeighted(x, 1 + swing, old_x, -swing, 0, ahead_x)
        cv2.addWeighted(y, 1 + swing, old_y, -swing, 0, ahead_y)
    return _add_divergence(image, x, y, weight, result)


def _add_divergence(image, x, y, weight, result):
    """``image + weight * divergence(x, y)``; the last column of x and row of y are 0."""
    cv2.add(x, y, result)
    result[:, 1:] -= x[:, :-1]
    result[1:] -= y[:-1]
    return cv2.scaleAdd(result, weight, image, result)


def _project(x, y, length):
    """Shorten the vectors (x, y) to a length of at most 1, in place."""
    cv2.multiply(x, x, length)
    cv2.accumulateSquare(y, length)
    cv2.sqrt(np.maximum(length, 1, out=length), length)
    cv2.divide(x, length, x)
    cv2.divide(y, length, y)
