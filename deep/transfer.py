"""Transfer learning: which layers of a trained network stay as they are, and why."""

import dataclasses

import keras

from vision.errors import ParameterError

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


def head_start(model):
    """The index in ``model.layers`` at which the head begins: the last pooling or flattening.

    Examples
    --------
    >>> import deep
    >>> model = deep.build("resnet20", (32, 32, 3), classes=10)
    >>> model.layers[head_start(model)].name
    'avg_pool'
    """
    places = [at for at, layer in enumerate(model.layers) if isinstance(layer, _POOLING)]
    if places:
        return places[-1]
    deep = [at for at, layer in enumerate(model.layers) if _rank(layer) > 2]
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
        name of the last layer that is; None freezes none.
    normalisation : bool, default=True
        Whether the body's normalisation layers are trainable behind these; False: none is.

    Returns
    -------
    int
        How many layers with weights are frozen.

    Raises
    ------
    ParameterError
        If there is no layer of that name.

    Examples
    --------
    >>> import deep
    >>> model = deep.build("resnet20", (32, 32, 3), classes=10)
    >>> freeze_body(model, 1.0), [w.path.split("/")[-2] for w in model.trainable_weights]
    (38, ['predictions', 'predictions'])
    """
    end = _frozen_end(model, freeze)
    body = 0 if normalisation else head_start(model)
    for at, layer in enumerate(model.layers):
        known = at < body and isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = at >= end and not known
    return sum(bool(layer.weights) for layer in model.layers[:end])


def _frozen_end(model, freeze):
    """The number of layers, from the input on, that are frozen."""
    if freeze is None:
        return 0
    if isinstance(freeze, str):
        names = [layer.name for layer in model.layers]
        if freeze not in names:
            from vision.nearest import did_you_mean

            hint = did_you_mean(freeze, names) or f"The last is {names[-1]!r}."
            raise ParameterError(f"The network has no layer {freeze!r} to freeze up to. {hint}")
        return names.index(freeze) + 1
    start = head_start(model)
    kernels = [at for at, layer in enumerate(model.layers[:start]) if _has_kernel(layer)]
    count = round(float(freeze) * len(kernels))
    if count == len(kernels):
        return start
    # What follows a kernel up to the next, such as its normalisation, goes with it.
    return kernels[count] if count else 0


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
        None where nothing is frozen, or the two parts are joined by more than one tensor.

    Examples
    --------
    >>> import deep
    >>> model = deep.build("resnet20", (32, 32, 3), classes=10)
    >>> _ = freeze_body(model, 1.0)
    >>> before, after = split_frozen(model)
    >>> before.output_shape, after.count_params()
    ((None, 64), 650)
    """
    start = head_start(model)
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
