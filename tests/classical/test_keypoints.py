"""ORB and SIFT against scikit-image, SciPy, the papers' definitions and geometry by hand."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage import data, feature

from classical.corners import FAST
from classical.keypoints import ORB, SIFT
from vision.errors import ImageError, ParameterError

pytestmark = pytest.mark.cv2


def spots(places, sigma, shape=(120, 180)):
    """Gaussian spots of known places (x, y)."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    levels = sum(np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * sigma**2)) for px, py in places)
    return (20 + 180 * levels).round().astype(np.uint8)


@pytest.mark.parametrize("sigma", [3, 5, 8])
def test_sift_finds_spots_where_they_are_and_how_large(sigma):
    places = np.array([[40.0, 60.0], [90.25, 55.5], [140.5, 64.75]])
    found = SIFT()(spots(places, sigma))
    near = found[np.isclose(found.sizes, 2 * sigma, rtol=0.15)]
    distances, which = cKDTree(places).query(near.points)
    assert set(which) == {0, 1, 2}
    # Twice as fine a first scale, made carelessly, is a quarter of a pixel off.
    assert distances.max() < 0.06


def test_sift_finds_mostly_what_scikit_image_finds():
    image = data.coins()
    found = SIFT()(image)
    other = feature.SIFT()  # same layers, contrast, edges and sigma by default
    other.detect(image)
    ours = np.unique(np.column_stack([found.points, found.sizes]), axis=0)
    theirs = np.unique(np.column_stack([other.positions[:, ::-1], 2 * other.sigmas]), axis=0)
    distances, which = cKDTree(theirs).query(ours)
    assert (distances < 1).mean() > 0.82
    assert (cKDTree(ours).query(theirs)[0] < 1).mean() > 0.64
    ratio = ours[distances < 1, 2] / theirs[which[distances < 1], 2]
    assert np.median(ratio) == pytest.approx(1, abs=0.02)


def test_sift_descriptors_have_lowes_form():
    found = SIFT()(data.camera())
    rows = found.descriptors
    assert rows.dtype == np.float32
    assert rows.shape == (len(found), 128)
    assert (rows == rows.round()).all()
    assert rows.min() == 0
    assert rows.max() <= 255
    # Unit length times 512.
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 512, rtol=0.01)
    assert (np.diff(found.responses) <= 0).all()


@pytest.mark.parametrize("step", [SIFT(), ORB()])
def test_a_quarter_turn_turns_points_and_directions(step):
    image = data.camera()[:400, :460].copy()
    one, two = step(image), step(np.rot90(image).copy())
    pairs = one.match(two, ratio=0.8, cross_check=True)
    x, y = pairs.points.T
    # Counter-clockwise: (x, y) goes to (y, width - 1 - x).
    off = np.linalg.norm(pairs.others - np.column_stack([y, 459 - x]), axis=1)
    right = off < 1.5 * one.sizes[pairs.indices[:, 0]] / one.sizes.min()
    assert right.sum() > 100
    assert right.mean() > 0.85
    exact = off < 0.1
    turned = two.angles[pairs.indices[exact, 1]] - one.angles[pairs.indices[exact, 0]]
    apart = (turned + 90 + 180) % 360 - 180
    assert exact.sum() > 50
    assert np.median(np.abs(apart)) < 2


def test_the_strongest_are_kept():
    image = data.camera()
    every, few = SIFT()(image), SIFT(50)(image)
    assert len(few) == 50
    assert few.responses.tolist() == every.responses[:50].tolist()


def levels(found):
    return np.rint(np.log(found.sizes / 31) / np.log(1.2))


def test_orb_starts_from_fast_corners_away_from_the_border():
    image = data.camera()
    found = ORB(n_features=1_000_000)(image)
    first = found[levels(found) == 0]
    # FAST is held to the segment test elsewhere; its default threshold is ORB's, too.
    corners = FAST(20)(image)
    inside = ((corners.points >= 31) & (corners.points < 512 - 31)).all(axis=1)
    assert inside.sum() > 1000
    assert sorted(first.points.tolist()) == sorted(corners.points[inside].tolist())


def test_orb_has_eight_scales_and_five_hundred_points():
    found = ORB()(data.camera())
    assert len(found) == 500
    assert found.descriptors.shape == (500, 32)
    assert found.descriptors.dtype == np.uint8
    assert set(levels(found)) == set(range(8))
    np.testing.assert_allclose(found.sizes, 31 * 1.2 ** levels(found), rtol=1e-5)
    assert (np.diff(found.responses) <= 0).all()


def test_the_response_of_orb_is_harris_over_seven_pixels():
    image = data.camera()
    found = ORB(3000)(image)
    first = found[levels(found) == 0]
    x, y = first.points.astype(int).T
    slopes = [ndimage.sobel(image.astype(float), axis) for axis in (1, 0)]
    products = slopes[0] ** 2, slopes[1] ** 2, slopes[0] * slopes[1]
    xx, yy, xy = (49 * ndimage.uniform_filter(one, 7) for one in products)
    expected = (xx * yy - xy**2 - 0.04 * (xx + yy) ** 2) / (4 * 7 * 255) ** 4
    np.testing.assert_allclose(first.responses, expected[y, x], rtol=1e-3)


def test_the_direction_of_orb_is_the_way_to_the_centre_of_brightness():
    image = data.camera()
    found = ORB(3000)(image)
    first = found[levels(found) == 0][:300]
    y, x = np.mgrid[-15:16, -15:16]
    disc = x**2 + y**2 <= 15.5**2
    for (px, py), angle in zip(first.points.astype(int), first.angles, strict=True):
        patch = image[py - 15 : py + 16, px - 15 : px + 16] * disc
        expected = np.degrees(np.arctan2((patch * y).sum(), (patch * x).sum()))
        assert abs((angle - expected + 180) % 360 - 180) < 0.02


@pytest.mark.parametrize("step", [SIFT(), ORB()])
def test_threads_and_order_do_not_matter(step):
    images = [data.camera()[i * 20 :, i * 10 :].copy() for i in range(6)]
    alone = [step(image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(step, images[::-1]))
    assert alone == together[::-1]


@pytest.mark.parametrize("shape", [(1, 1), (62, 300), (20, 30)])
def test_pictures_that_are_all_border_have_no_orb_points(shape):
    found = ORB()(data.camera()[: shape[0], : shape[1]].copy())
    assert len(found) == 0
    assert found.descriptors.shape == (0, 32)
    assert found.descriptors.dtype == np.uint8


def test_a_picture_without_points_still_has_rows_to_compare():
    blank = np.full((90, 90), 50, np.uint8)
    assert SIFT()(blank).descriptors.shape == (0, 128)
    assert len(SIFT()(blank).match(SIFT()(data.camera()))) == 0
    assert len(ORB()(data.camera()).match(ORB()(blank))) == 0


def test_scales_without_pixels_are_refused():
    with pytest.raises(ImageError, match="lower n_levels"):
        ORB(n_levels=12, scale_factor=2)(data.camera())


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: ORB(scale_factor=1), "'scale_factor' .* above 1"),
        (lambda: ORB(n_features=0), "'n_features' .* at least 1"),
        (lambda: ORB(n_levels=33), "'n_levels' .* at most 32"),
        (lambda: ORB(score="Harris"), "'score' .* Did you mean 'harris'"),
        (lambda: SIFT(sigma=0.5), "'sigma' .* at least 1"),
        (lambda: SIFT(n_features=-1), "'n_features' .* at least 1"),
    ],
)
def test_refusals_name_the_parameter(make, says):
    with pytest.raises(ParameterError, match=says):
        make()(data.camera())
