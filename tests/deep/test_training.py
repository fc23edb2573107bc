"""What training is made of: learning rates, penalties, batches, gradients, words on a terminal."""

import io

import keras
import numpy as np
import pytest

import deep
import vision
from deep.feeding import Feed, stacked
from deep.history import History
from deep.inference import compile_for_inference
from deep.optimization import make_optimizer, make_schedule, penalize
from deep.training_progress import TrainingProgress
from deep.transfer import choose_policy, freeze_body, head_start, split_frozen
from vision.errors import ImageError, ParameterError


def test_schedules_are_the_published_curves():
    steps, rate = 200, 0.5
    at = np.arange(0, steps + 1, 10)
    cosine = [float(make_schedule("cosine", rate, steps)(step)) for step in at]
    assert np.allclose(cosine, rate / 2 * (1 + np.cos(np.pi * at / steps)), atol=1e-6)
    exponential = [float(make_schedule("exponential", rate, steps)(step)) for step in at]
    assert np.allclose(exponential, rate * 0.01 ** (at / steps), atol=1e-6)
    warm = make_schedule("warmup_cosine", rate, steps)
    assert [float(warm(step)) for step in (0, 5, 10, 200)] == pytest.approx([0, 0.25, 0.5, 0])
    assert make_schedule("constant", rate, steps) == rate


def test_optimizers_have_the_rates_that_keras_gives_them():
    for name, cls in (("adam", keras.optimizers.Adam), ("sgd", keras.optimizers.SGD)):
        made = make_optimizer(name, None, "constant", momentum=0.0, steps=1)
        assert float(made.learning_rate) == pytest.approx(float(cls().learning_rate))


def test_the_elastic_net_is_both_penalties_and_spares_biases():
    model = deep.build("lenet5", classes=2, random_state=0)
    penalize(model, 0.2, 0.3)
    kernels = [v.numpy() for v in model.trainable_variables if v.path.endswith("kernel")]
    expected = sum(0.2 * np.abs(k).sum() + 0.3 * np.square(k).sum() for k in kernels)
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-5)


def feed(**parameters):
    images = np.arange(10, dtype=np.uint8).repeat(12).reshape(10, 2, 2, 3)
    targets = np.arange(10, dtype=np.float32)[:, None]
    return Feed(images, targets, **({"batch_size": 4, "owner": "test"} | parameters))


def test_every_epoch_has_each_image_once_in_an_order_of_its_own():
    made = feed(seed=3)
    epochs = [np.concatenate([made.batch(3 * e + n)[1] for n in range(3)]) for e in range(2)]
    assert all(sorted(epoch.ravel()) == list(range(10)) for epoch in epochs)
    assert not np.array_equal(*epochs)
    images, targets = made.batch(4)
    assert np.array_equal(images[:, 0, 0, 0], targets[:, 0])


def test_the_dataset_goes_on_in_the_middle_where_the_whole_one_is():
    whole = [targets.numpy() for _, targets in feed(seed=1).dataset(0, 3)]
    rest = [targets.numpy() for _, targets in feed(seed=1).dataset(1, 3)]
    assert len(whole) == 9
    assert all(map(np.array_equal, whole[3:], rest))


def test_without_a_seed_the_order_is_the_one_given():
    assert [len(feed().batch(n)[0]) for n in range(3)] == [4, 4, 2]
    assert feed().batch(1)[1].ravel().tolist() == [4, 5, 6, 7]


def test_gray_images_get_a_channel_and_none_at_all_is_refused():
    gray = np.zeros((3, 4, 5), np.uint8)
    assert stacked(gray, "test").shape == (3, 4, 5, 1)
    assert stacked(list(gray), "test").shape == (3, 4, 5, 1)
    lazy = vision.Images(gray)
    assert stacked(lazy, "test") is lazy
    with pytest.raises(ImageError, match="at least one image"):
        stacked([], "test")


def test_gradients_of_networks_are_right_and_wrong_ones_are_found():
    import tensorflow as tf

    generator = np.random.default_rng(0)
    images, targets = generator.random((3, 12, 12, 1)), np.eye(2)[[0, 1, 1]]
    loss = keras.losses.CategoricalCrossentropy()

    def network(wrong):
        @tf.custom_gradient
        def scaled(x):
            return 2 * x, lambda upstream: (2.5 if wrong else 2.0) * upstream

        class Scaled(keras.layers.Layer):
            def call(self, x):
                return scaled(x)

        keras.utils.set_random_seed(0)
        inputs = keras.Input((12, 12, 1))
        x = keras.layers.Conv2D(3, 3, activation="tanh")(inputs)
        x = keras.layers.GlobalAveragePooling2D()(Scaled()(x))
        return keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(x))

    right = deep.check_gradients(_registered(network(False)), images, targets, loss)
    assert right.worst < 1e-6
    found = deep.check_gradients(_registered(network(True)), images, targets, loss)
    assert found.worst > 0.05
    assert "conv2d" in repr(found)


def _registered(model):
    """The model with its own layer known to Keras, so that it can be copied."""
    for layer in model.layers:
        if not type(layer).__module__.startswith("keras"):
            keras.saving.register_keras_serializable("test")(type(layer))
    return model


def test_policies_follow_the_four_textbook_scenarios():
    shares = {
        name: choose_policy(name, 100, 2).frozen
        for name in ("small_similar", "large_similar", "small_different", "large_different")
    }
    assert shares["small_similar"] == 1.0
    assert 0.6 <= shares["large_similar"] <= 0.8
    assert 0.3 <= shares["small_different"] <= 0.5
    assert shares["large_different"] == 0.0
    assert choose_policy("similar", 20_000, 10).name == "large_similar"


