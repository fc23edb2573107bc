"""A network's hyper-parameters, searched like any other's."""

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from deep import CNNClassifier
from vision.tuning import tune


@pytest.mark.filterwarnings("ignore::vision.tuning.TuningWarning")
def test_the_epochs_of_a_network():
    rng = np.random.default_rng(0)
    labels = np.arange(32) % 2
    images = [
        np.clip(rng.normal(60 + 120 * label, 20, (32, 32, 3)), 0, 255).astype(np.uint8)
        for label in labels
    ]
    network = CNNClassifier("lenet5", epochs=0, verbose=False)
    found = tune(network, {"epochs": [8]}, images, labels, cv=2)
    assert found.parameters == {"epochs": 8}
    assert found.score > found.trials[0].score
    assert network.epochs == 0
    # The folds and seeds are the same: so is the score of a network trained by hand.
    train, test = next(StratifiedKFold(2, shuffle=True, random_state=0).split(labels, labels))
    by_hand = CNNClassifier("lenet5", epochs=8, verbose=False)
    by_hand.fit([images[i] for i in train], labels[train])
    expected = by_hand.score([images[i] for i in test], labels[test])
    assert found.trials[1].scores[0] == pytest.approx(expected)
    assert found.best.score(images, labels) > 0.9
