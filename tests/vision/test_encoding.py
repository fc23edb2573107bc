"""What is written is what was meant: read again by Pillow and by us, or refused."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from isal import isal_zlib
from PIL import Image
from skimage import data as skimage_data

from tests.vision.image_files import by_pillow, picture
from vision.errors import ParameterError, WriteError
from vision.io import decode, encode, probe, read, write
from vision.opencv import cv2

pytestmark = pytest.mark.cv2

LOSSLESS = {
    "png": [np.uint8, np.uint16],
    "tif": [np.uint8, np.uint16, np.int16, np.int32, np.float32, np.float64],
    "webp": [np.uint8],
    "bmp": [np.uint8],
    "pnm": [np.uint8, np.uint16],
}


@settings(deadline=None)
@given(st.data())
def test_what_is_written_losslessly_is_read_again(data):
    suffix = data.draw(st.sampled_from(sorted(LOSSLESS)))
    dtype = data.draw(st.sampled_from(LOSSLESS[suffix]))
    channels = data.draw(st.sampled_from([1, 3, 4] if suffix in ("png", "tif", "webp") else [1, 3]))
    shape = (data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9)))
    elements = {"allow_nan": False} if np.dtype(dtype).kind == "f" else None
    shape = shape if channels == 1 else (*shape, channels)
    image = data.draw(arrays.arrays(dtype, shape, elements=elements))
    mode = "gray" if channels == 1 else "unchanged"
    pixels = decode(encode(image, suffix), mode=mode)
    if suffix == "webp" and channels == 4 and (image[..., 3] == 255).all():
        image = image[..., :3]  # WebP does not store an alpha that says nothing
    assert pixels.dtype == dtype
    assert np.array_equal(pixels, image)


def test_png_is_the_same_wherever_in_memory_it_is_made():
    """Of ISA-L's streams one in some thousand is not (see `_deflate`)."""
    images = [np.full((40, 24), value, np.uint8) for value in range(250)]
    for value, image in enumerate(images):
        image[:, ::2], image[:, 1::4] = 255 - value, value // 9
    found, kept = [set() for _ in images], []
    for _ in range(100):
        for image, data in zip(images, found, strict=True):
            data.add(encode(image, "PNG"))
        kept.append(isal_zlib.compressobj(1))  # takes the place in which the last ones were made
    assert [len(data) for data in found] == [1] * len(images)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300, 3), (300, 1, 3), (1, 9000), (257, 33, 4)])
def test_written_png_is_what_pillow_reads(shape):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    with Image.open(io.BytesIO(encode(image, "png"))) as opened:
        assert np.array_equal(np.asarray(opened), image)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 8), (64, 64), (31, 517)])
@pytest.mark.parametrize("share", [0, 0.3, 1])
def test_black_and_white_takes_a_bit_a_pixel_and_is_the_same_for_all_readers(shape, share):
    mask = np.where(np.random.default_rng(0).random(shape) < share, 255, 0).astype(np.uint8)
    data = encode(mask, "png")
    assert png_chunks(data)[0][1][8:10] == b"\1\0"  # one bit, grey
    with Image.open(io.BytesIO(data)) as opened:
        assert opened.mode == "1"
        assert np.array_equal(np.asarray(opened.convert("L")), mask)
    assert np.array_equal(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED), mask)
    for mode in ("gray", "unchanged"):
        assert np.array_equal(decode(data, mode=mode), mask)
    assert len(data) < len(by_pillow(mask, "PNG")) + 10  # bytes: there is one more block


@pytest.mark.parametrize(
    "image",
    [
        np.array([[0, 1], [255, 0]], np.uint8),
        np.array([[0, 254]], np.uint8),
        np.array([[0, 65535]], np.uint16),
        np.array([[[0, 255, 0]]], np.uint8),
        np.array([[[0, 255, 0, 255]]], np.uint8),
    ],
)
def test_whatever_is_not_black_and_white_keeps_its_depth(image):
    start = png_chunks(encode(image, "png"))[0][1]
    assert start[8] == 8 * image.itemsize
    assert np.array_equal(decode(encode(image, "png"), mode="unchanged"), image)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(1, 1), (700, 900), (33, 17, 3), (5, 1200, 4)])
