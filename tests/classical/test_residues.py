"""Gradient, top-hats and hit-or-miss against SciPy, scikit-image and geometry solved by hand."""

import numpy as np
import pytest
from scipy import ndimage
from skimage import data, morphology

from classical.morphology import Closing, Opening
from classical.residues import BlackHat, HitOrMiss, MorphologicalGradient, TopHat
from classical.threshold import Otsu
from vision.errors import KindError, ParameterError

THREE = [MorphologicalGradient, TopHat, BlackHat]
ONE_SIDED = np.array([[1, 0, 0, 0], [1, 1, 1, 0], [0, 0, 0, 0]], np.uint8)
CORNER = ((0, -1, -1), (-1, 1, 1), (-1, 1, 0))


def grown_and_shrunk(image, element):
    high = ndimage.maximum_filter(image, footprint=element, mode="constant", cval=0)
    low = ndimage.minimum_filter(image, footprint=element, mode="constant", cval=255)
    return high, low


@pytest.mark.parametrize("size", [3, 4, 9])
def test_the_gradient_is_the_range_under_the_element(size):
    image = data.camera()[100:300, 150:400]
    high, low = grown_and_shrunk(image, np.ones((size, size)))
    assert np.array_equal(MorphologicalGradient(size)(image), high - low)


def test_the_gradient_with_an_element_of_ones_own():
    image = data.coins()
    high, low = grown_and_shrunk(image, ONE_SIDED)
    assert np.array_equal(MorphologicalGradient(element=ONE_SIDED)(image), high - low)
    high, low = grown_and_shrunk(image, np.ones((3, 3)))
    assert np.array_equal(MorphologicalGradient()(image), high - low)


def test_the_gradient_of_a_mask_runs_along_its_outline():
    mask = np.zeros((20, 30), np.uint8)
    mask[5:15, 8:25] = 255
    expected = np.zeros_like(mask)
    expected[4:16, 7:26] = 255
    expected[6:14, 9:24] = 0
    assert np.array_equal(MorphologicalGradient()(mask), expected)
    assert not MorphologicalGradient()(np.full((5, 5), 255, np.uint8)).any()


@pytest.mark.parametrize(("parameters", "size"), [({}, 15), ({"size": 9}, 9)])
def test_top_hats_are_scikit_images(parameters, size):
    image, element = data.page(), np.ones((size, size), np.uint8)
    white = morphology.white_tophat(image, element, mode="ignore")
    black = morphology.black_tophat(image, element, mode="ignore")
    assert np.array_equal(TopHat(**parameters)(image), white)
    assert np.array_equal(BlackHat(**parameters)(image), black)


def test_top_hats_with_other_elements_are_scikit_images():
    image = data.coins()
    disc = morphology.disk(5)
    white = morphology.white_tophat(image, disc, mode="ignore")
    assert np.array_equal(TopHat(element=disc)(image), white)
    black = morphology.black_tophat(image, disc, mode="ignore")
    assert np.array_equal(BlackHat(element=disc)(image), black)


@pytest.mark.parametrize("parameters", [{"size": 4}, {"element": ONE_SIDED, "iterations": 2}])
def test_top_hats_are_what_opening_and_closing_take_away(parameters):
    image = data.camera()[:200, :250]
    opened, closed = Opening(**parameters)(image), Closing(**parameters)(image)
    assert np.array_equal(TopHat(**parameters)(image), image - opened)
    assert np.array_equal(BlackHat(**parameters)(image), closed - image)


def test_text_on_an_uneven_page_comes_out_on_black():
    image = data.page()
    assert Otsu()(255 - image).mean() > 2 * Otsu()(BlackHat()(image)).mean()
    # of the shadow on the left margin nothing is left
    assert BlackHat()(image)[:, :20].mean() < 0.25 * (255 - image[:, :20]).mean()


def test_colour_channels_are_taken_one_by_one():
    image = data.coffee()[:150, :200].copy()
    for step in (MorphologicalGradient(5), TopHat(9), BlackHat(9), TopHat(4)):
        single = [step(np.ascontiguousarray(image[..., channel])) for channel in range(3)]
        assert np.array_equal(step(image), np.dstack(single))


@pytest.mark.parametrize("cls", THREE)
def test_only_differences_of_levels_count_whatever_the_dtype(cls):
    image = data.camera()[::3, ::3].copy()
    found = cls(5)(image)
    assert np.array_equal(cls(5)(image.astype(np.uint16) * 257), found.astype(np.uint16) * 257)
    real = cls(5)(image.astype(np.float32) - 128)
    assert np.array_equal(real, found.astype(np.float32))


def test_hit_or_miss_is_scipys_on_coins():
    mask = Otsu()(data.coins())
    pattern = np.array(CORNER)
    rng = np.random.default_rng(3)
    for one in (pattern, pattern[:, ::-1], pattern[::-1], rng.integers(-1, 2, (4, 3)), [[1, 1]]):
        one = np.asarray(one)
        expected = ndimage.binary_hit_or_miss(mask > 0, one == 1, one == -1)
        # SciPy's patterns of -1 do not fit over the border, here the outside is background.
        inner = np.s_[4:-4, 4:-4]
        assert np.array_equal(HitOrMiss(one)(mask)[inner] > 0, expected[inner])
        framed = np.pad(mask, 8)
        expected = ndimage.binary_hit_or_miss(framed > 0, one == 1, one == -1)[8:-8, 8:-8]
        assert np.array_equal(HitOrMiss(one)(mask) > 0, expected)


def test_hit_or_miss_finds_the_corner_of_each_square_and_nothing_else():
    mask = np.zeros((30, 40), np.uint8)
    mask[0:6, 0:9] = mask[10:20, 15:30] = mask[25:30, 33:40] = 255
    assert np.argwhere(HitOrMiss(CORNER)(mask)).tolist() == [[0, 0], [10, 15], [25, 33]]
    turned = HitOrMiss(np.rot90(CORNER, -1).tolist())(mask)
    assert np.argwhere(turned).tolist() == [[0, 8], [10, 29], [25, 39]]


@pytest.mark.parametrize(
    "pattern",
    [None, [[1, 2]], [[0, -1]], [[1], [1, 0]], [1, 0], np.ones((3, 3)), "x", [[]], [[True]]],
)
def test_patterns_are_refused_by_name(pattern):
    with pytest.raises(ParameterError, match="The 'pattern' of HitOrMiss must be rows"):
        HitOrMiss(pattern)(np.zeros((4, 4), np.uint8))


def test_a_float_pattern_is_told_the_way_out():
    with pytest.raises(ParameterError, match=r"pattern\.astype\(np\.int8\)"):
        HitOrMiss(np.ones((3, 3)))(np.zeros((4, 4), np.uint8))


@pytest.mark.parametrize("cls", THREE)
def test_parameters_are_refused_by_name(cls):
    with pytest.raises(ParameterError, match=f"'size' of {cls.__name__}"):
        cls(0)(np.zeros((4, 4), np.uint8))
    with pytest.raises(ParameterError, match=r"element\.astype"):
        cls(element=np.ones((3, 3)))(np.zeros((4, 4), np.uint8))


def test_gray_images_have_no_patterns():
    with pytest.raises(KindError, match="HitOrMiss takes a mask"):
        HitOrMiss(CORNER)(data.coins())
