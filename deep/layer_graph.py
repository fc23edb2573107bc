"""The calls that a Keras model makes, in order, those of the models nested in it among them."""

import dataclasses

import keras
from keras import tree

from vision.errors import ParameterError


@dataclasses.dataclass(frozen=True)
class Call:
    """One call of a layer or operation on symbolic tensors.

    Parameters
    ----------
    name : str
        Of the layer, behind those of the models that it is in: ``"mobilenet/conv1"``.
    operation : keras.Operation
        A layer, or one of `keras.ops`.
    arguments : tuple
        The positional and the keyword arguments, with this call's tensors in place.
    inputs, outputs : tuple of keras.KerasTensor
        The tensors among the arguments, and what came out. A tensor that one call gave and
        another takes is one object.
    """

    name: str
    operation: keras.Operation
    arguments: tuple
    inputs: tuple
    outputs: tuple


def calls_of(model, input_shape):
    """Every call of a functional or Sequential model on pictures of a size; nothing is computed.

    The model stays as it is: no node is added to its layers.

    Parameters
    ----------
    model : keras.Model
    input_shape : tuple of int
        Without the batch.

    Returns
    -------
    list of Call

    Raises
    ------
    ParameterError
        If a layer cannot take the size, or the model is a subclass with a ``call`` of its own.

    Examples
    --------
    >>> from keras import layers
    >>> flat = keras.Sequential([keras.Input((2, 2, 1)), layers.Flatten(), layers.Dense(3)])
    >>> [call.outputs[0].shape for call in calls_of(flat, (2, 2, 1))]
    [(None, 4), (None, 3)]
    """
    if isinstance(model, keras.Sequential) and not model.built:
        model.build((None, *input_shape))
    image = keras.KerasTensor((None, *input_shape))
    calls = []
    _follow(model, [image], "", calls)
    return calls


def _follow(model, inputs, prefix, calls):
    """Append the calls of a model on tensors; the tensors that it gives."""
    if isinstance(model, keras.Sequential):
        for layer in model.layers:
            inputs = _called(layer, (inputs[0],), {}, prefix, calls)
        return inputs
    if not hasattr(model, "operations"):
        raise ParameterError(
            f"The layers of {model.name!r} cannot be listed: {type(model).__name__} has a call of "
            "its own. Take a functional model, keras.Model(inputs, outputs), or a Sequential one."
        )
    known = {id(own): given for own, given in zip(model.inputs, inputs)}
    for node in _nodes(model):
        if any(id(tensor) not in known for tensor in node.input_tensors):
            continue
        positional, named = node.arguments.fill_in(known)
        given = _called(node.operation, positional, named, prefix, calls)
        known |= {id(own): tensor for own, tensor in zip(node.outputs, given)}
    return [known[id(own)] for own in model.outputs]


def _nodes(model):
    # Keras has no public way to follow a graph without adding to it (clone_model does).
    by_depth = model._nodes_by_depth
    for depth in sorted(by_depth, reverse=True):
        for node in by_depth[depth]:
            if not node.is_input:
                yield node


def _called(operation, positional, named, prefix, calls):
    tensors = [each for each in tree.flatten((positional, named)) if _is_tensor(each)]
    name = f"{prefix}{operation.name}"
    if isinstance(operation, keras.Model):
        return _follow(operation, tensors, f"{name}/", calls)
    _check_fits(operation, name, tensors)
    try:
        outputs = operation.compute_output_spec(*positional, **named)
    except ValueError as error:
        shape = tensors[0].shape[1:]
        raise ParameterError(f"The layer {name!r} cannot take {shape}: {error}") from error
    outputs = [each for each in tree.flatten(outputs) if _is_tensor(each)]
    calls.append(Call(name, operation, (positional, named), tuple(tensors), tuple(outputs)))
    return outputs


def _is_tensor(value):
    return isinstance(value, keras.KerasTensor)


def _check_fits(operation, name, tensors):
    """Refuse a size for which a layer has no weights; only a real call would notice it."""
    specs = [each for each in tree.flatten(getattr(operation, "input_spec", None)) if each]
    for spec, tensor in zip(specs, tensors):
        for axis, size in (spec.axes or {}).items():
            got = tensor.shape[axis]
            if size is not None and got != size:
                raise ParameterError(
                    f"The layer {name!r} has weights for {size} values and would get {got}. "
                    "Build the model for this input_shape, or describe it for its own."
                )
