"""What a classifier is taught: images and labels, a share held out, the weight of classes."""

import os

import keras
import numpy as np

from deep.feeding import in_words, shape_of, stacked, way_out
from vision.checks import check_choice, check_number, refuse
from vision.errors import ImageError, ParameterError
from vision.images import Images
from vision.kinds import Kind
from vision.truth import check_truth


def examples(images, labels, owner):
    """Images as `stacked` gives them, and a label for each.

    Parameters
    ----------
    images : list, Images, ndarray or path
        A path is a folder with one sub-folder a class.
    labels : sequence or None
    owner : str
        The estimator, for messages.

    Returns
    -------
    images : ndarray or Images
    labels : ndarray of str or of whole numbers
    """
    if labels is None and isinstance(images, str | os.PathLike):
        images, labels = Images.from_folders(images)
    images = stacked(images, owner)
    check_truth(labels, Kind.CLASS, len(images))
    labels = np.asarray(labels)
    return images, np.array(labels.tolist()) if labels.dtype == object else labels


def check_callbacks(callbacks):
    """Refuse what Keras cannot call while it trains."""
    listed = isinstance(callbacks, list | tuple)
    if not (listed and all(isinstance(one, keras.callbacks.Callback) for one in callbacks)):
        allowed = "a list of keras.callbacks.Callback"
        refuse("callbacks", callbacks, allowed, "CNNClassifier.fit")


def validation_examples(pair, shape, classes, owner):
    """Images to validate on, and the place of each label in `classes`.

    Parameters
    ----------
    pair : (images, labels)
    shape : tuple of int
        (H, W, C) of the images that are learned from.
    classes : (k,) ndarray
    owner : str
        The estimator, for messages.

    Returns
    -------
    images : ndarray or Images
    codes : (n,) ndarray of int

    Raises
    ------
    ParameterError
        If it is no pair, or has a label that is not learned.
    ImageError
        If the images differ in size or channels from those that are learned from.
    """
    if not (isinstance(pair, tuple | list) and len(pair) == 2):
        refuse("validation_data", pair, "a pair of images and labels", f"{owner}.fit")
    images, labels = examples(*pair, owner)
    strange = sorted(set(labels.tolist()) - set(classes.tolist()))
    if strange:
        raise ParameterError(
            f"The labels of validation_data must be among those of the images. Got {strange[0]!r}."
        )
    given = shape_of(images, owner)
    if given != tuple(shape):
        raise ImageError(
            f"The images of validation_data must be as those of fit are when they reach {owner}: "
            f"{in_words(shape)}. Got {in_words(given)}. Steps in front of it are not applied to "
            f"them: give {way_out(given, shape)}.transform(images)."
        )
    return images, np.searchsorted(classes, labels)


def held_out_places(codes, share, random_state):
    """Which images are held out: the same share of each class, drawn at random.

    Parameters
    ----------
    codes : (n,) ndarray of int
        The class of each image, 0 to k - 1.
    share : float
        Above 0, below 1.
    random_state : int

    Returns
    -------
    (n,) ndarray of bool

    Raises
    ------
    ParameterError
        If a class would be left without images, or none would be held out.

    Examples
    --------
    >>> held = held_out_places(np.repeat([0, 1], [20, 10]), 0.1, 0)
    >>> held[:20].sum(), held[20:].sum()
    (np.int64(2), np.int64(1))
    """
    generator = np.random.default_rng(random_state)
    held = np.zeros(len(codes), bool)
    for code in range(codes.max() + 1):
        places = generator.permutation(np.flatnonzero(codes == code))
        held[places[: round(share * len(places))]] = True
    if not held.any() or len(np.unique(codes[~held])) <= codes.max():
        raise ParameterError(
            f"A 'validation' of {share} leaves a class without images to learn from, or nothing to "
            f"validate on: the smallest class has {np.bincount(codes).min()}. Give another share, "
            "or validation_data to fit."
        )
    return held


def class_weights(given, codes, classes, owner):
    """What an image of each class counts, by its code.

    Parameters
    ----------
    given : dict, "balanced" or None
        "balanced" is scikit-learn's: n / (k n_c) for a class of n_c images.
    codes : (n,) ndarray of int
    classes : (k,) ndarray
    owner : object
        The estimator, for messages.

    Returns
    -------
    dict of int to float, or None

    Examples
    --------
    >>> class_weights("balanced", np.array([0, 0, 0, 1]), np.array(["cat", "dog"]), "CNNClassifier")
    {0: 0.6666666666666666, 1: 2.0}
    """
    if given is None:
        return None
    if isinstance(given, str):
        check_choice("class_weight", given, ("balanced",), owner=owner)
        counts = np.bincount(codes, minlength=len(classes))
        return dict(enumerate((len(codes) / (len(classes) * counts)).tolist()))
    if set(given) != set(classes.tolist()):
        refuse("class_weight", given, f"'balanced' or a weight for each of {classes}", owner)
    for weight in given.values():
        check_number("class_weight", weight, owner=owner, at_least=0)
    return {code: float(given[label]) for code, label in enumerate(classes.tolist())}


def one_hot(codes, outputs):
    """Targets as a network gives them: a column a class, or one for two classes.

    Examples
    --------
    >>> one_hot(np.array([0, 2]), 3).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    if outputs == 1:
        return codes[:, None].astype(np.float32)
    return np.eye(outputs, dtype=np.float32)[codes]
