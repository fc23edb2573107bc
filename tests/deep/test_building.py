"""deep.build: sizes, options, seeds, preprocessing, and what it refuses."""

import json
import random
import subprocess
import sys

import keras
import numpy as np
import pytest

import deep
from vision.errors import ParameterError, UnknownNameError


def test_names_are_listed_without_tensorflow():
    script = (
        "import sys, deep\nnames = deep.list_architectures()\n"
        "assert names == sorted(names) and 'vgg16' in names\n"
        "assert not {'keras', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)


def test_unknown_names_are_refused_with_the_nearest():
    for function in (deep.build, deep.preprocessing, deep.describe):
        with pytest.raises(UnknownNameError, match=r"'vg16'\. Did you mean 'vgg16'\?"):
            function("vg16")


@pytest.mark.parametrize(
    ("name", "shape", "smallest"),
    [
        # Five halvings; and by hand: 1 + 2 conv steps back through 3x3/2 pools and an 11x11/4.
        ("vgg16", (31, 64, 3), 32),
        ("alexnet", (66, 200, 3), 67),
        ("lenet5", (40, 31, 1), 32),
    ],
)
def test_too_small_pictures_are_refused_with_the_smallest_size(name, shape, smallest):
    with pytest.raises(ParameterError, match=f"the smallest are {smallest}x{smallest}"):
        deep.build(name, shape, 2)
    assert deep.build(name, (smallest, smallest, shape[2]), 2, include_top=False).output.shape[1]


def test_auxiliary_classifiers_need_larger_pictures_than_the_network():
    # Their 5x5 average pool looks at maps of a sixteenth: 65 pixels make 5.
    with pytest.raises(ParameterError, match="the smallest are 65x65"):
        deep.build("googlenet", (64, 64, 3), 2, options={"auxiliary": True})
    assert deep.build("googlenet", (64, 64, 3), 2).output_shape == (None, 2)


def test_dense_networks_need_a_fixed_size():
    with pytest.raises(ParameterError, match="lenet5 needs a fixed height and width"):
        deep.build("lenet5", (None, None, 1))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"input_shape": (32, 32)}, r"\(height, width, channels\)"),
        ({"input_shape": (32, 32, None)}, "channels"),
        ({"input_shape": (0, 32, 3)}, "height"),
        ({"classes": 0}, "at least 1"),
        ({"random_state": -1}, "random_state"),
        ({"include_top": "yes"}, "True or False"),
        ({"pixels": 1}, "True or False"),
        ({"activation": "softmx"}, "activation"),
        ({"options": {"shortcutt": "A"}}, "Did you mean 'shortcut'"),
        ({"options": {"nothing": 1}}, "It has: dropout, shortcut"),
        ({"options": {"dropout": 0.5}, "include_top": False}, "belongs to its head"),
        ({"options": {"dropout": 2.0}}, "cannot be built"),
    ],
)
def test_wrong_arguments_are_refused_by_name(arguments, words):
    with pytest.raises(ParameterError, match=words):
        deep.build("resnet20", **arguments)


def test_a_seed_repeats_the_weights_and_leaves_the_callers_generator_alone():
    random.seed(7)
    expected = random.random()
    random.seed(7)
    first = deep.build("lenet5", classes=10, random_state=3).get_weights()
    assert random.random() == expected
    again = deep.build("lenet5", classes=10, random_state=3).get_weights()
    other = deep.build("lenet5", classes=10, random_state=4).get_weights()
    for one, two, three in zip(first, again, other):
        np.testing.assert_array_equal(one, two)
        assert one.ndim == 1 or not np.array_equal(one, three)
    assert not np.array_equal(first[0].ravel()[:25], first[2].ravel()[:25])


def test_outputs_are_probabilities_unless_asked_otherwise():
    image = np.random.default_rng(0).normal(size=(3, 32, 32, 1)).astype(np.float32)
    logits = deep.build("lenet5", classes=4, activation="linear", random_state=0)(image).numpy()
    softmax = deep.build("lenet5", classes=4, random_state=0)(image).numpy()
    exponentials = np.exp(logits)
    expected = exponentials / exponentials.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(softmax, expected, rtol=1e-5)
    logit = deep.build("lenet5", classes=1, activation="linear", random_state=0)(image).numpy()
    sigmoid = deep.build("lenet5", classes=1, random_state=0)(image).numpy()
    np.testing.assert_allclose(sigmoid, 1 / (1 + np.exp(-logit)), rtol=1e-5)


PIXELS = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "mode"), [("vgg16", "caffe"), ("resnet50", "caffe"), ("resnet20", "torch")]
)
def test_preprocessing_is_that_of_keras_applications(name, mode):
    pixels = keras.Input((32, 32, 3))
    model = keras.Model(pixels, deep.preprocessing(name)(pixels))
    expected = keras.applications.imagenet_utils.preprocess_input(PIXELS.copy(), mode=mode)
    np.testing.assert_allclose(model(PIXELS), expected, atol=1e-4)


@pytest.mark.parametrize("module", ["mobilenet", "mobilenet_v2", "xception", "efficientnet"])
def test_preprocessing_of_the_families_with_official_weights(module):
    name = "efficientnet_b0" if module == "efficientnet" else module
    pixels = keras.Input((32, 32, 3))
    model = keras.Model(pixels, deep.preprocessing(name)(pixels))
    expected = getattr(keras.applications, module).preprocess_input(PIXELS.copy())
    np.testing.assert_allclose(model(PIXELS), expected, atol=1e-5)


def test_grey_pictures_take_the_mean_of_the_constants():
    found = deep.preprocessing("vgg16")(np.full((1, 2, 2, 1), 100.0, np.float32))
    np.testing.assert_allclose(found, 100 - (103.939 + 116.779 + 123.68) / 3, rtol=1e-5)


def modules_in(config):
    """Every module that a saved model would import."""
    if isinstance(config, dict):
        own = {config["module"]} if isinstance(config.get("module"), str) else set()
        return own.union(*map(modules_in, config.values()))
    if isinstance(config, list):
        return set().union(*map(modules_in, config))
    return set()


@pytest.mark.parametrize(
    ("name", "shape"), [("resnet20", (32, 32, 3)), ("alexnet", (67, 67, 3)), ("vgg11", (32, 32, 3))]
)
def test_a_saved_model_needs_keras_alone(name, shape, tmp_path):
    options = {"units": (16,)} if name != "resnet20" else {}
    model = deep.build(name, shape, 3, pixels=True, options=options, random_state=0)
    modules = modules_in(json.loads(model.to_json()))
    assert modules and all(each.split(".")[0] in ("keras", "builtins") for each in modules)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    images = np.random.default_rng(0).uniform(0, 255, (2, *shape)).astype(np.float32)
    np.testing.assert_allclose(loaded(images), model(images), rtol=1e-5)
    bare = deep.build(name, shape, 3, options=options, random_state=0)
    prepared = deep.preprocessing(name)(images)
    np.testing.assert_allclose(bare(prepared), model(images), rtol=1e-4)


def test_scores_keep_full_precision_in_mixed_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = deep.build("resnet20", (16, 16, 3), 3)
    finally:
        keras.config.set_dtype_policy(before)
    assert model.get_layer("conv1_conv").compute_dtype == "bfloat16"
    assert model.output.dtype == "float32"
