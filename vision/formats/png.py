"""PNG, by libpng through OpenCV, which gets nothing but the chunks that pixels need."""

import struct
from dataclasses import dataclass

import numpy as np
from isal import isal_zlib

from vision.errors import ImageError
from vision.formats.pixels import decode_by_cv2, full_scale, to_mode, with_alpha
from vision.formats.tiff import exif_orientation
from vision.headers import MAX_BLOCKS, Header, big, check_end, check_size, take, xmp_orientation

SIGNATURES = (b"\x89PNG\r\n\x1a\n",)

_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 4, 6: 4}
_DEFLATE = 1032  # to one: the most that Deflate can shrink anything
_XMP = b"XML:com.adobe.xmp"
_COPIED = range(4 << 10, 2 << 20)  # bytes of rows that are worth inflating apart, as a copy
_BLOCK = 65_535  # bytes that a block of Deflate holds as they are (RFC 1951)


@dataclass(frozen=True, slots=True)
class Detail:
    """Colour type, the grey that is transparent or None, and the byte ranges that pixels need."""

    colour: int
    transparent: int | None
    kept: tuple
    whole: bool  # the kept ranges are the whole file
    pixels: tuple  # the ranges of IDAT's data; empty where there is anything odd about them
    rows: int  # bytes of all rows, each with its filter, once they are inflated


