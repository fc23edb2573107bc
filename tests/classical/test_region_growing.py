"""Flood fill against scikit-image, region growing by its own rule, on photographs and by hand."""

import numpy as np
import pytest
from scipy import ndimage
from skimage import data, measure, segmentation

from classical.region_growing import FloodFill, RegionGrowing
from vision.errors import ParameterError


@pytest.mark.parametrize(("connectivity", "theirs"), [(4, 1), (8, 2)])
@pytest.mark.parametrize("seed", [(50, 200), (300, 30), (200, 450)])
def test_a_flood_is_scikit_images(seed, connectivity, theirs):
    image = data.camera()
    for tolerance in (5, 20, 60):
        expected = segmentation.flood(image, seed[::-1], tolerance=tolerance, connectivity=theirs)
        mask = FloodFill([seed], tolerance, connectivity=connectivity)(image)
        assert mask.dtype == np.uint8 and set(np.unique(mask)) <= {0, 255}
        assert np.array_equal(mask > 0, expected)


def test_the_default_tolerance_is_twenty_levels_to_four_neighbours():
    image = np.array([[100, 120, 121, 80, 79], [255, 255, 255, 90, 90]], np.uint8)
    assert FloodFill([(0, 0)])(image).tolist() == [[255, 255, 0, 0, 0], [0] * 5]
    image[0, 2] = 119
    assert FloodFill([(0, 0)])(image).tolist() == [[255, 255, 255, 255, 0], [0, 0, 0, 255, 255]]


def test_every_channel_must_be_near_the_seeds():
    image = data.coffee()
    x, y = 100, 100
    near = (np.abs(image.astype(int) - image[y, x]) <= 30).all(axis=2)
    parts = measure.label(near, connectivity=1)
    assert np.array_equal(FloodFill([(x, y)], 30)(image) > 0, parts == parts[y, x])


def test_compared_to_neighbours_a_flood_follows_a_slope():
    image = np.tile(np.arange(0, 200, 10, dtype=np.uint8), (5, 1))
    image[:, 15:] += 30
    mask = FloodFill([(3, 2)], 10, "neighbor")(image)
    assert np.array_equal(mask > 0, np.tile(np.arange(20) < 15, (5, 1)))
    assert (FloodFill([(3, 2)], 10)(image) > 0).sum() == 5 * 3
    assert not FloodFill([(3, 2)], 9, "neighbor")(image)[:, 4].any()


def test_several_floods_are_the_union_of_each():
    image = data.coins()
    seeds = [(40, 55), (100, 55), (45, 125)]
    each = [FloodFill([seed], 40)(image) for seed in seeds]
    assert np.array_equal(FloodFill(seeds, 40)(image), np.maximum.reduce(each))
    # The first flood must not dam the second.
    line = np.array([[100, 110, 120, 130]], np.uint8)
    assert FloodFill([(1, 0), (2, 0)], 10)(line).all()


def test_thirty_levels_from_the_mean_are_alike_by_default():
    image = np.array([[10, 40, 56]], np.uint8)  # 30 from the seed, then 31 from the mean of 25
    assert RegionGrowing([(0, 0)])(image).tolist() == [[1, 1, 0]]


def regions_hold(image, labels, seeds, tolerance, connectivity=1):
    """Whether each region holds its seed, is connected, and has no like pixel left beside it."""
    image = np.atleast_3d(image).astype(float)
    for number, (x, y) in enumerate(seeds, 1):
        region = labels == number
        assert region[y, x]
        assert measure.label(region, connectivity=connectivity).max() == 1
        structure = ndimage.generate_binary_structure(2, connectivity)
        rim = ndimage.binary_dilation(region, structure) & (labels == 0)
        apart = np.linalg.norm(image[rim] - image[region].mean(axis=0), axis=1)
        assert np.all(apart > tolerance)


