"""AVIF, by libavif through Pillow, header included: to 8 bits a sample.

Its AV1 decoder makes up pixels for those that are damaged. That of OpenCV does not: where there is
one, it has a say too, which doubles the time.
"""

import functools

import numpy as np

from vision.errors import ImageError
from vision.formats.boxes import read_boxes
from vision.formats.pixels import decode_by_pillow, open_by_pillow
from vision.formats.tiff import exif_orientation
from vision.headers import Header, take
from vision.opencv import cv2

SIGNATURES = ()  # the length of its first box comes before the name


def read_header(data):
    """Check that the file is AVIF and whole, and let Pillow read its description."""
    boxes = read_boxes(data)
    begin, end = boxes[b"ftyp"]
    brands = take(data, begin, min(end - begin, 1024))
    if not {b"avif", b"avis"} & {brands[i : i + 4] for i in range(0, len(brands), 4)}:
        raise ImageError(f"its format is HEIC or a video (brand {brands[:4]!r}), which is not read")
    if b"meta" not in boxes:
        raise ImageError("truncated: an AVIF without description")
    image = open_by_pillow("Avif", data[0 : len(data)])
    exif = image.info.get("exif")
    header = Header(
        "AVIF",
        *image.size,
        channels=len(image.getbands()),
        depth=8,
        orientation=exif_orientation(exif) if exif else 1,
        frames=image.n_frames,
    )
    return header, None


def decode(data, header, detail, mode):
    """The pixels of the first frame."""
    pixels = decode_by_pillow(open_by_pillow("Avif", data), header.channels)
    if _known_to_cv2() and cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) is None:
        raise ImageError("damaged: a part of its pixels cannot be decoded")
    return pixels


@functools.cache
def _known_to_cv2():
    return cv2.haveImageWriter("a.avif")
