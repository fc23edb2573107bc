"""What the methods share: images and targets in, a map on the image's grid out."""

import inspect

import numpy as np

from deep.explain.graph import Request, traced
from vision.errors import ImageError, ParameterError, UnknownNameError
from vision.nearest import did_you_mean
from vision.opencv import cv2

CHUNK = 16  # images that pass together


class Explainer:
    """The steps of every method; a method overrides `heats`.

    Parameters
    ----------
    classifier : CNNClassifier or keras.Model
        Fitted. A model takes RGB of 0-255 (or whatever it is given as float32).
    layer : str or keras.Layer, optional
        Whose maps: the layer, its name or its path (``"mobilenet.conv_pw_13_relu"``). By default
        what follows the last convolution with more than one pixel, see
        `deep.explain.layers.last_maps`.
    input : int, default=0
        The input that is explained, of a model with several.
    output : int or str, default=0
        The output that is explained, its place or name.
    region : (h, w) ndarray, optional
        For an output that is a map of classes: the pixels that count, above 0. By default those
        that the class wins.

    Attributes
    ----------
    layer_ : str or None
        The path of the layer that was looked at, once it was.

    Raises
    ------
    ParameterError
        If it is no such network, the images do not fit it, or there is no such layer.
    UnknownNameError
        If there is no such class or layer.
    """

    what, signed, guided = "maps", False, False

    def __init__(self, classifier, *, layer=None, input=0, output=0, region=None):
        self.model, self.classes = network_of(classifier, type(self).__name__)
        self.layer = getattr(layer, "name", layer)
        self.input, self.output = input, output
        self.region = None if region is None else (np.asarray(region) > 0).astype(np.float32)

    def __call__(self, image, target=None):
        """The map of one image.

        Parameters
        ----------
        image : (H, W, 3) or (H, W) ndarray of uint8 or float32; or tuple of them
            A tuple for a model with several inputs.
        target : label, int or callable, optional
            A class of the classifier; of a model, the place of the class in its output (1 and 0
            for one sigmoid); or ``target(outputs)``, which gives a number made of tensors.
            None: the class that wins.

        Returns
        -------
        ((H, W) ndarray of float32, label)
            0 to 1, or -1 to 1 for a signed method; 0 is nothing, the largest magnitude 1.
        """
        values, labels = self.many([image], [target])
        return values[0], labels[0]

    def many(self, images, targets=None):
        """The maps of images of one size, which pass the network together.

        Parameters
        ----------
        images : sequence
            Each as for one.
        targets : sequence, or one for all; optional

        Returns
        -------
        (list of (H, W) ndarray of float32, list of labels)
        """
        heats, labels = self.raw(images, targets)
        shapes = [self._explained(image).shape[:2] for image in images]
        return [on_grid(heat, shape, self.signed) for heat, shape in zip(heats, shapes)], labels

    def raw(self, images, targets=None):
        """The same before ReLU, normalisation and resizing.

        Returns
        -------
        ((n, h, w) ndarray of float32, list of labels)
        """
        if callable(targets) or not isinstance(targets, list | tuple | np.ndarray):
            targets = [targets] * len(images)
        heats, labels = [], []
        for at in range(0, len(images), CHUNK):
            part, wanted = images[at : at + CHUNK], targets[at : at + CHUNK]
            heat, label = self._chunk(part, wanted)
            heats.append(heat)
            labels += label
        return np.concatenate(heats), labels

    def heats(self, function, inputs, index, region):
        """The method itself: maps before ReLU.

        Parameters
        ----------
        function : Traced
        inputs : list of (n, ...) ndarray of float32
        index : (n,) ndarray of int32
            Classes, -1 for the one that wins.
        region : (n, h, w) ndarray of float32, or None

        Returns
        -------
        ((n, h, w) ndarray, (n,) ndarray of int32)
            The maps and the classes.
        """
        raise NotImplementedError

    def _chunk(self, images, targets):
        inputs = [batch_of(each) for each in zip(*map(_several, images), strict=True)]
        free = [target for target in targets if callable(target)]
        if len(set(map(id, free))) > 1 or len(free) not in (0, len(targets)):
            raise ParameterError("The images of one call share a target function.")
        target = free[0] if free else None
        request = Request(
            what=self.what,
            layer=self.layer,
            input=self.input,
            output=self.output,
            target=target,
            guided=self.guided,
            binary=self.classes is not None and len(self.classes) == 2,
        )
        function = traced(self.model, request, inputs)
        self.layer_ = function.layer
        index = np.array([-1 if free else self._index(t, function) for t in targets], np.int32)
        heats, chosen = self.heats(function, inputs, index, self._region(len(images)))
        if free:
            return heats, [getattr(target, "__name__", "target")] * len(images)
        return heats, [self._label(place) for place in chosen.tolist()]

    def _region(self, count):
        return None if self.region is None else np.repeat(self.region[None], count, axis=0)

    def _explained(self, image):
        return _several(image)[self.input]

    def _index(self, target, function):
        if target is None:
            return -1
        if self.classes is not None:
            places = [at for at, label in enumerate(self.classes) if label == target]
            if not places:
                known = [str(label) for label in self.classes]
                hint = did_you_mean(str(target), known) or f"It knows {', '.join(known[:10])}."
                raise UnknownNameError(f"The network knows no class {target!r}. {hint}")
            return places[0]
        if not (isinstance(target, int | np.integer) and 0 <= target < function.classes):
            raise ParameterError(
                f"The target of a model is the place of a class, 0 to {function.classes - 1}, or "
                f"a function of its outputs. Got {target!r}."
            )
        return int(target)

    def _label(self, place):
        return place if self.classes is None else self.classes[place]


