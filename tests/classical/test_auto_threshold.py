"""Levels from the histogram, against scikit-image, brute force and the rules' own equations."""

import itertools

import numpy as np
import pytest
from skimage import data, filters

from classical.auto_threshold import AutoThreshold, MultiOtsu
from classical.colour import Gray
from vision.errors import ImageError, KindError, ParameterError

PICTURES = ["coins", "camera", "page", "text", "moon", "coffee", "chelsea"]


def gray(picture):
    image = getattr(data, picture)()
    return image if image.ndim == 2 else Gray()(image)


def as_mask(condition):
    return np.where(condition, 255, 0).astype(np.uint8)


# --- AutoThreshold


@pytest.mark.parametrize("method", ["li", "isodata", "yen", "minimum"])
@pytest.mark.parametrize("picture", PICTURES)
def test_the_level_is_scikit_images(method, picture):
    image = gray(picture)
    # its Li stops within half a level of the solution unless told otherwise
    options = {"tolerance": 1e-9} if method == "li" else {}
    level = getattr(filters, f"threshold_{method}")(image, **options)
    assert AutoThreshold(method).threshold(image) == pytest.approx(level, abs=1e-3)
    assert np.array_equal(AutoThreshold(method)(image), as_mask(image > level))
    assert np.array_equal(AutoThreshold(method, invert=True)(image), as_mask(image <= level))


def test_li_is_the_default_and_has_the_least_cross_entropy():
    image = data.coins()

    def cross_entropy(level):
        parts = (image[image <= level], image[image > level])
        return -sum(part.sum(dtype=float) * np.log(part.mean()) for part in parts)

    best = min(range(int(image.min()) + 1, int(image.max())), key=cross_entropy)
    assert int(AutoThreshold().threshold(image)) == pytest.approx(best, abs=1)


def test_isodata_lies_between_the_means_of_both_classes():
    image = data.camera()
    level = AutoThreshold("isodata").threshold(image)
    middle = (image[image <= level].mean() + image[image > level].mean()) / 2
    assert 0 <= middle - level < 1


@pytest.mark.parametrize("method", ["li", "isodata", "yen"])
def test_sixteen_bits_are_chosen_like_scikit_image(method):
    image = data.coins().astype(np.uint16) * 16 + 1000
    options = {"tolerance": 1e-9} if method == "li" else {}
    level = getattr(filters, f"threshold_{method}")(image.copy(), **options)
    assert AutoThreshold(method).threshold(image) == pytest.approx(level, abs=0.01)
    assert AutoThreshold(method)(image).dtype == np.uint8


def test_one_level_has_no_two_classes():
    for method in ("li", "isodata", "yen", "minimum"):
        assert (AutoThreshold(method)(np.full((4, 4), 9, np.uint8)) == 255).all()
        assert not AutoThreshold(method)(np.zeros((4, 4), np.uint8)).any()


def test_no_two_peaks_are_said_so():
    with pytest.raises(ImageError, match=r"two peaks.*Otsu\(\)"):
        AutoThreshold("minimum")(data.grass())


def test_what_auto_threshold_refuses():
    with pytest.raises(ParameterError, match=r"'method' of AutoThreshold.*Did you mean 'isodata'"):
        AutoThreshold("isodat")(data.coins())
    with pytest.raises(ParameterError, match="'invert'"):
        AutoThreshold(invert=1)(data.coins())
    with pytest.raises(KindError, match="ToUint8"):
        AutoThreshold("minimum")(np.zeros((4, 4), np.uint16))
    with pytest.raises(KindError, match=r"Gray\(\)"):
        AutoThreshold().threshold(data.coffee())


# --- MultiOtsu


@pytest.mark.parametrize("n_classes", [2, 3, 4])
@pytest.mark.parametrize("picture", PICTURES)
def test_the_levels_are_scikit_images(n_classes, picture):
    image = gray(picture)
    levels = filters.threshold_multiotsu(image, n_classes)
    assert MultiOtsu(n_classes).thresholds(image).tolist() == levels.tolist()
    labels = MultiOtsu(n_classes)(image)
    assert labels.dtype == np.int32
    assert np.array_equal(labels, np.digitize(image, levels, right=True) + 1)


def test_three_classes_are_the_default():
    assert len(np.unique(MultiOtsu()(data.coins()))) == 3


def test_no_other_levels_leave_less_variance():
    rng = np.random.default_rng(0)
    image = rng.choice([3, 10, 11, 40, 90, 95, 160, 161, 250], (20, 30)).astype(np.uint8)
    values = np.unique(image)

    def within(levels):
        parts = np.split(
            np.sort(image.ravel()), np.searchsorted(np.sort(image.ravel()), levels, "right")
        )
        return sum(part.size * part.var() for part in parts if part.size)

    for n_classes in (2, 3, 5):
        best = min(map(within, itertools.combinations(values[:-1], n_classes - 1)))
        assert within(MultiOtsu(n_classes).thresholds(image)) == pytest.approx(best)


def test_many_classes_are_found_at_once():
    image = gray("coffee")
    labels = MultiOtsu(12)(image)
    assert np.unique(labels).tolist() == list(range(1, 13))
    within = sum(image[labels == k].var() * (labels == k).sum() for k in range(1, 13))
    assert within < 0.02 * image.var() * image.size


def test_fewer_levels_than_classes_give_one_each():
    image = np.array([[7, 7, 200, 9]], np.uint8)
    assert MultiOtsu(5)(image).tolist() == [[1, 1, 3, 2]]
    assert MultiOtsu(3)(image).tolist() == [[1, 1, 3, 2]]
    assert MultiOtsu(4)(np.full((2, 2), 50, np.uint8)).tolist() == [[1, 1], [1, 1]]


@pytest.mark.parametrize("n_classes", [1, 257, 2.0, None])
def test_the_number_of_classes_is_refused_by_name(n_classes):
    with pytest.raises(ParameterError, match="'n_classes' of MultiOtsu"):
        MultiOtsu(n_classes)(data.coins())


def test_multi_otsu_takes_8_bits_of_gray():
    with pytest.raises(KindError, match="ToUint8"):
        MultiOtsu()(np.zeros((4, 4), np.uint16))
    with pytest.raises(KindError, match=r"Gray\(\)"):
        MultiOtsu().thresholds(data.coffee())
