"""Every format decoded: against Pillow, scikit-image and tifffile; whole or refused."""

import io
import re
import struct
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
import skimage.io
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from tests.vision.image_files import by_pillow, by_tifffile, exif, picture, samples
from vision.errors import ImageError
from vision.formats import parse, png
from vision.formats.pixels import full_scale
from vision.io import decode, probe, read

pytestmark = pytest.mark.cv2

PILLOW_MODES = {"rgb": "RGB", "gray": "L", "rgba": "RGBA"}


def pillow_pixels(data, mode):
    with Image.open(io.BytesIO(data)) as image:
        image = ImageOps.exif_transpose(image)
        if image.has_transparency_data:
            image = image.convert("RGBA")
        return np.asarray(image.convert(PILLOW_MODES[mode]))


def eight_bit_samples():
    return [name for name in samples() if not name.startswith(("tiff uint16", "tiff float32"))]


@pytest.mark.parametrize("mode", ["rgb", "rgba"])
@pytest.mark.parametrize("name", eight_bit_samples())
def test_pixels_are_those_of_pillow(name, mode):
    pixels, expected = decode(samples()[name], mode=mode), pillow_pixels(samples()[name], mode)
    assert pixels.dtype == np.uint8
    # CMYK has no agreed conversion: both multiply, and round differently.
    tolerance = 2 if "cmyk" in name else 0
    assert np.abs(pixels.astype(int) - expected).max() <= tolerance


@pytest.mark.parametrize("name", eight_bit_samples())
def test_grey_is_luma(name):
    pixels, rgb = decode(samples()[name], mode="gray"), pillow_pixels(samples()[name], "rgb")
    luma = rgb @ [0.299, 0.587, 0.114]
    assert pixels.shape == luma.shape
    # A JPEG's own luma is not rounded to colours and back; chroma at half resolution.
    tolerance = 3 if name.startswith("jpeg") and "2000" not in name else 1
    assert np.abs(pixels - luma).max() <= tolerance


@pytest.mark.parametrize("name", ["tiff uint16", "tiff uint16 big-endian", "tiff uint16 planes"])
def test_sixteen_bit_colours_are_kept(name):
    expected = np.random.default_rng(1).integers(0, 65536, (9, 7, 3), dtype=np.uint16)
    pixels = decode(samples()[name])
    assert pixels.dtype == np.uint16
    assert np.array_equal(pixels, expected)


@pytest.mark.parametrize("name", ["tiff float32", "tiff float32 deflate"])
def test_floating_point_is_not_scaled(name):
    expected = np.random.default_rng(2).normal(size=(9, 7)).astype(np.float32)
    assert np.array_equal(decode(samples()[name], mode="unchanged"), expected)
    assert np.array_equal(decode(samples()[name])[..., 1], expected)


def test_nan_and_infinity_of_a_measurement_are_kept():
    values = np.array([[np.nan, -np.inf, np.inf, -1.5]], np.float32)
    assert np.array_equal(decode(by_tifffile(values), mode="gray"), values, equal_nan=True)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "uint32", "float64", "float16"])
