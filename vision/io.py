"""The one reader and the one writer of image files.

`read` gives RGB, upright, whole, or raises; `write` is atomic. What is refused and why is in
`ImageError`, `ParameterError` and `WriteError`; nothing returns None.
"""

import os
from pathlib import PurePath

from vision.atomic import refuse_existing, write_bytes
from vision.checks import check_choice, check_integer, refuse
from vision.encoding import SUFFIXES, encode, format_of
from vision.errors import ImageError
from vision.formats import decode_pixels, parse, parse_page
from vision.formats.pixels import to_mode, upright
from vision.headers import EXTENSIONS, FORMATS, MAX_FRAMES, Header
from vision.regular_file import (
    MAX_BYTES,
    Window,
    check_bytes,
    open_regular,
    read_all,
    state_of,
)

__all__ = [
    "EXTENSIONS",
    "FORMATS",
    "MAX_BYTES",
    "MAX_FRAMES",
    "MAX_PIXELS",
    "MAX_SIDE",
    "Header",
    "decode",
    "encode",
    "probe",
    "read",
    "write",
    "write_bytes",
]

#: The default limit on pixels: phones make photographs of 199.8 million.
MAX_PIXELS = 200_000_000
#: The longest side that is read: the longest that JPEG and GIF can describe.
MAX_SIDE = 65_535

_MODES = ("rgb", "gray", "rgba", "unchanged")
_AT_ONCE = 4 << 20  # bytes; of a larger file the header is read and checked first


def read(source, *, mode="rgb", page=0, max_pixels=None):
    """Read one image: RGB, upright, whole.

    Parameters
    ----------
    source : str, path-like, bytes or binary file object
        A regular file, by any name the system allows (bytes are a path, as everywhere in
        Python; encoded data go through `decode`), or an object whose ``read`` gives bytes.
        The content decides the format, the suffix is not looked at.
    mode : {"rgb", "gray", "rgba", "unchanged"}, default="rgb"
        ``"rgb"`` is always (H, W, 3): grey is repeated, palettes and CMYK are converted, alpha
        is dropped (not blended, as in OpenCV and Pillow). ``"gray"`` is (H, W): of a JPEG its
        stored luma, otherwise 0.299 R + 0.587 G + 0.114 B. ``"rgba"`` is (H, W, 4), opaque
        where the file has no alpha. ``"unchanged"`` is as stored: (H, W), (H, W, 3) or
        (H, W, 4); grey with alpha becomes (H, W, 4). Three samples a pixel that a TIFF calls grey,
        as microscopes and GDAL write them, are colours in their order.
    page : int, default=0
        The page of a TIFF, or the frame of an animation (GIF, WebP, PNG, AVIF), counted from 0;
        ``probe(source).frames`` says how many there are.
    max_pixels : int, optional
        Refuse more than this, by the header, before memory is taken. The default is the
        environment variable ``VISION_MAX_PIXELS``, else 200 million.

    Returns
    -------
    ndarray
        uint8; uint16 where samples have 9 to 16 bits; from TIFF also int8, int16, int32,
        uint32, float32 and float64. Values are as stored, except that fewer than 8 bits, or 9
        to 15, fill the range of uint8 or uint16 (1-bit files give 0 and 255). AVIF is decoded
        to 8 bits. Floating-point values are not scaled, and NaN and infinity are kept, being
        measurements: steps refuse them in three channels; in one, a map, they pass as in OpenCV.

    Raises
    ------
    ImageNotFoundError
        If there is no such file.
    ImageError
        If it is no regular file (folder, pipe, device), cannot be opened, is empty, truncated
        (also where only the end is missing), damaged, no image, of a format that is not in
        `FORMATS`, or above a limit: pixels, 65,535 a side, 2 GiB, 10,000 frames.
    ParameterError
        If `mode` or `max_pixels` is not one of the above, or the file has no such `page`.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(f"{folder}/red.png", np.full((2, 3, 3), (255, 0, 0), np.uint8))
    ...     read(f"{folder}/red.png")[0, 0].tolist()
    [255, 0, 0]
    """
    check_choice("mode", mode, _MODES, owner="read")
    check_integer("page", page, owner="read", at_least=0)
    limit = _pixel_limit(max_pixels, "read")
    if hasattr(source, "read"):
        path = _name_of(source)
        return decode(_drain(source), mode=mode, page=page, max_pixels=limit, path=path)
    path = _path(source, "read")
    return _decode(_load(path, limit, "read", page)[0], mode, page, limit, path)[0]


