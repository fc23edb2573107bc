"""Changes that mix the images of a batch, and what is true of them: MixUp and CutMix."""

import math

import numpy as np

from deep.augmentation import Mixing
from vision.checks import check_number
from vision.opencv import cv2


class MixUp(Mixing):
    """Each image of a batch blended with another one, and its target in the same proportion.

    Parameters
    ----------
    alpha : float, default=0.2
        The share of the first image is drawn from the beta distribution B(alpha, alpha), once a
        batch; above 0.
    random_state : int, default=0
        Without effect on a single image, 0 to 2**32 - 1.

    Works in training alone: one image by itself stays as it is.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8. Gives the same.

    Raises
    ------
    ParameterError
        If a parameter makes no sense.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    H. Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018, arXiv:1710.09412.

    Examples
    --------
    >>> batch = np.array([0, 200], np.uint8).reshape(2, 1, 1, 1)
    >>> images, targets = MixUp().mix(batch, np.eye(2, dtype=np.float32), np.random.default_rng(1))
    >>> bool((targets.sum(1) == 1).all())
    True
    """

    def __init__(self, alpha=0.2, random_state=0):
        self.alpha = alpha
        self.random_state = random_state

    def check_params(self):
        """See `Step.check_params`."""
        super().check_params()
        check_number("alpha", self.alpha, owner=self, above=0)

    def mix(self, images, targets, generator):
        """See `Mixing.mix`."""
        share = float(generator.beta(self.alpha, self.alpha))
        order = generator.permutation(len(images))
        others = np.ascontiguousarray(images[order])
        flat = cv2.addWeighted(
            images.reshape(len(images), -1), share, others.reshape(len(images), -1), 1 - share, 0
        )
        mixed = np.float32(share) * targets + np.float32(1 - share) * targets[order]
        return flat.reshape(images.shape), mixed


class CutMix(Mixing):
    """Each image of a batch with a rectangle of another one, and its target in that proportion.

    Parameters
    ----------
    alpha : float, default=1.0
        The share of the first image is drawn from the beta distribution B(alpha, alpha), once a
        batch; above 0.
    random_state : int, default=0
        Without effect on a single image, 0 to 2**32 - 1.

    Works in training alone: one image by itself stays as it is.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8. Gives the same.

    Raises
    ------
    ParameterError
        If a parameter makes no sense.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    S. Yun et al., "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable
    Features", ICCV 2019, arXiv:1905.04899.

    Examples
    --------
    >>> batch = np.array([0, 200], np.uint8).repeat(16).reshape(2, 4, 4, 1)
    >>> images, targets = CutMix().mix(batch, np.eye(2, dtype=np.float32), np.random.default_rng(1))
    >>> np.allclose((images == 200).mean((1, 2, 3)), targets[:, 1])
    True
    """

    def __init__(self, alpha=1.0, random_state=0):
        self.alpha = alpha
        self.random_state = random_state

    def check_params(self):
        """See `Step.check_params`."""
        super().check_params()
        check_number("alpha", self.alpha, owner=self, above=0)

    def mix(self, images, targets, generator):
        """See `Mixing.mix`."""
        cut = math.sqrt(1 - float(generator.beta(self.alpha, self.alpha)))
        height, width = images.shape[1:3]
        x, y = generator.integers(0, width), generator.integers(0, height)
        (left, right), (top, bottom) = _span(x, cut * width, width), _span(y, cut * height, height)
        order = generator.permutation(len(images))
        mixed = images.copy()
        mixed[:, top:bottom, left:right] = images[order, top:bottom, left:right]
        share = np.float32(1 - (bottom - top) * (right - left) / (height * width))
        return mixed, share * targets + (1 - share) * targets[order]


def _span(centre, length, size):
    """Where a stretch about a place begins and ends, cut off at the borders."""
    return max(0, round(centre - length / 2)), min(size, round(centre + length / 2))
