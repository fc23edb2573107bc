"""`CNNClassifier` around a network of one's own, against Keras, SciPy and scikit-learn."""

import pickle

import keras
import numpy as np
import pytest
from keras import layers
from scipy.special import softmax
from sklearn.base import clone
from sklearn.metrics import get_scorer

import deep
import vision
from classical import Resize
from deep.classifier import CNNClassifier
from deep.explain.gradcam import explain_gradcam
from deep.own_model import check_network, copied
from vision.errors import ImageError, ParameterError


@pytest.fixture(scope="module")
def three():
    """Dark, middling and bright pictures of 16x16, with names."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 80, (30, 16, 16, 3)).astype(np.uint8)
    places = np.arange(30) % 3
    images += (80 * places).astype(np.uint8)[:, None, None, None]
    return images, np.array(["dark", "grey", "white"])[places]


def own(classes=3, activation="softmax", seed=3):
    """Few filters and a pooled head."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((16, 16, 3))
    maps = layers.Conv2D(4, 3, name="first")(layers.Rescaling(1 / 255)(inputs))
    pooled = layers.GlobalAveragePooling2D()(layers.BatchNormalization(name="norm")(maps))
    return keras.Model(inputs, layers.Dense(classes, activation=activation, name="head")(pooled))


def quick(model, **parameters):
    return CNNClassifier(model, **({"epochs": 1, "batch_size": 8, "verbose": False} | parameters))


def pooled_logits():
    """Ends in a layer that has no activation to ask."""
    inputs = keras.Input((None, None, 3))
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(layers.Conv2D(3, 3)(inputs)))


@pytest.mark.parametrize(
    "model",
    [
        lambda: own(activation="linear"),
        lambda: own(activation="sigmoid"),
        lambda: keras.Sequential([keras.Input((16, 16, 3)), own(activation=None)]),
        lambda: deep.build("lenet5", (32, 32, 3), 3, pixels=True, activation="linear"),
        pooled_logits,
    ],
)
def test_a_network_that_gives_logits_is_refused_with_the_way_out(three, model):
    model = model()
    with pytest.raises(ParameterError, match=r"gives no probabilities.*keras\.layers\.Softmax\(\)"):
        CNNClassifier.from_model(model, ["a", "b", "c"])
    with pytest.raises(ParameterError, match="gives no probabilities"):
        quick(model).fit(*three)


def test_one_neuron_without_sigmoid_is_refused_even_where_it_gives_a_half(three):
    model = own(1, activation="linear")
    model.get_layer("head").set_weights([np.zeros((4, 1)), np.full(1, 0.5)])
    with pytest.raises(ParameterError, match=r"Activation\('sigmoid'\)"):
        CNNClassifier.from_model(model, ["a", "b"])


def test_a_softmax_behind_logits_gives_scipys_probabilities(three):
    images, labels = three
    logits = own(activation="linear")
    model = keras.Model(logits.inputs[0], layers.Softmax()(logits.outputs[0]))
    network = CNNClassifier.from_model(model, ["dark", "grey", "white"])
    expected = softmax(logits(images.astype(np.float32)).numpy(), axis=1)
    assert np.allclose(network.predict_proba(images), expected, atol=1e-6)
    table = quick(model).fit(images, labels).predict_proba(images)
    assert table.min() >= 0
    assert np.allclose(table.sum(axis=1), 1, atol=1e-6)


def test_probabilities_are_known_by_themselves_where_no_activation_tells():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((16, 16, 3))
    outputs = keras.ops.softmax(layers.Dense(3)(layers.Flatten()(inputs)))
    check_network(keras.Model(inputs, layers.Reshape((3,))(outputs)), 3)
    model = own()  # Keras' guide to mixed precision ends a network so
    model = keras.Model(model.inputs[0], layers.Activation("linear")(model.outputs[0]))
    check_network(model, 3)
    with pytest.raises(ParameterError, match="no probabilities"):
        check_network(keras.Model(inputs, layers.Activation("linear")(own(3, None)(inputs))), 3)