class ClassActivationMap(Explainer):
    """Maps of a layer, each by its weight; a method overrides `channel_weights`."""

    def heats(self, function, inputs, index, region):
        """See `Explainer.heats`."""
        found = function(inputs, index, region)
        return self.combined(found), found["chosen"]

    def combined(self, found):
        """The sum of the maps by their weights, (n, h, w)."""
        return np.einsum("nhwk,nk->nhw", found["maps"], self.channel_weights(found))

    def channel_weights(self, found):
        """What each map counts, (n, channels).

        Parameters
        ----------
        found : dict of str to ndarray
            What a `Traced` gave.
        """
        raise NotImplementedError


def of_one_image(method, name):
    """The function of a method that `vision.explain` calls.

    Parameters
    ----------
    method : type
        The class of the method, an `Explainer`.
    name : str
        Behind ``explain_``.

    Returns
    -------
    callable
        ``explain_name(classifier, image, target=None, *, ...)``, with the method's own options and
        those of `Explainer`, but no `layer` for a method on pixels; it gives what
        ``method(classifier, ...)(image, target)`` gives.

    Examples
    --------
    >>> from deep.explain.guided import explain_guided
    >>> print(inspect.signature(explain_guided))
    (classifier, image, target=None, *, input=0, output=0, region=None)
    """

    def explain_one(classifier, image, target=None, **options):
        bound = signature.bind(classifier, image, target, **options)
        return method(classifier, **bound.kwargs)(image, target)

    options = _options(method)
    plain = inspect.signature(explain_one).parameters
    first = [plain[each] for each in ("classifier", "image", "target")]
    signature = inspect.Signature([*first, *options])
    explain_one.__signature__ = signature
    explain_one.__name__ = explain_one.__qualname__ = f"explain_{name}"
    explain_one.__module__ = method.__module__
    explain_one.__doc__ = _ONE_IMAGE.format(
        name=method.__name__,
        options=", ".join(option.name for option in options),
        low=-1 if method.signed else 0,
    )
    return explain_one


_ONE_IMAGE = """`{name}` of one image.

Parameters
----------
classifier : CNNClassifier or keras.Model
    Fitted.
image, target
    See `deep.explain.base.Explainer.__call__`.
{options}
    See `{name}` and `deep.explain.base.Explainer`.

Returns
-------
((H, W) ndarray of float32 in [{low}, 1], label)
"""


