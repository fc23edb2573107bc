"""Tone curves, against scikit-image, Pillow and exact arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps
from skimage import data, exposure, util

from classical.tone import BrightnessContrast, ContrastStretching, GammaCorrection, Negative
from vision.errors import ParameterError
from vision.kinds import Kind

EVERY_16 = np.arange(65536, dtype=np.uint16).reshape(256, 256)


def as_dtype(image, dtype):
    """A photograph in another dtype, its range moved away from both ends."""
    if dtype == np.float32:
        return (image / 400 + 0.2).astype(np.float32)
    return (image // 2 + 40).astype(np.uint8) if dtype == np.uint8 else image.astype(dtype) * 150


# --- ContrastStretching


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize(
    ("parameters", "low", "high"),
    [({}, 2, 98), ({"low": 0, "high": 100}, 0, 100), ((10.5, 80), 10.5, 80)],
)
@pytest.mark.parametrize("picture", ["coffee", "coins"])
def test_stretching_is_scikit_images(picture, parameters, low, high, dtype):
    image = as_dtype(getattr(data, picture)(), dtype)
    most = 1.0 if dtype == np.float32 else float(np.iinfo(dtype).max)
    limits = tuple(np.percentile(image, (low, high)))
    expected = exposure.rescale_intensity(image.astype(float), limits, out_range=(0.0, most))
    step = (
        ContrastStretching(**parameters)
        if isinstance(parameters, dict)
        else ContrastStretching(*parameters)
    )
    result = step(image)
    assert result.dtype == dtype
    assert np.abs(result - expected).max() < (1e-5 if dtype == np.float32 else 0.52)
    assert (result.min(), result.max()) == pytest.approx((0, most), abs=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_stretching_each_channel_is_three_gray_images(dtype):
    image = as_dtype(data.chelsea(), dtype)
    result = ContrastStretching(channels="separate")(image)
    most = 1.0 if dtype == np.float32 else float(np.iinfo(dtype).max)
    for channel in range(3):
        plane = image[..., channel].astype(float)
        limits = tuple(np.percentile(plane, (2, 98)))
        expected = exposure.rescale_intensity(plane, limits, out_range=(0.0, most))
        off = np.abs(result[..., channel] - expected)
        assert off.max() < (1e-5 if dtype == np.float32 else 0.52)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_an_even_picture_is_left_alone(dtype):
    even = np.full((4, 5, 3), dtype(1), dtype)
    for channels in ("together", "separate"):
        result = ContrastStretching(channels=channels)(even)
        assert np.array_equal(result, even)
        assert not np.shares_memory(result, even)


# --- GammaCorrection


@pytest.mark.parametrize("gamma", [0.4, 1, 2.2])
@pytest.mark.parametrize("picture", ["coffee", "camera"])
def test_gamma_is_scikit_images(picture, gamma):
    image = getattr(data, picture)()
    floats = image / 255
    expected = exposure.adjust_gamma(floats, gamma)
    assert np.abs(GammaCorrection(gamma)(image) - expected * 255).max() < 0.51
    deep = GammaCorrection(gamma)(image.astype(np.uint16) * 257)
    assert np.abs(deep - expected * 65535).max() < 0.51
    found = GammaCorrection(gamma)(floats.astype(np.float32))
    assert np.abs(found - expected).max() < 1e-6
    assert found.max() <= 1


def test_gamma_of_every_level_of_16_bits():
    expected = 65535 * (EVERY_16 / 65535) ** 0.45
    assert np.abs(GammaCorrection(0.45)(EVERY_16) - expected).max() < 0.51


def test_below_1_is_brighter():
    assert GammaCorrection(0.5)(np.array([[0, 64, 255]], np.uint8)).tolist() == [[0, 128, 255]]
    assert GammaCorrection(2)(np.array([[0, 128, 255]], np.uint8)).tolist() == [[0, 64, 255]]


# --- BrightnessContrast


@pytest.mark.parametrize(
    ("brightness", "contrast"), [(0, 1), (-30, 1), (25.5, 1), (0, 1.5), (-31.875, 1.25), (40, 0)]
)
def test_brightness_and_contrast_are_exact_arithmetic(brightness, contrast):
    levels = np.arange(256, dtype=np.uint8)[None]
    exact = [Fraction(contrast) * level + Fraction(brightness) for level in range(256)]
    expected = [min(max(round(value), 0), 255) for value in exact]
    step = BrightnessContrast(brightness, contrast)
    assert np.array_equal(step(levels)[0], expected)
    assert np.array_equal(step(np.dstack([levels] * 3))[0, :, 2], expected)


def test_contrast_of_photographs_is_pillows():
    for image in (data.coffee(), data.chelsea()):
        picture = Image.fromarray(image)
        expected = np.asarray(ImageEnhance.Brightness(picture).enhance(1.3)).astype(int)
        assert np.abs(BrightnessContrast(contrast=1.3)(image) - expected).max() <= 1
        mean = int(np.asarray(picture.convert("L")).mean() + 0.5)  # what Pillow turns about
        expected = np.asarray(ImageEnhance.Contrast(picture).enhance(0.6)).astype(int)
        step = BrightnessContrast(brightness=mean * 0.4, contrast=0.6)
        assert np.abs(step(image) - expected).max() <= 1


def test_brightness_is_in_the_images_own_unit():
    deep = BrightnessContrast(brightness=-1000, contrast=2)(EVERY_16)
    assert np.array_equal(deep, np.clip(EVERY_16.astype(int) * 2 - 1000, 0, 65535))
    floats = np.linspace(0, 1, 11, dtype=np.float32)[None]
    found = BrightnessContrast(brightness=-0.25, contrast=1.5)(floats)
    assert np.abs(found - np.clip(floats * 1.5 - 0.25, 0, 1)).max() < 1e-6


def test_nothing_changes_if_nothing_is_said():
    for image in (data.coffee(), data.coins(), EVERY_16, np.ones((2, 3), np.float32)):
        result = BrightnessContrast()(image)
        assert np.array_equal(result, image)
        assert not np.shares_memory(result, image)


@pytest.mark.parametrize("shape", [(1, 1), (4, 1), (1, 4), (3, 1), (1, 1, 3), (4, 1, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_small_pictures_are_no_scalars(shape, dtype):
    image = np.full(shape, 100, dtype)
    assert np.array_equal(BrightnessContrast(10, 2)(image), np.full(shape, 210, dtype))


# --- Negative


@pytest.mark.parametrize("picture", ["coffee", "camera"])
def test_a_negative_is_scikit_images(picture):
    image = getattr(data, picture)()
    for one in (image, image.astype(np.uint16) * 200, (image / 255).astype(np.float32)):
        result = Negative()(one)
        assert result.dtype == one.dtype
        assert np.array_equal(result, util.invert(one))
        assert np.allclose(Negative()(result), one, atol=1e-7)


def test_a_negative_of_8_bits_is_pillows_and_of_16_what_each_level_lacks():
    for image in (data.chelsea(), data.coins()):
        expected = np.asarray(ImageOps.invert(Image.fromarray(image)))
        assert np.array_equal(Negative()(image), expected)
    assert np.array_equal(Negative()(EVERY_16), EVERY_16[::-1, ::-1])


def test_a_negative_keeps_a_mask_one_and_the_curves_do_not():
    assert Negative().gives_for(Kind.MASK) is Kind.MASK
    for step in (ContrastStretching(), GammaCorrection(2), BrightnessContrast(3)):
        assert step.gives_for(Kind.MASK) is Kind.GRAY
        assert step.gives_for(Kind.FLOAT) is Kind.FLOAT


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (ContrastStretching(-1), "'low' of ContrastStretching must be a number at least 0"),
        (ContrastStretching(high=101), "'high' of ContrastStretching"),
        (ContrastStretching(60, 40), "'low' of ContrastStretching must not exceed 'high'"),
        (ContrastStretching(channels="luminance"), "'channels' of ContrastStretching"),
        (GammaCorrection(0), "'gamma' of GammaCorrection must be a number above 0"),
        (GammaCorrection("2.2"), "'gamma'"),
        (BrightnessContrast("more"), "'brightness' of BrightnessContrast"),
        (BrightnessContrast(contrast=-1), "'contrast' of BrightnessContrast"),
    ],
)
def test_a_tone_curve_refuses_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(data.coins())
