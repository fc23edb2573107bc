"""Lines against lines drawn by hand, scikit-image's accumulator, and lanes measured on roads."""

import json
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage
from skimage import data, draw, filters, transform
from sklearn.datasets import load_sample_image

from classical.colour import Gray
from classical.edges import Canny
from classical.filters import GaussianBlur
from classical.lines import HoughLines, HoughSegments, LineSegmentDetector
from vision.errors import KindError, ParameterError
from vision.images import Images
from vision.opencv import cv2

LANES = Path(os.environ.get("VISION_DATA", "")) / "lines_lanes_a" / "lines_a.zip"


def drawn(*segments, shape=(120, 160)):
    """A mask with straight segments x1, y1, x2, y2."""
    mask = np.zeros(shape, np.uint8)
    for x1, y1, x2, y2 in segments:
        mask[draw.line(y1, x1, y2, x2)] = 255
    return mask


@pytest.fixture(scope="module")
def building():
    return (GaussianBlur(5) >> Canny())(Gray()(load_sample_image("china.jpg")))


# --- HoughLines


def test_lines_satisfy_their_equation():
    # x = 30; y = 12; x + y = 100; y = x
    cases = [
        ((30, 0, 30, 119), 30, 0),
        ((0, 12, 159, 12), 12, 90),
        ((0, 100, 100, 0), 100 / np.sqrt(2), 45),
        ((0, 0, 119, 119), 0, 135),
    ]
    for segment, rho, degrees in cases:
        found = HoughLines(max_lines=1)(drawn(segment))
        assert np.allclose(found.rho_theta[0], (rho, np.deg2rad(degrees)), atol=0.75)
        assert np.isclose(found.rho_theta[0, 1], np.deg2rad(degrees), atol=1e-6)
    both = HoughLines(threshold=70)(drawn(*(case[0] for case in cases)))
    assert len(both) >= 4
    for (x1, y1, x2, y2), (rho, theta) in zip(both.segments, both.rho_theta):
        for x, y in ((x1, y1), (x2, y2)):
            assert np.isclose(x * np.cos(theta) + y * np.sin(theta), rho, atol=1e-3)


@pytest.mark.parametrize("threshold", [60, 100])
def test_positions_mean_what_they_mean_in_opencv(building, threshold):
    expected = cv2.HoughLines(building, 1, np.pi / 180, threshold).reshape(-1, 2)
    assert len(expected) > 10
    assert np.array_equal(HoughLines(1, np.pi / 180, threshold)(building).rho_theta, expected)
    assert np.array_equal(HoughLines(threshold=threshold)(building).rho_theta, expected)
    limits = {"min_theta": 1.2, "max_theta": 1.9}
    expected = cv2.HoughLines(building, 2, np.pi / 90, threshold, **limits).reshape(-1, 2)
    found = HoughLines(2, np.pi / 90, threshold, **limits)(building)
    assert np.array_equal(found.rho_theta, expected)


def test_votes_are_those_of_scikit_images_accumulator():
    mask = Canny()(data.brick())
    found = HoughLines(threshold=108)(mask)
    assert len(found) > 12
    angles = np.deg2rad(np.arange(180))
    votes, _, distances = transform.hough_line(mask > 0, angles)
    for (rho, theta), count in zip(found.rho_theta, found.votes):
        column = round(np.rad2deg(theta))
        row = np.flatnonzero(distances == rho)[0]
        # single precision there, double here: pixels on the edge of a step may fall either way
        assert abs(int(votes[row, column]) - count) <= 3
    assert np.all(np.diff(found.votes) <= 0)
    assert votes.max() <= found.votes[0] + 3


def test_every_edge_pixel_votes_for_the_lines_through_it():
    mask = Canny()(data.camera())
    y, x = np.nonzero(mask)
    found = HoughLines()(mask)
    assert len(found) > 2
    for (rho, theta), count in zip(found.rho_theta, found.votes):
        near = np.abs(x * np.cos(theta) + y * np.sin(theta) - rho)
        assert np.sum(near <= 0.499) - 3 <= count <= np.sum(near <= 0.501) + 3


def test_the_default_threshold_is_a_fifth_of_the_diagonal():
    def is_found(pixels, **parameters):
        return len(HoughLines(**parameters)(drawn((30, 10, 30, 9 + pixels)))) > 0

    # diagonal 200: more than 40 votes
    assert is_found(41)
    assert not is_found(40)
    assert is_found(41, threshold=40)
    assert not is_found(41, threshold=41)
    assert is_found(51, threshold=0.25, unit="diagonal")
    assert not is_found(50, threshold=0.25, unit="diagonal")


