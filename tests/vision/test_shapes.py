"""Lines and circles against geometry solved by hand and OpenCV's detectors."""

import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from skimage.measure import LineModelND

from vision.errors import ParameterError
from vision.io import decode
from vision.opencv import cv2
from vision.shapes import Circles, Lines

pytestmark = pytest.mark.cv2
HALF = np.pi / 2
LANES = Path(os.environ.get("VISION_DATA", "")) / "lines_lanes_a" / "lines_a.zip"


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
    assume(len(lines))
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


def test_segments_merge_into_the_fit_of_what_they_cover():
    pieces = [[10, 20, 60, 21], [130, 25, 70, 22], [140, 24, 190, 27], [15, 90, 15, 40]]
    merged = Lines(pieces, (100, 200)).merged()
    assert len(merged) == 2
    # the same masses as points, fitted by scikit-image
    points = np.concatenate([np.linspace(piece[:2], piece[2:], 2000) for piece in pieces[:3]])
    weights = np.hypot(*np.diff(np.reshape(pieces[:3], (3, 2, 2)), axis=1)[:, 0].T)
    counts = (weights / weights.max() * 1999).astype(int)
    points = np.concatenate(
        [
            points[2000 * i :][:2000][np.linspace(0, 1999, n).astype(int)]
            for i, n in enumerate(counts)
        ]
    )
    fitted = LineModelND.from_estimate(points)
    ends = merged.segments[0].reshape(2, 2)
    assert fitted.residuals(ends).max() < 0.02
    assert sorted(ends[:, 0].round()) == [10, 190]
    assert merged.segments[1].tolist() == pieces[3]


def test_near_is_5_degrees_10_pixels_and_a_gap_of_20():
    def count(*segment):
        return len(Lines([(100, 200, 300, 200), segment], (400, 400)).merged())

    for degrees, expected in ((4.9, 1), (5.1, 2)):
        off = 40 * np.tan(np.deg2rad(degrees))
        assert count(160, 200 - off, 240, 200 + off) == expected
    assert [count(150, 200 + off, 250, 200 + off) for off in (10, 10.1)] == [1, 2]
    assert [count(300 + gap, 200, 350 + gap, 200) for gap in (20, 20.1)] == [1, 2]


def test_of_near_lines_the_strongest_gives_its_votes():
    pairs, votes = [[10, HALF], [14, HALF], [40, HALF]], [2, 6, 4]
    merged = Lines.from_rho_theta(pairs, (50, 60), votes).merged()
    np.testing.assert_allclose(merged.rho_theta, [[13, HALF], [40, HALF]])
    assert merged.votes.tolist() == [6, 4]


def test_intersections_by_hand():
    # y = 5, x = 7 and x + y = 30, which meets the first at (25, 5) and the second at (7, 23)
    lines = Lines([[0, 5, 39, 5], [7, 0, 7, 20], [30, 0, 10, 20]], (40, 40))
    points, pairs = lines.intersections()
    np.testing.assert_allclose(points, [[7, 5], [25, 5]])
    assert pairs.tolist() == [[0, 1], [0, 2]]
    points, pairs = lines.intersections(extended=True)
    np.testing.assert_allclose(points, [[7, 5], [25, 5], [7, 23]])
    assert pairs.tolist() == [[0, 1], [0, 2], [1, 2]]


def test_infinite_lines_cross_within_the_image_unless_extended():
    lines = Lines.from_rho_theta([[15, 0], [8, HALF], [20, np.deg2rad(10)]], (30, 30))
    points, pairs = lines.intersections()
    x = (20 - 8 * np.sin(np.deg2rad(10))) / np.cos(np.deg2rad(10))
    np.testing.assert_allclose(points, [[15, 8], [x, 8]])
    assert pairs.tolist() == [[0, 1], [1, 2]]
    points, _ = lines.intersections(extended=True)
    y = (20 - 15 * np.cos(np.deg2rad(10))) / np.sin(np.deg2rad(10))
    np.testing.assert_allclose(points, [[15, 8], [15, y], [x, 8]])
    assert len(lines.intersections(min_angle=11, extended=True)[0]) == 2
    assert len(lines.intersections(min_angle=9, extended=True)[0]) == 3


