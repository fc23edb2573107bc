"""The header parsers, held to Pillow; and what is said of files that are no image."""

import io
import os
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.vision.image_files import by_pillow, by_tifffile, exif, picture, samples
from vision.errors import ImageError, ImageNotFoundError, ParameterError
from vision.headers import EXTENSIONS, FORMATS, Header
from vision.io import decode, probe

PILLOW_NAMES = {"PPM": "PNM", "MPO": "JPEG"}


def chunk(name, data):
    """A PNG chunk."""
    return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")


def segment(marker, data):
    """A JPEG segment."""
    return bytes([0xFF, marker]) + (len(data) + 2).to_bytes(2, "big") + data


@pytest.mark.parametrize("name", samples())
def test_format_size_and_frames_are_those_of_pillow(name):
    header = probe(samples()[name])
    with Image.open(io.BytesIO(samples()[name])) as image:
        assert header.format == PILLOW_NAMES.get(image.format, image.format)
        assert (header.width, header.height) == image.size
        assert header.frames == getattr(image, "n_frames", 1)


@pytest.mark.parametrize("name", samples())
def test_channels_are_those_that_unchanged_gives(name):
    pixels = decode(samples()[name], mode="unchanged")
    assert probe(samples()[name]).channels == (1 if pixels.ndim == 2 else pixels.shape[2])


@pytest.mark.parametrize("name", samples())
def test_a_file_and_a_file_object_tell_the_same_as_bytes(name, tmp_path):
    path = tmp_path / "no suffix"
    path.write_bytes(samples()[name])
    with path.open("rb") as file:
        assert probe(path) == probe(file) == probe(samples()[name])


@pytest.mark.parametrize(
    ("data", "depth"),
    [
        (samples()["png bits"], 1),
        (samples()["png palette"], 8),
        (samples()["tiff uint16"], 16),
        (samples()["tiff float32"], 32),
        (samples()["jpeg"], 8),
        (b"P5 1 1 1023 \0\1", 10),
    ],
)
def test_depth_is_in_bits_a_sample(data, depth):
    assert probe(data).depth == depth


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_of_both_byte_orders_in_jpeg_png_and_webp(orientation, order):
    block, image = exif(orientation, order), picture()
    for name in ("JPEG", "PNG", "WEBP"):
        data = by_pillow(image, name, exif=b"Exif\0\0" + block)
        header = probe(data)
        with Image.open(io.BytesIO(data)) as opened:
            assert header.orientation == opened.getexif().get(0x0112) == orientation
        sides = (16, 12) if orientation < 5 else (12, 16)
        assert (header.upright_width, header.upright_height) == sides


@pytest.mark.parametrize("value", [0, 9, 99, 65535])
def test_an_impossible_orientation_is_upright(value):
    assert probe(by_pillow(picture(), "JPEG", exif=b"Exif\0\0" + exif(value))).orientation == 1


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_exif_garbage_is_upright_or_an_orientation(block):
    jpeg = samples()["jpeg"]
    data = jpeg[:2] + segment(0xE1, b"Exif\0\0" + block) + jpeg[2:]
    assert 1 <= probe(data).orientation <= 8


def test_exif_after_the_pixels_of_a_png_counts():
    png = samples()["png"]
    end = png.index(b"IEND") - 4
    assert probe(png[:end] + chunk(b"eXIf", exif(6)) + png[end:]).orientation == 6


def test_xmp_counts_where_there_is_no_exif():
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="3"/></x:xmpmeta>'
    jpeg, png = samples()["jpeg"], samples()["png"]
    block = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp)
    text = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)
    files = (
        jpeg[:2] + block + jpeg[2:],
        png[:33] + text + png[33:],
        by_pillow(picture(), "WEBP", xmp=xmp),
    )
    for data in files:
        assert probe(data).orientation == 3
        with Image.open(io.BytesIO(data)) as image:
            assert image.getexif()[0x0112] == 3
    both = segment(0xE1, b"Exif\0\0" + exif(8))
    assert probe(jpeg[:2] + block + both + jpeg[2:]).orientation == 8


def test_tiff_orientation_of_both_kinds_and_byte_orders():
    for big in (False, True):
        for order in "<>":
            tag = (274, 3, 1, 7, True)
            data = by_tifffile(picture(), bigtiff=big, byteorder=order, extratags=[tag])
            assert probe(data) == Header("TIFF", 16, 12, 3, 8, 7)


