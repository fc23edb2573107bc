"""Second derivatives and their zero crossings, against SciPy, scikit-image and geometry."""

import numpy as np
import pytest
from scipy import ndimage
from skimage import data, filters

from classical.filters import GaussianBlur
from classical.zero_crossings import DoG, Laplacian, LoG
from tests.classical.edge_pictures import COLUMNS, DISC, RADIUS, ROWS, upright

# --- LoG


@pytest.mark.parametrize("sigma", [1.0, 2.0, 3.5])
def test_the_response_is_scipys_laplacian_of_gaussian(sigma):
    image = data.camera()[100:300, 100:300]
    expected = ndimage.gaussian_laplace(image.astype(float), sigma, mode="mirror", truncate=8)
    found = LoG(sigma)(image)
    assert found.dtype == np.float32
    assert np.allclose(found, expected, atol=0.003 + 1e-4 * np.abs(expected).max())


def test_the_default_sigma_is_2():
    image = data.coins()
    expected = ndimage.gaussian_laplace(image.astype(float), 2, mode="mirror", truncate=8)
    assert np.allclose(LoG()(image), expected, atol=0.01)


@pytest.mark.parametrize("sigma", [0.5, 1, 2, 4])
def test_flat_and_sloping_surfaces_answer_0_and_a_paraboloid_4(sigma):
    inner = np.s_[50:-50, 50:-50]
    surface = (ROWS**2 + COLUMNS**2 + 300).astype(np.uint16)
    assert np.allclose(LoG(sigma)(surface)[inner], 4, atol=0.02)
    slope = (ROWS * 7 + COLUMNS * 3 + 2000).astype(np.uint16)
    assert np.allclose(LoG(sigma)(slope)[inner], 0, atol=0.002)
    assert np.allclose(LoG(sigma)(np.full((30, 30), 255, np.uint8)), 0, atol=2e-4)


def test_the_middle_of_a_disc_answers_as_the_integral_does():
    # Integrating the LoG over a disc of radius r: -(r / sigma^2)^2 exp(-r^2 / (2 sigma^2)).
    for radius, sigma in ((20, 10), (30, 12), (20, 14.142)):
        disc = np.where(radius >= RADIUS, 100, 0).astype(np.uint8)
        expected = -100 * (radius / sigma**2) ** 2 * np.exp(-(radius**2) / (2 * sigma**2))
        assert np.isclose(LoG(sigma)(disc)[100, 100], expected, rtol=0.03)


@pytest.mark.parametrize("sigma", [0.7, 1, 2, 3])
@pytest.mark.parametrize("threshold", [20, 60])
def test_the_threshold_is_the_height_of_the_weakest_step(sigma, threshold):
    step = LoG(sigma, output="edges", threshold=threshold)
    assert step(upright(threshold + 1, width=50)).any()
    assert not step(upright(threshold - 1, width=50)).any()


def test_the_default_threshold_is_20():
    assert LoG(output="edges")(upright(21)).any()
    assert not LoG(output="edges")(upright(19)).any()


def test_zero_crossings_are_those_of_scipys_response():
    image = data.coins()[:150, :150]
    response = ndimage.gaussian_laplace(image.astype(float), 2, mode="mirror", truncate=8)
    slope = 20 / (np.sqrt(2 * np.pi) * 2**3)
    expected = np.zeros(image.shape, bool)
    for axis in (0, 1):
        for way in (1, -1):
            other = np.roll(response, way, axis)
            crossing = (response < 0) & (other >= 0) & (other - response > slope)
            frame = [slice(None), slice(None)]
            frame[axis] = 0 if way == 1 else -1
            crossing[tuple(frame)] = False
            expected |= crossing
    found = LoG(output="edges")(image) > 0
    assert expected.sum() > 500
    assert np.mean(found != expected) < 0.001


# --- Laplacian


def test_the_plain_laplacian_is_scipys():
    for image in (data.camera(), data.coins()):
        expected = ndimage.laplace(image.astype(float), mode="mirror")
        assert np.array_equal(Laplacian()(image), expected)
        inner = np.s_[1:-1, 1:-1]
        assert np.allclose(-filters.laplace(image.astype(float))[inner], expected[inner])


