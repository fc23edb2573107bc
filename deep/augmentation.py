"""Augmentation: steps that change an image at random, fused into one warp and one colour table.

Steps are composed with ``>>``. `augment` draws once for an image and all that is true of it; a
network in training draws for every image whenever it is seen. Between two steps that must keep
their place (noise, blur, erasing), all geometry is one affine warp and all colour is one affine
map of colours, clipped once.
"""

import numpy as np

from vision.checks import check_choice, check_integer, check_random_state, refuse
from vision.drawing import contact_sheet
from vision.errors import ParameterError
from vision.kinds import BLENDED, SAME, Kind
from vision.opencv import cv2
from vision.pipeline import Pipeline
from vision.result_base import Result
from vision.step import Step

BORDERS = {
    "reflect": cv2.BORDER_REFLECT_101,
    "nearest": cv2.BORDER_REPLICATE,
    "constant": cv2.BORDER_CONSTANT,
}
_UNMOVED = np.eye(3).tolist()
_LEVELS = np.arange(256.0)


class Augmentation(Step):
    """The base of all random changes. Called, a step draws as `random_state` says, every time.

    So a pipeline shows what a step does, but none that learns begins with one: that is refused.
    """

    takes = (Kind.RGB, Kind.GRAY)
    augments = True

    def apply(self, image):
        """See `Step.apply`."""
        return augmented(Fused(self), image, (), self._generator())[0]

    def _generator(self):
        return np.random.default_rng(self.random_state)

    def check_params(self):
        """See `Step.check_params`."""
        check_random_state("random_state", self.random_state, owner=self)


class Geometric(Augmentation):
    """The base of changes of place. A subclass draws a matrix."""

    gives = BLENDED

    def matrix(self, generator, shape):
        """The 3x3 matrix from the result's pixels (x, y) to the image's."""
        raise NotImplementedError

    def new_shape(self, shape):
        """The (height, width) of the result."""
        return shape

    def to_input(self, image):
        """See `Step.to_input`."""
        return self.matrix(self._generator(), image.shape[:2])

    def check_params(self):
        """See `Step.check_params`."""
        super().check_params()
        if hasattr(self, "fill"):
            check_choice("fill", self.fill, tuple(BORDERS), owner=self)


class Colouring(Augmentation):
    """The base of changes of colour that are affine. A subclass draws the map."""

    gives = BLENDED

    def colours(self, generator, mean):
        """The matrix that takes colours (r, g, b, 1), or (gray, 1), to new ones.

        `mean` is the mean colour of the image, in the same form. None stands for no change.
        """
        raise NotImplementedError


class Local(Augmentation):
    """The base of changes that keep their place among the others."""

    gives = BLENDED

    def change(self, image, generator):
        """The changed image; never the given one changed."""
        raise NotImplementedError


class Mixing(Augmentation):
    """The base of changes that mix the images of a batch, and their targets with them."""

    gives = SAME

    def mix(self, images, targets, generator):
        """The batch and its targets, both mixed."""
        raise NotImplementedError


class Fused:
    """Augmentation steps, sorted into what is done at once.

    Parameters
    ----------
    augmentation : augmentation step or Pipeline of them

    Raises
    ------
    ParameterError
        If there is another step among them.
    """

    def __init__(self, augmentation):
        self.steps = steps = _steps(augmentation)
        for step in steps:
            step.make_ready()
        self.mixing = [step for step in steps if isinstance(step, Mixing)]
        geometry, colouring = [], []
        self.stages = [(geometry, colouring, None)]  # each ended by a local step, but the last
        for step in steps:
            if isinstance(step, Geometric):
                geometry.append(step)
            elif isinstance(step, Colouring):
                colouring.append(step)
            elif isinstance(step, Local):
                self.stages[-1] = geometry, colouring, step
                geometry, colouring = [], []
                self.stages.append((geometry, colouring, None))

    def batch(self, images, targets, seed):
        """Images and targets changed, each image by itself, in the same shapes.

        Parameters
        ----------
        images : (n, H, W, C) ndarray of uint8
        targets : (n, k) ndarray of float32
        seed : sequence of int
            The same seed draws the same.
        """
        generator = np.random.default_rng(seed)
        made = np.empty_like(images)
        for place, image in enumerate(images):
            plain = image[..., 0] if image.shape[2] == 1 else image
            result = augmented(self, plain, (), generator)[0]
            if result.shape[:2] != image.shape[:2]:
                raise ParameterError(
                    f"In training, augmentation must keep the size of images: "
                    f"{image.shape[1]}x{image.shape[0]} came out as "
                    f"{result.shape[1]}x{result.shape[0]}. RandomCrop(padding=4) keeps it."
                )
            made[place] = result.reshape(image.shape)
        for step in self.mixing:
            made, targets = step.mix(made, targets, generator)
        return made, targets


def _steps(augmentation):
    parts = [augmentation]
    if isinstance(augmentation, Pipeline):
        parts = [step for _, step in augmentation.steps]
    for step in parts:
        if not isinstance(step, Augmentation):
            refuse(
                "augmentation",
                step,
                "random steps, such as RandomFlip() >> RandomRotation(degrees=10)",
                "augment",
                "Steps that always do the same stand in front of the network.",
            )
    return parts


