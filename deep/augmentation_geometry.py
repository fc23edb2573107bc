"""Random changes of place: crop, flip, rotation, translation, zoom, shear."""

import math

import numpy as np

from deep.augmentation import Geometric
from vision.checks import check_choice, check_integer, check_number, refuse
from vision.errors import ImageError


def _about_centre(a, b, c, d, shape):
    """The matrix that applies the map ((a, b), (c, d)) about the centre of an image."""
    x, y = (shape[1] - 1) / 2, (shape[0] - 1) / 2
    rows = (a, b, x - a * x - b * y), (c, d, y - c * x - d * y), (0.0, 0.0, 1.0)
    return np.array(rows)


def _shift(x, y):
    return np.array(((1.0, 0.0, x), (0.0, 1.0, y), (0.0, 0.0, 1.0)))


class RandomFlip(Geometric):
    """The image mirrored, or not.

    Parameters
    ----------
    mode : {"horizontal", "vertical", "both"}, default="horizontal"
        "both" draws for each direction.
    probability : float, default=0.5
        Of a flip, 0 to 1.
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
    >>> RandomFlip(probability=1.0)(np.array([[1, 2, 3]], np.uint8)).tolist()
    [[3, 2, 1]]
    """

    def __init__(self, mode="horizontal", probability=0.5, random_state=0):
        self.mode = mode
        self.probability = probability
        self.random_state = random_state

    def check_params(self):
        """See `Step.check_params`."""
        super().check_params()
        check_choice("mode", self.mode, ("horizontal", "vertical", "both"), owner=self)
        check_number("probability", self.probability, owner=self, at_least=0, at_most=1)

    def matrix(self, generator, shape):
        """See `Geometric.matrix`."""
        across = self.mode != "vertical" and generator.random() < self.probability
        down = self.mode != "horizontal" and generator.random() < self.probability
        return _about_centre(1.0 - 2 * across, 0.0, 0.0, 1.0 - 2 * down, shape)


class RandomCrop(Geometric):
    """A part of the image, at a random place.

    Parameters
    ----------
    width, height : int or None, default=None
        Of the part, in pixels; None: as the image.
    padding : int, default=0
        Pixels by which the part may reach beyond each side of the image.
    fill : {"constant", "reflect", "nearest"}, default="constant"
        What lies there: black, the image mirrored, or its outermost pixels.
    random_state : int, default=0
        Seed of what a call draws, 0 to 2**32 - 1.

    With 4 pixels of padding and nothing else this is the usual recipe for CIFAR-10.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8. Gives the same, of that
    size.

    Raises
    ------
    ParameterError
        If a parameter makes no sense.
    ImageError
        If the part is larger than the image with its padding.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    K. He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, arXiv:1512.03385,
    section 4.2.

    Examples
    --------
    >>> RandomCrop(width=2, height=2)(np.zeros((5, 6, 3), np.uint8)).shape
    (2, 2, 3)
    """

    example = {"padding": 4}

    def __init__(self, width=None, height=None, padding=0, fill="constant", random_state=0):
        self.width = width
        self.height = height
        self.padding = padding
        self.fill = fill
        self.random_state = random_state

    def check_params(self):
        """See `Step.check_params`."""
        super().check_params()
        for name in ("width", "height"):
            if getattr(self, name) is not None:
                check_integer(name, getattr(self, name), owner=self, at_least=1)
        check_integer("padding", self.padding, owner=self, at_least=0)

    def new_shape(self, shape):
        """See `Geometric.new_shape`."""
        return self.height or shape[0], self.width or shape[1]

    def matrix(self, generator, shape):
        """See `Geometric.matrix`."""
        starts = []
        for have, want in zip(shape, self.new_shape(shape)):
            last = have + self.padding - want
            if last < -self.padding:
                raise ImageError(
                    f"RandomCrop to {self.width or shape[1]}x{self.height or shape[0]} needs a "
                    f"larger image. Got {shape[1]}x{shape[0]}. Put Resize in front, or give "
                    "'padding'."
                )
            starts.append(int(generator.integers(-self.padding, last + 1)))
        return _shift(starts[1], starts[0])


class RandomRotation(Geometric):
    """The image turned about its centre.

    Parameters
    ----------
    degrees : float, default=15
        The largest angle, either way, 0 to 180.
    fill : {"reflect", "nearest", "constant"}, default="reflect"
        What lies beyond the image: itself mirrored, its outermost pixels, or black.
    random_state : int, default=0
        Seed of what a call draws, 0 to 2**32 - 1.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8. Gives the same, of the
    same size.

    Raises
    ------
    ParameterError
        If a parameter makes no sense.
    KindError
        If the image is of another kind or dtype.

    Examples
    --------
    >>> RandomRotation(degrees=0)(np.array([[1, 2, 3]], np.uint8)).tolist()
    [[1, 2, 3]]
    """

    def __init__(self, degrees=15, fill="reflect", random_state=0):
        self.degrees = degrees
        self.fill = fill
        self.random_state = random_state

    def check_params(self):
        """See `Step.check_params`."""
        super().check_params()
        check_number("degrees", self.degrees, owner=self, at_least=0, at_most=180)

    def matrix(self, generator, shape):
        """See `Geometric.matrix`."""
        angle = math.radians(generator.uniform(-self.degrees, self.degrees))
        cosine, sine = math.cos(angle), math.sin(angle)
        return _about_centre(cosine, -sine, sine, cosine, shape)