@pytest.mark.parametrize(
    ("size", "curve", "smooth", "gain"),
    [
        (3, [1, -2, 1], [1, 2, 1], 4),
        (5, [1, 0, -2, 0, 1], [1, 4, 6, 4, 1], 64),
        (7, [1, 2, -1, -4, -1, 2, 1], [1, 6, 15, 20, 15, 6, 1], 1024),
    ],
)
def test_the_larger_sizes_are_binomial_kernels(size, curve, smooth, gain):
    image = data.camera()[:200, :200].astype(float)
    expected = sum(
        ndimage.correlate1d(
            ndimage.correlate1d(image, curve, axis=axis, mode="mirror"),
            smooth,
            axis=1 - axis,
            mode="mirror",
        )
        for axis in (0, 1)
    )
    share = np.dot(curve, (np.arange(size) - size // 2) ** 2) / 2 * np.sum(smooth)
    assert np.allclose(Laplacian(size)(image.astype(np.uint8)), expected / share, atol=1e-2)


@pytest.mark.parametrize("size", [1, 3, 5, 7])
def test_a_paraboloid_has_4_whatever_the_size_and_a_slope_0(size):
    inner = np.s_[50:-50, 50:-50]
    surface = (ROWS**2 + COLUMNS**2 + 300).astype(np.uint16)
    assert np.allclose(Laplacian(size)(surface)[inner], 4, atol=1e-3)
    slope = (ROWS * 7 + COLUMNS * 3 + 2000).astype(np.uint16)
    assert np.allclose(Laplacian(size)(slope)[inner], 0, atol=1e-3)


# --- DoG


@pytest.mark.parametrize("parameters", [(2.0, 1.6), (1.0, 2.0), (3.0, 1.2)])
@pytest.mark.parametrize("picture", ["camera", "coins"])
def test_the_difference_is_of_scipys_gaussians(parameters, picture):
    image = getattr(data, picture)()[:250, :200].astype(float)
    sigma, ratio = parameters
    narrow, wide = (
        ndimage.gaussian_filter(image, s, mode="mirror", radius=int(np.ceil(4 * s)))
        for s in (sigma, ratio * sigma)
    )
    found = DoG(sigma, ratio)(image.astype(np.uint8))
    assert found.dtype == np.float32
    assert np.allclose(found, narrow - wide, atol=2e-3)


def test_the_difference_is_scikit_images_inside():
    image = data.coins()
    theirs = filters.difference_of_gaussians(image.astype(float), 2, 3.2)
    inner = np.s_[15:-15, 15:-15]
    assert np.allclose(DoG()(image)[inner], theirs[inner], atol=0.01)


def test_the_middle_of_a_disc_answers_as_the_integral_of_gaussians_does():
    # A Gaussian over a disc of radius r around its middle: 1 - exp(-r^2 / (2 sigma^2)).
    for radius, sigma, ratio in ((20, 10, 1.6), (30, 12, 1.3)):
        disc = np.where(radius >= RADIUS, 100, 0).astype(np.uint8)
        shares = [1 - np.exp(-(radius**2) / (2 * s**2)) for s in (sigma, sigma * ratio)]
        expected = 100 * (shares[0] - shares[1])
        assert np.isclose(DoG(sigma, ratio)(disc)[100, 100], expected, rtol=0.02)


def test_with_the_classic_ratio_it_is_nearly_a_laplacian():
    # G(s) - G(1.6 s) is the integral of -s LoG(s) ds; in the middle of the two
    image = data.camera()
    middle = 2 * np.sqrt(1.6)
    dog, log = DoG(2)(image), -LoG(middle)(image)
    assert np.corrcoef(dog.ravel(), log.ravel())[0, 1] > 0.99
    scale = (dog * log).sum() / (log * log).sum()
    assert scale == pytest.approx(2**2 * (1.6**2 - 1) / 2, rel=0.1)


# --- What all three share

STEPS = [Laplacian(), Laplacian(3), Laplacian(5), LoG(), LoG(1.0), DoG(), DoG(1.0, 2.0)]


@pytest.mark.parametrize("step", STEPS, ids=repr)
@pytest.mark.parametrize("height", [15, 80])
def test_the_strength_is_the_height_of_a_straight_step(step, height):
    for image in (upright(height, width=60), np.ascontiguousarray(upright(height, width=60).T)):
        strength = step.set_params(output="strength")(image)
        assert strength.max() == pytest.approx(height, rel=0.02)
        lines = np.flatnonzero((strength > height / 2).any(axis=0 if image.shape[1] == 60 else 1))
        assert lines.tolist() == [15]  # on the bright side
    step.set_params(output="response")


@pytest.mark.parametrize("step", STEPS, ids=repr)
@pytest.mark.parametrize("picture", ["coins", "camera"])
def test_edges_are_where_the_strength_exceeds_the_threshold(step, picture):
    image = GaussianBlur(5)(getattr(data, picture)())
    strength = step.set_params(output="strength")(image)
    for threshold in (5, 20, 60):
        edges = step.set_params(output="edges", threshold=threshold)(image)
        assert np.array_equal(edges > 0, strength > threshold)
    step.set_params(output="response", threshold=20)
    # bright and dark side: the response has another sign on some side of each edge
    response = step(image) * (-1 if isinstance(step, DoG) else 1)
    assert (response[strength > 0] < 0).all()
    neighbours = ndimage.maximum_filter(response, footprint=[[0, 1, 0], [1, 1, 1], [0, 1, 0]])
    assert (neighbours[strength > 0] >= 0).all()


@pytest.mark.parametrize("cls", [Laplacian, LoG, DoG])
def test_the_default_threshold_of_all_is_20(cls):
    assert cls(output="edges")(upright(21)).any()
    assert not cls(output="edges")(upright(19)).any()


def test_the_discs_edge_is_as_strong_as_it_is_high():
    strength = LoG(2, output="strength")(DISC)
    found = strength[strength > 100]
    assert np.median(found) == pytest.approx(255, rel=0.35)
    assert np.all(np.abs(RADIUS[strength > 100] - 60) <= 1.5)
