"""`CNNClassifier` against scikit-learn, Keras by hand, and itself broken off in the middle."""

import pickle

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score

import deep
import vision
from classical import Resize
from deep.classifier import CNNClassifier
from deep.training import Keeper
from deep.training_set import class_weights, held_out_places, one_hot
from vision.errors import ImageError, KindError, ParameterError


@pytest.fixture(scope="module")
def digits():
    """Ten digits of 8x8 pixels, 0 to 255."""
    found = load_digits()
    return (found.images * 15).astype(np.uint8), found.target


@pytest.fixture(scope="module")
def pairs():
    """Bright and dark colour images of 32x32, told apart at once, with names."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 120, (40, 32, 32, 3)).astype(np.uint8)
    images[::2] += 120
    return images, np.array(["day", "night"])[np.arange(40) % 2]


def quick(**parameters):
    """Sixteen filters and a pooled head: seconds are minutes in a suite."""
    settings = {"epochs": 2, "batch_size": 8, "verbose": False, "learning_rate": 0.01}
    return CNNClassifier(small(), **(settings | parameters))


def small(classes=1, channels=3, side=32, dropout=0.0):
    keras.utils.set_random_seed(3)
    activation = "sigmoid" if classes == 1 else "softmax"
    layers = [
        keras.Input((side, side, channels)),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Conv2D(4, 3, name="first"),
        keras.layers.BatchNormalization(momentum=0.5, name="norm"),
        keras.layers.ReLU(),
        keras.layers.Conv2D(4, 3, name="second"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dropout(dropout, seed=1),
        keras.layers.Dense(classes, activation=activation, name="predictions"),
    ]
    return keras.Sequential(layers)


def weights_of(network):
    return network.model_.get_weights()


def equal(one, other, tolerance=0.0):
    return all(
        np.allclose(a, b, rtol=tolerance, atol=tolerance) for a, b in zip(one, other, strict=True)
    )


def test_one_layer_is_as_good_as_scikit_learns_logistic_regression(digits):
    images, labels = digits
    network = CNNClassifier(
        "logistic_regression", epochs=30, learning_rate=0.02, verbose=False, schedule="cosine"
    )
    ours = network.fit(images[:1300], labels[:1300]).score(images[1300:], labels[1300:])
    rows = images.reshape(len(images), -1) / 255
    theirs = LogisticRegression(max_iter=2000).fit(rows[:1300], labels[:1300])
    assert ours == pytest.approx(theirs.score(rows[1300:], labels[1300:]), abs=0.02)


def test_labels_probabilities_and_one_image_agree(pairs):
    images, labels = pairs
    network = quick(epochs=8).fit(images, labels)
    table = network.predict_proba(images)
    assert network.classes_.tolist() == ["day", "night"]
    assert np.allclose(table.sum(1), 1)
    assert network.predict(images).tolist() == network.classes_[table.argmax(1)].tolist()
    assert network.score(images, labels) == 1.0
    found = network(images[1])
    assert found.label == "night"
    assert found.scores["night"] == pytest.approx(table[1, 1], abs=1e-5)
    assert [each.label for each in network.apply_many(list(images))] == labels.tolist()


def test_the_probabilities_are_those_of_the_keras_model(pairs):
    images, labels = pairs
    network = quick().fit(images, labels)
    expected = network.model_.predict(images.astype(np.float32), verbose=0)[:, 0]
    assert np.allclose(network.predict_proba(images)[:, 1], expected, atol=1e-6)


def test_a_step_of_training_is_kerass_own(pairs):
    images, labels = pairs
    network = quick(
        epochs=1, batch_size="all", optimizer="sgd", momentum=0.0, learning_rate=0.5, l2=0.01
    )
    network.fit(images, labels)
    model = network.architecture
    model = keras.models.clone_model(model)
    model.set_weights(network.architecture.get_weights())
    for name in ("first", "second", "predictions"):
        kernel = model.get_layer(name).kernel
        kernel.regularizer = keras.regularizers.L2(0.01)
    model.compile(keras.optimizers.SGD(0.5), "binary_crossentropy")
    model.fit(images, (labels == "night").astype(np.float32), batch_size=40, verbose=0)
    assert equal(weights_of(network), model.get_weights(), 1e-4)


def test_the_same_seed_gives_the_same_network_and_another_one_another(pairs):
    one, other, third = (
        CNNClassifier("lenet5", epochs=1, random_state=seed, verbose=False).fit(*pairs)
        for seed in (1, 1, 2)
    )
    assert equal(weights_of(one), weights_of(other))
    assert not equal(weights_of(one), weights_of(third), 1e-3)


def test_images_read_on_use_train_the_same_network(pairs, tmp_path):
    images, labels = pairs
    for name in ("day", "night"):
        (tmp_path / name).mkdir()
    for number, (image, label) in enumerate(zip(images, labels)):
        vision.write(tmp_path / label / f"{number:02}.png", image)
    lazy, names = vision.Images.from_folders(tmp_path)
    order = np.argsort(labels, kind="stable")
    assert names.tolist() == labels[order].tolist()
    expected = quick().fit(images[order], labels[order])
    assert equal(weights_of(quick().fit(lazy, names)), weights_of(expected))
    from_folder = quick().fit(tmp_path)
    assert equal(weights_of(from_folder), weights_of(expected))
    assert np.allclose(from_folder.predict_proba(lazy), expected.predict_proba(images[order]))


class BrokenError(Exception):
    """What a training dies of in these tests."""


@pytest.mark.parametrize("parameters", [{}, {"validation": 0.2, "early_stopping": 3}])
def test_a_training_that_was_killed_goes_on_as_if_it_had_not(
    pairs, tmp_path, monkeypatch, parameters
):
    def made(**more):
        # Dropout, momentum and the learning rate all have a state to be kept.
        return CNNClassifier(
            small(dropout=0.3),
            epochs=4,
            optimizer="sgd",
            schedule="cosine",
            verbose=False,
            **parameters,
            **more,
        )

    expected = made().fit(*pairs)
    saved = Keeper._save

    def dies(self, epoch):
        saved(self, epoch)
        if epoch == 1:
            raise BrokenError

    folder = str(tmp_path / "state")
    monkeypatch.setattr(Keeper, "_save", dies)
    with pytest.raises(BrokenError):
        made(checkpoint=folder).fit(*pairs)
    monkeypatch.setattr(Keeper, "_save", saved)
    resumed = made(checkpoint=folder).fit(*pairs)
    assert resumed.history_ == expected.history_
    assert resumed.history_.best_epoch == expected.history_.best_epoch
    assert equal(weights_of(resumed), weights_of(expected))
    assert not list((tmp_path / "state").iterdir())


def test_the_state_of_another_training_is_refused(pairs, tmp_path, monkeypatch):
    images, labels = pairs

    def dies(self, epoch):
        saved(self, epoch)
        raise BrokenError

    saved = Keeper._save
    monkeypatch.setattr(Keeper, "_save", dies)
    with pytest.raises(BrokenError):
        CNNClassifier("lenet5", checkpoint=str(tmp_path), verbose=False).fit(images, labels)
    other = CNNClassifier("lenet5", epochs=3, checkpoint=str(tmp_path), verbose=False)
    with pytest.raises(ParameterError, match="another training"):
        other.fit(images, labels)


def test_early_stopping_puts_the_best_weights_back_and_tells_whose_they_are(pairs, tmp_path):
    images, labels = pairs
    shuffled = np.random.default_rng(1).permutation(labels)  # nothing to be learned
    network = quick(epochs=30, learning_rate=0.05, early_stopping=2, validation=0.5)
    network.fit(images, shuffled)
    losses = network.history_["val_loss"]
    assert len(losses) == int(np.argmin(losses)) + 3 < 30
    best = int(np.argmin(losses)) + 1
    vision.save(network, tmp_path / "best.vision")
    for found in (network, vision.load(tmp_path / "best.vision")):
        assert found.history_.best_epoch == best
        assert repr(found.history_).endswith(f"; weights of epoch {best})")
        assert found.history_ == network.history_
    codes = (shuffled == "night").astype(int)
    held = held_out_places(codes, 0.5, 0)
    probabilities = network.predict_proba(images[held])[:, 1]
    loss = keras.losses.binary_crossentropy(codes[held].astype(np.float32), probabilities)
    assert float(loss) == pytest.approx(min(losses), abs=1e-4)


def test_callbacks_of_keras_see_every_epoch_and_may_change_the_training(pairs, tmp_path):
    images, labels = pairs
    logger = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    pipeline = Resize(32) >> quick(epochs=3, validation=0.25)
    pipeline.fit(images, labels, cnnclassifier__callbacks=[logger])
    table = np.genfromtxt(tmp_path / "log.csv", delimiter=",", names=True)
    history = pipeline[-1].history_
    assert table["loss"].tolist() == pytest.approx(history["loss"])
    assert table["val_accuracy"].tolist() == pytest.approx(history["val_accuracy"])

    held = keras.callbacks.LearningRateScheduler(lambda epoch: 0.0)
    network = quick(optimizer="sgd").fit(images, labels, callbacks=[held])
    trained = {w.path.split("/")[-2]: w for w in network.model_.trainable_weights}
    begun = {w.path.split("/")[-2]: w for w in small().trainable_weights}
    assert all(np.array_equal(trained[name], begun[name]) for name in begun)

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    assert len(quick(epochs=9).fit(images, labels, callbacks=[Stop()]).history_["loss"]) == 1
    for wrong in (Stop, [Stop], [print]):
        with pytest.raises(ParameterError, match="'callbacks' of CNNClassifier"):
            quick().fit(images, labels, callbacks=wrong)


def test_the_share_held_out_is_the_same_of_each_class():
    codes = np.arange(40) % 4
    held = held_out_places(codes, 0.2, 0)
    assert np.bincount(codes[held]).tolist() == [2, 2, 2, 2]


def test_class_weights_are_scikit_learns():
    from sklearn.utils.class_weight import compute_class_weight

    codes = np.array([0] * 30 + [1] * 10)
    classes = np.array(["day", "night"])
    expected = compute_class_weight("balanced", classes=classes, y=classes[codes])
    balanced = class_weights("balanced", codes, classes, "CNNClassifier")
    assert list(balanced.values()) == pytest.approx(expected)
    given = class_weights({"night": 3, "day": 1}, codes, classes, "CNNClassifier")
    assert given == {0: 1.0, 1: 3.0}


def test_what_is_frozen_stays_with_its_mean_and_variance(pairs):
    images, labels = pairs
    network = quick(freeze="norm", epochs=1).fit(images, labels)
    before = network.architecture
    for name in ("first", "norm"):
        kept, was = network.model_.get_layer(name), before.get_layer(name)
        assert equal(kept.get_weights(), was.get_weights())
    moved, was = network.model_.get_layer("second"), before.get_layer("second")
    assert not equal(moved.get_weights(), was.get_weights(), 1e-4)
    assert all(layer.trainable for layer in network.model_.layers)


def test_a_frozen_body_that_runs_once_learns_what_one_that_runs_always_learns(pairs, monkeypatch):
    images, labels = pairs
    once = quick(freeze=1.0, epochs=3).fit(images, labels)
    monkeypatch.setattr("deep.network_training.split_frozen", lambda model: None)
    always = quick(freeze=1.0, epochs=3).fit(images, labels)
    assert equal(weights_of(once), weights_of(always), 1e-5)
    assert once.history_["loss"] == pytest.approx(always.history_["loss"], abs=1e-5)


def test_the_best_epoch_of_two_phases_is_counted_over_both(pairs):
    settings = {"epochs": 2, "fine_tune_epochs": 2, "early_stopping": 5}
    history = quick(transfer="different", **settings).fit(*pairs).history_
    assert history.best_epoch == 3 + int(np.argmin(history["loss"][2:]))


def test_transfer_trains_the_head_first_and_says_what_it_chose(pairs, capsys):
    images, labels = pairs
    network = quick(transfer="different", epochs=2, fine_tune_epochs=1, verbose=True)
    network.fit(images, labels)
    assert network.transfer_.name == "small_different"
    assert "the first 40% of the body stay frozen" in network.transfer_.reason
    assert network.history_["learning_rate"] == pytest.approx([0.01, 0.01, 0.001])
    shown = capsys.readouterr().err
    assert "small_different: 20 images a class" in shown
    assert "phase 2 of 2, epoch 1 of 1" in shown


def test_auxiliary_outputs_count_a_third_in_training_and_nothing_afterwards(pairs):
    images, labels = pairs
    inputs = keras.Input((32, 32, 3))
    maps = keras.layers.Conv2D(2, 3, name="maps")(keras.layers.Rescaling(1 / 255)(inputs))
    pooled = keras.layers.GlobalAveragePooling2D()(maps)
    outputs = [
        keras.layers.Dense(1, activation="sigmoid", name=name)(pooled) for name in ("main", "side")
    ]
    model = keras.Model(inputs, outputs)
    network = CNNClassifier(
        model, epochs=1, batch_size="all", learning_rate=1e-9, optimizer="sgd", verbose=False
    )
    network.fit(images, labels)
    night = labels == "night"
    entropies = [
        -np.log(np.where(night, p, 1 - p)).mean()
        for p in (output.numpy()[:, 0] for output in model(images.astype(np.float32)))
    ]
    expected = entropies[0] + 0.3 * entropies[1]
    assert network.history_["loss"][0] == pytest.approx(expected, rel=1e-4)
    assert network.predict_proba(images).shape == (40, 2)


def test_searches_and_cross_validation_work(pairs):
    images, labels = pairs
    pipeline = Resize(32) >> CNNClassifier("lenet5", epochs=2, verbose=False)
    scores = cross_val_score(pipeline, list(images), labels, cv=2)
    assert scores.shape == (2,)
    search = GridSearchCV(
        CNNClassifier("lenet5", verbose=False), {"epochs": [0, 4]}, cv=2, refit=False
    ).fit(images, labels)
    assert not np.isnan(search.cv_results_["mean_test_score"]).any()


def test_pickles_clones_and_archives_keep_what_they_should(pairs, tmp_path):
    images, labels = pairs
    pipeline = Resize(32) >> CNNClassifier("lenet5", epochs=1, verbose=False)
    pipeline.fit(list(images), labels)
    expected = pipeline.predict_proba(list(images))
    assert np.allclose(pickle.loads(pickle.dumps(pipeline)).predict_proba(list(images)), expected)
    assert not hasattr(clone(pipeline)[-1], "model_")
    vision.save(pipeline, tmp_path / "network.vision")
    loaded = vision.load(tmp_path / "network.vision")
    assert np.allclose(loaded.predict_proba(list(images)), expected, atol=1e-6)
    assert loaded[-1].history_ == pipeline[-1].history_
    assert vision.to_text(clone(pipeline)) == (
        "- Resize: {size: 32}\n- CNNClassifier: {architecture: lenet5, epochs: 1, verbose: false}\n"
    )


def test_a_run_over_a_folder_names_every_image(pairs, tmp_path):
    images, labels = pairs
    (tmp_path / "in").mkdir()
    for number, image in enumerate(images):
        vision.write(tmp_path / "in" / f"{number:02}.png", image)
    network = quick(epochs=8).fit(images, labels)
    vision.run(vision.chain(network), tmp_path / "in", tmp_path / "out", progress=False)
    import csv

    with (tmp_path / "out/results.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["label"] for row in rows] == labels.tolist()
    table = network.predict_proba(images).max(1)
    assert [float(row["score"]) for row in rows] == pytest.approx(table.tolist(), abs=1e-4)


def test_gray_images_and_whole_numbers_as_labels(digits):
    images, labels = digits
    images = images[:64].repeat(4, axis=1).repeat(4, axis=2)
    network = CNNClassifier("lenet5", epochs=1, verbose=False).fit(images, labels[:64])
    assert network.predict(list(images[:5])).dtype == labels.dtype
    assert network.model_.input_shape == (None, 32, 32, 1)
    with pytest.raises(ImageError, match="32x32 pixels and 1 channel"):
        network.predict([np.zeros((32, 32, 3), np.uint8)])


def test_mixed_precision_computes_in_bfloat16_and_answers_in_float32(pairs):
    images, labels = pairs
    network = CNNClassifier("lenet5", epochs=1, mixed_precision=True, verbose=False)
    network.fit(images, labels)
    kernels = [layer for layer in network.model_.layers if layer.weights]
    assert kernels[0].compute_dtype == "bfloat16"
    assert kernels[-1].compute_dtype == "float32"
    assert network.predict_proba(images).dtype == np.float32
    assert keras.config.dtype_policy().name == "float32"


def test_a_network_from_elsewhere_is_wrapped_saved_and_loaded(pairs, tmp_path):
    images, _ = pairs
    model = deep.build("lenet5", (32, 32, 3), 3, pixels=True, random_state=0)
    network = CNNClassifier.from_model(model, ["a", "b", "c"])
    expected = model(images.astype(np.float32), training=False).numpy()
    assert np.allclose(network.predict_proba(images), expected, atol=1e-6)
    vision.save(network, tmp_path / "own.vision")
    assert np.allclose(vision.load(tmp_path / "own.vision").predict_proba(images), expected)
    with pytest.raises(ParameterError, match="'architecture' of CNNClassifier"):
        network.fit(images, ["a", "b"] * 20)


BAD = [
    ({"architecture": 5}, "'architecture' of CNNClassifier must be a name or a keras.Model"),
    ({"architecture": "lenet"}, "Did you mean 'lenet5'"),
    ({"batch_size": 0}, "'batch_size'"),
    ({"optimizer": "adma"}, "Did you mean 'adam'"),
    ({"dropout": 1.0}, "'dropout' of CNNClassifier must be a number at least 0 and below 1"),
    ({"transfer": "similar"}, "'weights' of CNNClassifier must be given where 'transfer' is"),
    ({"validation": 0.01}, "leaves a class without images"),
    ({"freeze": "frist"}, "no layer 'frist'"),
    ({"learning_rate": 1e38}, "A smaller learning_rate"),
    ({"class_weight": {"day": 1}}, "a weight for each of"),
]


@pytest.mark.parametrize(("parameters", "words"), BAD)
def test_what_makes_no_sense_is_refused_by_name(pairs, parameters, words):
    network = CNNClassifier(**({"architecture": "lenet5", "verbose": False} | parameters))
    with pytest.raises((ParameterError, LookupError), match=words):
        network.fit(*pairs)


def test_images_and_labels_that_do_not_fit_are_refused(pairs):
    images, labels = pairs
    network = CNNClassifier("lenet5", verbose=False)
    with pytest.raises(ParameterError, match="one entry per image, 40 in all"):
        network.fit(images, labels[:-1])
    with pytest.raises(ParameterError, match=r"two classes\. Got only 'day'\."):
        network.fit(images[::2], labels[::2])
    with pytest.raises(KindError, match=r"many images use predict\(images\)"):
        network(images)
    with pytest.raises(ImageError, match=r"at index 1. Put Resize\(width=32, height=32\)"):
        network.fit([images[0], images[0][:9]], ["day", "night"])
    with pytest.raises(KindError, match="levels of 0 to 255 are"):
        network.fit(images.astype(np.float32), labels)
    with pytest.raises(ParameterError, match=r"of the images\. Got 'dusk'"):
        network.fit(images, labels, validation_data=(images[:1], ["dusk"]))


@pytest.mark.parametrize("lazy", [False, True])
def test_validation_images_of_another_form_are_refused_with_the_step_that_they_need(pairs, lazy):
    images, labels = pairs
    for other, way in (
        (images[:, :9], r"32x9 pixels.*give Resize\(width=32, height=32\)\.transform"),
        (images[..., 0], r"of 1 channel\. Steps in front .* give ToRGB\(\)\.transform"),
    ):
        given = vision.Images(other) if lazy else other
        with pytest.raises(ImageError, match=way):
            quick().fit(images, labels, validation_data=(given, labels))


def test_a_dataset_of_tensorflow_is_refused_with_arrays_that_work(pairs):
    images, labels = pairs
    dataset = tf.data.Dataset.from_tensor_slices((images, labels)).batch(16)
    with pytest.raises(KindError, match=r"_BatchDataset, of .*Images\.from_folders"):
        quick().fit(dataset)
    again, names = map(np.concatenate, zip(*dataset.as_numpy_iterator()))
    assert np.array_equal(again, images)
    assert [name.decode() for name in names] == labels.tolist()


def test_an_image_that_cannot_be_read_is_named(pairs, tmp_path):
    images, _ = pairs
    for name in ("day/0.png", "night/1.png"):
        (tmp_path / name).parent.mkdir()
        vision.write(tmp_path / name, images[0])
    whole = (tmp_path / "night/1.png").read_bytes()
    (tmp_path / "night/2.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ImageError, match=r"2\.png"):
        quick().fit(tmp_path)


def test_targets_have_a_column_a_class_or_one_for_two():
    assert one_hot(np.array([0, 2]), 3).tolist() == [[1, 0, 0], [0, 0, 1]]
    assert one_hot(np.array([0, 1]), 1).tolist() == [[0], [1]]