def test_angles_and_their_number_can_be_limited():
    mask = Canny()(data.brick())
    low, high = np.deg2rad([5, 20])
    leaning = HoughLines(threshold=100, min_theta=low, max_theta=high)(mask)
    assert len(leaning) > 3
    assert np.all(np.abs(np.rad2deg(leaning.rho_theta[:, 1]) - 12.5) <= 7.5 + 1e-4)
    level, every = drawn((0, 50, 159, 50)), HoughLines()(mask)
    assert len(HoughLines(threshold=100, max_theta=np.pi / 3)(level)) == 0
    assert len(HoughLines(threshold=100, min_theta=np.pi / 2)(level)) == 1
    assert HoughLines(max_lines=3)(mask) == every[:3]


def test_finer_steps_find_the_angle_better():
    slope = np.tan(np.deg2rad(20.5))
    mask = drawn((0, 10, 159, round(10 + 159 * slope)))
    fine = HoughLines(theta=np.pi / 720, max_lines=1)(mask).rho_theta[0, 1]
    assert np.isclose(np.rad2deg(fine), 110.5, atol=0.3)
    usual = HoughLines(max_lines=1)(mask).rho_theta[0, 1]
    assert np.isclose(np.rad2deg(usual) % 1, 0, atol=1e-4) or np.rad2deg(usual) % 1 > 0.9999
    coarse = HoughLines(1, np.pi / 36, 20, max_lines=1)(mask).rho_theta[0, 1]
    assert np.isclose((np.rad2deg(coarse) + 1) % 5, 1, atol=1e-4)
    assert HoughLines(rho=4, max_lines=1)(mask).rho_theta[0, 0] % 4 == 0


# --- HoughSegments


def test_segments_end_where_the_lines_do():
    ends = [(10, 20, 140, 20), (30, 40, 30, 110), (60, 40, 120, 100)]
    found = HoughSegments(theta=np.pi / 360)(drawn(*ends))
    assert len(found) == 3
    longest = sorted(ends, key=lambda end: -np.hypot(end[2] - end[0], end[3] - end[1]))
    for segment, expected in zip(found.segments.reshape(-1, 2, 2), longest):
        ordered = segment[np.lexsort(segment.T[::-1])]
        assert np.allclose(ordered.ravel(), expected, atol=2)
    assert np.all(np.diff(found.lengths) <= 0)
    assert HoughSegments(theta=np.pi / 360, max_lines=2)(drawn(*ends)) == found[:2]


def test_segment_parameters_mean_what_they_mean_in_opencv(building):
    found = HoughSegments(2, np.pi / 90, 40, min_length=20, max_gap=3)(building)
    expected = cv2.HoughLinesP(building, 2, np.pi / 90, 40, None, 20, 3).reshape(-1, 4)
    assert len(expected) > 10
    assert sorted(map(tuple, found.segments)) == sorted(map(tuple, expected.astype(float)))
    bare = HoughSegments(1, np.pi / 180, 40, min_length=0, max_gap=0)(building)
    expected = cv2.HoughLinesP(building, 1, np.pi / 180, 40).reshape(-1, 4)
    assert sorted(map(tuple, bare.segments)) == sorted(map(tuple, expected.astype(float)))
    usual = cv2.HoughLinesP(building, 1, np.pi / 180, 46, None, 46.16, 3.847).reshape(-1, 4)
    found = HoughSegments()(building).segments
    assert sorted(map(tuple, found)) == sorted(map(tuple, usual.astype(float)))
    with pytest.raises(TypeError, match="positional"):
        HoughSegments(1, np.pi / 180, 40, None, 20, 3)


def test_lengths_and_gaps_are_pixels_or_shares_of_the_diagonal():
    # 5 pixels are missing; diagonal 200
    broken = drawn((10, 30, 60, 30), (66, 30, 120, 30))
    gaps = (4, "pixels", False), (5, "pixels", True), (0.02, "diagonal", False)
    for gap, unit, bridged in (*gaps, (0.025, "diagonal", True)):
        votes = 40 if unit == "pixels" else 0.2
        longest = HoughSegments(threshold=votes, max_gap=gap, unit=unit)(broken).lengths[0]
        assert longest == 110 if bridged else longest in (50, 54)
    whole = drawn((66, 30, 120, 30))
    for length, count in ((54, 1), (55, 0)):
        assert len(HoughSegments(threshold=40, min_length=length)(whole)) == count
        share = HoughSegments(threshold=0.2, min_length=length / 200, unit="diagonal")
        assert len(share(whole)) == count


