"""Random changes of colour, each an affine map: brightness, contrast, saturation, hue."""

import math

import numpy as np

from deep.augmentation import Colouring
from vision.checks import check_number

LUMA = np.array([0.299, 0.587, 0.114])  # Rec. 601, as in OpenCV's gray


def _stretched(factor, added, mean):
    """The map that multiplies each channel by a number and adds one."""
    matrix = np.eye(len(mean))
    matrix[:-1] *= factor
    matrix[:-1, -1] = added
    return matrix


def _of_colours(linear):
    """The map that multiplies colours (r, g, b) by a 3x3 matrix."""
    matrix = np.eye(4)
    matrix[:3, :3] = linear
    return matrix


class _ByShare(Colouring):
    """The base of changes whose strength is a share."""

    def check_params(self):
        """See `Step.check_params`."""
        super().check_params()
        check_number("share", self.share, owner=self, at_least=0, at_most=1)


class RandomBrightness(_ByShare):
    """The image made lighter or darker: a number added to every value.

    Parameters
    ----------
    share : float, default=0.2
        The largest change, either way, as a share of white, 0 to 1.
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
    >>> RandomBrightness(share=0)(np.array([[1, 2, 3]], np.uint8)).tolist()
    [[1, 2, 3]]
    """

    def __init__(self, share=0.2, random_state=0):
        self.share = share
        self.random_state = random_state

    def colours(self, generator, mean):
        """See `Colouring.colours`."""
        return _stretched(1.0, 255 * generator.uniform(-self.share, self.share), mean)


class RandomContrast(_ByShare):
    """The image with more or less contrast: distances from the mean of each channel stretched.

    Parameters
    ----------
    share : float, default=0.2
        0.2: to 0.8 to 1.2 times the contrast; 0 to 1.
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
    >>> RandomContrast(share=0)(np.array([[1, 2, 3]], np.uint8)).tolist()
    [[1, 2, 3]]
    """

    def __init__(self, share=0.2, random_state=0):
        self.share = share
        self.random_state = random_state

    def colours(self, generator, mean):
        """See `Colouring.colours`."""
        factor = generator.uniform(1 - self.share, 1 + self.share)
        return _stretched(factor, (1 - factor) * mean[:-1], mean)


class RandomSaturation(_ByShare):
    """The image with stronger or paler colours: distances from its gray stretched.

    Parameters
    ----------
    share : float, default=0.3
        0.3: to 0.7 to 1.3 times the saturation; 0 to 1.
    random_state : int, default=0
        Seed of what a call draws, 0 to 2**32 - 1.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8, which stays as it is.
    Gives the same.

    Raises
    ------
    ParameterError
        If a parameter makes no sense.
    KindError
        If the image is of another kind or dtype.

    Examples
    --------
    >>> RandomSaturation()(np.full((1, 1, 3), 90, np.uint8)).tolist()
    [[[90, 90, 90]]]
    """

    def __init__(self, share=0.3, random_state=0):
        self.share = share
        self.random_state = random_state

    def colours(self, generator, mean):
        """See `Colouring.colours`."""
        factor = generator.uniform(1 - self.share, 1 + self.share)
        if len(mean) == 2:
            return None
        return _of_colours(factor * np.eye(3) + (1 - factor) * LUMA)


class RandomHue(Colouring):
    """The image with its colours turned about the axis of grays.

    Parameters
    ----------
    degrees : float, default=10
        The largest turn, either way, 0 to 180: by 120 red becomes green.
    random_state : int, default=0
        Seed of what a call draws, 0 to 2**32 - 1.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8, which stays as it is.
    Gives the same.

    Raises
    ------
    ParameterError
        If a parameter makes no sense.
    KindError
        If the image is of another kind or dtype.

    Examples
    --------
    >>> RandomHue()(np.full((1, 1, 3), 90, np.uint8)).tolist()
    [[[90, 90, 90]]]
    """

    def __init__(self, degrees=10, random_state=0):
        self.degrees = degrees
        self.random_state = random_state

    def check_params(self):
        """See `Step.check_params`."""
        super().check_params()
        check_number("degrees", self.degrees, owner=self, at_least=0, at_most=180)

    def colours(self, generator, mean):
        """See `Colouring.colours`."""
        angle = math.radians(generator.uniform(-self.degrees, self.degrees))
        return None if len(mean) == 2 else _of_colours(hue_matrix(angle))


def hue_matrix(angle):
    """The rotation of colours (r, g, b) by an angle in radians about the axis of grays.

    Examples
    --------
    >>> (hue_matrix(np.radians(120)).round(6) + 0.0).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    cosine, part = math.cos(angle), math.sin(angle) / math.sqrt(3)
    turned = np.array([[0.0, -part, part], [part, 0.0, -part], [-part, part, 0.0]])
    return cosine * np.eye(3) + (1 - cosine) / 3 + turned
