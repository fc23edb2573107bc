"""Blobs over scales against scikit-image, SciPy and discs whose answer is known."""

import numpy as np
import pytest
from scipy import ndimage
from skimage import color, data, feature
from sklearn.base import clone

from classical.blobs import DoGBlobs, LoGBlobs
from vision.errors import ParameterError

COINS = data.coins()
HUBBLE = (255 * color.rgb2gray(data.hubble_deep_field()[:300, :420])).round().astype(np.uint8)


def rows(found):
    """As scikit-image gives blobs: y, x, sigma."""
    return np.column_stack([found.points[:, ::-1], found.sizes / np.sqrt(8)])


@pytest.mark.parametrize("image", [COINS, HUBBLE], ids=["coins", "hubble"])
@pytest.mark.parametrize(
    ("min_sigma", "max_sigma", "num_sigma", "log_scale"), [(1, 50, 10, False), (2, 30, 6, True)]
)
def test_log_blobs_are_scikit_images(image, min_sigma, max_sigma, num_sigma, log_scale):
    # overlap=1 leaves nothing out: there scikit-image's choice depends on the order of pairs.
    found = LoGBlobs(min_sigma, max_sigma, num_sigma, overlap=1, log_scale=log_scale)(image)
    expected = feature.blob_log(
        image, min_sigma, max_sigma, num_sigma, overlap=1, log_scale=log_scale
    )
    assert len(expected) > 20
    np.testing.assert_allclose(rows(found), expected, rtol=1e-6)


@pytest.mark.parametrize("image", [COINS, HUBBLE], ids=["coins", "hubble"])
def test_log_blobs_by_default_are_scikit_images_but_for_pairs_that_overlap(image):
    found = {tuple(row) for row in rows(LoGBlobs()(image)).round(3)}
    expected = {tuple(row) for row in feature.blob_log(image).round(3)}
    assert len(found & expected) > 0.9 * len(found | expected)


@pytest.mark.parametrize("ratio", [1.6, 1.3])
def test_dog_blobs_are_scikit_images(ratio):
    found = DoGBlobs(2, 30, ratio, threshold=0.1, overlap=1)(COINS)
    expected = feature.blob_dog(COINS, 2, 30, ratio, threshold=0.1, overlap=1)
    assert len(expected) > 20
    np.testing.assert_allclose(rows(found), expected, rtol=1e-6)


def test_dog_blobs_by_default():
    found = DoGBlobs(overlap=1)(HUBBLE)
    expected = feature.blob_dog(HUBBLE, threshold=0.2, overlap=1)
    assert len(expected) > 60
    same = {tuple(row) for row in rows(found).round(3)} ^ {tuple(r) for r in expected.round(3)}
    assert len(same) <= 2  # rounding at the threshold


@pytest.mark.parametrize("radius", [2, 60])
def test_dog_blobs_by_default_are_small_and_large(radius):
    y, x = np.mgrid[:300, :320]
    disc = np.where((x - 150) ** 2 + (y - 140) ** 2 <= (radius + 0.5) ** 2, 250, 0)
    strongest = DoGBlobs(threshold=0.1)(disc.astype(np.uint8))[0]
    assert strongest.points.tolist() == [[150, 140]]
    assert strongest.sizes[0] == pytest.approx(2 * radius, rel=0.2)


def test_responses_are_scipys_laplacian_times_the_squared_scale():
    found = LoGBlobs(overlap=1)(COINS)
    for sigma in np.unique(found.sizes / np.sqrt(8)):
        here = np.isclose(found.sizes / np.sqrt(8), sigma)
        x, y = found.points[here].astype(int).T
        expected = -(sigma**2) * ndimage.gaussian_laplace(COINS / 255, sigma)[y, x]
        np.testing.assert_allclose(found.responses[here], expected, atol=1e-5)
    assert (np.diff(found.responses) <= 0).all()


