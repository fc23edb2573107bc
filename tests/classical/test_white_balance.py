"""White balance, against the papers' formulas and the law of von Kries."""

import numpy as np
import pytest
from skimage import data

from classical.white_balance import WhiteBalance
from vision.errors import KindError, ParameterError
from vision.kinds import Kind


def balanced(image, light, white):
    return np.clip(image * (white / light), 0, 255)


@pytest.mark.parametrize("picture", ["coffee", "chelsea", "astronaut", "rocket"])
def test_gray_world_makes_the_means_equal(picture):
    image = getattr(data, picture)()
    means = image.reshape(-1, 3).mean(axis=0)
    result = WhiteBalance("gray_world")(image)
    assert np.abs(result - balanced(image, means, means.mean())).max() < 0.51
    dark = WhiteBalance("gray_world")(image // 2)  # nothing is cut off
    assert np.ptp(dark.reshape(-1, 3).mean(axis=0)) < 0.3


@pytest.mark.parametrize("picture", ["coffee", "chelsea", "astronaut", "rocket"])
def test_shades_of_gray_is_the_papers_norm(picture):
    image = getattr(data, picture)()
    # Finlayson and Trezzi 2004, equation 5, with the p of 6 that they recommend
    light = (image.reshape(-1, 3).astype(float) ** 6).mean(axis=0) ** (1 / 6)
    expected = balanced(image, light, light.mean())
    assert np.abs(WhiteBalance()(image) - expected).max() < 0.51
    floats = WhiteBalance()((image / 255).astype(np.float32))
    assert np.abs(floats - expected / 255).max() < 1e-5
    deep = WhiteBalance()(image.astype(np.uint16) * 257)
    assert np.abs(deep / 257 - expected).max() < 0.01


def test_the_first_norm_is_gray_world_and_a_high_one_nears_the_brightest_pixel():
    image = data.chelsea()
    assert np.array_equal(WhiteBalance(norm=1)(image), WhiteBalance("gray_world")(image))
    light = image.reshape(-1, 3).max(axis=0).astype(float)
    expected = balanced(image, light, light.mean())
    far = np.abs(WhiteBalance(norm=50)(image) - expected).mean()
    assert far < np.abs(WhiteBalance(norm=6)(image) - expected).mean() / 2


@pytest.mark.parametrize("picture", ["coffee", "chelsea", "rocket"])
@pytest.mark.parametrize("percentile", [99, 95.5, 100])
def test_white_patch_makes_the_percentile_white(picture, percentile):
    image = getattr(data, picture)()
    light = np.percentile(image, percentile, axis=(0, 1))
    expected = balanced(image, light, 255)
    result = WhiteBalance("white_patch", percentile=percentile)(image)
    assert np.abs(result - expected).max() < 0.51
    floats = WhiteBalance("white_patch", percentile=percentile)((image / 255).astype(np.float32))
    assert np.abs(floats - expected / 255).max() < 1e-4
    if percentile == 99:
        assert np.array_equal(WhiteBalance("white_patch")(image), result)


@pytest.mark.parametrize("method", ["gray_world", "shades_of_gray", "white_patch"])
def test_the_colour_of_the_light_no_longer_matters(method):
    image = data.chelsea().astype(np.float32) / 255
    image *= 0.5  # no light cuts off
    plain = WhiteBalance(method)(image)
    for light in ([1, 0.8, 0.5], [0.6, 0.9, 1.3]):
        lit = WhiteBalance(method)(image * np.float32(light))
        ratio = lit.mean() / plain.mean()
        assert np.abs(lit - plain * ratio).max() < 2e-3
    assert method != "white_patch" or ratio == pytest.approx(1, abs=1e-3)


def test_a_gray_picture_stays_and_a_black_channel_too():
    gray = np.dstack([data.coins()] * 3)
    assert np.array_equal(WhiteBalance()(gray), gray)
    assert np.array_equal(WhiteBalance("gray_world")(gray), gray)
    image = data.coffee()
    image[..., 2] = 0
    for method in ("gray_world", "shades_of_gray", "white_patch"):
        assert not WhiteBalance(method)(image)[..., 2].any()
    assert not WhiteBalance()(np.zeros((3, 4, 3), np.uint8)).any()


def test_the_kind_stays():
    assert WhiteBalance().gives_for(Kind.RGB) is Kind.RGB
    assert WhiteBalance().gives_for(Kind.FLOAT) is Kind.FLOAT


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (WhiteBalance("grey_world"), "'method' of WhiteBalance.*Did you mean 'gray_world'"),
        (WhiteBalance(norm=0.5), "'norm' of WhiteBalance must be a number at least 1"),
        (WhiteBalance(norm=51), "'norm'"),
        (WhiteBalance(percentile=0), "'percentile' of WhiteBalance must be a number above 0"),
        (WhiteBalance(percentile=101), "'percentile'"),
    ],
)
def test_white_balance_refuses_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(data.coffee())


def test_one_channel_has_no_white_balance():
    with pytest.raises(KindError, match="WhiteBalance takes"):
        WhiteBalance()(data.coins())
    with pytest.raises(KindError, match="Got a float image of one"):
        WhiteBalance()(np.zeros((2, 2), np.float32))
