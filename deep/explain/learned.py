"""What a network learnt: its maps of an image, its first filters, what a neuron looks at."""

import keras
import numpy as np

from deep.explain.base import batch_of, network_of
from deep.explain.graph import Request, traced
from deep.explain.layers import operations, paths_named
from deep.layer_costs import TRANSPOSED, Field, receptive_field, window, zeros_around
from deep.layer_graph import calls_of
from vision.canvas import draw_text, font_size, rgb_canvas, stroke
from vision.checks import check_integer
from vision.drawing import contact_sheet
from vision.errors import ParameterError
from vision.opencv import cv2


def feature_maps(network, image, layer=None, *, count=36, width=1200):
    """What a layer makes of an image, map by map, as a contact sheet.

    Parameters
    ----------
    network : CNNClassifier or keras.Model
        Fitted.
    image : (H, W, 3) or (H, W) ndarray of uint8
        Of the network's size.
    layer : str, optional
        A layer's name or path; by default the one that `vision.explain` looks at.
    count : int, default=36
        How many maps are shown, those with the highest values, in their order.
    width : int, default=1200
        Of the sheet, in pixels.

    Returns
    -------
    (h, width, 3) ndarray of uint8
        Each map from black, its lowest value, to white; the title tells number and highest value.

    Raises
    ------
    UnknownNameError
        If there is no such layer.
    ParameterError
        If its output is no map, or the image does not fit.

    Examples
    --------
    >>> import deep
    >>> model = deep.build("lenet5", (32, 32, 1), 3, pixels=True, random_state=0)
    >>> feature_maps(model, np.zeros((32, 32), np.uint8), "C1", width=300).shape[1]
    300
    """
    check_integer("count", count, owner="feature_maps", at_least=1)
    model, _ = network_of(network, "feature_maps")
    inputs = [batch_of([image])]
    function = traced(model, Request("layer", layer=layer), inputs)
    maps = function(inputs, np.zeros(1, np.int32))["maps"][0]
    best = np.sort(np.argsort(-maps.max(axis=(0, 1)), kind="stable")[:count])
    tiles = [(f"{at}: {maps[..., at].max():.3g}", _gray(maps[..., at])) for at in best]
    return contact_sheet(tiles, width=width)


def _gray(values):
    low, high = float(values.min()), float(values.max())
    scale = 255 / (high - low) if high > low else 0
    return np.rint((values - low) * scale).astype(np.uint8)


def first_filters(network, *, width=600):
    """The kernels of the first convolution as a contact sheet.

    Parameters
    ----------
    network : CNNClassifier or keras.Model
    width : int, default=600
        Of the sheet, in pixels.

    Returns
    -------
    (h, width, 3) ndarray of uint8
        One picture a filter, in colour where it takes three channels, else their mean; gray is 0,
        and each has its own scale.

    Raises
    ------
    ParameterError
        If the network has no two-dimensional convolution.

    Examples
    --------
    >>> import deep
    >>> first_filters(deep.build("lenet5", random_state=0), width=200).shape[1]
    200
    """
    model, _ = network_of(network, "first_filters")
    layers = [each for _, each in operations(model) if isinstance(each, keras.layers.Conv2D)]
    if not layers:
        raise ParameterError("first_filters needs a network with a Conv2D layer. It has none.")
    kernel = np.asarray(keras.ops.convert_to_numpy(layers[0].kernel), np.float32)
    if kernel.shape[2] != 3:
        kernel = kernel.mean(axis=2, keepdims=True)
    reach = np.maximum(np.abs(kernel).max(axis=(0, 1, 2)), np.finfo(np.float32).tiny)
    pictures = np.rint(127.5 + 127.5 * kernel / reach).astype(np.uint8)
    pictures = pictures[:, :, 0] if pictures.shape[2] == 1 else pictures
    tiles = [(str(at), np.ascontiguousarray(pictures[..., at])) for at in range(kernel.shape[-1])]
    return contact_sheet(tiles, columns=min(8, len(tiles)), width=width)