def test_other_dtypes_of_tiff(dtype):
    values = np.array([[0, 1, 100], [7, 3, 2]], dtype)
    pixels = decode(by_tifffile(values), mode="unchanged")
    assert pixels.dtype == ("float32" if dtype == "float16" else dtype)
    assert np.array_equal(pixels, values)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize(
    ("extra", "channels"),
    [([0], 1), ([2], 2), ([0, 0], 3), ([], 3), ([0, 0, 2], 4)],
)
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_samples_of_grey_tiffs_are_those_of_tifffile(planar, extra, channels, dtype):
    samples = len(extra) + 1 if extra else 3
    values = np.random.default_rng(3).integers(0, 200, (9, 7, samples)).astype(dtype)
    stored = values if planar == "contig" else np.ascontiguousarray(np.moveaxis(values, 2, 0))
    options = {"extrasamples": extra} if extra else {}
    data = by_tifffile(stored, photometric="minisblack", planarconfig=planar, **options)
    assert np.array_equal(tifffile.imread(io.BytesIO(data)), stored)
    expected = {1: values[..., 0], 2: values[..., [0, 0, 0, -1]]}.get(channels, values)
    pixels = decode(data, mode="unchanged")
    assert (pixels.dtype, pixels.shape) == (expected.dtype, expected.shape)
    assert np.array_equal(pixels, expected)
    assert probe(data).channels == (1 if expected.ndim == 2 else expected.shape[2])
    assert decode(data, mode="rgb").shape == (9, 7, 3)


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "raw"])
def test_three_compressed_samples_that_are_called_grey(compression):
    data = by_pillow(picture(), "TIFF", compression=compression)
    rgb, grey = (struct.pack("<HHLHH", 262, 3, 1, number, 0) for number in (2, 1))
    assert data.count(rgb) == 1
    assert np.array_equal(decode(data.replace(rgb, grey), mode="unchanged"), picture())


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_alpha_beside_white_is_zero_is_not_turned_round(planar, dtype):
    values = np.random.default_rng(4).integers(0, 200, (9, 7, 2)).astype(dtype)
    stored = values if planar == "contig" else np.ascontiguousarray(np.moveaxis(values, 2, 0))
    options = {"photometric": "miniswhite", "planarconfig": planar, "extrasamples": [2]}
    pixels = decode(by_tifffile(stored, **options), mode="unchanged")
    assert np.array_equal(pixels[..., 1], full_scale(dtype) - values[..., 0])
    assert np.array_equal(pixels[..., 3], values[..., 1])


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite", "rgb", "separated"])
@pytest.mark.parametrize("samples", range(2, 7))
@pytest.mark.parametrize("extra", [0, 1, 2])
def test_any_samples_are_read_or_refused_by_name(samples, photometric, planar, dtype, extra):
    colours = {"rgb": 3, "separated": 4}.get(photometric, 1)
    if samples < colours:
        return
    values = np.random.default_rng(5).integers(0, 200, (9, 7, samples)).astype(dtype)
    stored = values if planar == "contig" else np.ascontiguousarray(np.moveaxis(values, 2, 0))
    options = {"photometric": photometric, "planarconfig": planar}
    data = by_tifffile(stored, extrasamples=[extra] * (samples - colours), **options)
    try:
        pixels = decode(data, mode="unchanged")
    except ImageError as error:
        known = r"(damaged, or )?a TIFF of a kind that is not read: \d samples|.*say what they are"
        assert re.match(known, error.reason)
        assert colours == 4 or samples > colours
    else:
        assert pixels.dtype == dtype
        assert probe(data).channels == (1 if pixels.ndim == 2 else pixels.shape[2])


def test_more_samples_of_grey_are_refused_with_the_way_out():
    data = by_tifffile(np.zeros((5, 9, 7), np.uint8), photometric="minisblack", planarconfig=2)
    with pytest.raises(ImageError, match=r"grey by its header, but has 5 samples .* tifffile"):
        decode(data)


@pytest.mark.parametrize(("samples", "extra"), [(4, [1]), (5, [0, 0])])
def test_what_a_decoder_says_of_itself_is_no_reason(samples, extra):
    values = np.zeros((samples, 9, 7), np.uint8)
    data = by_tifffile(values, photometric="rgb", planarconfig="separate", extrasamples=extra)
    with pytest.raises(ImageError, match=f"not read: {samples} samples a pixel in planes, of 8 bi"):
        decode(data)


def test_white_is_zero_is_turned_round():
    values = np.array([[0, 1], [1000, 65535]], np.uint16)
    data = by_tifffile(values, photometric="miniswhite")
    assert np.array_equal(decode(data, mode="gray"), 65535 - values)


def test_sixteen_bit_png_agrees_with_scikit_image_where_that_keeps_it(tmp_path):
    values = np.random.default_rng(0).integers(0, 65536, (5, 6), dtype=np.uint16)
    skimage.io.imsave(tmp_path / "deep.png", values, check_contrast=False)
    assert np.array_equal(read(tmp_path / "deep.png", mode="gray"), values)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"P2 4 1 15\n0 5 10 15\n", [[0, 85, 170, 255]]),
        (b"P5 3 1 1023\n" + np.array([0, 512, 1023], ">u2").tobytes(), [[0, 32800, 65535]]),
        (b"P1 5 1\n10110\n", [[0, 255, 0, 0, 255]]),
        (b"P4 9 1\n\xaa\x80", [[0, 255, 0, 255, 0, 255, 0, 255, 0]]),
        (b"P5 # c\n2 # d\n1 255\n\x07\xff", [[7, 255]]),
    ],
)
def test_pnm_fills_its_range_and_one_is_black_in_a_bitmap(data, expected):
    assert decode(data, mode="unchanged").tolist() == expected