def augment(augmentation, image, *truths, seed=0):
    """Change an image at random, and all that is true of it in the same way.

    Parameters
    ----------
    augmentation : augmentation step or Pipeline of them
        The `random_state` of its steps does not count here.
    image : (H, W, 3) or (H, W) ndarray of uint8
    *truths : ndarray or result
        Masks, uint8, and label maps, int32, of the image's size: their values stay whole numbers.
        `Detections`, `Keypoints`, `Contours` and the like: cut off at the border of the result.
    seed : int, default=0
        Another one draws anew.

    Returns
    -------
    ndarray, or tuple
        The image; with truths, the image and each of them.

    Raises
    ------
    ParameterError
        If a step is none of augmentation, or a truth is neither a map of the image's size nor a
        result.
    KindError
        If the image is of another kind or dtype.

    Examples
    --------
    >>> from deep import RandomFlip, RandomRotation
    >>> image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    >>> mask = np.where(image == 0, 255, 0).astype(np.uint8)
    >>> turned, moved = augment(RandomFlip(probability=1.0), image, mask)
    >>> turned[0].tolist(), moved[0].tolist()
    ([3, 2, 1, 0], [0, 0, 0, 255])
    """
    check_integer("seed", seed, owner="augment", at_least=0)
    fused = Fused(augmentation)
    fused.steps[0].admit(image)
    for truth in truths:
        _check_truth(truth, image.shape[:2])
    found = augmented(fused, image, truths, np.random.default_rng(seed))
    return tuple(found) if truths else found[0]


def _check_truth(truth, shape):
    if isinstance(truth, np.ndarray):
        if truth.shape != shape or truth.dtype not in (np.uint8, np.int32):
            refuse("truths", truth, f"masks or label maps of {shape}, uint8 or int32", "augment")
    elif not isinstance(truth, Result):
        refuse("truths", truth, "masks, label maps, boxes, keypoints or contours", "augment")


def augmented(fused, image, truths, generator):
    """The image and its truths, changed as the generator draws: a list."""
    values = [image, *truths]
    for geometry, colouring, end in fused.stages:
        if geometry:
            values = _moved(geometry, values, generator)
        if colouring:
            values[0] = _coloured(colouring, values[0], generator)
        if end is not None:
            values[0] = end.change(values[0], generator)
    for place, given in enumerate((image, *truths)):
        if values[place] is given and isinstance(given, np.ndarray):
            values[place] = given.copy()
    return values


def _moved(steps, values, generator):
    """All geometry of a stage as one warp; two where what lies outside differs."""
    matrix, shape, fill = None, values[0].shape[:2], None
    for step in steps:
        own = getattr(step, "fill", None)
        if matrix is not None and own is not None and fill not in (None, own):
            values, matrix = _warped(values, matrix, shape, fill), None
        drawn = step.matrix(generator, shape)
        matrix = drawn if matrix is None else matrix @ drawn
        shape, fill = step.new_shape(shape), own or fill
    return values if matrix is None else _warped(values, matrix, shape, fill)


def _warped(values, matrix, shape, fill):
    image, *truths = values
    if shape == image.shape[:2] and matrix.tolist() == _UNMOVED:
        return values
    border, rows = BORDERS[fill or "reflect"], matrix[:2]

    def warp(pixels, interpolation):
        flags = interpolation | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(pixels, rows, shape[::-1], flags=flags, borderMode=border)

    def follow(truth):
        if not isinstance(truth, np.ndarray):
            return truth.mapped(cv2.invert(matrix)[1], shape)
        if truth.dtype == np.uint8:
            return warp(truth, cv2.INTER_NEAREST)
        # OpenCV warps no whole numbers of 32 bits, but their four bytes as four channels.
        moved = warp(np.ascontiguousarray(truth)[..., None].view(np.uint8), cv2.INTER_NEAREST)
        return moved.view(np.int32)[..., 0]

    followed = [follow(truth) for truth in truths]
    if image.ndim == 2:
        return [warp(image, cv2.INTER_LINEAR), *followed]
    # Of four channels OpenCV warps in half the time of three.
    image = cv2.cvtColor(image, cv2.COLOR_RGB2RGBA)
    return [cv2.cvtColor(warp(image, cv2.INTER_LINEAR), cv2.COLOR_RGBA2RGB), *followed]


def _coloured(steps, image, generator):
    """All colour of a stage as one affine map of colours, clipped once."""
    mean = np.array((*cv2.mean(image)[: 1 if image.ndim == 2 else 3], 1.0))
    matrix = None
    for step in steps:
        own = step.colours(generator, mean)
        if own is not None:
            matrix = own if matrix is None else own @ matrix
            mean = own @ mean
    if matrix is None:
        return image
    if image.ndim == 3:  # a fifth of the time of three tables, which are to half a level the same
        return cv2.transform(image, matrix[:3])
    table = np.rint(_LEVELS * matrix[0, 0] + matrix[0, 1])
    return cv2.LUT(image, table.clip(0, 255).astype(np.uint8))


def augmentation_sheet(augmentation, image, *, count=12, seed=0, width=1200):
    """What an augmentation does to an image: a contact sheet of several draws, the image first.

    Parameters
    ----------
    augmentation : augmentation step or Pipeline of them
    image : (H, W, 3) or (H, W) ndarray of uint8
    count : int, default=12
        Pictures in all.
    seed : int, default=0
        Of the first draw; the others count on.
    width : int, default=1200
        Of the sheet, in pixels.

    Returns
    -------
    (H, W, 3) ndarray of uint8

    Examples
    --------
    >>> from skimage.data import chelsea
    >>> from deep import RandomRotation
    >>> augmentation_sheet(RandomRotation(20), chelsea(), count=4, width=400).shape[1]
    400
    """
    check_integer("count", count, owner="augmentation_sheet", at_least=1)
    draws = [augment(augmentation, image, seed=seed + number) for number in range(count - 1)]
    titles = ["the image", *(f"seed {seed + number}" for number in range(count - 1))]
    return contact_sheet(list(zip(titles, [image, *draws])), width=width)
