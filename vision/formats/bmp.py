"""BMP, by OpenCV."""

from vision.errors import ImageError
from vision.formats.pixels import decode_by_cv2, without_alpha
from vision.headers import Header, check_end, check_size, little, take

SIGNATURES = (b"BM",)

_RUN_LENGTH = (1, 2)
_LONGEST_RUN = 255  # pixels, of two bytes
_MASKS = (3, 6)


def read_header(data):
    """Read the headers of OS/2 and Windows (Microsoft, BITMAPV5HEADER)."""
    head = take(data, 0, 26)
    offset, size = little(head[10:14]), little(head[14:18])
    if size == 12:
        width, height = little(head[18:20]), little(head[20:22])
        bits, compression, entry, colours = little(head[24:26]), 0, 3, 0
    else:
        head = take(data, 0, 54)
        width = int.from_bytes(head[18:22], "little", signed=True)
        height = abs(int.from_bytes(head[22:26], "little", signed=True))  # negative: top row first
        bits, compression = little(head[28:30]), little(head[30:34])
        entry, colours = 4, little(head[46:50])
    if (
        size < 12
        or bits not in (1, 4, 8, 16, 24, 32)
        or compression not in (0, *_RUN_LENGTH, *_MASKS)
    ):
        raise ImageError(f"BMP of {bits} bits and compression {compression} is not read")
    if compression in _RUN_LENGTH:
        stored = little(head[34:38])
        check_size(width, height, width * height / _LONGEST_RUN, data)
    else:
        stored = -(-width * bits // 32) * 4 * height
    if width > 0:
        check_end(offset + stored, data, "the BMP's pixels")
    alpha = bits == 32 and size >= 56 and compression in _MASKS and data[66:70] != bytes(4)
    channels = 4 if alpha else 3
    if bits <= 8:
        palette = data[14 + size : 14 + size + entry * min(colours or 256, 1 << bits)]
        grey = palette[::entry] == palette[1::entry] == palette[2::entry]
        channels = 1 if grey else 3
    return Header("BMP", width, height, channels, 5 if bits == 16 else 8), alpha


def decode(data, header, alpha, mode):
    """The pixels; the fourth byte of one without alpha mask is padding."""
    pixels = decode_by_cv2(data, mode)
    return without_alpha(pixels) if pixels.shape[2:] == (4,) and not alpha else pixels
