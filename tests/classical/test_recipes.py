"""Ready recipes against the same chains of scikit-image and plain scikit-learn, on digits."""

import csv
from pathlib import Path

import numpy as np
import pytest
from skimage import data, feature
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

import classical
import vision
from classical import recipes
from vision.cli import main
from vision.errors import ParameterError
from vision.opencv import cv2

LEARNED = 1200  # of the 1,797 digits
SMALL = {"size": 24, "pixels_per_cell": 6}


@pytest.fixture(scope="module")
def digits():
    """Drawings of 24 x 24 pixels: those to learn from, their digits, the others, theirs."""
    drawn = load_digits()
    levels = np.rint(drawn.images * (255 / 16)).astype(np.uint8)
    images = [np.kron(one, np.ones((3, 3), np.uint8)) for one in levels]
    return images[:LEARNED], drawn.target[:LEARNED], images[LEARNED:], drawn.target[LEARNED:]


@pytest.fixture(scope="module")
def objects():
    """Parts of four photographs, 48 x 48 pixels, in colour: every second one to learn from."""
    pictures = data.chelsea(), data.coffee(), data.rocket(), data.retina()[::3, ::3]
    images, labels = [], []
    for label, picture in enumerate(pictures):
        corners = [(row, column) for row in range(0, 250, 48) for column in range(0, 400, 48)]
        for row, column in corners:
            part = picture[row : row + 48, column : column + 48]
            if part.shape == (48, 48, 3):
                images.append(np.ascontiguousarray(part))
                labels.append(label)
    labels = np.array(labels)
    return images[::2], labels[::2], images[1::2], labels[1::2]


def theirs_hog(images, cell=6, block=2):
    rows = [feature.hog(one, 9, (cell, cell), (block, block), "L2-Hys") for one in images]
    return np.array(rows)


def agreement(recipe, peer, features, parts):
    """The score of a recipe, and the share of pictures that a peer on its own features says too."""
    learned, labels, others, truth = parts
    said = recipe.fit(learned, labels).predict(others)
    peer.fit(features(learned), labels)
    return np.mean(said == truth), np.mean(said == peer.predict(features(others)))


def test_hog_and_svm_are_scikit_images_and_scikit_learns(digits):
    peer = make_pipeline(PCA(0.9), SVC(C=3.0))
    score, same = agreement(recipes.hog_svm(**SMALL), peer, theirs_hog, digits)
    assert same >= 0.995
    assert score >= 0.94


def test_hog_and_linear_svm_are_scikit_images_and_scikit_learns(digits):
    peer = make_pipeline(StandardScaler(), LinearSVC(C=0.001, random_state=0))
    score, same = agreement(recipes.hog_linear_svm(**SMALL), peer, theirs_hog, digits)
    assert same >= 0.995
    assert score >= 0.9


def test_pixels_and_bayes_are_plain_scikit_learns(digits):
    def levels(images):
        return np.array([cv2.resize(one, (8, 8), interpolation=cv2.INTER_AREA) for one in images])

    def flat(images):
        return levels(images).reshape(len(images), -1)

    score, same = agreement(recipes.pixels_bayes(8), GaussianNB(), flat, digits)
    assert same >= 0.95
    assert 0.7 < score < 0.95


def test_patterns_and_neighbours_are_scikit_images_and_scikit_learns(digits):
    def patterns(images):
        rows = []
        for image in images:
            codes = feature.local_binary_pattern(image, 8, 1, "nri_uniform").astype(int)
            parts = [part for band in np.split(codes, 4) for part in np.split(band, 4, axis=1)]
            rows.append(np.concatenate([np.bincount(p.ravel(), minlength=59) for p in parts]))
        return np.array(rows)

    peer = KNeighborsClassifier(5)
    score, same = agreement(recipes.lbp_knn(), peer, patterns, digits)
    assert same >= 0.97
    assert score >= 0.9


def test_colours_and_a_forest_are_plain_scikit_learns(objects):
    def counts(images):
        rows = []
        for image in images:
            planes = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2HSV))
            ranges = zip(planes, (180, 256, 256), strict=True)
            rows.append([np.histogram(one, 8, (0, most))[0] for one, most in ranges])
        return np.array(rows).reshape(len(images), -1) / np.float32(48 * 48)

    peer = RandomForestClassifier(200, random_state=0)
    score, same = agreement(recipes.histogram_forest(), peer, counts, objects)
    assert same >= 0.98
    assert score >= 0.9


def test_shape_and_colour_are_those_of_both_side_by_side(objects):
    def both(images):
        rows = []
        for image in images:
            small = cv2.resize(image, (32, 32), interpolation=cv2.INTER_AREA)
            shape = feature.hog(small, 9, (8, 8), (2, 2), "L2-Hys", channel_axis=-1)
            planes = [np.histogram(one, 8, (0, 256))[0] / 1024 for one in cv2.split(small)]
            rows.append(np.concatenate([shape, *planes]))
        return np.array(rows)

    peer = make_pipeline(PCA(0.9), SVC(C=3.0))
    score, same = agreement(recipes.hog_color_svm(), peer, both, objects)
    assert same >= 0.95
    assert score >= 0.8


def test_words_tell_textures_apart():
    textures = data.brick(), data.grass(), data.gravel()
    learned, others = (
        [one[row : row + 96, column : column + 96].copy() for one in textures for row in rows]
        for rows, column in ((range(0, 400, 50), 0), (range(0, 400, 50), 250))
    )
    names = np.repeat(["brick", "grass", "gravel"], 8)
    recipe = recipes.words_svm(n_words=40).fit(learned, names)
    assert recipe.score(others, names) >= 0.95
    # SIFT's patches turn with the picture.
    assert recipe.score([np.rot90(one).copy() for one in others], names) >= 0.9
    again = clone(recipe).fit(learned, names)
    assert (again.predict(others) == recipe.predict(others)).all()


def test_a_saved_recipe_says_the_same_in_a_run_over_a_folder(digits, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    learned, labels, others, _ = digits
    recipe = recipes.hog_svm(**SMALL).fit(learned, labels)
    vision.save(recipe, "digits.vision")
    (tmp_path / "drawn").mkdir()
    for number, image in enumerate(others[:40]):
        vision.write(tmp_path / "drawn" / f"{number:03}.png", image)
    assert main(["run", "digits.vision", "drawn", "--out", "said", "--quiet"]) == 0
    with Path("said", "results.csv").open(newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["source"])
    assert len(rows) == 40
    assert [int(row["label"]) for row in rows] == recipe.predict(others[:40]).tolist()


@pytest.mark.parametrize(
    ("recipe", "parameters"),
    [
        ("hog_svm", {"pixels_per_cell": 0}),
        ("hog_svm", {"size": (32, 32)}),
        ("hog_linear_svm", {"cells_per_block": 1.5}),
        ("hog_color_svm", {"bins": 0}),
        ("lbp_knn", {"n_neighbors": 0}),
        ("lbp_knn", {"grid": 0}),
        ("histogram_forest", {"bins": 300}),
        ("words_svm", {"n_words": 0}),
        ("pixels_bayes", {"size": -1}),
    ],
)
def test_a_wrong_number_is_refused_at_once(recipe, parameters):
    (name,) = parameters
    with pytest.raises(ParameterError, match=f"'{name}'|'width'|pair"):
        getattr(classical, recipe)(**parameters)
