"""Lines against lines drawn by hand, scikit-image's accumulator, and lanes measured on roads."""

import json
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage
from skimage import data, draw, transform
from sklearn.datasets import load_sample_image

from classical.colour import Gray
from classical.edges import Canny
from classical.filters import GaussianBlur
from classical.lines import HoughLines, HoughSegments
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
        found = HoughLines()(drawn(segment))
        assert len(found) == 1
        assert np.allclose(found.rho_theta[0], (rho, np.deg2rad(degrees)), atol=0.75)
        assert np.isclose(found.rho_theta[0, 1], np.deg2rad(degrees), atol=1e-6)
    both = HoughLines()(drawn(*(case[0] for case in cases)))
    assert len(both) == 4
    for x1, y1, x2, y2 in both.segments:
        rho, theta = both.rho_theta[[np.allclose(row, (x1, y1, x2, y2)) for row in both.segments]][
            0
        ]
        for x, y in ((x1, y1), (x2, y2)):
            assert np.isclose(x * np.cos(theta) + y * np.sin(theta), rho, atol=1e-3)


def test_votes_are_those_of_scikit_images_accumulator():
    mask = Canny()(data.brick())
    found = HoughLines(0.15, max_lines=12)(mask)
    assert len(found) == 12
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
    found = HoughLines(0.2)(mask)
    assert len(found) > 2
    for (rho, theta), count in zip(found.rho_theta, found.votes):
        near = np.abs(x * np.cos(theta) + y * np.sin(theta) - rho)
        assert np.sum(near <= 0.499) - 3 <= count <= np.sum(near <= 0.501) + 3


def test_the_default_threshold_is_a_quarter_of_the_diagonal():
    # diagonal 200: more than 50 votes
    assert len(HoughLines()(drawn((30, 10, 30, 60)))) == 1
    assert len(HoughLines()(drawn((30, 10, 30, 59)))) == 0
    assert len(HoughLines(0.2)(drawn((30, 10, 30, 50)))) == 1
    assert len(HoughLines(41)(drawn((30, 10, 30, 50)))) == 0
    assert len(HoughLines(40)(drawn((30, 10, 30, 50)))) == 1


def test_of_close_lines_the_strongest_is_kept():
    mask = drawn((30, 0, 30, 119), (36, 10, 36, 119), (60, 0, 60, 119))
    assert HoughLines()(mask).rho_theta[:, 0].tolist() == [30, 60]
    assert sorted(HoughLines(min_distance=5)(mask).rho_theta[:, 0]) == [30, 36, 60]
    everything = HoughLines(min_distance=0, min_angle=0)(mask)
    assert len(everything) > 3
    found = HoughLines(0.15)(Canny()(data.camera()))
    rho, theta = found.rho_theta.T
    # (rho, theta) and (-rho, theta + pi) are one line
    apart = np.abs(theta[:, None] - theta)
    rest = np.abs(rho[:, None] - rho)
    mirrored = np.abs(rho[:, None] + rho)
    close = (rest <= 10) & (apart <= np.deg2rad(10)) | (mirrored <= 10) & (apart >= np.deg2rad(170))
    assert len(found) > 10
    assert close.sum() == len(found)


def test_close_is_10_pixels_and_10_degrees():
    def count(rho, degrees):
        # x cos + y sin = rho, beside the upright line x = 60
        turn = np.deg2rad(degrees)
        ends = [round((rho - y * np.sin(turn)) / np.cos(turn)) for y in (0, 119)]
        return len(HoughLines(70)(drawn((60, 0, 60, 119), (ends[0], 0, ends[1], 119))))

    assert count(70, 0) == 1
    assert count(71, 0) == 2
    assert count(62, 9) == 1
    assert count(62, 11) == 2


def test_upright_lines_are_one_on_both_sides_of_the_turn():
    leaning = drawn((62, 0, 58, 119))
    thick = ndimage.binary_dilation(leaning, np.ones((1, 5))).astype(np.uint8) * 255
    found = HoughLines()(thick)
    assert len(found) == 1


def test_angles_and_their_number_can_be_limited():
    mask = Canny()(data.brick())
    leaning = HoughLines(0.15, min_theta=5, max_theta=20)(mask)
    assert len(leaning) > 3
    assert np.all(np.abs(np.rad2deg(leaning.rho_theta[:, 1]) - 12.5) <= 7.5 + 1e-4)
    level, every = drawn((0, 50, 159, 50)), HoughLines()(mask)
    assert len(HoughLines(min_theta=0, max_theta=60)(level)) == 0
    assert len(HoughLines(min_theta=90, max_theta=120)(level)) == 1
    assert HoughLines(max_lines=3)(mask) == every[:3]