@pytest.mark.parametrize("shapes", [[(48,)], [(16, 16, 4)], [(16, 16, 3), (16, 16, 3)]])
def test_a_network_that_takes_no_image_is_refused(shapes):
    inputs = [keras.Input(shape) for shape in shapes]
    flat = layers.concatenate([layers.Flatten()(each) for each in [*inputs, inputs[0]]])
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(flat))
    with pytest.raises(ParameterError, match=r"one input, of shape .* with 1 or 3 channels"):
        CNNClassifier.from_model(model, ["a", "b", "c"])


def test_a_copy_has_weights_and_flags_and_leaves_the_model_compiled():
    model = own()
    model.compile("adam", "categorical_crossentropy")
    model.get_layer("first").trainable = False
    found = copied(model)
    assert (model.compiled, found.compiled) == (True, False)
    in_line = keras.Sequential([keras.Input((16, 16, 3)), *model.layers[1:]])
    assert not copied(in_line).get_layer("first").trainable
    assert not found.get_layer("first").trainable
    assert all(map(np.array_equal, found.get_weights(), model.get_weights()))


def test_a_trained_network_of_ones_own_is_saved_alone_and_in_a_pipeline(three, tmp_path):
    images, labels = three
    network = quick(own()).fit(images, labels)
    pipeline = (Resize(16) >> quick(own())).fit(list(images), labels)
    expected = network.model_.predict(images.astype(np.float32), verbose=0)
    for fitted in (network, pipeline):
        vision.save(fitted, tmp_path / "own.vision")
        loaded = vision.load(tmp_path / "own.vision")
        again = pickle.loads(pickle.dumps(fitted))
        for found in (loaded, again):
            assert np.allclose(found.predict_proba(list(images)), expected, atol=1e-6)
    vision.save(loaded, tmp_path / "again.vision")
    with pytest.raises(ParameterError, match="'architecture' of CNNClassifier"):
        loaded.fit(list(images), labels)
    fresh = clone(network)
    assert not hasattr(fresh, "model_")
    assert np.allclose(fresh.fit(images, labels).predict_proba(images), expected, atol=1e-6)


@pytest.mark.parametrize("suffix", ["vision", "yaml"])
def test_a_network_of_ones_own_is_not_saved_before_it_was_trained(tmp_path, suffix):
    with pytest.raises(ParameterError, match=r"CNNClassifier: .* before it is fitted.*model\.save"):
        vision.save(quick(own()), tmp_path / f"own.{suffix}")


def test_columns_follow_the_sorted_classes_whatever_the_order_of_outputs(three, tmp_path):
    images, labels = three
    trained = quick(own(), epochs=15, learning_rate=0.05).fit(images, labels)
    # The same network with its outputs, and the names of these, in another order.
    order = [2, 0, 1]
    model = copied(trained.model_)
    kernel, bias = model.get_layer("head").get_weights()
    model.get_layer("head").set_weights([kernel[:, order], bias[order]])
    network = CNNClassifier.from_model(model, trained.classes_[order])
    assert network.classes_.tolist() == ["dark", "grey", "white"]
    vision.save(network, tmp_path / "own.vision")
    for found in (network, vision.load(tmp_path / "own.vision")):
        table = found.predict_proba(images)
        assert np.allclose(table, trained.predict_proba(images), atol=1e-6)
        assert found(images[2]).scores == pytest.approx(trained(images[2]).scores, abs=1e-6)
        for scorer in ("roc_auc_ovr", "neg_log_loss"):
            expected = get_scorer(scorer)(trained, images, labels)
            assert get_scorer(scorer)(found, images, labels) == pytest.approx(expected, abs=1e-5)
    for label in (None, "white"):
        heat, said = explain_gradcam(network, images[2], label)
        expected, known = explain_gradcam(trained, images[2], label)
        assert said == known
        assert np.allclose(heat, expected, atol=1e-4)


def test_one_output_is_the_probability_of_the_class_named_second(three):
    images, _ = three
    model = own(1, activation="sigmoid")
    second = model(images.astype(np.float32)).numpy()[:, 0]
    table = CNNClassifier.from_model(model, ["yes", "no"]).predict_proba(images)
    assert np.allclose(table, np.stack([second, 1 - second], axis=1), atol=1e-6)


