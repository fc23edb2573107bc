"""Regular files, opened and read without surprises: no pipe that blocks, no half a file."""

import os
import stat

from vision.errors import ImageError, ImageNotFoundError

#: The largest file that is read: decoders count its bytes with 32 signed bits.
MAX_BYTES = 2**31 - 1

# Not every system has each of them; without O_NONBLOCK a pipe without writer would block.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_FLAGS |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def open_regular(path):
    """Open a file for reading.

    Parameters
    ----------
    path : str

    Returns
    -------
    (int, os.stat_result)
        Descriptor, which the caller closes, and what it was like when it was opened.

    Raises
    ------
    ImageNotFoundError
        If there is none.
    ImageError
        If it cannot be opened or is no regular file.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ImageNotFoundError("there is no such file", path) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ImageError(f"it cannot be opened: {reason}", path) from error
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe, socket or device"
        raise ImageError(f"it is {kind}, not a regular file", path)
    return descriptor, found


def read_all(descriptor, size, path):
    """The `size` bytes of a file; an `ImageError` if it has become shorter or cannot be read."""
    check_bytes(size, path)
    try:
        data = os.read(descriptor, size)
        while len(data) < size:
            more = os.read(descriptor, size - len(data))
            if not more:
                raise ImageError(f"it shrank to {len(data):,} bytes while it was read", path)
            data += more
    except OSError as error:
        raise ImageError(f"it cannot be read: {error.strerror}", path) from error
    return data


def check_bytes(size, path):
    """Refuse a file of more than `MAX_BYTES` bytes."""
    if size > MAX_BYTES:
        raise ImageError(f"it has {size:,} bytes; at most {MAX_BYTES:,} are read", path)


def file_state(path):
    """Size, modification time in nanoseconds and inode of a file; None if there is none.

    Examples
    --------
    >>> file_state("/no/such/file") is None
    True
    """
    try:
        found = os.stat(path)  # noqa: PTH116 (for every file of a run)
    except OSError:
        return None
    return state_of(found)


def state_of(found):
    """The same from an `os.stat_result`."""
    return [found.st_size, found.st_mtime_ns, found.st_ino]


class Window:
    """A file as bytes that are fetched when sliced, so that a header costs no whole file."""

    def __init__(self, descriptor, size):
        self.descriptor, self.size = descriptor, size
        self.start, self.block = 0, b""

    def __len__(self):
        return self.size

    def __getitem__(self, piece):
        if isinstance(piece, int):
            return self[piece : piece + 1][0]
        start, stop, _ = piece.indices(self.size)
        if start < self.start or stop > self.start + len(self.block):
            os.lseek(self.descriptor, start, os.SEEK_SET)
            self.block = os.read(self.descriptor, max(stop - start, 4096))
            self.start = start
        return self.block[start - self.start : max(0, stop - self.start)]