def load_file(path, *, max_pixels=None):
    """The bytes of an image file, undecoded; a large one above the limits is not even read.

    Parameters
    ----------
    path : str, bytes or path-like
    max_pixels : int, optional
        As in `read`.

    Returns
    -------
    (bytes, list)
        With its state when it was opened, see `vision.regular_file.file_state`.

    Raises
    ------
    ImageNotFoundError, ImageError
        As in `read`, as far as the bytes alone tell.
    """
    return _load(_path(path, "load_file"), max_pixels, "load_file")


def _load(path, max_pixels, owner, page=0):
    descriptor, found = open_regular(path)
    try:
        size = found.st_size
        if size > _AT_ONCE:
            limit = _pixel_limit(max_pixels, owner)
            _check_limits(_parse(Window(descriptor, size), path, page)[0], limit, path)
            os.lseek(descriptor, 0, os.SEEK_SET)
        return read_all(descriptor, size, path), state_of(found)
    finally:
        os.close(descriptor)


def decode(data, *, mode="rgb", page=0, max_pixels=None, path=None):
    """Decode one image from the bytes of its file.

    Parameters
    ----------
    data : bytes-like
        The whole file.
    mode, page, max_pixels
        As in `read`.
    path : str or path-like, optional
        Where the bytes are from, for error messages.

    Returns
    -------
    ndarray
        As `read` gives it.

    Raises
    ------
    ImageError, ParameterError
        As in `read`.

    Examples
    --------
    >>> import numpy as np
    >>> decode(encode(np.zeros((4, 6), np.uint8), "png"), mode="gray").shape
    (4, 6)
    """
    check_choice("mode", mode, _MODES, owner="decode")
    check_integer("page", page, owner="decode", at_least=0)
    limit = _pixel_limit(max_pixels, "decode")
    return _decode(_as_bytes(data, "decode"), mode, page, limit, path)[0]


def decode_first(data, *, mode="rgb", max_pixels=None, path=None):
    """The first picture of a file, and how many pages or frames it has.

    Parameters
    ----------
    data, mode, max_pixels, path
        As for `decode`.

    Returns
    -------
    (ndarray, int)

    Raises
    ------
    ImageError, ParameterError
        As in `read`.

    Examples
    --------
    >>> import numpy as np
    >>> decode_first(encode(np.zeros((4, 6), np.uint8), "png"), mode="gray")[1]
    1
    """
    limit = _pixel_limit(max_pixels, "decode_first")
    return _decode(_as_bytes(data, "decode_first"), mode, 0, limit, path)


