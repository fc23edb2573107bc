"""A network of one's own: what it must be to name images, and a copy of it to be trained."""

import keras
import numpy as np

from deep.transfer import flat_layers
from vision.errors import ParameterError

SIDE = 224  # of the images that a network of any size is asked about
_SLACK = 0.02  # by which a sum of probabilities in bfloat16 misses 1


def check_names(classes):
    """The classes of a network's outputs as an array; refused if two have one name.

    Parameters
    ----------
    classes : sequence of str or int

    Returns
    -------
    (n,) ndarray

    Raises
    ------
    ParameterError
        If one comes twice.

    Examples
    --------
    >>> check_names(["crane", "maillot", "crane"])
    Traceback (most recent call last):
    ...
    vision.errors.ParameterError: The 'classes' of CNNClassifier must be different names, one an
    output. Got 'crane' for outputs 0 and 2. Tell them apart, as 'crane 0' and 'crane 2'.
    """
    listed = np.asarray(classes).tolist()
    for place, name in enumerate(listed):
        first = listed.index(name)
        if first != place:
            raise ParameterError(
                "The 'classes' of CNNClassifier must be different names, one an output. Got "
                f"{name!r} for outputs {first} and {place}. Tell them apart, as '{name} {first}' "
                f"and '{name} {place}'."
            )
    return np.array(listed)


def check_outputs(model, classes):
    """Refuse a network that takes no image, or does not end in a neuron for each of some classes.

    Parameters
    ----------
    model : keras.Model
    classes : int

    Raises
    ------
    ParameterError
        If its inputs and outputs are not known, it takes other things than one image, or it ends
        in another number of neurons.

    Examples
    --------
    >>> import deep
    >>> check_outputs(deep.build("lenet5", (32, 32, 3), 3), 2)
    Traceback (most recent call last):
    ...
    vision.errors.ParameterError: A network for 2 classes ends in 2 neurons or in one. Got outputs
    of shape (None, 3).
    """
    if not (getattr(model, "outputs", None) and getattr(model, "inputs", None)):
        raise ParameterError(
            f"What the network takes and gives is not known: {type(model).__name__} was made "
            "without keras.Input. Give inputs = keras.Input((height, width, 3)) and then "
            "keras.Model(inputs, model(inputs))."
        )
    taken = [tuple(tensor.shape) for tensor in model.inputs]
    if len(taken) != 1 or len(taken[0]) != 4 or taken[0][3] not in (1, 3):
        raise ParameterError(
            "A network that names images has one input, of shape (None, height, width, channels) "
            f"with 1 or 3 channels. Got {', '.join(map(str, taken))}."
        )
    shape = tuple(model.outputs[0].shape)
    if len(shape) != 2 or shape[1] not in (classes, 1 if classes == 2 else -1):
        raise ParameterError(
            f"A network for {classes} classes ends in {classes} neurons"
            f"{' or in one' if classes == 2 else ''}. Got outputs of shape {shape}."
        )


def check_network(model, classes):
    """Refuse a network whose outputs are not the probabilities of so many classes.

    Where its last activation does not tell, it is asked about two images.

    Parameters
    ----------
    model : keras.Model
    classes : int

    Raises
    ------
    ParameterError
        As `check_outputs`, and if the outputs are no probabilities, as those of a linear head.

    Examples
    --------
    >>> import deep
    >>> check_network(deep.build("lenet5", (32, 32, 3), 3, activation="linear"), 3)
    Traceback (most recent call last):
    ...
    vision.errors.ParameterError: The network gives no probabilities: ...
    """
    check_outputs(model, classes)
    if _gives_probabilities(model):
        return
    single = model.outputs[0].shape[1] == 1
    name, last = ("sigmoid", "Activation('sigmoid')") if single else ("softmax", "Softmax()")
    raise ParameterError(
        "The network gives no probabilities: its outputs are not from 0 to 1 with a sum of 1. End "
        f"it with activation={name!r}, or put that behind logits: "
        f"keras.Model(model.inputs[0], keras.layers.{last}(model.outputs[0]))."
    )


def _gives_probabilities(model):
    """Whether the outputs are those of a softmax, or of one sigmoid neuron."""
    single = model.outputs[0].shape[1] == 1
    last = _last_operation(model.outputs[0])
    activation = getattr(last, "activation", None)
    # An Activation('linear', dtype='float32') ends many a network in mixed precision.
    if activation is keras.activations.linear and last.weights:
        return False
    if activation is (keras.activations.sigmoid if single else keras.activations.softmax):
        return True
    shape = [SIDE if size is None else size for size in model.inputs[0].shape[1:]]
    noise = np.random.default_rng(0).integers(0, 256, (2, *shape)).astype(np.float32)
    given = keras.tree.flatten(model(noise, training=False))[0]
    rows = keras.ops.convert_to_numpy(keras.ops.cast(given, "float32"))
    inside = (rows >= 0).all() and (rows <= 1 + _SLACK).all()
    return bool(inside and (single or np.allclose(rows.sum(axis=1), 1, atol=_SLACK)))


def _last_operation(tensor):
    """The layer that gave a tensor, within the models that it was nested in."""
    operation, _, place = tensor._keras_history  # Keras has no public name for it
    if isinstance(operation, keras.Model) and getattr(operation, "outputs", None):
        return _last_operation(operation.outputs[place])
    return operation


def copied(model):
    """A copy of a network with the same weights and flags, not compiled.

    Parameters
    ----------
    model : keras.Model

    Returns
    -------
    keras.Model

    Raises
    ------
    ParameterError
        If Keras cannot copy it, as with a ``Lambda`` layer.

    Examples
    --------
    >>> import deep
    >>> model = deep.build("lenet5", classes=3)
    >>> model.compile("adam")
    >>> copied(model).compiled
    False
    """
    compiled, model.compiled = model.compiled, False  # else the copy gets an optimizer as well
    try:
        made = keras.models.clone_model(model)
    except Exception as error:  # of many kinds, by what a layer lacks
        raise ParameterError(f"The network cannot be copied: {_why(model, error)}") from error
    finally:
        model.compiled = compiled
    made.set_weights(model.get_weights())
    return made


def _why(model, error):
    if any(isinstance(layer, keras.layers.Lambda) for _, layer in flat_layers(model)):
        return (
            "its Lambda layer is a function that Keras cannot write down. Write it with "
            "keras.ops, as in keras.ops.abs(x), or with a layer of its own class."
        )
    return (
        f"{str(error).strip().splitlines()[0]} Every layer must be one that Keras can make again: "
        "one of its own, or a class with get_config()."
    )
