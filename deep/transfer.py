"""Transfer learning: which layers of a trained network stay as they are, and why.

A model within a model, as in ``keras.Sequential([base, pooling, dense])``, counts by its layers.
"""

import dataclasses

import keras

from deep.explain.layers import paths_named
from vision.errors import ParameterError, UnknownNameError

LARGE = 1000  # images a class: from here on a training set counts as large
_POOLING = (
    keras.layers.GlobalAveragePooling2D,
    keras.layers.GlobalMaxPooling2D,
    keras.layers.Flatten,
)


@dataclasses.dataclass(frozen=True)
class Policy:
    """How a network that was trained on other pictures learns new ones.

    First the new head is trained with the whole body frozen; then, where `frozen` is below 1,
    head and the last part of the body together with a tenth of the learning rate. Normalisation
    layers of the body keep the mean and variance that they know throughout: those of a few batches
    would make another network of it.

    Parameters
    ----------
    name : str
        One of the four scenarios.
    frozen : float
        The share of the body's layers, from the input on, that stay frozen in the second phase.
    reason : str
        Why, in words.
    """

    name: str
    frozen: float
    reason: str

    def __str__(self):
        return f"{self.name}: {self.reason}"


_SCENARIOS = {
    "small_similar": (1.0, "the whole body stays frozen and only a new head is trained"),
    "large_similar": (0.7, "the first 70% of the body stay frozen and the rest is fine-tuned"),
    "small_different": (0.4, "the first 40% of the body stay frozen and the rest is fine-tuned"),
    "large_different": (0.0, "the whole network is fine-tuned"),
}
TRANSFERS = (*_SCENARIOS, "similar", "different")


def choose_policy(transfer, images, classes):
    """The policy for a training set.

    Parameters
    ----------
    transfer : str
        One of the four scenarios, ``"small_similar"``, ``"large_similar"``, ``"small_different"``
        and ``"large_different"``; or ``"similar"`` or ``"different"``, how near the pictures are
        to those that the network knows: then their number decides, 1,000 a class being large.
    images, classes : int
        The size of the training set.

    Returns
    -------
    Policy

    Examples
    --------
    >>> print(choose_policy("similar", 200, 4))
    small_similar: 50 images a class, fewer than 1000, similar to what the network knows, so the
    whole body stays frozen and only a new head is trained
    >>> choose_policy("different", 5000, 2).frozen
    0.0
    """
    each = images // classes
    size, nearness = "large" if each >= LARGE else "small", transfer
    words = f"{each} images a class, {'at least' if size == 'large' else 'fewer than'} {LARGE}"
    if "_" in transfer:
        size, nearness = transfer.split("_")
        words = f"{images} images, {size} as was said"
    name = f"{size}_{nearness}"
    frozen, doing = _SCENARIOS[name]
    near = "similar to" if nearness == "similar" else "different from"
    return Policy(name, frozen, f"{words}, {near} what the network knows, so {doing}")


def flat_layers(model, prefix=""):
    """The layers of a model in order, those of models within it in place of these.

    Parameters
    ----------
    model : keras.Model
    prefix : str, default=""
        In front of all paths.

    Returns
    -------
    list of (str, keras.Layer)
        Each with its path, names joined by dots.

    Examples
    --------
    >>> base = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, name="one")], name="base")
    >>> model = keras.Sequential([base, keras.layers.Dense(1, name="two")])
    >>> [path for path, _ in flat_layers(model)]
    ['base.one', 'two']
    """
    found = []
    for layer in model.layers:
        path = f"{prefix}{layer.name}"
        if isinstance(layer, keras.Sequential) or hasattr(layer, "operations"):
            found += flat_layers(layer, f"{path}.")
        else:
            found.append((path, layer))
    return found


def head_start(model):
    """The index in `flat_layers` at which the head begins: the last pooling or flattening.

    Examples
    --------
    >>> import deep
    >>> model = deep.build("resnet20", (32, 32, 3), classes=10)
    >>> flat_layers(model)[head_start(model)][0]
    'avg_pool'
    """
    layers = [layer for _, layer in flat_layers(model)]
    places = [at for at, layer in enumerate(layers) if isinstance(layer, _POOLING)]
    if places:
        return places[-1]
    deep = [at for at, layer in enumerate(layers) if _rank(layer) > 2]
    return deep[-1] + 1 if deep else 0


