"""Channels by name, against scikit-image, Pillow and the positions that cv2.split gives."""

import numpy as np
import pytest
from PIL import Image
from skimage import color, data

from classical.colour import ToHLS, ToHSV, ToLab
from classical.colour_channels import Channel
from classical.colour_devices import ToCMYK, ToYCrCb
from classical.intensity import ToFloat
from vision import Branches
from vision.errors import KindError, ParameterError
from vision.kinds import Kind


@pytest.mark.parametrize("picture", ["coffee", "astronaut"])
def test_the_channels_of_an_rgb_photograph_are_pillows(picture):
    image = getattr(data, picture)()
    for name, expected in zip("rgb", Image.fromarray(image).split(), strict=True):
        assert np.array_equal(Channel("rgb", name)(image), np.asarray(expected))
        deep = image.astype(np.uint16) * 257
        assert np.array_equal(Channel("rgb", name)(deep), np.asarray(expected) * np.uint16(257))


def test_saturation_and_value_are_scikit_images():
    image = data.coffee()
    expected = color.rgb2hsv(image) * 255
    for position, name in ((1, "s"), (2, "v")):
        found = (ToHSV() >> Channel("hsv", name))(image)
        assert np.abs(found - expected[..., position]).max() < 0.6


def test_lightness_and_the_axes_of_lab_are_scikit_images():
    image = data.astronaut()
    expected = color.rgb2lab(image)
    for position, name in enumerate("lab"):
        found = (ToLab() >> Channel("lab", name))(image)
        assert found.dtype == np.float32
        assert np.abs(found - expected[..., position]).max() < 0.5


def test_every_space_spells_its_channels():
    red = np.array([[[255, 0, 0]]], np.uint8)
    wanted = {
        ToHLS() >> Channel("hls", "h"): 0,
        ToHLS() >> Channel("hls", "l"): 128,
        ToHLS() >> Channel("hls", "s"): 255,
        ToYCrCb() >> Channel("ycrcb", "y"): 76,
        ToYCrCb() >> Channel("ycrcb", "cr"): 255,
        ToYCrCb() >> Channel("ycrcb", "cb"): 85,
        ToCMYK() >> Channel("cmyk", "c"): 0,
        ToCMYK() >> Channel("cmyk", "m"): 255,
        ToCMYK() >> Channel("cmyk", "y"): 255,
        ToCMYK() >> Channel("cmyk", "k"): 0,
    }
    for chain, expected in wanted.items():
        assert chain(red).tolist() == [[expected]]


def test_branches_split_a_photograph():
    image = data.chelsea()
    split = Branches({name: Channel("rgb", name) for name in "rgb"})(image)
    assert np.array_equal(np.dstack(list(split.values())), image)


def test_the_kind_of_a_channel():
    assert Channel("hsv", "s").gives_for(Kind.HSV) is Kind.GRAY
    assert Channel("lab", "a").gives_for(Kind.LAB) is Kind.MAP
    assert Channel("rgb", "r").gives_for(Kind.FLOAT) is Kind.FLOAT
    image = data.coffee()
    assert np.array_equal((ToFloat() >> Channel("rgb", "g"))(image), ToFloat()(image)[..., 1])


def test_another_space_is_refused_with_the_conversion():
    with pytest.raises(KindError, match="Channel takes an hsv image, but ToLab gives a lab image"):
        ToLab() >> Channel("hsv", "s")
    with pytest.raises(KindError, match="Channel takes"):
        Channel("lab", "a")(data.coffee())
    with pytest.raises(KindError, match="Got a float image of one"):
        Channel("rgb", "r")(np.zeros((2, 2), np.float32))


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Channel("hvs", "s"), "'space' of Channel must be 'rgb'.*Did you mean 'hsv'"),
        (Channel("hsv", "l"), "'channel' of Channel must be 'h', 's' or 'v'. Got 'l'"),
        (Channel("hsv", 1), "'channel' of Channel"),
        (Channel(None, "s"), "'space' of Channel"),
    ],
)
def test_channel_refuses_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(data.coffee())
