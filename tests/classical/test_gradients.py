"""Gradients against SciPy, scikit-image and slopes known by hand."""

import numpy as np
import pytest
from scipy import ndimage
from skimage import data, feature, filters

from classical.filters import GaussianBlur
from classical.gradients import Prewitt, Roberts, Scharr, Sobel
from tests.classical.edge_pictures import COLUMNS, ROWS, agreement, upright


@pytest.mark.parametrize("name", ["camera", "coins"])
def test_the_strength_is_an_eighth_of_scipys_gradient(name):
    image = getattr(data, name)().astype(float)
    x, y = (ndimage.sobel(image, axis=axis, mode="mirror") / 8 for axis in (1, 0))
    image = image.astype(np.uint8)
    found = Sobel()(image)
    assert found.dtype == np.float32
    assert np.allclose(found, np.hypot(x, y), atol=1e-3)
    assert np.allclose(Sobel(direction="x")(image), np.abs(x), atol=1e-3)
    assert np.allclose(Sobel(direction="y")(image), np.abs(y), atol=1e-3)


@pytest.mark.parametrize(
    ("size", "slope", "smooth"),
    [
        (1, [-1, 0, 1], [1]),
        (5, [-1, -2, 0, 2, 1], [1, 4, 6, 4, 1]),
        (7, [-1, -4, -5, 0, 5, 4, 1], [1, 6, 15, 20, 15, 6, 1]),
    ],
)
def test_other_sizes_are_binomial_kernels_normalised_to_a_ramp(size, slope, smooth):
    image = data.camera()[:200, :200].astype(float)
    gain = np.dot(slope, np.arange(len(slope))) * np.sum(smooth)
    x, y = (
        ndimage.correlate1d(
            ndimage.correlate1d(image, slope, axis=axis, mode="mirror"),
            smooth,
            axis=1 - axis,
            mode="mirror",
        )
        / gain
        for axis in (1, 0)
    )
    assert np.allclose(Sobel(size)(image.astype(np.uint8)), np.hypot(x, y), atol=1e-3)


@pytest.mark.parametrize("size", [1, 3, 5, 7])
def test_a_ramp_has_its_slope_whatever_the_size_and_dtype(size):
    inner = np.s_[4:-4, 4:-4]
    for dtype, steps in ((np.uint8, (2, 3)), (np.uint16, (300, 400))):
        ramp = (np.arange(30)[:, None] * steps[0] + np.arange(25) * steps[1]).astype(dtype)
        assert np.allclose(Sobel(size)(ramp)[inner], np.hypot(*steps), rtol=1e-5)
        assert np.allclose(Sobel(size, direction="x")(ramp)[inner], steps[1], rtol=1e-5)
        assert np.allclose(Sobel(size, direction="y")(ramp)[inner], steps[0], rtol=1e-5)


def test_directions_answer_to_upright_and_level_edges():
    image = upright(100)
    level = np.ascontiguousarray(image.T)
    for output in ("strength", "edges"):
        x, y = (Sobel(output=output, direction=axis, threshold=10) for axis in "xy")
        assert x(image).any()
        assert not y(image).any()
        assert y(level).any()
        assert not x(level).any()
        assert np.array_equal(x(image), y(level).T)


@pytest.mark.parametrize(("size", "strength"), [(1, 30), (3, 30), (5, 22.5)])
def test_an_edge_exceeds_the_threshold(size, strength):
    image = upright(60)
    assert np.isclose(Sobel(size)(image).max(), strength)
    assert Sobel(size, "edges", threshold=strength - 0.1)(image).any()
    assert not Sobel(size, "edges", threshold=strength)(image).any()


@pytest.mark.parametrize("threshold", [15, "otsu"])
def test_sobel_edges_on_a_photograph_are_scikit_images_thin_ridges(threshold):
    image = GaussianBlur(5)(data.coins())
    strength = np.hypot(
        *(ndimage.sobel(image.astype(float), axis=axis, mode="mirror") / 8 for axis in (0, 1))
    )
    level = filters.threshold_otsu(strength, nbins=4096) if threshold == "otsu" else threshold
    found = Sobel(output="edges", threshold=threshold)(image)
    assert np.all(strength[found > 0] > level * 0.99)
    # their Canny with one threshold is non-maximum suppression alone
    theirs = feature.canny(image, sigma=1e-3, low_threshold=level * 8, high_threshold=level * 8)
    assert found.mean() > 3
    assert min(agreement(found, theirs)) > 0.97


# --- Scharr, Prewitt and Roberts

KERNELS = {Scharr: [3, 10, 3], Prewitt: [1, 1, 1]}


@pytest.mark.parametrize("cls", KERNELS)
@pytest.mark.parametrize("picture", ["camera", "coins"])
def test_strengths_are_scipys_correlations(cls, picture):
    image = getattr(data, picture)().astype(float)
    smooth = np.array(KERNELS[cls]) / sum(KERNELS[cls])
    kernel = smooth[:, None] * [-0.5, 0, 0.5]
    x, y = (ndimage.correlate(image, k, mode="mirror") for k in (kernel, kernel.T))
    image = image.astype(np.uint8)
    assert np.allclose(cls()(image), np.hypot(x, y), atol=1e-3)
    assert np.allclose(cls(direction="x")(image), np.abs(x), atol=1e-3)
    assert np.allclose(cls(direction="y")(image), np.abs(y), atol=1e-3)


