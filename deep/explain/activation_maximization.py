"""The picture that excites one neuron most: gradient ascent on the pixels."""

import numpy as np
import tensorflow as tf
from keras import tree

from deep.explain.base import network_of
from deep.explain.graph import before_activation
from deep.explain.layers import paths_named, recording
from vision.checks import check_integer, check_number, check_random_state
from vision.errors import ParameterError, UnknownNameError
from vision.nearest import did_you_mean
from vision.opencv import cv2


def maximize_activation(
    network,
    unit,
    layer=None,
    *,
    steps=128,
    step_size=4.0,
    blur=0.5,
    jitter=4,
    random_state=0,
):
    """An image that excites a neuron, or a map of neurons, as much as it can.

    Parameters
    ----------
    network : CNNClassifier or keras.Model
        With one input of fixed size, which takes pixels of 0-255.
    unit : label or int
        Of the last layer a class (of a model its place); of another layer the map or neuron.
    layer : str, optional
        The layer's name or path; None: the output, before its softmax.
    steps : int, default=128
        Steps of ascent.
    step_size : float, default=4.0
        Of one step, in gray levels: the mean of the changes' magnitudes.
    blur : float, default=0.5
        Standard deviation in pixels of the blur after every fourth step, which keeps single
        pixels from standing out; 0 leaves it out.
    jitter : int, default=4
        By how many pixels at most the image is moved at each step, for the same reason.
    random_state : int, default=0
        Seed of the first image and of the moves.

    Returns
    -------
    (H, W, 3) or (H, W) ndarray of uint8

    Raises
    ------
    UnknownNameError
        If there is no such layer or class.
    ParameterError
        If there is no such unit, or the network has several inputs or one of open size.

    References
    ----------
    D. Erhan et al., "Visualizing Higher-Layer Features of a Deep Network", Technical Report 1341,
    University of Montreal, 2009; the regularisation: J. Yosinski et al., 2015, arXiv:1506.06579.
    """
    check_integer("steps", steps, owner="maximize_activation", at_least=1)
    check_number("step_size", step_size, owner="maximize_activation", above=0)
    check_number("blur", blur, owner="maximize_activation", at_least=0)
    check_integer("jitter", jitter, owner="maximize_activation", at_least=0)
    check_random_state("random_state", random_state, owner="maximize_activation")
    model, classes = network_of(network, "maximize_activation")
    shape = _fixed_shape(model)
    function = _ascent(model, layer, _unit(unit, classes if layer is None else None))
    generator = np.random.default_rng(random_state)
    image = generator.normal(128, 16, shape).astype(np.float32)
    for step in range(steps):
        moves = generator.integers(-jitter, jitter + 1, 2)
        moved = np.roll(image, moves, axis=(0, 1))
        gradient = np.roll(function(tf.constant(moved[None]))[1].numpy()[0], -moves, axis=(0, 1))
        size = float(np.abs(gradient).mean())
        # No way up: every ReLU in between is silent, or the output is saturated.
        if size == 0:
            break
        image = (image + gradient / np.float32(size) * np.float32(step_size)).clip(0, 255)
        if blur and step % 4 == 3 and step < steps - 1:
            image = cv2.GaussianBlur(image, (0, 0), blur).reshape(shape)
    found = np.rint(image).astype(np.uint8)
    return found[..., 0] if shape[-1] == 1 else found


def _fixed_shape(model):
    inputs = getattr(model, "inputs", None) or ()
    shape = tuple(inputs[0].shape[1:]) if len(inputs) == 1 else ()
    if len(shape) != 3 or None in shape:
        raise ParameterError(
            "maximize_activation takes a network with one input of a fixed size. Got "
            f"{[tuple(each.shape) for each in inputs] or 'none'}."
        )
    return shape


def _unit(unit, classes):
    if classes is None:
        check_integer("unit", unit, owner="maximize_activation", at_least=0)
        return int(unit)
    if unit not in classes:
        hint = did_you_mean(str(unit), [str(label) for label in classes])
        raise UnknownNameError(f"The network knows no class {unit!r}. {hint}".strip())
    return classes.index(unit) if len(classes) > 2 else classes.index(unit) - len(classes)


def _ascent(model, layer, unit):
    """The mean activation of a unit, and its gradient at the image."""

    def compute(images):
        with recording(model) as calls:
            output = tree.flatten(model(images, training=False))[0]
        values = before_activation(output)[0] if layer is None else _named(calls, layer)
        values = tf.cast(values, tf.float32)
        if layer is None and values.shape[-1] == 1 and unit < 0:
            values = tf.concat([-values, values], axis=-1)
        if not -values.shape[-1] <= unit < values.shape[-1]:
            raise ParameterError(
                f"The layer has units 0 to {values.shape[-1] - 1}. Got unit={unit}."
            )
        score = tf.reduce_mean(values[..., unit])
        return score, tf.gradients(score, images)[0]

    signature = [tf.TensorSpec((1, *model.inputs[0].shape[1:]), tf.float32)]
    function = tf.function(compute, input_signature=signature, autograph=False)
    return function.get_concrete_function()


def _named(calls, layer):
    paths = paths_named((call.path for call in calls), layer)
    return [call.made[0] for call in calls if call.path in paths][-1]
