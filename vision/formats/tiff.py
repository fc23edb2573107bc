"""TIFF, and the orientation in an EXIF block, which is a small TIFF.

Decoders differ in what they do with tags that are not about pixels, so each gets a TIFF of
one page without them. 8-bit samples go to Pillow, which is right on palettes, CMYK, alpha and
tiles where OpenCV is not. Others Pillow would cut to 8 bits: they go to tifffile where it reads
them by itself (uncompressed and deflated), which is right on planes and every dtype, otherwise
to OpenCV.
"""

import io
import struct
from dataclasses import dataclass

import numpy as np

from vision.errors import ImageError
from vision.formats.pixels import (
    decode_by_cv2,
    decode_by_pillow,
    full_scale,
    open_by_pillow,
    to_mode,
    told,
    with_alpha,
    without_alpha,
)
from vision.headers import MAX_FRAMES, Header, check_end, check_size, take

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_MAX_ENTRIES = 4_096  # of a directory; real ones have a few dozen
_MOST = {1: 1, 5: 4096, 8: 1032, 32773: 128, 32946: 1032}  # to one, by compression
_JPEG = 7
_MAX_TILE = 1 << 26  # pixels of a tile, for which a decoder takes memory at once

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_STRIPS, _ORIENTATION, _SAMPLES, _STRIP_SIZES, _PLANAR = 273, 274, 277, 279, 284
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_SIZES, _EXTRA, _FORMAT = 322, 323, 324, 325, 338, 339
_FILL_ORDER, _ROWS, _PREDICTOR = 266, 278, 317
_SINGLE = (
    *(_WIDTH, _HEIGHT, _COMPRESSION, _SAMPLES, _PLANAR),
    *(_TILE_WIDTH, _TILE_HEIGHT, _FILL_ORDER, _ROWS, _PREDICTOR),
)
_FOR_PIXELS = {
    *_SINGLE,
    *(_BITS, _PHOTOMETRIC, _STRIPS, _STRIP_SIZES, _TILES, _TILE_SIZES, _EXTRA, _FORMAT),
    *(292, 293, 320, 332, 334),  # fax options, colour map, inks
    *(347, 512, 513, 514, 519, 520, 521, 529, 530, 531, 532),  # JPEG and YCbCr
}

_WHOLE = {1: "u1", 3: "u2", 4: "u4", 6: "i1", 8: "i2", 9: "i4", 13: "u4", 16: "u8", 18: "u8"}
_SIZES = {2: 1, 5: 8, 7: 1, 10: 8, 11: 4, 12: 8, 17: 8}
_SIZES |= {kind: int(name[1]) for kind, name in _WHOLE.items()}