def probe(source, *, path=None):
    """The header of an image, without decoding a pixel.

    Parameters
    ----------
    source : str, path-like, bytes-like or binary file object
        Bytes are encoded data here; a path in bytes goes through `os.fsdecode`.
    path : str or path-like, optional
        Where bytes are from, for error messages.

    Returns
    -------
    Header
        No limit on pixels is applied: reading may still refuse it.

    Raises
    ------
    ImageNotFoundError, ImageError
        As in `read`, as far as the header tells.

    Examples
    --------
    >>> import numpy as np
    >>> header = probe(encode(np.zeros((4, 6, 3), np.uint8), "jpeg"))
    >>> header.format, header.width, header.height, header.channels
    ('JPEG', 6, 4, 3)
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return _parse(_as_bytes(source, "probe"), path)[0]
    if hasattr(source, "read"):
        return _parse(_drain(source), path or _name_of(source))[0]
    path = _path(source, "probe")
    descriptor, found = open_regular(path)
    try:
        return _parse(Window(descriptor, found.st_size), path)[0]
    finally:
        os.close(descriptor)


def _decode(data, mode, page, limit, path):
    """The picture, and how many pages or frames its file has."""
    header, detail = _parse(data, path, page)
    _check_limits(header, limit, path)
    try:
        pixels = to_mode(decode_pixels(data, header, detail, mode, page), mode)
    except ImageError as error:
        raise ImageError(error.reason, path) from error
    except MemoryError as error:
        size = f"{header.width} x {header.height}"
        raise ImageError(f"there is not enough memory for {size} pixels", path) from error
    return upright(pixels, header.orientation), header.frames


def _parse(data, path, page=0):
    check_bytes(len(data), path)
    try:
        header, detail = parse(data)
        if not page:
            return header, detail
        _check_page(page, header.frames, path)
        return parse_page(header, detail, page)
    except ImageError as error:
        raise ImageError(error.reason, path) from error.__cause__
    except OSError as error:
        raise ImageError(f"it cannot be read: {error.strerror}", path) from error


def _check_page(page, count, path):
    if page >= count:
        file = "the file" if path is None else repr(os.fspath(path))
        pages = f"{count:,} page{'' if count == 1 else 's'}"
        refuse("page", page, f"below {count}: {file} has {pages}, counted from 0", "read")


def _check_limits(header, limit, path):
    width, height = header.width, header.height
    if max(width, height) > MAX_SIDE:
        raise ImageError(f"it is {width} x {height}; the longest side read is {MAX_SIDE:,}", path)
    if width * height > limit:
        raise ImageError(
            f"it is {width} x {height}, {width * height:,} pixels; the limit is {limit:,} "
            "(raise it with max_pixels or the environment variable VISION_MAX_PIXELS)",
            path,
        )


def _pixel_limit(max_pixels, owner):
    if max_pixels is not None:
        check_integer("max_pixels", max_pixels, owner=owner, at_least=1)
        return max_pixels
    text = os.environ.get("VISION_MAX_PIXELS")
    if text is None:
        return MAX_PIXELS
    if not text.isdecimal() or int(text) < 1:
        refuse("VISION_MAX_PIXELS", text, "a whole number of at least 1", "the environment")
    return int(text)


def _path(source, owner):
    if not isinstance(source, str | bytes | os.PathLike):
        refuse("source", source, "a path or a binary file object", owner)
    if isinstance(source, bytes) and (b"\0" in source or len(source) > 4096):
        refuse("source", source[:20], "a path", owner, "Encoded data go through decode(data).")
    return os.fsdecode(source)


def _drain(file):
    data = file.read(MAX_BYTES + 1)
    if not isinstance(data, bytes):
        refuse("source", file, "a file object opened in binary mode", "read")
    return data


def _name_of(file):
    name = getattr(file, "name", None)
    return name if isinstance(name, str | bytes | os.PathLike) else None


def _as_bytes(data, owner):
    if isinstance(data, bytes):
        return data
    if isinstance(data, str | os.PathLike):
        refuse("data", data, "the bytes of an image file", owner, "A path goes through read(path).")
    try:
        return bytes(memoryview(data))
    except TypeError:
        return refuse("data", data, "the bytes of an image file", owner)


def write(path, image, *, quality=None, format=None, overwrite=True, durable=True):
    """Write an image, atomically: the file is there whole, or as it was before.

    Parameters
    ----------
    path : str, bytes or path-like
        Its suffix names the format, unless `format` does.
    image : ndarray, (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA
        See `encode` for the dtypes that each format holds.
    quality, format
        As in `encode`.
    overwrite, durable
        As in `write_bytes`.

    Raises
    ------
    ParameterError
        If the format would change or cannot hold the image; the message names the conversion. If
        `path` is none, or has no suffix and `format` is not given.
    WriteError
        As in `write_bytes`.

    Examples
    --------
    >>> import numpy as np
    >>> write("picture.jpg", np.zeros((4, 6, 3)))
    Traceback (most recent call last):
    ...
    vision.errors.ParameterError: The 'image' of write must be uint8 for JPEG. Got an array ...
    """
    _check_written(path, format)
    name = format_of(path if format is None else format, owner="write")
    if not overwrite:
        refuse_existing(path)
    data = encode(image, name, quality=quality, owner="write")
    write_bytes(path, data, overwrite=overwrite, durable=durable)


def _check_written(path, format):
    """Refuse what is no path, or one of which nothing says the format."""
    if not isinstance(path, str | bytes | os.PathLike):
        hint = "It comes first: vision.write(path, image)."
        refuse("path", path, "a path, as 'picture.png'", "write", hint)
    if format is None and not PurePath(os.fsdecode(path)).suffix:
        allowed = f"a path with a suffix, which names the format: {', '.join(SUFFIXES)}"
        hint = "Or name it: vision.write(path, image, format='png')."
        refuse("path", path, allowed, "write", hint)
