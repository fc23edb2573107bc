"""From the calls of a model to the rows of its table."""

import collections
import math

import keras
from keras import layers

from deep.layer_costs import (
    TRANSPOSED,
    Field,
    multiply_adds,
    receptive_field,
    window,
    zeros_around,
)
from deep.layer_graph import calls_of
from deep.layer_table import LayerRow

ACTIVATIONS = (
    layers.Activation,
    layers.ELU,
    layers.LeakyReLU,
    layers.PReLU,
    layers.ReLU,
    layers.Softmax,
)


def rows_of(model, input_shape):
    """The rows of a model on pictures of a size.

    Parameters
    ----------
    model : keras.Model
    input_shape : tuple of int
        (height, width, channels).

    Returns
    -------
    tuple of LayerRow
    """
    return _Rows(calls_of(model, input_shape)).made()


class _Rows:
    """Follows the calls with the receptive field of every tensor."""

    def __init__(self, calls):
        self.calls = calls
        takers = collections.defaultdict(list)
        for call in calls:
            for tensor in call.inputs:
                takers[id(tensor)].append(call)
        self.takers = takers
        self.givers = {id(tensor): call for call in calls for tensor in call.outputs}
        self.fields, self.seen = {}, set()

    def made(self):
        rows = []
        for call in self.calls:
            field = self.follow(call)
            if self.has_row(call):
                rows.append(self.row(call, field))
        return tuple(rows)

    def follow(self, call):
        fields = [self.fields.get(id(tensor), _start(tensor)) for tensor in call.inputs]
        field = receptive_field(call, fields)
        self.fields |= {id(tensor): field for tensor in call.outputs}
        return field

    def has_row(self, call):
        if not isinstance(call.operation, keras.layers.Layer):
            return window(call) is not None or multiply_adds(call) != 0
        return not (self.told_behind(call) or self.told_before(call))

    def told_behind(self, call):
        """Whether it is a padding whose zeros the next row tells."""
        takers = self.takers[id(call.outputs[0])]
        return zeros_around(call) is not None and len(takers) == 1 and _slides(takers[0])

    def told_before(self, call):
        """Whether it is an activation that the row before tells: no other call sees its input."""
        if not isinstance(call.operation, ACTIVATIONS) or call.operation.weights:
            return False
        before = self.givers.get(id(call.inputs[0]))
        return (
            before is not None
            and self.takers[id(call.inputs[0])] == [call]
            and isinstance(before.operation, keras.layers.Layer)
            and _own_activation(before.operation) is None
        )

    def row(self, call, field):
        operation = call.operation
        parameters, trainable = self.parameters(operation)
        return LayerRow(
            layer=call.name,
            kind=type(operation).__name__,
            output=tuple(call.outputs[0].shape[1:]),
            filters=_filters(call),
            activation=self.activation(call),
            parameters=parameters,
            trainable=trainable,
            multiply_adds=multiply_adds(call),
            receptive_field=None if field is None else field.size,
            receptive_stride=None if field is None else field.stride,
            **self.geometry(call),
        )

    def geometry(self, call):
        """The input and, where a window slides over it, kernel, stride and padding."""
        given, found = call.inputs[0], window(call)
        before = self.givers.get(id(given))
        if before is not None and self.told_behind(before):
            found, given = found.padded(zeros_around(before)), before.inputs[0]
        shape = {"input": tuple(given.shape[1:])}
        if found is None:
            return shape
        padding = None if isinstance(call.operation, TRANSPOSED) else found.padding
        return shape | {"kernel": found.kernel, "stride": found.stride, "padding": padding}

    def activation(self, call):
        own = _own_activation(call.operation)
        takers = self.takers[id(call.outputs[0])]
        if own is None and len(takers) == 1 and self.told_before(takers[0]):
            layer = takers[0].operation
            return _own_activation(layer) or type(layer).__name__
        return own

    def parameters(self, operation):
        if id(operation) in self.seen or not isinstance(operation, keras.layers.Layer):
            return 0, 0
        self.seen.add(id(operation))
        return operation.count_params(), sum(
            math.prod(weight.shape) for weight in operation.trainable_weights
        )


def _start(tensor):
    axes = max(len(tensor.shape) - 2, 0)
    return Field((1,) * axes, (1,) * axes)


def _slides(call):
    return window(call) is not None and not isinstance(call.operation, TRANSPOSED)


def _own_activation(operation):
    activation = getattr(operation, "activation", None)
    name = getattr(activation, "__name__", None)
    return None if name == "linear" else name


def _filters(call):
    operation = call.operation
    if hasattr(operation, "kernel_size") or isinstance(operation, layers.Dense):
        first = getattr(operation, "data_format", None) == "channels_first"
        return call.outputs[0].shape[1 if first else -1]
    return None
