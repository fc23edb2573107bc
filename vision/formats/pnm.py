"""PNM: PBM, PGM and PPM, plain and raw, by our own decoder.

OpenCV refuses plain files without a last line end and does not scale; Pillow cuts 16-bit colours.
"""

import re
from dataclasses import dataclass

import numpy as np

from vision.errors import ImageError
from vision.formats.pixels import full_scale
from vision.headers import Header, check_end

SIGNATURES = (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6")

_NUMBER = re.compile(rb"(?:\s|#[^\n\r]*[\n\r])+([0-9]{1,10})")
_MAX_HEADER = 65_536  # bytes, comments included


@dataclass(frozen=True, slots=True)
class Detail:
    """The digit of the magic number, the largest value, and where the pixels begin."""

    kind: int
    maximum: int
    start: int


def read_header(data):
    """Read two or three numbers (netpbm, pbm(5), pgm(5) and ppm(5))."""
    head, at, numbers = data[:_MAX_HEADER], 2, []
    kind = head[1] - ord("0")
    for _ in range(2 if kind in (1, 4) else 3):
        found = _NUMBER.match(head, at)
        if not found:
            raise ImageError(f"damaged: no whole numbers follow the {head[:2].decode()} of a PNM")
        at = found.end()
        numbers.append(int(found[1]))
    width, height, maximum = (*numbers, 1)[:3]
    if not 0 < maximum < 65536:
        raise ImageError(f"damaged: a PNM whose largest value is {maximum}")
    channels, depth = 3 if kind in (3, 6) else 1, maximum.bit_length()
    if kind >= 4:
        row = -(-width // 8) if kind == 4 else width * channels * (2 if depth > 8 else 1)
        check_end(at + 1 + row * height, data, "the PNM's pixels")
    elif not data[at : at + 1].isspace():
        raise ImageError("truncated: the PNM has no pixels")
    return Header("PNM", width, height, channels, depth), Detail(kind, maximum, at + 1)


def decode(data, header, detail, mode):
    """The pixels, scaled where the largest value does not fill its bytes."""
    dtype = np.dtype(np.uint16 if detail.maximum > 255 else np.uint8)
    count = header.width * header.height * header.channels
    if detail.kind == 4:
        values = _bits(data, header, detail.start)
    elif detail.kind >= 5:
        values = np.frombuffer(data, dtype.newbyteorder(">"), count, detail.start)
    else:
        values = _plain_values(data[detail.start :], count, detail.kind == 1)
    if values.max() > detail.maximum:
        raise ImageError(f"damaged: a value above the PNM's largest, {detail.maximum}")
    if detail.maximum != full_scale(dtype):
        wide = values.astype(np.uint32) * full_scale(dtype) + detail.maximum // 2
        values = wide // detail.maximum
    shape = (header.height, header.width, 3)[: 2 + (header.channels == 3)]
    return values.reshape(shape).astype(dtype)


def _bits(data, header, start):
    row = -(-header.width // 8)
    packed = np.frombuffer(data, np.uint8, row * header.height, start).reshape(header.height, row)
    return 1 - np.unpackbits(packed, axis=1, count=header.width)  # 1 is black


def _plain_values(text, count, bitmap):
    if b"#" in text:
        text = b"\n".join([line.partition(b"#")[0] for line in text.splitlines()] + [b""])
    closed = text[-1:].isspace()
    if bitmap:  # its digits need no space between them
        text = re.sub(rb"([01])", rb"\1 ", text)
    words = text.split(None, count)
    # Without a space after it the last value itself may have been cut short.
    if len(words) < count or (len(words) == count and not closed):
        raise ImageError(f"truncated: {count:,} values and a line end must follow the PNM's header")
    try:
        values = np.array(words[:count], np.uint32)
    except (ValueError, OverflowError) as error:
        raise ImageError("damaged: a value of the PNM is no whole number") from error
    return 1 - values if bitmap else values
