"""Small files that would cost a careless reader seconds and gigabytes."""

import zlib

import numpy as np
from PIL import Image

from tests.hostile_contents import BAD, GOOD, PLAIN, Content, bases, suffix_of
from tests.hostile_headers import claiming, png_chunk, png_of
from tests.vision.image_files import by_pillow, by_tifffile

OTHERS = (
    "jpeg progressive",
    "jpeg cmyk",
    "png interlaced",
    "tiff tiff_lzw",
    "tiff bits",
    "webp lossless",
    "webp animated",
    "gif animated",
    "bmp bits",
    "ppm plain",
)


def bombs(rng):
    """Small files of huge pictures, and others that are made to cost."""
    sizes = ((65500, 65400), (40000, 30000), (16000, 16000))
    for name in PLAIN + OTHERS:
        for width, height in sizes:
            data = claiming(bases()[name][0], name.split()[0], width, height)
            yield Content(f"bomb: {name.split()[0]} that claims", suffix_of(name), data, BAD)
    for width, height in ((1 << 31, 5), (50_000, 50_000), (2**31 - 1, 2**31 - 1), (60_000, 4000)):
        rows = zlib.compress(bytes(3_000_000))
        head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([1, 0, 0, 0, 0])
        png = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", head) + png_chunk(b"IDAT", rows)
        yield Content("bomb: PNG half of it", ".png", png + png_chunk(b"IEND", b""), BAD)
    for width, height in ((40_000, 8_000), (20_000, 20_000)):
        rows = bytes((width // 8 + 1) * height)
        yield Content(
            "bomb: PNG of one bit, whole", ".png", png_of(rows, width, height, depth=1), BAD
        )
    for side in (15_000, 20_000):
        page = by_tifffile(np.zeros((side, side), np.uint8), compression="zlib")
        yield Content("bomb: TIFF, whole", ".tif", page, BAD)
    scan = bases()["jpeg progressive"][0]
    one = scan[scan.index(b"\xff\xda") :][:20]
    for count in (200, 5_000):
        yield Content(
            "bomb: JPEG of many scans", ".jpg", scan[:-2] + one * count + b"\xff\xd9", BAD
        )
    gif = bases()["gif"][0]
    frame = gif[gif.index(b"\x2c\0\0\0\0") : -1]
    small = b"\x2c\0\0\0\0\1\0\1\0\0\2\2\x44\1\0"
    yield Content("bomb: GIF of many frames", ".gif", gif[:-1] + small * 20_000 + b";", BAD)
    yield Content("GIF of more frames than are read", ".gif", gif[:-1] + frame * 10_500 + b";", BAD)
    first = Image.fromarray(np.zeros((1, 1), np.uint8))
    pages = _circle(by_pillow(first, "TIFF", save_all=True, append_images=[first] * 30))
    pixel = np.zeros((1, 1, 3), np.uint8)
    yield Content("TIFF whose pages have no end", ".tif", pages, GOOD, pixel)
    for depth in (100, 10_000):
        boxes = b"".join((8 * (depth - i) + 8).to_bytes(4, "big") + b"meta" for i in range(depth))
        head = b"\0\0\0\x14ftypavif\0\0\0\0avif"
        yield Content("bomb: boxes within boxes", ".avif", head + boxes + bytes(8), BAD)


def _circle(tiff):
    """The pages of a TIFF, the last of which leads to the first."""
    data, first = bytearray(tiff), int.from_bytes(tiff[4:8], "little")
    at = first
    while True:
        count = int.from_bytes(data[at : at + 2], "little")
        place = at + 2 + 12 * count
        following = int.from_bytes(data[place : place + 4], "little")
        if not following:
            data[place : place + 4] = first.to_bytes(4, "little")
            return bytes(data)
        at = following