def _options(method):
    """The keyword parameters of a method's class, its own first."""
    found = {}
    for base in method.__mro__:
        for option in inspect.signature(base.__init__).parameters.values():
            if option.kind is option.KEYWORD_ONLY:
                found.setdefault(option.name, option)
        if base is Explainer:
            break
    if method.what == "pixels":
        found.pop("layer")
    return list(found.values())


def on_grid(heat, shape, signed=False):
    """A map as it is shown: ReLU (but for a signed one), normalised, resized.

    Parameters
    ----------
    heat : (h, w) ndarray of float32
    shape : tuple of int
        (H, W) of the image.
    signed : bool
        Whether negative values stay.

    Returns
    -------
    (H, W) ndarray of float32

    Examples
    --------
    >>> on_grid(np.array([[2.0, -4.0]]), (1, 2)).tolist()
    [[1.0, 0.0]]
    >>> on_grid(np.array([[2.0, -4.0]]), (1, 2), signed=True).tolist()
    [[0.5, -1.0]]
    """
    heat = np.asarray(heat, np.float32)
    heat = heat if signed else np.maximum(heat, 0)
    peak = np.abs(heat).max()
    heat = heat / peak if peak > 0 else heat
    if heat.shape == tuple(shape):
        return np.ascontiguousarray(heat)
    return cv2.resize(heat, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)


def at_pixels(gradients):
    """One value a pixel: the largest magnitude among its channels (Simonyan, section 3.1).

    Parameters
    ----------
    gradients : (n, H, W, C) ndarray

    Returns
    -------
    (n, H, W) ndarray

    References
    ----------
    K. Simonyan et al., "Deep Inside Convolutional Networks", 2013, arXiv:1312.6034.
    """
    return np.abs(gradients).max(axis=-1)


def repeated(inputs, place, changed):
    """The inputs of one image for each version of one of them.

    Parameters
    ----------
    inputs : list of (1, ...) ndarray
    place : int
        Which of them is changed.
    changed : (n, ...) ndarray

    Returns
    -------
    list of (n, ...) ndarray
    """
    count = len(changed)
    return [
        changed if at == place else np.repeat(each, count, axis=0) for at, each in enumerate(inputs)
    ]


def network_of(classifier, owner):
    """The model of a fitted classifier with its classes, or a model and None.

    Raises
    ------
    ParameterError
        If it is neither.
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    """
    import keras

    if isinstance(classifier, keras.Model):
        return classifier, None
    if not hasattr(classifier, "classes_") or not isinstance(
        getattr(classifier, "model_", None), keras.Model
    ):
        if hasattr(classifier, "fit") and not hasattr(classifier, "model_"):
            from sklearn.exceptions import NotFittedError

            raise NotFittedError(f"{owner} explains a fitted network: call fit(...) first.")
        raise ParameterError(
            f"{owner} explains a fitted CNNClassifier or a keras.Model. Got "
            f"{type(classifier).__name__}."
        )
    classes = getattr(classifier, "output_classes_", classifier.classes_)
    return classifier.model_, classes.tolist()


def _several(image):
    return image if isinstance(image, tuple | list) else (image,)


def batch_of(images):
    """Images of one size as a (n, H, W, C) float32 array.

    Raises
    ------
    ImageError
        If they differ in size, or one is no image.
    """
    arrays = [np.asarray(image) for image in images]
    if len({array.shape for array in arrays}) > 1:
        raise ImageError("Images that are explained together must have one size.")
    if arrays[0].dtype.kind not in "uif" or arrays[0].ndim not in (2, 3):
        raise ImageError(
            "An image to explain is (H, W, 3) or (H, W). Got an array of shape "
            f"{arrays[0].shape} and dtype {arrays[0].dtype}."
        )
    batch = np.stack(arrays).astype(np.float32)
    return batch[..., None] if batch.ndim == 3 else batch
