"""Fitted lines against lines drawn by hand, least squares, and scikit-image's RANSAC."""

import numpy as np
import pytest
from skimage import data, draw, measure
from sklearn.datasets import load_sample_image

from classical.colour import Gray
from classical.edges import Canny
from classical.filters import GaussianBlur
from classical.line_fitting import MergeLines, RANSACLines
from classical.lines import HoughLines, HoughSegments
from vision.errors import KindError, ParameterError
from vision.shapes import Lines

pytestmark = pytest.mark.cv2


def dotted(*segments, noise=0, shape=(150, 200), seed=0):
    """A mask with straight segments x1, y1, x2, y2 and random pixels."""
    mask = np.zeros(shape, np.uint8)
    for x1, y1, x2, y2 in segments:
        mask[draw.line(y1, x1, y2, x2)] = 255
    random = np.random.default_rng(seed)
    mask[random.integers(0, shape[0], noise), random.integers(0, shape[1], noise)] = 255
    return mask


@pytest.fixture(scope="module")
def edges():
    return Canny()(Gray()(load_sample_image("china.jpg")))


def distances(mask, line):
    y, x = np.nonzero(mask)
    rho, theta = line
    return np.abs(x * np.cos(theta) + y * np.sin(theta) - rho)


# --- RANSACLines


@pytest.mark.parametrize(
    ("segment", "rho", "degrees"),
    [
        ((30, 0, 30, 149), 30, 0),
        ((0, 12, 199, 12), 12, 90),
        ((0, 100, 100, 0), 100 / np.sqrt(2), 45),
        ((0, 0, 149, 149), 0, 135),
        ((50, 0, 199, 149), -50 / np.sqrt(2), 135),
    ],
)
def test_a_line_is_found_whatever_lies_around_it(segment, rho, degrees):
    mask = dotted(segment)
    found = RANSACLines()(mask)
    assert found.votes.tolist() == [np.count_nonzero(mask)]
    assert np.allclose(found.rho_theta, [(rho, np.deg2rad(degrees))], atol=1e-6)
    noisy = RANSACLines()(dotted(segment, noise=250))
    assert distances(mask, noisy.rho_theta[0]).max() < 0.5


def test_the_line_is_the_least_squares_fit_of_its_inliers():
    brick = Canny()(data.brick())
    for step, threshold in ((RANSACLines(), 1), (RANSACLines(2.5), 2.5)):
        found = step(brick)
        # the fit to the inliers may lose a few of them
        near = np.sum(distances(brick, found.rho_theta[0]) <= threshold)
        assert 0.85 * found.votes[0] <= near <= found.votes[0]
    solid = dotted((10, 20, 190, 75), (10, 21, 190, 76))
    y, x = np.nonzero(solid)
    fitted = measure.LineModelND.from_estimate(np.column_stack([x, y]).astype(float))
    rho, theta = RANSACLines()(solid).rho_theta[0]
    assert np.allclose(np.dot((np.cos(theta), np.sin(theta)), fitted.direction), 0, atol=1e-9)
    assert np.isclose(np.dot((np.cos(theta), np.sin(theta)), fitted.origin), rho)


def test_it_finds_what_scikit_images_ransac_finds():
    page = Canny()(data.page())
    y, x = np.nonzero(page)
    points = np.column_stack([x, y]).astype(float)
    _, inliers = measure.ransac(points, measure.LineModelND, 2, 1.0, max_trials=500, rng=0)
    found = RANSACLines()(page)
    assert found.votes[0] >= 0.9 * inliers.sum()
    assert found.votes[0] > 150
    mask = dotted((15, 140, 180, 30), noise=300)
    points = np.argwhere(mask)[:, ::-1].astype(float)
    model, _ = measure.ransac(points, measure.LineModelND, 2, 1.0, max_trials=500, rng=0)
    degrees = np.rad2deg(np.arctan2(model.direction[1], model.direction[0])) % 180
    assert np.isclose(RANSACLines()(mask).angles[0], degrees, atol=0.5)


