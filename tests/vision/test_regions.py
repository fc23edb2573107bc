"""Region statistics against scikit-image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from skimage import data, measure, segmentation

from vision import regions
from vision.regions import label_borders, region_table


def check_against_scikit_image(labels):
    names, areas, boxes, centers = region_table(labels)
    expected = measure.regionprops(labels)
    assert names.tolist() == [region.label for region in expected]
    assert areas.tolist() == [region.area for region in expected]
    for region, box, center in zip(expected, boxes, centers, strict=True):
        top, left, bottom, right = region.bbox
        assert box.tolist() == [left, top, right, bottom]
        np.testing.assert_allclose(center[::-1], region.centroid)


@pytest.mark.parametrize("pixels", [1 << 20, 2000, 1])
def test_table_of_coins_is_scikit_images(monkeypatch, pixels):
    monkeypatch.setattr(regions, "_STRIPE", pixels)
    check_against_scikit_image(measure.label(data.coins() > 110).astype(np.int32))


@given(
    arrays.arrays(np.int32, arrays.array_shapes(min_dims=2, max_dims=2), elements=st.integers(0, 4))
)
def test_table_of_anything_is_scikit_images(labels):
    check_against_scikit_image(labels)


def test_labels_as_large_as_int32_goes():
    labels = np.array([[2**31 - 1, 0], [5, 2**31 - 1]], np.int32)
    names, areas, *_ = region_table(labels)
    assert names.tolist() == [5, 2**31 - 1]
    assert areas.tolist() == [1, 2]


def test_views_of_larger_arrays():
    labels = measure.label(data.coins() > 110).astype(np.int32)
    check_against_scikit_image(labels[10:200:2, 300:20:-3])


def test_borders_are_scikit_images():
    labels = measure.label(data.coins() > 110).astype(np.int32)
    expected = segmentation.find_boundaries(labels, connectivity=1, mode="thick")
    assert np.array_equal(label_borders(labels) > 0, expected)