def test_parallels_do_not_cross():
    # nor do lines that differ by less than a degree, unless asked
    nearly = Lines([[0, 5, 100, 5], [0, 9, 100, 8]], (50, 120))
    assert len(nearly.intersections(extended=True)[0]) == 0
    for degrees, count in ((0.95, 0), (1.05, 1)):
        rise = 100 * np.tan(np.deg2rad(degrees))
        leaning = Lines([[0, 5, 100, 5], [0, 40, 100, 40 - rise]], (50, 120))
        assert len(leaning.intersections(extended=True)[0]) == count
    points, _ = nearly.intersections(extended=True, min_angle=0.5)
    np.testing.assert_allclose(points, [[400, 5]])
    level = Lines([[0, 5, 100, 5], [100, 9, 0, 9]], (50, 120))
    assert len(level.intersections(extended=True, min_angle=1e-6)[0]) == 0


def test_the_corners_of_a_rectified_page_are_where_its_sides_cross():
    corners = np.array([[20, 15], [170, 30], [160, 130], [30, 110]], float)
    sides = [[*(0.8 * a + 0.2 * b), *(0.2 * a + 0.8 * b)] for a, b in zip(corners, np.roll(corners, -1, 0))]  # noqa: E501  # fmt: skip
    points, pairs = Lines(sides, (150, 200)).intersections(extended=True, min_angle=45)
    found = {tuple(pair): point for pair, point in zip(pairs.tolist(), points)}
    for (one, other), corner in {(0, 1): 1, (1, 2): 2, (2, 3): 3, (0, 3): 0}.items():
        np.testing.assert_allclose(found[one, other], corners[corner])


def seen(start, end, focal=500, middle=(320, 240)):
    """A line of the scene, from (X, Y, Z) to (X, Y, Z), as a pinhole camera sees it."""
    ends = np.array([start, end], float)
    return (focal * ends[:, :2] / ends[:, 2:] + middle).ravel()


def test_parallels_of_the_scene_meet_in_their_vanishing_point():
    # all run along (1, -0.5, 4), which a pinhole camera sees in focal * (1 / 4, -0.5 / 4)
    way = np.array([1, -0.5, 4])
    starts = [(-3, 2, 5), (2, 2, 6), (1, -2, 7), (-2, -1, 5), (3, 1, 9)]
    parallels = [seen(start, start + way * 2) for start in np.array(starts)]
    others = [[10, 400, 300, 410], [500, 20, 510, 300]]
    lines = Lines([*others, *parallels], (480, 640))
    point, leading = lines.vanishing_point()
    np.testing.assert_allclose(point, (320 + 125, 240 - 62.5), atol=1e-6)
    assert leading.tolist() == [False] * 2 + [True] * 5
    # whatever way they are walked, and as lines without end
    turned = Lines(lines.segments[:, [2, 3, 0, 1]], (480, 640)).vanishing_point()[0]
    np.testing.assert_allclose(turned, point)
    ways = lines.segments[2:, 2:] - lines.segments[2:, :2]
    theta = np.arctan2(ways[:, 0], -ways[:, 1])
    rho = (lines.segments[2:, :2] * np.column_stack([np.cos(theta), np.sin(theta)])).sum(axis=1)
    endless = Lines.from_rho_theta(np.column_stack([rho, theta]), (480, 640))
    np.testing.assert_allclose(endless.vanishing_point()[0], point, atol=1e-6)


def inexact(random, point):
    """Sixty lines of 60 pixels that miss a point by half a degree, and clutter."""
    middles = random.uniform((0, 0), (640, 480), (60, 2))
    middles = middles[np.hypot(*(middles - point).T) > 80]
    ways = point - middles
    turn = np.arctan2(ways[:, 1], ways[:, 0]) + np.deg2rad(random.normal(0, 0.5, len(middles)))
    half = 30 * np.column_stack([np.cos(turn), np.sin(turn)])
    clutter = random.uniform(0, 480, (25, 4))
    clutter[:, 2:] = clutter[:, :2] + random.uniform(-40, 40, (25, 2))
    rows = np.vstack([np.hstack([middles - half, middles + half]), clutter])
    return Lines(rows, (480, 640)), len(middles)


def test_the_vanishing_point_is_the_best_meeting_of_many_inexact_lines():
    missed = []
    for seed in range(10):
        lines, count = inexact(np.random.default_rng(seed), (400, 150))
        point, leading = lines.vanishing_point()
        missed.append(np.hypot(*(point - (400, 150))))
        assert leading[:count].mean() > 0.95
        assert leading[count:].mean() < 0.3
    # half a degree is 2 pixels at the usual 250; 50 such lines do better by the root of 50
    assert np.mean(missed) < 0.8
    assert max(missed) < 2


