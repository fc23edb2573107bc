"""The official ImageNet files: asked for as `keras.applications` asks for them."""

import inspect
import re
import sys

import keras
import numpy as np
import pytest

import deep
from deep.architectures import find
from deep.official_weights import FILES, SIDES, WIDTHS, official_address
from tests.deep.small_network import save_ordered
from vision.errors import LoadError, ParameterError


def _module_of(function):
    return sys.modules[getattr(keras.applications, function).__module__]


@pytest.mark.parametrize("function", sorted(FILES.keys() - WIDTHS.keys()))
def test_addresses_and_sums_are_those_of_keras(function):
    module = _module_of(function)
    source = inspect.getsource(module)
    known = dict(
        re.findall(r'"(\w+\.h5)",\s+\w+,\s+cache_subdir="\w+",\s+file_hash="(\w+)"', source)
    )
    for short, (whole, body) in getattr(module, "WEIGHTS_HASHES", {}).items():
        if function.lower().endswith(short):
            address, (end, body_end), _ = FILES[function]
            stem = address.rpartition("/")[2]
            known |= {stem + end: whole, stem + body_end: body}
    bases = [value for value in vars(module).values() if str(value).startswith("https://")]
    for head in (True, False):
        address, md5 = official_address(_with(function), (224, 224, 3), head=head)
        assert known[address.rpartition("/")[2]] == md5
        assert any(address.startswith(base) for base in bases)


def _with(function):
    name = {"MobileNet": "mobilenet", "MobileNetV2": "mobilenet_v2"}.get(function)
    name = name or function.lower().replace("netb", "net_b")
    assert find(name).weights == function
    return find(name)


class _AskedForError(Exception):
    pass


@pytest.mark.filterwarnings("ignore:`input_shape` is undefined")
@pytest.mark.parametrize(
    ("function", "alpha", "side", "head"),
    [
        ("MobileNet", 0.25, 128, True),
        ("MobileNet", 0.75, 96, False),
        ("MobileNetV2", 0.35, 96, True),
        ("MobileNetV2", 0.5, 100, False),
    ],
)
def test_mobilenets_ask_for_the_file_that_keras_asks_for(function, alpha, side, head, monkeypatch):
    def get_file(name, address, **_):
        raise _AskedForError(address)

    shape = (side, side, 3)
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", get_file)
    with pytest.raises(_AskedForError) as asked:
        getattr(keras.applications, function)(input_shape=shape, alpha=alpha, include_top=head)
    assert official_address(_with(function), shape, head=head, alpha=alpha)[0] == str(asked.value)
    assert side in SIDES[function] or "_224_" in str(asked.value)


def test_imagenet_asks_keras_for_the_body_alone_where_classes_differ(monkeypatch):
    asked = []

    def get_file(name, address, **settings):
        asked.append((name, settings))
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.utils, "get_file", get_file)
    for settings in ({"classes": 4}, {"include_top": False}, {}):
        with pytest.raises(LoadError, match=r"Download https://.*as weights="):
            deep.build("mobilenet_v2", (96, 96, 3), weights="imagenet", **settings)
    ends = [
        name.removeprefix("mobilenet_v2_weights_tf_dim_ordering_tf_kernels_") for name, _ in asked
    ]
    assert ends == ["1.0_96_no_top.h5"] * 2 + ["1.0_96.h5"]
    assert asked[0][1] == {"cache_subdir": "models", "file_hash": None}


def test_efficientnet_normalises_as_keras_does_with_imagenet(monkeypatch, tmp_path):
    # The official file holds deviations in the place of variances; Keras then divides by another
    # root, in a layer that only weights="imagenet" brings.
    shape = (32, 40, 3)
    plain = keras.applications.EfficientNetB0(weights=None, include_top=False, input_shape=shape)
    mean, variance, _ = plain.layers[2].weights
    mean.assign([0.485, 0.456, 0.406])
    variance.assign([0.229, 0.224, 0.225])
    path = str(save_ordered(tmp_path / "efficientnetb0_notop.h5", plain))
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", lambda *_, **__: path)
    theirs = keras.applications.EfficientNetB0(include_top=False, input_shape=shape)
    monkeypatch.setattr(keras.utils, "get_file", lambda *_, **__: path)
    ours = deep.build("efficientnet_b0", shape, include_top=False, weights="imagenet")
    images = np.random.default_rng(0).uniform(0, 255, (2, *shape)).astype(np.float32)
    expected = theirs(images, training=False).numpy()
    assert np.abs(plain(images, training=False) - expected).max() > 0.01 * np.abs(expected).max()
    np.testing.assert_allclose(ours(images), expected, atol=1e-5 * np.abs(expected).max())


def test_only_some_networks_have_official_weights():
    with pytest.raises(ParameterError, match=r"no ImageNet weights for vit_ti16.*mobilenet_v2"):
        deep.build("vit_ti16", (32, 32, 3), weights="imagenet")
    with pytest.raises(ParameterError, match=r"for alpha 0\.25, 0\.5, .*Got alpha=0\.3"):
        deep.build("mobilenet", options={"alpha": 0.3}, weights="imagenet")
