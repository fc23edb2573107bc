"""Masks from surroundings, against scikit-image, SciPy and the formulas of the papers."""

import numpy as np
import pytest
from scipy import ndimage
from skimage import data, filters

from classical.edges import Canny
from classical.gradients import Sobel
from classical.local_threshold import AdaptiveThreshold, HysteresisThreshold, Niblack, Sauvola
from vision.errors import KindError, ParameterError
from vision.kinds import Kind


def as_mask(condition):
    return np.where(condition, 255, 0).astype(np.uint8)


# --- AdaptiveThreshold


def local_mean(image, size, method):
    if method == "mean":
        return filters.threshold_local(image, size, method="mean", mode="nearest")
    # the deviation that OpenCV derives from a size
    sigma = 0.3 * ((size - 1) / 2 - 1) + 0.8
    return ndimage.gaussian_filter(image.astype(float), sigma, mode="nearest", radius=size // 2)


@pytest.mark.parametrize("method", ["gaussian", "mean"])
@pytest.mark.parametrize(("size", "offset"), [(11, 2), (35, 10), (21, -4)])
def test_adaptive_compares_with_the_rounded_mean_around(method, size, offset):
    page = data.page()
    local = local_mean(page, size, method)
    step = AdaptiveThreshold(size, offset=offset, method=method)
    mask = step(page)
    assert (mask != as_mask(page > np.rint(local) - offset)).mean() < 1e-3
    sure = np.abs(page - (local - offset)) > 1
    assert np.array_equal(mask[sure], as_mask(page > local - offset)[sure])
    inverted = AdaptiveThreshold(size, offset=offset, method=method, invert=True)(page)
    assert np.array_equal(inverted, 255 - mask)


def test_the_defaults_are_a_gaussian_of_eleven_and_two():
    page = data.page()
    local = local_mean(page, 11, "gaussian")
    assert (AdaptiveThreshold()(page) != as_mask(page > np.rint(local) - 2)).mean() < 1e-3


def test_ink_is_found_on_a_page_whose_light_fails():
    page = data.page()
    reference = page < filters.threshold_local(page, 35, offset=10)  # scikit-image's own example
    ink = AdaptiveThreshold(35, offset=10, invert=True)(page) > 0
    dark = page <= filters.threshold_otsu(page)

    def iou(mask):
        return (mask & reference).sum() / (mask | reference).sum()

    assert iou(ink) > 0.95
    assert iou(dark) < 0.5


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"size": 10}, "'size' of AdaptiveThreshold must be an odd whole number at least 3"),
        ({"size": 1}, "'size'"),
        ({"offset": 2.5}, "'offset' of AdaptiveThreshold must be a whole number"),
        ({"method": "median"}, "'method' of AdaptiveThreshold must be 'gaussian' or 'mean'"),
        ({"invert": "yes"}, "'invert'"),
    ],
)
def test_adaptive_refuses_by_name(parameters, message):
    with pytest.raises(ParameterError, match=message):
        AdaptiveThreshold(**parameters)(data.page())


def test_adaptive_takes_8_bits():
    with pytest.raises(KindError, match="ToUint8"):
        AdaptiveThreshold()(np.zeros((20, 20), np.uint16))


# --- Niblack and Sauvola


@pytest.mark.parametrize("picture", ["page", "camera", "coins", "text"])
@pytest.mark.parametrize(("size", "k"), [(15, 0.2), (25, 0.35), (9, -0.1)])
def test_niblack_and_sauvola_are_scikit_images(picture, size, k):
    image = getattr(data, picture)()
    for cls, level in (
        (Niblack, filters.threshold_niblack(image, size, k)),
        (Sauvola, filters.threshold_sauvola(image, size, k, r=128)),
    ):
        sure = np.abs(image - level) > 1e-9  # its means of flat surfaces are not whole
        assert sure.mean() > 0.95
        mask = cls(size, k)(image)
        assert np.array_equal(mask[sure], as_mask(image > level)[sure])
        assert np.array_equal(cls(size, k, invert=True)(image), 255 - mask)


def test_a_flat_surface_is_dark_for_niblack_and_bright_for_sauvola():
    for level in range(1, 256, 7):
        for size in (3, 7, 15, 27):
            flat = np.full((40, 30), level, np.uint8)
            assert not Niblack(size)(flat).any()
            assert not Niblack(size, -0.3)(flat).any()
            assert Sauvola(size)(flat).all()


def test_the_defaults_are_scikit_images_and_the_papers_r():
    page = data.page()
    expected = as_mask(page > filters.threshold_niblack(page))
    assert np.mean(Niblack()(page) != expected) < 1e-4
    expected = as_mask(page > filters.threshold_sauvola(page, r=128))
    assert np.mean(Sauvola()(page) != expected) < 1e-4