class RandomTranslation(Geometric):
    """The image shifted.

    Parameters
    ----------
    share : float, default=0.1
        The largest shift, either way, as a share of the width and of the height, 0 to 1.
    fill : {"reflect", "nearest", "constant"}, default="reflect"
        What lies beyond the image: itself mirrored, its outermost pixels, or black.
    random_state : int, default=0
        Seed of what a call draws, 0 to 2**32 - 1.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8. Gives the same, of the
    same size.

    Raises
    ------
    ParameterError
        If a parameter makes no sense.
    KindError
        If the image is of another kind or dtype.

    Examples
    --------
    >>> RandomTranslation(share=0)(np.array([[1, 2, 3]], np.uint8)).tolist()
    [[1, 2, 3]]
    """

    def __init__(self, share=0.1, fill="reflect", random_state=0):
        self.share = share
        self.fill = fill
        self.random_state = random_state

    def check_params(self):
        """See `Step.check_params`."""
        super().check_params()
        check_number("share", self.share, owner=self, at_least=0, at_most=1)

    def matrix(self, generator, shape):
        """See `Geometric.matrix`."""
        x, y = generator.uniform(-self.share, self.share, 2).tolist()
        return _shift(x * shape[1], y * shape[0])


class RandomZoom(Geometric):
    """The image enlarged or reduced about its centre.

    Parameters
    ----------
    share : float, default=0.2
        0.2: from 0.8 to 1.2 times its size; 0 to below 1.
    keep_aspect : bool, default=True
        Whether width and height change together.
    fill : {"reflect", "nearest", "constant"}, default="reflect"
        What lies beyond the image: itself mirrored, its outermost pixels, or black.
    random_state : int, default=0
        Seed of what a call draws, 0 to 2**32 - 1.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8. Gives the same, of the
    same size.

    Raises
    ------
    ParameterError
        If a parameter makes no sense.
    KindError
        If the image is of another kind or dtype.

    Examples
    --------
    >>> RandomZoom(share=0)(np.array([[1, 2, 3]], np.uint8)).tolist()
    [[1, 2, 3]]
    """

    def __init__(self, share=0.2, keep_aspect=True, fill="reflect", random_state=0):
        self.share = share
        self.keep_aspect = keep_aspect
        self.fill = fill
        self.random_state = random_state

    def check_params(self):
        """See `Step.check_params`."""
        super().check_params()
        check_number("share", self.share, owner=self, at_least=0, below=1)
        if not isinstance(self.keep_aspect, bool):
            refuse("keep_aspect", self.keep_aspect, "True or False", self)

    def matrix(self, generator, shape):
        """See `Geometric.matrix`."""
        across, down = generator.uniform(1 - self.share, 1 + self.share, 2).tolist()
        down = across if self.keep_aspect else down
        return _about_centre(1 / across, 0.0, 0.0, 1 / down, shape)


class RandomShear(Geometric):
    """The image slanted, as italics are.

    Parameters
    ----------
    degrees : float, default=10
        The largest slant of the columns, either way, 0 to below 90.
    fill : {"reflect", "nearest", "constant"}, default="reflect"
        What lies beyond the image: itself mirrored, its outermost pixels, or black.
    random_state : int, default=0
        Seed of what a call draws, 0 to 2**32 - 1.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8. Gives the same, of the
    same size.

    Raises
    ------
    ParameterError
        If a parameter makes no sense.
    KindError
        If the image is of another kind or dtype.

    Examples
    --------
    >>> RandomShear(degrees=0)(np.array([[1, 2, 3]], np.uint8)).tolist()
    [[1, 2, 3]]
    """

    def __init__(self, degrees=10, fill="reflect", random_state=0):
        self.degrees = degrees
        self.fill = fill
        self.random_state = random_state

    def check_params(self):
        """See `Step.check_params`."""
        super().check_params()
        check_number("degrees", self.degrees, owner=self, at_least=0, below=90)

    def matrix(self, generator, shape):
        """See `Geometric.matrix`."""
        slant = math.tan(math.radians(generator.uniform(-self.degrees, self.degrees)))
        return _about_centre(1.0, slant, 0.0, 1.0, shape)
