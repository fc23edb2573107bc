"""Mean shift against scikit-learn's on colours, and by hand and on photographs in place."""

import numpy as np
import pytest
from scipy import ndimage
from skimage import data, measure
from sklearn.cluster import MeanShift
from sklearn.metrics import adjusted_rand_score

from classical.mean_shift import MeanShiftSegmenter
from vision.errors import ParameterError
from vision.opencv import cv2


@pytest.mark.parametrize(("name", "radius"), [("coffee", 30), ("astronaut", 40), ("retina", 30)])
def test_clusters_of_colour_are_scikit_learns(name, radius):
    image = getattr(data, name)()[::8, ::8].copy()
    pixels = image.reshape(-1, 3).astype(float)
    theirs = MeanShift(bandwidth=radius, bin_seeding=True).fit(pixels)
    labels = MeanShiftSegmenter(radius, None)(image)
    assert labels.dtype == np.int32 and labels.min() == 1
    assert abs(int(labels.max()) - len(theirs.cluster_centers_)) <= 1
    assert adjusted_rand_score(theirs.labels_, labels.ravel()) > 0.9


def test_clusters_of_gray_levels_are_scikit_learns():
    image = data.coins()[::6, ::6].copy()
    theirs = MeanShift(bandwidth=25, bin_seeding=True).fit(image.reshape(-1, 1).astype(float))
    labels = MeanShiftSegmenter(25, None)(image)
    assert labels.max() == len(theirs.cluster_centers_)
    assert adjusted_rand_score(theirs.labels_, labels.ravel()) > 0.95


def test_colours_run_from_dark_to_light():
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, 20:40], image[:, 40:] = (0, 0, 255), (0, 120, 0)  # luma 29 and 70
    assert MeanShiftSegmenter(spatial_radius=None)(image)[7, ::20].tolist() == [1, 2, 3]


def test_the_colour_radius_is_how_far_apart_modes_are():
    image = np.zeros((40, 40), np.uint8)
    image[:, 20:] = 90
    assert MeanShiftSegmenter(40, None)(image).max() == 2
    assert MeanShiftSegmenter(95, None)(image).max() == 1


def noisy_discs():
    rows, columns = np.mgrid[:120, :160]
    truth = np.ones((120, 160), int)
    for number, (x, y, radius) in enumerate([(40, 40, 25), (110, 45, 30), (70, 95, 18)], 2):
        truth[np.hypot(rows - y, columns - x) < radius] = number
    colors = np.array([[0, 0, 0], [90, 90, 90], [180, 60, 60], [60, 170, 60], [60, 60, 200]])
    noise = np.random.default_rng(0).normal(0, 8, (120, 160, 3))
    return (colors[truth] + noise).clip(0, 255).astype(np.uint8), truth


def test_regions_of_a_noisy_picture_are_its_discs():
    image, truth = noisy_discs()
    labels = MeanShiftSegmenter()(image)
    assert labels.max() == 4
    assert adjusted_rand_score(truth.ravel(), labels.ravel()) > 0.97
    assert MeanShiftSegmenter(color_radius=4, min_size=1)(image).max() > 50


def test_every_region_is_connected_and_none_too_small():
    image = data.chelsea()
    labels = MeanShiftSegmenter()(image)
    sizes = np.bincount(labels.ravel())
    assert sizes[0] == 0 and sizes[1:].min() >= 50 and np.any(sizes[1:] < 60)
    assert measure.label(labels, connectivity=1).max() == labels.max() > 20


def test_regions_are_even_in_colour_and_fewer_for_a_larger_radius():
    image = data.coffee()[::2, ::2].copy()
    labels = MeanShiftSegmenter()(image)
    means = [
        ndimage.mean(plane, labels, np.arange(labels.max() + 1)[1:])
        for plane in np.moveaxis(image, 2, 0)
    ]
    means = np.transpose(means)[labels - 1]
    assert (image - means).var() < 0.2 * image.reshape(-1, 3).var(axis=0).mean()
    fewer = MeanShiftSegmenter(24)(image).max()
    assert MeanShiftSegmenter(16)(image).max() > labels.max() > fewer


def test_neighbours_within_half_the_radius_are_one_region():
    image = np.zeros((40, 80, 3), np.uint8)
    image[:, 40:] = (14, 14, 14)  # 24.2 apart
    assert MeanShiftSegmenter()(image).max() == 2
    assert MeanShiftSegmenter(color_radius=50)(image).max() == 1
    image[:, 40:] = (5, 5, 5)  # 8.7
    assert MeanShiftSegmenter()(image).max() == 1


def by_search(image, rested, radius):
    """Regions by breadth-first search from pixel to pixel."""
    image, rested = image.astype(int), rested.astype(int)
    height, width = image.shape[:2]
    labels = np.zeros((height, width), int)
    for start in np.ndindex(height, width):
        waiting, number = ([] if labels[start] else [start]), labels.max() + 1
        while waiting:
            y, x = here = waiting.pop()
            labels[here] = number
            for there in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if not (0 <= there[0] < height and 0 <= there[1] < width) or labels[there]:
                    continue
                near = np.linalg.norm(image[here] - image[there]) <= radius
                if near and np.linalg.norm(rested[here] - rested[there]) <= radius / 2:
                    waiting.append(there)
    return labels


def test_regions_are_those_of_opencvs_picture_by_search():
    image = data.coffee()[150:220, 180:260].copy()
    rested = cv2.pyrMeanShiftFiltering(image, 10, 20)
    ours = MeanShiftSegmenter(min_size=1)(image)
    assert adjusted_rand_score(by_search(image, rested, 20).ravel(), ours.ravel()) == 1
    assert ours.max() > 20
    other = MeanShiftSegmenter(spatial_radius=2, min_size=1)(image)
    assert not np.array_equal(other, ours)


def test_gray_levels_count_like_those_of_one_channel():
    gray = data.camera()[100:250, 100:300].copy()
    color = np.dstack([gray] * 3)
    expected = MeanShiftSegmenter(20 * 3**0.5)(color)
    assert np.array_equal(MeanShiftSegmenter()(gray), expected)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"color_radius": 0}, "'color_radius' of MeanShiftSegmenter must be a number above 0"),
        ({"spatial_radius": 0}, "'spatial_radius'"),
        ({"min_size": 0}, "'min_size'"),
    ],
)
def test_parameters_are_refused_by_name(parameters, message):
    with pytest.raises(ParameterError, match=message):
        MeanShiftSegmenter(**parameters)(np.zeros((4, 4), np.uint8))