class Directories:
    """The directories of a TIFF, classic or big, or of an EXIF block.

    Parameters
    ----------
    data : bytes-like
        From the byte order mark on.

    References
    ----------
    Adobe, TIFF Revision 6.0, 1992; BigTIFF as in libtiff.
    """

    def __init__(self, data):
        head = take(data, 0, 8)
        if head[:2] not in (b"II", b"MM"):
            raise ImageError("damaged: no TIFF byte order")
        self.data = data
        self.order = "<" if head[:2] == b"II" else ">"
        version = self._number(head[2:4])
        if version not in (42, 43):
            raise ImageError(f"damaged: TIFF version {version}")
        self.big = version == 43
        self.first = self._number(take(data, 8, 8) if self.big else head[4:8])

    def _number(self, piece):
        return int.from_bytes(piece, "little" if self.order == "<" else "big")

    def entries(self, at):
        """The directory at byte `at`, as ``{tag: its bytes}``, and where the next one is."""
        counter, size, slot = (8, 20, 8) if self.big else (2, 12, 4)
        count = self._number(take(self.data, at, counter))
        if not 0 < count <= _MAX_ENTRIES:
            raise ImageError(f"damaged: a TIFF directory of {count} entries")
        table = take(self.data, at + counter, count * size + slot)
        pieces = [table[begin : begin + size] for begin in range(0, count * size, size)]
        entries = {}
        for piece in pieces:
            entries.setdefault(self._number(piece[:2]), piece)
        return entries, self._number(table[count * size :])

    def end(self, entries):
        """The byte at which the last of the values that do not fit into an entry ends."""
        begin = 12 if self.big else 8
        end = 0
        for piece in entries.values():
            length = self.count(piece) * _SIZES.get(self._number(piece[2:4]), 0)
            if length > len(piece) - begin:
                end = max(end, self._number(piece[begin:]) + length)
        return end

    def count(self, piece):
        """How many values an entry has."""
        return self._number(piece[4 : 12 if self.big else 8])

    def values(self, entries, tag, default=()):
        """The whole numbers of a tag, as an array; `default` where the tag is missing."""
        if tag not in entries:
            return np.asarray(default, np.uint64)
        piece = entries[tag]
        kind, slot = self._number(piece[2:4]), piece[12 if self.big else 8 :]
        if kind not in _WHOLE:
            raise ImageError(f"damaged: TIFF tag {tag} holds no whole numbers")
        length = self.count(piece) * _SIZES[kind]
        inline = length <= len(slot)
        found = slot[:length] if inline else take(self.data, self._number(slot), length)
        return np.frombuffer(found, self.order + _WHOLE[kind])

    def value(self, entries, tag, default):
        """The one number of a tag; `default` where the tag is missing or empty."""
        found = self.values(entries, tag, (default,))
        return int(found[0]) if found.size else default

    def entry(self, tag, number):
        """An entry that holds one number below 65,536, as its bytes."""
        head = struct.pack(self.order + ("HHQ" if self.big else "HHL"), tag, 3, 1)
        number = struct.pack(self.order + "H", number)
        return (head + number).ljust(20 if self.big else 12, b"\0")


def exif_orientation(block):
    """The orientation, 1 to 8, that an EXIF block names; 1 where it names none or is damaged.

    Parameters
    ----------
    block : bytes
        EXIF, with or without the ``Exif\\0\\0`` in front.

    Returns
    -------
    int

    References
    ----------
    CIPA DC-008-2023, Exif 3.0, tag 0x0112.

    Examples
    --------
    >>> exif_orientation(bytes.fromhex("4d4d002a00000008 0001 0112000300000001 0006 0000 00000000"))
    6
    """
    try:
        directories = Directories(block.removeprefix(b"Exif\0\0"))
        entries, _ = directories.entries(directories.first)
        found = directories.value(entries, _ORIENTATION, 1)
    except ImageError:
        return 1
    return found if 1 <= found <= 8 else 1


@dataclass(frozen=True, slots=True)
class Detail:
    """What decoding needs to know of a page."""

    directories: Directories
    pages: tuple  # where the directory of each is
    entries: dict
    bits: int
    samples: int
    sample_format: int  # 1 unsigned, 2 signed, 3 floating point
    photometric: int
    planar: bool
    plain: bool  # stored in a way that tifffile reads by itself


def read_header(data):
    """Walk the pages, and see that the pixels of each are within the file; describe the first."""
    directories = Directories(data)
    entries, following = directories.entries(directories.first)
    _check_extent(directories, entries)
    pages = {directories.first: None}  # in order
    while following and following not in pages:
        if len(pages) >= MAX_FRAMES:
            raise ImageError(f"it has more than {MAX_FRAMES:,} pages: split it")
        pages[following] = None
        page, following = directories.entries(following)
        _check_extent(directories, page)
    return _described(directories, entries, tuple(pages))


def read_page(detail, page):
    """What `read_header` gives, of another page of its file."""
    entries, _ = detail.directories.entries(detail.pages[page])
    return _described(detail.directories, entries, detail.pages)


def _check_extent(directories, entries):
    check_end(directories.end(entries), directories.data, "the TIFF's tags")
    for places, sizes in ((_STRIPS, _STRIP_SIZES), (_TILES, _TILE_SIZES)):
        ends = directories.values(entries, places).astype(np.float64)
        lengths = directories.values(entries, sizes)
        if ends.size == lengths.size:
            ends = ends + lengths
        if ends.size:
            check_end(int(ends.max()), directories.data, "the TIFF's pixels")


