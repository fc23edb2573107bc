"""Spoiled pictures, and the truth that follows them."""

import numpy as np
import pytest
import skimage.data
import skimage.transform
from scipy import ndimage
from sklearn.base import BaseEstimator, ClassifierMixin

import vision
from classical import Canny, Gray, MedianBlur, Otsu, Threshold
from vision.comparison_tasks import TASKS
from vision.robustness import carrier_of, corruptions, spoiled

STRENGTHS = 5


def steps_of(name, strength, side=64):
    return corruptions(side)[name][strength][1]


def test_there_are_six_at_five_strengths():
    table = corruptions(64)
    assert list(table) == ["noise", "blur", "jpeg", "brightness", "rotation", "scale"]
    assert all(len(levels) == STRENGTHS for levels in table.values())


@pytest.mark.parametrize("name", ["noise", "blur", "jpeg", "brightness", "rotation", "scale"])
def test_each_strength_changes_the_picture_more(name):
    image = skimage.data.camera()[100:292, 100:292]
    changes = []
    for strength in range(STRENGTHS):
        (made,), _ = spoiled([image], [0], steps_of(name, strength, 192))
        assert made.shape == image.shape and made.dtype == image.dtype
        changes.append(np.abs(made.astype(float) - image).mean())
    assert changes == sorted(changes) and changes[0] > 0.5


def test_noise_and_brightness_are_as_strong_as_they_say():
    image = np.full((100, 120), 128, np.uint8)
    (noisy,), _ = spoiled([image], [0], steps_of("noise", 3))
    assert noisy.std() == pytest.approx(40, rel=0.05)
    (bright, dark), _ = spoiled([image, image], [0, 0], steps_of("brightness", 2))
    assert (bright.mean(), dark.mean()) == (188, 68)


def test_blur_grows_with_the_picture():
    sizes = [corruptions(side)["blur"][0][0] for side in (50, 100, 400)]
    assert sizes == ["sigma 0.5 px", "sigma 0.5 px", "sigma 2 px"]


def test_other_depths_are_spoiled_alike():
    image = skimage.data.camera()[::4, ::4]
    deep = image.astype(np.uint16) * 257
    unit = (image / 255).astype(np.float32)
    for name in corruptions(64):
        (eight,), _ = spoiled([image], [0], steps_of(name, 2))
        (sixteen,), _ = spoiled([deep], [0], steps_of(name, 2))
        (part,), _ = spoiled([unit], [0], steps_of(name, 2))
        assert sixteen.dtype == np.uint16 and part.dtype == np.float32
        if name != "noise":  # its pattern is of the values
            assert np.abs(sixteen / 257 - eight).mean() < 1
            assert np.abs(part * 255 - eight).mean() < 1


def disc(side=101, centre=(35, 60), radius=20):
    rows, columns = np.mgrid[:side, :side]
    return np.hypot(rows - centre[0], columns - centre[1]) <= radius


@pytest.mark.parametrize("name", ["rotation", "scale"])
def test_a_region_stays_on_its_picture(name):
    mask = disc().astype(np.uint8) * 255
    carry = carrier_of(TASKS["segmentation"])
    for strength in range(STRENGTHS):
        pictures, truth = spoiled([mask] * 2, [mask] * 2, steps_of(name, strength), carry=carry)
        for picture, true in zip(pictures, truth, strict=True):
            assert set(np.unique(true)) == {0, 255}
            assert vision.mean_iou(np.where(picture > 127, 255, 0).astype(np.uint8), true) > 0.98


def test_labels_keep_their_numbers_and_type():
    labels = np.zeros((60, 60), np.int64)
    labels[20:40, 20:40] = 7
    carry = carrier_of(TASKS["segmentation"])
    (_,), (true,) = spoiled(
        [labels.astype(np.uint8)], [labels], steps_of("rotation", 4), carry=carry
    )
    assert true.dtype == np.int64 and set(np.unique(true)) == {0, 7}
    theirs = ndimage.rotate(labels, 45, reshape=False, order=0, mode="nearest")
    assert (true == theirs).mean() > 0.99


