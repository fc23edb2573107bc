"""Lines and circles against geometry solved by hand and OpenCV's detectors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.errors import ParameterError
from vision.opencv import cv2
from vision.shapes import Circles, Lines

pytestmark = pytest.mark.cv2
HALF = np.pi / 2


@pytest.mark.parametrize(
    ("rho", "theta", "segment"),
    [
        (5, 0, [5, 0, 5, 9]),  # upright: x = 5
        (3, HALF, [19, 3, 0, 3]),  # level: y = 3
        (0, HALF, [19, 0, 0, 0]),  # the uppermost row itself
        (0, np.pi / 4 * 3, [0, 0, 9, 9]),  # y = x, out through the lower edge
        (np.sqrt(2) * 4, np.pi / 4, [8, 0, 0, 8]),  # x + y = 8
        (-5, np.pi, [5, 9, 5, 0]),  # x = 5 again
    ],
)
def test_hough_lines_by_hand(rho, theta, segment):
    lines = Lines.from_rho_theta([[rho, theta]], (10, 20))
    ends = sorted(map(tuple, lines.segments.reshape(2, 2).round(5).tolist()))
    assert ends == sorted([tuple(segment[:2]), tuple(segment[2:])])
    assert lines.rho_theta.tolist() == [[rho, theta]]


def test_opencv_finds_the_line_that_was_drawn():
    edges = np.zeros((101, 101), np.uint8)
    np.fill_diagonal(edges[:, ::-1], 255)  # x + y = 100
    found = cv2.HoughLines(edges, 1, np.pi / 180, 90).reshape(-1, 2)
    lines = Lines.from_rho_theta(found, edges.shape)
    ends = np.sort(lines.segments[0].reshape(2, 2), axis=0)
    np.testing.assert_allclose(ends, [[0, 0], [100, 100]], atol=1.5)
    np.testing.assert_allclose(lines.angles[0], 135, atol=1e-3)


def test_lines_that_miss_the_image_are_left_out_with_their_votes():
    lines = Lines.from_rho_theta([[500, 0], [5, 0]], (10, 20), votes=[7, 8])
    assert lines.votes.tolist() == [8]
    assert lines.rho_theta.tolist() == [[5, 0]]


def test_lengths_and_angles_by_hand():
    lines = Lines([[0, 0, 3, 4], [9, 1, 1, 1], [2, 8, 2, 1], [0, 9, 9, 0], [0, 0, 5, -1e-20]], (10, 10))  # noqa: E501  # fmt: skip
    np.testing.assert_allclose(lines.lengths, [5, 8, 7, np.hypot(9, 9), 5])
    expected = [np.degrees(np.arctan(4 / 3)), 0, 90, 135, 0]
    np.testing.assert_allclose(lines.angles, expected, atol=1e-9)


def test_records():
    lines = Lines.from_rho_theta([[5, 0]], (10, 20), votes=[33])
    assert lines.to_records() == [
        {"x1": 5, "y1": 0, "x2": 5, "y2": 9, "length": 9, "angle": 90}
        | {"rho": 5, "theta": 0, "votes": 33}
    ]
    assert Lines([[0, 0, 1, 0]], (10, 20)).to_records()[0]["rho"] is None


def test_mapped_line_by_hand():
    # Twice as large, edges on edges: x = 5 becomes x = 10.5.
    twice = [[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]]
    lines = Lines.from_rho_theta([[5, 0]], (10, 20), votes=[3]).mapped(twice, (20, 40))
    np.testing.assert_allclose(lines.segments, [[10.5, 0, 10.5, 19]])
    np.testing.assert_allclose(lines.rho_theta, [[10.5, 0]], atol=1e-12)
    assert lines.votes.tolist() == [3]


@given(
    st.floats(1, 9), st.floats(0, 3.1), st.floats(-1, 1), st.floats(-5, 5), st.floats(-1e-3, 1e-3)
)
def test_mapped_lines_hold_the_mapped_points(rho, theta, slant, shift, tilt):
    matrix = np.array([[1.5, slant, shift], [0.2, 1.8, -shift], [tilt, -tilt, 1]])
    lines = Lines.from_rho_theta([[rho, theta]], (50, 50))
    moved = lines.mapped(matrix, (4000, 4000))
    x1, y1, x2, y2 = lines.segments[0]
    for x, y in ((x1, y1), (x2, y2)):
        u, v, w = matrix @ (x, y, 1)
        if len(moved):
            (new_rho, new_theta), (u, v) = moved.rho_theta[0], (u / w, v / w)
            assert 0 <= new_theta < np.pi
            assert u * np.cos(new_theta) + v * np.sin(new_theta) == pytest.approx(new_rho, abs=1e-6)


def test_mapped_segments_are_cut():
    lines = Lines([[0, 5, 19, 5], [0, 1, 3, 1]], (10, 20), votes=[1, 2])
    moved = lines.mapped([[1, 0, -8], [0, 1, 0], [0, 0, 1]], (10, 6))
    np.testing.assert_allclose(moved.segments, [[0, 5, 5, 5]], atol=1e-5)
    assert moved.votes.tolist() == [1]


def test_mapped_circles_by_hand():
    circles = Circles([[10, 10], [50, 10]], [4, 1], (60, 60))
    twice = circles.mapped([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]], (120, 120))
    assert twice.centers.tolist() == [[20.5, 20.5], [100.5, 20.5]]
    assert twice.radii.tolist() == [8, 2]
    stretched = circles.mapped(np.diag([9.0, 4, 1]), (600, 600))
    assert stretched.radii.tolist() == [24, 6]
    assert np.pi * stretched.radii[0] ** 2 == pytest.approx(36 * np.pi * 4**2)  # the area's change


def test_circles_outside_are_left_out():
    circles = Circles([[10, 10], [50, 10]], [4, 1], (60, 60))
    assert circles.mapped([[1, 0, -13], [0, 1, 0], [0, 0, 1]], (60, 20)).radii.tolist() == [4]
    assert circles.mapped([[1, 0, -15], [0, 1, 0], [0, 0, 1]], (60, 20)).radii.tolist() == []


def test_circle_is_drawn_where_it_is():
    drawn = Circles([[30, 30]], [20], (61, 61)).draw(np.zeros((61, 61), np.uint8))
    rows, columns = np.nonzero(drawn.max(axis=2) > 127)
    radius = np.hypot(rows - 30, columns - 30)
    assert len(radius) > 100
    assert np.abs(radius - 20).max() <= 1


def test_objects_far_outside_are_drawn_without_harm():
    lines = Lines([[-1e7, -1e7, 1e7, 1e7]], (20, 20))
    drawn = lines.draw(np.zeros((20, 20), np.uint8))
    assert drawn[np.arange(20), np.arange(20)].max(axis=1).min() > 100


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: Lines([[1, 2, 3]], (9, 9)), r"'segments' of Lines .* \(n, 4\)"),
        (lambda: Lines([[1, 2, 3, np.nan]], (9, 9)), "'segments' of Lines must be finite"),
        (lambda: Lines([[1, 2, 3, "x"]], (9, 9)), "'segments' of Lines must be finite"),
        (lambda: Lines([[1, 2], [3]], (9, 9)), "'segments' of Lines must be finite"),
        (lambda: Lines([[1, 2, 3, 4]], (9, 9), [[1, 2], [3, 4]]), "'rho_theta' of Lines .* n = 1"),
        (lambda: Lines([[1, 2, 3, 4]], (9, 9), votes=[[1]]), "'votes' of Lines .* n = 1"),
        (lambda: Lines([], (9,)), "'shape' of Lines"),
        (lambda: Lines.from_rho_theta([[1]], (9, 9)), "'rho_theta' of Lines.from_rho_theta"),
        (lambda: Circles([[1, 2]], [-1], (9, 9)), "'radii' of Circles .* at least 0"),
        (lambda: Circles([[1, 2]], [1, 2], (9, 9)), "'radii' of Circles .* n = 1"),
        (lambda: Circles([[1, 2, 3]], [1], (9, 9)), "'centers' of Circles"),
    ],
)
def test_refusals_name_the_field(build, says):
    with pytest.raises(ParameterError, match=says):
        build()
