"""JPEG against Pillow's, and the standard's own quantisation table."""

import io

import numpy as np
import pytest
import skimage.data
from PIL import Image

from classical import JPEGCompression
from vision.errors import ImageError, KindError, ParameterError

# ITU-T T.81 (1992), table K.1, luminance: the steps at quality 50.
LAST_STEP = 99  # of the highest frequency in both directions


def by_pillow(image, quality):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return np.asarray(Image.open(file))


@pytest.mark.parametrize("quality", [10, 50, 90])
@pytest.mark.parametrize("name", ["chelsea", "camera"])
def test_it_is_what_pillow_makes_of_it(name, quality):
    image = getattr(skimage.data, name)()
    ours = JPEGCompression(quality)(image).astype(int)
    assert np.abs(ours - by_pillow(image, quality)).mean() < 0.05
    other = by_pillow(image, max(1, int(quality * 0.8)))
    assert np.abs(ours - other).mean() > 0.15


def test_the_default_is_quality_50():
    image = skimage.data.camera()
    assert np.array_equal(JPEGCompression()(image), JPEGCompression(quality=50)(image))


@pytest.mark.parametrize(("share", "left"), [(0.4, 0), (0.6, 1)])
def test_the_highest_frequency_goes_below_half_its_step(share, left):
    wave = np.cos((2 * np.arange(8) + 1) * 7 * np.pi / 16)
    block = np.outer(wave, wave) / 4  # what a coefficient of 1 adds
    image = np.rint(128 + share * LAST_STEP * block).astype(np.uint8)
    found = JPEGCompression(50)(image).astype(float) - 128
    assert np.abs(found - left * LAST_STEP * block).max() <= 1


def test_colours_keep_their_order():
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 200
    found = JPEGCompression(90)(red)[8, 8].astype(int)
    assert np.abs(found - [200, 0, 0]).max() <= 3


def test_rows_and_columns_keep_their_places():
    image = np.zeros((24, 40), np.uint8)
    image[:8, 16:24] = 200
    found = JPEGCompression(95)(image)
    assert found.shape == (24, 40)
    assert np.abs(found.astype(int) - image).max() <= 3


@pytest.mark.parametrize("quality", [0, 101, 50.0, True, "high"])
def test_other_qualities_are_refused(quality):
    with pytest.raises(ParameterError, match="quality"):
        JPEGCompression(quality)(np.zeros((8, 8), np.uint8))


def test_a_side_that_no_jpeg_has_is_refused():
    with pytest.raises(ImageError, match="65500"):
        JPEGCompression()(np.zeros((1, 65_501), np.uint8))


def test_16_bits_are_refused():
    with pytest.raises(KindError):
        JPEGCompression()(np.zeros((8, 8), np.uint16))
