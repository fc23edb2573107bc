"""Noise, against the moments that its distributions have and scikit-image's noise."""

import numpy as np
import pytest
from scipy import stats
from skimage import data
from skimage.util import random_noise

from classical.intensity import ToFloat
from classical.noise import (
    GaussianNoise,
    NoiseLevel,
    PoissonNoise,
    SaltAndPepperNoise,
    SpeckleNoise,
)
from vision.errors import ParameterError
from vision.kinds import Kind

ALL = [GaussianNoise(), SpeckleNoise(), PoissonNoise(), SaltAndPepperNoise()]
FLAT = np.full((400, 500), 120, np.uint8)


def in_dtype(image, dtype):
    if dtype == np.uint16:
        return image.astype(np.uint16) * 257
    return ToFloat()(image) if dtype == np.float32 else image


def levels(image):
    """Gray levels of 8 bits."""
    return image / {"uint8": 1, "uint16": 257, "float32": 1 / 255}[image.dtype.name]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_gaussian_noise_has_the_deviation_asked_for(dtype):
    for sigma in (5, 25):
        noise = levels(GaussianNoise(sigma)(in_dtype(FLAT, dtype))) - 120
        assert noise.std() == pytest.approx(sigma, rel=0.01)
        assert noise.mean() == pytest.approx(0, abs=0.1)
        assert stats.skew(noise, axis=None) == pytest.approx(0, abs=0.03)
        assert stats.kurtosis(noise, axis=None) == pytest.approx(0, abs=0.06)


def test_the_default_is_25_levels():
    assert levels(GaussianNoise()(FLAT)).std() == pytest.approx(25, rel=0.01)


def test_neighbours_and_channels_get_noise_of_their_own():
    noise = GaussianNoise()(np.full((200, 300, 3), 128, np.uint8)).astype(float) - 128
    for one, other in (
        (noise[:, 1:], noise[:, :-1]),
        (noise[1:], noise[:-1]),
        (noise[..., 0], noise[..., 1]),
        (noise[..., 0], noise[..., 2]),
    ):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.02
    assert noise.std(axis=(0, 1)) == pytest.approx(25, rel=0.02)


def test_on_a_photograph_it_is_as_much_as_scikit_images():
    camera = data.camera()
    theirs = random_noise(camera, "gaussian", rng=0, var=(20 / 255) ** 2) * 255
    ours = GaussianNoise(20)(camera)
    error, expected = (np.abs(noisy - camera.astype(float)) for noisy in (ours, theirs))
    assert error.mean() == pytest.approx(expected.mean(), rel=0.01)
    assert ours.min() == 0
    assert ours.max() == 255


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_speckle_grows_with_the_brightness(dtype):
    image = in_dtype(np.repeat(np.array([0, 40, 80, 160], np.uint8), 40000).reshape(4, -1), dtype)
    spread = levels(SpeckleNoise(0.1)(image)).std(axis=1)
    assert spread == pytest.approx([0, 4, 8, 16], rel=0.03)
    assert levels(SpeckleNoise()(image)).mean(axis=1) == pytest.approx([0, 40, 80, 160], abs=0.3)


def test_speckle_on_a_photograph_is_as_much_as_scikit_images():
    camera = data.camera()
    theirs = random_noise(camera, "speckle", rng=0, var=0.1**2) * 255
    error, expected = (
        np.abs(noisy - camera.astype(float)).mean() for noisy in (SpeckleNoise()(camera), theirs)
    )
    assert error == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("peak", [20, 255, 2000])
def test_photons_have_their_number_as_variance(dtype, peak):
    noisy = levels(PoissonNoise(peak)(in_dtype(FLAT, dtype)))
    photons = 120 / 255 * peak
    assert noisy.mean() == pytest.approx(120, rel=0.01)
    assert noisy.std() / 120 == pytest.approx(1 / np.sqrt(photons), rel=0.02)


def test_each_level_is_a_photon_by_default():
    noisy = PoissonNoise()(FLAT)
    counts = np.bincount(noisy.ravel(), minlength=256) / noisy.size
    assert np.abs(counts - stats.poisson(120).pmf(np.arange(256))).max() < 0.002
    assert not PoissonNoise()(np.zeros((9, 9), np.uint8)).any()


