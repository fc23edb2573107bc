"""Colour spaces, against colorsys, scikit-image and published values."""

import colorsys

import numpy as np
import pytest
from PIL import Image
from skimage import color, data

from classical.colour import Gray, HLSToRGB, HSVToRGB, LabToRGB, ToHLS, ToHSV, ToLab, ToRGB
from vision.errors import ImageError, KindError
from vision.kinds import Kind

# sRGB colours with OpenCV's 8-bit HSV (hue is half the angle) and CIE Lab, D65
# (B. Lindbloom's colour calculator, http://www.brucelindbloom.com).
COLOURS = {
    (255, 0, 0): ((0, 255, 255), (53.24, 80.09, 67.20)),
    (0, 255, 0): ((60, 255, 255), (87.73, -86.18, 83.18)),
    (0, 0, 255): ((120, 255, 255), (32.30, 79.19, -107.86)),
    (255, 255, 0): ((30, 255, 255), (97.14, -21.55, 94.48)),
    (0, 255, 255): ((90, 255, 255), (91.11, -48.09, -14.13)),
    (255, 0, 255): ((150, 255, 255), (60.32, 98.23, -60.82)),
    (255, 255, 255): ((0, 0, 255), (100, 0, 0)),
    (0, 0, 0): ((0, 0, 0), (0, 0, 0)),
    (128, 64, 64): ((0, 128, 128), None),
}


def pixels(rows, dtype=np.uint8):
    return np.array([list(rows)], dtype)


def test_gray_of_the_primaries_is_rec_601():
    primaries = pixels([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)])
    expected = np.rint(255 * np.array([0.299, 0.587, 0.114, 1]))
    assert np.array_equal(Gray()(primaries)[0], expected)


@pytest.mark.parametrize("picture", ["coffee", "chelsea", "astronaut"])
def test_gray_is_the_luma_of_yiq(picture):
    image = getattr(data, picture)()
    luma = color.rgb2yiq(image)[..., 0]
    assert np.abs(Gray()(image) - 255 * luma).max() < 0.51
    deep = image.astype(np.uint16) * 257
    assert Gray()(deep).dtype == np.uint16
    assert np.abs(Gray()(deep) - 65535 * luma).max() < 5
    floats = (image / 255).astype(np.float32)
    assert Gray()(floats).dtype == np.float32
    assert np.abs(Gray()(floats) - luma).max() < 1e-6


def test_gray_stays_what_is_gray_already():
    coins = data.coins()
    for image in (coins, coins.astype(np.uint16), (coins / 255).astype(np.float32)):
        result = Gray()(image)
        assert np.array_equal(result, image)
        assert result.dtype == image.dtype
        assert not np.shares_memory(result, image)


def test_a_white_float_image_does_not_leave_its_range():
    assert Gray()(np.ones((37, 41, 3), np.float32)).max() == 1


def test_gray_gives_gray_of_everything_but_a_float_image():
    for kind in (Kind.RGB, Kind.GRAY, Kind.MASK, Kind.EDGES):
        assert Gray().gives_for(kind) is Kind.GRAY
    assert Gray().gives_for(Kind.FLOAT) is Kind.FLOAT


def test_to_rgb_repeats_the_gray_channel():
    coins = data.coins()
    assert np.array_equal(ToRGB()(coins), color.gray2rgb(coins))
    deep = coins.astype(np.uint16) * 257
    assert np.array_equal(ToRGB()(deep), color.gray2rgb(deep))
    floats = (coins / 255).astype(np.float32)
    assert np.array_equal(ToRGB()(floats), color.gray2rgb(floats))


@pytest.mark.parametrize("picture", ["camera", "page"])
def test_to_rgb_is_pillows_and_gray_again_by_its_luma(picture):
    image = getattr(data, picture)()
    result = ToRGB()(image)
    assert np.array_equal(result, np.asarray(Image.fromarray(image).convert("RGB")))
    assert np.array_equal(np.asarray(Image.fromarray(result).convert("L")), image)


def test_to_rgb_copies_what_is_rgb():
    coffee = data.coffee()
    result = ToRGB()(coffee)
    assert np.array_equal(result, coffee)
    assert not np.shares_memory(result, coffee)
    assert ToRGB().gives_for(Kind.MASK) is ToRGB().gives_for(Kind.RGB) is Kind.RGB
    assert ToRGB().gives_for(Kind.FLOAT) is Kind.FLOAT


def test_hsv_of_known_colours_and_back():
    hsv = ToHSV()(pixels(COLOURS))
    assert [tuple(pixel) for pixel in hsv[0].tolist()] == [known[0] for known in COLOURS.values()]
    back = HSVToRGB()(hsv)
    assert np.abs(back[0].astype(int) - list(COLOURS)).max() <= 1


@pytest.mark.parametrize("picture", ["coffee", "chelsea", "astronaut"])
def test_hsv_of_photographs_is_scikit_images(picture):
    image = getattr(data, picture)()
    off = np.abs(ToHSV()(image) - color.rgb2hsv(image) * (180, 255, 255))
    off[..., 0] = np.minimum(off[..., 0], 180 - off[..., 0])
    assert off.max() < 0.6
    assert ToHSV()(image)[..., 0].max() <= 179


