"""Harris, Shi-Tomasi and FAST against SciPy, scikit-image and the papers' own definitions."""

import numpy as np
import pytest
from scipy import ndimage
from skimage import data, feature

from classical.corners import FAST, HarrisCorners, ShiTomasiCorners
from vision.errors import ImageError, ParameterError

pytestmark = pytest.mark.cv2
CAMERA = data.camera()[60:260, 140:400].copy()
SLOPES = {3: [1, 2, 1], 5: [1, 4, 6, 4, 1], 7: [1, 6, 15, 20, 15, 6, 1]}
DIFFERENCES = {3: [-1, 0, 1], 5: [-1, -2, 0, 2, 1], 7: [-1, -4, -5, 0, 5, 4, 1]}


def structure(image, block, aperture):
    """The structure tensor by SciPy: sums over the block, in OpenCV's unit."""
    across = np.outer(SLOPES[aperture], DIFFERENCES[aperture])
    levels = image / 255 / (2 ** (aperture - 1) * block)
    x, y = (ndimage.correlate(levels, kernel, mode="mirror") for kernel in (across, across.T))
    boxes = [ndimage.uniform_filter(p, block, mode="mirror") for p in (x * x, y * y, x * y)]
    return [box * block**2 for box in boxes]


def harris(image, block=3, aperture=3, k=0.04):
    xx, yy, xy = structure(image, block, aperture)
    return xx * yy - xy**2 - k * (xx + yy) ** 2


def shi_tomasi(image, block=3, aperture=3):
    xx, yy, xy = structure(image, block, aperture)
    return np.linalg.eigvalsh(np.stack([xx, xy, xy, yy], -1).reshape(*image.shape, 2, 2))[..., 0]


def strongest(response, quality, min_distance):
    """Local maxima of the response, from the strongest on, none too near a stronger one."""
    highest = ndimage.maximum_filter(response, 3) == response
    highest &= response > quality * response.max()
    highest[[0, -1]] = highest[:, [0, -1]] = False
    y, x = np.nonzero(highest)
    order = np.argsort(-response[y, x], kind="stable")
    kept = []
    for point in np.column_stack([x, y])[order]:
        if all(np.hypot(*(point - other)) >= min_distance for other in kept):
            kept.append(point)
    return np.array(kept)


@pytest.mark.parametrize(
    "parameters", [{}, {"block": 2}, {"block": 7}, {"aperture": 5}, {"aperture": 7, "block": 5}]
)
@pytest.mark.parametrize(
    ("step", "oracle"), [(HarrisCorners, harris), (ShiTomasiCorners, shi_tomasi)]
)
def test_the_response_is_scipys(step, oracle, parameters):
    expected = oracle(CAMERA, **parameters)
    response = step(output="response", **parameters)(CAMERA)
    assert response.dtype == np.float32
    np.testing.assert_allclose(response, expected, atol=2e-6 * np.abs(expected).max())


def test_k_is_how_much_edges_count():
    response = HarrisCorners(k=0.15, output="response")(CAMERA)
    expected = harris(CAMERA, k=0.15)
    np.testing.assert_allclose(response, expected, atol=2e-6 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("step", "oracle"), [(HarrisCorners, harris), (ShiTomasiCorners, shi_tomasi)]
)
def test_the_corners_of_a_photograph_are_the_strongest_maxima(step, oracle):
    response = oracle(CAMERA)
    expected = strongest(response, quality=0.01, min_distance=10)
    found = step()(CAMERA)
    assert len(expected) > 60
    assert found.points.tolist() == expected.tolist()
    x, y = expected.T
    np.testing.assert_allclose(found.responses, response[y, x], rtol=1e-3)
    assert (np.diff(found.responses) <= 0).all()
    assert set(found.sizes) == {3.0}
    assert found.angles is None


@pytest.mark.parametrize("step", [HarrisCorners, ShiTomasiCorners])
def test_quality_distance_and_number(step):
    response = (harris if step is HarrisCorners else shi_tomasi)(CAMERA)
    found = step(quality=0.1, min_distance=25)(CAMERA)
    assert found.points.tolist() == strongest(response, 0.1, 25).tolist()
    few = step(max_corners=7)(CAMERA)
    assert few.points.tolist() == strongest(response, 0.01, 10)[:7].tolist()


