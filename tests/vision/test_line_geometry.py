"""The geometry of lines against identities, NumPy's solver and scikit-image's least squares."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from skimage.measure import LineModelND

from vision import line_geometry

ANGLES = st.floats(0, np.pi, exclude_max=True)
PLACES = st.floats(-500, 500)


@given(PLACES, ANGLES, st.floats(0.01, 100), st.booleans())
def test_the_normal_form_is_the_same_for_every_multiple(rho, theta, factor, negated):
    theta = np.clip(theta, 1e-6, np.pi - 1e-6)
    line = np.array([[np.cos(theta), np.sin(theta), -rho]])
    found = line_geometry.rho_theta_of(line * (-factor if negated else factor))
    assert 0 <= found[0, 1] < np.pi
    np.testing.assert_allclose(found, [[rho, theta]], atol=1e-9)


@given(PLACES, PLACES, ANGLES, PLACES)
def test_a_line_goes_through_its_points(x, y, turn, along):
    way = np.array([np.cos(turn), np.sin(turn)])
    (line,) = line_geometry.through(np.array([[x, y]]), way[None])
    np.testing.assert_allclose(line @ (x + along * way[0], y + along * way[1], 1), 0, atol=1e-9)
    assert np.isclose(np.hypot(*line[:2]), 1)


@given(st.lists(st.tuples(PLACES, ANGLES), min_size=2, max_size=6))
def test_crossings_solve_both_equations(pairs):
    rho, theta = np.array(pairs).T
    lines = np.column_stack([np.cos(theta), np.sin(theta), -rho])
    points, numbers = line_geometry.crossings(lines, 2)
    turns = np.rad2deg(np.abs(np.arcsin(np.sin(theta[:, None] - theta))))
    found = {tuple(pair) for pair in numbers.tolist()}
    assert len(found) == len(numbers)
    assert found >= set(zip(*np.nonzero(np.triu(turns > 2 + 1e-9))))
    assert found <= set(zip(*np.nonzero(np.triu(turns > 2 - 1e-9))))
    for point, pair in zip(points, numbers):
        expected = np.linalg.solve(lines[pair][:, :2], -lines[pair][:, 2])
        np.testing.assert_allclose(point, expected, rtol=1e-6, atol=1e-6)


@given(st.lists(st.tuples(PLACES, PLACES, ANGLES, st.floats(5, 200)), min_size=1, max_size=5))
def test_the_span_of_rods_is_the_fit_of_their_points(rods):
    x, y, turn, half = np.array(rods).T
    ways = np.column_stack([np.cos(turn), np.sin(turn)]) * half[:, None]
    middles = np.column_stack([x, y])
    segments = np.hstack([middles - ways, middles + ways])
    found = line_geometry.spanned(segments).reshape(2, 2)
    # two points at half the length over the root of three have a rod's own second moment
    points = np.concatenate([middles - ways / np.sqrt(3), middles + ways / np.sqrt(3)])
    mass = np.tile(half / half.sum() / 2, 2)
    center = mass @ points
    spread = ((points - center).T * mass) @ (points - center)
    values, vectors = np.linalg.eigh(spread)
    assume(values[1] > 1.01 * values[0] + 1e-6)
    across = vectors[:, 0]
    np.testing.assert_allclose((found - center) @ across, 0, atol=1e-6)
    along = (segments.reshape(-1, 2) - center) @ vectors[:, 1]
    reached = sorted((found - center) @ vectors[:, 1])
    np.testing.assert_allclose(reached, [along.min(), along.max()], atol=1e-6)


def test_rods_of_one_length_are_fitted_as_scikit_image_fits_points():
    rods = np.array([[0.0, 0, 30, 3], [40, 5, 70, 6], [80, 7, 110, 12]])
    rods[:, 2:] = rods[:, :2] + 30 * np.diff(rods.reshape(3, 2, 2), axis=1)[:, 0] / np.hypot(
        *np.diff(rods.reshape(3, 2, 2), axis=1)[:, 0].T
    ).reshape(-1, 1)
    points = np.concatenate([np.linspace(rod[:2], rod[2:], 3001) for rod in rods])
    fitted = LineModelND.from_estimate(points)
    ends = line_geometry.spanned(rods).reshape(2, 2)
    assert fitted.residuals(ends).max() < 1e-3


@pytest.mark.parametrize("center", [(0, 0), (300, 200)])
def test_the_mean_of_two_lines_halves_their_angle_where_they_are_near(center):
    # both go through the centre, 4 degrees to either side of upright
    turns = np.deg2rad([4, 176])
    rho = np.cos(turns) * center[0] + np.sin(turns) * center[1]
    pairs = np.column_stack([rho, turns])
    found = line_geometry.mean_line(pairs, np.ones(2), np.array(center, float))
    np.testing.assert_allclose(found, [center[0], 0], atol=1e-9)


def test_lines_without_end_are_cut_at_the_outermost_pixel_centres():
    pairs = np.array([[3, 0], [5, np.pi / 2], [np.sqrt(8), np.pi / 4], [200, 1]])
    segments, inside = line_geometry.cut(pairs, (10, 20))
    assert inside.tolist() == [True, True, True, False]
    ends = [sorted(map(tuple, segment.reshape(2, 2).round(6))) for segment in segments[:3]]
    assert ends == [[(3, 0), (3, 9)], [(0, 5), (19, 5)], [(0, 4), (4, 0)]]


def test_groups_are_led_by_their_first():
    # the third is near the second, not near the first
    level = np.array([[0.0, 0, 50, 0], [0, 4, 50, 4], [0, 8, 50, 8]])
    ways = np.tile([1.0, 0], (3, 1))
    found = line_geometry.groups(level, ways, angle=1, distance=5)
    assert [group.tolist() for group in found] == [[0, 1], [2]]
    found = line_geometry.groups(level[[1, 0, 2]], -ways, angle=1, distance=5)
    assert [group.tolist() for group in found] == [[0, 1, 2]]
