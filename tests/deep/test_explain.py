"""The methods of explaining, against formulas written out and networks whose answer is known."""

import importlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import deep
from deep.explain.cam import CAM
from deep.explain.eigencam import EigenCAM
from deep.explain.gradcam import GradCAM, explain_gradcam
from deep.explain.gradcam_pp import GradCAMPlusPlus
from deep.explain.graph import Request, count_traces, traced
from deep.explain.guided import GuidedBackpropagation
from deep.explain.integrated import IntegratedGradients, explain_integrated
from deep.explain.layercam import LayerCAM
from deep.explain.scorecam import ScoreCAM
from deep.explain.smoothgrad import SmoothGrad
from tests.deep.explained_networks import (
    METHODS,
    corner_detector,
    corner_image,
    nested,
    photograph,
    pooled,
)
from vision.errors import ImageError, ParameterError, UnknownNameError


def explained(name, *given, **options):
    module = importlib.import_module(f"deep.explain.{METHODS[name]}")
    return getattr(module, f"explain_{name}")(*given, **options)


@pytest.fixture(scope="module")
def model():
    return pooled()


def test_a_nested_pretrained_model_behind_preprocessing():
    """Public libraries and the textbook's model up to the layer fail here."""
    model = nested()
    image = photograph(64)
    gradcam, cam = GradCAM(model), CAM(model)
    for target in range(3):
        heat, labels = gradcam.raw([image], target)
        expected, _ = cam.raw([image], target)
        assert labels == [target]
        assert np.allclose(heat, expected / 4, rtol=1e-4, atol=1e-7)  # maps of 2 x 2
    assert gradcam.layer_.endswith(".conv_pw_13_relu")
    assert count_traces(model) == 2


@pytest.mark.parametrize("target", [0, 1, 2])
def test_gradcam_is_cam_over_the_number_of_places(model, target):
    """The paper's section 3: the mean gradient is the dense layer's weight over Z."""
    image = photograph()
    heat = GradCAM(model).raw([image], target)[0]
    cam = CAM(model).raw([image], target)[0]
    assert heat.shape == (1, 5, 5)
    assert np.allclose(heat, cam / 25, rtol=1e-5, atol=1e-8)
    maps = keras.Model(model.inputs[0], model.get_layer("second").output)(image[None]).numpy()
    weights = model.get_layer("scores").kernel.numpy()[:, target]
    assert np.allclose(cam, maps @ weights, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_peaks_where_the_only_filter_fires(name):
    network = deep.CNNClassifier.from_model(corner_detector(), ["red", "blue"])
    values, label = explained(name, network, corner_image())
    assert label == "red"
    assert values.shape == (32, 32)
    assert values.dtype == np.float32
    assert values.max() == pytest.approx(1)
    y, x = np.unravel_index(values.argmax(), values.shape)
    assert 1 <= y <= 9
    assert 2 <= x <= 10


@pytest.mark.parametrize("name", sorted(set(METHODS) - {"eigencam"}))
def test_the_other_class_is_explained_by_the_other_corner(name):
    network = deep.CNNClassifier.from_model(corner_detector(), ["red", "blue"])
    options = {"noise": 0.02} if name == "smoothgrad" else {}
    values, label = explained(name, network, corner_image(), "blue", **options)
    assert label == "blue"
    if name in ("guided", "smoothgrad"):  # magnitudes: red speaks against blue
        assert values[25:29, 26:30].max() > 0.3
    else:
        y, x = np.unravel_index(values.argmax(), values.shape)
        assert 24 <= y <= 29
        assert 25 <= x <= 30


def headed():
    """Layers behind the maps that are not linear."""
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            layers.Conv2D(4, 3, name="maps"),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(6, activation="tanh"),
            layers.Dense(3, activation="softmax"),
        ]
    )


