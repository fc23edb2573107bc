"""Arrays as files beside a pipeline's text: ``.png`` for 8-bit pictures, else ``.npy``."""

import hashlib
import io
import math
import re
import stat
from pathlib import Path

import numpy as np

from vision.errors import ImageError, LoadError, ParameterError

KINDS = "biufcU"  # booleans, numbers and strings: what .npy holds without pickle
MAX_SIDE = 10_000  # pixels; a longer array of 8 bits is no picture
MAX_BYTES = 1_000_000_000


def encode_array(array, stem):
    """A file that holds an array.

    Parameters
    ----------
    array : ndarray
        Of numbers, booleans or strings.
    stem : str
        What the file's name begins with; a digest of the content follows.

    Returns
    -------
    name : str
    data : bytes

    Raises
    ------
    ParameterError
        If the array holds Python objects or records.

    Examples
    --------
    >>> encode_array(np.zeros(3), "gaussiannb-priors")[0]
    'gaussiannb-priors-7e9aa2083e24.npy'
    """
    if isinstance(array, np.ma.MaskedArray):
        raise ParameterError("A masked array is not written. Fill it with array.filled(value).")
    array = np.asarray(array)
    if array.dtype.kind not in KINDS:
        raise ParameterError(
            f"An array of dtype {array.dtype} is not written: only numbers, booleans and strings "
            "are. Convert it with astype."
        )
    content = np.ascontiguousarray(array).reshape(array.shape)
    digest = hashlib.sha256(f"{content.dtype.str}{content.shape}".encode())
    digest.update(content.data if content.size and content.dtype.kind != "U" else content.tobytes())
    name = f"{slug(stem)}-{digest.hexdigest()[:12]}"
    if _is_picture(content):
        from vision.io import encode

        return f"{name}.png", encode(content, "png")
    return f"{name}.npy", encode_npy(content)


def _is_picture(array):
    flat = array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)
    sides = array.shape[:2]
    return array.dtype == np.uint8 and flat and min(sides) > 0 and max(sides) <= MAX_SIDE


def slug(name):
    """A name in lower case with nothing that a file system could mind.

    Examples
    --------
    >>> slug("Canny as Kanten/ä")
    'canny_as_kanten__'
    """
    return re.sub(r"[^a-z0-9_-]", "_", name.lower())[:80]


def encode_npy(array):
    """An array as the bytes of an ``.npy`` file."""
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(array), allow_pickle=False)
    return buffer.getvalue()


def decode_array(name, data):
    """The array of a file that stands beside a pipeline's text.

    Raises
    ------
    LoadError
        If it is neither ``.png`` nor ``.npy``, damaged, or holds Python objects.
    """
    suffix = Path(name).suffix.lower()
    if suffix == ".npy":
        return decode_npy(data, name)
    if suffix == ".png":
        from vision.io import decode

        try:
            return decode(data, mode="unchanged", path=name)
        except ImageError as error:
            raise LoadError(str(error)) from None
    raise LoadError(f"An array is an .npy or a .png file. Got {name!r}.")


def decode_npy(data, name):
    """The array of an ``.npy`` file, of plain numbers, booleans and strings.

    Raises
    ------
    LoadError
        If it is damaged, or holds Python objects or records.
    """
    shape, dtype = check_npy(data, name)
    if dtype.kind not in KINDS:
        raise LoadError(f"{name!r} is refused: an array of dtype {dtype}, not of plain values.")
    array = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    return array.reshape(shape)


def check_npy(data, name):
    """The shape and dtype of an ``.npy`` file, refused unless it holds exactly what it claims.

    Returns
    -------
    shape : tuple of int
    dtype : numpy.dtype

    Raises
    ------
    LoadError
        If the header is none, names Python objects, or claims more or less than follows.
    """
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        readers = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        shape, _, dtype = readers[version](stream, max_header_size=10_000)
    except Exception as error:  # NumPy raises what its parser happens to raise
        raise LoadError(f"{name!r} is refused: its .npy header is damaged ({error}).") from None
    if dtype.hasobject:
        raise LoadError(f"{name!r} is refused: it holds Python objects, which are never loaded.")
    claimed, follow = math.prod(shape) * dtype.itemsize, len(data) - stream.tell()
    odd = not dtype.itemsize and math.prod(shape)
    if claimed != follow or odd or any(length < 0 for length in shape):
        raise LoadError(
            f"{name!r} is refused: it claims an array of shape {shape} and dtype {dtype}, "
            f"{claimed} bytes, but {follow} follow."
        )
    return shape, dtype


def read_beside(folder, name):
    """The bytes of a file within a folder; nothing outside it is ever opened.

    Parameters
    ----------
    folder : path-like
        Where the pipeline's text stands.
    name : str
        A relative path with ``/``.

    Raises
    ------
    LoadError
        If the path leaves the folder, directly or by a link, or is no regular file of at most
        1 GB.
    """
    check_relative(name)
    root = Path(folder).resolve()
    path = (root / name).resolve()
    if not path.is_relative_to(root):
        raise LoadError(f"The file {name!r} is refused: it leads out of the folder of the text.")
    return read_regular(path, name, MAX_BYTES)


def check_relative(name):
    """Refuse a path that is absolute, goes up or is written in a system's own way."""
    parts = name.split("/")
    if not name or any(part in ("", ".", "..") for part in parts) or re.search(r"[\\:\x00]", name):
        raise LoadError(
            f"The file {name!r} is refused: write a path within the folder of the text, with '/' "
            "and without '..'."
        )


def read_regular(path, name, max_bytes):
    """The bytes of a regular file; a device, pipe, folder or a larger file is refused unread."""
    try:
        found = Path(path).stat()
        if not stat.S_ISREG(found.st_mode):
            raise LoadError(f"{name!r} is refused: it is no regular file.")
        if found.st_size > max_bytes:
            raise LoadError(f"{name!r} is refused: {found.st_size} bytes, over {max_bytes}.")
        with Path(path).open("rb") as stream:
            return stream.read(max_bytes)
    except OSError as error:
        raise LoadError(f"{name!r} cannot be read: {error.strerror}.") from None
    except ValueError as error:  # a path with a NUL
        raise LoadError(f"{name!r} cannot be read: {error}.") from None