def _rank(layer):
    output = layer.output
    return len(output[0].shape if isinstance(output, list | tuple) else output.shape)


def freeze_body(model, freeze, *, normalisation=True):
    """Make the first layers untrainable, all others trainable.

    Normalisation layers that are frozen work with the mean and variance that they know, in
    training too.

    Parameters
    ----------
    model : keras.Model
        Changed in place; compile it again afterwards.
    freeze : float, str or None
        The share of the body's layers with kernels that are frozen, from the input on; or the
        name of the last layer or inner model that is, or its path (``"base.conv1"``); None
        freezes none.
    normalisation : bool, default=True
        Whether the body's normalisation layers are trainable behind these; False: none is.

    Returns
    -------
    int
        How many layers with weights are frozen.

    Raises
    ------
    ParameterError
        If there is no layer of that name, or several.

    Examples
    --------
    >>> import deep
    >>> model = deep.build("resnet20", (32, 32, 3), classes=10)
    >>> freeze_body(model, 1.0), [w.path.split("/")[-2] for w in model.trainable_weights]
    (38, ['predictions', 'predictions'])
    """
    end = _frozen_end(model, freeze)
    body = 0 if normalisation else head_start(model)
    layers = [layer for _, layer in flat_layers(model)]
    model.trainable = True  # with the models in it, which would hold their layers back
    for at, layer in enumerate(layers):
        layer.trainable = at >= end
        if at < body:
            _freeze_normalisation(layer)
    return sum(bool(layer.weights) for layer in layers[:end])


def _freeze_normalisation(layer):
    """That of a layer itself, and of the layers that it holds."""
    # Keras has no public way to the layers that a layer holds.
    for inner in layer._flatten_layers():
        if isinstance(inner, keras.layers.BatchNormalization):
            inner.trainable = False


def _frozen_end(model, freeze):
    """The number of flat layers, from the input on, that are frozen."""
    if freeze is None:
        return 0
    layers = flat_layers(model)
    if isinstance(freeze, str):
        return _end_of([path for path, _ in layers], freeze)
    start = head_start(model)
    kernels = [at for at, (_, layer) in enumerate(layers[:start]) if _has_kernel(layer)]
    count = round(float(freeze) * len(kernels))
    if count == len(kernels):
        return start
    # What follows a kernel up to the next, such as its normalisation, goes with it.
    return kernels[count] if count else 0


def _end_of(paths, name):
    """The place behind a layer, or behind the last layer of an inner model."""
    ends = {}
    for end, path in enumerate(paths, 1):
        ends[path] = end
        while "." in path:
            path = path.rpartition(".")[0]
            ends[path] = end
    try:
        found = paths_named(ends, name)
    except UnknownNameError as error:
        raise ParameterError(f"{error} It is to be frozen up to there.") from None
    if len(found) > 1:
        raise ParameterError(f"The network has several layers {name!r}: {', '.join(found)}.")
    return ends[found[0]]


def _has_kernel(layer):
    return bool(layer.weights) and not isinstance(layer, keras.layers.BatchNormalization)


def split_frozen(model):
    """The part of a network that training does not change, and the rest, sharing all layers.

    Parameters
    ----------
    model : keras.Model

    Returns
    -------
    pair of keras.Model, or None
        None where nothing is frozen, the two parts are joined by more than one tensor, or the head
        begins in an inner model.

    Examples
    --------
    >>> import deep
    >>> model = deep.build("resnet20", (32, 32, 3), classes=10)
    >>> _ = freeze_body(model, 1.0)
    >>> before, after = split_frozen(model)
    >>> before.output_shape, after.count_params()
    ((None, 64), 650)
    """
    head = flat_layers(model)[head_start(model) :]
    start = model.layers.index(head[0][1]) if head and head[0][1] in model.layers else 0
    if start == 0 or any(layer.trainable_weights for layer in model.layers[: start + 1]):
        return None
    joint = model.layers[start].output
    tail = model.layers[start + 1 :]
    if len(model.outputs) != 1 or not _is_chain(joint, tail):
        return None
    inputs = keras.Input(joint.shape[1:])
    outputs = inputs
    for layer in tail:
        outputs = layer(outputs)
    return keras.Model(model.inputs, joint), keras.Model(inputs, outputs)


def _is_chain(tensor, layers):
    for layer in layers:
        if layer.input is not tensor:
            return False
        tensor = layer.output
    return True