def test_the_defaults_are_six_hundredths_of_the_diagonal():
    # diagonal 200: 12 votes and a length of 12
    for length, count in ((13, 1), (11, 0)):
        assert len(HoughSegments()(drawn((50, 50, 50 + length, 50)))) == count
    # gaps of 0.005 of it: one missing pixel
    usual = HoughSegments(threshold=40)
    assert usual(drawn((10, 30, 60, 30), (62, 30, 120, 30))).lengths[0] == 110
    assert usual(drawn((10, 30, 60, 30), (63, 30, 120, 30))).lengths[0] == 57


def test_segments_agree_with_scikit_images():
    mask = Canny()(data.brick())
    ours = HoughSegments(threshold=50, min_length=60, max_gap=5)(mask)
    theirs = transform.probabilistic_hough_line(mask > 0, 50, 60, 5, rng=0)
    theirs = np.reshape(theirs, (-1, 4)).astype(float)
    assert min(len(ours), len(theirs)) > 20

    def explained(segments, others):
        middles = segments.reshape(-1, 2, 2).mean(axis=1)
        starts, ways = others[:, :2], others[:, 2:] - others[:, :2]
        ways /= np.hypot(*ways.T)[:, None]
        off = middles[:, None] - starts
        return np.abs(off[..., 0] * ways[:, 1] - off[..., 1] * ways[:, 0]).min(axis=1) <= 3

    # chance decides whom a pixel votes for first, so not all are the same
    assert explained(ours.segments, theirs).mean() > 0.75
    assert explained(theirs, ours.segments).mean() > 0.75


def test_segments_in_a_photograph_lie_on_edges(building):
    found = HoughSegments()(building)
    near = ndimage.binary_dilation(building > 0, np.ones((3, 3)))
    assert len(found) > 10
    for x1, y1, x2, y2 in found.segments.astype(int):
        assert near[draw.line(y1, x1, y2, x2)].mean() > 0.7
    assert found.lengths.min() >= 0.06 * np.hypot(*building.shape) - 1


def test_segments_depend_on_the_mask_alone(building):
    expected = HoughSegments()(building)
    cv2.setRNGSeed(7)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(HoughSegments(), [building] * 12))
    assert all(result == expected for result in results)


def lane_offset(found, x1, y1, x2, y2):
    """How far a lane's middle is from the nearest found line of its direction, in pixels."""
    along = np.array([x2 - x1, y2 - y1]) / np.hypot(x2 - x1, y2 - y1)
    turn = np.abs(found.angles - np.rad2deg(np.arctan2(along[1], along[0])) % 180)
    starts = found.segments[np.minimum(turn, 180 - turn) < 4, :2]
    middle = (x1 + x2) / 2, (y1 + y2) / 2
    return np.abs((starts - middle) @ (-along[1], along[0])).min(initial=np.inf)


@pytest.mark.skipif(not LANES.is_file(), reason="VISION_DATA names no folder with lines_lanes_a")
@pytest.mark.parametrize("step", [HoughSegments(), HoughLines(threshold=110)], ids=repr)
def test_lanes_are_found_on_roads(tmp_path, step):
    with zipfile.ZipFile(LANES) as archive:
        archive.extractall(tmp_path)
        truth = json.loads(archive.read("lines.json"))
    near = []
    for name, photograph in sorted(truth.items()):
        (image,) = Images([tmp_path / name])
        edges = (Gray() >> GaussianBlur(5) >> Canny())(image)
        edges[:330] = 0  # where no lane was measured
        found = step(edges)
        near.append([lane_offset(found, *lane) < 8 for lane in photograph["lanes"].values()])
    # the solid lane of every photograph, and half of the broken ones, which are mostly gap
    assert np.any(near, axis=1).all()
    assert np.sum(near) >= 9


# --- LineSegmentDetector


