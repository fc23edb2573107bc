"""The bag of visual words against scikit-learn's clusters and SciPy's nearest centres."""

import cv2
import numpy as np
import pytest
from scipy.cluster.vq import vq
from skimage import data
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.neighbors import KNeighborsClassifier

from classical.edges import Canny
from classical.keypoints import ORB, SIFT
from classical.visual_words import BagOfVisualWords
from vision.archive import load, save
from vision.errors import KindError, ParameterError

CROPS = [data.camera()[:160, :200], data.coins()[:150, :200], data.brick()[:150, :150]]


def by_opencv(image):
    return cv2.SIFT_create(enable_precise_upscale=True).detectAndCompute(image, None)[1]


def test_a_row_is_how_often_each_word_is_the_nearest():
    bag = BagOfVisualWords(n_words=12).fit(CROPS)
    assert bag.words_.shape == (12, 128)
    for image in CROPS:
        nearest = vq(by_opencv(np.ascontiguousarray(image)), bag.words_)[0]
        row = bag(image)
        assert row.dtype == np.float32
        assert np.allclose(row, np.bincount(nearest, minlength=12) / len(nearest), atol=1e-6)


def test_words_are_about_as_good_as_those_of_full_k_means():
    from sklearn.cluster import KMeans

    rows = np.concatenate([by_opencv(np.ascontiguousarray(image)) for image in CROPS])
    words = BagOfVisualWords(n_words=12).fit(CROPS).words_
    ours = np.square(vq(rows, words)[1]).sum()
    assert ours < 1.03 * KMeans(12, n_init=2, random_state=0).fit(rows).inertia_


def test_bits_are_rows_of_zeros_and_ones():
    bag = BagOfVisualWords(ORB(fast_threshold=5), n_words=6).fit(CROPS)
    assert bag.words_.shape == (6, 256)
    assert bag.words_.min() >= -1e-6
    assert bag.words_.max() <= 1 + 1e-6
    rows = np.unpackbits(ORB(fast_threshold=5)(CROPS[1]).descriptors, axis=1).astype(np.float32)
    nearest = vq(rows, bag.words_)[0]
    assert np.allclose(bag(CROPS[1]), np.bincount(nearest, minlength=6) / len(rows), atol=1e-6)


def test_the_seed_decides_and_a_clone_has_learned_nothing():
    one, two = (BagOfVisualWords(n_words=8, max_descriptors=200).fit(CROPS) for _ in range(2))
    assert np.array_equal(one.words_, two.words_)
    other = BagOfVisualWords(n_words=8, max_descriptors=200, random_state=1).fit(CROPS)
    assert not np.allclose(one.words_, other.words_)
    with pytest.raises(NotFittedError, match="fit"):
        clone(one)(CROPS[0])


def test_at_most_so_many_descriptors_are_learned_from():
    assert len(BagOfVisualWords(n_words=30, max_descriptors=31).fit(CROPS).words_) == 30
    with pytest.raises(ParameterError, match="n_words=31 and 30 keypoints"):
        BagOfVisualWords(n_words=31, max_descriptors=31).fit(CROPS)


def test_there_are_a_hundred_words_by_default():
    bag = BagOfVisualWords().fit(CROPS)
    assert bag.words_.shape == (100, 128) and bag(CROPS[0]).shape == (100,)
    assert bag.get_feature_names_out()[-1] == "word_99"


def test_without_keypoints_all_are_zero():
    bag = BagOfVisualWords(n_words=5).fit(CROPS)
    assert bag(np.full((50, 60), 90, np.uint8)).tolist() == [0] * 5
    names = ["word_0", "word_1", "word_2", "word_3", "word_4"]
    assert bag.get_feature_names_out().tolist() == names


def test_textures_are_learned_saved_and_recognised(tmp_path):
    pictures = {"brick": data.brick(), "grass": data.grass(), "gravel": data.gravel()}
    places = [(0, 0), (0, 260), (260, 0)]
    crops = [p[y : y + 140, x : x + 140] for p in pictures.values() for y, x in places]
    names = np.repeat(list(pictures), 3)
    chain = BagOfVisualWords(SIFT(150), n_words=20) >> KNeighborsClassifier(1)
    chain.fit(crops, names)
    others = [p[300:440, 300:440] for p in pictures.values()]
    assert chain.predict(others).tolist() == list(pictures)
    save(chain, tmp_path / "textures.vision")
    again = load(tmp_path / "textures.vision")
    assert np.array_equal(again[0].words_, chain[0].words_)
    assert again.predict(others).tolist() == list(pictures)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (BagOfVisualWords(n_words=0), "'n_words' of BagOfVisualWords must be a whole number"),
        (BagOfVisualWords(max_descriptors=0), "'max_descriptors'"),
        (BagOfVisualWords(random_state=None), "'random_state'"),
        (BagOfVisualWords(Canny()), "'detector'"),
        (BagOfVisualWords("sift"), "'detector'"),
        (BagOfVisualWords(n_words=100_000), "at most the number of keypoints"),
    ],
    ids=repr,
)
def test_parameters_are_refused_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step.fit(CROPS)


def test_points_without_descriptors_and_colour_are_refused():
    from classical.corners import FAST

    with pytest.raises(ParameterError, match=r"'detector'.*gives descriptors"):
        BagOfVisualWords(FAST()).fit(CROPS)
    with pytest.raises(KindError, match="BagOfVisualWords takes a gray image"):
        BagOfVisualWords().fit([data.coffee()])