def test_finer_steps_find_the_angle_better():
    slope = np.tan(np.deg2rad(20.5))
    mask = drawn((0, 10, 159, round(10 + 159 * slope)))
    fine = HoughLines(theta=0.25, max_lines=1)(mask).rho_theta[0, 1]
    assert np.isclose(np.rad2deg(fine), 110.5, atol=0.3)
    coarse = np.rad2deg(HoughLines(0.1, theta=5, max_lines=1)(mask).rho_theta[0, 1])
    assert np.isclose(coarse % 5, 0, atol=1e-4) or np.isclose(coarse % 5, 5, atol=1e-4)
    assert HoughLines(rho=4, max_lines=1)(mask).rho_theta[0, 0] % 4 == 0


# --- HoughSegments


def test_segments_end_where_the_lines_do():
    ends = [(10, 20, 140, 20), (30, 40, 30, 110), (60, 40, 120, 100)]
    found = HoughSegments(theta=0.5)(drawn(*ends))
    assert len(found) == 3
    longest = sorted(ends, key=lambda end: -np.hypot(end[2] - end[0], end[3] - end[1]))
    for segment, expected in zip(found.segments.reshape(-1, 2, 2), longest):
        ordered = segment[np.lexsort(segment.T[::-1])]
        assert np.allclose(ordered.ravel(), expected, atol=2)
    assert np.all(np.diff(found.lengths) <= 0)
    assert HoughSegments(theta=0.5, max_lines=2)(drawn(*ends)) == found[:2]


def test_lengths_and_gaps_are_pixels_or_shares_of_the_diagonal():
    # 5 pixels are missing; diagonal 200
    broken = drawn((10, 30, 60, 30), (66, 30, 120, 30))
    for gap, bridged in ((4, False), (5, True), (0.02, False), (0.025, True)):
        longest = HoughSegments(40, max_gap=gap)(broken).lengths[0]
        assert longest == 110 if bridged else longest in (50, 54)
    whole = drawn((66, 30, 120, 30))
    for length, count in ((54, 1), (55, 0), (0.27, 1), (0.275, 0)):
        assert len(HoughSegments(40, min_length=length)(whole)) == count


def test_the_defaults_are_six_hundredths_of_the_diagonal():
    # diagonal 200: more than 12 votes, a length of 12
    for length, count in ((13, 1), (11, 0)):
        assert len(HoughSegments()(drawn((50, 50, 50 + length, 50)))) == count
    # gaps of 0.005 of it: one missing pixel
    assert HoughSegments(40)(drawn((10, 30, 60, 30), (62, 30, 120, 30))).lengths[0] == 110
    assert HoughSegments(40)(drawn((10, 30, 60, 30), (63, 30, 120, 30))).lengths[0] == 57


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
@pytest.mark.parametrize("step", [HoughSegments(), HoughLines(0.1)], ids=repr)
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


# --- What both share


@pytest.mark.parametrize("cls", [HoughLines, HoughSegments])
def test_an_empty_mask_has_no_lines(cls):
    found = cls()(np.zeros((50, 60), np.uint8))
    assert len(found) == 0
    assert found.segments.shape == (0, 4)
    assert found.shape == (50, 60)


@pytest.mark.parametrize("cls", [HoughLines, HoughSegments])
def test_a_gray_image_is_refused_with_the_way_out(cls):
    with pytest.raises(KindError, match="0 and 255 only"):
        cls()(data.coins())


SHARE = "whole number of at least 1, in pixels, or a float above 0 and at most 1"


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (HoughLines(0), f"The 'threshold' of HoughLines must be a {SHARE}"),
        (HoughLines(1.5), "'threshold'"),
        (HoughLines("auto"), "'threshold'"),
        (HoughLines(rho=0), "'rho'"),
        (HoughLines(theta=91), "'theta'"),
        (HoughLines(min_distance=-1), "'min_distance'"),
        (HoughLines(min_angle=90), "'min_angle'"),
        (HoughLines(max_lines=0), "'max_lines'"),
        (HoughLines(min_theta=50, max_theta=50), "'min_theta'.*below 50"),
        (HoughLines(max_theta=181), "'max_theta'"),
        (HoughSegments(True), f"The 'threshold' of HoughSegments must be a {SHARE}"),
        (HoughSegments(min_length=-1), "'min_length'"),
        (HoughSegments(max_gap=2.0), "'max_gap'"),
        (HoughSegments(rho=-1), "'rho'"),
        (HoughSegments(theta=0), "'theta'"),
        (HoughSegments(max_lines=1.5), "'max_lines'"),
    ],
    ids=repr,
)
def test_parameters_are_refused_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(np.zeros((5, 5), np.uint8))
