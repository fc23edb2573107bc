"""YCrCb and CMYK, against Pillow, exact arithmetic and the standard's own formula."""

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image
from skimage import data

from classical.colour import Gray
from classical.colour_devices import CMYKToRGB, ToCMYK, ToYCrCb, YCrCbToRGB
from vision.errors import KindError

PRIMARIES = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)


def test_ycrcb_of_the_primaries_is_the_standards():
    # ITU-T T.871, section 7: Y, then Cr and Cb, cut off at 255
    expected = [[76, 255, 85], [150, 21, 44], [29, 107, 255], [255, 128, 128]]
    assert np.abs(ToYCrCb()(PRIMARIES)[0].astype(int) - expected).max() <= 1


@pytest.mark.parametrize("picture", ["coffee", "chelsea", "astronaut"])
def test_ycrcb_of_photographs_is_pillows(picture):
    image = getattr(data, picture)()
    expected = np.asarray(Image.fromarray(image).convert("YCbCr"))[..., [0, 2, 1]].astype(int)
    assert np.abs(ToYCrCb()(image) - expected).max() <= 1
    assert np.abs(ToYCrCb()(image)[..., 0].astype(int) - Gray()(image)).max() <= 1


def test_ycrcb_to_rgb_is_pillows_also_outside_of_rgb():
    levels = np.mgrid[0:256:15, 0:256:15, 0:256:15].reshape(3, -1).T.astype(np.uint8)[None]
    swapped = np.ascontiguousarray(levels[..., [0, 2, 1]])
    expected = np.asarray(Image.fromarray(swapped, "YCbCr").convert("RGB")).astype(int)
    assert np.abs(YCrCbToRGB()(levels) - expected).max() <= 1


@pytest.mark.parametrize("picture", ["coffee", "chelsea", "astronaut"])
def test_a_picture_comes_back_to_within_one_level(picture):
    image = getattr(data, picture)().astype(int)
    for there, back in ((ToYCrCb(), YCrCbToRGB()), (ToCMYK(), CMYKToRGB())):
        assert np.abs(back(there(image.astype(np.uint8))) - image).max() <= 1


def exact_inks(red, green, blue):
    """R. C. Gonzalez and R. E. Woods, black from the largest channel, then what is missing."""
    most = max(red, green, blue)
    inks = [round(Fraction(255 * (most - one), most)) if most else 0 for one in (red, green, blue)]
    return [*inks, 255 - most]


def test_cmyk_is_exact_arithmetic():
    pixels = data.coffee()[::11, ::13].reshape(-1, 3)
    pixels = np.vstack([pixels, PRIMARIES[0], [[0, 0, 0], [1, 0, 2], [3, 200, 9]]])
    expected = [exact_inks(*map(int, pixel)) for pixel in pixels]
    # a half may be rounded either way
    assert np.abs(ToCMYK()(pixels[None].astype(np.uint8))[0] - np.array(expected)).max() <= 1
    assert (ToCMYK()(pixels[None].astype(np.uint8))[0] == expected).mean() > 0.99


def test_cmyk_of_known_colours():
    red, green, blue, white = ToCMYK()(PRIMARIES)[0].tolist()
    assert red == [0, 255, 255, 0]
    assert green == [255, 0, 255, 0]
    assert blue == [255, 255, 0, 0]
    assert white == [0, 0, 0, 0]


def test_one_ink_is_always_left_out():
    for image in (data.coffee(), data.astronaut()):
        cmyk = ToCMYK()(image)
        assert not cmyk[..., :3].min(axis=2).any()
        assert np.array_equal(cmyk[..., 3], 255 - image.max(axis=2))


def test_cmyk_to_rgb_is_pillows():
    cmyk = np.random.default_rng(0).integers(0, 256, (60, 70, 4), np.uint8)
    for inks in (cmyk, ToCMYK()(data.chelsea())):
        expected = np.asarray(Image.fromarray(inks, "CMYK").convert("RGB")).astype(int)
        assert np.abs(CMYKToRGB()(inks) - expected).max() <= 1


@pytest.mark.parametrize("step", [ToYCrCb(), YCrCbToRGB(), ToCMYK(), CMYKToRGB()])
def test_other_images_are_refused(step):
    for image in (np.zeros((2, 2), np.uint8), np.zeros((2, 2, 3), np.uint16)):
        with pytest.raises(KindError, match=type(step).__name__):
            step(image)


def test_three_channels_are_no_cmyk_and_four_no_rgb():
    with pytest.raises(KindError, match="CMYKToRGB takes a cmyk image"):
        CMYKToRGB()(data.coffee())
    with pytest.raises(KindError, match="four channels"):
        ToCMYK()(np.zeros((2, 2, 4), np.uint8))
