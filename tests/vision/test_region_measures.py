"""Measures of regions against scikit-image's regionprops and rectangles by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage import data, draw, measure

from vision import regions
from vision.errors import ParameterError
from vision.regions import region_corners, region_moments
from vision.segmentation import Segmentation

label_maps = arrays(
    np.int32, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 3)
)


def coins():
    return measure.label(data.coins() > 110).astype(np.int32)


def check_against_scikit_image(labels):
    found, expected = Segmentation(labels), measure.regionprops(labels)
    assert found.numbers.tolist() == [region.label for region in expected]
    assert found.areas.tolist() == [region.area for region in expected]
    table = region_moments(labels)
    for row, region in enumerate(expected):
        second = region.moments_central / region.area
        np.testing.assert_allclose(found.centroids[row], region.centroid[::-1])
        # theirs are of points, ours of squares
        ours = table[row, 3:] - (1 / 12, 0, 1 / 12)
        np.testing.assert_allclose(ours, second[(0, 1, 2), (2, 1, 0)], atol=1e-6)
        np.testing.assert_allclose(found.extents[row], region.extent)
        np.testing.assert_allclose(found.equivalent_diameters[row], region.equivalent_diameter_area)


@pytest.mark.parametrize("pixels", [1 << 20, 2000])
def test_measures_of_coins_are_scikit_images(monkeypatch, pixels):
    monkeypatch.setattr(regions, "_STRIPE", pixels)
    check_against_scikit_image(coins())


@settings(deadline=None)
@given(label_maps)
def test_measures_of_anything_are_scikit_images(labels):
    check_against_scikit_image(labels)


def test_forms_of_large_coins_are_scikit_images():
    labels = coins()
    found = Segmentation(labels)
    large = [(row, r) for row, r in enumerate(measure.regionprops(labels)) if r.area > 500]
    assert len(large) > 15
    for row, region in large:
        np.testing.assert_allclose(
            found.ellipses[row, 2:4],
            (region.axis_major_length, region.axis_minor_length),
            rtol=0.005,
        )
        np.testing.assert_allclose(found.eccentricities[row], region.eccentricity, atol=0.003)
        np.testing.assert_allclose(found.solidities[row], region.solidity, atol=0.02)
        turned = found.orientations[row] - (90 - np.rad2deg(region.orientation))
        assert abs((turned + 90) % 180 - 90) < 0.5 or region.eccentricity < 0.2


def test_a_rectangle_by_hand():
    labels = np.zeros((30, 40), np.int32)
    labels[5:11, 10:34] = 8
    found = Segmentation(labels)
    np.testing.assert_allclose(found.ellipses, [[21.5, 7.5, 24 * 4 / 12**0.5, 6 * 4 / 12**0.5, 0]])
    np.testing.assert_allclose(found.eccentricities, np.sqrt(1 - (6 / 24) ** 2))
    assert found.hull_areas.tolist() == found.areas.tolist() == [144]
    assert found.solidities.tolist() == found.extents.tolist() == [1]
    assert found.aspect_ratios.tolist() == [4]
    assert found.perimeters.tolist() == [2 * (23 + 5)]
    np.testing.assert_allclose(found.circularities, 4 * np.pi * 23 * 5 / 56**2)
    assert found.orientations.tolist() == [0]
    assert Segmentation(labels.T.copy()).orientations.tolist() == [90]


def test_one_pixel_by_hand():
    found = Segmentation(np.array([[0, 0], [0, 5]], np.int32))
    assert found.solidities.tolist() == found.extents.tolist() == [1]
    assert found.eccentricities.tolist() == found.circularities.tolist() == [0]
    assert found.perimeters.tolist() == [0]


def test_dents_and_holes_count():
    labels = np.zeros((30, 60), np.int32)
    labels[5:25, 5:25] = 1
    labels[10:15, 10:15] = 0
    labels[5:25, 35:55] = 2
    labels[5:15, 45:55] = 0
    ring, corner = Segmentation(labels).solidities
    assert ring == (400 - 25) / 400
    assert corner == 300 / 350  # the hull cuts the empty quarter in half
    circular = Segmentation(labels).circularities
    np.testing.assert_allclose(circular[0], np.pi / 4)  # its hole is filled
    assert circular[1] < 0.7


def test_a_disc_is_about_round():
    labels = np.zeros((201, 201), np.int32)
    labels[draw.disk((100, 100), 80.5)] = 1
    assert 0.87 < Segmentation(labels).circularities[0] < 0.93
    assert Segmentation(labels).solidities[0] > 0.97


def test_corners_of_rows():
    labels = np.array([[0, 3, 3], [9, 3, 9]], np.int32)
    three, nine = region_corners(labels)
    assert sorted(set(map(tuple, three.tolist()))) == [
        (1, 0),
        (1, 1),
        (1, 2),
        (2, 1),
        (2, 2),
        (3, 0),
        (3, 1),
    ]
    assert len(nine) == 8
    assert region_corners(np.zeros((3, 3), np.int32)) == []


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_mean_colours_are_scikit_images(dtype):
    image = data.coffee()[:303, :384].astype(dtype)
    labels = coins() * 3
    expected = [region.intensity_mean for region in measure.regionprops(labels, image)]
    np.testing.assert_allclose(Segmentation(labels).mean_colors(image), expected, rtol=1e-6)
    gray = np.ascontiguousarray(image[..., 2])
    np.testing.assert_allclose(
        Segmentation(labels).mean_colors(gray), np.array(expected)[:, 2], rtol=1e-6
    )


def test_labels_as_large_as_int32_goes():
    labels = np.array([[2**31 - 1, 0], [5, 2**31 - 1]], np.int32)
    found = Segmentation(labels)
    assert found.mean_colors(np.array([[8, 1], [3, 4]], np.uint8)).tolist() == [3, 6]
    assert found.areas.tolist() == [1, 2]


def test_nothing_but_background():
    empty = Segmentation(np.zeros((4, 5), np.int32))
    for name in ("areas", "solidities", "perimeters", "circularities", "eccentricities", "extents"):
        assert getattr(empty, name).shape == (0,)
    assert empty.ellipses.shape == (0, 5)
    assert empty.mean_colors(np.zeros((4, 5, 3), np.uint8)).shape == (0, 3)


def test_a_picture_of_another_size_is_refused():
    with pytest.raises(
        ParameterError, match=r"'image' of Segmentation\.mean_colors must be .* 5 x 4.*uint8\.$"
    ):
        Segmentation(np.zeros((4, 5), np.int32)).mean_colors(np.zeros((5, 4), np.uint8))


@pytest.mark.parametrize("dtype", [np.float64, np.int32, bool])
def test_another_dtype_is_refused_with_those_that_count(dtype):
    labels = np.array([[0, 7, 7, 7]], np.int32)
    image = np.array([[1, 0, 1, 1]], dtype)
    with pytest.raises(ParameterError, match=r"uint8, uint16 or float32\. Got .*astype") as caught:
        Segmentation(labels).mean_colors(image)
    assert str(caught.value).endswith("A float32 image is image.astype(np.float32).")
    assert Segmentation(labels).mean_colors(image.astype(np.float32)).tolist() == [2 / 3]