def test_a_turned_disc_lies_where_geometry_says():
    mask = disc().astype(np.uint8) * 255
    carry = carrier_of(TASKS["segmentation"])
    _, (true,) = spoiled([mask], [mask], steps_of("rotation", 3), carry=carry)
    # 30 degrees counter-clockwise about (50, 50), y down: the centre (60, 35) is at (10, -15)
    angle = np.deg2rad(30)
    x = 10 * np.cos(angle) + -15 * np.sin(angle)
    y = -10 * np.sin(angle) + -15 * np.cos(angle)
    assert ndimage.center_of_mass(true) == pytest.approx((50 + y, 50 + x), abs=0.3)


def test_thin_edges_are_not_lost_where_the_picture_shrinks():
    line = np.zeros((101, 101), np.uint8)
    line[20:80, 31] = 255  # an odd column, which every second pixel would miss
    carry = carrier_of(TASKS["edges"])
    _, (true,) = spoiled([line], [[line, line]], steps_of("scale", 4), carry=carry)
    columns = [np.unique(np.nonzero(one)[1]).tolist() for one in true]
    # x' = 50 + (31 - 50) / 2 = 40.5, which rounds to 40
    assert columns == [[40], [40]]
    assert 30 <= np.count_nonzero(true[0]) <= 31


def test_the_truth_of_a_restoration_goes_the_same_way():
    clean = skimage.data.camera()[::4, ::4]
    carry = carrier_of(TASKS["restoration"])
    (picture,), (true,) = spoiled([clean], [clean], steps_of("rotation", 2), carry=carry)
    assert np.array_equal(picture, true)
    (picture,), (true,) = spoiled([clean], [clean], steps_of("blur", 2), carry=carry)
    assert np.array_equal(true, clean) and not np.array_equal(picture, true)


class Bright(ClassifierMixin, BaseEstimator):
    """Says 1 where the mean is above 128: its answers to brighter pictures are known."""

    def fit(self, images, labels):
        self.classes_ = np.unique(labels)
        return self

    def predict(self, images):
        return np.array([int(image.mean() > 128) for image in images])


def test_scores_of_a_known_classifier():
    # Means 90 and 166: 38 levels from the border, so 20 more or less change nothing and 40 do.
    images = np.repeat([90, 166], 20).astype(np.uint8)[:, None, None] * np.ones((9, 9), np.uint8)
    images[:, 0, 0] = np.arange(40)
    labels = np.repeat([0, 1], 20)
    study = vision.compare(
        {"bright": Bright(), "broken": Threshold("no number") >> Otsu()},
        images,
        labels,
        task="classification",
        cv=4,
        robustness=True,
        progress=False,
    )
    found = study.robustness
    row = found.corruptions.index("brightness")
    assert found.strengths[row][:3] == ("untouched", "± 20 levels", "± 40 levels")
    # Brighter makes the dark ones wrong, darker the bright ones: every second one, fold by fold.
    turns = labels[np.argsort(study.folds, kind="stable")]
    right = np.mean(np.where(np.arange(40) % 2 == 0, turns == 1, turns == 0))
    assert found.scores["bright"][row].tolist() == [1.0, 1.0, right, right, right, right]
    assert study["broken"].failed and "broken" not in found.scores


def test_unlearned_segmentation_keeps_its_score_where_nothing_is_lost():
    masks = [disc(centre=(45 + k, 50 - k)).astype(np.uint8) * 255 for k in range(6)]
    images = [np.where(mask > 0, 200, 60).astype(np.uint8) for mask in masks]
    found = vision.compare(
        {"otsu": Gray() >> Otsu()}, images, masks, cv=3, robustness=True, progress=False
    ).robustness
    scores = dict(zip(found.corruptions, found.scores["otsu"], strict=True))
    assert scores["rotation"].min() > 0.98
    assert scores["scale"].min() > 0.97
    assert scores["noise"][1] > 0.98 > scores["noise"][5]


def test_edges_and_restoration_run_too():
    pictures = [skimage.data.camera()[k : k + 96, k : k + 96] for k in (0, 60, 120)]
    edges = [Canny()(one) for one in pictures]
    found = vision.compare(
        {"canny": Canny()}, pictures, edges, cv=3, robustness=2, progress=False
    ).robustness
    untouched = found.scores["canny"][:, :1]
    assert (untouched > 0.85).all() and (found.scores["canny"][:, 1:] < untouched).all()
    found = vision.compare(
        {"median": MedianBlur(3)}, pictures, pictures, cv=3, robustness=2, progress=False
    ).robustness
    assert np.isfinite(found.scores["median"]).all()
