"""The older networks against keras.applications, and written again in TensorFlow's functions."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.linear_model import LogisticRegression

import deep
from deep.architectures import find
from deep.blocks import local_response_normalization


def filled(weights, seed=0):
    """Random weights under which no two of a layer could be exchanged unnoticed."""
    rng = np.random.default_rng(seed)
    for weight in weights:
        if weight.ndim == 1:
            yield rng.uniform(0.5, 1.5, weight.shape)
        else:
            spread = (3 / np.prod(weight.shape[:-1])) ** 0.5
            yield (rng.random(weight.shape, np.float32) * 2 - 1) * np.float32(spread)


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize(
    ("name", "top"),
    [("vgg16", True), ("vgg19", False), ("resnet50", True), ("resnet152", False)],
)
def test_weights_of_keras_applications_copied_in_order_give_the_same_outputs(name, top):
    theirs = getattr(keras.applications, find(name).weights)(
        weights=None,
        input_shape=(48, 40, 3),
        classes=7,
        include_top=top,
        classifier_activation=None,
    )
    ours = deep.build(name, (48, 40, 3), 7, include_top=top, activation="linear")
    weights = list(filled(theirs.get_weights()))
    theirs.set_weights(weights)
    ours.set_weights(weights)
    images = np.random.default_rng(1).normal(0, 60, (2, 48, 40, 3)).astype(np.float32)
    expected = theirs(images).numpy()
    assert expected.std() > 0
    np.testing.assert_allclose(ours(images), expected, rtol=1e-5, atol=1e-5 * abs(expected).max())
    # The official files are read by the order of the layers, the newer ones by their names.
    assert [each.name for each in ours.layers if each.weights] == [
        each.name for each in theirs.layers if each.weights
    ]


def filled_model(name, shape, classes=5, **options):
    """A network with weights under which nothing could be exchanged, and its layers by name."""
    model = deep.build(name, shape, classes, activation="linear", options=options)
    model.set_weights(list(filled(model.get_weights())))
    return model, {layer.name: layer for layer in model.layers}


def pictures(*shape):
    return np.random.default_rng(1).normal(size=(2, *shape)).astype(np.float32)


def convolved(x, layer, stride=1, padding=0):
    """A convolution by tf.nn with zeros on every side, in groups where the kernels are narrower."""
    kernel, *bias = layer.get_weights()
    zeros = [[0, 0], [padding, padding], [padding, padding], [0, 0]]
    groups = x.shape[-1] // kernel.shape[2]
    parts = [
        tf.nn.conv2d(part, kernels, stride, zeros)
        for part, kernels in zip(tf.split(x, groups, -1), tf.split(kernel, groups, -1))
    ]
    return tf.concat(parts, -1) + (bias[0] if bias else 0)


def normalized(x, layer, epsilon):
    scale, offset, mean, variance = layer.get_weights()
    return tf.nn.batch_normalization(x, mean, variance, offset, scale, epsilon)


def dense(x, layer):
    kernel, bias = layer.get_weights()
    return x @ kernel + bias


def close(found, expected):
    expected = np.asarray(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * abs(expected).max())


@pytest.mark.parametrize("groups", [1, 2])
def test_alexnet_is_the_paper_in_tensorflows_own_functions(groups):
    model, layer = filled_model("alexnet", (83, 83, 3), units=(32, 16), groups=groups)
    images = x = 30 * pictures(83, 83, 3)
    x = tf.nn.relu(convolved(x, layer["conv1"], stride=4))
    x = tf.nn.max_pool2d(tf.nn.lrn(x, 2, 2.0, 1e-4, 0.75), 3, 2, "VALID")
    x = tf.nn.relu(convolved(x, layer["conv2"], padding=2))
    x = tf.nn.max_pool2d(tf.nn.lrn(x, 2, 2.0, 1e-4, 0.75), 3, 2, "VALID")
    for name in ("conv3", "conv4", "conv5"):
        x = tf.nn.relu(convolved(x, layer[name], padding=1))
    x = tf.reshape(tf.nn.max_pool2d(x, 3, 2, "VALID"), (2, -1))
    for name in ("fc1", "fc2"):
        x = tf.nn.relu(dense(x, layer[name]))
    close(model(images), dense(x, layer["predictions"]))


def test_one_weird_trick_has_no_normalisation_and_pads_by_two():
    model, layer = filled_model("alexnet_owt", (79, 79, 3), units=(32, 16))
    images = x = pictures(79, 79, 3)
    x = tf.nn.max_pool2d(tf.nn.relu(convolved(x, layer["conv1"], 4, 2)), 3, 2, "VALID")
    x = tf.nn.max_pool2d(tf.nn.relu(convolved(x, layer["conv2"], 1, 2)), 3, 2, "VALID")
    for name in ("conv3", "conv4", "conv5"):
        x = tf.nn.relu(convolved(x, layer[name], padding=1))
    x = tf.reshape(tf.nn.max_pool2d(x, 3, 2, "VALID"), (2, -1))
    for name in ("fc1", "fc2"):
        x = tf.nn.relu(dense(x, layer[name]))
    close(model(images), dense(x, layer["predictions"]))


def inception(x, layer, name):
    def rectified(x, part, size):
        return tf.nn.relu(convolved(x, layer[f"inception_{name}_{part}"], padding=size // 2))

    pooled = tf.nn.max_pool2d(x, 3, 1, "SAME")
    branches = [
        rectified(x, "1x1", 1),
        rectified(rectified(x, "3x3_reduce", 1), "3x3", 3),
        rectified(rectified(x, "5x5_reduce", 1), "5x5", 5),
        rectified(pooled, "pool_proj", 1),
    ]
    return tf.concat(branches, -1)


def test_googlenet_is_the_paper_in_tensorflows_own_functions():
    model, layer = filled_model("googlenet", (96, 96, 3), auxiliary=True)
    images = pictures(96, 96, 3)
    x = tf.nn.relu(convolved(images, layer["conv1"], stride=2, padding=3))
    x = tf.nn.lrn(tf.nn.max_pool2d(x, 3, 2, "SAME"), 2, 2.0, 1e-4, 0.75)
    x = tf.nn.relu(convolved(x, layer["conv2_reduce"]))
    x = tf.nn.relu(convolved(x, layer["conv2"], padding=1))
    x = tf.nn.max_pool2d(tf.nn.lrn(x, 2, 2.0, 1e-4, 0.75), 3, 2, "SAME")
    auxiliary = []
    for name in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"):
        x = inception(x, layer, name)
        if name in ("4a", "4d"):
            auxiliary.append(x)
        if name in ("3b", "4e"):
            x = tf.nn.max_pool2d(x, 3, 2, "SAME")
    found = model(images)
    close(found[0], dense(tf.reduce_mean(x, (1, 2)), layer["predictions"]))
    for number, x in enumerate(auxiliary, 1):
        name = f"auxiliary{number}"
        x = tf.nn.relu(convolved(tf.nn.avg_pool2d(x, 5, 3, "VALID"), layer[f"{name}_conv"]))
        x = tf.nn.relu(dense(tf.reshape(x, (2, -1)), layer[f"{name}_fc"]))
        close(found[number], dense(x, layer[name]))


@pytest.mark.parametrize(
    ("name", "options", "block", "before", "stride", "epsilon"),
    [
        ("resnet18", {}, "conv2_block1", "pool1_pool", 1, 1.001e-5),
        ("resnet34", {}, "conv3_block1", "conv2_block3_out", 2, 1.001e-5),
        ("resnet20", {"shortcut": "B"}, "conv4_block1", "conv3_block3_out", 2, 1e-5),
    ],
)
def test_basic_block_is_figure_2_in_tensorflows_own_functions(
    name, options, block, before, stride, epsilon
):
    model, layer = filled_model(name, (32, 32, 3), **options)
    ends = [layer[before].output, layer[f"{block}_out"].output]
    given, found = keras.Model(model.input, ends)(pictures(32, 32, 3))
    x = convolved(given, layer[f"{block}_1_conv"], stride, 1)
    x = tf.nn.relu(normalized(x, layer[f"{block}_1_bn"], epsilon))
    x = normalized(convolved(x, layer[f"{block}_2_conv"], 1, 1), layer[f"{block}_2_bn"], epsilon)
    if f"{block}_0_conv" in layer:
        given = convolved(given, layer[f"{block}_0_conv"], stride)
        given = normalized(given, layer[f"{block}_0_bn"], epsilon)
    close(found, tf.nn.relu(x + given))


def test_lenet_is_tanh_convolutions_and_average_pools():
    model, layer = filled_model("lenet5", (32, 32, 1))
    images = pictures(32, 32, 1)
    x = tf.nn.avg_pool2d(tf.tanh(convolved(images, layer["C1"])), 2, 2, "VALID")
    x = tf.nn.avg_pool2d(tf.tanh(convolved(x, layer["C3"])), 2, 2, "VALID")
    x = tf.reshape(tf.tanh(convolved(x, layer["C5"])), (2, 120))
    close(model(images), dense(tf.tanh(dense(x, layer["F6"])), layer["predictions"]))


def test_perceptron_is_rectified_layers():
    model, layer = filled_model("multilayer_perceptron", (4, 4, 2), units=(9, 8))
    images = pictures(4, 4, 2)
    x = tf.reshape(images, (2, 32))
    for name in ("hidden1", "hidden2"):
        x = tf.nn.relu(dense(x, layer[name]))
    close(model(images), dense(x, layer["predictions"]))


def test_response_normalisation_is_tensorflows_own():
    maps = np.random.default_rng(0).normal(0, 50, (2, 5, 4, 17)).astype(np.float32)
    expected = tf.nn.local_response_normalization(maps, 2, 2.0, 1e-4, 0.75)
    np.testing.assert_allclose(local_response_normalization(maps), expected, rtol=1e-5)
    expected = tf.nn.local_response_normalization(maps, 1, 1.0, 0.01, 0.5)
    found = local_response_normalization(maps, depth=3, bias=1.0, alpha=0.01, beta=0.5)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_logistic_regression_is_scikit_learns():
    rng = np.random.default_rng(0)
    images, labels = rng.normal(size=(60, 4, 5, 1)).astype(np.float32), rng.integers(0, 3, 60)
    fitted = LogisticRegression().fit(images.reshape(60, -1), labels)
    model = deep.build("logistic_regression", (4, 5, 1), 3)
    model.set_weights([fitted.coef_.T, fitted.intercept_])
    expected = fitted.predict_proba(images.reshape(60, -1))
    np.testing.assert_allclose(model(images), expected, rtol=1e-4)
