"""From pixels to the bytes of an image file; nothing is converted silently."""

import functools
import io
import os
import struct
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
from isal import isal_zlib

from vision.checks import check_integer, refuse
from vision.errors import ImageError
from vision.headers import FORMATS
from vision.kinds import is_binary
from vision.nearest import did_you_mean
from vision.opencv import cv2


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a format holds without a change, and the qualities of a lossy one."""

    dtypes: tuple
    channels: tuple
    max_side: int
    default_quality: int | None = None
    lossy: bool = False


_RULES = {
    "JPEG": _Rule(("uint8",), (1, 3), 65_500, 95, lossy=True),
    "PNG": _Rule(("uint8", "uint16"), (1, 3, 4), 2**31 - 1),
    "TIFF": _Rule(
        ("uint8", "uint16", "int16", "int32", "float32", "float64"), (1, 3, 4), 2**31 - 1
    ),
    "WEBP": _Rule(("uint8",), (1, 3, 4), 16_383, None, lossy=True),
    "BMP": _Rule(("uint8",), (1, 3), 2**31 - 1),
    "AVIF": _Rule(("uint8",), (1, 3, 4), 65_535, 90, lossy=True),
    "PNM": _Rule(("uint8", "uint16"), (1, 3), 2**31 - 1),
}
_NAMES = {suffix: name for name in _RULES for suffix in FORMATS[name] if suffix != ".pbm"}
_NAMES |= {name.lower(): name for name in _RULES} | {s[1:]: name for s, name in _NAMES.items()}
#: The usual suffix of each format that is written.
SUFFIXES = tuple(FORMATS[name][0] for name in _RULES)

_TO_UINT8 = {
    "bool": "A mask is image.astype(np.uint8) * 255.",
    "uint16": "Write PNG or TIFF, or convert: (image >> 8).astype(np.uint8).",
    "int32": "Label maps: labels.astype(np.uint16) as PNG, or TIFF as they are.",
    "int64": "Label maps: labels.astype(np.uint16) as PNG, or labels.astype(np.int32) as TIFF.",
}
_IDAT = 1 << 20  # bytes a chunk; some readers refuse very long ones
_HEAD = 4  # bytes
_FROM_FLOAT = "From 0..1 convert with np.rint(image * 255).astype(np.uint8), or write float32 TIFF."


def encode(image, format, *, quality=None, owner="encode"):
    """The bytes of an image file.

    Parameters
    ----------
    image : ndarray, (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA
        uint8 for every format; uint16 also for PNG, TIFF and PNM; int16, int32, float32 and
        float64 also for TIFF. RGBA not for JPEG, BMP and PNM. What a format would change is
        refused.
    format : str
        ``"JPEG"``, ``"PNG"``, ``"TIFF"``, ``"WEBP"``, ``"BMP"``, ``"AVIF"`` or ``"PNM"``, in
        any case, or a suffix of theirs.
    quality : int, optional
        1 to 100. JPEG: 95 unless given, as in OpenCV, with colours at half resolution (4:2:0).
        WebP: lossless unless given. AVIF: 90 unless given, never lossless. Refused for the
        others, which are lossless.
    owner : str
        Named in error messages.

    Returns
    -------
    bytes

    Raises
    ------
    ParameterError
        If the format cannot hold the image as it is; the message names the conversion.
    ImageError
        If the encoder fails.

    Examples
    --------
    >>> encode(np.zeros((4, 6, 3), np.uint8), "png")[:4]
    b'\\x89PNG'
    """
    known = isinstance(format, str) and format in _RULES
    name = format if known else format_of(format, owner=owner)
    rule = _RULES[name]
    _check_image(image, name, rule, owner)
    if quality is None:
        quality = rule.default_quality
    elif rule.lossy:
        check_integer("quality", quality, owner=owner, at_least=1, at_most=100)
    else:
        refuse("quality", quality, f"None for {name}, which is lossless", owner)
    return _ENCODERS[name](np.ascontiguousarray(image), quality)


def format_of(path, *, owner):
    """The name of the format that a path's suffix, a suffix or a name stands for.

    Raises
    ------
    ParameterError
        If it stands for none that is written.

    Examples
    --------
    >>> format_of("photos/cat.JPG", owner="write")
    'JPEG'
    """
    allowed = f"a suffix or name of {', '.join(_RULES)}"
    if not isinstance(path, str | bytes | os.PathLike):
        refuse("format", path, allowed, owner)
    text = os.fsdecode(path)
    key = (PurePath(text).suffix or text).lower()
    if key not in _NAMES:
        refuse("format", text, allowed, owner, did_you_mean(key, _NAMES))
    return _NAMES[key]


def _check_image(image, name, rule, owner):
    if not isinstance(image, np.ndarray):
        refuse("image", image, "a NumPy array", owner)
    if _name_of(image.dtype) not in rule.dtypes:
        hint = _FROM_FLOAT if image.dtype.kind == "f" else _TO_UINT8.get(image.dtype.name, "")
        refuse("image", image, f"{' or '.join(rule.dtypes)} for {name}", owner, hint)
    channels = 1 if image.ndim == 2 else image.shape[2] if image.ndim == 3 else 0
    if channels not in rule.channels or (image.ndim == 3 and channels == 1):
        shapes = " or ".join("(H, W)" if n == 1 else f"(H, W, {n})" for n in rule.channels)
        hint = "image[..., :3] drops alpha." if channels == 4 else ""
        hint = "image[..., 0] drops the axis." if image.ndim == 3 and channels == 1 else hint
        refuse("image", image, f"{shapes} for {name}", owner, hint)
    if not 1 <= min(image.shape[:2]) <= max(image.shape[:2]) <= rule.max_side:
        refuse("image", image, f"1 to {rule.max_side:,} pixels a side for {name}", owner)


@functools.lru_cache(maxsize=64)  # NumPy makes it anew each time
def _name_of(dtype):
    return dtype.name


def _by_cv2(suffix, image, *settings):
    if image.ndim == 3:
        image = _swap(image)
    try:
        done, data = cv2.imencode(suffix, image, settings)
    except cv2.error as error:
        raise ImageError(f"it could not be encoded as {suffix}: {error.err}") from error
    if not done:
        raise ImageError(f"it could not be encoded as {suffix}")
    return data.tobytes()


def _swap(image):
    if image.dtype.name in ("uint8", "uint16", "float32"):
        colour = image.shape[2] == 3
        return cv2.cvtColor(image, cv2.COLOR_RGB2BGR if colour else cv2.COLOR_RGBA2BGRA)
    return np.ascontiguousarray(image[..., [2, 1, 0, 3][: image.shape[2]]])


def _encode_jpeg(image, quality):
    return _by_cv2(".jpg", image, cv2.IMWRITE_JPEG_QUALITY, quality)


def _encode_bmp(image, quality):
    return _by_cv2(".bmp", image)


def _encode_webp(image, quality):
    if quality is None:
        return _by_pillow("WEBP", image, lossless=True, exact=True)
    return _by_pillow("WEBP", image, quality=quality)


def _encode_avif(image, quality):
    return _by_pillow("AVIF", image, quality=quality)


def _by_pillow(name, image, **settings):
    from PIL import Image

    file = io.BytesIO()
    try:
        Image.fromarray(image).save(file, name, **settings)
    except (OSError, ValueError, KeyError) as error:  # KeyError: a Pillow built without it
        raise ImageError(f"it could not be encoded as {name}: {error}") from error
    return file.getvalue()


def _encode_pnm(image, quality):
    height, width = image.shape[:2]
    maximum = 255 if image.dtype == np.uint8 else 65535
    head = f"P{5 if image.ndim == 2 else 6}\n{width} {height}\n{maximum}\n"
    return head.encode() + image.astype(image.dtype.newbyteorder(">")).tobytes()


def _encode_tiff(image, quality):
    """Deflate, and alpha named as such: OpenCV's LZW and predictors are not read by everyone."""
    import tifffile

    file = io.BytesIO()
    tifffile.imwrite(
        file,
        image,
        photometric="minisblack" if image.ndim == 2 else "rgb",
        extrasamples=["unassalpha"] if image.shape[2:] == (4,) else None,
        compression="zlib",
        compressionargs={"level": 1},
        metadata=None,
        software=False,
    )
    return file.getvalue()


def _encode_png(image, quality):
    """Filtered rows, deflated by ISA-L (W3C, PNG, third edition).

    Against OpenCV's encoder a quarter to a third of the time on photographs, at the same size
    within 5%; a twentieth on masks, at half the size.
    """
    height, width = image.shape[:2]
    bits, rows = _rows_of(image)
    pixels = _deflate(memoryview(rows).cast("B"))
    colour = 0 if image.ndim == 2 else {3: 2, 4: 6}[image.shape[2]]
    start = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    parts = [b"\x89PNG\r\n\x1a\n", *_chunk(b"IHDR", start)]
    for begin in range(0, len(pixels), _IDAT):
        parts += _chunk(b"IDAT", pixels[begin : begin + _IDAT])
    return b"".join([*parts, *_PNG_END])


def _deflate(rows):
    """The same bytes for the same rows, always.

    ISA-L's levels 1 and 2 (2.32, isal_deflate_icf_body_hash_hist) hash what follows the first byte
    of a stream from a register that holds the address of their state, so that one stream of
    some thousand depends on where it was made. A beginning of `_HEAD` bytes that is flushed is
    encoded by other code, and a stream that has begun is not concerned.
    """
    deflate = isal_zlib.compressobj(1)
    head = deflate.compress(rows[:_HEAD]), deflate.flush(isal_zlib.Z_SYNC_FLUSH)
    return memoryview(b"".join([*head, deflate.compress(rows[_HEAD:]), deflate.flush()]))


def _rows_of(image):
    """Bits a sample, and the bytes of all rows, each behind the number of its filter."""
    height = len(image)
    if image.dtype == np.uint8 and image.ndim == 2 and _is_bilevel(image):
        # A filter mixes up to eight pixels of a byte: files would be larger (by 6% on masks).
        bits = np.packbits(image, axis=1)
        filtered = np.zeros((height, bits.shape[1] + 1), np.uint8)
        filtered[:, 1:] = bits
        return 1, filtered
    rows = image.astype(image.dtype.newbyteorder(">"), copy=False).view(np.uint8)
    rows = rows.reshape(height, -1)
    filtered = np.empty((height, rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = 2  # Up: the difference to the row above
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    return image.dtype.itemsize * 8, filtered


def _is_bilevel(image):
    """Whether there is only black and white: then a bit says it, in fewer bytes always."""
    return image.item(0) in (0, 255) and is_binary(image)  # one pixel tells most others apart


def _chunk(name, data):
    check = isal_zlib.crc32(data, isal_zlib.crc32(name))
    return len(data).to_bytes(4, "big"), name, data, check.to_bytes(4, "big")


_PNG_END = _chunk(b"IEND", b"")


_ENCODERS = {
    "JPEG": _encode_jpeg,
    "PNG": _encode_png,
    "TIFF": _encode_tiff,
    "WEBP": _encode_webp,
    "BMP": _encode_bmp,
    "AVIF": _encode_avif,
    "PNM": _encode_pnm,
}