def test_photons_of_a_photograph_are_spread_as_poisson_says_at_every_pixel():
    image = data.coffee()[100:140, 200:250] // 2  # nothing is cut off at white
    noisy = np.stack([PoissonNoise(random_state=seed)(image) for seed in range(200)]).astype(float)
    z = (noisy.mean(axis=0) - image) / np.sqrt(np.maximum(image, 1) / 200)
    assert np.abs(z).max() < 5.5
    assert z.std() == pytest.approx(1, rel=0.06)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_salt_and_pepper_are_as_many_as_asked_for(dtype):
    image = in_dtype(FLAT, dtype)
    noisy = levels(SaltAndPepperNoise(0.2, salt=0.25)(image))
    shares = [np.mean(np.isclose(noisy, level, atol=0.01)) for level in (0, 120, 255)]
    assert shares == pytest.approx([0.15, 0.8, 0.05], abs=0.004)


def test_five_in_a_hundred_are_half_salt_by_default():
    noisy = SaltAndPepperNoise()(FLAT)
    shares = [np.mean(noisy == level) for level in (0, 255)]
    assert shares == pytest.approx([0.025, 0.025], abs=0.002)


def test_a_pixel_is_replaced_as_a_whole_and_a_mask_stays_one():
    coffee = data.coffee()
    noisy = SaltAndPepperNoise(0.1)(coffee)
    changed = (noisy != coffee).any(axis=-1)
    assert 0.09 < changed.mean() < 0.11
    assert set(np.unique(noisy[changed].sum(axis=-1))) == {0, 765}
    assert SaltAndPepperNoise().gives_for(Kind.EDGES) is Kind.EDGES
    assert GaussianNoise().gives_for(Kind.EDGES) is Kind.GRAY


@pytest.mark.parametrize(
    "still",
    [
        GaussianNoise(0),
        SpeckleNoise(0),
        SaltAndPepperNoise(0),
    ],
    ids=repr,
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_no_noise_changes_nothing(still, dtype):
    image = in_dtype(data.coffee(), dtype)
    assert np.array_equal(still(image), image)


@pytest.mark.parametrize("step", ALL, ids=lambda step: type(step).__name__)
def test_the_noise_depends_on_the_seed_and_the_image_alone(step):
    one, other = data.camera(), data.camera().copy()
    other[0, 0] ^= 1
    first = step(one)
    step(data.coins())
    np.random.seed(1)
    assert np.array_equal(step(one), first)
    assert np.array_equal(type(step)(random_state=0)(one), first)
    assert np.array_equal(step(one.copy()), first)
    assert np.array_equal(step(np.asfortranarray(one)), first)
    # another picture, and another seed, get another pattern
    for noisy in (step(other), step.set_params(random_state=7)(one)):
        changed = (noisy != one) & (first != one)
        assert np.mean(noisy != first) > 0.9 * np.mean(first != one)
        assert changed.sum() < 0.999 * (first != one).sum()
    step.set_params(random_state=0)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (GaussianNoise(-1), "'sigma' of GaussianNoise must be a number at least 0"),
        (GaussianNoise(random_state=None), "'random_state' of GaussianNoise"),
        (SpeckleNoise("a"), "'sigma' of SpeckleNoise"),
        (SpeckleNoise(random_state=-1), "'random_state'"),
        (PoissonNoise(0), "'peak' of PoissonNoise must be a number above 0"),
        (PoissonNoise(random_state=1.0), "'random_state'"),
        (SaltAndPepperNoise(1.1), "'amount' of SaltAndPepperNoise.*at most 1"),
        (SaltAndPepperNoise(salt=-0.1), "'salt' of SaltAndPepperNoise"),
        (SaltAndPepperNoise(random_state=2**32), "'random_state'"),
        (NoiseLevel("mad"), "'method' of NoiseLevel must be 'wavelet' or 'laplacian'"),
    ],
    ids=repr,
)
def test_parameters_are_refused_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(data.camera())


