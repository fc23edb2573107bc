"""Circles against discs drawn by hand, coins segmented by scikit-image, and its own transform."""

import numpy as np
import pytest
from scipy import ndimage
from skimage import data, feature, filters, measure, segmentation, transform

from classical.circles import HoughCircles
from classical.filters import GaussianBlur
from vision.errors import KindError, ParameterError
from vision.opencv import cv2

pytestmark = pytest.mark.cv2


def discs(*circles, shape=(160, 220), light=200, dark=20):
    """A gray picture with smooth discs x, y, radius."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = np.zeros(shape)
    for center_x, center_y, radius in circles:
        away = np.hypot(x - center_x, y - center_y)
        image = np.maximum(image, np.clip(radius + 0.5 - away, 0, 1))
    return (dark + (light - dark) * image).round().astype(np.uint8)


def sorted_rows(centers, radii):
    rows = np.column_stack([centers, radii])
    return rows[np.lexsort(rows.T[::-1])]


@pytest.fixture(scope="module")
def coins():
    """Centres and radii of the 24 coins, by scikit-image's watershed of the gradients."""
    image = data.coins()
    markers = np.where(image < 30, 1, np.where(image > 150, 2, 0))
    flooded = segmentation.watershed(filters.sobel(image), markers)
    regions = measure.regionprops(measure.label(ndimage.binary_fill_holes(flooded == 2)))
    regions = [region for region in regions if region.area > 300]
    assert len(regions) == 24
    centers = np.array([region.centroid[::-1] for region in regions])
    return centers, np.sqrt([region.area / np.pi for region in regions])


@pytest.mark.parametrize("method", ["gradient_alt", "gradient"])
def test_discs_are_found_where_they_were_drawn(method):
    drawn = [(50, 60, 30), (120, 40, 18), (170, 110, 42)]
    found = HoughCircles(method)(discs(*drawn))
    assert len(found) == 3
    assert found.shape == (160, 220)
    rows = sorted_rows(found.centers, found.radii)
    assert np.allclose(rows, sorted(drawn), atol=0.8)


def test_dark_discs_are_circles_too():
    found = HoughCircles()(discs((90, 70, 35), light=30, dark=220))
    assert np.allclose(np.hstack([found.centers[0], found.radii[0]]), (90, 70, 35), atol=0.8)


@pytest.mark.parametrize(
    "step",
    [
        HoughCircles(),
        HoughCircles("gradient", 1.5, high=200, votes=40, min_radius=10, max_radius=40),
    ],
    ids=repr,
)
def test_all_coins_are_found_and_nothing_else(coins, step):
    found = step(GaussianBlur(5)(data.coins()))
    centers, radii = coins
    assert len(found) == 24
    away = np.hypot(*(found.centers[:, None] - centers).transpose(2, 0, 1))
    assert sorted(away.argmin(axis=1)) == list(range(24))
    assert away.min(axis=1).max() < 6
    assert np.median(away.min(axis=1)) < 2
    assert np.median(np.abs(found.radii - radii[away.argmin(axis=1)])) < 1.5


def test_the_circle_is_that_of_scikit_images_transform():
    image = GaussianBlur(5)(data.coins())[:80, 300:384]
    radii = np.arange(15, 40)
    votes = transform.hough_circle(feature.canny(image, sigma=1), radii)
    _, x, y, radius = transform.hough_circle_peaks(votes, radii, total_num_peaks=1)
    found = HoughCircles()(image)
    near = np.hypot(*(found.centers - (x[0], y[0])).T)
    assert near.min() < 3
    assert abs(found.radii[near.argmin()] - radius[0]) < 3


@pytest.mark.parametrize(
    "image", [data.coins(), data.coffee()[..., 1].copy()], ids=["coins", "cup"]
)
def test_parameters_and_defaults_are_opencvs_by_another_name(image):
    def rows(found):
        return found.reshape(-1, found.shape[-1])[:, :3]

    usual = cv2.HoughCircles(image, cv2.HOUGH_GRADIENT_ALT, 1, 20, param1=300, param2=0.8)
    found = HoughCircles()(image)
    assert np.array_equal(np.column_stack([found.centers, found.radii]), rows(usual))
    older = cv2.HoughCircles(image, cv2.HOUGH_GRADIENT, 2, 30, None, 250, 50, 12, 60)
    step = HoughCircles("gradient", 2, 30, high=250, votes=50, min_radius=12, max_radius=60)
    found = step(image)
    assert np.array_equal(np.column_stack([found.centers, found.radii]), rows(older))
    votes = cv2.HoughCircles(image, cv2.HOUGH_GRADIENT, 1, 20, None, 300, 30, 0, max(image.shape))
    found = HoughCircles("gradient")(image)
    assert np.array_equal(np.column_stack([found.centers, found.radii]), rows(votes))


def test_radii_and_distances_are_limited():
    image = discs((50, 60, 30), (120, 40, 18), (170, 110, 42))
    assert np.allclose(HoughCircles(min_radius=36)(image).radii, [42], atol=0.5)
    assert np.allclose(HoughCircles(max_radius=24)(image).radii, [18], atol=0.5)
    assert len(HoughCircles(min_distance=100)(image)) == 2


def test_more_perfectness_leaves_fewer_circles_all_of_them_found_before():
    counts, before = [], None
    for perfectness in (0.6, 0.8, 0.9):
        found = HoughCircles(high=100, perfectness=perfectness)(data.coins())
        counts.append(len(found))
        if before is not None:
            away = np.hypot(*(found.centers[:, None] - before.centers).transpose(2, 0, 1))
            assert away.min(axis=1).max() < 5
        before = found
    assert counts[0] > counts[1] > counts[2] > 10


def test_the_same_picture_gives_the_same_circles_with_any_number_of_threads():
    image = GaussianBlur(5)(data.coins())
    threads = cv2.getNumThreads()
    try:
        results = []
        for count in (1, 2, 4):
            cv2.setNumThreads(count)
            results += [step(image) for step in (HoughCircles(), HoughCircles("gradient"))]
    finally:
        cv2.setNumThreads(threads)
    assert results[0] == results[2] == results[4]
    assert results[1] == results[3] == results[5]


def test_an_even_picture_has_no_circles():
    found = HoughCircles()(np.full((50, 60), 90, np.uint8))
    assert len(found) == 0
    assert found.centers.shape == (0, 2)
    assert found.shape == (50, 60)


def test_colour_is_refused_with_the_way_out():
    with pytest.raises(KindError, match=r"Gray\(\)"):
        HoughCircles()(data.coffee())


@pytest.mark.parametrize(
    ("step", "message"),
    [
        # as OpenCV is called
        (HoughCircles(cv2.HOUGH_GRADIENT, 1, 20), "'method' .* must be 'gradient_alt' or .* Got 3"),
        (HoughCircles(dp=0.5), "'dp' of HoughCircles must be a number at least 1"),
        (HoughCircles(min_distance=0), "'min_distance'"),
        (HoughCircles(high=0), "'high'"),
        (HoughCircles(perfectness=1), "'perfectness'"),
        (HoughCircles(votes=0.8), "'votes'"),
        (HoughCircles(min_radius=-1), "'min_radius'"),
        (HoughCircles(min_radius=9, max_radius=9), "'max_radius' .* at least 10"),
    ],
    ids=repr,
)
def test_parameters_are_refused_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(np.zeros((5, 5), np.uint8))