def read_header(data):
    """Walk the chunks to the end (W3C, Portable Network Graphics, third edition)."""
    start = take(data, 8, 25)
    if start[:8] != b"\0\0\0\rIHDR" or isal_zlib.crc32(start[4:21]) != big(start[21:]):
        raise ImageError("damaged: the PNG header or its check sum is wrong")
    width, height, depth, colour = big(start[8:12]), big(start[12:16]), start[16], start[17]
    if depth not in _DEPTHS.get(colour, ()) or max(width, height) >= 1 << 31:
        raise ImageError(f"damaged: PNG of colour type {colour}, {depth} bits, {width} x {height}")
    bits = width * height * depth * _SAMPLES[colour]
    check_size(width, height, bits / 8 / _DEFLATE, data)
    kept, pixels, found, end = _walk(data, width, height)
    transparency = found.get(b"tRNS")
    header = Header(
        "PNG",
        width,
        height,
        channels=_CHANNELS[colour] if transparency is None else 4,
        depth=8 if colour == 3 else depth,
        orientation=found.get(b"eXIf", 1) if b"eXIf" in found else found.get(b"iTXt", 1),
        frames=_frames(found),
    )
    grey = big(transparency[:2]) if transparency and colour == 0 else None
    whole = kept == [(0, len(data))] and end == len(data)
    rows = height * (1 + -(-width * depth * _SAMPLES[colour] // 8))
    plain = start[20] == 0 and rows in _COPIED  # 0: not interlaced
    return header, Detail(colour, grey, tuple(kept), whole, pixels if plain else (), rows)


def _walk(data, width, height):
    """The byte ranges that pixels need, all and those of their own data, what other chunks say,
    and where the PNG ends.
    """
    at, kept, pixels, found, odd = 33, [(0, 33)], [], {}, False
    for _ in range(MAX_BLOCKS):
        piece = take(data, at, 8)
        name, begin = piece[4:], at + 8
        end = begin + big(piece[:4]) + 4
        check_end(end, data, "the PNG's chunks")
        if not name[0] & 0x20 or name == b"tRNS":  # a capital first letter: needed for pixels
            kept[-1:] = [(kept[-1][0], end)] if kept[-1][1] == at else [kept[-1], (at, end)]
            if name == b"IDAT":
                pixels.append((begin, end - 4))
            else:
                odd |= bool(pixels) and name != b"IEND"
        if name == b"fcTL":
            _check_frame(data[begin : end - 4], width, height)
        if name == b"IEND":
            if b"IDAT" not in found:
                raise ImageError("damaged: a PNG without pixels")
            return kept, () if odd else tuple(pixels), found, end
        if name in (b"IDAT", b"fcTL"):
            found.setdefault(name, at)
        elif name in _NOTED and name not in found and not (name == b"acTL" and b"IDAT" in found):
            value = _NOTED[name](data[begin : end - 4])
            if value is not None:
                found[name] = value
        at = end
    raise ImageError(f"more than {MAX_BLOCKS:,} PNG chunks")


def _check_frame(control, width, height):
    """Refuse a frame of an animation that reaches beyond the picture: one of the two is damaged."""
    columns, rows, x, y = (big(control[at : at + 4]) for at in (4, 8, 12, 16))
    if x + columns > width or y + rows > height:
        raise ImageError(f"damaged: a frame beyond the PNG's {width} x {height} pixels")


_NOTED = {
    b"tRNS": bytes,
    b"eXIf": exif_orientation,
    b"iTXt": lambda block: xmp_orientation(block) if block.startswith(_XMP) else None,
    b"acTL": lambda block: big(block[:4]),
}


def _frames(found):
    """The still picture counts as a frame, whether it is the animation's first one or not."""
    count = found.get(b"acTL", 0)
    if not 0 < count < 1 << 31:
        return 1
    return count if found.get(b"fcTL", 1 << 32) < found[b"IDAT"] else count + 1


def decode(data, header, detail, mode):
    """The pixels; of an animation, those of the still picture that it also is."""
    pixels = decode_by_cv2(_inflated(data, detail) or _bare(data, detail), mode)
    if detail.transparent is None or mode in ("rgb", "gray"):
        return pixels
    return _with_transparent_grey(pixels, header.depth, detail.transparent)


def _bare(data, detail):
    """Without text, profiles and animation there is nothing left to inflate but pixels, and every
    version of OpenCV decodes the same picture.
    """
    if detail.whole:
        return data
    view = memoryview(data)
    return b"".join([view[start:stop] for start, stop in detail.kept])


def _inflated(data, detail):
    """The same PNG with its rows as they are, inflated by ISA-L in half of zlib's time; None where
    anything is not as it should be, which libpng is to judge.
    """
    view, pieces = memoryview(data), []
    for start, stop in detail.pixels:
        if isal_zlib.crc32(view[start - 4 : stop]) != big(view[stop : stop + 4]):
            return None
        pieces.append(view[start:stop])
    if not pieces:
        return None
    inflate = isal_zlib.decompressobj()
    try:
        rows = inflate.decompress(b"".join(pieces), detail.rows + 1)
    except isal_zlib.error:
        return None
    if len(rows) != detail.rows or not inflate.eof or inflate.unused_data:
        return None
    first, last = detail.pixels[0][0] - 8, detail.pixels[-1][1] + 4
    before = [view[start : min(stop, first)] for start, stop in detail.kept if start < first]
    after = [view[max(start, last) : stop] for start, stop in detail.kept if stop > last]
    return b"".join([*before, *_as_chunk(rows), *after])


def _as_chunk(rows):
    """An IDAT chunk that holds rows as they are (RFC 1950 and 1951, stored blocks)."""
    view, parts, length = memoryview(rows), [b"IDAT\x78\x01"], 2 + 4
    for start in range(0, len(rows), _BLOCK):
        block = view[start : start + _BLOCK]
        last, size = start + _BLOCK >= len(rows), len(block)
        parts += [struct.pack("<BHH", last, size, _BLOCK - size), block]
        length += 5 + size
    parts.append(isal_zlib.adler32(rows).to_bytes(4, "big"))
    check = 0
    for part in parts:
        check = isal_zlib.crc32(part, check)
    return length.to_bytes(4, "big"), *parts, check.to_bytes(4, "big")


def _with_transparent_grey(pixels, depth, grey):
    """OpenCV ignores the transparency of grey pictures."""
    pixels = pixels if pixels.ndim == 2 else pixels[..., 0]
    largest = (1 << depth) - 1
    grey &= largest  # the bits above are to be ignored
    grey = grey * 255 // largest if depth < 8 else grey
    alpha = np.where(pixels == grey, 0, full_scale(pixels.dtype))
    return with_alpha(to_mode(pixels, "rgb"), alpha)