def test_grey_that_is_transparent():
    grey = Image.fromarray(np.array([[10, 20], [20, 30]], np.uint8))
    pixels = decode(by_pillow(grey, "PNG", transparency=20), mode="rgba")
    assert pixels[..., 3].tolist() == [[255, 0], [0, 255]]
    assert pixels[..., 0].tolist() == [[10, 20], [20, 30]]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_all_orientations_are_applied_alike(name, orientation):
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}
    options = options.get(name, {})
    stored = picture()
    plain = decode(by_pillow(stored, name, **options), mode="gray")
    block = Image.Exif()
    block[0x0112] = orientation
    data = by_pillow(stored, name, exif=block, **options)
    expected = ImageOps.exif_transpose(_with_orientation(plain, orientation))
    for mode in ("rgb", "gray", "rgba", "unchanged"):
        pixels = decode(data, mode=mode)
        assert pixels.shape[:2] == expected.size[::-1]
        assert probe(data).orientation == orientation
    assert np.array_equal(decode(data, mode="gray"), np.asarray(expected))


def _with_orientation(grey, orientation):
    image = Image.fromarray(grey)
    image.getexif()[0x0112] = orientation
    return image


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32, np.float64])
def test_orientation_of_deep_tiffs(dtype, orientation):
    values = np.arange(12).reshape(3, 4).astype(dtype)
    data = by_tifffile(values, extratags=[(274, 3, 1, orientation, True)])
    turned = _with_orientation(np.arange(12).reshape(3, 4).astype(np.uint8), orientation)
    expected = np.asarray(ImageOps.exif_transpose(turned))
    assert np.array_equal(decode(data, mode="unchanged"), expected.astype(dtype))


def test_the_first_frame_or_page_is_read():
    first = picture()
    others = [Image.fromarray(255 - first), Image.fromarray(first[::-1])]
    for name, options in (
        ("PNG", {}),
        ("TIFF", {}),
        ("WEBP", {"lossless": True}),
        ("PNG", {"default_image": True}),
    ):
        data = by_pillow(first, name, save_all=True, append_images=others, **options)
        assert np.array_equal(decode(data), first)


def test_the_first_frame_of_a_gif_may_be_smaller_than_its_screen():
    still = samples()["gif transparent"]
    with Image.open(io.BytesIO(still)) as image:
        assert image.size == (16, 12)
    wider = still[:6] + (20).to_bytes(2, "little") + still[8:]
    assert np.array_equal(decode(wider, mode="rgba"), pillow_pixels(wider, "rgba"))


@pytest.mark.parametrize("name", samples())
def test_a_file_cut_anywhere_is_refused(name):
    data = samples()[name]
    assert decode(data).size
    for cut in range(len(data)):
        with pytest.raises(ImageError):
            decode(data[:cut])


