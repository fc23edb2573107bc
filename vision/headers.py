"""What the first bytes of an image file say, whatever its format: `Header`, the list of formats,
and the tools that the parsers in `vision.formats` share.

The parsers are our own, because the common decoders disagree about orientation, read animations
differently from version to version, and take a file for whole when its end is missing.
"""

import re
from dataclasses import dataclass

from vision.errors import ImageError

#: The formats that are read, by name, each with its suffixes in lower case.
FORMATS = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png", ".apng"),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    "BMP": (".bmp", ".dib"),
    "GIF": (".gif",),
    "AVIF": (".avif",),
    "PNM": (".pnm", ".pbm", ".pgm", ".ppm"),
    "JPEG2000": (".jp2", ".j2k", ".j2c", ".jpf", ".jpx"),
}
#: Every suffix of `FORMATS`: what a folder is searched for.
EXTENSIONS = frozenset(suffix for suffixes in FORMATS.values() for suffix in suffixes)

#: Frames or pages of one file; also stops a chain of pages that has no end.
MAX_FRAMES = 10_000
#: Blocks of one file; a 200-megapixel PNG in chunks of 8 KB has 150,000.
MAX_BLOCKS = 1_000_000

_XMP_ORIENTATION = re.compile(rb'tiff:Orientation(?:="|>)([1-8])')


@dataclass(frozen=True, slots=True)
class Header:
    """What the header of an image file says about its first frame or page.

    Parameters
    ----------
    format : str
        A key of `FORMATS`.
    width, height : int
        Pixels, as stored.
    channels : int
        Of the picture as ``mode="unchanged"`` reads it: 1 grey, 3 colour, 4 colour and alpha.
    depth : int
        Bits a sample, as stored; of a palette, bits of its colours.
    orientation : int, default=1
        EXIF orientation, 1 (upright) to 8.
    frames : int, default=1
        Frames or pages, as far as the header says.

    Examples
    --------
    >>> header = Header("JPEG", 4000, 3000, channels=3, depth=8, orientation=6)
    >>> header.upright_width, header.upright_height
    (3000, 4000)
    """

    format: str
    width: int
    height: int
    channels: int
    depth: int
    orientation: int = 1
    frames: int = 1

    @property
    def upright_width(self):
        """Width in pixels of the picture when upright, which is how it is read."""
        return self.height if self.orientation >= 5 else self.width

    @property
    def upright_height(self):
        """Height in pixels of the picture when upright, which is how it is read."""
        return self.width if self.orientation >= 5 else self.height


def take(data, start, length):
    """The `length` bytes from `start`; an `ImageError` where the file ends before.

    `data` is anything with ``len`` and slices that are bytes.

    Examples
    --------
    >>> take(b"image", 1, 3)
    b'mag'
    """
    piece = data[start : start + length]
    if len(piece) < length:
        raise ImageError(f"truncated: it ends at byte {len(data):,}, within its header")
    return piece


def check_end(end, data, what):
    """Refuse `data` that end before the byte where `what` ends."""
    if end > len(data):
        raise ImageError(f"truncated: {what} end at byte {end:,}, the file at {len(data):,}")


def check_size(width, height, amount, data):
    """Refuse a header that claims more pixels than the file can hold.

    Parameters
    ----------
    width, height : int
        Pixels, as the header says.
    amount : float
        Bytes of the file that they take at the very least.
    data : bytes-like
        The file.

    Examples
    --------
    >>> check_size(30, 20, 30 * 20 * 3 / 1032, b"GIF89a")
    >>> check_size(3000, 2000, 3000 * 2000 * 3 / 1032, b"GIF89a")
    Traceback (most recent call last):
    ...
    vision.errors.ImageError: truncated or damaged: 6 bytes cannot hold 3000 x 2000 pixels
    """
    if amount > len(data):
        held = f"{len(data):,} bytes cannot hold {width} x {height} pixels"
        raise ImageError(f"truncated or damaged: {held}")


def big(piece):
    """The unsigned number that big-endian bytes stand for."""
    return int.from_bytes(piece, "big")


def little(piece):
    """The unsigned number that little-endian bytes stand for."""
    return int.from_bytes(piece, "little")


def xmp_orientation(block):
    """The orientation, 1 to 8, that an XMP block names; 1 where it names none.

    Used where EXIF says nothing, as Pillow does.

    Examples
    --------
    >>> xmp_orientation(b'<rdf:Description tiff:Orientation="6"/>')
    6
    """
    found = _XMP_ORIENTATION.search(block)
    return int(found[1]) if found else 1
