"""WebP: still by OpenCV; animated by Pillow, as OpenCV reads it from version 4.11 only."""

from vision.errors import ImageError
from vision.formats.pixels import decode_by_cv2, decode_by_pillow, open_by_pillow
from vision.formats.tiff import exif_orientation
from vision.headers import MAX_FRAMES, Header, check_end, little, take, xmp_orientation

SIGNATURES = (b"RIFF",)


def read_header(data):
    """Read the first chunk, and walk the others where it says so (RFC 9649)."""
    head = take(data, 0, 30)
    end = 8 + little(head[4:8])
    kind, body = head[12:16], head[20:30]
    if head[8:12] != b"WEBP":
        raise ImageError(f"it is a RIFF file of kind {head[8:12]!r}, not WebP")
    check_end(end, data, "the WebP's chunks")
    if kind == b"VP8X":
        return _extended(data, body, end)
    check_end(20 + little(head[16:20]), data, "the WebP's pixels")
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        return Header("WEBP", little(body[6:8]) & 0x3FFF, little(body[8:10]) & 0x3FFF, 3, 8), False
    if kind == b"VP8L" and body[0] == 0x2F:
        bits = little(body[1:5])
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        return Header("WEBP", width, height, 4 if bits >> 28 & 1 else 3, 8), False
    raise ImageError(f"damaged: a WebP that begins with {kind!r}")


def _extended(data, body, end):
    exif, xmp, frames, at = None, 1, 0, 12
    while at + 8 <= end and frames <= MAX_FRAMES:
        piece = take(data, at, 8)
        begin, stop = at + 8, at + 8 + little(piece[4:])
        if stop > end:
            raise ImageError(f"truncated: a WebP chunk ends at byte {stop:,}, the file at {end:,}")
        if piece[:4] == b"EXIF":
            exif = exif_orientation(data[begin:stop])
        elif piece[:4] == b"XMP ":
            xmp = xmp_orientation(data[begin:stop])
        frames += piece[:4] == b"ANMF"
        at = stop + (stop & 1)
    if frames > MAX_FRAMES:
        raise ImageError(f"it has more than {MAX_FRAMES:,} frames: split it")
    header = Header(
        "WEBP",
        width=little(body[4:7]) + 1,
        height=little(body[7:10]) + 1,
        channels=4 if body[0] & 0x10 else 3,
        depth=8,
        orientation=xmp if exif is None else exif,
        frames=max(1, frames),
    )
    return header, bool(body[0] & 0x02)


def decode(data, header, animated, mode):
    """The pixels; of an animation, its first frame on the whole canvas."""
    data = data[: 8 + little(data[4:8])]  # OpenCV would take pixels from what follows too
    if animated:
        return decode_by_pillow(open_by_pillow("WebP", data), header.channels)
    return decode_by_cv2(data, mode)
