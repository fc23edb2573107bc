"""Random changes that keep their place among the others: noise, blur, erasing."""

import numpy as np

from deep.augmentation import Local
from vision.checks import check_number
from vision.opencv import cv2


class RandomNoise(Local):
    """The image with Gaussian noise of a random strength.

    Parameters
    ----------
    sigma : float, default=10
        The largest standard deviation, in gray levels, at least 0.
    random_state : int, default=0
        Seed of what a call draws, 0 to 2**32 - 1.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8. Gives the same.

    Raises
    ------
    ParameterError
        If a parameter makes no sense.
    KindError
        If the image is of another kind or dtype.

    Examples
    --------
    >>> RandomNoise(sigma=0)(np.array([[1, 2, 3]], np.uint8)).tolist()
    [[1, 2, 3]]
    """

    def __init__(self, sigma=10, random_state=0):
        self.sigma = sigma
        self.random_state = random_state

    def check_params(self):
        """See `Step.check_params`."""
        super().check_params()
        check_number("sigma", self.sigma, owner=self, at_least=0)

    def change(self, image, generator):
        """See `Local.change`."""
        sigma = generator.uniform(0, self.sigma)
        noise = generator.standard_normal(image.shape, np.float32)
        return cv2.add(image, noise * np.float32(sigma), dtype=cv2.CV_8U)


class RandomBlur(Local):
    """The image blurred by a Gaussian of a random width.

    Parameters
    ----------
    sigma : float, default=1.5
        The largest standard deviation, in pixels, above 0.
    probability : float, default=0.5
        Of a blur, 0 to 1.
    random_state : int, default=0
        Seed of what a call draws, 0 to 2**32 - 1.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8. Gives the same.

    Raises
    ------
    ParameterError
        If a parameter makes no sense.
    KindError
        If the image is of another kind or dtype.

    Examples
    --------
    >>> RandomBlur(probability=0)(np.array([[1, 2, 3]], np.uint8)).tolist()
    [[1, 2, 3]]
    """

    def __init__(self, sigma=1.5, probability=0.5, random_state=0):
        self.sigma = sigma
        self.probability = probability
        self.random_state = random_state

    def check_params(self):
        """See `Step.check_params`."""
        super().check_params()
        check_number("sigma", self.sigma, owner=self, above=0)
        check_number("probability", self.probability, owner=self, at_least=0, at_most=1)

    def change(self, image, generator):
        """See `Local.change`."""
        sigma, drawn = generator.uniform(0, self.sigma), generator.random()
        if drawn >= self.probability or sigma < 0.05:
            return image.copy()
        return cv2.GaussianBlur(image, (0, 0), sigma)


class RandomErasing(Local):
    """The image with a rectangle of it filled with noise.

    Parameters
    ----------
    share : float, default=0.2
        The largest part of the image's area that is erased, above 0, to 1; at least a tenth of it.
    probability : float, default=0.5
        Of erasing, 0 to 1.
    random_state : int, default=0
        Seed of what a call draws, 0 to 2**32 - 1.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8. Gives the same.

    Raises
    ------
    ParameterError
        If a parameter makes no sense.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    Z. Zhong et al., "Random Erasing Data Augmentation", AAAI 2020, arXiv:1708.04896.

    Examples
    --------
    >>> RandomErasing(probability=0)(np.array([[1, 2, 3]], np.uint8)).tolist()
    [[1, 2, 3]]
    """

    def __init__(self, share=0.2, probability=0.5, random_state=0):
        self.share = share
        self.probability = probability
        self.random_state = random_state

    def check_params(self):
        """See `Step.check_params`."""
        super().check_params()
        check_number("share", self.share, owner=self, above=0, at_most=1)
        check_number("probability", self.probability, owner=self, at_least=0, at_most=1)

    def change(self, image, generator):
        """See `Local.change`."""
        image = image.copy()
        if generator.random() >= self.probability:
            return image
        height, width = image.shape[:2]
        area = generator.uniform(self.share / 10, self.share) * height * width
        aspect = np.exp(generator.uniform(np.log(0.3), np.log(1 / 0.3)))
        tall = min(height, max(1, round(float(np.sqrt(area * aspect)))))
        wide = min(width, max(1, round(float(area / tall))))
        top = int(generator.integers(0, height - tall + 1))
        left = int(generator.integers(0, width - wide + 1))
        part = image[top : top + tall, left : left + wide]
        part[:] = generator.integers(0, 256, part.shape, np.uint8)
        return image