def test_hsv_to_rgb_is_the_standard_librarys():
    hues, saturations, values = np.mgrid[0:180:7, 0:256:17, 0:256:15].reshape(3, -1)
    hsv = np.stack([hues, saturations, values], axis=-1).astype(np.uint8)[None]
    expected = [colorsys.hsv_to_rgb(h / 180, s / 255, v / 255) for h, s, v in hsv[0].astype(float)]
    assert np.abs(HSVToRGB()(hsv)[0] - 255 * np.array(expected)).max() < 1.01


def test_a_picture_comes_back_from_hsv():
    for image in (data.coffee(), data.chelsea(), data.astronaut()):
        back = HSVToRGB()(ToHSV()(image))
        off = np.abs(back.astype(int) - image)
        assert off.max() <= 5
        assert off.mean() < 0.7


def test_hls_of_known_colours_and_back():
    # the primaries are at half lightness and fully saturated, white and black are not
    known = {
        (255, 0, 0): (0, 128, 255),
        (0, 255, 0): (60, 128, 255),
        (0, 0, 255): (120, 128, 255),
        (255, 255, 255): (0, 255, 0),
        (128, 128, 128): (0, 128, 0),
        (0, 0, 0): (0, 0, 0),
    }
    hls = ToHLS()(pixels(known))
    assert [tuple(pixel) for pixel in hls[0].tolist()] == list(known.values())
    assert np.abs(HLSToRGB()(hls)[0].astype(int) - list(known)).max() <= 1


@pytest.mark.parametrize("picture", ["coffee", "chelsea", "astronaut"])
def test_hls_of_photographs_is_the_standard_librarys(picture):
    image = getattr(data, picture)()[::17, ::13]
    expected = [colorsys.rgb_to_hls(*pixel) for pixel in image.reshape(-1, 3) / 255]
    off = np.abs(ToHLS()(image).reshape(-1, 3) - np.array(expected) * (180, 255, 255))
    off[..., 0] = np.minimum(off[..., 0], 180 - off[..., 0])
    assert off.max() < 0.6


@pytest.mark.parametrize("picture", ["coffee", "astronaut"])
def test_a_hue_just_below_red_is_0_and_not_180(picture):
    image = getattr(data, picture)()
    hue = ToHLS()(image)[..., 0]
    assert hue.max() == 179
    off = np.abs(hue - color.rgb2hsv(image)[..., 0] * 180)
    assert np.minimum(off, 180 - off).max() < 0.6


def test_hls_to_rgb_is_the_standard_librarys():
    hues, lights, saturations = np.mgrid[0:180:7, 0:256:17, 0:256:15].reshape(3, -1)
    hls = np.stack([hues, lights, saturations], axis=-1).astype(np.uint8)[None]
    expected = [colorsys.hls_to_rgb(h / 180, i / 255, s / 255) for h, i, s in hls[0].astype(float)]
    assert np.abs(HLSToRGB()(hls)[0] - 255 * np.array(expected)).max() < 1.01


def test_a_picture_comes_back_from_hls():
    for image in (data.coffee(), data.chelsea(), data.astronaut()):
        off = np.abs(HLSToRGB()(ToHLS()(image)).astype(int) - image)
        assert off.max() <= 5
        assert off.mean() < 0.7


def test_lab_of_known_colours():
    known = {rgb: lab for rgb, (_, lab) in COLOURS.items() if lab is not None}
    assert np.abs(ToLab()(pixels(known))[0] - list(known.values())).max() < 0.02


def test_lab_of_a_photograph_is_scikit_images():
    image = data.astronaut()
    lab = ToLab()(image)
    off = np.abs(lab - color.rgb2lab(image))
    assert lab.dtype == np.float32
    assert off.max() < 0.5
    assert off.mean() < 0.1


def test_a_picture_comes_back_from_lab():
    image = data.coffee()
    back = LabToRGB()(ToLab()(image))
    assert back.dtype == np.uint8
    assert np.abs(back.astype(int) - image).max() <= 1
    exact = color.rgb2lab(image).astype(np.float32)
    off = np.abs(LabToRGB()(exact).astype(int) - image)
    assert off.mean() < 0.25
    assert off.max() <= 4


def test_colours_outside_of_srgb_are_cut_off():
    outside = pixels([(60, 100, 0), (80, -100, 50)], np.float32)
    expected = color.lab2rgb(outside.astype(float)) * 255
    assert expected.max() == 255
    assert expected.min() == 0
    assert np.abs(LabToRGB()(outside) - expected).max() < 1


@pytest.mark.parametrize("step", [ToHSV(), ToHLS(), ToLab()])
def test_16_bits_are_refused_with_the_conversion_named(step):
    with pytest.raises(KindError, match="ToUint8"):
        step(np.zeros((2, 2, 3), np.uint16))


@pytest.mark.parametrize("step", [Gray(), ToRGB()])
def test_a_float_image_outside_of_0_to_1_is_refused(step):
    with pytest.raises(ImageError, match=r"\[0, 1\]"):
        step(np.full((2, 2, 3), 200, np.float32))


@pytest.mark.parametrize("step", [ToHSV(), HSVToRGB(), ToHLS(), HLSToRGB(), ToLab()])
def test_one_channel_is_no_colour_image(step):
    with pytest.raises(KindError, match=type(step).__name__):
        step(np.zeros((2, 2), np.uint8))


def test_lab_to_rgb_takes_true_lab_alone():
    with pytest.raises(KindError, match="lab image"):
        LabToRGB()(np.zeros((2, 2, 3), np.uint8))