def test_a_disc_answers_most_at_its_radius_and_by_its_contrast():
    y, x = np.mgrid[:200, :260]
    disc = np.where((x - 150) ** 2 + (y - 80) ** 2 <= 20.5**2, 200, 50).astype(np.uint8)
    found = LoGBlobs(5, 25, 81)(disc)
    assert found.points[0].tolist() == [150, 80]
    assert found.sizes[0] == pytest.approx(41, abs=1)
    # Of a disc of radius sqrt(2) sigma the response is 2 / e.
    assert found.responses[0] == pytest.approx(150 / 255 * 2 / np.e, abs=0.01)


@pytest.mark.parametrize("step", [LoGBlobs(threshold=0.1), DoGBlobs(threshold=0.1)])
def test_dark_blobs_are_the_bright_ones_of_the_negative(step):
    step.set_params(polarity="bright", overlap=1)
    bright, of_negative = step(COINS), step(255 - COINS)
    step.set_params(polarity="dark")
    dark = step(COINS)
    assert len(dark) > 20
    ours, theirs = ({tuple(row) for row in rows(one).round(3)} for one in (dark, of_negative))
    assert len(ours ^ theirs) <= 0.02 * len(ours)  # 1 - x rounds otherwise than x
    step.set_params(polarity="both", overlap=0.5)
    both = {tuple(row) for row in rows(step(COINS)).round(3)}
    either = {tuple(r) for r in rows(dark).round(3)} | {tuple(r) for r in rows(bright).round(3)}
    assert both <= either
    assert both & {tuple(r) for r in rows(dark).round(3)}
    assert both & {tuple(r) for r in rows(bright).round(3)}


def disc(x, y, radius, scale=4, side=160):
    rows, columns = np.mgrid[: side * scale, : side * scale] / scale
    return (rows - y) ** 2 + (columns - x) ** 2 <= radius**2


@pytest.mark.parametrize("step", [LoGBlobs(2, 30, 12, threshold=0.05), DoGBlobs(2, threshold=0.02)])
@pytest.mark.parametrize("overlap", [0.2, None])
def test_no_blob_that_is_kept_is_covered_by_a_larger_one(step, overlap):
    image = COINS[80:240, 20:180].copy()
    kept = (step if overlap is None else clone(step).set_params(overlap=overlap))(image)
    limit = 0.5 if overlap is None else overlap
    every = clone(step).set_params(overlap=1)(image)
    assert 3 < len(kept) < len(every)
    discs = [disc(*point, size / 2) for point, size in zip(every.points, every.sizes, strict=True)]
    names = {row.tobytes(): number for number, row in enumerate(rows(every))}
    stays = {names[row.tobytes()] for row in rows(kept)}
    for number, size in enumerate(every.sizes):
        rivals = [i for i in stays if (every.sizes[i], -i) > (size, -number)]
        shares = [(discs[number] & discs[i]).sum() / discs[number].sum() for i in rivals]
        if number in stays:
            assert max(shares, default=0) < limit + 0.02
        else:
            assert max(shares, default=0) > limit - 0.02


def test_sixteen_bits_are_the_same_picture():
    wide = COINS.astype(np.uint16) * 257
    one, two = LoGBlobs(max_sigma=20)(COINS), LoGBlobs(max_sigma=20)(wide)
    np.testing.assert_allclose(rows(one), rows(two))
    np.testing.assert_allclose(one.responses, two.responses, atol=1e-6)


def test_an_even_picture_has_none():
    for step in (LoGBlobs(threshold=0), DoGBlobs(threshold=0, polarity="both")):
        assert len(step(np.zeros((40, 50), np.uint8))) == 0


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: LoGBlobs(0), "'min_sigma' .* above 0"),
        (lambda: LoGBlobs(9, 5), "'min_sigma' .* must not exceed 'max_sigma'"),
        (lambda: LoGBlobs(num_sigma=0), "'num_sigma' .* at least 1"),
        (lambda: LoGBlobs(overlap=1.5), "'overlap' .* at most 1"),
        (lambda: LoGBlobs(polarity="black"), "'polarity' .* 'bright', 'dark' or 'both'"),
        (lambda: DoGBlobs(sigma_ratio=1), "'sigma_ratio' .* above 1"),
        (lambda: DoGBlobs(threshold=-1), "'threshold' .* at least 0"),
    ],
)
def test_refusals_name_the_parameter(make, says):
    with pytest.raises(ParameterError, match=says):
        make()(COINS)
