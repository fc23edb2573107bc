"""Simple blobs against scikit-image's regions, and shapes at both sides of each limit."""

import numpy as np
import pytest
from skimage import data, filters, measure, morphology

from classical.simple_blobs import SimpleBlobs
from vision.errors import ParameterError

pytestmark = pytest.mark.cv2


def test_the_coins_are_found_where_they_are_and_as_large():
    image = data.coins()
    coins = morphology.opening(image > filters.threshold_otsu(image), morphology.disk(5))
    regions = [r for r in measure.regionprops(measure.label(coins)) if r.area > 800]
    found = SimpleBlobs("bright")(image)
    assert len(found) == 24  # so many coins are in the picture
    assert (np.diff(found.sizes) <= 0).all()
    centers = np.array([region.centroid[::-1] for region in regions])
    diameters = np.array([region.equivalent_diameter_area for region in regions])
    distances = np.linalg.norm(found.points[:, None] - centers, axis=2)
    nearest = distances.argmin(axis=1)
    good = distances.min(axis=1) < 6
    assert good.sum() >= 17  # of the others the threshold cut their shadows off
    ratios = found.sizes[good] / diameters[nearest[good]]
    assert np.median(ratios) == pytest.approx(1, abs=0.06)
    assert np.abs(ratios - 1).max() < 0.25


def shape(width, height, level=225, ground=15, x=60, y=40):
    """A bright rectangle: OpenCV's area goes from pixel centre to pixel centre."""
    image = np.full((160, 220), ground, np.uint8)
    image[y : y + height, x : x + width] = level
    return image


def count(image, **parameters):
    return len(SimpleBlobs(**{"polarity": "bright"} | parameters)(image))


def test_where_and_how_large():
    y, x = np.mgrid[:160, :220]
    image = np.where((x - 130) ** 2 + (y - 50) ** 2 <= 20**2, 30, 240).astype(np.uint8)
    found = SimpleBlobs()(image)
    np.testing.assert_allclose(found.points, [[130, 50]], atol=0.1)
    np.testing.assert_allclose(found.sizes, [40], atol=1.5)
    assert found.angles is None


def test_dark_is_the_default_and_bright_the_other():
    bright = shape(20, 20)
    assert [len(SimpleBlobs()(image)) for image in (bright, 255 - bright)] == [0, 1]
    assert [count(image) for image in (bright, 255 - bright)] == [1, 0]


def test_area_is_from_25_to_5000_square_pixels():
    assert [count(shape(side, side)) for side in (5, 6, 71, 72)] == [0, 1, 1, 0]
    assert count(shape(7, 5)) == 0  # 24
    assert [count(shape(side, side), max_area=None) for side in (72, 90)] == [1, 1]
    assert [count(shape(side, side), min_area=101) for side in (11, 12)] == [0, 1]


def test_inertia_is_the_squared_ratio_of_both_extents():
    # (12 / 39)^2 = 0.095 and (13 / 39)^2 = 0.111; (27 / 40)^2 = 0.46 and (29 / 40)^2 = 0.53.
    assert [count(shape(40, height)) for height in (13, 14)] == [0, 1]
    assert count(shape(40, 13), min_inertia=None) == 1
    assert [count(shape(41, height), min_inertia=0.5) for height in (28, 30)] == [0, 1]


def test_convexity_is_the_share_of_the_hull():
    def notched(depth):
        image = shape(41, 41)
        image[40 : 40 + depth, 70:91] = 15  # in the upper side, 22 pixels from rim to rim
        return image

    # Shares of about 1 - 22 depth / 1600: 0.92, 0.88 and 0.79.
    assert [count(notched(depth)) for depth in (6, 9, 15)] == [1, 0, 0]
    assert [count(notched(depth), min_convexity=0.83) for depth in (9, 15)] == [1, 0]
    assert count(notched(15), min_convexity=None) == 1


def test_circularity_tells_discs_from_squares():
    square = shape(30, 30)  # pi / 4 = 0.785
    assert [count(square, min_circularity=least) for least in (0.77, 0.8)] == [1, 0]


def test_thresholds_go_from_50_by_10_and_end_below_220():
    # A blob is cut out by thresholds from the level of the ground to below its own.
    def seen(low, high, **parameters):
        return count(shape(20, 20, high, low), **parameters)

    assert [seen(45, 65), seen(45, 60), seen(35, 55)] == [1, 0, 0]
    assert [seen(55, 75), seen(55, 65)] == [1, 0]
    assert [seen(195, 215), seen(205, 225)] == [1, 0]
    assert seen(55, 65, min_repeatability=1) == 1
    assert seen(55, 65, threshold_step=5) == 1
    assert seen(205, 225, max_threshold=256) == 1


def test_near_centres_are_one_blob():
    def pair(apart):
        image = shape(6, 6)
        image[40:46, 60 + apart : 66 + apart] = 225
        return image

    assert [count(pair(apart)) for apart in (9, 11)] == [1, 2]
    assert count(pair(11), min_distance=12) == 1


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"polarity": "both"}, "'polarity' .* 'dark' or 'bright'"),
        ({"min_area": 9000}, "'min_area' .* must not exceed 'max_area'"),
        ({"min_convexity": 0}, "'min_convexity' .* above 0"),
        ({"threshold_step": 0}, "'threshold_step' .* above 0"),
        ({"min_threshold": 230}, "'min_threshold' .* must not exceed 'max_threshold'"),
        ({"min_repeatability": 0}, "'min_repeatability' .* at least 1"),
        ({"min_distance": 0}, "'min_distance' .* above 0"),
    ],
)
def test_refusals_name_the_parameter(parameters, says):
    with pytest.raises(ParameterError, match=says):
        SimpleBlobs(**parameters)(data.coins())
