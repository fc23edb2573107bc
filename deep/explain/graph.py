"""One traced function for maps, scores and gradients of a model, kept with the model.

The textbook code builds a model up to the layer on every call; here everything comes from one
pass through the model as it is, traced once.
"""

import collections
import contextlib
import dataclasses
import threading

import numpy as np
import tensorflow as tf
from keras import tree

from deep.explain.layers import last_maps, named_maps, recording
from vision.errors import ParameterError

_KEEPING = threading.RLock()
KEPT = 16  # functions a model keeps: targets that are functions may be new in every call


@dataclasses.dataclass(frozen=True)
class Request:
    """What a traced function gives.

    Parameters
    ----------
    what : {"maps", "class_weights", "pixels", "layer"}
        Maps of a layer with the score's gradients at them; the maps in front of the average
        pooling with the weights of the last layer; gradients at the input; or the maps alone.
    layer : str or None
        Whose maps; None: see `deep.explain.layers.last_maps`.
    input : int
        The input that gradients are for, of a model with several.
    output : int or str
        The output that is explained, its place or the name of its layer.
    target : callable or None
        ``target(outputs)`` gives a number, or one an image; None: the score of a class.
    guided : bool
        Whether negative gradients stop at each ReLU.
    binary : bool
        Whether an output with one value stands for two classes, even if no sigmoid is seen.
    """

    what: str = "maps"
    layer: str | None = None
    input: int = 0
    output: int | str = 0
    target: object = None
    guided: bool = False
    binary: bool = False


@tf.RegisterGradient("VisionGuidedRelu")
def _guided(operation, gradient):
    """A unit passes back what is positive, where it was active itself."""
    rule = {
        "Relu": lambda: tf.raw_ops.ReluGrad(gradients=gradient, features=operation.outputs[0]),
        "Relu6": lambda: tf.raw_ops.Relu6Grad(gradients=gradient, features=operation.outputs[0]),
        "LeakyRelu": lambda: tf.where(operation.inputs[0] > 0, gradient, 0),
    }[operation.type]
    return tf.nn.relu(rule())


