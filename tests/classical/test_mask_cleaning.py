"""Cleaning of masks against SciPy and scikit-image."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from skimage import data, measure, morphology, segmentation

from classical.mask_cleaning import ClearBorder, FillHoles, KeepLargest, RemoveSmallObjects
from classical.threshold import Otsu
from vision.errors import KindError, ParameterError
from vision.kinds import Kind

masks = arrays(
    np.uint8, st.tuples(st.integers(1, 14), st.integers(1, 14)), elements=st.sampled_from([0, 255])
)


@pytest.fixture(scope="module")
def coins():
    return Otsu()(data.coins())


def test_holes_of_coins_are_filled_as_scipy_does(coins):
    filled = FillHoles()(coins)
    assert np.array_equal(filled > 0, ndimage.binary_fill_holes(coins))
    assert np.count_nonzero(filled) > 1.02 * np.count_nonzero(coins)


@settings(deadline=None, max_examples=150)
@given(masks, st.integers(1, 6))
def test_holes_of_any_mask_are_filled_as_scipy_and_scikit_image_do(mask, area):
    assert np.array_equal(FillHoles()(mask) > 0, ndimage.binary_fill_holes(mask))
    # with a wide empty frame, only holes are small background
    framed = np.pad(mask, 4)
    small = morphology.remove_small_holes(framed > 0, max_size=area, connectivity=1)[4:-4, 4:-4]
    assert np.array_equal(FillHoles(area)(mask) > 0, small)


def test_small_holes_of_coins(coins):
    framed = np.pad(coins, 20)
    small = morphology.remove_small_holes(framed > 0, max_size=20, connectivity=1)[20:-20, 20:-20]
    assert np.array_equal(FillHoles(20)(coins) > 0, small)
    assert not np.array_equal(FillHoles(19)(coins), FillHoles()(coins))


def test_a_diagonal_shuts_a_hole_in_and_the_border_does_not():
    mask = np.zeros((5, 7), np.uint8)
    for row, column in ((0, 3), (1, 2), (1, 4), (2, 3)):
        mask[row, column] = 255
    assert np.argwhere(FillHoles()(mask) - mask).tolist() == [[1, 3]]
    bay = np.full((4, 6), 255, np.uint8)
    bay[0:2, 2:4] = 0
    assert np.array_equal(FillHoles()(bay), bay)
    assert np.array_equal(FillHoles(9)(bay), bay)


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("area", [1, 12, 64, 500])
def test_small_objects_of_coins_go_as_in_scikit_image(coins, connectivity, area):
    expected = morphology.remove_small_objects(
        coins > 0, max_size=area - 1, connectivity=connectivity // 4
    )
    assert np.array_equal(RemoveSmallObjects(area, connectivity)(coins) > 0, expected)


def test_defaults_of_small_objects(coins):
    expected = morphology.remove_small_objects(coins > 0, max_size=63, connectivity=2)
    assert np.array_equal(RemoveSmallObjects()(coins) > 0, expected)
    pieces = np.zeros((20, 40), np.uint8)
    pieces[2:10, 2:10] = 255  # 64 pixels
    pieces[2:9, 20:29] = 255  # 63
    assert np.array_equal(RemoveSmallObjects()(pieces)[:, :15], pieces[:, :15])
    assert not RemoveSmallObjects()(pieces)[:, 15:].any()


def test_the_largest_regions_of_coins(coins):
    labels = measure.label(coins, connectivity=2)
    sizes = np.bincount(labels.ravel())[1:]
    order = 1 + np.argsort(-sizes)
    assert np.array_equal(KeepLargest()(coins) > 0, labels == order[0])
    assert np.array_equal(KeepLargest(5)(coins) > 0, np.isin(labels, order[:5]))
    assert np.array_equal(KeepLargest(10**6)(coins), coins)
    assert not KeepLargest()(np.zeros((5, 5), np.uint8)).any()


def test_corners_join_only_with_eight_neighbours():
    mask = np.zeros((6, 9), np.uint8)
    mask[0, 0] = mask[1, 1] = mask[2, 2] = mask[4, 5] = mask[4, 6] = 255
    assert np.count_nonzero(KeepLargest()(mask)) == 3
    assert np.argwhere(KeepLargest(connectivity=4)(mask)).tolist() == [[4, 5], [4, 6]]


@settings(deadline=None, max_examples=150)
@given(masks)
def test_what_touches_the_border_goes_as_in_scikit_image(mask):
    labels = measure.label(mask, connectivity=2).astype(np.int32)
    expected = segmentation.clear_border(labels)
    assert np.array_equal(ClearBorder()(mask) > 0, expected > 0)
    assert np.array_equal(ClearBorder()(labels), expected)


def test_coins_at_the_border_go(coins):
    cleared = ClearBorder()(coins)
    assert np.array_equal(cleared > 0, segmentation.clear_border(coins > 0))
    assert 0 < np.count_nonzero(cleared) < np.count_nonzero(coins)
    assert ClearBorder().gives_for(Kind.MASK) is Kind.MASK
    assert ClearBorder().gives_for(Kind.LABELS) is Kind.LABELS


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (FillHoles(0), "'max_area' of FillHoles must be a whole number at least 1"),
        (FillHoles(2.5), "'max_area'"),
        (RemoveSmallObjects(-1), "'min_area' of RemoveSmallObjects"),
        (RemoveSmallObjects(connectivity=6), "'connectivity' of RemoveSmallObjects must be 8 or 4"),
        (KeepLargest(0), "'count' of KeepLargest"),
        (KeepLargest(connectivity="8"), "'connectivity'"),
    ],
)
def test_parameters_are_refused_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(np.zeros((4, 4), np.uint8))


@pytest.mark.parametrize("step", [FillHoles(), RemoveSmallObjects(), KeepLargest(), ClearBorder()])
def test_gray_images_are_refused(step):
    with pytest.raises(KindError, match=r"takes a mask.*Otsu\(\)"):
        step(data.coins())
