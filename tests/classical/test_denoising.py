"""Denoising, against definitions written out, scikit-image, and solutions by hand."""

import numpy as np
import pytest
from scipy import ndimage
from skimage import data, restoration

from classical.denoising import BilateralFilter, NonLocalMeans, TotalVariation
from classical.intensity import ToFloat
from vision.errors import KindError, ParameterError
from vision.kinds import Kind

RNG = np.random.default_rng(0)
COINS = data.coins()[100:160, 60:130]
COFFEE = data.coffee()[150:200, 200:260]
ALL = [BilateralFilter(), NonLocalMeans(), TotalVariation()]


def with_noise(image, sigma):
    noisy = image + np.random.default_rng(1).normal(0, sigma, image.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def psnr(one, other):
    return 10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2))


def shifted(image, reach):
    """The image moved by every shift within reach, mirrored at its border."""
    margins = ((reach, reach), (reach, reach), (0, 0))[: image.ndim]
    wide = np.pad(image.astype(float), margins, mode="reflect")
    height, width = image.shape[:2]
    for dy in range(2 * reach + 1):
        for dx in range(2 * reach + 1):
            yield dy - reach, dx - reach, wide[dy : dy + height, dx : dx + width]


# --- BilateralFilter


def bilateral(image, size, sigma_color, sigma_space):
    """Tomasi and Manduchi's equation 1, over a round window."""
    channels = image if image.ndim == 3 else image[..., None]
    total, weights = 0.0, 0.0
    for dy, dx, moved in shifted(channels, size // 2):
        if np.hypot(dy, dx) <= size // 2:
            apart = np.abs(moved - channels).sum(axis=-1)
            weight = np.exp(-(apart**2) / (2 * sigma_color**2))
            weight *= np.exp(-(dy**2 + dx**2) / (2 * sigma_space**2))
            total, weights = total + weight[..., None] * moved, weights + weight
    return (total / weights[..., None]).reshape(image.shape)


@pytest.mark.parametrize("image", [COINS, COFFEE], ids=["gray", "colour"])
@pytest.mark.parametrize("parameters", [(9, 75, 75), (5, 20, 1.5), (7, 120, 3)])
def test_bilateral_is_its_definition(image, parameters):
    found = BilateralFilter(*parameters)(image)
    assert np.abs(found - bilateral(image, *parameters)).max() < 1


def test_the_bilateral_defaults_are_9_75_75():
    expected = bilateral(COINS, 9, 75, 75)
    assert np.abs(BilateralFilter()(COINS) - expected).max() < 1
    assert BilateralFilter().sigma_space == 75  # within nine pixels hardly another from 60


def test_bilateral_of_floats_takes_its_deviation_in_8_bit_levels():
    expected = bilateral(COFFEE / 255, 7, 40 / 255, 2)
    found = BilateralFilter(7, 40, 2)(ToFloat()(COFFEE))
    assert np.abs(found - expected).max() < 2e-3  # OpenCV reads its Gaussian from a table


def test_bilateral_keeps_a_step_that_a_gaussian_blurs():
    step = np.repeat([60, 180], 20)[None].repeat(40, axis=0)
    noisy = with_noise(step, 8)
    found = BilateralFilter(9, 40, 3)(noisy).astype(float)
    assert found[:, :20].std() < 4
    assert found[:, 18:20].mean() == pytest.approx(60, abs=2)
    blurred = ndimage.gaussian_filter(noisy.astype(float), 3)
    assert blurred[:, 18:20].mean() > 80


# --- NonLocalMeans


def nonlocal_means(image, sigma, strength, patch, search):
    """The weights of the docstring, by brute force."""
    channels = (image if image.ndim == 3 else image[..., None]).astype(float)
    reach, half = search // 2, patch // 2
    height, width, _ = channels.shape
    margin = ((reach + half,) * 2, (reach + half,) * 2, (0, 0))
    wide = np.pad(channels, margin, mode="reflect")

    def patches(y, x):
        rows = slice(y, y + height + 2 * half), slice(x, x + width + 2 * half)
        return wide[rows]

    total, weights = 0.0, 0.0
    here = patches(reach, reach)
    for y in range(2 * reach + 1):
        for x in range(2 * reach + 1):
            there = patches(y, x)
            squares = ((here - there) ** 2).mean(axis=-1)
            apart = np.zeros((height, width))
            for dy in range(patch):
                for dx in range(patch):
                    apart += squares[dy : dy + height, dx : dx + width] / patch**2
            weight = np.exp(-np.maximum(apart - 2 * sigma**2, 0) / (strength * sigma) ** 2)
            moved = there[half : half + height, half : half + width]
            total, weights = total + weight[..., None] * moved, weights + weight
    return (total / weights[..., None]).reshape(image.shape)


@pytest.mark.parametrize("image", [COINS, COFFEE], ids=["gray", "colour"])
@pytest.mark.parametrize(
    "parameters", [(10, 0.7, 5, 13), (25, 0.5, 3, 9), (6, 1.2, 7, 5), (15, 0.8, 5, 7)]
)
def test_nonlocal_means_is_its_definition(image, parameters):
    found = NonLocalMeans(*parameters)(image)
    expected = nonlocal_means(image, *parameters)
    assert np.abs(found - expected).max() < 0.502


def test_the_defaults_of_nonlocal_means():
    expected = nonlocal_means(COINS, 12, 0.7, 5, 13)
    assert np.abs(NonLocalMeans(12)(COINS) - expected).max() < 0.502


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_nonlocal_means_of_other_dtypes_is_that_of_8_bits(dtype):
    expected = nonlocal_means(COFFEE, 10, 0.7, 5, 13)
    scale = 257.0 if dtype == np.uint16 else 1 / 255
    found = NonLocalMeans(10)((COFFEE * scale).astype(dtype))
    assert found.dtype == dtype
    assert np.abs(found / scale - expected).max() < 2e-2


def test_tall_pictures_are_the_same_in_bands():
    tall = np.ascontiguousarray(data.camera()[:, 200:230])
    found = NonLocalMeans(10, search=7)(tall)
    part = NonLocalMeans(10, search=7)(np.ascontiguousarray(tall[230:290]))
    assert np.array_equal(found[240:280], part[10:50])


def test_nonlocal_means_is_as_good_as_scikit_images():
    clean = data.camera()[100:300, 100:300]
    for sigma, patch in ((10, 3), (25, 5)):
        noisy = with_noise(clean, sigma)
        # its patches of 5 are 4 wide, so that they do not give the same
        theirs = 255 * restoration.denoise_nl_means(
            noisy / 255, 5, 6, 0.7 * sigma / 255, fast_mode=True, sigma=sigma / 255
        )
        ours = NonLocalMeans(sigma, patch=patch)(noisy)
        assert psnr(ours, clean) > psnr(theirs, clean) - 0.05
        assert np.abs(ours - theirs).mean() < 2


def test_the_noise_is_estimated_where_it_is_not_given():
    clean = data.camera()
    for sigma in (10, 25):
        noisy = with_noise(clean, sigma)
        blind, told = (psnr(step(noisy), clean) for step in (NonLocalMeans(), NonLocalMeans(sigma)))
        assert blind == pytest.approx(told, abs=0.3)
        assert blind > psnr(noisy, clean) + 4


def test_a_picture_without_noise_stays():
    flat = np.full((30, 40), 77, np.uint8)
    assert np.array_equal(NonLocalMeans()(flat), flat)
    assert np.array_equal(NonLocalMeans(0)(COFFEE), COFFEE)


# --- TotalVariation


@pytest.mark.parametrize("weight", [0.03, 0.1])
@pytest.mark.parametrize("image", [COINS, COFFEE], ids=["gray", "colour"])
def test_total_variation_is_the_limit_of_scikit_images_iteration(weight, image):
    image = ToFloat()(with_noise(image, 20))
    expected = restoration.denoise_tv_chambolle(
        image.astype(float),
        weight=weight,
        eps=1e-9,
        max_num_iter=20000,
        channel_axis=-1 if image.ndim == 3 else None,
    )
    found = TotalVariation(weight, iterations=2000)(image)
    assert np.abs(found - expected).max() < 5e-3  # theirs is not quite there yet
    assert np.abs(found - expected).mean() < 5e-4
    # the documented accuracy of the default
    error = TotalVariation(weight)(image) - expected
    assert np.sqrt(np.mean(error**2)) < 2e-3


def energy(u, image, weight):
    x, y = np.zeros_like(u), np.zeros_like(u)
    x[:, :-1], y[:-1] = np.diff(u, axis=1), np.diff(u, axis=0)
    return np.sum((u - image) ** 2) / 2 + weight * np.sum(np.hypot(x, y))


def test_nothing_near_the_result_has_less_energy():
    image = (with_noise(data.camera()[200:260, 200:270], 25) / 255).astype(np.float32)
    found = TotalVariation(iterations=1000)(image).astype(float)
    least = energy(found, image, 0.1)
    for _ in range(20):
        change = ndimage.gaussian_filter(RNG.normal(size=image.shape), RNG.choice([0, 1, 4]))
        for size in (0.003, 0.01, 0.05):
            assert energy(found + size * change, image, 0.1) > least - 1e-3
    assert least < energy(np.full(image.shape, image.mean()), image, 0.1)
    assert least < energy(image.astype(float), image, 0.1)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_step_between_halves_loses_what_the_weight_says(dtype):
    # n columns on each side of one step of all rows: each side moves by weight / n
    step = np.zeros((12, 20), np.uint8)
    step[:, 10:] = 200
    scale = {"uint8": 1.0, "uint16": 257.0, "float32": 1 / 255}[np.dtype(dtype).name]
    found = TotalVariation(0.4, iterations=300)((step * scale).astype(dtype)) / scale
    assert found[:, :10] == pytest.approx(0.4 * 255 / 10, abs=0.6)
    assert found[:, 10:] == pytest.approx(200 - 0.4 * 255 / 10, abs=0.6)
    lying = TotalVariation(0.4, iterations=300)(np.ascontiguousarray(step.T))
    assert lying[:10] == pytest.approx(0.4 * 255 / 10, abs=0.6)


def test_the_default_weight_is_a_tenth_of_white():
    image = ToFloat()(with_noise(COINS, 20))
    expected = restoration.denoise_tv_chambolle(
        image.astype(float), weight=0.1, eps=1e-9, max_num_iter=20000
    )
    assert np.abs(TotalVariation()(image) - expected).mean() < 1e-3


def test_a_great_weight_leaves_the_mean():
    found = TotalVariation(50.0, iterations=3000)(ToFloat()(COINS))
    assert found == pytest.approx(COINS.mean() / 255, abs=5e-3)


# --- What all share


@pytest.mark.parametrize("step", ALL, ids=lambda step: type(step).__name__)
def test_noise_goes_and_a_mask_becomes_gray(step):
    clean = data.coffee()[:200, :300]
    noisy = with_noise(clean, 20)
    assert psnr(step(noisy), clean) > psnr(noisy, clean) + 2
    assert step.gives_for(Kind.MASK) is Kind.GRAY
    assert step.gives_for(Kind.FLOAT) is Kind.FLOAT


@pytest.mark.parametrize("step", ALL, ids=lambda step: type(step).__name__)
def test_white_and_black_floats_stay_within_their_range(step):
    image = np.zeros((20, 20, 3), np.float32)
    image[:, 10:] = 1
    found = step(image)
    assert found.min() >= 0
    assert found.max() <= 1


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (BilateralFilter((9, 9)), r"Write BilateralFilter\(9\)"),
        (BilateralFilter(2), "'size' of BilateralFilter"),
        (BilateralFilter(sigma_color=0), "'sigma_color' of BilateralFilter"),
        (BilateralFilter(sigma_space=-1), "'sigma_space' of BilateralFilter"),
        (NonLocalMeans(-1), "'sigma' of NonLocalMeans must be a number at least 0"),
        (NonLocalMeans(strength=0), "'strength' of NonLocalMeans"),
        (NonLocalMeans(patch=4), "'patch' of NonLocalMeans must be an odd whole number"),
        (NonLocalMeans(search=1), "'search' of NonLocalMeans"),
        (TotalVariation(0), "'weight' of TotalVariation must be a number above 0"),
        (TotalVariation(iterations=0), "'iterations' of TotalVariation"),
    ],
    ids=repr,
)
def test_parameters_are_refused_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(COINS)


def test_bilateral_takes_no_16_bits():
    with pytest.raises(KindError, match="ToUint8"):
        BilateralFilter()(np.zeros((9, 9), np.uint16))