def test_stray_bytes_between_jpeg_segments_are_passed_over():
    jpeg = samples()["jpeg"]
    assert probe(jpeg[:2] + b"\0\1\2\xff\xff" + jpeg[2:]) == probe(jpeg)


def test_a_large_file_is_not_read_for_its_header(tmp_path, monkeypatch):
    jpeg = samples()["jpeg"]
    path = tmp_path / "large.jpg"
    path.write_bytes(jpeg[:2] + segment(0xE2, bytes(60_000)) * 100 + jpeg[2:] + bytes(10_000_000))
    amounts, system_read = [], os.read

    def counting(descriptor, amount):
        amounts.append(amount)
        return system_read(descriptor, amount)

    monkeypatch.setattr(os, "read", counting)
    assert probe(path) == probe(jpeg)
    assert sum(amounts) < 1_000_000


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html>\n<title>404</title>", "a web page"),
        (b'<?xml version="1.0"?><svg/>', "an XML document or SVG"),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
        (b"PK\x03\x04\x14\0", "a ZIP archive"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:", "git lfs pull"),
        (b'{"error": 404}', "JSON text"),
        (b"Not found\n", "text, which begins 'Not found"),
        (bytes(5000), "nothing but zero bytes"),
        (b"\0\x05\x16\x07\0\x02\0\0", "AppleDouble"),
        (b"#?RADIANCE\nFORMAT", "Radiance HDR"),
        (b"\0\0\x01\0\x01\0\x10\x10", "a Windows icon"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"RIFF\x24\0\0\0WAVEfmt " + bytes(20), "not WebP"),
        (b"\x8a\x11\xd0\xf3" * 10, "none of JPEG, PNG"),
    ],
)
def test_the_message_says_what_the_file_is(data, reason):
    with pytest.raises(ImageError, match=reason):
        probe(data)


@pytest.mark.parametrize(
    "data",
    [
        b"P5 0 4 255\n",
        b"GIF89a\0\0\0\0\0\0\0,\0\0\0\0\0\0\0\0\0\2\0;",
        by_tifffile(picture()).replace(b"\0\1\4\0\1\0\0\0\x10", b"\0\1\4\0\1\0\0\0\0", 1),
    ],
)
def test_an_image_without_pixels_is_refused(data):
    with pytest.raises(ImageError, match="no pixels"):
        probe(data)


def png_claiming(width, height):
    start = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\0\0\0"
    pixels = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", start) + pixels + chunk(b"IEND", b"")


def jpeg_claiming(width, height):
    data = bytearray(samples()["jpeg"])
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return bytes(data)


@pytest.mark.parametrize("claim", [png_claiming, jpeg_claiming])
def test_a_size_that_the_bytes_cannot_hold_is_refused_by_the_header(claim):
    with pytest.raises(ImageError, match="bytes cannot hold 60000 x 50000 pixels"):
        probe(claim(60_000, 50_000))


def test_a_picture_of_one_colour_is_not_too_good_to_be_true():
    flat = np.zeros((3000, 4000), np.uint8)
    for name in ("JPEG", "PNG", "GIF", "TIFF"):
        options = {"compression": "tiff_lzw"} if name == "TIFF" else {}
        options |= {"optimize": True, "quality": 1} if name == "JPEG" else {}
        data = by_pillow(flat, name, **options)
        assert probe(data).width == 4000
        assert decode(data).max() <= 1  # quality 1 moves black by a level


def test_a_chain_of_pages_without_end_is_read_to_its_loop():
    data = bytearray(by_pillow(picture(), "TIFF"))
    first = int.from_bytes(data[4:8], "little")
    end = first + 2 + 12 * int.from_bytes(data[first : first + 2], "little")
    data[end : end + 4] = first.to_bytes(4, "little")
    assert probe(bytes(data)).frames == 1
    assert np.array_equal(decode(bytes(data)), picture())


def test_suffixes_are_lower_case_and_of_one_format_each():
    listed = [suffix for suffixes in FORMATS.values() for suffix in suffixes]
    assert len(listed) == len(set(listed)) == len(EXTENSIONS)
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in EXTENSIONS)
    assert {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".avif"} < EXTENSIONS


def test_what_cannot_be_probed_is_named(tmp_path):
    with pytest.raises(ImageNotFoundError, match="no such file"):
        probe(tmp_path / "missing.png")
    with pytest.raises(ParameterError, match="'source' of probe"):
        probe(17)
    with pytest.raises(ImageError, match=r"'here\.png': empty"):
        probe(b"", path="here.png")