def test_a_jpeg_with_stray_bytes_is_read_and_one_without_its_end_is_not():
    data = samples()["jpeg"]
    expected = pillow_pixels(data, "rgb")
    behind_app0 = data.index(b"\xff\xdb")
    stray = data[:behind_app0] + b"\0" + data[behind_app0:]
    assert np.array_equal(decode(stray), expected)
    assert np.array_equal(decode(data + b"PK\3\4 and more"), expected)
    with pytest.raises(ImageError, match="no end"):
        decode(data[:-2] + bytes(1000))
    with pytest.raises(ImageError, match="premature end"):
        decode(data[: len(data) * 9 // 10] + b"\xff\xd9")


def test_missing_pixels_behind_an_intact_structure_are_noticed():
    gif = samples()["gif"]
    last = gif.rindex(b"\0;")
    sizes = [i for i in range(last - 255, last) if gif[i] == last - i - 1]
    assert sizes
    with pytest.raises(ImageError, match="truncated"):
        decode(gif[: sizes[0]] + b"\0;")
    tiff = bytearray(by_tifffile(picture(64, 64), compression="zlib"))
    with Image.open(io.BytesIO(tiff)) as image:
        size = image.tag_v2[279][0]
    at = tiff.index(size.to_bytes(4, "little")) if size > 65535 else None
    at = at or tiff.index(bytes([23, 1])) + 8
    tiff[at : at + 4] = (size // 2).to_bytes(4, "little")
    with pytest.raises(ImageError, match="truncated"):
        decode(bytes(tiff))


@settings(deadline=None)
@given(st.data())
def test_damage_is_read_or_refused_but_never_raises_anything_else(data):
    name = data.draw(st.sampled_from(sorted(samples())))
    damaged = bytearray(samples()[name])
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        pixels = decode(bytes(damaged), max_pixels=1_000_000)
    except ImageError as error:
        assert error.reason
    else:
        assert pixels.shape[2] == 3
        assert pixels.shape[:2] == (
            probe(bytes(damaged)).upright_height,
            probe(bytes(damaged)).upright_width,
        )


def test_text_and_profiles_of_a_png_are_not_inflated():
    data = samples()["png"]
    bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(20_000_000), 9))
    assert np.array_equal(decode(data[:33] + bomb * 50 + data[33:]), picture())


def chunk(name, data):
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_of(size, depth, colour, stream, *, pieces=1, interlaced=0, between=b""):
    """A PNG made by hand of its deflated rows, in some IDAT chunks."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, interlaced))
    each = -(-len(stream) // pieces)
    parts = [chunk(b"IDAT", stream[i : i + each]) for i in range(0, len(stream), each)]
    return b"\x89PNG\r\n\x1a\n" + head + between.join(parts) + chunk(b"IEND", b"")


def rows_of(height, length, seed=0):
    """Random rows, with the five filters in turn."""
    rows = np.random.default_rng(seed).integers(0, 256, (height, 1 + length), np.uint8)
    rows[:, 0] = np.arange(height) % 5
    return rows.tobytes()


@pytest.mark.parametrize(("depth", "colour", "bits"), [(8, 0, 8), (16, 0, 16), (8, 2, 24)])
@pytest.mark.parametrize("pieces", [1, 7])
def test_every_filter_of_a_png_is_undone_as_pillow_does_it(depth, colour, bits, pieces):
    for width, height in ((83, 71), (350, 301)):  # rows of one stored block and of several
        stream = zlib.compress(rows_of(height, width * bits // 8))
        data = png_of((width, height), depth, colour, stream, pieces=pieces)
        assert png._inflated(data, parse(data)[1])
        with Image.open(io.BytesIO(data)) as image:
            assert np.array_equal(decode(data, mode="unchanged"), np.array(image))


def strange_pngs():
    """PNGs of 83 x 71 grey pixels whose data are not as they should be."""
    rows = rows_of(71, 83)
    good = zlib.compress(rows)
    made = {
        "other check sum": png_of((83, 71), 8, 0, good[:-1] + bytes([good[-1] ^ 1])),
        "too long": png_of((83, 71), 8, 0, zlib.compress(rows + b"more")),
        "too short": png_of((83, 71), 8, 0, zlib.compress(rows[:-1])),
        "bytes behind": png_of((83, 71), 8, 0, good + b"more"),
        "not deflated": png_of((83, 71), 8, 0, rows),
        "cut within": png_of((83, 71), 8, 0, good[:-200]),
        "interlaced": png_of((83, 71), 8, 0, good, interlaced=1),
        "apart": png_of((83, 71), 8, 0, good, pieces=2, between=chunk(b"ABCD", b"")),
    }
    damaged = bytearray(png_of((83, 71), 8, 0, good))
    damaged[200] ^= 1
    return made | {"damaged": bytes(damaged)}


@pytest.mark.parametrize("name", strange_pngs())
def test_libpng_judges_pngs_with_strange_data(name):
    data = strange_pngs()[name]
    assert png._inflated(data, parse(data)[1]) is None
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if expected is None:
        with pytest.raises(ImageError):
            decode(data, mode="unchanged")
    else:
        assert np.array_equal(decode(data, mode="unchanged"), expected)


def test_a_png_that_inflates_to_more_than_its_pixels_takes_no_memory_for_it():
    data = png_of((83, 71), 8, 0, zlib.compress(bytes(200_000_000), 9))
    tracemalloc.start()
    try:
        assert png._inflated(data, parse(data)[1]) is None
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_jpeg_of_very_many_scans_is_refused():
    data = samples()["jpeg progressive"]
    scan = data[data.index(b"\xff\xda") : data.index(b"\xff\xda") + 20]
    with pytest.raises(ImageError, match="progressive scans"):
        decode(data[:-2] + scan * 200 + b"\xff\xd9")


def test_exif_blocks_of_the_tests_are_those_that_pillow_reads():
    block = Image.Exif()
    block.load(b"Exif\0\0" + exif(7, "<"))
    assert block[0x0112] == 7