def test_sauvolas_level_at_one_pixel_by_hand():
    # eight of 100 and one of 190: mean 110, deviation sqrt(800) = 28.28
    image = np.full((3, 3), 100, np.uint8)
    image[1, 1] = 190
    for r in (128, 50):
        # with this k the level is 190: 110 * (1 + k * (28.28 / r - 1))
        k = (190 / 110 - 1) / (np.sqrt(800) / r - 1)
        assert Sauvola(3, k + 0.01, r)(image)[1, 1] == 255
        assert Sauvola(3, k - 0.01, r)(image)[1, 1] == 0
    # with this one the level is 190: 110 - k * 28.28
    k = -80 / np.sqrt(800)
    assert Niblack(3, k + 0.01)(image)[1, 1] == 255
    assert Niblack(3, k - 0.01)(image)[1, 1] == 0


@pytest.mark.parametrize("step", [Niblack(), Sauvola()], ids=repr)
def test_sixteen_bits_give_the_mask_of_eight(step):
    page = data.page()
    assert np.array_equal(step(page.astype(np.uint16) * 257), step(page))


def test_sauvola_leaves_paper_white_where_niblack_finds_dirt():
    page = data.page()
    reference = page < filters.threshold_local(page, 35, offset=10)
    sauvola, niblack = (step(25, invert=True)(page) > 0 for step in (Sauvola, Niblack))

    def precision(found):
        return (found & reference).sum() / found.sum()

    assert precision(sauvola) > 0.95
    assert precision(niblack) < 0.75


# --- HysteresisThreshold


@pytest.mark.parametrize("picture", ["coins", "camera", "text"])
def test_hysteresis_is_scikit_images_over_sides_and_scipys_over_corners(picture):
    image = getattr(data, picture)()
    for low, high in ((100, 200), (60, 130)):
        expected = filters.apply_hysteresis_threshold(image, low, high)
        found = HysteresisThreshold(low, high, connectivity=4)(image)
        assert np.array_equal(found, as_mask(expected))
        regions, _ = ndimage.label(image > low, np.ones((3, 3)))
        kept = np.unique(regions[image > high])
        expected = np.isin(regions, kept[kept > 0])
        assert np.array_equal(HysteresisThreshold(low, high)(image), as_mask(expected))


def test_the_default_levels_are_100_and_200_and_not_above_themselves():
    image = np.array([[100, 101, 201, 101, 100, 101, 200, 101]], np.uint8)
    assert HysteresisThreshold()(image).tolist() == [[0, 255, 255, 255, 0, 0, 0, 0]]


def test_corners_connect_by_default():
    image = np.diag([150, 250, 150]).astype(np.uint8)
    assert np.array_equal(HysteresisThreshold()(image) > 0, image > 0)
    assert (HysteresisThreshold(connectivity=4)(image) > 0).sum() == 1


def test_hysteresis_of_the_thinned_gradient_is_canny():
    coins = data.coins()
    strength = Canny(output="strength")(coins)
    found = HysteresisThreshold(100, 200)(strength)
    assert found.mean() > 5
    assert np.array_equal(found, Canny(100, 200)(coins))


def test_hysteresis_on_maps_floats_and_16_bits():
    image = data.coins()
    expected = HysteresisThreshold(80, 150)(image)
    wide = image.astype(np.uint16) * 257
    assert np.array_equal(HysteresisThreshold(80 * 257, 150 * 257)(wide), expected)
    unit = (image / 255).astype(np.float32)
    assert np.array_equal(HysteresisThreshold(80.5 / 255, 150.5 / 255)(unit), expected)
    signed = image.astype(np.float32) - 128
    assert np.array_equal(HysteresisThreshold(-47.5, 22.5)(signed), expected)
    assert (Sobel() >> HysteresisThreshold(5, 20))(image).any()


def test_hysteresis_takes_what_its_levels_can_be():
    assert HysteresisThreshold().takes == (Kind.GRAY, Kind.MAP)
    assert Kind.FLOAT in HysteresisThreshold(0.2, 0.5).takes
    assert HysteresisThreshold(-5, 5).takes == (Kind.MAP,)
    with pytest.raises(ParameterError, match="'high' of HysteresisThreshold must be at most 255"):
        HysteresisThreshold(100, 300)(data.coins())
    with pytest.raises(KindError, match=r"one channel.*Gray\(\)"):
        HysteresisThreshold(0.2, 0.5)(np.zeros((4, 4, 3), np.float32))


# --- What all share


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Niblack((15, 15)), r"Got \(15, 15\). Write Niblack\(15\)"),
        (Niblack(k="a"), "'k' of Niblack must be a number"),
        (Niblack(invert=0), "'invert'"),
        (Sauvola(8), "'size' of Sauvola must be an odd whole number at least 3"),
        (Sauvola(k=None), "'k'"),
        (Sauvola(r=0), "'r' of Sauvola must be a number above 0"),
        (Sauvola(invert=0), "'invert'"),
        (AdaptiveThreshold((11, 11)), r"Write AdaptiveThreshold\(11\)"),
        (HysteresisThreshold(200, 100), "'low' of HysteresisThreshold must not exceed 'high'"),
        (HysteresisThreshold(low="a"), "'low'"),
        (HysteresisThreshold(high=None), "'high'"),
        (HysteresisThreshold(connectivity=6), "'connectivity' .* must be 8 or 4. Got 6"),
    ],
    ids=repr,
)
def test_parameters_are_refused_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(data.page())