def receptive_box(network, layer, x, y, input_shape=None):
    """The pixels of the input that one place of a layer's maps depends on.

    Parameters
    ----------
    network : CNNClassifier or keras.Model
        Functional or Sequential, with one input.
    layer : str
        The layer's path, as `deep.describe` shows it.
    x, y : int
        The place in the maps.
    input_shape : tuple of int, optional
        (height, width, channels), where the model's own is open.

    Returns
    -------
    tuple of int
        (left, top, right, bottom), the last two behind the last pixel; not cut at the borders.

    Raises
    ------
    UnknownNameError
        If there is no such layer.
    ParameterError
        If the place is outside, or depends on the whole image, or lies behind up-sampling.

    References
    ----------
    A. Araujo, W. Norris, J. Sim, "Computing Receptive Fields of Convolutional Neural Networks",
    Distill, 2019, doi:10.23915/distill.00021.

    Examples
    --------
    >>> import deep
    >>> receptive_box(deep.build("lenet5"), "C1", 3, 0)
    (3, 0, 8, 5)
    """
    model, _ = network_of(network, "receptive_box")
    shape = tuple(input_shape or model.inputs[0].shape[1:])
    if None in shape:
        raise ParameterError("The size of the input is open: give an input_shape=(h, w, channels).")
    call, field, middle = _field(calls_of(model, shape), layer)
    for name, place, side in zip("yx", (y, x), call.outputs[0].shape[1:3]):
        check_integer(name, place, owner="receptive_box", at_least=0, at_most=side - 1)
    edges = []
    for place, size, step, start in zip((y, x), field.size, field.stride, middle):
        low = round(start + place * step - (size - 1) / 2)
        edges.append((low, low + int(size)))
    (top, bottom), (left, right) = edges
    return left, top, right, bottom


def _field(calls, layer):
    """The call of a layer, its receptive field and the middle of that of its first place."""
    known = {}
    path = paths_named((call.name.replace("/", ".") for call in calls), layer)[0]
    for call in calls:
        given = [known.get(id(tensor), _start(tensor)) for tensor in call.inputs]
        made = _through(call, given)
        known |= {id(tensor): made for tensor in call.outputs}
        if call.name.replace("/", ".") == path:
            if made is None or len(made[0].size) != 2:
                raise ParameterError(
                    f"What layer {layer!r} sees of the image is no window: it depends on the "
                    "whole image, or lies behind up-sampling."
                )
            return call, *made
    raise AssertionError(path)


def _start(tensor):
    axes = max(len(tensor.shape) - 2, 0)
    return Field((1,) * axes, (1,) * axes), (0.0,) * axes


def _through(call, given):
    if not given or any(each is None for each in given):
        return None
    field = receptive_field(call, [each[0] for each in given])
    if field is None or isinstance(call.operation, TRANSPOSED):
        return None
    # Of branches that are joined the one that sees most; they have a common middle.
    before, middle = max(given, key=lambda each: each[0].size)
    slid, zeros = window(call), zeros_around(call)
    if slid is not None:
        shift = [(r - 1) / 2 - p for r, (p, _) in zip(slid.reach, slid.padding)]
    elif zeros is not None:
        shift = [-front for front, _ in zeros]
    elif field.stride != before.stride and len(given) == 1:
        return None
    else:
        shift = [0] * len(middle)
    return field, tuple(m + s * step for m, s, step in zip(middle, shift, before.stride))


def draw_receptive_field(network, image, layer, x, y):
    """The image with the window that one place of a layer's maps sees of it.

    Parameters
    ----------
    network : CNNClassifier or keras.Model
    image : (H, W, 3) or (H, W) ndarray of uint8
        Of the network's size.
    layer, x, y
        See `receptive_box`.

    Returns
    -------
    (H, W, 3) ndarray of uint8
        What lies outside the window is dark.

    Examples
    --------
    >>> import deep
    >>> model = deep.build("lenet5", pixels=True)
    >>> picture = draw_receptive_field(model, np.full((32, 32), 200, np.uint8), "C1", 10, 10)
    >>> picture[12, 12].tolist(), picture[28, 28].tolist()
    ([200, 200, 200], [70, 70, 70])
    """
    canvas = rgb_canvas(image, owner="draw_receptive_field")
    shape = canvas.shape[:2] + ((1,) if image.ndim == 2 else (3,))
    left, top, right, bottom = receptive_box(network, layer, x, y, shape)
    picture = (canvas * 0.35).astype(np.uint8)
    rows, columns = slice(max(top, 0), max(bottom, 0)), slice(max(left, 0), max(right, 0))
    picture[rows, columns] = canvas[rows, columns]
    corners = (left - 1, top - 1), (right, bottom)
    stroke(picture, lambda *pen: cv2.rectangle(pen[0], *corners, *pen[1:]), (0, 229, 255))
    if min(canvas.shape[:2]) >= 128:
        text = f"{layer} ({x}, {y}): {right - left} x {bottom - top}"
        draw_text(picture, text, 0, 0, font_size(canvas.shape), background=(20, 20, 20))
    return picture