def written_out(model, image, target):
    """Maps and gradients by the tape, layer by layer."""
    maps = model.layers[1](model.layers[0](image[None] / np.float32(255)))
    with tf.GradientTape() as tape:
        tape.watch(maps)
        hidden = model.layers[3](model.layers[2](maps))
        score = (hidden @ model.layers[4].kernel + model.layers[4].bias)[0, target]
    return maps.numpy()[0], tape.gradient(score, maps).numpy()[0]


def test_weights_are_those_of_the_tape():
    model, image = headed(), photograph(12)
    given = image.astype(np.float32) / 255
    for target in range(3):
        maps, gradients = written_out(model, image, target)
        heat = GradCAM(model).raw([given], target)[0][0]
        expected = sum(
            gradients[:, :, k].sum() / maps[:, :, k].size * maps[:, :, k] for k in range(4)
        )
        assert np.allclose(heat, expected, rtol=1e-3, atol=1e-6)
        values = explain_gradcam(model, given, target)[0]
        assert values.shape == (12, 12)
        assert values.min() >= 0
        heat = LayerCAM(model).raw([given], target)[0][0]
        expected = (np.where(gradients > 0, gradients, 0) * maps).sum(axis=2)
        assert np.allclose(heat, expected, rtol=1e-3, atol=1e-6)


def test_gradcampp_is_equation_19_place_by_place():
    model, image = headed(), photograph(12)
    maps, gradients = written_out(model, image, 1)
    expected = np.zeros(maps.shape[:2])
    for k in range(maps.shape[2]):
        weight, total = 0.0, float(maps[:, :, k].sum())
        for g in gradients[:, :, k].ravel().astype(float):
            below = 2 * g**2 + total * g**3
            weight += (g**2 / below if below else 0) * max(g, 0)
        expected += weight * maps[:, :, k]
    heat = GradCAMPlusPlus(model).raw([image.astype(np.float32) / 255], 1)[0][0]
    assert np.allclose(heat, expected, rtol=1e-2, atol=1e-5 * np.abs(expected).max())


def test_eigencam_is_the_first_singular_vector(model):
    image = photograph()
    inputs = [image[None].astype(np.float32)]
    maps = traced(model, Request("layer", layer="second"), inputs)(inputs, np.zeros(1, np.int32))
    pixels = maps["maps"].reshape(-1, 5)
    left, values, _ = np.linalg.svd(pixels)
    heat = EigenCAM(model).raw([image])[0].ravel()
    assert np.allclose(np.abs(heat), np.abs(left[:, 0] * values[0]), rtol=1e-3)
    assert heat.sum() > 0


def test_scorecam_weighs_by_the_score_of_what_a_map_lets_through():
    model, image = corner_detector(), corner_image()
    maps = model.layers[0](image[None].astype(np.float32)).numpy()[0]
    scores = []
    for k in range(2):
        mask = (maps[..., k] - maps[..., k].min()) / np.ptp(maps[..., k])
        seen = model.layers[0](image[None] * mask[None, :, :, None].astype(np.float32))
        scores.append((model.layers[1](seen) @ model.layers[2].kernel).numpy()[0, 0])
    powers = np.exp(scores)
    expected = maps @ (powers / powers.sum())
    assert np.allclose(ScoreCAM(model).raw([image], 0)[0][0], expected, rtol=1e-4, atol=1e-3)
    only = ScoreCAM(model, channels=1).raw([image], 0)[0][0]
    assert np.allclose(only, maps[..., 0], rtol=1e-4)  # the red map varies more


def test_integrated_gradients_are_complete():
    """The axiom: they sum up to the score less that of the baseline."""
    model, image = headed(), photograph(12).astype(np.float32) / 50
    method = IntegratedGradients(model, steps=200)
    function = traced(model, Request("pixels"), [image[None]])
    index = np.array([2], np.int32)
    found, chosen = method.attributions(function, [image[None]], index)
    scores = function([np.stack([image, np.zeros_like(image)])], np.array([2, 2], np.int32))
    difference = float(scores["scores"][0] - scores["scores"][1])
    assert chosen.tolist() == [2]
    assert float(found.sum()) == pytest.approx(difference, rel=5e-3, abs=1e-4)
    assert abs(difference) > 0.02