@pytest.mark.parametrize(
    ("cls", "theirs", "factor"),
    # scikit-image: the mean of both squares, for differences of -1 and 1 where ours are halved
    [
        (Sobel, filters.sobel, np.sqrt(2) / 2),
        (Scharr, filters.scharr, np.sqrt(2) / 2),
        (Prewitt, filters.prewitt, np.sqrt(2) / 2),
        (Roberts, filters.roberts, 1),
    ],
)
def test_strengths_are_scikit_images_inside(cls, theirs, factor):
    inner = np.s_[1:-1, 1:-1]
    for image in (data.camera(), data.coins()):
        expected = theirs(image.astype(float))
        assert np.allclose(cls()(image)[inner], factor * expected[inner], atol=1e-3)


@pytest.mark.parametrize("cls", [Scharr, Prewitt, Roberts])
def test_a_ramp_has_its_slope(cls):
    inner = np.s_[2:-2, 2:-2]
    for dtype, steps in ((np.uint8, (2, 3)), (np.uint16, (300, 400))):
        ramp = (np.arange(30)[:, None] * steps[0] + np.arange(25) * steps[1]).astype(dtype)
        assert np.allclose(cls()(ramp)[inner], np.hypot(*steps), rtol=1e-5)


def test_scharrs_error_in_direction_is_the_least():
    angles = np.deg2rad(np.arange(0, 90, 5))
    worst = {}
    for cls in (Sobel, Scharr, Prewitt):
        errors = []
        for angle in angles:
            # a wave of 8 pixels, whose true direction is known everywhere
            wave = np.cos(2 * np.pi / 8 * (COLUMNS * np.cos(angle) + ROWS * np.sin(angle)))
            image = np.rint(32768 + 30000 * wave).astype(np.uint16)
            x, y = (cls(direction=axis)(image)[20:-20, 20:-20] for axis in "xy")
            found = np.arctan2(y.astype(float).sum(), x.astype(float).sum())
            errors.append(abs(found - angle))
        worst[cls] = max(errors)
    assert worst[Scharr] < worst[Sobel] / 3 < worst[Prewitt] / 3


@pytest.mark.parametrize("cls", [Scharr, Prewitt])
def test_directions_of_the_others_answer_to_upright_and_level_edges(cls):
    image = upright(100)
    for output in ("strength", "edges"):
        x, y = (cls(output=output, direction=axis, threshold=10) for axis in "xy")
        assert x(image).any()
        assert not y(image).any()
        assert np.allclose(x(image), y(np.ascontiguousarray(image.T)).T)


@pytest.mark.parametrize(("cls", "strength"), [(Scharr, 30), (Prewitt, 30), (Roberts, 60)])
def test_an_edge_of_the_others_exceeds_the_threshold(cls, strength):
    image = upright(60)
    assert np.isclose(cls()(image).max(), strength)
    assert cls("edges", threshold=strength - 0.1)(image).any()
    assert not cls("edges", threshold=strength)(image).any()


def test_roberts_belongs_to_the_upper_left_of_its_block():
    dot = np.zeros((5, 6), np.uint8)
    dot[2, 3] = 100
    found = Roberts()(dot)
    assert np.argwhere(found).tolist() == [[1, 2], [1, 3], [2, 2], [2, 3]]
    assert np.allclose(found[found > 0], 100 / np.sqrt(2))


@pytest.mark.parametrize("cls", [Sobel, Scharr, Prewitt, Roberts])
@pytest.mark.parametrize("picture", ["camera", "page", "moon"])
def test_otsus_level_of_the_strength_is_the_default(cls, picture):
    image = getattr(data, picture)()
    level = filters.threshold_otsu(cls()(image), nbins=65536)
    found, expected = cls(output="edges")(image), cls(output="edges", threshold=level)(image)
    assert np.mean(found != expected) < 1e-3
    assert not np.isclose(level, 15, rtol=0.2)


@pytest.mark.parametrize("cls", [Scharr, Prewitt])
def test_edges_of_the_others_are_near_scikit_images_thin_ridges(cls):
    image = GaussianBlur(5)(data.coins())
    level = filters.threshold_otsu(cls()(image), nbins=4096)
    found = cls("edges")(image)
    theirs = feature.canny(image, sigma=1e-3, low_threshold=level * 8, high_threshold=level * 8)
    assert found.mean() > 3
    assert min(agreement(found, theirs)) > 0.95


def test_the_result_is_the_same_wherever_it_lies_in_memory():
    image = np.ascontiguousarray(data.camera()[:33, :47])
    for step in (Sobel(), Sobel(5), Scharr(), Prewitt(), Roberts()):
        expected, kept = step(image), []
        for size in range(1, 400, 13):
            kept.append(np.empty(size * 5, np.uint8))
            assert np.array_equal(step(image), expected)
