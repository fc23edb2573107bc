"""Keypoints against OpenCV's own and geometry solved by hand."""

import numpy as np
import pytest
from skimage import data

from vision.errors import ParameterError
from vision.keypoints import Keypoints
from vision.opencv import cv2

pytestmark = pytest.mark.cv2


@pytest.mark.parametrize("detector", [cv2.SIFT_create, cv2.ORB_create])
def test_there_and_back_from_opencv(detector):
    image = data.coins()
    found, descriptors = detector(50).detectAndCompute(image, None)
    keypoints = Keypoints.from_opencv(found, image.shape, descriptors)
    assert len(keypoints) == len(found) >= 50
    assert np.array_equal(keypoints.descriptors, descriptors)
    assert keypoints.descriptors.dtype == descriptors.dtype
    for one, again in zip(found, keypoints.to_opencv(), strict=True):
        assert again.pt == one.pt
        assert (again.size, again.response) == (one.size, one.response)
        assert again.angle == pytest.approx(one.angle % 360)


def test_detectors_without_directions_give_none():
    found = cv2.FastFeatureDetector_create(60).detect(data.coins())
    keypoints = Keypoints.from_opencv(found, data.coins().shape)
    assert keypoints.angles is None
    assert keypoints.descriptors is None
    assert {one.angle for one in keypoints.to_opencv()} == {-1}
    assert keypoints.to_records()[0]["angle"] is None


def test_nothing_found():
    none = Keypoints.from_opencv([], (9, 9))
    assert len(none) == 0
    assert none.to_opencv() == []
    assert none == none.mapped(np.eye(3), (9, 9))


def test_records_leave_out_directions_that_are_none():
    keypoints = Keypoints([[1, 2], [3, 4]], (9, 9), angles=[-1, 45], responses=[5, 6])
    assert keypoints.to_records() == [
        {"x": 1.0, "y": 2.0, "size": None, "angle": None, "response": 5.0},
        {"x": 3.0, "y": 4.0, "size": None, "angle": 45.0, "response": 6.0},
    ]


def test_mapped_by_hand():
    # Turned by a quarter (100 rows high) and made twice as large.
    matrix = [[0, -2, 198.5], [2, 0, 0.5], [0, 0, 1]]
    rows = np.arange(6).reshape(2, 3)
    keypoints = Keypoints([[10, 20], [30, 40]], (100, 80), [6, 8], [350, -1], [0.1, 0.2], rows)
    moved = keypoints.mapped(matrix, (160, 200))
    np.testing.assert_allclose(moved.points, [[158.5, 20.5], [118.5, 60.5]])
    np.testing.assert_allclose(moved.sizes, [12, 16])
    np.testing.assert_allclose(moved.angles, [80, -1])
    assert moved.responses.tolist() == [0.1, 0.2]
    assert np.array_equal(moved.descriptors, rows)


def test_points_outside_are_left_out_with_their_rows():
    keypoints = Keypoints([[5, 5], [9, 5]], (10, 10), [1, 2], descriptors=[[1], [2]])
    moved = keypoints.mapped([[1, 0, -6], [0, 1, 0], [0, 0, 1]], (10, 4))
    assert moved.points.tolist() == [[3, 5]]
    assert moved.sizes.tolist() == [2]
    assert moved.descriptors.tolist() == [[2]]


def test_direction_is_drawn_from_the_centre_outwards():
    drawn = Keypoints([[30, 30]], (61, 61), [40], [90]).draw(np.zeros((61, 61), np.uint8))
    lit = drawn.max(axis=2) > 127
    assert lit[31:50, 30].all()  # 90 degrees points down
    assert not lit[12:29, 30].any()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"points": [[1, np.inf]]}, "'points'"),
        ({"sizes": [1, 2]}, "'sizes' .* n = 1"),
        ({"sizes": [-1]}, "'sizes' .* at least 0"),
        ({"angles": [360]}, r"'angles' .* \[0, 360\), or -1"),
        ({"angles": [-0.5]}, r"'angles' .* \[0, 360\), or -1"),
        ({"responses": ["x"]}, "'responses'"),
        ({"descriptors": [1]}, r"'descriptors' .* \(1, d\)"),
        ({"descriptors": [[1], [2]]}, r"'descriptors' .* \(1, d\)"),
        ({"descriptors": [[np.nan]]}, "'descriptors' .* finite"),
        ({"shape": "9"}, "'shape'"),
    ],
)
def test_refusals_name_the_field(arguments, says):
    with pytest.raises(ParameterError, match=says):
        Keypoints(**({"points": [[1, 1]], "shape": (9, 9)} | arguments))