# --- NoiseLevel

# Daubechies' db2 as published: (1 +- sqrt 3, 3 +- sqrt 3) / (4 sqrt 2), alternating signs.
DB2 = np.array([-0.48296291314453, 0.83651630373781, -0.22414386804201, -0.12940952255126])


def wavelet_level(plane):
    """The estimate by plain loops over rows and columns, in scikit-image's and pywt's manner."""
    wide = np.pad(plane.astype(float), 3, mode="symmetric")
    rows = np.stack([np.convolve(row, DB2, mode="valid") for row in wide])
    both = np.stack([np.convolve(column, DB2, mode="valid") for column in rows.T]).T
    details = np.abs(both[1::2, 1::2])
    details = details[details > 1e-3]
    return np.median(details) / stats.norm.ppf(0.75)


@pytest.mark.parametrize("picture", ["camera", "coins", "page", "text"])
def test_the_level_is_the_median_wavelet_coefficients(picture):
    image = getattr(data, picture)()
    for part in (image, image[:101, :83]):
        assert NoiseLevel()(part)[0] == pytest.approx(wavelet_level(part), rel=1e-4)


@pytest.mark.parametrize(
    ("picture", "published"),
    # skimage.restoration.estimate_sigma 0.26.0 with PyWavelets 1.9.0
    [("camera", 1.2591423), ("coins", 1.9507857)],
)
def test_the_level_is_scikit_images(picture, published):
    # rounding hides most of the flat places from it, which it means to leave out too
    assert NoiseLevel()(getattr(data, picture)())[0] == pytest.approx(published, rel=0.015)


def test_the_laplacian_estimate_is_immerkaers_formula():
    image = data.camera().astype(float)
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]])
    height, width = image.shape
    total = 0.0
    for (dy, dx), weight in np.ndenumerate(mask):
        total = total + weight * image[dy : height - 2 + dy, dx : width - 2 + dx]
    expected = np.sqrt(np.pi / 2) / (6 * (width - 2) * (height - 2)) * np.abs(total).sum()
    assert NoiseLevel("laplacian")(data.camera())[0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("method", ["wavelet", "laplacian"])
@pytest.mark.parametrize("sigma", [15, 25])
def test_added_noise_is_found_again(method, sigma):
    rng = np.random.default_rng(3)
    for image, tolerance in ((FLAT, 0.02), (data.coins(), 0.12), (data.coffee(), 0.12)):
        noisy = np.clip(np.rint(image + rng.normal(0, sigma, image.shape)), 0, 255)
        found = NoiseLevel(method)(noisy.astype(np.uint8))[0]
        assert found == pytest.approx(sigma, rel=tolerance)


@pytest.mark.parametrize("method", ["wavelet", "laplacian"])
def test_the_unit_is_a_level_of_8_bits_whatever_the_dtype(method):
    step, image = NoiseLevel(method), GaussianNoise(10)(data.coffee())
    expected = step(image)
    for dtype in (np.uint16, np.float32):
        assert step(in_dtype(image, dtype)) == pytest.approx(expected, rel=1e-3)
    planes = [step(np.ascontiguousarray(image[..., channel]))[0] for channel in range(3)]
    assert expected[0] == pytest.approx(np.mean(planes), rel=1e-5)


def test_what_is_cut_off_at_white_does_not_count():
    image = np.full((200, 200), 128, np.uint8)
    noisy = GaussianNoise(10)(image)
    noisy[:, 80:] = 255
    assert NoiseLevel()(noisy)[0] == pytest.approx(10, rel=0.06)


def test_a_batch_gives_a_column_with_a_name():
    images = [data.camera(), data.coffee(), np.zeros((1, 1), np.uint8)]
    table = NoiseLevel().transform(images)
    assert table.shape == (3, 1)
    assert table[2, 0] == 0
    assert NoiseLevel().get_feature_names_out().tolist() == ["noise_level"]
    assert NoiseLevel("laplacian")(np.zeros((2, 9), np.uint8)).tolist() == [0]