@pytest.mark.parametrize("connectivity", [4, 8])
def test_regions_stop_where_nothing_beside_them_is_like_their_mean(connectivity):
    image = ndimage.gaussian_filter(data.coffee(), (2, 2, 0))
    seeds = [(100, 100), (300, 150), (390, 280), (520, 80)]
    labels = RegionGrowing(seeds, 40, connectivity)(image)
    assert labels.dtype == np.int32 and np.all(np.bincount(labels.ravel()) > 3000)
    regions_hold(image, labels, seeds, 40, connectivity // 4)


def test_regions_of_a_gray_photograph_stop_as_well():
    image = ndimage.gaussian_filter(data.camera(), 1)
    seeds = [(100, 50), (150, 300), (300, 450)]
    labels = RegionGrowing(seeds)(image)
    regions_hold(image, labels, seeds, 30)
    assert np.mean(labels[:100] == 1) > 0.9  # the sky
    assert labels[250, 150] == 2  # the coat


def test_the_mean_moves_with_the_region():
    # From 10: 22 is within 15, then the mean is 16; 30 is within 15 of it, not of the seed.
    image = np.array([[10, 22, 30, 46]], np.uint8)
    assert RegionGrowing([(0, 0)], 15)(image).tolist() == [[1, 1, 1, 0]]
    assert RegionGrowing([(0, 0)], 13)(image).tolist() == [[1, 1, 0, 0]]
    assert RegionGrowing([(0, 0)])(image).tolist() == [[1, 1, 1, 1]]  # 46 - 62 / 3 = 25.3


def test_distance_is_straight_over_the_channels():
    image = np.array([[[0, 0, 0], [30, 0, 40], [0, 0, 0]]], np.uint8)  # 50 apart
    assert RegionGrowing([(0, 0)], 49.9)(image).tolist() == [[1, 0, 0]]
    assert RegionGrowing([(0, 0)], 50)(image).tolist() == [[1, 1, 1]]


def test_a_pixel_between_two_regions_joins_the_nearer_mean():
    image = np.array([[10, 28, 50]], np.uint8)
    assert RegionGrowing([(0, 0), (2, 0)], 30)(image).tolist() == [[1, 1, 2]]
    assert RegionGrowing([(2, 0), (0, 0)], 30)(image).tolist() == [[2, 2, 1]]
    image[0, 1] = 33
    assert RegionGrowing([(0, 0), (2, 0)], 30)(image).tolist() == [[1, 2, 2]]
    image[0, 1] = 30  # both are 20 away
    assert RegionGrowing([(2, 0), (0, 0)], 30)(image).tolist() == [[2, 1, 1]]


def test_plain_regions_are_scipys_components():
    rows, columns = np.mgrid[:80, :120]
    image = np.where(np.hypot(rows - 40, columns - 60) < 30, 200, 60).astype(np.uint8)
    image += np.random.default_rng(0).integers(0, 9, image.shape, dtype=np.uint8)
    labels = RegionGrowing([(2, 3), (60, 40)])(image)
    expected = ndimage.label(image > 130)[0]
    assert np.array_equal(labels == 2, expected == 1)
    assert np.array_equal(labels == 1, expected == 0)


@pytest.mark.parametrize("step", [FloodFill, RegionGrowing])
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"seeds": []}, "'seeds' of .* must be a list of points"),
        ({"seeds": (4, 5)}, "One point is"),
        ({"seeds": [(1.5, 2)]}, "whole numbers"),
        ({"seeds": [(-1, 2)]}, "from 0"),
        ({"seeds": [(1, 2), (1, 2)]}, "different points"),
        ({"seeds": [(9, 2)]}, r"of 9 x 5 pixels. Got the point \(x, y\) = \(9, 2\)"),
        ({"seeds": [(2, 5)]}, "must lie in the image"),
        ({"tolerance": -1}, "'tolerance'"),
        ({"connectivity": 6}, "'connectivity'"),
    ],
)
def test_parameters_are_refused_by_name(step, parameters, message):
    with pytest.raises(ParameterError, match=message):
        step(**{"seeds": [(0, 0)], **parameters})(np.zeros((5, 9), np.uint8))


def test_what_a_flood_compares_with_is_checked():
    with pytest.raises(ParameterError, match="'compare_to' of FloodFill must be 'seed' or"):
        FloodFill([(0, 0)], compare_to="mean")(np.zeros((5, 9), np.uint8))