def rectangle(left, top, right, bottom, shape=(240, 300), inside=200, outside=40):
    """A gray picture whose rectangle has its edges between the pixels, at halves."""
    image = np.full(shape, outside, np.uint8)
    image[top : bottom + 1, left : right + 1] = inside
    return image


@pytest.mark.parametrize("scale", [1, 0.8, 0.5])
def test_edges_lie_between_the_pixels_that_differ(scale):
    for left in range(60, 65):
        found = LineSegmentDetector(scale=scale)(rectangle(left, 50, left + 139, 199))
        assert len(found) == 4
        x1, y1, x2, y2 = found.segments.T
        upright, level = np.abs(x1 - x2) < 1, np.abs(y1 - y2) < 1
        middles = sorted((x1 + x2)[upright] / 2), sorted((y1 + y2)[level] / 2)
        assert np.allclose(middles[0], [left - 0.5, left + 139.5], atol=0.1)
        assert np.allclose(middles[1], [49.5, 199.5], atol=0.1)
        assert np.allclose(found.lengths, [150, 150, 140, 140], atol=6)


def test_the_angle_of_an_edge_is_found_to_a_tenth_of_a_degree():
    y, x = np.mgrid[:200, :260]
    for degrees in (7, 33, 61, 118, 164):
        way = np.deg2rad(degrees)
        across = (y - 100) * np.cos(way) - (x - 130) * np.sin(way)
        image = (120 + 80 * np.clip(across, -1, 1)).astype(np.uint8)
        found = LineSegmentDetector()(image)
        assert np.isclose(found.angles[0], degrees, atol=0.1)
        dx, dy = (found.segments[0, 2:] - found.segments[0, :2]) / found.lengths[0]
        x1, y1 = found.segments[0, :2]
        assert abs((x1 - 130) * dy - (y1 - 100) * dx) < 0.1


def test_the_brighter_side_is_on_the_left():
    image = rectangle(60, 50, 200, 199)
    for x1, y1, x2, y2 in LineSegmentDetector()(image).segments:
        way = np.array([x2 - x1, y2 - y1]) / np.hypot(x2 - x1, y2 - y1)
        left = np.rint([(x1 + x2) / 2 + 5 * way[1], (y1 + y2) / 2 - 5 * way[0]]).astype(int)
        assert image[left[1], left[0]] == 200


def test_each_parameter_does_what_it_says():
    china = Gray()(load_sample_image("china.jpg"))
    usual = LineSegmentDetector()(china)
    assert np.all(np.diff(usual.lengths) <= 0)
    assert LineSegmentDetector(max_lines=7)(china) == usual[:7]
    long = LineSegmentDetector(min_length=40)(china)
    assert len(long) > 5
    assert long == usual[usual.lengths >= 40]
    assert len(LineSegmentDetector(scale=0.4)(china)) < 0.6 * len(usual)
    assert len(LineSegmentDetector(quant=10)(china)) < len(usual)
    assert usual.votes is None
    # a level of 1 false alarm a picture, then of 1 in 10 ** 5
    likely = LineSegmentDetector("advanced")(china)
    rare = LineSegmentDetector("advanced", log_eps=5)(china)
    assert likely.votes.min() > 0
    assert rare.votes.min() > 5
    assert 0 < len(rare) < len(likely) < len(usual)


def test_the_defaults_are_opencvs():
    china = Gray()(load_sample_image("china.jpg"))
    expected = cv2.createLineSegmentDetector().detect(china)[0].reshape(-1, 4)
    found = LineSegmentDetector()(china).segments
    assert np.allclose(sorted(map(tuple, found)), sorted(map(tuple, expected + 0.125)), atol=1e-4)
    likely = cv2.createLineSegmentDetector(2).detect(china)[0].reshape(-1, 4)
    found = LineSegmentDetector("advanced")(china).segments
    assert np.allclose(sorted(map(tuple, found)), sorted(map(tuple, likely + 0.125)), atol=1e-4)
    same = LineSegmentDetector("none", 0.7, 0.5, 3, 20, 0, 0.6, 512)(china).segments
    bare = cv2.createLineSegmentDetector(0, 0.7, 0.5, 3, 20, 0, 0.6, 512).detect(china)[0]
    shifted = bare.reshape(-1, 4) + (0.5 / 0.7 - 0.5)
    assert np.allclose(sorted(map(tuple, same)), sorted(map(tuple, shifted)), atol=1e-4)


