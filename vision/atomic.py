"""Files that appear whole or not at all."""

import contextlib
import errno
import os
import secrets
from pathlib import Path

from vision.errors import WriteError

_EXISTS = "it exists already and overwrite is False"
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


def write_bytes(path, data, *, overwrite=True, durable=True):
    """Write bytes to a file, atomically: the file is there whole, or as it was before.

    Parameters
    ----------
    path : str, bytes or path-like
        The folder must exist. A symbolic link is followed; only a regular file is replaced.
    data : bytes-like
    overwrite : bool, default=True
        False refuses a path that exists, also one that appears meanwhile.
    durable : bool, default=True
        Wait until the data are on the disk. False is faster, and after a power cut the file
        may be empty; after a crash of the program it never is.

    Raises
    ------
    WriteError
        If the file cannot be written (no folder, no permission, full disk, it exists). No part
        of it is left behind and an older file is intact; only where the folder could not be
        flushed afterwards is the new file there, and the message says so.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_bytes(f"{folder}/table.csv", b"a,b")
    ...     Path(folder, "table.csv").read_bytes()
    b'a,b'
    """
    path = os.fsdecode(path)
    target = _regular_target(path)
    hidden = target.parent / f".vision-{os.getpid()}-{secrets.token_hex(8)}.tmp"
    try:
        _fill(hidden, data, durable)
        _publish(hidden, target, overwrite)
    except BaseException as error:
        with contextlib.suppress(OSError):  # the first error is the one to tell
            hidden.unlink()
        if isinstance(error, OSError):
            raise _write_error(path, error) from error
        raise
    if durable:
        flush_folder(target.parent, path)


def write_hidden(hidden, target, data):
    """Write the bytes of `target` to `hidden`, a new file that will get its name later.

    Raises
    ------
    WriteError
        Naming `target`, if that fails; `hidden` is then removed.
    """
    try:
        _fill(hidden, data, durable=False)
    except BaseException as error:
        with contextlib.suppress(OSError):
            Path(hidden).unlink()
        if isinstance(error, OSError):
            raise _write_error(target, error) from error
        raise


@contextlib.contextmanager
def write_named_error(target):
    """Turn an `OSError` into the `WriteError` of `target`."""
    try:
        yield
    except WriteError:
        raise
    except OSError as error:
        raise _write_error(target, error) from error


def refuse_existing(path):
    """Raise a `WriteError` if there is anything at `path`, a broken link included."""
    if os.path.lexists(path):
        raise _write_error(path, _EXISTS)


def _regular_target(path):
    try:
        target = Path(path).resolve()
        if target.exists() and not target.is_file():
            raise _write_error(path, "it exists and is no regular file")
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, WriteError):
            raise
        raise _write_error(path, error) from error
    return target


def _fill(hidden, data, durable):
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    flags |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(hidden, flags, 0o666)
    try:
        rest = memoryview(data).cast("B")
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _publish(hidden, target, overwrite):
    if overwrite:
        hidden.replace(target)
        return
    try:
        target.hardlink_to(hidden)  # unlike a rename, it fails if the name has been taken
        hidden.unlink()
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        refuse_existing(target)  # a file system without hard links
        hidden.rename(target)


def flush_folder(folder, path):
    """Make the new name of a file durable too, where the system can do that."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some file systems cannot flush a folder
            reason = f"it is written, but its folder could not be flushed: {error.strerror}"
            named = _write_error(path, reason)
            named.errno = error.errno
            raise named from error


def _write_error(path, reason):
    shown, code = reason, None
    if isinstance(reason, OSError) and not isinstance(reason, WriteError):
        shown, code = reason.strerror or reason, reason.errno
        shown = _EXISTS if isinstance(reason, FileExistsError) else shown
    error = WriteError(f"{os.fsdecode(path)!r} could not be written: {shown}")
    error.errno, error.path = code, path  # with `filename` set, OSError would drop the message
    return error
