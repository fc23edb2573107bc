"""Pictures of which one field or part was changed on purpose, format by format."""

import re
import zlib

from tests.hostile_contents import BAD, EITHER, GOOD, Content, bases, made
from tests.hostile_headers import png_chunk


def _png_parts():
    """Chunks of the plain PNG by name, in order."""
    data, at, parts = bases()["png"][0], 8, {}
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        parts[data[at + 4 : at + 8]] = data[at : at + 12 + length]
        at += 12 + length
    return parts


def png_edits(rng):
    """Chunks of a PNG that are wrong, missing, or in another order."""
    data, pixels = bases()["png"]
    parts = _png_parts()
    sign, head, body, end = data[:8], parts[b"IHDR"], parts[b"IDAT"], parts[b"IEND"]
    rows = bytearray(zlib.decompress(body[8:-4]))
    rows[0] = 9
    wrong = {
        "PNG check sum of the header": head[:-1] + bytes([head[-1] ^ 1]) + body + end,
        "PNG check sum of the pixels": head + body[:-1] + bytes([body[-1] ^ 1]) + end,
        "PNG without end": head + body,
        "PNG without pixels": head + end,
        "PNG without header": body + end,
        "PNG of pixels before the header": body + head + end,
        "PNG of a chunk without end": head + b"\x7f\xff\xff\xff" + body[4:] + end,
        "PNG of an unknown filter": head + png_chunk(b"IDAT", zlib.compress(bytes(rows))) + end,
        "PNG of too few rows": head + png_chunk(b"IDAT", zlib.compress(bytes(rows[1:400]))) + end,
        "PNG of no deflate": head + png_chunk(b"IDAT", b"\x11" + body[9:-4]) + end,
        "PNG of half a stream": head + png_chunk(b"IDAT", body[8 : len(body) // 2]) + end,
    }
    for kind, rest in wrong.items():
        yield Content(kind, ".png", sign + rest, BAD, pixels, data)
    for depth, colour in ((3, 0), (16, 3), (8, 5), (0, 2), (1, 2)):
        fields = head[8:16] + bytes([depth, colour, 0, 0, 0])
        edited = sign + png_chunk(b"IHDR", fields) + body + end
        yield Content("PNG of a depth that is none", ".png", edited, BAD, pixels, data)
    notes = png_chunk(b"tEXt", b"Comment\0wrong")[:-1] + b"\0"
    yield Content(
        "PNG check sum of a comment", ".png", sign + head + notes + body + end, EITHER, pixels, data
    )
    for name in (b"zTXt", b"iCCP"):
        bomb = png_chunk(name, b"Comment\0\0" + zlib.compress(bytes(20_000_000), 9))
        many = sign + head + bomb * (1 if name == b"iCCP" else 20) + body + end
        yield Content("PNG of a text that inflates", ".png", many, GOOD, pixels)


def jpeg_edits(rng):
    """Segments of a JPEG that are wrong or missing."""
    data, pixels = bases()["jpeg"]
    tables, scan = data.index(b"\xff\xc4"), data.index(b"\xff\xda")
    frame = data.index(b"\xff\xc0")
    wrong = {
        "JPEG without end": data[:-2],
        "JPEG without quantisation": re.sub(rb"(?s)\xff\xdb\0\x43.{65}", b"", data),
        "JPEG without frame": data[:frame] + data[tables:],
        "JPEG without scan": data[:scan] + b"\xff\xd9",
        "JPEG of an early end": data[: scan + (len(data) - scan) // 2] + b"\xff\xd9",
        "JPEG of a segment without length": data[:2] + b"\xff\xe0\0\0" + data[2:],
        "JPEG of a segment beyond the end": data[:2] + b"\xff\xe0\xff\xff" + data[2:],
        "JPEG of no sampling": data[: frame + 11] + b"\0" + data[frame + 12 :],
        "JPEG of 12 bits": data[: frame + 4] + b"\x0c" + data[frame + 5 :],
        "JPEG of two components": data[: frame + 9] + b"\2" + data[frame + 10 :],
        "JPEG of a lossless frame": data[: frame + 1] + b"\xc3" + data[frame + 2 :],
    }
    for kind, damaged in wrong.items():
        yield Content(kind, ".jpg", damaged, BAD, pixels, data)
    # Without tables those of the standard hold, as in films made of JPEGs.
    untabled = data[:tables] + data[scan:]
    yield Content("JPEG without Huffman tables", ".jpg", untabled, EITHER, pixels, data)
    restarts = bases()["jpeg restarts"][0]
    for number in range(3):
        mark = b"\xff" + bytes([0xD0 + number])
        lost = restarts.replace(mark, b"\xff\xd7", 1)
        yield made("JPEG restart markers mixed up", "jpeg restarts", lost, EITHER)
    behind = data.index(b"\xff\xdb")
    stray = data[:behind] + b"\0" + data[behind:]
    yield Content("JPEG of stray bytes", ".jpg", stray, GOOD, pixels)


def other_edits(rng):
    """Fields of GIF, TIFF, BMP, WebP, PNM and the formats of boxes that make no sense."""

    def replaced(name, at, new):
        data = bases()[name][0]
        return data[:at] + new + data[at + len(new) :]

    def tag(name, number, value):
        data = bases()[name][0]
        first = int.from_bytes(data[4:8], "little")
        at = data.index(number.to_bytes(2, "little"), first + 2)
        return replaced(name, at + 8, value.to_bytes(4, "little"))

    gif = bases()["gif"][0]
    frame = gif.index(b"\x2c\0\0\0\0")
    yield made("GIF without frame", "gif", gif[:frame] + b";", BAD)
    yield made("GIF without trailer", "gif", gif[:-1], BAD)
    colours = frame + 10
    yield made("GIF of codes of 13 bits", "gif", gif[:colours] + b"\x0d" + gif[colours + 1 :], BAD)
    for number, what in ((259, "compression"), (273, "place of its pixels")):
        for value in (0, 77, 0x7FFFFFFF):
            edit = tag("tiff tiff_lzw", number, value)
            yield made(f"TIFF of a wrong {what}", "tiff tiff_lzw", edit, EITHER)
    yield made(
        "TIFF of a directory beyond the end",
        "tiff raw",
        replaced("tiff raw", 4, b"\xf0\xff\xff\x7f"),
        BAD,
    )
    yield made(
        "TIFF of a directory within itself", "tiff raw", replaced("tiff raw", 4, b"\0\0\0\0"), BAD
    )
    for bits in (0, 2, 7, 48):
        yield made("BMP of a depth that is none", "bmp", replaced("bmp", 28, bytes([bits])), BAD)
    yield made("BMP of pixels beyond the end", "bmp", replaced("bmp", 10, b"\xff\xff\0\0"), BAD)
    yield made("BMP of negative width", "bmp", replaced("bmp", 18, b"\xc0\xff\xff\xff"), BAD)
    yield made("WebP that is longer", "webp", replaced("webp", 4, b"\xff\xff\0\0"), BAD)
    for head in (
        b"P6 64 48 0 ",
        b"P6 64 48 70000 ",
        b"P6 -64 48 255 ",
        b"P6 64 255 ",
        b"P6 6e1 48 255\n",
        b"P6\n#",
        b"P6 64 48 255",
    ):
        yield Content("PNM of numbers that are none", ".ppm", head + bytes(300), BAD)
    for name in ("jpeg2000", "avif"):
        data = bases()[name][0]
        yield made("boxes that end beyond the file", name, b"\0\0\xff\0" + data[4:], BAD)
        box = data.index(b"jp2c" if name == "jpeg2000" else b"mdat")
        yield made("boxes without pixels", name, data[: box - 4], BAD)
