"""Canny's edges, and what all edge detectors share, against geometry and scikit-image."""

import numpy as np
import pytest
from scipy import ndimage
from skimage import data, feature, filters

from classical.edges import Canny
from classical.filters import GaussianBlur
from classical.gradients import Prewitt, Roberts, Scharr, Sobel
from classical.zero_crossings import DoG, Laplacian, LoG
from tests.classical.edge_pictures import COLUMNS, DISC, RADIUS, ROWS, agreement, upright
from vision.errors import KindError, ParameterError
from vision.kinds import Kind

STRENGTHS = [Sobel, Scharr, Prewitt, Roberts]
CROSSINGS = [Laplacian, LoG, DoG]
EDGE_STEPS = [Canny(), *(cls(output="edges") for cls in (*STRENGTHS, *CROSSINGS))]
EDGE_STEPS += [Canny(thresholds="otsu"), Canny(aperture=7, low=5000, high=9000)]


@pytest.mark.parametrize("step", EDGE_STEPS, ids=repr)
def test_a_discs_edge_lies_on_the_circle_and_is_thin(step):
    found = step(DISC) > 0
    distances = RADIUS[found]
    assert np.all(np.abs(distances - 60) <= 1.5)
    # no gap: an edge in every direction, in steps of three pixels; thin: no more than the outline
    angles = np.rad2deg(np.arctan2(ROWS, COLUMNS)[found]) % 360
    assert len(np.unique(angles // 3)) == 120
    assert 300 < found.sum() <= 8 * 60  # the circle in steps along rows and columns alone


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


@pytest.mark.parametrize(("aperture", "gain"), [(3, 8), (5, 128), (7, 2048)])
@pytest.mark.parametrize("l2", [False, True])
def test_the_strength_is_the_sobel_sum_where_it_is_highest(aperture, gain, l2):
    image = GaussianBlur(5)(data.coins())
    x, y = (ndimage.sobel(image.astype(float), axis=axis, mode="nearest") for axis in (1, 0))
    if aperture == 3:
        expected = np.hypot(x, y) if l2 else np.abs(x) + np.abs(y)
        found = Canny(aperture=3, l2=l2, output="strength")(image)
        assert np.allclose(found[found > 0], expected[found > 0], rtol=1e-6)
        # an edge is a maximum across itself: along x, y, or one of the diagonals
        inner = np.s_[1:-1, 1:-1]
        ridge = np.zeros(image.shape, bool)
        for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
            ahead, behind = (np.roll(expected, (way * dy, way * dx), (0, 1)) for way in (1, -1))
            ridge |= (expected >= ahead) & (expected >= behind)
        assert ridge[inner][found[inner] > 0].all()
    ramp = np.tile(np.arange(0, 120, 2, dtype=np.uint8), (30, 1))
    ramp[:, 30:] += 60
    found = Canny(aperture=aperture, l2=l2, output="strength")(ramp)
    assert found.dtype == np.float32
    # a slope of 2 a pixel, and a step of 60 with its own gain, as in the test above
    share = {3: 4, 5: 48, 7: 640}[aperture]
    assert found.max() == pytest.approx(2 * gain + 60 * share, rel=1e-3)


@pytest.mark.parametrize("aperture", [3, 5, 7])
@pytest.mark.parametrize("l2", [False, True])
def test_what_exceeds_a_level_is_an_edge_at_that_level(aperture, l2):
    image = data.camera()
    strength = Canny(aperture=aperture, l2=l2, output="strength")(image)
    for level in (0, 20, 150):
        level *= {3: 1, 5: 16, 7: 256}[aperture]
        edges = Canny(level, level, aperture, l2)(image)
        assert np.mean((strength > level) != (edges > 0)) < 1e-4
    assert (strength > 0).mean() > 0.05


def test_the_median_rule():
    for image in (data.camera(), data.coins(), data.page()[:, :-1], np.array([[9, 20]], np.uint8)):
        median = np.median(image)
        low, high = Canny(thresholds="median").levels(image)
        assert low == pytest.approx(0.67 * median)
        assert high == pytest.approx(min(1.33 * median, 255))
    camera = data.camera()
    median = np.median(camera)
    found = Canny(thresholds="median")(camera)
    assert np.array_equal(found, Canny(0.67 * median, 1.33 * median)(camera))
    # the given ones do not count then
    assert np.array_equal(found, Canny(3, 7, thresholds="median")(camera))
    assert Canny(thresholds="median").levels(np.full((9, 9), 250, np.uint8))[1] == 255


@pytest.mark.parametrize("l2", [False, True])
@pytest.mark.parametrize("picture", ["coins", "camera"])
def test_otsus_rule_separates_the_gradients(picture, l2):
    image = getattr(data, picture)()
    x, y = (ndimage.sobel(image.astype(float), axis=axis, mode="nearest") for axis in (1, 0))
    length = np.hypot(x, y) if l2 else np.abs(x) + np.abs(y)
    level = filters.threshold_otsu(length, nbins=65536)
    low, high = Canny(thresholds="otsu", l2=l2).levels(image)
    assert high == pytest.approx(level, rel=0.01)
    assert low == high / 2
    found = Canny(thresholds="otsu", l2=l2)(image)
    assert np.array_equal(found, Canny(low, high, l2=l2)(image))
    assert 1 < found.mean() < 40


@pytest.mark.parametrize("aperture", [3, 5, 7])
def test_chosen_levels_are_in_the_unit_of_given_ones(aperture):
    image = GaussianBlur(5)(data.coins())
    chosen = Canny(aperture=aperture, thresholds="otsu")
    low, high = chosen.levels(image)
    assert np.array_equal(chosen(image), Canny(low, high, aperture)(image))
    assert high == pytest.approx({3: 8, 5: 128, 7: 2048}[aperture] * 20, rel=0.6)
    assert Canny(50, 90).levels(image) == (50, 90)


# --- What all share


@pytest.mark.parametrize("cls", [*STRENGTHS, *CROSSINGS])
def test_the_kind_depends_on_the_output(cls):
    assert cls().gives_for(Kind.GRAY) is Kind.MAP
    assert cls(output="edges").gives_for(Kind.GRAY) is Kind.EDGES


def test_cannys_kind_depends_on_the_output_too():
    assert Canny().gives_for(Kind.GRAY) is Kind.EDGES
    assert Canny(output="strength").gives_for(Kind.GRAY) is Kind.MAP


@pytest.mark.parametrize("cls", [*STRENGTHS, *CROSSINGS])
def test_sixteen_bits_give_the_edges_of_eight(cls):
    image = GaussianBlur(5)(data.coins())
    wide = image.astype(np.uint16) * 256
    assert np.allclose(cls()(wide), cls()(image) * 256.0, rtol=1e-4, atol=0.05)
    one = cls(output="edges", threshold=12)(image)
    other = cls(output="edges", threshold=12 * 256)(wide)
    assert one.mean() > 3
    assert np.mean(one != other) < 0.001
    if cls is Sobel:
        for size in (3, 7):
            one, other = (Sobel(size, "edges")(picture) for picture in (image, wide))
            assert np.mean(one != other) < 0.001


@pytest.mark.parametrize("step", EDGE_STEPS, ids=repr)
@pytest.mark.parametrize("shape", [(1, 1), (4, 1), (1, 4), (1, 2), (2, 2)])
def test_a_few_pixels_are_an_image_too(step, shape):
    # beside a number, OpenCV takes an array of one or four for numbers
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    for output in ("edges", "strength"):
        assert step.set_params(output=output)(image).shape == shape
    step.set_params(output="edges")


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Canny(300, 200), "The 'low' of Canny must not exceed 'high'. Got low=300, high=200"),
        (Canny(-1), "'low'"),
        (Canny(high="a"), "'high'"),
        (Canny(aperture=4), "The 'aperture' of Canny must be 3, 5 or 7. Got 4"),
        (Canny(aperture=True), "'aperture'"),
        (Canny(l2=1), "'l2'"),
        (Canny(thresholds="auto"), "'thresholds' of Canny must be 'given', 'median' or 'otsu'"),
        (Canny(output="response"), "'output' of Canny must be 'edges' or 'strength'"),
        (Sobel(2), "The 'size' of Sobel must be 1, 3, 5 or 7. Got 2"),
        (Sobel(output="edge"), "Did you mean 'edges'"),
        (Sobel(direction="z"), "'direction'"),
        (Sobel(threshold="ostu"), "Did you mean 'otsu'"),
        (Sobel(threshold=-1), "'threshold'"),
        (Scharr(direction="z"), "'direction' of Scharr"),
        (Prewitt(output="map"), "'output' of Prewitt"),
        (Roberts(threshold=-1), "'threshold' of Roberts"),
        (Laplacian(2), "The 'size' of Laplacian must be 1, 3, 5 or 7. Got 2"),
        (Laplacian(output="edge"), "Did you mean 'edges'"),
        (LoG(0.4), "The 'sigma' of LoG must be a number at least 0.5. Got 0.4"),
        (LoG(output="map"), "'output'"),
        (LoG(threshold="otsu"), "'threshold'"),
        (DoG(0.4), "The 'sigma' of DoG must be a number at least 0.5. Got 0.4"),
        (DoG(ratio=1), "The 'ratio' of DoG must be a number above 1. Got 1"),
        (DoG(threshold=-1), "'threshold' of DoG"),
    ],
    ids=repr,
)
def test_parameters_are_refused_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(np.zeros((5, 5), np.uint8))


@pytest.mark.parametrize("step", EDGE_STEPS, ids=repr)
def test_colour_is_refused_with_the_way_out(step):
    with pytest.raises(KindError, match=r"Gray\(\) makes it gray"):
        step(np.zeros((5, 5, 3), np.uint8))
