"""Encoded pictures whose headers say another size: what damaged files, and bombs, are made of."""

import re
import zlib


def claiming(data, name, width, height):
    """The file with another size in its header, and nothing else changed but its check sum.

    Parameters
    ----------
    data : bytes
        A file as the samples of `tests.vision.image_files` are.
    name : str
        Its format in lower case: the first word of the sample's name.
    width, height : int
        What it shall say.

    Returns
    -------
    bytes

    Raises
    ------
    OverflowError
        If the format has no room for such numbers.

    Examples
    --------
    >>> claiming(b"P5 3 1 255 abc", "pgm", 70000, 5)
    b'P5 70000 5 255 abc'
    """
    out = bytearray(data)
    for at, length, order, value in _PLACES[name](data, width, height):
        out[at : at + length] = value.to_bytes(length, order)
    if name == "png":
        out[29:33] = zlib.crc32(out[12:29]).to_bytes(4, "big")
    if name in ("ppm", "pgm", "pbm"):
        return re.sub(rb"^(P\d(?:\s|#.*\n)+)\d+\s+\d+", rb"\g<1>%d %d" % (width, height), data)
    return bytes(out)


def _png(data, width, height):
    return [(16, 4, "big", width), (20, 4, "big", height)]


def _jpeg(data, width, height):
    at = 2
    while not 0xC0 <= data[at + 1] <= 0xC2:
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return [(at + 5, 2, "big", height), (at + 7, 2, "big", width)]


def _gif(data, width, height):
    """Of the screen and of the first frame."""
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    while data[at] == 0x21:
        at += 2
        while data[at]:
            at += 1 + data[at]
        at += 1
    starts = (6, at + 5)
    return [(at, 2, "little", width) for at in starts] + [
        (at + 2, 2, "little", height) for at in starts
    ]


def _bmp(data, width, height):
    return [(18, 4, "little", width), (22, 4, "little", height)]


def _webp(data, width, height):
    kind = data[12:16]
    if kind == b"VP8 ":
        return [(26, 2, "little", width), (28, 2, "little", height)]
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little") >> 28 << 28
        return [(21, 4, "little", bits | (width - 1) & 0x3FFF | ((height - 1) & 0x3FFF) << 14)]
    return [(24, 3, "little", width - 1), (27, 3, "little", height - 1)]


def _tiff(data, width, height):
    """Of a classic TIFF; a short value takes the whole field of four bytes."""
    order = "little" if data[:2] == b"II" else "big"
    first = int.from_bytes(data[4:8], order)
    places = []
    for number in range(int.from_bytes(data[first : first + 2], order)):
        at = first + 2 + 12 * number
        tag = int.from_bytes(data[at : at + 2], order)
        if tag in (256, 257):
            places += [(at + 2, 2, order, 4), (at + 8, 4, order, width if tag == 256 else height)]
    return places


def _jpeg2000(data, width, height):
    size = data.index(b"\xff\x51")
    places = [(size + at, 4, "big", width) for at in (6, 22)]
    places += [(size + at, 4, "big", height) for at in (10, 26)]
    if b"ihdr" in data:
        at = data.index(b"ihdr")
        places += [(at + 4, 4, "big", height), (at + 8, 4, "big", width)]
    return places


def _avif(data, width, height):
    starts = [found.end() for found in re.finditer(b"ispe", data)]
    return [(at + 4, 4, "big", width) for at in starts] + [
        (at + 8, 4, "big", height) for at in starts
    ]


def _pnm(data, width, height):
    return []  # its numbers are text, of any length


_PLACES = {
    "png": _png,
    "jpeg": _jpeg,
    "gif": _gif,
    "bmp": _bmp,
    "webp": _webp,
    "tiff": _tiff,
    "jpeg2000": _jpeg2000,
    "avif": _avif,
    "ppm": _pnm,
    "pgm": _pnm,
    "pbm": _pnm,
}


def png_chunk(name, body):
    """A chunk of a PNG, with its length and check sum."""
    return len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")


def png_of(rows, width, height, *, depth=8, colour=0, interlaced=False, level=9):
    """A PNG of rows as they are before deflate, each with its filter byte."""
    sizes = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    head = png_chunk(b"IHDR", sizes + bytes([depth, colour, 0, 0, interlaced]))
    body = png_chunk(b"IDAT", zlib.compress(rows, level))
    return b"\x89PNG\r\n\x1a\n" + head + body + png_chunk(b"IEND", b"")


def interlaced_png(pixels):
    """An RGB picture, uint8 or uint16, as a PNG of seven passes (Adam7)."""
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4)]
    passes += [(2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    rows = []
    for y, x, down, right in passes:
        part = pixels[y::down, x::right]
        if part.size:
            big = part.astype(part.dtype.newbyteorder(">"))
            rows += [b"\0" + row.tobytes() for row in big]
    height, width = pixels.shape[:2]
    depth = 8 * pixels.dtype.itemsize
    return png_of(b"".join(rows), width, height, depth=depth, colour=2, interlaced=True)
