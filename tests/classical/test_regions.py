"""Connected components and filters of regions against scikit-image and SciPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from skimage import data, measure

from classical.regions import ConnectedComponents, FilterRegions, LabelsToMask
from classical.threshold import Otsu
from vision.errors import KindError, ParameterError

masks = arrays(
    np.uint8, st.tuples(st.integers(1, 14), st.integers(1, 14)), elements=st.sampled_from([0, 255])
)


@pytest.fixture(scope="module")
def labels():
    return measure.label(data.coins() > 110, connectivity=2).astype(np.int32)


def same_partition(ours, theirs):
    pairs = np.unique(np.column_stack([ours.ravel(), theirs.ravel()]), axis=0)
    return len(pairs) == ours.max() + 1 == theirs.max() + 1


@settings(deadline=None, max_examples=150)
@given(masks)
def test_components_of_any_mask_are_scikit_images(mask):
    padded = np.pad(mask, 1)  # with some background, numbers are comparable
    assert same_partition(ConnectedComponents()(padded), measure.label(padded, connectivity=2))
    assert same_partition(ConnectedComponents(4)(padded), measure.label(padded, connectivity=1))
    assert np.array_equal(ConnectedComponents()(padded)[1:-1, 1:-1] > 0, mask > 0)


def test_components_of_coins():
    mask = Otsu()(data.coins())
    found = ConnectedComponents()(mask)
    assert found.dtype == np.int32
    assert same_partition(found, ndimage.label(mask, np.ones((3, 3)))[0])
    assert same_partition(ConnectedComponents(4)(mask), ndimage.label(mask)[0])
    assert found.max() < ConnectedComponents(4)(mask).max()


def test_components_are_numbered_from_the_top_down():
    found = ConnectedComponents()(Otsu()(data.coins()))
    tops = [np.flatnonzero((found == label).any(axis=1))[0] for label in range(1, found.max() + 1)]
    assert np.diff(tops).min() >= -1  # two rows are looked at together
    assert np.diff(tops).max() > 1


FILTERS = [
    ({"area": (100, 2000)}, lambda r: 100 <= r.area <= 2000),
    ({"x": (200, None)}, lambda r: r.centroid[1] >= 200),
    ({"y": (None, 150)}, lambda r: r.centroid[0] <= 150),
    ({"width": (10, 50)}, lambda r: 10 <= r.bbox[3] - r.bbox[1] <= 50),
    ({"height": (None, 20)}, lambda r: r.bbox[2] - r.bbox[0] <= 20),
    ({"extent": (0.5, 0.8)}, lambda r: 0.5 <= r.extent <= 0.8),
    (
        {"aspect_ratio": (1.2, None)},
        lambda r: (r.bbox[3] - r.bbox[1]) / (r.bbox[2] - r.bbox[0]) >= 1.2,
    ),
    (
        {"area": (300, None), "eccentricity": (None, 0.6)},
        lambda r: r.area >= 300 and r.eccentricity <= 0.6,
    ),
    (
        {"area": (300, None), "solidity": (0.9, None)},
        lambda r: r.area >= 300 and r.solidity >= 0.91,
    ),
    ({}, lambda r: True),
]


@pytest.mark.parametrize(("ranges", "keep"), FILTERS)
def test_regions_of_coins_are_chosen_as_by_regionprops(labels, ranges, keep):
    kept = [region.label for region in measure.regionprops(labels) if keep(region)]
    assert len(kept) > 3
    expected = np.where(np.isin(labels, kept), labels, 0)
    result = FilterRegions(**ranges)(labels)
    assert result.dtype == np.int32
    assert np.array_equal(result, expected)


def test_form_by_hand():
    labels = np.zeros((60, 160), np.int32)
    labels[10:50, 10:50] = 3
    labels[20:24, 60:100] = 4
    rows, columns = np.mgrid[:60, :160]
    labels[np.hypot(rows - 30, columns - 130) <= 20] = 9
    for ranges, kept in (
        ({"circularity": (0.85, None)}, {9}),
        ({"circularity": (0.7, 0.8)}, {3}),
        ({"perimeter": (80, 90)}, {4}),
        ({"perimeter": (4 * 39, 4 * 39)}, {3}),
        ({"orientation": (170, 10), "eccentricity": (0.5, None)}, {4}),
        ({"extent": (1, None)}, {3, 4}),
    ):
        assert set(np.unique(FilterRegions(**ranges)(labels))) - {0} == kept


def test_labels_beyond_any_table():
    labels = np.array([[2**31 - 1, 0, 7, 7]], np.int32)
    assert FilterRegions(area=(None, 1))(labels).tolist() == [[2**31 - 1, 0, 0, 0]]
    assert LabelsToMask(2**31 - 1)(labels).tolist() == [[255, 0, 0, 0]]
    assert LabelsToMask((5, 2**31))(labels).tolist() == [[0, 0, 0, 0]]


def test_masks_of_labels(labels):
    assert np.array_equal(LabelsToMask()(labels) > 0, labels > 0)
    assert np.array_equal(LabelsToMask(3)(labels) > 0, labels == 3)
    assert np.array_equal(LabelsToMask((2, 5, 999))(labels) > 0, np.isin(labels, (2, 5)))
    assert np.array_equal(LabelsToMask([0])(labels) > 0, labels == 0)
    assert set(np.unique(LabelsToMask()(labels))) == {0, 255}


def test_the_mask_of_a_coin_is_regionprops_picture_in_its_box(labels):
    regions = sorted(measure.regionprops(labels), key=lambda region: region.area)[-4:]
    for region in regions:
        mask = LabelsToMask(region.label)(labels)
        assert np.array_equal(mask[region.slice] > 0, region.image)
        assert np.count_nonzero(mask) == region.area
    several = LabelsToMask([region.label for region in regions])(labels)
    assert np.count_nonzero(several) == sum(region.area for region in regions)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (FilterRegions(area=5), "'area' of FilterRegions must be a pair"),
        (FilterRegions(extent=(0.9, 0.2)), "must not exceed"),
        (LabelsToMask(-1), "'labels' of LabelsToMask"),
        (LabelsToMask(()), "'labels'"),
        (LabelsToMask((1, 2.5)), "'labels'"),
        (LabelsToMask(True), "'labels'"),
    ],
)
def test_parameters_are_refused_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(np.zeros((4, 4), np.int32))


def test_connectivity_and_kinds_are_refused():
    with pytest.raises(
        ParameterError, match="'connectivity' of ConnectedComponents must be 8 or 4"
    ):
        ConnectedComponents(1)(np.zeros((4, 4), np.uint8))
    with pytest.raises(KindError, match="ConnectedComponents takes a mask"):
        ConnectedComponents()(data.coins())
    with pytest.raises(KindError, match="FilterRegions takes a label map"):
        FilterRegions()(data.coins())