def test_two_outputs_of_one_name_are_refused():
    with pytest.raises(ParameterError, match=r"'crane' for outputs 0 and 2\. Tell them apart"):
        CNNClassifier.from_model(own(), ["crane", "cat", "crane"])


def with_frozen_base(nested):
    """A body of `keras.applications` that is frozen, and a head, as Keras' guide has it."""
    base = keras.applications.MobileNetV2(
        input_shape=(32, 32, 3), include_top=False, weights=None, alpha=0.35
    )
    base.trainable = False
    inputs = keras.Input((32, 32, 3)) if nested else base.inputs[0]
    maps = base(inputs) if nested else base.outputs[0]
    pooled = layers.GlobalAveragePooling2D()(maps)
    return keras.Model(inputs, layers.Dense(3, activation="softmax", name="head")(pooled))


@pytest.mark.parametrize("nested", [False, True])
def test_what_is_frozen_in_ones_own_model_stays_as_it_is(three, nested):
    images, labels = three
    images = images.repeat(2, axis=1).repeat(2, axis=2)
    model = with_frozen_base(nested)
    before = {variable.path for variable in model.trainable_variables}
    found = quick(model).fit(images, labels).model_
    assert {variable.path for variable in found.trainable_variables} == before
    same = [np.array_equal(a, b) for a, b in zip(model.get_weights(), found.get_weights())]
    assert same == [True] * (len(same) - 2) + [False] * 2


def test_a_model_without_anything_to_learn_is_refused(three):
    model = own()
    model.trainable = False
    with pytest.raises(ParameterError, match="nothing to learn"):
        quick(model).fit(*three)


@pytest.mark.parametrize(
    "given",
    [{"weights": "own.h5"}, {"dropout": 0.5}, {"options": {"alpha": 1}}, {"mixed_precision": True}],
)
def test_what_builds_a_network_is_refused_with_one_that_is_there(three, given):
    (name,) = given
    with pytest.raises(ParameterError, match=f"'{name}' of .* where 'architecture' is a keras"):
        quick(own(), **given).fit(*three)


class Bare(keras.Model):
    """A model with a call of its own."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.pool, self.head = layers.GlobalAveragePooling2D(), layers.Dense(3, "softmax")

    def call(self, images):
        return self.head(self.pool(images))


@pytest.mark.parametrize(
    "make", [Bare, lambda: keras.Sequential([layers.Flatten(), layers.Dense(3, "softmax")])]
)
def test_a_model_without_known_outputs_is_refused_with_a_way_out_that_works(three, make):
    model = make()
    with pytest.raises(ParameterError, match=r"made without keras\.Input"):
        quick(model).fit(*three)
    with pytest.raises(ParameterError, match=r"made without keras\.Input"):
        CNNClassifier.from_model(model, ["a", "b", "c"])
    inputs = keras.Input((16, 16, 3))
    found = quick(keras.Model(inputs, model(inputs))).fit(*three).model_
    assert not np.array_equal(found.get_weights()[0], model.get_weights()[0])


def test_a_head_behind_an_operation_learns(three):
    # Of a body that is run once and not trained, it is no part.
    inputs = keras.Input((16, 16, 3))
    pooled = keras.ops.mean(layers.Rescaling(1 / 255)(inputs), axis=(1, 2))
    model = keras.Model(inputs, layers.Dense(3, activation="softmax", name="head")(pooled))
    found = quick(model).fit(*three).model_
    assert not np.array_equal(found.get_weights()[0], model.get_weights()[0])


def test_a_lambda_is_refused_before_it_is_trained(three):
    inputs = keras.Input((16, 16, 3))
    model = own()
    model = keras.Model(inputs, model(layers.Lambda(lambda x: x / 2)(inputs)))
    with pytest.raises(ParameterError, match=r"Lambda layer .* keras\.ops"):
        quick(model).fit(*three)


def test_images_that_do_not_fit_ones_own_model_are_refused_with_the_step_that_they_need(three):
    images, labels = three
    with pytest.raises(ImageError, match=r"16x16 pixels.*Put Resize\(width=16, height=16\)"):
        quick(own()).fit(images[:, :9], labels)
    with pytest.raises(ImageError, match=r"Put ToRGB\(\) in front"):
        quick(own()).fit(images[..., 0], labels)