def test_pixels_of_a_linear_model_are_its_weights():
    keras.utils.set_random_seed(2)
    model = keras.Sequential([keras.Input((4, 5, 3)), layers.Flatten(), layers.Dense(2)])
    image = photograph(8)[:4, :5].copy()
    weights = model.layers[1].kernel.numpy()[:, 1].reshape(4, 5, 3)
    raw = IntegratedGradients(model, steps=3, baseline=7.0).raw([image], 1)[0][0]
    assert np.allclose(raw, (weights * (image - 7.0)).sum(axis=2), rtol=1e-4, atol=1e-3)
    values, _ = explain_integrated(model, image, 1)
    assert np.abs(values).max() == pytest.approx(1)
    assert values.min() < 0
    raw = SmoothGrad(model, samples=20).raw([image], 1)[0][0]
    assert np.allclose(raw, np.abs(weights).max(axis=2), rtol=1e-5)


def test_smoothgrad_is_the_mean_over_seeded_noise():
    model, image = headed(), photograph(12).astype(np.float32) / 255
    first = SmoothGrad(model, samples=20, random_state=3).raw([image], 0)[0]
    generator = np.random.default_rng(3)
    noise = [generator.standard_normal((n, 12, 12, 3), np.float32) for n in (16, 4)]
    copies = tf.constant(image + 0.15 * np.ptp(image) * np.concatenate(noise))
    with tf.GradientTape() as tape:
        tape.watch(copies)
        logits = copies
        for layer in model.layers[:-1]:
            logits = layer(logits)
        score = tf.reduce_sum(logits @ model.layers[-1].kernel[:, :1])
    expected = np.abs(tape.gradient(score, copies).numpy().mean(axis=0)).max(axis=-1)
    assert np.allclose(first[0], expected, rtol=1e-3, atol=1e-7)


@tf.custom_gradient
def guided_relu(x):
    active = tf.cast(x > 0, x.dtype)
    return x * active, lambda up: up * active * tf.cast(up > 0, x.dtype)