class Traced:
    """A function of images for one `Request`, traced when made; threads may share it.

    Parameters
    ----------
    model : keras.Model
    request : Request
    shapes : tuple of tuple
        Of the inputs, with the batch; None where a size is open.

    Attributes
    ----------
    layer : str or None
        The path of the layer whose maps are given.
    classes : int or None
        How many classes the output scores; None for a target that is a function.
    is_map : bool
        Whether the output has a score a pixel.
    traces : int
        How often Python went through the model: 1.
    """

    def __init__(self, model, request, shapes):
        self.request, self.traces = request, 0
        self.layer = self.classes = None
        self.is_map = False
        signature = [tf.TensorSpec(shape, tf.float32) for shape in shapes]
        signature = [signature, tf.TensorSpec((None,), tf.int32), tf.TensorSpec((None, None, None))]
        function = tf.function(
            lambda inputs, index, region: self._compute(model, inputs, index, region),
            input_signature=signature,
            autograph=False,
        )
        self._function = function.get_concrete_function()

    def __call__(self, inputs, index, region=None):
        """What was asked for, of a batch.

        Parameters
        ----------
        inputs : list of (n, ...) ndarray of float32
            One an input of the model.
        index : (n,) ndarray of int32
            The class of each image; -1 is the one that wins.
        region : (n, h, w) ndarray of float32, optional
            Weights of the pixels of an output that is a map; None: the pixels that the class wins.

        Returns
        -------
        dict of str to ndarray
            "scores" and "chosen", (n,); and, as asked for, "maps" and "gradients",
            "class_weights".
        """
        if region is None:
            region = np.full((len(index), 1, 1), -1, np.float32)
        given = [tf.constant(each) for each in inputs]
        found = self._function(given, tf.constant(index), tf.constant(region))
        return {name: value.numpy() for name, value in found.items()}

    def _compute(self, model, inputs, index, region):
        self.traces += 1
        with recording(model) as calls, _rules(self.request.guided):
            outputs = model(_packed(model, inputs), training=False)
        flat = tree.flatten(outputs)
        if self.request.what == "layer":
            return self._layer_maps(self._candidates(calls, flat)[0])
        if self.request.target is None:
            logits, score, index = self._class_score(model, flat, index, region)
        else:
            logits, score = None, self._free_score(outputs)
        # One number for all images: its gradient at an image is what that image adds to it.
        each = score if score.shape else tf.broadcast_to(score, tf.shape(index))
        found = {"scores": each, "chosen": index}
        if self.request.what == "class_weights":
            from deep.explain.head import class_weights

            return found | class_weights(self, calls, logits, index)
        if self.request.what == "pixels":
            return found | {"gradients": self._pixel_gradient(score, inputs)}
        return found | self._maps(calls, flat, score, inputs)

    def _class_score(self, model, outputs, index, region):
        output = outputs[_place(model, outputs, self.request.output)]
        logits, activation = before_activation(output)
        scores = tf.cast(logits, tf.float32)
        if scores.shape[-1] == 1 and (self.request.binary or activation == "Sigmoid"):
            # The score of the negative class is the other's with its sign turned.
            middle = 0.0 if activation == "Sigmoid" else 0.5
            scores = tf.concat([middle - scores, scores - middle], axis=-1)
        self.classes, self.is_map = scores.shape[-1], len(scores.shape) == 4
        if self.is_map:
            return logits, *_region_score(scores, index, region)
        if len(scores.shape) != 2:
            raise ParameterError(
                "An output is explained by class if it is (batch, classes) or (batch, height, "
                f"width, classes). Got {tuple(scores.shape)}: give a function of the outputs as "
                "target."
            )
        index = tf.where(index < 0, tf.argmax(scores, -1, tf.int32), index)
        return logits, tf.gather(scores, index, batch_dims=1), index

    def _free_score(self, outputs):
        score = tf.cast(tf.convert_to_tensor(self.request.target(outputs)), tf.float32)
        if len(score.shape) > 1:
            raise ParameterError(
                "A target function must give one number, or one an image. Got shape "
                f"{tuple(score.shape)}: sum over the other axes."
            )
        return score

    def _maps(self, calls, outputs, score, inputs):
        seen, gradients = self._connected(calls, outputs, score, inputs)
        if seen.channels_first:
            gradients = tf.transpose(gradients, (0, 2, 3, 1))
        return self._layer_maps(seen) | {"gradients": gradients}

    def _layer_maps(self, seen):
        self.layer = seen.path
        maps = tf.cast(seen.made[0], tf.float32)
        return {"maps": tf.transpose(maps, (0, 2, 3, 1)) if seen.channels_first else maps}

    def _candidates(self, calls, outputs):
        layer = self.request.layer
        return last_maps(calls, outputs) if layer is None else named_maps(calls, layer)

    def _connected(self, calls, outputs, score, inputs):
        """The first candidate that the score depends on, and that depends on the input."""
        layer, image = self.request.layer, inputs[self.request.input]
        for seen in self._candidates(calls, outputs):
            if len(inputs) > 1 and tf.gradients(seen.made[0], image)[0] is None:
                continue
            gradient = _gradient(score, seen.made[0])
            if gradient is not None:
                return seen, gradient
        raise ParameterError(
            f"The score does not depend on {'any map' if layer is None else f'layer {layer!r}'} "
            f"behind input {self.request.input}. Name another layer."
        )

    def _pixel_gradient(self, score, inputs):
        gradient = _gradient(score, inputs[self.request.input])
        if gradient is None:
            raise ParameterError(f"The score does not depend on input {self.request.input}.")
        return gradient


def _gradient(score, at):
    (gradient,) = tf.gradients(score, at)
    return None if gradient is None else tf.cast(gradient, tf.float32)


def _rules(guided):
    if not guided:
        return contextlib.nullcontext()
    graph = tf.compat.v1.get_default_graph()
    return graph.gradient_override_map(
        dict.fromkeys(("Relu", "Relu6", "LeakyRelu"), "VisionGuidedRelu")
    )