def test_written_png_is_strictly_what_the_specification_says(shape, dtype):
    image = np.random.default_rng(1).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    mask = np.where(image < 99, 0, 255).astype(np.uint8)
    for pixels in (image, mask):
        data = encode(pixels, "png")
        names = [name for name, _ in png_chunks(data)]
        assert names == [b"IHDR", *[b"IDAT"] * (len(names) - 2), b"IEND"]
        *size, depth, colour, method, filters, interlace = struct.unpack(
            ">IIBBBBB", png_chunks(data)[0][1]
        )
        assert size == [shape[1], shape[0]]
        assert (method, filters, interlace) == (0, 0, 0)
        samples = {0: 1, 2: 3, 6: 4}[colour]
        inflated = zlib.decompressobj()
        rows = inflated.decompress(b"".join(part for name, part in png_chunks(data)[1:-1]))
        assert inflated.eof and not inflated.unused_data
        line = 1 + -(-shape[1] * samples * depth // 8)
        assert len(rows) == shape[0] * line
        assert set(rows[::line]) <= {0, 1, 2, 3, 4}  # the filters that there are
        with Image.open(io.BytesIO(data)) as opened:
            opened.verify()


def png_chunks(data):
    """Name and data of each chunk of a PNG, of which nothing is missing, wrong or left over."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    found, at = [], 8
    while at < len(data):
        size, name = struct.unpack(">I4s", data[at : at + 8])
        part, check = data[at + 8 : at + 8 + size], data[at + 8 + size : at + 12 + size]
        assert int.from_bytes(check, "big") == zlib.crc32(name + part)
        found.append((name, part))
        at += 12 + size
    assert at == len(data)
    return found


def test_written_jpeg_has_quality_95_and_halved_colours_like_opencv():
    cat = skimage_data.chelsea()
    for quality, expected in ((None, 95), (60, 60)):
        with Image.open(io.BytesIO(encode(cat, "jpeg", quality=quality))) as opened:
            ours, sampling = opened.quantization, opened.layer[0][1:3]
        with Image.open(io.BytesIO(by_pillow(cat, "JPEG", quality=expected))) as opened:
            assert ours == opened.quantization
            assert sampling == (2, 2)
    error = decode(encode(cat, "jpeg")).astype(float) - cat
    assert 10 * np.log10(255**2 / np.mean(error**2)) > 36


def test_colours_are_not_swapped(tmp_path):
    red = np.full((8, 8, 3), (250, 10, 60), np.uint8)
    for suffix in ("jpg", "png", "tif", "webp", "bmp", "avif", "ppm"):
        write(tmp_path / f"red.{suffix}", red)
        with Image.open(tmp_path / f"red.{suffix}") as image:
            assert np.abs(np.asarray(image.convert("RGB")).astype(int) - red).max() <= 4
        assert np.abs(read(tmp_path / f"red.{suffix}").astype(int) - red).max() <= 4


@pytest.mark.parametrize(
    ("image", "name", "said"),
    [
        (np.zeros((2, 2), np.float32), "jpg", r"uint8 for JPEG.*np\.rint\(image \* 255\)"),
        (np.zeros((2, 2, 3), np.float64), "png", r"uint8 or uint16 for PNG.*np\.rint"),
        (np.zeros((2, 2), bool), "png", r"image\.astype\(np\.uint8\) \* 255"),
        (np.zeros((2, 2), np.uint16), "jpg", r"image >> 8"),
        (np.zeros((2, 2), np.int32), "png", r"labels\.astype\(np\.uint16\)"),
        (np.zeros((2, 2, 4), np.uint8), "jpg", r"\(H, W, 3\) for JPEG.*image\[\.\.\., :3\]"),
        (np.zeros((2, 2, 1), np.uint8), "png", r"image\[\.\.\., 0\]"),
        (np.zeros((2, 2, 2), np.uint8), "png", r"\(H, W\) or \(H, W, 3\) or \(H, W, 4\)"),
        (np.zeros((0, 2), np.uint8), "png", r"1 to .* pixels a side"),
        (np.zeros((1, 65501), np.uint8), "jpg", r"1 to 65,500 pixels a side"),
        ([[1, 2]], "png", "a NumPy array"),
    ],
)
def test_what_a_format_would_change_is_refused(tmp_path, image, name, said):
    with pytest.raises(ParameterError, match=f"(?s)'image' of write must be .*{said}"):
        write(tmp_path / f"x.{name}", image)
    assert not list(tmp_path.iterdir())


def test_formats_and_qualities_that_make_no_sense_are_refused(tmp_path):
    image = np.zeros((2, 2, 3), np.uint8)
    with pytest.raises(ParameterError, match=r"'format' of write .*JPEG.*Got .*x\.gif"):
        write(tmp_path / "x.gif", image)
    with pytest.raises(ParameterError, match=r"'format' of encode .*Did you mean 'jpe?g'"):
        encode(image, "jepg")
    with pytest.raises(ParameterError, match="'quality' of encode must be None for PNG"):
        encode(image, "PNG", quality=9)
    with pytest.raises(ParameterError, match=r"'format' of encode must be a suffix.*an array"):
        encode("png", image)
    for quality in (0, 101, 95.5):
        with pytest.raises(ParameterError, match="'quality' of encode"):
            encode(image, "JPEG", quality=quality)


@pytest.mark.parametrize("name", ["ff", "png", ".png", "a.b/ff"])
def test_a_path_without_a_suffix_is_refused_with_those_there_are(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    Path("a.b").mkdir()
    with pytest.raises(ParameterError, match=r"'path' of write .*\.jpg, \.png.*Got '") as caught:
        write(name, picture())
    assert "Did you mean" not in str(caught.value)
    write(name, picture(), format="png")
    assert np.array_equal(read(name), picture())


def test_a_path_comes_first(tmp_path):
    with pytest.raises(ParameterError, match=r"'path' of write .*an array.*write\(path, image\)"):
        write(picture(), tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


def test_format_overrides_the_suffix_and_content_decides_when_reading(tmp_path):
    write(tmp_path / "really_a_png.jpg", picture(), format="PNG")
    assert probe(tmp_path / "really_a_png.jpg").format == "PNG"
    assert np.array_equal(read(tmp_path / "really_a_png.jpg"), picture())


def test_write_error_is_raised_by_write(tmp_path):
    with pytest.raises(WriteError, match=r"x\.png' could not be written"):
        write(tmp_path / "missing" / "x.png", picture())
