"""Histograms: a published worked example, scikit-image, and Zuiderveld's algorithm spelt out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from skimage import data, exposure

from classical.histogram import (
    CLAHE,
    HistogramEqualization,
    HistogramMatching,
    channel_histograms,
    percentiles,
)
from vision.errors import KindError, ParameterError
from vision.kinds import Kind

# "Histogram equalization", Wikipedia: an 8x8 part of a photograph, and the same equalised.
EXAMPLE = """
    52 55 61 59 79 61 76 61  62 59 55 104 94 85 59 71  63 65 66 113 144 104 63 72
    64 70 70 126 154 109 71 69  67 73 68 106 122 88 68 68  68 79 60 70 77 66 58 75
    69 85 64 58 55 61 65 83  70 87 69 68 65 73 78 90
"""
EQUALISED = """
    0 12 53 32 190 53 174 53  57 32 12 227 219 202 32 154  65 85 93 239 251 227 65 158
    73 146 146 247 255 235 154 130  97 166 117 231 243 210 117 117
    117 190 36 146 178 93 20 170  130 202 73 20 12 53 85 194  146 206 130 117 85 166 182 215
"""


def matrix(text):
    return np.array(text.split(), np.uint8).reshape(8, 8)


def chroma(image):
    return np.asarray(Image.fromarray(image).convert("YCbCr")).astype(int)[..., 1:]


def luma(image):
    return np.asarray(Image.fromarray(image).convert("L"))


# --- counting


def test_histograms_are_numpys():
    image = data.coffee()
    for counts, plane in zip(channel_histograms(image), np.moveaxis(image, 2, 0), strict=True):
        assert np.array_equal(counts, np.bincount(plane.ravel(), minlength=256))
    deep = data.coins().astype(np.uint16) * 257
    assert np.array_equal(channel_histograms(deep)[0], np.bincount(deep.ravel(), minlength=65536))


@given(st.lists(st.integers(0, 255), min_size=1, max_size=30), st.floats(0, 100))
def test_percentiles_are_numpys(levels, share):
    counts = np.bincount(levels, minlength=256).astype(float)
    assert percentiles(counts, share) == pytest.approx(np.percentile(levels, share), abs=1e-6)


# --- HistogramEqualization


def test_the_published_example_is_equalised():
    assert np.array_equal(HistogramEqualization()(matrix(EXAMPLE)), matrix(EQUALISED))


@pytest.mark.parametrize("picture", ["coins", "camera", "page"])
def test_equalising_a_photograph_is_scikit_images(picture):
    image = getattr(data, picture)()
    expected = exposure.equalize_hist(image) * 255
    # scikit-image leaves the darkest level where its share of the pixels puts it
    darkest = (image == image.min()).mean() * 255
    off = np.abs(HistogramEqualization()(image) - expected)
    assert off.max() < darkest + 1.5
    assert np.corrcoef(HistogramEqualization()(image).ravel(), expected.ravel())[0, 1] > 0.999


@pytest.mark.parametrize("picture", ["coffee", "chelsea", "rocket"])
def test_equalising_the_luminance_keeps_the_colours(picture):
    image = getattr(data, picture)()
    result = HistogramEqualization()(image)
    inside = ((result > 0) & (result < 255)).all(axis=2)
    assert inside.mean() > 0.3
    assert np.abs(chroma(result) - chroma(image))[inside].max() <= 2
    off = np.abs(luma(result).astype(int) - HistogramEqualization()(luma(image)))
    # the two lumas are rounded apart by one level, which equalising makes several
    assert np.median(off[inside]) <= 3
    assert not np.array_equal(result, HistogramEqualization("separate")(image))


def test_equalising_each_channel_is_three_gray_images():
    image = data.coffee()
    result = HistogramEqualization("separate")(image)
    for channel in range(3):
        expected = exposure.equalize_hist(image[..., channel]) * 255
        darkest = (image[..., channel] == image[..., channel].min()).mean() * 255
        assert np.abs(result[..., channel] - expected).max() < darkest + 1.5


def test_an_even_picture_is_left_alone():
    even = np.full((5, 6), 77, np.uint8)
    assert np.array_equal(HistogramEqualization()(even), even)


# --- CLAHE


@pytest.mark.parametrize("picture", ["coins", "camera"])
def test_one_tile_without_a_limit_equalises(picture):
    image = getattr(data, picture)()
    shares = np.cumsum(np.bincount(image.ravel(), minlength=256)) / image.size
    expected = np.rint(shares * 255)[image]
    assert np.abs(CLAHE(clip_limit=1e6, tiles=1)(image) - expected).max() <= 1
    deep = image.astype(np.uint16) * 257
    found = CLAHE(clip_limit=1e6, tiles=1)(deep)
    assert np.abs(found / 257 - shares[image] * 255).max() < 0.01


def zuiderveld(image, clip_limit, tiles):
    """K. Zuiderveld, "Contrast Limited Adaptive Histogram Equalization", 1994.

    What is cut off is spread evenly, its remainder over every so many levels, as OpenCV does.
    """
    # OpenCV pads both sides if one needs it, one that does not by a whole number of tiles
    pads = [
        tiles - side % tiles if any(s % tiles for s in image.shape) else 0 for side in image.shape
    ]
    bottom, right = pads
    height, width = (image.shape[0] + bottom) // tiles, (image.shape[1] + right) // tiles
    padded = np.pad(image, [(0, bottom), (0, right)], mode="reflect")
    limit = max(int(clip_limit * height * width / 256), 1)
    curves = np.empty((tiles, tiles, 256))
    for row, column in np.ndindex(tiles, tiles):
        tile = padded[row * height :, column * width :][:height, :width]
        counts = np.bincount(tile.ravel(), minlength=256)
        excess = np.maximum(counts - limit, 0).sum()
        counts = np.minimum(counts, limit) + excess // 256
        rest = excess % 256
        if rest:
            counts[:: max(256 // rest, 1)][:rest] += 1
        curves[row, column] = np.rint(np.cumsum(counts) * 255 / (height * width))
    rows, columns = np.indices(image.shape)
    y, x = (rows / height - 0.5), (columns / width - 0.5)
    up, left = np.floor(y).astype(int), np.floor(x).astype(int)
    result = 0
    for down, across in np.ndindex(2, 2):
        share = np.abs(1 - down - (y - up)) * np.abs(1 - across - (x - left))
        tile = (up + down).clip(0, tiles - 1), (left + across).clip(0, tiles - 1)
        result = result + share * curves[*tile, image]
    return result


@pytest.mark.parametrize(
    ("parameters", "clip_limit", "tiles"),
    [({}, 2, 8), ({"clip_limit": 4.5, "tiles": 5}, 4.5, 5), ({"clip_limit": 1}, 1, 8)],
)
@pytest.mark.parametrize("picture", ["coins", "camera", "text"])
def test_clahe_is_zuidervelds(picture, parameters, clip_limit, tiles):
    image = getattr(data, picture)()
    expected = zuiderveld(image, clip_limit, tiles)
    assert np.abs(CLAHE(**parameters)(image) - expected).max() < 2
    assert np.abs(CLAHE(**parameters)(image) - expected).mean() < 0.3


def test_clahe_is_like_scikit_images():
    image = data.moon()
    # scikit-image's limit is a share of all levels: 2 / 256 is a mean count times 2
    expected = exposure.equalize_adapthist(image, kernel_size=(64, 64), clip_limit=2 / 256)
    assert np.corrcoef(CLAHE()(image).ravel(), expected.ravel())[0, 1] > 0.97


def test_clahe_of_the_luminance_keeps_the_colours():
    image = data.coffee()
    result = CLAHE()(image)
    inside = ((result > 0) & (result < 255)).all(axis=2)
    assert np.abs(chroma(result) - chroma(image))[inside].max() <= 2
    expected = zuiderveld(luma(image), 2, 8)
    assert np.median(np.abs(luma(result) - expected)[inside]) <= 1
    separate = CLAHE(channels="separate")(image)
    for channel in range(3):
        assert np.abs(separate[..., channel] - zuiderveld(image[..., channel], 2, 8)).max() < 2


# --- HistogramMatching


@pytest.mark.parametrize(("picture", "like"), [("coffee", "astronaut"), ("rocket", "chelsea")])
def test_matching_photographs_is_scikit_images(picture, like):
    image, reference = getattr(data, picture)(), getattr(data, like)()
    for channel in range(3):
        one, other = image[..., channel].copy(), reference[..., channel].copy()
        expected = exposure.match_histograms(one, other)
        assert np.abs(HistogramMatching(other)(one) - expected).max() < 0.51
        colour = HistogramMatching(reference)(image)[..., channel]
        assert np.abs(colour - expected).max() < 0.51


def test_matching_16_bits_is_scikit_images():
    image, reference = data.coins().astype(np.uint16) * 251, data.moon().astype(np.uint16) * 257
    expected = exposure.match_histograms(image, reference)
    result = HistogramMatching(reference)(image)
    assert result.dtype == np.uint16
    assert np.abs(result - expected).max() < 0.51


def test_matching_the_luminance_keeps_the_colours():
    image, reference = data.chelsea(), data.rocket()
    for like in (reference, luma(reference)):
        result = HistogramMatching(like, "luminance")(image)
        expected = exposure.match_histograms(luma(image), luma(reference))
        inside = ((result > 0) & (result < 255)).all(axis=2)
        assert np.abs(chroma(result) - chroma(image))[inside].max() <= 2
        assert np.median(np.abs(luma(result) - expected)[inside]) <= 2
    gray = HistogramMatching(reference, "luminance")(luma(image))
    assert np.abs(gray - expected).mean() < 1


def test_a_picture_matched_to_itself_stays():
    for image in (data.coffee(), data.coins()):
        assert np.array_equal(HistogramMatching(image)(image), image)


def test_what_matching_takes_follows_the_reference():
    gray, rgb = data.coins(), data.coffee()
    with pytest.raises(KindError, match="HistogramMatching takes"):
        HistogramMatching(gray)(rgb)
    with pytest.raises(KindError, match="HistogramMatching takes"):
        HistogramMatching(rgb)(gray)
    with pytest.raises(KindError, match="HistogramMatching takes"):
        HistogramMatching(gray)(gray.astype(np.uint16))


def test_a_mask_becomes_gray():
    for step in (HistogramEqualization(), CLAHE(), HistogramMatching(data.coins())):
        assert step.gives_for(Kind.MASK) is Kind.GRAY
        assert step.gives_for(Kind.RGB) is Kind.RGB


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (HistogramEqualization("luma"), "'channels' of HistogramEqualization must be 'luminance'"),
        (CLAHE(0), "'clip_limit' of CLAHE must be a number above 0"),
        (CLAHE(tiles=(8, 8)), "'tiles' of CLAHE must be a whole number"),
        (CLAHE(tiles=0), "'tiles'"),
        (CLAHE(tiles=257), "'tiles'"),
        (CLAHE(channels="each"), "'channels' of CLAHE"),
        (HistogramMatching(data.coins().astype(float)), "'reference' of HistogramMatching must be"),
        (HistogramMatching("coins.png"), "'reference'"),
        (HistogramMatching(np.zeros((2, 0), np.uint8)), "'reference'"),
        (HistogramMatching(np.zeros((2, 2, 4), np.uint8)), "'reference'"),
        (HistogramMatching(data.coins(), "each"), "'channels' of HistogramMatching"),
    ],
)
def test_a_histogram_step_refuses_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(data.coins())
