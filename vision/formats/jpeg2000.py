"""JPEG 2000, in its boxes or bare, by OpenJPEG: through Pillow, and colours of more than 8 bits,
which Pillow would cut, through OpenCV."""

import numpy as np

from vision.errors import ImageError
from vision.formats.boxes import read_boxes
from vision.formats.pixels import decode_by_cv2, decode_by_pillow, open_by_pillow
from vision.headers import Header, big, take

SIGNATURES = (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")


def read_header(data):
    """Read the codestream's first segment and its end marker (ITU-T T.800, annex A)."""
    begin, end = 0, len(data)
    if data[:1] == b"\0":
        boxes = read_boxes(data)
        if b"jp2c" not in boxes:
            raise ImageError("truncated: a JPEG 2000 without pixels")
        begin, end = boxes[b"jp2c"]
    head = take(data, begin, 43)
    if head[:4] != b"\xff\x4f\xff\x51":
        raise ImageError("damaged: no JPEG 2000 codestream")
    if not data[max(begin, end - 64) : end].rstrip(b"\0").endswith(b"\xff\xd9"):
        raise ImageError("truncated: the JPEG 2000 has no end marker")
    right, bottom, left, top = (big(head[i : i + 4]) for i in (8, 12, 16, 20))
    channels, depth = big(head[40:42]), (head[42] & 0x7F) + 1
    if channels not in (1, 3, 4):
        raise ImageError(f"JPEG 2000 of {channels} components; 1, 3 and 4 are read")
    return Header("JPEG2000", right - left, bottom - top, channels, depth), None


def decode(data, header, detail, mode):
    """The pixels; 9 to 15 bits are moved up to fill uint16."""
    if header.depth <= 8 or header.channels == 1:
        return decode_by_pillow(open_by_pillow("Jpeg2K", data), header.channels)
    pixels = decode_by_cv2(data)
    return pixels << max(0, 16 - header.depth) if pixels.dtype == np.uint16 else pixels
