"""A network in a comparison."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC

import vision
from classical import RawPixels
from deep import CNNClassifier, CNNFeatures
from vision.comparison_candidates import family_of
from vision.comparison_costs import parameters_of


def test_a_network_beside_a_classical_method(tmp_path):
    digits = load_digits()
    images = digits.images[:240].astype(np.uint8) * 15
    labels = digits.target[:240]
    network = CNNClassifier("logistic_regression", epochs=8, learning_rate=0.02, verbose=False)
    candidates = {"network": network, "bayes": RawPixels(8) >> GaussianNB()}
    options = {"cv": 2, "folder": tmp_path, "progress": False}
    study = vision.compare(candidates, images, labels, **options)
    found = study["network"]
    assert found.error is None
    assert (found.family, study["bayes"].family) == ("deep", "classical")
    assert found.parameters == 64 * 10 + 10  # a weight for each pixel and class, and a bias
    assert found.scores["accuracy"].value > 0.7
    assert np.allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)
    said = study.classes[found.probabilities.argmax(axis=1)]
    assert said.tolist() == found.predictions
    assert found.size_bytes > 650 * 4 and found.memory_bytes is not None
    assert "keras" in study.provenance["versions"]
    again = vision.compare(candidates, images, labels, **options)
    place = int(np.flatnonzero(again.folds == 1)[0])
    assert again.model("network", 1).predict([images[place]])[0] == found.predictions[place]
    assert again["network"].scores == found.scores


def test_a_networks_features_before_a_classical_classifier_are_mixed():
    assert family_of(CNNFeatures() >> SVC()) == "mixed"


def test_a_bare_network_is_refused_and_counted():
    import deep

    model = deep.build("lenet5", (32, 32, 1), 10, pixels=True, random_state=0)
    assert parameters_of(model) == model.count_params()
    try:
        vision.compare({"lenet": model}, np.zeros((4, 32, 32), np.uint8), [0, 1, 0, 1])
    except vision.KindError as error:
        assert "CNNClassifier(model)" in str(error)
    else:
        raise AssertionError("a bare model was taken")
