"""Contours filled again, against the masks that they are from and scikit-image's means."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from skimage import data, measure

from vision.contours import Contours
from vision.errors import ParameterError
from vision.opencv import cv2

pytestmark = pytest.mark.cv2
masks = arrays(
    np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20)), elements=st.sampled_from([0, 255])
)


def outlines(mask, mode):
    points, hierarchy = cv2.findContours(mask, mode, cv2.CHAIN_APPROX_SIMPLE)
    apart = mode == cv2.RETR_EXTERNAL
    return Contours.from_opencv(points, hierarchy, mask.shape, apart=apart)


@settings(deadline=None, max_examples=200)
@given(masks, st.sampled_from([cv2.RETR_CCOMP, cv2.RETR_TREE]))
def test_filled_with_their_holes_contours_give_their_mask_back(mask, mode):
    found = outlines(mask, mode)
    assert np.array_equal(found.to_mask(), mask)
    labels = found.to_labels()
    assert labels.dtype == np.int32
    assert np.array_equal(labels > 0, mask > 0)
    # each region has one number, as scikit-image counts them
    expected = measure.label(mask, connectivity=2)
    pairs = set(zip(labels[mask > 0].tolist(), expected[mask > 0].tolist(), strict=True))
    assert len(pairs) == expected.max()
    assert {number for number, _ in pairs} == {
        int(r) + 1 for r in np.flatnonzero(found.depths % 2 == 0)
    }


@settings(deadline=None)
@given(masks)
def test_without_a_hierarchy_holes_are_filled(mask):
    filled = ndimage.binary_fill_holes(mask)
    assert np.array_equal(outlines(mask, cv2.RETR_EXTERNAL).to_mask() > 0, filled)
    assert np.array_equal(outlines(mask, cv2.RETR_LIST).to_mask() > 0, filled)


@settings(deadline=None)
@given(masks, st.integers(1, 5))
def test_some_of_the_outer_contours_are_filled_as_each_alone(mask, every):
    found = outlines(mask, cv2.RETR_EXTERNAL)
    labels, count = ndimage.label(ndimage.binary_fill_holes(mask), np.ones((3, 3)))
    assert len(found) == count
    chosen = np.arange(count) % every == 0
    numbers = [labels[y, x] for (x, y), *_ in found[chosen]]
    expected = np.isin(labels, numbers) & (labels > 0)
    assert np.array_equal(found[chosen].to_mask() > 0, expected)
    assert np.array_equal(found[::every].to_mask() > 0, expected)


def test_a_contour_that_is_chosen_twice_is_filled_once():
    mask = np.zeros((9, 9), np.uint8)
    mask[1:5, 1:8] = 255
    assert np.array_equal(outlines(mask, cv2.RETR_EXTERNAL)[[0, 0]].to_mask(), mask)


def test_overlapping_contours_are_united():
    square = np.array([[2, 2], [2, 12], [12, 12], [12, 2]])
    found = Contours((square, square + 5), (30, 30))
    expected = np.zeros((30, 30), np.uint8)
    expected[2:13, 2:13] = expected[7:18, 7:18] = 255
    assert np.array_equal(found.to_mask(), expected)
    assert set(np.unique(found.to_labels())) == {0, 1, 2}


@pytest.mark.parametrize("mode", [cv2.RETR_TREE, cv2.RETR_CCOMP])
def test_mean_colours_of_coffee_are_scikit_images(mode):
    image = data.coffee()
    mask = np.where(image[..., 0] > 150, 255, 0).astype(np.uint8)
    found = outlines(mask, mode)
    expected = measure.regionprops(measure.label(mask, connectivity=2), image)
    by_pixel = {tuple(region.coords[0]): region.intensity_mean for region in expected}
    labels = found.to_labels()
    means, gray = found.mean_colors(image), found.mean_colors(image[..., 1].astype(np.float32))
    rows = np.flatnonzero(found.depths % 2 == 0)
    assert len(rows) == len(expected) > 100
    first = {labels[pixel] - 1: mean for pixel, mean in by_pixel.items()}
    np.testing.assert_allclose(means[rows], [first[row] for row in rows])
    np.testing.assert_allclose(gray[rows], means[rows, 1], rtol=1e-5)


def test_a_hole_has_the_mean_of_all_within_it():
    image = np.full((20, 20), 10, np.uint8)
    image[3:15, 3:15] = 200
    image[6:12, 6:12] = 50
    found = outlines(np.where(image == 200, 255, 0).astype(np.uint8), cv2.RETR_CCOMP)
    ring, hole = found.mean_colors(image)
    assert ring == 200
    # 8 x 8 pixels but the corners, which the outline cuts, 36 of them dark
    assert hole == pytest.approx((36 * 50 + 24 * 200) / 60)


@pytest.mark.parametrize(
    "image",
    [np.zeros((9, 8), np.uint8), np.zeros((8, 9, 4), np.uint8), np.zeros((8, 9)), [[1]]],
)
def test_other_pictures_are_refused(image):
    found = Contours(([[1, 1]],), (8, 9))
    with pytest.raises(ParameterError, match=r"'image' of Contours\.mean_colors must be .* 9 x 8"):
        found.mean_colors(image)


@pytest.mark.parametrize("dtype", [np.float64, np.int32, bool])
def test_pictures_of_another_dtype_are_refused_with_those_that_count(dtype):
    found = Contours(([[1, 1]],), (8, 9))
    with pytest.raises(ParameterError, match=r"uint8, uint16 or float32\. Got .*astype\(np\.float"):
        found.mean_colors(np.ones((8, 9), dtype))


def test_nothing_found_fills_nothing():
    empty = Contours((), (8, 9))
    assert not empty.to_mask().any()
    assert not empty.to_labels().any()
    assert empty.mean_colors(np.zeros((8, 9, 3), np.uint8)).shape == (0, 3)
    assert empty.mean_colors(np.zeros((8, 9), np.uint8)).shape == (0,)