@pytest.mark.parametrize("step", [HarrisCorners, ShiTomasiCorners])
def test_refined_corners_of_a_checkerboard_lie_where_four_squares_meet(step):
    board = data.checkerboard()[:, :170].copy()  # squares of 25 pixels, 8 rows and 7 columns
    found = step(refine=5)(board)
    x, y = np.meshgrid(25 * np.arange(1, 7) - 0.5, 25 * np.arange(1, 8) - 0.5)
    grid = np.column_stack([x.ravel(), y.ravel()])
    distances = np.linalg.norm(found.points[:, None] - grid, axis=2)
    assert len(found) == len(grid)
    assert distances.min(axis=1).max() < 0.1
    assert distances.min(axis=0).max() < 0.1


def test_refining_needs_room_and_says_so():
    small = data.checkerboard()[18:32, 15:44].copy()
    assert len(HarrisCorners()(small)) == 1
    with pytest.raises(ImageError, match=r"15 pixels a side.*refine=0"):
        HarrisCorners(refine=5)(small)


@pytest.mark.parametrize("step", [HarrisCorners(), ShiTomasiCorners(), FAST()])
def test_an_even_picture_has_no_corners(step):
    assert len(step(np.full((40, 50), 99, np.uint8))) == 0


# Rosten and Drummond's circle of 16 pixels, in order.
CIRCLE = "0,3 1,3 2,2 3,1 3,0 3,-1 2,-2 1,-3 0,-3 -1,-3 -2,-2 -3,-1 -3,0 -3,1 -2,2 -1,3"


def segment_test(image, threshold):
    """Their definition, all pixels at once: an arc of 9 that is brighter, or darker."""
    offsets = [tuple(map(int, pair.split(","))) for pair in CIRCLE.split()]
    levels = image.astype(int)
    around = np.stack([np.roll(levels, (-dy, -dx), (0, 1)) for dx, dy in offsets])
    corners = np.zeros(image.shape, bool)
    for differs in (around > levels + threshold, around < levels - threshold):
        wrapped = np.concatenate([differs, differs[:8]])
        corners |= np.any([wrapped[start : start + 9].all(axis=0) for start in range(16)], axis=0)
    inside = np.zeros_like(corners)
    inside[3:-3, 3:-3] = True
    return corners & inside


def test_fast_is_the_segment_test():
    expected = segment_test(CAMERA, 20)
    found = FAST(nonmax_suppression=False)(CAMERA)
    x, y = found.points.astype(int).T
    assert expected.sum() > 300
    assert sorted(zip(y, x, strict=True)) == sorted(zip(*np.nonzero(expected), strict=True))
    assert set(found.sizes) == {7.0}
    assert found.responses is None


def test_fast_agrees_with_scikit_image():
    # Half a level on top, so that no comparison of floats is a tie.
    expected = feature.corner_fast(CAMERA / 255, n=9, threshold=20.5 / 255) > 0
    x, y = FAST(nonmax_suppression=False)(CAMERA).points.astype(int).T
    assert sorted(zip(y, x, strict=True)) == sorted(zip(*np.nonzero(expected), strict=True))


def test_the_response_of_fast_is_the_last_threshold_and_neighbours_are_suppressed():
    found = FAST()(CAMERA)
    score = np.full(CAMERA.shape, -1)
    for threshold in range(20, 256):
        score[segment_test(CAMERA, threshold)] = threshold
    x, y = found.points.astype(int).T
    assert found.responses.tolist() == score[y, x].tolist()
    around = ndimage.maximum_filter(score, footprint=[[1, 1, 1], [1, 0, 1], [1, 1, 1]])
    lonely = (score > around) & (score >= 20)
    assert sorted(zip(y, x, strict=True)) == sorted(zip(*np.nonzero(lonely), strict=True))
    assert (np.diff(found.responses) <= 0).all()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: HarrisCorners(quality=0), "'quality' .* above 0"),
        (lambda: HarrisCorners(k=0.3), "'k' .* at most 0.25"),
        (lambda: HarrisCorners(aperture=4), "'aperture' .* 3, 5 or 7"),
        (lambda: HarrisCorners(max_corners=0), "'max_corners' .* at least 1"),
        (lambda: ShiTomasiCorners(block=0), "'block' .* at least 1"),
        (lambda: ShiTomasiCorners(output="strength"), "'output' .* 'corners' or 'response'"),
        (lambda: FAST(threshold=256), "'threshold' .* at most 255"),
        (lambda: FAST(nonmax_suppression=1), "'nonmax_suppression' .* True or False"),
    ],
)
def test_refusals_name_the_parameter(make, says):
    with pytest.raises(ParameterError, match=says):
        make()(CAMERA)