def test_a_line_leads_to_a_point_that_it_misses_by_2_degrees():
    rays = [[200 * c, 200 * s, 60 * c, 60 * s] for c, s in zip(np.cos([0.2, 0.7, 1.3]), np.sin([0.2, 0.7, 1.3]))]  # noqa: E501  # fmt: skip
    for degrees, leads in ((1.9, True), (2.1, False)):
        # short, its middle at (100, 0), so that it does not move the point
        rise = 0.1 * np.tan(np.deg2rad(degrees))
        lines = Lines([*rays, [99.9, -rise, 100.1, rise]], (300, 300))
        point, leading = lines.vanishing_point()
        np.testing.assert_allclose(point, (0, 0), atol=0.05)
        assert leading.tolist() == [True] * 3 + [leads]


def test_long_lines_count_more_than_many_short_ones():
    long = [[200 * c, 200 * s, 60 * c, 60 * s] for c, s in ((0.8, 0.6), (0.6, 0.8), (0.28, 0.96))]
    turns = np.linspace(0.3, 2.5, 8)
    short = [[300 + 20 * c, 100 + 20 * s, 300 + 30 * c, 100 + 30 * s] for c, s in zip(np.cos(turns), np.sin(turns))]  # noqa: E501  # fmt: skip
    point, leading = Lines([*short, *long], (400, 400)).vanishing_point()
    np.testing.assert_allclose(point, (0, 0), atol=1)
    assert leading[-3:].all()


def test_lines_that_meet_nowhere_have_no_vanishing_point():
    for segments in ([], [[0, 0, 9, 9]], [[0, 5, 9, 5], [9, 8, 0, 8], [0, 1, 9, 1]]):
        point, leading = Lines(segments, (10, 10)).vanishing_point()
        assert np.isnan(point).all()
        assert leading.tolist() == [False] * len(segments)


@pytest.mark.skipif(not LANES.is_file(), reason="VISION_DATA names no folder with lines_lanes_a")
def test_the_vanishing_point_of_a_road_is_where_its_measured_lanes_meet():
    with zipfile.ZipFile(LANES) as archive:
        for name, photograph in json.loads(archive.read("lines.json")).items():
            gray = cv2.cvtColor(decode(archive.read(name)), cv2.COLOR_RGB2GRAY)
            segments = cv2.createLineSegmentDetector().detect(gray[320:])[0].reshape(-1, 4)
            lines = Lines(segments + np.array([0, 320, 0, 320]), gray.shape)
            found, _ = lines[lines.lengths > 25].vanishing_point()
            lanes = Lines(list(photograph["lanes"].values()), gray.shape)
            (measured,), _ = lanes.intersections(extended=True)
            assert np.hypot(*(found - measured)) < 15


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
        (lambda: Lines([], (9, 9)).merged(angle=90), "'angle' of Lines.merged .* below 90"),
        (lambda: Lines([], (9, 9)).merged(distance=-1), "'distance' of Lines.merged"),
        (lambda: Lines([], (9, 9)).merged(max_gap="far"), "'max_gap' of Lines.merged"),
        (
            lambda: Lines([], (9, 9)).intersections(min_angle=0),
            "'min_angle' of Lines.intersections",
        ),
        (lambda: Lines([], (9, 9)).intersections(extended=1), "'extended' of Lines.intersections"),
        (lambda: Lines([], (9, 9)).vanishing_point(tolerance=0), "'tolerance' of Lines.vanishing"),
        (lambda: Circles([[1, 2]], [-1], (9, 9)), "'radii' of Circles .* at least 0"),
        (lambda: Circles([[1, 2]], [1, 2], (9, 9)), "'radii' of Circles .* n = 1"),
        (lambda: Circles([[1, 2, 3]], [1], (9, 9)), "'centers' of Circles"),
    ],
)
def test_refusals_name_the_field(build, says):
    with pytest.raises(ParameterError, match=says):
        build()


@pytest.mark.parametrize("theta", [0.0, 5e-324, 1e-300, 1e-12, np.pi / 2, np.nextafter(np.pi, 0)])
def test_lines_along_the_sides_reach_from_one_to_the_other(theta):
    (ends,) = Lines.from_rho_theta([[-3.0 if theta > 3 else 3.0, theta]], (10, 20)).segments
    upright = abs(np.sin(theta)) < 0.5
    expected = [3, 0, 3, 9] if upright else [0, 3, 19, 3]
    assert sorted(ends.reshape(2, 2).round(9).tolist()) == [expected[:2], expected[2:]]
