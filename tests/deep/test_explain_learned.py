"""What a network learnt, against geometry worked out by hand and networks of known filters."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import deep
from deep.explain.activation_maximization import maximize_activation
from deep.explain.learned import (
    draw_receptive_field,
    feature_maps,
    first_filters,
    receptive_box,
)
from tests.deep.explained_networks import corner_detector, corner_image, nested, pooled
from vision.errors import ParameterError, UnknownNameError


def windows():
    """Windows of every sort with weights of one: the gradient is where a place looks."""
    inputs = keras.Input((40, 36, 1))
    ones = {"kernel_initializer": "ones", "use_bias": False}
    x = layers.ZeroPadding2D(((2, 1), (1, 3)))(inputs)
    x = layers.Conv2D(1, 5, strides=2, name="one", **ones)(x)
    x = layers.Conv2D(1, 3, padding="same", dilation_rate=2, name="two", **ones)(x)
    x = layers.AveragePooling2D(2, name="three")(x)
    x = layers.Add(name="sum")([x, layers.Conv2D(1, 3, padding="same", name="four", **ones)(x)])
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x))


@pytest.mark.parametrize("layer", ["one", "two", "three", "four", "sum"])
@pytest.mark.parametrize("place", [(0, 0), (3, 4), (8, 9)])
def test_a_receptive_field_is_where_the_gradient_is_not_zero(layer, place):
    model, (x, y) = windows(), place
    part = keras.Model(model.inputs[0], model.get_layer(layer).output)
    image = tf.ones((1, 40, 36, 1))
    with tf.GradientTape() as tape:
        tape.watch(image)
        score = part(image)[0, y, x, 0]
    rows, columns = np.nonzero(tape.gradient(score, image).numpy()[0, :, :, 0])
    left, top, right, bottom = receptive_box(model, layer, x, y)
    cut = max(left, 0), max(top, 0), min(right, 36), min(bottom, 40)
    assert cut == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


def test_a_receptive_field_by_hand():
    """LeNet-5: 5x5, then 2x2 pooling, then 5x5: 14 pixels, 2 from place to place."""
    model = deep.build("lenet5")
    assert receptive_box(model, "C3", 0, 0) == (0, 0, 14, 14)
    assert receptive_box(model, "C3", 3, 1) == (6, 2, 20, 16)
    picture = draw_receptive_field(model, np.full((32, 32), 200, np.uint8), "C3", 3, 1)
    assert picture[3:15, 7:19].min() == 200
    assert picture[25:, 25:].max() == 70


def test_a_layer_in_a_nested_model_has_a_receptive_field():
    model = nested()
    name = model.layers[2].name
    assert receptive_box(model, f"{name}.conv1", 0, 0) == receptive_box(model, "conv1", 0, 0)
    left, top, right, bottom = receptive_box(model, "conv_dw_2", 5, 5)
    assert right - left == bottom - top == 3 + 2 * 2 + 2 * 2


def test_what_has_no_receptive_field_is_refused():
    model = windows()
    with pytest.raises(ParameterError, match="whole image"):
        receptive_box(model, model.layers[-1].name, 0, 0)
    with pytest.raises(ParameterError, match="'x' of receptive_box"):
        receptive_box(model, "one", 99, 0)
    with pytest.raises(UnknownNameError, match="Did you mean 'four'"):
        receptive_box(model, "fuor", 0, 0)


def test_feature_maps_show_what_fired(monkeypatch):
    sheet = feature_maps(corner_detector(), corner_image(), "colours", width=300)
    assert sheet.shape[1] == 300
    monkeypatch.setattr("deep.explain.learned.contact_sheet", lambda tiles, width: dict(tiles))
    tiles = feature_maps(corner_detector(), corner_image(), "colours")
    assert list(tiles) == ["0: 160", "1: 110"]  # 250 and 200 less the bias
    red, blue = tiles.values()
    assert np.argwhere(red == 255).tolist() == [[y, x] for y in range(3, 8) for x in range(4, 9)]
    assert np.argwhere(blue == 255).tolist() == [[y, x] for y in (26, 27) for x in (27, 28)]
    assert list(feature_maps(corner_detector(), corner_image(), count=1)) == ["0: 160"]


def test_filters_are_drawn_in_their_colours():
    sheet = first_filters(corner_detector(), width=100)
    colours = {tuple(colour) for colour in sheet.reshape(-1, 3).tolist()}
    assert (255, 128, 128) in colours  # reads red, nothing of the others
    assert (128, 128, 255) in colours
    with pytest.raises(ParameterError, match="needs a network with a Conv2D"):
        first_filters(keras.Sequential([keras.Input((2,)), layers.Dense(1)]))


def test_the_image_that_excites_a_filter_has_its_colour():
    model = corner_detector()
    for unit, channel in ((0, 0), (1, 2)):
        image = maximize_activation(model, unit, "colours", steps=40)
        assert image.dtype == np.uint8
        assert image[..., channel].mean() > 220
    network = deep.CNNClassifier.from_model(model, ["red", "blue"])
    before = network.predict_proba([np.full((32, 32, 3), 128, np.uint8)])[0, 0]  # of blue: sorted
    image = maximize_activation(network, "blue", steps=60)
    assert network.predict_proba([image])[0, 0] > max(0.99, before)
    assert np.array_equal(image, maximize_activation(network, "blue", steps=60))


def test_both_classes_of_one_sigmoid_can_be_excited():
    model = corner_detector()
    score = layers.Dense(1, activation="sigmoid")
    model = keras.Model(model.inputs[0], score(model.layers[1].output))
    score.set_weights([np.array([[0.01], [-0.01]]), np.zeros(1)])  # red for, blue against it
    network = deep.CNNClassifier.from_model(model, ["no", "yes"])
    images = [maximize_activation(network, label, steps=30) for label in ("no", "yes")]
    no, yes = network.predict_proba(images)[:, 1]
    assert no < 0.3 < 0.7 < yes


def test_units_that_are_not_there_are_refused():
    model = pooled()
    with pytest.raises(ParameterError, match="units 0 to 2"):
        maximize_activation(model, 3)
    with pytest.raises(UnknownNameError, match="Did you mean 'second'"):
        maximize_activation(model, 0, "secnd")
    network = deep.CNNClassifier.from_model(model, ["a", "b", "c"])
    with pytest.raises(UnknownNameError, match="no class 'd'"):
        maximize_activation(network, "d")