def test_further_lines_are_found_among_the_pixels_that_are_left():
    segments = (10, 20, 190, 20), (30, 0, 30, 149), (60, 140, 180, 60)
    found = RANSACLines(max_lines=3)(dotted(*segments))
    assert len(found) == 3
    angles = sorted(found.angles)
    assert np.allclose(angles, sorted([0, 90, 180 - np.rad2deg(np.arctan(80 / 120))]), atol=0.5)
    # a pixel votes once
    assert found.votes.sum() <= np.count_nonzero(dotted(*segments))
    assert len(RANSACLines(max_lines=3, min_inliers=125)(dotted(*segments))) == 2
    assert len(RANSACLines(max_lines=9)(dotted(*segments, noise=200))) == 9


def test_the_number_of_trials_is_that_which_the_probability_asks_for():
    # a third of the pixels: log(0.01) / log(1 - 1 / 9) = 39.1 trials
    assert RANSACLines()._trials_for(1 / 3) == 40
    assert RANSACLines(stop_probability=0.9)._trials_for(1 / 3) == 20
    assert RANSACLines()._trials_for(1.0) == 1


def test_the_seed_decides_and_the_defaults_are_these(edges):
    usual = RANSACLines()(edges)
    assert usual == RANSACLines(1, 1000, 0.99, min_inliers=2, max_lines=1, random_state=0)(edges)
    others = [RANSACLines(random_state=seed)(edges) for seed in range(1, 6)]
    others += [RANSACLines(max_trials=50)(edges), RANSACLines(max_trials=2000)(edges)]
    assert any(other != usual for other in others[:5])
    assert others[-2].votes[0] < others[-1].votes[0]
    camera, page = Canny()(data.camera()), Canny()(data.page())
    assert RANSACLines()(camera).votes[0] > RANSACLines(max_trials=800)(camera).votes[0]
    assert RANSACLines()(page).votes[0] < RANSACLines(max_trials=1200)(page).votes[0]


def test_masks_with_less_than_two_pixels_have_no_line():
    mask = np.zeros((20, 30), np.uint8)
    assert len(RANSACLines()(mask)) == 0
    mask[4, 5] = 255
    assert len(RANSACLines()(mask)) == 0
    mask[9, 5] = 255
    (line,) = RANSACLines()(mask).rho_theta
    assert np.allclose(line, (5, 0))
    assert len(RANSACLines(min_inliers=3)(mask)) == 0
    assert len(RANSACLines(1e-30)(mask)) <= 1


def test_a_gray_image_is_refused_with_the_way_out():
    with pytest.raises(KindError, match="0 and 255 only"):
        RANSACLines()(data.coins())


# --- MergeLines


def merged(step, *segments):
    return step(Lines(list(segments), (400, 400)))


def test_pieces_become_the_line_that_runs_along_them():
    found = merged(MergeLines(), (10, 50, 40, 50), (55, 50, 100, 50), (200, 10, 200, 90))
    rows = [sorted(map(tuple, segment.reshape(2, 2).round(6))) for segment in found.segments]
    assert rows == [[(10, 50), (100, 50)], [(200, 10), (200, 90)]]
    # chained: the third piece is near the second only
    found = merged(MergeLines(max_gap=5), (0, 9, 50, 9), (54, 9, 70, 9), (74, 9, 80, 9))
    assert found.lengths.tolist() == pytest.approx([80])


def test_near_is_5_degrees_10_pixels_and_a_gap_of_20():
    def count(*segment):
        return len(merged(MergeLines(), (100, 200, 300, 200), segment))

    def leaning(degrees):
        dx, dy = 40 * np.cos(np.deg2rad(degrees)), 40 * np.sin(np.deg2rad(degrees))
        return count(200 - dx, 200 - dy, 200 + dx, 200 + dy)

    assert [leaning(degrees) for degrees in (4.9, -4.9, 5.1, -5.1)] == [1, 1, 2, 2]
    assert [count(150, 200 + off, 250, 200 + off) for off in (10, -10, 10.1, -10.1)] == [1, 1, 2, 2]
    assert [count(300 + gap, 200, 350 + gap, 200) for gap in (20, 20.1)] == [1, 2]
    assert [count(50 - gap, 200, 100 - gap, 200) for gap in (20, 20.1)] == [1, 2]


def test_any_gap_may_be_joined():
    pieces = (10, 50, 40, 50), (300, 50, 390, 50)
    assert len(merged(MergeLines(), *pieces)) == 2
    assert merged(MergeLines(max_gap=None), *pieces).lengths.tolist() == pytest.approx([380])


