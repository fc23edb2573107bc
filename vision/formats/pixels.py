"""Decoders of other libraries with their errors made ours, and what follows decoding: channels
and orientation."""

import importlib
import io
import struct

import numpy as np

from vision.errors import ImageError
from vision.opencv import cv2

_RGB = getattr(cv2, "IMREAD_COLOR_RGB", None)  # OpenCV 4.11 and newer
_CV2_DTYPES = (np.uint8, np.uint16, np.float32)  # what cvtColor takes
# What a decoder raises where it trips over a file, in words about itself.
_STUMBLES = (LookupError, TypeError, AttributeError, ArithmeticError, UnicodeError, struct.error)


def told(error):
    """What the error of a decoder says of the file; that it failed, where it speaks of itself.

    Examples
    --------
    >>> told(OSError("image file is truncated")), told(IndexError("string index out of range"))
    ('image file is truncated', 'its decoder fails on it')
    """
    first = error.__cause__ or error  # Pillow makes a SyntaxError of all of them
    return "its decoder fails on it" if isinstance(first, _STUMBLES) else str(error)


def decode_by_cv2(data, mode="unchanged"):
    """Pixels by OpenCV, in RGB order and without orientation.

    Parameters
    ----------
    data : bytes
        The encoded image.
    mode : str
        ``"rgb"`` lets the decoder drop alpha and repeat grey; anything else is as stored.

    Returns
    -------
    ndarray

    Raises
    ------
    ImageError
        If OpenCV cannot decode them.
    """
    flags = cv2.IMREAD_UNCHANGED
    if mode == "rgb":
        colour = cv2.IMREAD_COLOR if _RGB is None else _RGB
        flags = colour | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise ImageError(f"damaged: {error.err or error}") from error
    if pixels is None:
        raise ImageError("truncated or damaged: its pixels cannot be decoded")
    if pixels.ndim == 2 or (mode == "rgb" and _RGB is not None):
        return pixels
    if pixels.dtype not in _CV2_DTYPES:
        return np.ascontiguousarray(pixels[..., [2, 1, 0, 3][: pixels.shape[2]]])
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)


def open_by_pillow(name, data):
    """Pillow's file object for one format, with nothing decoded yet.

    Made without ``PIL.Image.open``, whose own limit on pixels warns or raises by a global.

    Parameters
    ----------
    name : {"Avif", "Gif", "Jpeg", "Jpeg2K", "Tiff", "WebP"}
        Pillow's name of its plug-in.
    data : bytes
        The encoded image.

    Returns
    -------
    PIL.ImageFile.ImageFile

    Raises
    ------
    ImageError
        If Pillow cannot make sense of the header.
    """
    plugin = importlib.import_module(f"PIL.{name}ImagePlugin")
    try:
        return getattr(plugin, f"{name}ImageFile")(io.BytesIO(data))
    except Exception as error:  # Pillow raises SyntaxError, TypeError, struct.error and more here
        raise ImageError(f"damaged: {told(error)}") from error


def decode_by_pillow(image, channels):
    """Pixels of a Pillow file object, with 1 channel (grey, also of 16 bits), 3 (RGB) or 4 (RGBA).

    Raises
    ------
    ImageError
        If Pillow cannot decode them.
    """
    modes = {1: ("L", "I;16"), 3: ("RGB",), 4: ("RGBA",)}[channels]
    try:
        image.load()
        return np.array(image if image.mode in modes else image.convert(modes[0]))
    except Exception as error:  # Pillow raises OSError, ValueError, SyntaxError and more here
        raise ImageError(f"truncated or damaged: {told(error)}") from error


def full_scale(dtype):
    """White in an image of `dtype`: 1 for floating point, else the largest value.

    Examples
    --------
    >>> full_scale("uint16")
    65535
    """
    return 1 if np.dtype(dtype).kind == "f" else int(np.iinfo(dtype).max)


def with_alpha(rgb, alpha):
    """(H, W, 4) of (H, W, 3) and an alpha, which may be one number."""
    out = np.empty((*rgb.shape[:2], 4), rgb.dtype)
    out[..., :3] = rgb
    out[..., 3] = alpha
    return out


def without_alpha(rgba):
    """(H, W, 3) of (H, W, 4): alpha is dropped, not blended."""
    if rgba.dtype in _CV2_DTYPES:
        return cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB)
    return np.ascontiguousarray(rgba[..., :3])


def to_mode(pixels, mode):
    """The pixels with the channels that `mode` asks for; see `vision.io.read`.

    Raises
    ------
    ImageError
        If grey is asked for of colours in a dtype that has no agreed mixing.
    """
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    by_cv2 = pixels.dtype in _CV2_DTYPES
    if mode == "rgb" and channels == 1:
        return (
            cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB) if by_cv2 else np.stack([pixels] * 3, axis=2)
        )
    if mode == "rgb" and channels == 4:
        return without_alpha(pixels)
    if mode == "gray" and channels > 1:
        if not by_cv2:
            raise ImageError(f"{pixels.dtype} colours cannot be read as grey: use mode='unchanged'")
        return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY if channels == 3 else cv2.COLOR_RGBA2GRAY)
    if mode == "rgba" and channels < 4:
        return with_alpha(to_mode(pixels, "rgb"), full_scale(pixels.dtype))
    return pixels


def upright(pixels, orientation):
    """The pixels turned and mirrored as EXIF orientation 1 to 8 asks.

    References
    ----------
    CIPA DC-008-2023, Exif 3.0, tag 0x0112.

    Examples
    --------
    >>> upright(np.array([[1, 2, 3]]), 6).tolist()  # turned clockwise by 90 degrees
    [[1], [2], [3]]
    """
    if orientation == 1:
        return pixels
    if pixels.dtype not in _CV2_DTYPES:
        return _upright_by_numpy(pixels, orientation)
    if orientation in (6, 8):
        turn = cv2.ROTATE_90_CLOCKWISE if orientation == 6 else cv2.ROTATE_90_COUNTERCLOCKWISE
        return cv2.rotate(pixels, turn)
    if orientation in (5, 7):
        pixels = cv2.transpose(pixels)
    return pixels if orientation == 5 else cv2.flip(pixels, {2: 1, 3: -1, 4: 0, 7: -1}[orientation])


def _upright_by_numpy(pixels, orientation):
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