@pytest.mark.parametrize("limit", [None, 6.0])
def test_guided_backpropagation_is_the_rule_written_out(limit):
    keras.utils.set_random_seed(4)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3),
            layers.ReLU(limit),
            layers.Conv2D(4, 3),
            layers.ReLU(limit),
            layers.Flatten(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    image = tf.constant(photograph(8)[None].astype(np.float32) / 255)
    with tf.GradientTape() as tape:
        tape.watch(image)
        x = guided_relu(model.layers[2](guided_relu(model.layers[0](image))))
        score = (model.layers[4](x) @ model.layers[5].kernel)[0, 1]
    expected = np.abs(tape.gradient(score, image).numpy()[0]).max(axis=-1)
    found = GuidedBackpropagation(model).raw([image.numpy()[0]], 1)[0][0]
    assert np.allclose(found, expected, rtol=1e-4, atol=1e-7)
    with tf.GradientTape() as tape:  # and the model itself is what it was
        tape.watch(image)
        score = model(image)[0, 1]
    plain = np.abs(tape.gradient(score, image).numpy()[0]).max(axis=-1)
    assert not np.allclose(plain, expected)


def test_the_negative_class_turns_the_sign_before_the_mean():
    model = pooled(1, "sigmoid")
    network = deep.CNNClassifier.from_model(model, ["no", "yes"])
    image = photograph()
    yes, no = (GradCAM(network).raw([image], label)[0] for label in ("yes", "no"))
    kernel = model.get_layer("scores").kernel.numpy()[:, 0]
    maps = keras.Model(model.inputs[0], model.get_layer("second").output)(image[None]).numpy()
    assert np.allclose(yes, maps @ kernel / 25, rtol=1e-4, atol=1e-7)
    assert np.allclose(no, -yes, rtol=1e-5, atol=1e-9)
    assert np.allclose(CAM(network).raw([image], "no")[0] / 25, no, rtol=1e-4, atol=1e-7)
    assert GradCAM(network).raw([image])[1] == network.predict([image]).tolist()


def test_targets_and_numbers_of_images_cost_no_new_trace():
    model = pooled(seed=7)
    images = [photograph(seed=seed) for seed in range(20)]
    one_by_one = [GradCAM(model)(image) for image in images]
    together, labels = GradCAM(model).many(images)
    assert [label for _, label in one_by_one] == labels
    assert labels == model(np.stack(images)).numpy().argmax(axis=1).tolist()
    for (alone, _), value in zip(one_by_one, together, strict=True):
        assert np.allclose(alone, value, rtol=1e-4, atol=1e-5)
    GradCAM(model).many(images[:3], [2, 0, 1])
    assert count_traces(model) == 1
    GradCAM(model, layer="first")(images[0])
    assert count_traces(model) == 2


def test_a_function_follows_the_weights():
    model, image = pooled(seed=8), photograph()
    before = GradCAM(model).raw([image], 0)[0]
    kernel, bias = model.get_layer("scores").get_weights()
    model.get_layer("scores").set_weights([kernel * 3, bias])
    assert np.allclose(GradCAM(model).raw([image], 0)[0], 3 * before, rtol=1e-4)


def test_functions_as_targets_are_kept_in_bounded_number(monkeypatch):
    monkeypatch.setattr("deep.explain.graph.KEPT", 3)
    model, image = pooled(seed=10), photograph()
    heat, labels = GradCAM(model).raw([image], lambda outputs: outputs[:, 1])
    assert labels == ["<lambda>"]
    for number in range(5):
        GradCAM(model)(image, lambda outputs, k=number % 3: outputs[:, k])
    assert len(model._vision_explained) == 3
    probability = model(image[None]).numpy()[0]
    kernel = model.get_layer("scores").kernel.numpy()
    maps = keras.Model(model.inputs[0], model.get_layer("second").output)(image[None]).numpy()
    slope = probability[1] * (kernel[:, 1] - kernel @ probability)  # of the softmax
    assert np.allclose(heat, maps @ slope / 25, rtol=1e-3, atol=1e-8)


@pytest.mark.parametrize(
    ("options", "target", "error", "words"),
    [
        ({"layer": "secnd"}, 0, UnknownNameError, "Did you mean 'second'"),
        ({"layer": "scores"}, 0, ParameterError, "must be .batch, height, width, channels"),
        ({"output": 3}, 0, ParameterError, "has no output 3"),
        ({"input": 2}, 0, ParameterError, "has 1 inputs"),
        ({}, 5, ParameterError, "0 to 2"),
        ({}, "cat", ParameterError, "place of a class"),
        ({}, lambda outputs: outputs, ParameterError, "one number"),
    ],
)
def test_what_cannot_be_explained_is_refused(model, options, target, error, words):
    with pytest.raises(error, match=words):
        explain_gradcam(model, photograph(), target, **options)


def test_images_and_classifiers_that_do_not_fit_are_refused(model):
    with pytest.raises(ParameterError, match=r"takes \(16, 16, 3\). Got \(8, 8, 3\)"):
        explain_gradcam(model, photograph(8))
    with pytest.raises(ImageError, match="one size"):
        GradCAM(model).many([photograph(8), photograph(16)])
    network = deep.CNNClassifier.from_model(model, ["a", "b", "c"])
    with pytest.raises(UnknownNameError, match="knows no class 'd'"):
        explain_gradcam(network, photograph(), "d")
    with pytest.raises(ParameterError, match="a fitted CNNClassifier or"):
        explain_gradcam(3, photograph())
    with pytest.raises(ParameterError, match="CAM needs a network that ends in"):
        CAM(headed())(photograph(12))