def _packed(model, inputs):
    wanted = getattr(model, "inputs", None)
    if wanted:
        inputs = [tf.cast(given, want.dtype) for given, want in zip(inputs, wanted)]
    structure = getattr(model, "_inputs_struct", None)  # a model may take a dictionary
    if structure is not None:
        return tree.pack_sequence_as(structure, inputs)
    return inputs[0] if len(inputs) == 1 else inputs


def _place(model, outputs, output):
    names = list(getattr(model, "output_names", None) or ())
    if isinstance(output, str) and output in names:
        return names.index(output)
    if isinstance(output, int) and 0 <= output < len(outputs):
        return output
    known = ", ".join(map(repr, names)) or f"0 to {len(outputs) - 1}"
    raise ParameterError(f"The model has no output {output!r}. It has: {known}.")


def before_activation(output):
    """What went into the softmax or sigmoid at the end, where the graph shows one.

    Returns
    -------
    (tf.Tensor, str or None)
        The tensor, and "Softmax", "LogSoftmax" or "Sigmoid".
    """
    tensor = output
    while tensor.op.type in ("Identity", "Cast"):
        tensor = tensor.op.inputs[0]
    if tensor.op.type in ("Softmax", "LogSoftmax", "Sigmoid"):
        return tensor.op.inputs[0], tensor.op.type
    return output, None


def _region_score(scores, index, region):
    """The sum of a class's scores over a region, Seg-Grad-CAM's equation 2; and the classes."""
    wins = tf.argmax(scores, -1, tf.int32)
    whole = tf.where(region < 0, 1.0, region) + tf.zeros_like(scores[..., 0])
    best = tf.argmax(tf.einsum("nhw,nhwc->nc", whole, scores), -1, tf.int32)
    index = tf.where(index < 0, best, index)
    own = tf.cast(wins == index[:, None, None], tf.float32)
    own = tf.where(tf.reduce_any(own > 0, (1, 2), keepdims=True), own, 1.0)
    weights = tf.where(region < 0, own, whole)
    chosen = tf.gather(tf.transpose(scores, (0, 3, 1, 2)), index, batch_dims=1)
    return tf.reduce_sum(tf.stop_gradient(weights) * chosen, (1, 2)), index


def traced(model, request, inputs):
    """The function for a request, kept with its model: it follows the weights and goes with them.

    Parameters
    ----------
    model : keras.Model
    request : Request
    inputs : list of (n, ...) ndarray
        Their shapes count where the model has none of its own.

    Returns
    -------
    Traced

    Raises
    ------
    ParameterError
        If the images do not fit the model, or there is no such input.
    """
    own = getattr(model, "inputs", None)
    shapes = tuple((None, *each.shape[1:]) for each in inputs)
    if own:
        _check_inputs([tuple(each.shape) for each in own], shapes)
        shapes = tuple(tuple(each.shape) for each in own)
    if not 0 <= request.input < len(inputs):
        raise ParameterError(f"The model has {len(inputs)} inputs. Got input={request.input!r}.")
    with _KEEPING:
        kept = model.__dict__.get("_vision_explained")
        if kept is None:
            kept = collections.OrderedDict()
            object.__setattr__(model, "_vision_explained", kept)  # Keras would track it
        key = request, shapes
        if key not in kept:
            kept[key] = Traced(model, request, shapes)
        kept.move_to_end(key)
        found = kept[key]
        while len(kept) > KEPT:
            kept.popitem(last=False)
    return found


def _check_inputs(expected, came):
    fits = len(expected) == len(came) and all(
        len(want) == len(got) and all(a in (None, b) for a, b in zip(want[1:], got[1:]))
        for want, got in zip(expected, came)
    )
    if not fits:
        raise ParameterError(
            f"The network takes {_shown(expected)}. Got {_shown(came)}: bring the image to that "
            "size first, a tuple of images for several inputs."
        )


def _shown(shapes):
    return ", ".join(str(shape[1:]) for shape in shapes)


def count_traces(model):
    """How often Python went through a model for explanations, by those that it keeps.

    Parameters
    ----------
    model : keras.Model

    Returns
    -------
    int

    Examples
    --------
    >>> import keras
    >>> count_traces(keras.Sequential())
    0
    """
    return sum(each.traces for each in model.__dict__.get("_vision_explained", {}).values())
