"""`compile_for_inference` against `model.predict`, with Keras and with OpenVINO."""

import sys
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

import deep
from vision.errors import KindError, MissingDependencyError, ParameterError


@pytest.fixture(scope="module")
def model():
    """A small MobileNet whose outputs differ from image to image."""
    options = {"alpha": 0.25}
    return deep.build("mobilenet", (32, 32, 3), 6, pixels=True, options=options, random_state=0)


@pytest.fixture(scope="module")
def images():
    """Pictures of 0-255."""
    return np.random.default_rng(0).integers(0, 256, (9, 32, 32, 3), np.uint8)


@pytest.fixture(params=["keras", "openvino"])
def engine(request):
    """Both engines, the second where it is installed."""
    if request.param == "openvino":
        pytest.importorskip("openvino", reason="needs the extra openvino")
    return request.param


def relative(one, other):
    return np.abs(one - other).max() / np.abs(other).max()


def test_outputs_are_those_of_predict(model, images, engine):
    network = deep.compile_for_inference(model, engine=engine)
    expected = model.predict(images.astype(np.float32), verbose=0)
    assert np.ptp(expected, axis=0).max() > 0
    for batch in (images, images.astype(np.float32), images[::2], np.asfortranarray(images)):
        found = network(batch)
        assert found.dtype == np.float32
        truth = expected[::2] if len(batch) == 5 else expected
        assert relative(found, truth) < 1e-4
    for image, row in zip(images[:3], expected, strict=False):
        assert relative(network(image[None])[0], row) < 1e-4


def test_activations_with_gradients_of_their_own_are_no_outputs(engine):
    """OpenVINO's converter takes every swish of EfficientNet for an output."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8,))
    first = keras.layers.Dense(3, activation="swish")(inputs)
    second = keras.layers.Dense(2, activation="swish")(first)
    rows = np.random.default_rng(0).random((4, 8), np.float32)
    for outputs in ([keras.layers.Dense(5)(first)], [second, first]):
        model = keras.Model(inputs, outputs)
        found = deep.compile_for_inference(model, engine=engine)(rows)
        found = found if isinstance(found, list) else [found]
        expected = model.predict(rows, verbose=0)
        expected = expected if isinstance(expected, list) else [expected]
        assert [one.shape for one in found] == [one.shape for one in expected]
        assert all(relative(*pair) < 1e-5 for pair in zip(found, expected, strict=True))


def test_a_result_stays_when_the_next_is_computed(model, images, engine):
    network = deep.compile_for_inference(model, engine=engine)
    first = network(images)
    kept = first.copy()
    network(images[::-1].copy())
    assert np.array_equal(first, kept)
    first[:] = 0  # it is the caller's own
    assert np.allclose(network(images), kept, atol=1e-6)


def test_threads_may_share_it(model, images, engine):
    network = deep.compile_for_inference(model, engine=engine)
    batches = [images[[place, place]] for place in range(9)] * 4
    expected = model.predict(images.astype(np.float32), verbose=0)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(network, batches))
    assert relative(np.array(found)[:, 0], np.tile(expected, (4, 1))) < 1e-4


def test_several_outputs_come_as_a_list(images, engine):
    inputs = keras.Input((32, 32, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(inputs)
    model = keras.Model(inputs, [pooled, keras.layers.Rescaling(2.0)(pooled)])
    one, other = deep.compile_for_inference(model, engine=engine)(images)
    assert np.allclose(one, images.mean((1, 2)), rtol=1e-5)
    assert np.allclose(other, 2 * images.mean((1, 2)), rtol=1e-5)


def test_keras_follows_the_model(images):
    model = keras.Sequential(
        [keras.Input((32, 32, 3)), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1)]
    )
    network = deep.compile_for_inference(model)
    network(images)
    model.layers[-1].set_weights([np.ones((3, 1)), np.full(1, 7)])
    assert np.allclose(network(images)[:, 0], images.mean((1, 2)).sum(1) + 7, rtol=1e-5)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((32, 32, 3), np.uint8),
        np.zeros((1, 32, 31, 3), np.uint8),
        np.zeros((1, 32, 32, 1), np.uint8),
        np.zeros((1, 32, 32, 3)),
        [[1]],
    ],
    ids=["one image", "size", "channels", "float64", "list"],
)
def test_wrong_batches_are_refused(model, wrong, engine):
    network = deep.compile_for_inference(model, engine=engine)
    with pytest.raises(KindError, match=r"batch of shape \(None, 32, 32, 3\).*Got"):
        network(wrong)


def test_wrong_settings_are_refused_by_name(model):
    with pytest.raises(ParameterError, match=r"engine.*compile_for_inference.*'openvino'"):
        deep.compile_for_inference(model, engine="openvin")
    with pytest.raises(ParameterError, match=r"precision.*OpenVINO"):
        deep.compile_for_inference(model, precision="bfloat16")
    one, other = keras.Input((2,)), keras.Input((2,))
    both = keras.Model([one, other], keras.layers.Add()([one, other]))
    with pytest.raises(ParameterError, match=r"one input. Got 2"):
        deep.compile_for_inference(both)


def test_openvino_that_is_missing_is_named_on_use(model, images, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    network = deep.compile_for_inference(model, engine="openvino")
    with pytest.raises(MissingDependencyError, match=r"pip install .*\[openvino\]"):
        network(images)
