"""Explanations of real ImageNet networks lie on the object; skipped without the weights."""

import json
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from skimage import data

import deep
import vision
from deep.explain.cam import CAM
from deep.explain.gradcam import GradCAM
from deep.explain.gradcam_pp import GradCAMPlusPlus
from deep.explain.guided import GuidedBackpropagation
from deep.explain.layercam import LayerCAM
from deep.explain.scorecam import ScoreCAM
from deep.explain.smoothgrad import SmoothGrad
from tests.deep.test_real_weights import FOLDER, middle, weights_of
from vision.opencv import cv2

pytestmark = pytest.mark.skipif(not FOLDER, reason="VISION_DATA names no folder of real weights")
CAT, CUP = (285,), (967, 504)  # Egyptian cat; espresso, coffee mug

# Marked by hand on the middle squares of 224 pixels: the cat's head; the cup without its saucer.
BOXES = {"cat": (58, 12, 184, 150), "coffee": (30, 0, 186, 165)}


@pytest.fixture(scope="module")
def squares():
    with zipfile.ZipFile(Path(FOLDER, "photos_labelled", "photos.zip")) as archive:
        assert json.loads(archive.read("expected.json"))["cat.jpg"]["MobileNet"][0][0] in CAT
        cat = vision.decode(archive.read("cat.jpg"))
    return {"cat": middle(cat), "coffee": middle(data.coffee())}


@pytest.fixture(scope="module")
def models():
    return {
        name: deep.build(name, (224, 224, 3), weights=weights_of(name), pixels=True)
        for name in ("mobilenet", "mobilenet_v2")
    }


def peak(values):
    y, x = np.unravel_index(values.argmax(), values.shape)
    return int(x), int(y)


def inside(point, box):
    (x, y), (left, top, right, bottom) = point, box
    return left <= x < right and top <= y < bottom


@pytest.mark.parametrize("name", ["mobilenet", "mobilenet_v2"])
@pytest.mark.parametrize(
    "method", [CAM, GradCAM, GradCAMPlusPlus, LayerCAM, GuidedBackpropagation, SmoothGrad]
)
def test_the_heat_lies_on_the_object(name, method, models, squares):
    options = {"samples": 8} if method is SmoothGrad else {}
    for key, image in squares.items():
        values, label = method(models[name], **options)(image)
        assert label in CAT + CUP
        assert inside(peak(values), BOXES[key]), key


def beside(squares):
    """The cat in the left half, the cup in the right one, each whole and half as large."""
    half = {key: cv2.resize(image, (112, 112), interpolation=cv2.INTER_AREA)
            for key, image in squares.items()}  # fmt: skip
    picture = np.full((224, 224, 3), 128, np.uint8)
    picture[56:168, :112], picture[56:168, 112:] = half["cat"], half["coffee"]
    return picture


def told_apart(model, picture, method=GradCAM, **options):
    """Whether the cat's heat peaks on the cat and the cup's on the cup."""
    cat, _ = method(model, **options)(picture, CAT[0])
    cup, _ = method(model, **options)(picture, CUP[0])
    # The pointing game's own tolerance is 15 pixels: half a place of these maps.
    return inside(peak(cat), (0, 41, 112, 183)) and inside(peak(cup), (112, 41, 224, 183))


@pytest.mark.parametrize("name", ["mobilenet", "mobilenet_v2"])
@pytest.mark.parametrize("method", [CAM, GradCAM, GradCAMPlusPlus, LayerCAM])
def test_each_class_is_found_where_it_is(name, method, models, squares):
    assert told_apart(models[name], beside(squares), method)


def test_scorecam_finds_the_class(models, squares):
    assert told_apart(models["mobilenet"], beside(squares), ScoreCAM, channels=48)


def test_random_weights_fail(squares):
    """The sanity check of Adebayo et al. 2018, arXiv:1810.03292."""
    right = []
    for seed in range(3):
        random = deep.build("mobilenet", (224, 224, 3), pixels=True, random_state=seed)
        right.append(told_apart(random, beside(squares)))
    assert sum(right) <= 1


def test_a_trained_network_nested_in_a_new_model(models, squares):
    """Only the pooling and the last layer are outside, with the official weights."""
    flat = models["mobilenet"]
    features = flat.get_layer("conv_pw_13_relu").output
    scaled = next(layer for layer in flat.layers if layer.name == "preprocess")
    body = keras.Model(scaled.output, features, name="body")
    inputs = keras.Input((224, 224, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    x = keras.layers.GlobalAveragePooling2D()(body(x))
    model = keras.Model(inputs, keras.layers.Dense(1000, activation="softmax")(x))
    kernel, bias = flat.get_layer("conv_preds").get_weights()
    model.layers[-1].set_weights([kernel.reshape(-1, 1000), bias])
    gradcam = GradCAM(model)
    values, label = gradcam(squares["cat"])
    assert gradcam.layer_ == "body.conv_pw_13_relu"
    assert label == CAT[0]
    assert inside(peak(values), BOXES["cat"])
    assert np.allclose(values, GradCAM(flat)(squares["cat"])[0], atol=1e-4)