def _described(directories, entries, pages):
    def value(tag, default):
        return directories.value(entries, tag, default)

    if not {_STRIPS, _TILES, 513} & entries.keys():
        raise ImageError("damaged: a TIFF without pixels")
    for tag in _SINGLE:
        if tag in entries and directories.count(entries[tag]) != 1:
            raise ImageError(f"damaged: TIFF tag {tag} must have one value")
    entries = _with_colours(directories, entries)
    tile = value(_TILE_WIDTH, 1), value(_TILE_HEIGHT, 1)
    if tile[0] * tile[1] > _MAX_TILE:
        raise ImageError(f"its tiles have {tile[0]} x {tile[1]} pixels; {_MAX_TILE:,} are allowed")
    bits = int(directories.values(entries, _BITS, (1,)).max(initial=1))
    detail = Detail(
        directories,
        pages,
        entries,
        bits=bits,
        samples=value(_SAMPLES, 1),
        sample_format=value(_FORMAT, 1),
        photometric=value(_PHOTOMETRIC, 1),
        planar=value(_PLANAR, 1) == 2 and value(_SAMPLES, 1) > 1,
        plain=value(_COMPRESSION, 1) in (1, 8, 32946)
        and value(_PREDICTOR, 1) in (1, 2)
        and bits in (8, 16, 32, 64),
    )
    width, height, most = value(_WIDTH, 0), value(_HEIGHT, 0), _MOST.get(value(_COMPRESSION, 1))
    if most:
        samples = 1 if detail.photometric == 6 else detail.samples  # YCbCr may be subsampled
        check_size(width, height, width * height * samples * bits / 8 / most, directories.data)
    orientation = value(_ORIENTATION, 1)
    header = Header(
        "TIFF",
        width,
        height,
        channels=_channels(detail),
        depth=detail.bits,
        orientation=orientation if 1 <= orientation <= 8 else 1,
        frames=len(pages),
    )
    return header, detail


def _with_colours(directories, entries):
    """The entries, with three samples that are called grey called RGB; alpha behind them is kept.

    GDAL writes colours of 16 bits so, and microscopes three channels.
    """
    extra = directories.values(entries, _EXTRA)[:4].tolist()
    samples = directories.value(entries, _SAMPLES, 1)
    alpha = extra[2:] in ([1], [2])
    if directories.value(entries, _PHOTOMETRIC, 1) != 1 or any(extra[:2]) or samples != 3 + alpha:
        return entries
    colours = {tag: piece for tag, piece in entries.items() if tag != _EXTRA}
    if alpha:
        colours[_EXTRA] = directories.entry(_EXTRA, extra[2])
    return colours | {_PHOTOMETRIC: directories.entry(_PHOTOMETRIC, 2)}


def _channels(detail):
    stored = {0: 1, 1: 1, 2: 3, 3: 1}.get(detail.photometric)  # grey, grey, RGB, palette
    colours = 1 if detail.photometric in (0, 1) else 3
    if stored is None or detail.samples == stored:
        return colours
    # Many writers do not say what the last sample is: alpha then. 0: unspecified, dropped.
    extra = detail.directories.value(detail.entries, _EXTRA, 2)
    return 4 if extra in (1, 2) else colours


def essential(data, detail):
    """The same file with one page and only the tags that its pixels need.

    Parameters
    ----------
    data : bytes
        The whole file.
    detail : Detail
        What `read_header` found in it.

    Returns
    -------
    bytes
        Strips and tiles stay where they are; a new directory at the end replaces the others,
        without orientation, EXIF, text and unknown tags.
    """
    order = detail.directories.order
    kept = [detail.entries[tag] for tag in sorted(_FOR_PIXELS & detail.entries.keys())]
    padding = bytes(-len(data) % 8)
    at, view = len(data) + len(padding), memoryview(data)
    if detail.directories.big:
        head = (view[:8], struct.pack(order + "Q", at), view[16:], padding)
        return b"".join((*head, struct.pack(order + "Q", len(kept)), *kept, bytes(8)))
    head = (view[:4], struct.pack(order + "L", at), view[8:], padding)
    return b"".join((*head, struct.pack(order + "H", len(kept)), *kept, bytes(4)))


