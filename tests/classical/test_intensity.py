"""Ranges and dtypes, against exact arithmetic and scikit-image."""

from fractions import Fraction

import numpy as np
import pytest
from skimage import data, exposure, util

from classical.colour import Gray
from classical.filters import GaussianBlur
from classical.intensity import Normalize, ToFloat, ToUint8, clip_like
from vision.errors import ImageError, KindError, ParameterError
from vision.kinds import Kind

EVERY_16 = np.arange(65536, dtype=np.uint16).reshape(256, 256)


def test_16_bits_to_8_is_division_by_257_to_the_nearest():
    expected = [round(Fraction(value, 257)) for value in range(65536)]
    assert np.array_equal(ToUint8()(EVERY_16).ravel(), expected)


def test_8_bits_come_back_from_16_and_from_float():
    image = data.coffee()
    assert np.array_equal(ToUint8()(image.astype(np.uint16) * 257), image)
    assert np.array_equal(ToUint8()(ToFloat()(image)), image)
    assert np.array_equal(ToUint8()(util.img_as_float32(image)), image)


def test_float_to_8_bits_rounds_as_scikit_image():
    values = np.linspace(0, 1, 10007, dtype=np.float32)[None]
    assert np.array_equal(ToUint8()(values), util.img_as_ubyte(values))


def test_to_float_is_scikit_images():
    for image in (data.coffee(), data.coins(), EVERY_16):
        result = ToFloat()(image)
        assert result.dtype == np.float32
        assert np.abs(result - util.img_as_float64(image)).max() < 1e-7
        assert result.max() <= 1


@pytest.mark.parametrize("step", [ToUint8(), ToFloat()])
def test_what_has_the_dtype_already_is_copied(step):
    image = data.coins() if isinstance(step, ToUint8) else np.ones((2, 3), np.float32)
    result = step(image)
    assert np.array_equal(result, image)
    assert not np.shares_memory(result, image)


def test_16_bits_end_where_the_chain_checker_is_told():
    assert ToUint8.narrows
    assert Normalize.narrows
    deep = data.coffee().astype(np.uint16) * 257
    chain = Gray() >> ToUint8() >> GaussianBlur()
    assert chain(deep).dtype == np.uint8


def test_the_kind_of_a_converted_image():
    assert ToUint8().gives_for(Kind.RGB) is Kind.RGB
    assert ToUint8().gives_for(Kind.MASK) is Kind.MASK
    assert ToUint8().gives_for(Kind.FLOAT) is Kind.ANY
    assert ToFloat().gives_for(Kind.RGB) is Kind.FLOAT
    assert Normalize().gives_for(Kind.MAP) is Kind.GRAY
    assert Normalize().gives_for(Kind.FLOAT) is Kind.ANY


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_normalize_spreads_a_photograph_over_the_whole_range(dtype):
    image = data.coins()[50:150, 60:200].astype(dtype)
    if dtype == np.uint16:
        image *= 200
    if dtype == np.float32:
        image = image * 1e-3 - 5
    expected = exposure.rescale_intensity(image.astype(float), out_range=(0.0, 255.0))
    result = Normalize()(image)
    assert result.dtype == np.uint8
    assert (result.min(), result.max()) == (0, 255)
    assert np.abs(result - expected).max() < 0.51


def test_normalize_with_bounds_cuts_off():
    image = data.camera()
    expected = exposure.rescale_intensity(
        image.astype(float), in_range=(50, 180), out_range=(0.0, 255.0)
    )
    assert np.abs(Normalize(low=50, high=180)(image) - expected).max() < 0.51


def test_normalize_takes_one_bound_from_the_image():
    image = np.array([[-1, 0, 1, 3]], np.float32)
    assert Normalize(low=0)(image).tolist() == [[0, 0, 85, 255]]
    assert Normalize(high=1)(image).tolist() == [[0, 128, 255, 255]]


def test_normalize_takes_one_range_for_all_channels():
    image = np.array([[[0.5, 0.6, 1]], [[0.7, 1, 0.8]]], np.float32)
    assert Normalize()(image).tolist() == [[[0, 51, 255]], [[102, 255, 153]]]


@pytest.mark.parametrize("shape", [(1, 1), (4, 1), (1, 4), (3, 1), (4, 4)])
def test_normalize_does_not_take_a_scalar_for_an_array(shape):
    image = np.linspace(-3, 4, np.prod(shape), dtype=np.float32).reshape(shape)
    expected = np.clip(np.rint((image + 2) * 255 / 5), 0, 255)
    assert np.array_equal(Normalize(low=-2, high=3)(image), expected)


@pytest.mark.parametrize("value", [0, 7, 255])
def test_a_constant_image_becomes_black(value):
    assert not Normalize()(np.full((3, 4), value, np.uint8)).any()
    assert not Normalize()(np.full((3, 4), value, np.float32)).any()


def test_a_bound_beyond_the_image_is_the_limit_of_a_steep_ramp():
    image = np.array([[5, 6]], np.float32)
    assert Normalize(high=4)(image).tolist() == [[255, 255]]
    assert Normalize(low=7)(image).tolist() == [[0, 0]]


def test_small_differences_on_a_large_offset_survive():
    image = np.float32(1_000_000) + np.arange(5, dtype=np.float32)[None]
    assert Normalize()(image).tolist() == [[0, 64, 128, 191, 255]]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"low": 5, "high": 5}, "'low' of Normalize must be below 'high', which is 5"),
        ({"low": 6, "high": 5}, "'low'"),
        ({"low": "dark"}, "'low' of Normalize must be a number"),
        ({"high": np.inf}, "'high' of Normalize must be a number"),
    ],
)
def test_normalize_refuses_by_name(parameters, message):
    with pytest.raises(ParameterError, match=message):
        Normalize(**parameters)(data.coins())


@pytest.mark.parametrize("step", [ToUint8(), ToFloat()])
def test_floats_beyond_0_to_1_are_refused(step):
    for value in (-0.1, 1.1, np.nan):
        with pytest.raises(ImageError, match=r"\[0, 1\]"):
            step(np.full((2, 2), value, np.float32))


@pytest.mark.parametrize("step", [ToUint8(), ToFloat(), Normalize()])
def test_float64_is_refused(step):
    with pytest.raises(KindError, match=r"astype\(np.float32\)"):
        step(np.zeros((2, 2)))


def test_clip_like_keeps_to_the_image_and_what_was_mixed_in():
    result = np.float32([[-2, 0.5, 2]])
    image = np.float32([[0.25, 0.75, np.nan]])
    assert clip_like(result.copy(), image).tolist() == [[0.25, 0.5, 0.75]]
    assert clip_like(result.copy(), image, 0, 1).tolist() == [[0, 0.5, 1]]
