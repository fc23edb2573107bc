"""Weights for a network that is built: the official ImageNet ones, or those of a file."""

import os
from pathlib import Path

import numpy as np

from deep.official_weights import official_file
from deep.weight_files import match_layers, open_weights
from vision.checks import refuse
from vision.errors import LoadError

CLASSES = 1000  # of ImageNet
MOST_HEAD_LAYERS = 7  # of GoogLeNet; a file with more beyond the body is of a deeper network
DEVIATION = (0.229, 0.224, 0.225)


def load_weights(model, architecture, weights, *, features=None, options=None):
    """Set a network's weights to those of a file, layer by layer in order.

    The body must fit exactly. The head is loaded where it fits, and left as it is where the file
    has none or one for other classes. Nothing of the network changes unless all of it fits.

    Height and width are free as long as the weights do not depend on them: any size for a network
    that ends in global pooling, only the file's own for dense layers on a flattened map and for
    the positions of a vision transformer. The number of channels is the file's: colour weights
    need three equal ones from a grey picture.

    Parameters
    ----------
    model : keras.Model
        From `deep.build`.
    architecture : Architecture
        Which one it is.
    weights : str or path
        ``"imagenet"``: the file that `keras.applications` downloads. Else the path of a file: a
        ``.h5`` of `keras.applications` or Keras 2, a ``.weights.h5`` or a ``.keras``.
    features : tensor or list of tensor, optional
        What the body gives, within `model`; without it there is no head.
    options : dict, optional
        Those that the network was built with: ``alpha`` chooses among the official files.

    Returns
    -------
    list of str
        Layers of the head that were left as they are.

    Raises
    ------
    ParameterError
        If there is no such file, or no official one.
    LoadError
        If the file is damaged, unsafe, no file of weights, or of another network.

    Examples
    --------
    >>> import tempfile, deep
    >>> from deep.architectures import find
    >>> trained = deep.build("resnet20", classes=10)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/trained.weights.h5"
    ...     trained.save_weights(path)
    ...     model = deep.build("resnet20", classes=3, weights=path)
    >>> bool((model.get_weights()[0] == trained.get_weights()[0]).all())
    True
    """
    head = _head(model, features)
    if isinstance(weights, str) and weights == "imagenet":
        whole = bool(head) and model.output_shape[-1] == CLASSES
        alpha = (options or {}).get("alpha", 1.0)
        path = official_file(architecture, model.input_shape[1:], head=whole, alpha=alpha)
    else:
        path = checked_path(weights, "build")
    # An optimiser keeps up to two more numbers for each weight.
    max_bytes = 16 * model.count_params() + 64_000_000
    # All is read before anything is set: a file that is damaged within changes no layer.
    with open_weights(path, max_bytes) as root:
        values = _read(model, architecture, head, root, Path(path).name)
    for layer, arrays in values.items():
        _set(layer, arrays)
    return [layer.name for layer in head if layer not in values]


def _head(model, features):
    """The layers with weights that come after the body."""
    import keras

    if features is None:
        return []
    body = {id(layer) for layer in keras.Model(model.inputs, features).layers}
    return [layer for layer in model.layers if layer.weights and id(layer) not in body]


def checked_path(weights, owner):
    """The path of a file of weights; refused in the words of `owner` if there is none."""
    if not isinstance(weights, str | os.PathLike):
        refuse("weights", weights, "None, 'imagenet' or the path of a file", owner)
    # Not Path's methods: they raise where a folder on the way may not be read.
    if not os.path.isfile(weights):  # noqa: PTH113
        exists = os.path.exists(weights)  # noqa: PTH110
        hint = "It is no regular file." if exists else "There is no such file."
        refuse("weights", str(weights), "None, 'imagenet' or the path of a file", owner, hint)
    return Path(weights)


def _read(model, architecture, head, root, name):
    """The arrays of each layer, once it is sure that the file is of this network."""
    saved, more = match_layers(root, model.layers)
    if more + len(head) > MOST_HEAD_LAYERS:
        raise _unfit(architecture, name, f"it has {more} more layers with weights")
    for layer in saved:
        if layer not in head and not _fits(layer, saved[layer]):
            raise _unfit(architecture, name, _difference(layer, saved[layer]))
    left = [] if all(_fits(layer, saved[layer]) for layer in head) else head
    return {layer: saved[layer].read() for layer in saved if layer not in left}


def _shapes(layer):
    return [tuple(weight.shape) for weight in layer.weights]


def _fits(layer, saved):
    return saved is not None and saved.shapes == _shapes(layer)


def _difference(layer, saved):
    if saved is None:
        return f"it has no weights for the layer {layer.name!r}"
    text = f"the layer {layer.name!r} has weights of {_shapes(layer)}, in the file {saved.shapes}"
    ours, theirs = _shapes(layer)[:1], saved.shapes[:1]
    if not (ours and theirs and len(ours[0]) == len(theirs[0]) == 4):
        return text
    (*size, channels, filters), (*their_size, their_channels, their_filters) = ours[0], theirs[0]
    if (size, filters) == (their_size, their_filters) and channels < their_channels == 3:
        text += ". They were learned on colour: build the network for 3 channels, and put ToRGB() "
        text += "in front of it for grey pictures"
    return text


def _unfit(architecture, name, difference):
    return LoadError(
        f"{name!r} does not fit {architecture.name}: {difference}. Build the network that the file "
        "is of, with the same options and, where it has no global pooling, the same input_shape."
    )


def _set(layer, arrays):
    import keras

    if isinstance(layer, keras.layers.Normalization):
        arrays = _true_variance(arrays)
    layer.load_own_variables({str(place): array for place, array in enumerate(arrays)})


def _true_variance(arrays):
    """ImageNet's variance where the official EfficientNets hold the deviation in its place.

    `keras.applications` makes up for it by one more division by the root, in a layer that it adds
    for ``weights="imagenet"`` only (tensorflow issue 49930).
    """
    mean, variance, *count = arrays
    if variance.shape == (3,) and np.allclose(variance, DEVIATION, rtol=1e-3, atol=0):
        variance = np.square(variance)
    return [mean, variance, *count]