def test_both_edges_of_a_stripe_become_its_middle():
    found = merged(MergeLines(), (20, 100, 220, 100), (220, 106, 20, 106))
    assert np.allclose(found.segments[0, [1, 3]], 103)
    assert np.allclose(sorted(found.segments[0, [0, 2]]), [20, 220])


def test_infinite_lines_become_their_mean_by_votes():
    pairs = [(100, 0), (104, 0), (300, np.pi / 2)]
    lines = Lines.from_rho_theta(pairs, (400, 400), votes=[30, 10, 20])
    found = MergeLines()(lines)
    assert np.allclose(found.rho_theta, [(101, 0), (300, np.pi / 2)])
    assert found.votes.tolist() == [30, 20]
    # (rho, theta) and (-rho, theta + pi) are one line: leaning to both sides, upright on the whole
    pairs = [(100, np.deg2rad(1)), (-100, np.deg2rad(179))]
    found = MergeLines(distance=20)(Lines.from_rho_theta(pairs, (1, 201), votes=[5, 5]))
    assert len(found) == 1
    assert np.isclose(found.rho_theta[0, 1], 0, atol=1e-9)


def test_the_hough_lines_of_a_checkerboard_become_its_seven_by_seven():
    edges = Canny()(data.checkerboard())
    crowd = HoughLines(threshold=45)(edges)
    found = MergeLines()(crowd)
    assert len(crowd) > 20
    assert len(found) == 14
    rho, theta = found.rho_theta.T
    upright = np.abs(np.sin(theta)) < 0.5
    # squares of 25 pixels; an upright line may lean to either side, and rho change its sign
    for apart in (np.abs(rho[upright]), rho[~upright]):
        assert np.allclose(np.sort(apart), np.arange(1, 8) * 25 - 0.5, atol=1.5)
    points, _ = found.intersections()
    assert len(points) == 49
    rows = points[np.lexsort(points.round(-1).T)].reshape(7, 7, 2)
    assert np.allclose(rows[..., 0], np.arange(1, 8) * 25 - 0.5, atol=2)


def test_merging_a_photograph_keeps_what_is_apart():
    image = Gray()(load_sample_image("china.jpg"))
    edges = (GaussianBlur(5) >> Canny())(image)
    pieces = HoughSegments()(edges)
    found = MergeLines()(pieces)
    assert 3 < len(found) < len(pieces)
    assert np.all(np.diff(found.lengths) <= 0)
    assert found.lengths[0] >= pieces.lengths[0] - 1
    # every piece runs along one of the lines, within what near means
    middles = pieces.segments.reshape(-1, 2, 2).mean(axis=1)
    starts, ways = found.segments[:, :2], found.segments[:, 2:] - found.segments[:, :2]
    ways = ways / found.lengths[:, None]
    off = middles[:, None] - starts
    assert np.abs(off[..., 0] * ways[:, 1] - off[..., 1] * ways[:, 0]).min(axis=1).max() <= 12
    assert MergeLines(max_lines=2)(pieces) == found[:2]


def test_nothing_gives_nothing():
    none = Lines(np.empty((0, 4)), (40, 50))
    assert MergeLines()(none) == none
    none = Lines.from_rho_theta(np.empty((0, 2)), (40, 50), np.empty(0))
    assert MergeLines()(none) == none


# --- What they share


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (RANSACLines(0), "'residual_threshold' of RANSACLines must be a number above 0"),
        (RANSACLines(max_trials=0), "'max_trials'"),
        (RANSACLines(stop_probability=1), "'stop_probability'"),
        (RANSACLines(min_inliers=1), "'min_inliers'"),
        (RANSACLines(max_lines=0), "'max_lines'"),
        (RANSACLines(random_state=None), "'random_state'"),
        (MergeLines(90), "'angle' of MergeLines must be a number at least 0 and below 90"),
        (MergeLines(distance=-1), "'distance'"),
        (MergeLines(max_gap=-1), "'max_gap'"),
        (MergeLines(max_lines=0), "'max_lines'"),
    ],
    ids=repr,
)
def test_parameters_are_refused_by_name(step, message):
    taken = Lines([], (5, 5)) if isinstance(step, MergeLines) else np.zeros((5, 5), np.uint8)
    with pytest.raises(ParameterError, match=message):
        step(taken)