@pytest.mark.parametrize("name", ["resnet20", "mobilenet", "vgg11", "vit_ti16"])
def test_a_frozen_body_leaves_the_head_to_be_trained(name):
    model = deep.build(name, (64, 64, 3), 5)
    start = head_start(model)
    assert 0 < start < len(model.layers)
    freeze_body(model, 1.0)
    trained = {variable.path.split("/")[-2] for variable in model.trainable_variables}
    heads = {layer.name for layer in model.layers[start:] if layer.weights}
    assert trained == heads
    assert trained <= {"predictions", "conv_preds", "fc1", "fc2"}
    frozen = freeze_body(model, 0.5)
    assert 0 < frozen < sum(bool(layer.weights) for layer in model.layers)


def test_fine_tuning_leaves_the_known_statistics_of_normalisation_alone():
    # Keras' guide to transfer learning: normalisation layers stay in inference mode.
    model = deep.build("mobilenet", (32, 32, 3), 5)
    freeze_body(model, 0.0, normalisation=False)
    trained = {variable.path.split("/")[-2] for variable in model.trainable_variables}
    assert {"conv1", "conv_pw_13", "conv_preds"} <= trained
    assert not [name for name in trained if name.endswith("_bn")]
    freeze_body(model, 0.0)
    assert any(
        variable.path.split("/")[-2].endswith("_bn") for variable in model.trainable_variables
    )


def nested():
    """The usual layout of Keras' guide to transfer learning."""
    base = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(2, 3, name="ca"),
            keras.layers.BatchNormalization(name="na"),
            keras.layers.Conv2D(2, 3, name="cb"),
            keras.layers.BatchNormalization(name="nb"),
        ],
        name="base",
    )
    pooled = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax", name="out")]
    return keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Rescaling(1 / 255), base, *pooled]
    )


@pytest.mark.parametrize(
    ("freeze", "count", "trained"),
    [
        (0.5, 2, {"cb", "nb", "out"}),
        ("base.na", 2, {"cb", "nb", "out"}),
        ("cb", 3, {"nb", "out"}),
        ("base", 4, {"out"}),
        (1.0, 4, {"out"}),
        (None, 0, {"ca", "na", "cb", "nb", "out"}),
    ],
)
def test_the_layers_of_an_inner_model_are_frozen_like_those_of_a_flat_one(freeze, count, trained):
    model = nested()
    assert freeze_body(model, freeze) == count
    assert {v.path.split("/")[-2] for v in model.trainable_variables} == trained
    freeze_body(model, freeze, normalisation=False)
    kept = {v.path.split("/")[-2] for v in model.trainable_variables}
    assert kept == trained - {"na", "nb"}


def test_a_layer_of_an_inner_model_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(ParameterError, match=r"no layer 'base\.cc'.*Did you mean 'base\.c"):
        freeze_body(nested(), "base.cc")


def test_transfer_keeps_the_statistics_of_an_inner_model():
    model = nested()
    images = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 3), np.uint8)
    network = deep.CNNClassifier(model, epochs=1, transfer="large_different", verbose=False)
    trained = network.fit(images, [0, 1] * 4).model_.get_layer("base")
    kept = model.get_layer("base")
    for name in ("na", "nb"):
        pairs = zip(trained.get_layer(name).get_weights(), kept.get_layer(name).get_weights())
        assert all(np.array_equal(new, old) for new, old in pairs)
    weights = [base.get_layer("ca").get_weights()[0] for base in (trained, kept)]
    assert not np.array_equal(*weights)


def test_a_frozen_inner_model_runs_once():
    model = nested()
    freeze_body(model, 1.0)
    before, after = split_frozen(model)
    assert (before.output_shape, after.count_params()) == ((None, 2), 6)
    images = np.random.default_rng(0).random((2, 8, 8, 3), np.float32)
    rows = compile_for_inference(before)(images)
    assert np.allclose(after(rows), model(images), atol=1e-6)


def test_the_words_of_progress_tell_epoch_measures_and_time_left():
    stream = io.StringIO()
    progress = TrainingProgress(2, 10, "phase 1 of 2, ", stream)
    progress.on_train_begin()
    progress.on_epoch_begin(0)
    progress.on_train_batch_end(4, {"accuracy": 0.5, "loss": 1.25})
    words = progress.words()
    assert words.startswith("phase 1 of 2, epoch 1 of 2, batch 5 of 10, loss 1.25, accuracy 0.5, ")
    assert words.endswith(" left")
    progress.on_train_batch_end(9, {"loss": 1.0})
    progress.on_epoch_end(0, {"loss": 1.0, "val_loss": 2.0, "learning_rate": 0.1})
    assert stream.getvalue().startswith("phase 1 of 2, epoch 1 of 2, loss 1, val loss 2, ")


def test_history_is_drawn_with_a_line_for_each_set(tmp_path):
    import matplotlib

    matplotlib.use("agg")
    history = History(loss=[2, 1], val_loss=[3, 2], accuracy=[0.5, 0.75], learning_rate=[1, 1])
    figure = history.plot()
    lines = {
        axes.get_ylabel(): [line.get_ydata().tolist() for line in axes.lines]
        for axes in figure.axes
    }
    assert lines == {"loss": [[2, 1], [3, 2]], "accuracy": [[0.5, 0.75]]}
    with pytest.raises(ParameterError, match="was not trained"):
        History().plot()
