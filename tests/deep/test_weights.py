"""Weights from files: real ones, every layout, and those of another network."""

import io
import json
import os
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from PIL import Image

import deep
from tests.deep.small_network import (
    LAYOUTS,
    as_if_trained,
    load_small,
    save_layouts,
    save_ordered,
    small,
)
from vision.errors import LoadError

DATA = Path(os.environ.get("VISION_DATA", ""))
REAL = DATA / "weights_imagenet"
needs_real = pytest.mark.skipif(
    not (REAL.is_dir() and (DATA / "photos_labelled").is_dir()),
    reason="VISION_DATA names no folder with weights_imagenet and photos_labelled",
)


def _photographs():
    """The pictures and what both networks are known to say of them."""
    import skimage.data

    archive = zipfile.ZipFile(DATA / "photos_labelled" / "photos.zip")
    expected = json.loads(archive.read("expected.json"))
    for name, entry in expected.items():
        if name in archive.namelist():
            yield Image.open(io.BytesIO(archive.read(name))).convert("RGB"), entry
        else:
            picture = getattr(skimage.data, name.removeprefix("skimage_"))()
            yield Image.fromarray(picture), entry


def _prepared(picture):
    """The short side to 256, bicubic, and the middle 224 x 224: how the list was made."""
    scale = 256 / min(picture.size)
    picture = picture.resize([round(side * scale) for side in picture.size], Image.BICUBIC)
    left, top = ((side - 224) // 2 for side in picture.size)
    return np.asarray(picture.crop((left, top, left + 224, top + 224)), np.float32) / 127.5 - 1


@needs_real
@pytest.mark.parametrize(
    ("name", "file", "column"),
    [
        ("mobilenet", "mobilenet_100_224", "MobileNet"),
        ("mobilenet_v2", "mobilenetv2_100_224", "MobileNetV2"),
    ],
)
def test_real_weights_know_the_photographs(name, file, column):
    model = deep.build(name, weights=REAL / f"{file}.weights.h5")
    pictures, entries = zip(*_photographs())
    scores = model(np.stack([_prepared(picture) for picture in pictures])).numpy()
    assert len(entries) == 11
    for row, entry in zip(scores, entries):
        top = np.argsort(-row)[:5]
        assert top.tolist() == [number for number, _, _ in entry[column]]
        np.testing.assert_allclose(row[top], [share for *_, share in entry[column]], atol=5e-3)
    right = [row.argmax() in entry["acceptable_classes"] for row, entry in zip(scores, entries)]
    assert right == [True] * 6 + [False, True, False, True, True]  # the owl and the pets


@pytest.fixture(scope="module")
def trained():
    return as_if_trained()


@pytest.fixture(scope="module")
def files(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    save_layouts(trained, folder)
    return folder


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_network(layout, files, trained):
    model = small(files / layout)
    for ours, theirs in zip(model.weights, trained.weights):
        np.testing.assert_array_equal(ours, theirs, err_msg=ours.path)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("changed", [{"classes": 3}, {"include_top": False}])
def test_the_body_is_loaded_whatever_the_head(layout, changed, files, trained):
    model = small(files / layout, **changed, random_state=5)
    for ours, theirs in zip(model.weights[: len(trained.weights) - 2], trained.weights):
        np.testing.assert_array_equal(ours, theirs, err_msg=ours.path)
    if "classes" in changed:
        fresh = small(None, **changed, random_state=5)
        np.testing.assert_array_equal(model.weights[-2], fresh.weights[-2])


def test_a_file_without_head_leaves_the_head_random(trained, tmp_path):
    path = save_ordered(tmp_path / "notop.h5", trained, stop=-1)
    model = small(path, random_state=5)
    np.testing.assert_array_equal(model.weights[0], trained.weights[0])
    np.testing.assert_array_equal(model.weights[-2], small(None, random_state=5).weights[-2])


def test_what_was_left_random_is_told(files, trained):
    model = small(None, classes=3)
    assert load_small(model, files / "whole.keras") == ["conv_preds"]


def test_pooled_networks_take_weights_at_any_size(files, trained):
    model = small(files / "ordered.h5", input_shape=(64, 48, 3))
    images = np.random.default_rng(0).uniform(-1, 1, (2, 64, 48, 3)).astype(np.float32)
    theirs = keras.applications.MobileNet(
        weights=None, input_shape=(64, 48, 3), classes=6, alpha=0.25
    )
    theirs.set_weights(trained.get_weights())
    np.testing.assert_allclose(model(images), theirs(images, training=False), rtol=1e-5)


def test_half_precision_and_compression_are_read(files, trained, tmp_path):
    path = tmp_path / "half.h5"
    with h5py.File(files / "ordered.h5") as source, h5py.File(path, "w") as file:
        source.copy(source["conv1"], file)
        for name in source:
            source.copy(name, file) if name != "conv1" else None
        file.attrs["layer_names"] = source.attrs["layer_names"]
        kernel = source["conv1/conv1/kernel:0"][()]
        del file["conv1/conv1/kernel:0"]
        file["conv1"].create_dataset(
            "conv1/kernel:0", data=kernel.astype(np.float16), compression="gzip", shuffle=True
        )
    half = trained.weights[0].numpy().astype(np.float16)
    np.testing.assert_array_equal(small(path).weights[0], half)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"input_shape": (32, 32, 1)}, r"'conv1' has weights .*learned on colour.*ToRGB"),
        ({"options": {"alpha": 0.5}}, r"does not fit mobilenet: the layer 'conv1'"),
    ],
)
def test_weights_of_another_network_are_refused(layout, changed, message, files):
    with pytest.raises(LoadError, match=message):
        small(files / layout, **changed)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_another_architecture_is_refused(layout, files):
    with pytest.raises(LoadError, match=r"does not fit resnet20: .*Build the network"):
        deep.build("resnet20", weights=files / layout)


@pytest.mark.parametrize("end", ["deep.weights.h5", "deep.h5"])
@pytest.mark.parametrize("include_top", [True, False])
def test_a_deeper_network_is_not_cut(end, include_top, tmp_path):
    settings = {"input_shape": (8, 8, 3), "classes": 2}
    deeper = deep.build("vit_ti16", options={"patch": 4, "depth": 2}, **settings)
    save = save_ordered if end == "deep.h5" else lambda path, model: model.save_weights(path)
    save(tmp_path / end, deeper)
    with pytest.raises(LoadError, match=r"more layers with weights"):
        deep.build(
            "vit_ti16",
            options={"patch": 4, "depth": 1},
            weights=tmp_path / end,
            include_top=include_top,
            **settings,
        )


def test_positions_of_a_transformer_fit_one_size(tmp_path):
    options = {"patch": 4, "depth": 1}
    model = deep.build("vit_ti16", (8, 8, 3), classes=2, options=options)
    model.save_weights(tmp_path / "vit.weights.h5")
    with pytest.raises(LoadError, match=r"'position_embedding' has weights of \[\(7, 192\)\]"):
        deep.build(
            "vit_ti16", (8, 12, 3), classes=2, options=options, weights=tmp_path / "vit.weights.h5"
        )