def test_segments_of_a_photograph_lie_where_scikit_image_sees_gradients():
    camera = data.camera()
    strength = filters.sobel(camera.astype(float))
    found = LineSegmentDetector(min_length=30)(camera)
    assert len(found) > 15
    ends = np.rint(found.segments).astype(int).clip(0, 511)
    along = np.array([strength[draw.line(y1, x1, y2, x2)].mean() for x1, y1, x2, y2 in ends])
    assert np.median(along) > 5 * strength.mean()
    assert np.mean(along > 2 * strength.mean()) > 0.7


def test_the_detector_is_the_same_on_any_thread():
    china = Gray()(load_sample_image("china.jpg"))
    step = LineSegmentDetector()
    expected = step(china)
    with ThreadPoolExecutor(4) as pool:
        assert all(result == expected for result in pool.map(step, [china] * 8))


# --- What they share


@pytest.mark.parametrize("cls", [HoughLines, HoughSegments, LineSegmentDetector])
def test_an_empty_mask_has_no_lines(cls):
    found = cls()(np.zeros((50, 60), np.uint8))
    assert len(found) == 0
    assert found.segments.shape == (0, 4)
    assert found.shape == (50, 60)


@pytest.mark.parametrize("cls", [HoughLines, HoughSegments])
def test_a_gray_image_is_refused_with_the_way_out(cls):
    with pytest.raises(KindError, match="0 and 255 only"):
        cls()(data.coins())


@pytest.mark.parametrize("cls", [HoughLines, HoughSegments])
def test_no_parameter_changes_its_meaning_with_its_type(cls):
    mask = np.zeros((5, 5), np.uint8)
    with pytest.raises(ParameterError, match=r"'threshold' of .* whole number .* unit='diagonal'"):
        cls(threshold=0.25)(mask)
    with pytest.raises(ParameterError, match=r"'threshold' of .* at most 1, a share .*'pixels'"):
        cls(threshold=100, unit="diagonal")(mask)
    # degrees
    with pytest.raises(ParameterError, match=r"'theta' of .* in radians .* pi / 4"):
        cls(1, 1, 100)(mask)
    # a threshold first, as in neither library
    with pytest.raises(ParameterError, match="'theta'"):
        cls(100, 1, np.pi / 180)(mask)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (HoughLines(threshold=0), "The 'threshold' of HoughLines must be None or a whole number"),
        (HoughLines(threshold="auto"), "'threshold'"),
        (HoughLines(threshold=0.0, unit="diagonal"), "'threshold'"),
        (HoughLines(unit="percent"), "'unit' of HoughLines must be 'pixels' or 'diagonal'"),
        (HoughLines(rho=0), "'rho'"),
        (HoughLines(theta=0), "'theta'"),
        (HoughLines(theta=np.nan), "'theta'"),
        (HoughLines(max_lines=0), "'max_lines'"),
        (HoughLines(min_theta=0.5, max_theta=0.5), "'min_theta'.*below 0.5"),
        (HoughLines(max_theta=180), "'max_theta' of HoughLines must be an angle in radians"),
        (HoughSegments(threshold=True), "'threshold' of HoughSegments"),
        (HoughSegments(min_length=-1), "'min_length'"),
        (HoughSegments(max_gap=2.0, unit="diagonal"), "'max_gap'"),
        (HoughSegments(max_gap=np.inf), "'max_gap'"),
        (HoughSegments(rho=-1), "'rho'"),
        (HoughSegments(theta=0), "'theta'"),
        (HoughSegments(max_lines=1.5), "'max_lines'"),
        (LineSegmentDetector(1), "'refine' of LineSegmentDetector must be 'none', 'standard'"),
        (LineSegmentDetector(scale=1.1), "'scale'"),
        (LineSegmentDetector(sigma_scale=0), "'sigma_scale'"),
        (LineSegmentDetector(quant=-1), "'quant'"),
        (LineSegmentDetector(ang_th=180), "'ang_th'"),
        (LineSegmentDetector(log_eps=np.inf), "'log_eps'"),
        (LineSegmentDetector(density_th=1.1), "'density_th'"),
        (LineSegmentDetector(n_bins=0), "'n_bins'"),
        (LineSegmentDetector(min_length=-1), "'min_length'"),
        (LineSegmentDetector(max_lines=0), "'max_lines'"),
    ],
    ids=repr,
)
def test_parameters_are_refused_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(np.zeros((5, 5), np.uint8))
