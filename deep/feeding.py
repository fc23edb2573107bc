"""How a network gets its images: batches by number, made in threads ahead of their use."""

import math
import os

import numpy as np
import tensorflow as tf

from vision.errors import ImageError, KindError
from vision.kinds import Kind
from vision.step import as_batch, is_lazy

RGB_OR_GRAY = (Kind.RGB, Kind.GRAY)
AHEAD = 2  # batches beyond those in work
AT_ONCE = 32  # images that pass a network together, where nothing is learned


def stacked(images, owner):
    """The images as one array, or as they are if they are read on use.

    Parameters
    ----------
    images : list, Images, or ndarray
        All of one size: ``(H, W)``, or ``(H, W, 3)``, uint8.
    owner : str
        The estimator, for messages.

    Returns
    -------
    (n, H, W, C) ndarray of uint8, or Images

    Raises
    ------
    KindError
        If an image is of another dtype, or `images` is no batch.
    ImageError
        If there is none, or they differ in size or channels.
    """
    if is_lazy(images):
        if not len(images):
            raise ImageError(f"{owner} needs at least one image. Got none.")
        return images
    images = as_batch(images)
    if not hasattr(images, "__getitem__"):
        raise KindError(
            f"{owner} takes an array, a list of images or vision.Images. Got "
            f"{type(images).__name__}, of which single images cannot be taken. "
            "vision.Images.from_folders(path) reads pictures on use, with their labels; the arrays "
            "of a small tf.data.Dataset in batches are images, labels = map(np.concatenate, "
            "zip(*dataset.as_numpy_iterator())), and images.astype(np.uint8)."
        )
    if not len(images):
        raise ImageError(f"{owner} needs at least one image. Got none.")
    if isinstance(images, np.ndarray) and images.dtype != object:
        check_pixels(images[0], owner)
        return images[..., None] if images.ndim == 3 else images
    first = with_channels(images[0], owner)
    made = np.empty((len(images), *first.shape), np.uint8)
    for index, image in enumerate(images):
        made[index] = fitting(image, first.shape, owner, index)
    return made


def passing(images):
    """The images in chunks that pass a network together.

    Parameters
    ----------
    images : list, Images or ndarray

    Yields
    ------
    list or ndarray
        At most `AT_ONCE` images, in order.
    """
    if is_lazy(images):
        yield from images.chunks(AT_ONCE)
    else:
        for start in range(0, len(images), AT_ONCE):
            yield images[start : start + AT_ONCE]


def shape_of(images, owner):
    """Height, width and channels of the images of `stacked`."""
    if isinstance(images, np.ndarray):
        return images.shape[1:]
    return with_channels(images[0], owner).shape


def check_pixels(image, owner):
    """Refuse what is no gray or rgb image of 8 bits."""
    bytes_ = isinstance(image, np.ndarray) and image.dtype == np.uint8
    if bytes_ and (image.ndim == 2 or (image.ndim == 3 and image.shape[2] in (1, 3))):
        return
    from vision.conversions import to_array, to_taken, what_came

    known = isinstance(image, np.ndarray)
    hint = to_taken(image, RGB_OR_GRAY, {"uint8"}, owner) if known else to_array(image)
    came = what_came(image)
    raise KindError(f"{owner} takes rgb or gray images, uint8. Got {came}. {hint}".strip())


def with_channels(image, owner):
    """``(H, W, C)``: a gray image gets its one channel."""
    check_pixels(image, owner)
    return image[..., None] if image.ndim == 2 else image


def fitting(image, shape, owner, index):
    """The image as ``(H, W, C)``; refused if that is not `shape`."""
    image = with_channels(image, owner)
    if image.shape != shape:
        raise ImageError(
            f"{owner} takes images of one size. Got {in_words(shape)} first, "
            f"{in_words(image.shape)} at index {index}. Put {way_out(image.shape, shape)} in front."
        )
    return image


def way_out(given, wanted):
    """The step that brings an image of one shape, (H, W, C), to another."""
    if given[2] != wanted[2]:
        return "Gray()" if wanted[2] == 1 else "ToRGB()"
    return f"Resize(width={wanted[1]}, height={wanted[0]})"


def in_words(shape):
    """A shape, (H, W, C), as messages have it.

    Examples
    --------
    >>> in_words((48, 64, 1))
    '64x48 pixels of 1 channel'
    """
    return f"{shape[1]}x{shape[0]} pixels of {shape[2]} channel{'s' * (shape[2] != 1)}"


class Feed:
    """Images with their targets, given out in batches whose order the seed alone decides.

    A batch is known by its number, counted over all epochs: so several are made at once, and a
    training that was interrupted goes on where it was.

    Parameters
    ----------
    images : (n, H, W, C) ndarray or Images
        As `stacked` gives them.
    targets : (n, k) ndarray of float32
        One row an image.
    batch_size : int
        Images in a batch; the last of an epoch may have fewer.
    owner : str
        The estimator, for messages.
    seed : int, optional
        Of the order, another one in every epoch; None keeps the order given.
    augment : callable, optional
        ``augment(images, targets, seed)`` gives both changed, in the same shapes.
    """

    def __init__(self, images, targets, *, batch_size, owner, seed=None, augment=None):
        self.images, self.targets, self.owner = images, targets, owner
        self.batch_size, self.seed, self.augment = batch_size, seed, augment
        self.shape = shape_of(images, owner)
        self.dtype = np.dtype(getattr(images, "dtype", np.uint8))
        self.error = None
        self._order = None, None

    def __len__(self):
        return math.ceil(len(self.images) / self.batch_size)

    def order(self, epoch):
        """The indices of all images, in the order of an epoch."""
        if self.seed is None:
            return np.arange(len(self.images))
        known, order = self._order
        if known != epoch:
            order = np.random.default_rng((self.seed, epoch)).permutation(len(self.images))
            self._order = epoch, order
        return order

    def batch(self, number):
        """The images and targets of a batch, by its number over all epochs."""
        epoch, place = divmod(int(number), len(self))
        start = place * self.batch_size
        chosen = self.order(epoch)[start : start + self.batch_size]
        images, targets = self.pixels(chosen), self.targets[chosen]
        if self.augment is not None:
            images, targets = self.augment(images, targets, (self.seed or 0, int(number)))
        return images, targets

    def pixels(self, chosen):
        """The images at some indices, as one array."""
        if isinstance(self.images, np.ndarray):
            return self.images[chosen]
        made = np.empty((len(chosen), *self.shape), np.uint8)
        for place, index in enumerate(chosen):
            made[place] = fitting(self.images[int(index)], self.shape, self.owner, int(index))
        return made

    def dataset(self, first_epoch, epochs):
        """The batches of some epochs as a `tf.data.Dataset`, made in threads."""
        numbers = tf.data.Dataset.range(first_epoch * len(self), epochs * len(self))
        kinds = tf.as_dtype(self.dtype), tf.float32

        def make(number):
            images, targets = tf.numpy_function(self._made, [number], kinds, stateful=False)
            images.set_shape((None, *self.shape))
            targets.set_shape((None, self.targets.shape[1]))
            return images, targets

        threads = min(4, os.cpu_count() or 1)
        return numbers.map(make, num_parallel_calls=threads).prefetch(AHEAD)

    def _made(self, number):
        """What TensorFlow calls; of an error it would keep the text alone."""
        try:
            images, targets = self.batch(number)
        except Exception as error:
            self.error = error
            raise
        return images, targets.astype(np.float32, copy=False)

    def raise_own(self):
        """Raise what making a batch raised, as it was."""
        if self.error is not None:
            raise self.error
