"""Thinning against scikit-image, and what thinning must keep."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage import data, measure, morphology

from vision.thinning import thinned

masks = arrays(
    np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20)), elements=st.sampled_from([0, 255])
)


@settings(deadline=None, max_examples=200)
@given(masks)
def test_of_any_mask_it_is_scikit_images(mask):
    before = mask.copy()
    assert np.array_equal(thinned(mask) > 0, morphology.thin(mask > 0))
    assert np.array_equal(mask, before)


@pytest.mark.parametrize("name", ["horse", "coins", "page"])
def test_of_pictures_it_is_scikit_images(name):
    image = getattr(data, name)()
    mask = np.where(image > (0 if name == "horse" else 110), 255, 0).astype(np.uint8)
    found = thinned(mask)
    assert set(np.unique(found)) == {0, 255}
    assert np.array_equal(found > 0, morphology.thin(mask > 0))


@settings(deadline=None)
@given(masks)
def test_parts_and_holes_are_kept(mask):
    found = thinned(mask)
    assert (found <= mask).all()
    assert measure.label(found, connectivity=2).max() == measure.label(mask, connectivity=2).max()
    assert measure.euler_number(found, connectivity=2) == measure.euler_number(mask, connectivity=2)
