"""Real ImageNet weights through `CNNClassifier` and `CNNFeatures`; skipped without them."""

import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

import deep
import vision
from classical import HOG, Gray

FOLDER = os.environ.get("VISION_DATA")
pytestmark = pytest.mark.skipif(not FOLDER, reason="VISION_DATA names no folder of real weights")
FILES = {
    "mobilenet": ("MobileNet", "mobilenet_100_224.weights.h5"),
    "mobilenet_v2": ("MobileNetV2", "mobilenetv2_100_224.weights.h5"),
}


def weights_of(name):
    return str(Path(FOLDER, "weights_imagenet", FILES[name][1]))


@pytest.fixture(scope="module")
def photographs():
    """The middle of each photograph, 224x224, and what is known of it."""
    with zipfile.ZipFile(Path(FOLDER, "photos_labelled", "photos.zip")) as archive:
        expected = json.loads(archive.read("expected.json"))
        images = {
            name: vision.decode(archive.read(name))
            for name in archive.namelist()
            if name in expected
        }
    for name in expected:
        if "chelsea" in name:
            images[name] = data.chelsea()
        if "coffee" in name:
            images[name] = data.coffee()
    return {name: middle(image) for name, image in images.items()}, expected


def middle(image):
    """As expected.json was made: the short side to 256 pixels, then the middle 224."""
    height, width = image.shape[:2]
    scale = 256 / min(height, width)
    size = round(width * scale), round(height * scale)
    small = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))
    top, left = (size[1] - 224) // 2, (size[0] - 224) // 2
    return small[top : top + 224, left : left + 224].copy()


@pytest.mark.parametrize("name", FILES)
def test_photographs_come_out_as_what_they_are(name, photographs):
    squares, expected = photographs
    model = deep.build(name, (224, 224, 3), weights=weights_of(name), pixels=True)
    network = deep.CNNClassifier.from_model(model, np.arange(1000))
    rows = network.predict_proba([squares[key] for key in expected])
    for row, (key, truth) in zip(rows, expected.items(), strict=True):
        label, _, probability = truth[FILES[name][0]][0]
        assert int(row.argmax()) == label, key
        assert row.max() == pytest.approx(probability, abs=0.005), key
    right = [
        row.argmax() in truth["acceptable_classes"] for row, truth in zip(rows, expected.values())
    ]
    assert sum(right) >= 9  # neither the owl nor the pets is a class of ImageNet's


def test_a_head_on_trained_weights_learns_from_ten_images_what_random_ones_do_not():
    """Two textures that differ in what is seen, not in colour: cats' fur and coffee."""
    generator = np.random.default_rng(0)
    images, labels = [], []
    for label, photograph in (("cat", data.chelsea()), ("coffee", data.coffee())):
        for _ in range(30):
            y, x = (int(generator.integers(0, side - 96)) for side in photograph.shape[:2])
            images.append(photograph[y : y + 96, x : x + 96])
            labels.append(label)
    gray = [np.dstack([Gray()(image)] * 3) for image in images]
    train, test = slice(0, None, 3), slice(1, None, 3)
    network = deep.CNNClassifier(
        "mobilenet", weights=weights_of("mobilenet"), transfer="similar", epochs=15, verbose=False
    )
    network.fit(gray[train], labels[train])
    assert network.transfer_.name == "small_similar"
    assert network.score(gray[test], labels[test]) >= 0.9


def test_features_in_front_of_an_svm_beat_hog(photographs):
    from sklearn.svm import LinearSVC

    squares, _ = photographs
    images, labels = [], []
    generator = np.random.default_rng(1)
    for number, image in enumerate(squares.values()):
        for _ in range(12):
            y, x = generator.integers(0, 96, 2)
            images.append(image[y : y + 128, x : x + 128])
            labels.append(number)
    train, test = slice(0, None, 4), slice(1, None, 2)
    features = deep.CNNFeatures("mobilenet", weights=weights_of("mobilenet"))
    scores = [
        pipeline.fit(images[train], labels[train]).score(images[test], labels[test])
        for pipeline in (features >> LinearSVC(), Gray() >> HOG() >> LinearSVC())
    ]
    assert scores[0] > 0.9
    assert scores[0] >= scores[1]


def test_features_are_kerass_own(photographs):
    import keras

    squares, _ = photographs
    image = next(iter(squares.values()))
    model = keras.applications.MobileNetV2(
        weights=None, include_top=False, input_shape=(224, 224, 3), pooling="avg"
    )
    whole = keras.applications.MobileNetV2(weights=weights_of("mobilenet_v2"))
    model.set_weights(whole.get_weights()[:-2])
    expected = model(image[None].astype(np.float32) / 127.5 - 1, training=False).numpy()[0]
    step = deep.CNNFeatures("mobilenet_v2", weights=weights_of("mobilenet_v2"))
    assert np.allclose(step(image), expected, atol=1e-4)
