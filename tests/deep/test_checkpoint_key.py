"""Which training a saved state belongs to: another one never goes on from it."""

import keras
import numpy as np
import pytest
from keras import layers

import vision
from classical import GaussianBlur
from deep.checkpoint_key import network_layout, training_key
from deep.classifier import CNNClassifier
from deep.feeding import Feed
from deep.training import Keeper
from vision.errors import ParameterError

CLASSES = np.array(["day", "night"])


def pictures(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (40, 8, 8, 3)).astype(np.uint8)


def key(images=None, validation=None, model="lenet5", labels=(0, 1) * 20, **parameters):
    targets = np.array(labels, np.float32)[:, None]
    feeds = [
        None if given is None else Feed(given, targets, batch_size=8, owner="test")
        for given in (pictures() if images is None else images, validation)
    ]
    return training_key(CNNClassifier(model, **parameters), *feeds, CLASSES)


def own(skip=True, activation="relu"):
    """Equal shapes of weights, whatever is asked for."""
    inputs = keras.Input((8, 8, 3))
    maps = layers.Conv2D(3, 3, padding="same", activation=activation)(inputs)
    maps = layers.add([maps, inputs]) if skip else maps
    pooled = layers.GlobalAveragePooling2D()(maps)
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(pooled))


def test_the_same_training_has_the_same_key():
    assert key() == key()
    assert key(checkpoint="here", verbose=False) == key(checkpoint="there")
    assert key(vision.Images(pictures())) == key(vision.Images(pictures()))


def test_one_pixel_label_or_parameter_makes_another_training():
    changed = pictures()
    changed[20, 3, 3, 1] ^= 1
    keys = {
        key(),
        key(changed),
        key(labels=(1, 0) * 20),
        key(epochs=3),
        key(validation=pictures()),
        key(validation=changed),
        key(vision.Images(pictures())),
        key(vision.Images(changed)),
        key(vision.Images(pictures()).map(GaussianBlur(3))),
        key(vision.Images(pictures()).map(GaussianBlur(5))),
    }
    assert len(keys) == 10


def test_files_are_told_apart_by_size_and_time(tmp_path):
    for number, image in enumerate(pictures()):
        vision.write(tmp_path / f"{number:02}.png", image)
    first = key(vision.Images(tmp_path))
    assert key(vision.Images(tmp_path)) == first
    vision.write(tmp_path / "17.png", pictures(1)[0])
    assert key(vision.Images(tmp_path)) != first


def test_a_model_made_again_is_known_and_one_of_equal_shapes_is_not():
    assert network_layout(own()) == network_layout(own())
    assert key(model=own()) == key(model=own())
    found = {key(model=own(*given)) for given in ((), (False,), (True, "tanh"))}
    assert len(found) == 3


def test_frozen_weights_belong_to_the_training_and_random_ones_do_not():
    one, other = own(), own()
    assert key(model=one) == key(model=other)
    assert key(model=one, freeze=1.0) != key(model=other, freeze=1.0)
    one.layers[1].trainable = other.layers[1].trainable = False
    assert key(model=one) != key(model=other)


class BrokenError(Exception):
    """What a training dies of in these tests."""


def test_a_training_on_other_pictures_does_not_go_on(tmp_path, monkeypatch):
    saved = Keeper._save

    def dies(self, epoch):
        saved(self, epoch)
        raise BrokenError

    monkeypatch.setattr(Keeper, "_save", dies)
    network = CNNClassifier(own(), epochs=2, checkpoint=str(tmp_path), verbose=False)
    labels = CLASSES[np.arange(40) % 2]
    with pytest.raises(BrokenError):
        network.fit(pictures(), labels)
    monkeypatch.setattr(Keeper, "_save", saved)
    with pytest.raises(ParameterError, match="other parameters, images or labels"):
        network.fit(pictures(1), labels)
    assert network.fit(pictures(), labels).history_.epochs == 2