def decode(data, header, detail, mode):
    """The pixels of a page; 0 is black also where the file has it white."""
    if detail.directories.value(detail.entries, _COMPRESSION, 1) == _JPEG:
        _check_jpegs(data, detail)
    grey = detail.photometric in (0, 1)
    if grey and detail.samples > 2:
        raise ImageError(
            f"it is grey by its header, but has {detail.samples} samples a pixel and does not say "
            "what they are: tifffile.imread gives them, to be written as pages or as RGB"
        )
    clean = essential(data, detail)
    small = detail.bits <= 8 and detail.sample_format == 1
    if small and _known_to_pillow(detail):
        return _by_pillow(clean, detail, header.channels)
    if detail.photometric not in (0, 1, 2) or detail.samples > 4 or detail.bits < 8:
        raise ImageError(_unread(detail))
    if small or detail.planar or detail.samples == 2 or detail.plain:
        pixels = _by_tifffile(clean, detail, header.channels)
    else:
        pixels = decode_by_cv2(clean)
    if detail.photometric == 0 and pixels.dtype.kind == "u":
        pixels, stored = full_scale(pixels.dtype) - pixels, pixels
        if pixels.ndim == 3:
            pixels[..., 3] = stored[..., 3]
    return without_alpha(pixels) if (header.channels, pixels.shape[2:]) == (3, (4,)) else pixels


def _known_to_pillow(detail):
    if _of_big_end(detail):  # it takes a BigTIFF of that order for a classic one
        return False
    pair = detail.photometric in (0, 1) and detail.samples == 2
    return not pair or (detail.photometric == 1 and not detail.planar)


def _of_big_end(detail):
    return detail.directories.big and detail.directories.order == ">"


def _check_jpegs(data, detail):
    """Libtiff takes a JPEG that is cut for whole, and fills it up with grey."""
    for places, sizes in ((_STRIPS, _STRIP_SIZES), (_TILES, _TILE_SIZES)):
        starts = detail.directories.values(detail.entries, places).tolist()
        lengths = detail.directories.values(detail.entries, sizes).tolist()
        for start, length in zip(starts, lengths):
            tail = data[start + max(0, length - 16) : start + length]
            if not tail.rstrip(b"\0").endswith(b"\xff\xd9"):
                raise ImageError("truncated: a JPEG within the TIFF has no end")


def _by_pillow(data, detail, channels):
    from PIL import Image

    try:
        image = open_by_pillow("Tiff", data)
        # An image that has its memory already is not held to Pillow's own limit on pixels.
        image.im = Image.new(image.mode, image.size).im
        return decode_by_pillow(image, channels)
    except ImageError as error:
        if isinstance(error.__cause__, OSError | MemoryError):  # of its pixels, not of their kind
            raise
        raise ImageError(f"damaged, or {_unread(detail)}") from error.__cause__


def _unread(detail):
    samples = f"{detail.samples} sample{'' if detail.samples == 1 else 's'} a pixel"
    planes = " in planes" if detail.planar else ""
    order = ", big-endian BigTIFF" if _of_big_end(detail) else ""
    return (
        f"a TIFF of a kind that is not read: {samples}{planes}, of {detail.bits} bits, photometric "
        f"interpretation {detail.photometric}{order}; grey and RGB are read, and of at most 8 bits "
        "CMYK and palettes"
    )


def _by_tifffile(data, detail, channels):
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            pixels = file.pages[0].asarray(squeeze=False)
    except Exception as error:  # tifffile raises its own, ValueError, KeyError and more here
        raise ImageError(f"truncated, damaged or of a rare kind: {told(error)}") from error
    if pixels.ndim != 5 or pixels.dtype.kind not in "uif":
        raise ImageError(f"damaged, or no image: samples of the kind {pixels.dtype}")
    # Its five axes: separate samples, depth, length, width, contiguous samples.
    pixels = np.moveaxis(pixels, 0, -1)[0, :, :, 0] if detail.planar else pixels[0, 0]
    if detail.samples == 1:
        pixels = pixels[..., 0]
    elif detail.samples == 2:
        grey = np.ascontiguousarray(pixels[..., 0])
        pixels = grey if channels == 1 else with_alpha(to_mode(grey, "rgb"), pixels[..., 1])
    half = pixels.dtype == np.float16
    dtype = np.dtype(np.float32) if half else pixels.dtype.newbyteorder("=")
    return np.ascontiguousarray(pixels, dtype)
