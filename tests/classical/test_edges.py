"""Edges against geometry solved by hand, SciPy's filters and scikit-image's Canny."""

import numpy as np
import pytest
from scipy import ndimage
from skimage import data, feature, filters

from classical.edges import Canny, LoG, Sobel
from classical.filters import GaussianBlur
from vision.errors import KindError, ParameterError
from vision.kinds import Kind

ROWS, COLUMNS = np.mgrid[-100:101, -100:101]
RADIUS = np.hypot(ROWS, COLUMNS)
DISC = np.where(RADIUS <= 60, 255, 0).astype(np.uint8)
EDGE_STEPS = [Canny(), Sobel(output="edges"), LoG(output="edges")]


def upright(height, base=20, width=30):
    """A straight upright step between columns 14 and 15."""
    image = np.full((21, width), base, np.uint8)
    image[:, 15:] = base + height
    return image


def agreement(one, other):
    """Shares of each mask's edges that lie within one pixel of the other's, frame left out."""
    one, other = one[2:-2, 2:-2] > 0, other[2:-2, 2:-2] > 0
    near = np.ones((3, 3), bool)
    recall = one[ndimage.binary_dilation(other, near)].sum() / one.sum()
    return recall, other[ndimage.binary_dilation(one, near)].sum() / other.sum()


@pytest.mark.parametrize("step", EDGE_STEPS, ids=repr)
def test_a_discs_edge_lies_on_the_circle_and_is_thin(step):
    found = step(DISC) > 0
    distances = RADIUS[found]
    assert np.all(np.abs(distances - 60) <= 1.5)
    # no gap: an edge in every direction, in steps of three pixels; thin: no more than the outline
    angles = np.rad2deg(np.arctan2(ROWS, COLUMNS)[found]) % 360
    assert len(np.unique(angles // 3)) == 120
    assert 300 < found.sum() <= 2 * np.pi * 60 * 1.1


@pytest.mark.parametrize("step", EDGE_STEPS, ids=repr)
def test_a_straight_step_gives_one_column(step):
    found = step(upright(100))
    (column,) = np.flatnonzero(found.any(axis=0))
    assert column in (14, 15)
    assert found[:, column].all()
    lying = step(np.ascontiguousarray(upright(100).T))
    assert np.array_equal(lying, found.T)


@pytest.mark.parametrize("step", EDGE_STEPS, ids=repr)
def test_flat_images_have_no_edges(step):
    for level in (0, 77, 255):
        assert not step(np.full((20, 30), level, np.uint8)).any()


# --- Canny


@pytest.mark.parametrize(("aperture", "gain"), [(3, 4), (5, 48), (7, 640)])
@pytest.mark.parametrize("l2", [False, True])
def test_thresholds_are_the_raw_sobel_sums_of_a_step(aperture, gain, l2):
    image = upright(50)
    limit = 50 * gain
    assert Canny(limit - 1, limit - 1, aperture, l2)(image).any()
    assert not Canny(limit, limit, aperture, l2)(image).any()


def test_the_defaults_are_100_and_200():
    # a step of height h sums to 4 h
    assert Canny()(upright(51)).any()
    assert not Canny()(upright(50)).any()
    fading = np.vstack([upright(51), upright(26)])
    assert Canny()(fading).any(axis=1).all()
    fainter = Canny()(np.vstack([upright(51), upright(25)])).any(axis=1)
    assert fainter[:20].all()
    assert not fainter[23:].any()
    assert not Canny()(upright(26)).any()


def test_the_l1_norm_counts_a_diagonal_more():
    image = np.where(ROWS + COLUMNS > 0, 140, 100).astype(np.uint8)
    inner = np.s_[3:-3, 3:-3]
    # a step of height 40 at 45 degrees: both parts sum to 3 * 40
    assert Canny(239, 239)(image)[inner].any()
    assert not Canny(240, 240)(image)[inner].any()
    assert Canny(169, 169, l2=True)(image)[inner].any()
    assert not Canny(170, 170, l2=True)(image)[inner].any()


def test_canny_on_a_photograph_agrees_with_scikit_images():
    smooth = GaussianBlur(9, 2.0)(data.camera())
    for low, high in ((100, 200), (40, 120)):
        ours = Canny(low, high, l2=True)(smooth)
        theirs = feature.canny(smooth, sigma=1e-3, low_threshold=low, high_threshold=high)
        assert ours.mean() > 2
        assert min(agreement(ours, theirs)) > 0.9


# --- Sobel


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


def test_sixteen_bits_give_the_edges_of_eight():
    image = data.coins()
    wide = image.astype(np.uint16) * 256
    assert np.allclose(Sobel()(wide), Sobel()(image) * 256, rtol=1e-5, atol=1e-2)
    for size in (3, 7):
        one, other = (Sobel(size, "edges")(picture) for picture in (image, wide))
        assert np.mean(one != other) < 0.001
    one, other = LoG(output="edges")(image), LoG(output="edges", threshold=20 * 256)(wide)
    assert np.mean(one != other) < 0.001


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


# --- What all share


@pytest.mark.parametrize("cls", [Sobel, LoG])
def test_the_kind_depends_on_the_output(cls):
    assert cls().gives_for(Kind.GRAY) is Kind.MAP
    assert cls(output="edges").gives_for(Kind.GRAY) is Kind.EDGES


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Canny(300, 200), "The 'low' of Canny must not exceed 'high'. Got low=300, high=200"),
        (Canny(-1), "'low'"),
        (Canny(high="a"), "'high'"),
        (Canny(aperture=4), "The 'aperture' of Canny must be 3, 5 or 7. Got 4"),
        (Canny(aperture=True), "'aperture'"),
        (Canny(l2=1), "'l2'"),
        (Sobel(2), "The 'size' of Sobel must be 1, 3, 5 or 7. Got 2"),
        (Sobel(output="edge"), "Did you mean 'edges'"),
        (Sobel(direction="z"), "'direction'"),
        (Sobel(threshold="ostu"), "Did you mean 'otsu'"),
        (Sobel(threshold=-1), "'threshold'"),
        (LoG(0.4), "The 'sigma' of LoG must be a number at least 0.5. Got 0.4"),
        (LoG(output="map"), "'output'"),
        (LoG(threshold="otsu"), "'threshold'"),
    ],
    ids=repr,
)
def test_parameters_are_refused_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(np.zeros((5, 5), np.uint8))


@pytest.mark.parametrize("step", [Canny(), Sobel(), LoG()], ids=repr)
def test_colour_is_refused_with_the_way_out(step):
    with pytest.raises(KindError, match=r"Gray\(\) makes it gray"):
        step(np.zeros((5, 5, 3), np.uint8))
