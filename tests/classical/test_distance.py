"""The distance transform against SciPy, geometry solved by hand, and itself called again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from skimage import data

from classical import distance
from classical.distance import DistanceTransform
from classical.threshold import Otsu
from vision.errors import KindError, ParameterError

SCIPYS = {
    "euclidean": ndimage.distance_transform_edt,
    "cityblock": lambda mask: ndimage.distance_transform_cdt(mask, "taxicab"),
    "chessboard": lambda mask: ndimage.distance_transform_cdt(mask, "chessboard"),
}
masks = arrays(
    np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.sampled_from([0, 255])
)


@pytest.mark.parametrize("metric", SCIPYS)
def test_distances_in_coins_are_scipys(metric):
    mask = Otsu()(data.coins())
    assert np.array_equal(DistanceTransform(metric)(mask), SCIPYS[metric](mask).astype(np.float32))


def test_straight_is_the_default():
    mask = Otsu()(data.horse().astype(np.uint8) * 255)
    assert np.array_equal(
        DistanceTransform()(mask), ndimage.distance_transform_edt(mask).astype(np.float32)
    )


@settings(deadline=None)
@given(masks, st.sampled_from(sorted(SCIPYS)))
def test_of_any_mask_they_are_scipys(mask, metric):
    # without any background, the outside is it
    given = np.pad(mask, 1) if mask.all() else mask
    expected = SCIPYS[metric](given).astype(np.float32)
    expected = expected[1:-1, 1:-1] if mask.all() else expected
    assert np.array_equal(DistanceTransform(metric)(mask), expected)


def test_a_disc_peaks_at_its_radius():
    rows, columns = np.mgrid[:101, :101]
    radius = np.hypot(rows - 50, columns - 50)
    mask = np.where(radius <= 40, 255, 0).astype(np.uint8)
    found = DistanceTransform()(mask)
    # the nearest pixel outside is 40 away in one direction and 1 in the other
    assert found.max() == found[50, 50] == np.float32(np.sqrt(1601))
    inside = mask > 0
    assert np.abs(found[inside] - (40.5 - radius[inside])).max() < 1


def test_metrics_by_hand():
    mask = np.full((9, 9), 255, np.uint8)
    mask[4, 4] = 0
    corner = {metric: DistanceTransform(metric)(mask)[0, 1] for metric in SCIPYS}
    assert corner == {"euclidean": 5, "cityblock": 7, "chessboard": 4}


def test_the_same_to_the_last_bit_whenever_it_is_called():
    rng = np.random.default_rng(0)
    for _ in range(30):
        mask = np.where(rng.random((48, 64)) < 0.97, 255, 0).astype(np.uint8)
        first = DistanceTransform()(mask)
        assert all(np.array_equal(DistanceTransform()(mask.copy()), first) for _ in range(5))


def test_large_distances_are_exact_too(monkeypatch):
    mask = np.full((3, 4000), 255, np.uint8)
    mask[0, 0] = 0
    rows, columns = np.mgrid[:3, :4000]
    expected = np.sqrt(rows**2 + columns**2).astype(np.float32)
    assert np.array_equal(DistanceTransform()(mask), expected)
    monkeypatch.setattr(distance, "_RECOVERABLE", 4)
    coins = Otsu()(data.coins())
    expected = ndimage.distance_transform_edt(coins).astype(np.float32)
    assert np.array_equal(DistanceTransform()(coins), expected)


def test_what_it_refuses():
    with pytest.raises(ParameterError, match=r"'metric'.*Did you mean 'euclidean'"):
        DistanceTransform("euclid")(np.zeros((4, 4), np.uint8))
    with pytest.raises(KindError, match="DistanceTransform takes a mask"):
        DistanceTransform()(data.coins())
