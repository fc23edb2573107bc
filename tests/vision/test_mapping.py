"""Homographies against geometry solved by hand, scikit-image and SciPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from skimage import data, transform

from vision.errors import ImageError
from vision.mapping import (
    clip_segments,
    jacobians,
    map_angles,
    map_boxes,
    map_lengths,
    map_points,
    warp_linear,
    warp_nearest,
)

pytestmark = pytest.mark.cv2
TILTED = np.array([[1.2, 0.1, 5], [-0.2, 0.9, 3], [1e-3, -5e-4, 1]])
QUARTER = np.array([[0, -1, 9], [1, 0, 0], [0, 0, 1.0]])  # of an image 10 pixels high


def scale(factor):
    """Pixel edges onto pixel edges: centres move by half a pixel of both grids."""
    return np.array([[factor, 0, (factor - 1) / 2], [0, factor, (factor - 1) / 2], [0, 0, 1]])


def test_points_solved_by_hand():
    perspective = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 1.0]])
    assert map_points(perspective, np.array([[1, 2], [3, 8]])).tolist() == [[0.5, 1], [0.75, 2]]


def test_points_equal_scikit_image():
    points = np.random.default_rng(0).uniform(0, 100, (50, 2))
    expected = transform.ProjectiveTransform(TILTED)(points)
    np.testing.assert_allclose(map_points(TILTED, points), expected, rtol=1e-12)


def test_jacobians_are_the_limit_of_differences():
    points = np.random.default_rng(1).uniform(0, 100, (20, 2))
    step = 1e-5
    for axis in (0, 1):
        shift = np.eye(2)[axis] * step
        slope = map_points(TILTED, points + shift) - map_points(TILTED, points - shift)
        np.testing.assert_allclose(
            jacobians(TILTED, points)[:, :, axis], slope / (2 * step), atol=1e-7
        )


def test_lengths_and_angles_by_hand():
    points = np.zeros((2, 2))
    assert map_lengths(np.diag([4.0, 9, 1]), points, np.array([1, 2])).tolist() == [6, 12]
    turned = map_angles(QUARTER, points, np.array([0.0, 300]))
    np.testing.assert_allclose(turned, [90, 30])
    mirrored = map_angles(np.diag([-1.0, 1, 1]), points, np.array([0.0, 80]))
    np.testing.assert_allclose(mirrored, [180, 100])


def test_boxes_of_a_halved_image_are_halved_exactly():
    boxes, inside = map_boxes(scale(0.5), np.array([[10.0, 20, 30, 40]]), (100, 100))
    assert boxes.tolist() == [[5, 10, 15, 20]]
    assert inside.all()


def test_boxes_turn_with_the_pixels():
    mask = np.zeros((10, 16), np.uint8)
    mask[2:5, 3:11] = 255
    boxes, _ = map_boxes(QUARTER, np.array([[3.0, 2, 11, 5]]), (16, 10))
    rows, columns = np.nonzero(np.rot90(mask, -1))
    expected = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    np.testing.assert_allclose(boxes[0], expected)


def test_boxes_are_cut_and_left_out():
    boxes = np.array([[-5.0, 2, 5, 30], [-5, 0, 0, 9], [20, 0, 30, 9], [3, 3, 3, 3]])
    cut, inside = map_boxes(np.eye(3), boxes, (10, 20))
    assert inside.tolist() == [True, False, False, True]
    assert cut[0].tolist() == [0, 2, 5, 10]


def test_segments_cut_by_hand():
    segments = np.array(
        [
            [-5.0, -5, 20, 20],  # the diagonal leaves through the lower edge
            [2, 3, 4, 5],  # inside
            [-5, 0, 30, 0],  # along the upper edge
            [-5, -1, 30, -1],  # above it
            [0, 15, 15, 0],  # past the corner (15, 9): cuts off its corner
            [7, 7, 7, 7],  # a point
            [30, 0, 30, 9],  # to the right
        ]
    )
    cut, inside = clip_segments(segments, (10, 16))
    assert inside.tolist() == [True, True, True, False, True, True, False]
    expected = [[0, 0, 9, 9], [2, 3, 4, 5], [0, 0, 15, 0], [6, 9, 15, 0], [7, 7, 7, 7]]
    np.testing.assert_allclose(cut[inside], expected, atol=1e-5)


coordinate = st.integers(-200, 200).map(lambda quarters: quarters / 4)


@given(st.tuples(coordinate, coordinate, coordinate, coordinate))
def test_segments_agree_with_walking_along_them(ends):
    x1, y1, x2, y2 = ends
    share = np.linspace(0, 1, 2001)
    x, y = x1 + share * (x2 - x1), y1 + share * (y2 - y1)
    within = (x >= 0) & (x <= 19) & (y >= 0) & (y <= 9)
    cut, inside = clip_segments(np.array([ends]), (10, 20))
    if within.any():
        assert inside[0]
        first, last = np.flatnonzero(within)[[0, -1]]
        np.testing.assert_allclose(cut[0, :2], [x[first], y[first]], atol=0.1)
        np.testing.assert_allclose(cut[0, 2:], [x[last], y[last]], atol=0.1)
    elif inside[0]:  # shorter than a step of the walk
        assert np.hypot(*(cut[0, 2:] - cut[0, :2])) <= 0.15


def test_nearest_of_an_upright_matrix_is_exact():
    labels = np.random.default_rng(0).integers(0, 99, (12, 17)).astype(np.int32)
    larger = warp_nearest(labels, scale(3), (36, 51))
    assert np.array_equal(larger, labels.repeat(3, 0).repeat(3, 1))
    assert np.array_equal(warp_nearest(larger, np.linalg.inv(scale(3)), (12, 17)), labels)
    uncropped = warp_nearest(labels, np.array([[1, 0, 4], [0, 1, 2], [0, 0, 1.0]]), (20, 25))
    assert np.array_equal(uncropped, np.pad(labels, ((2, 6), (4, 4))))
    mirrored = warp_nearest(labels, np.array([[-1, 0, 16], [0, 1, 0], [0, 0, 1.0]]), (12, 17))
    assert np.array_equal(mirrored, labels[:, ::-1])


@pytest.mark.parametrize("dtype", [np.int32, np.uint8])
def test_nearest_of_a_quarter_turn_is_rot90(dtype):
    labels = np.random.default_rng(0).integers(0, 99, (10, 17)).astype(dtype)
    turned = warp_nearest(labels, QUARTER, (17, 10))
    assert turned.dtype == dtype
    assert np.array_equal(turned, np.rot90(labels, -1))


def test_nearest_of_a_tilt_agrees_with_scikit_image():
    labels = (data.coins() // 64).astype(np.int32) * 100_000
    expected = transform.warp(
        labels, np.linalg.inv(TILTED), order=0, preserve_range=True, output_shape=(300, 400)
    )
    assert (warp_nearest(labels, TILTED, (300, 400)) == expected).mean() > 0.995


def test_linear_of_an_upright_matrix_is_scikit_images_resize():
    values = np.random.default_rng(0).random((12, 17)).astype(np.float32)
    expected = transform.resize(values, (48, 68), order=1, mode="edge", anti_aliasing=False)
    np.testing.assert_allclose(warp_linear(values, scale(4), (48, 68)), expected, atol=1e-6)


def test_linear_of_a_tilt_agrees_with_scipy_and_ends_with_the_map():
    values = ndimage.gaussian_filter(data.coins().astype(np.float32) / 255, 2)
    warped = warp_linear(values, TILTED, (300, 400))
    y, x = np.mgrid[:300, :400]
    back = map_points(np.linalg.inv(TILTED), np.column_stack([x.ravel(), y.ravel()]))
    expected = ndimage.map_coordinates(values, back.T[::-1], order=1, mode="nearest")
    height, width = values.shape
    depth = np.minimum(back, np.array([width, height]) - 1 - back).min(axis=1).reshape(300, 400)
    expected = expected.reshape(300, 400)
    np.testing.assert_allclose(warped[depth > 0], expected[depth > 0], atol=5e-3)
    assert (warped[depth < -0.6] == 0).all()


def test_sides_beyond_opencvs_coordinates():
    strip = np.arange(40_000, dtype=np.int32)[None]
    shifted = warp_nearest(strip, np.array([[1, 0, -3], [0, 1, 0], [0, 0, 1.0]]), (1, 39_997))
    assert np.array_equal(shifted, strip[:, 3:])
    with pytest.raises(ImageError, match="32767"):
        warp_nearest(strip, QUARTER, (40_000, 10))
