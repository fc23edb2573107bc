"""Files that appear whole or not at all."""

import contextlib
import contextvars
import errno
import os
import secrets
from pathlib import Path

from vision.errors import WriteError
from vision.regular_file import state_of

PREFIX = ".vision-"  # of hidden names
_RUN = contextvars.ContextVar("run", default=None)
_EXISTS = "it exists already and overwrite is False"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_NEW |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
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
    hidden = target.parent / hidden_name(secrets.token_hex(8))
    try:
        _fill(hidden, data, durable)
        _publish(hidden, target, overwrite)
    except BaseException as error:
        with contextlib.suppress(OSError):  # the first error is the one to tell
            hidden.unlink()
        if isinstance(error, OSError):
            raise named_error(path, error) from error
        raise
    if durable:
        flush_folder(target.parent, path)


@contextlib.contextmanager
def temporaries_of(run):
    """Within, hidden names carry a run's identity, so that a later run knows what a crash left.

    Examples
    --------
    >>> with temporaries_of("0a1b"):
    ...     hidden_name("table").startswith(".vision-0a1b-")
    True
    """
    token = _RUN.set(run)
    try:
        yield
    finally:
        _RUN.reset(token)


def hidden_name(word):
    """The name of a file that is being written: of this process, and of the run that it is in."""
    run = _RUN.get()
    return f"{PREFIX}{'' if run is None else f'{run}-'}{os.getpid()}-{word}.tmp"


def write_hidden(hidden, target, data):
    """Write the bytes of `target` to `hidden`, a new file that will get its name later.

    Returns
    -------
    list
        Its state, see `vision.regular_file.file_state`.

    Raises
    ------
    WriteError
        Naming `target`, if that fails; `hidden` is then removed.
    """
    try:
        return _fill(hidden, data, durable=False)
    except BaseException as error:
        with contextlib.suppress(OSError):
            Path(hidden).unlink()
        if isinstance(error, OSError):
            raise named_error(target, error) from error
        raise


@contextlib.contextmanager
def write_named_error(target):
    """Turn an `OSError` into the `WriteError` of `target`."""
    try:
        yield
    except WriteError:
        raise
    except OSError as error:
        raise named_error(target, error) from error


def refuse_existing(path):
    """Raise a `WriteError` if there is anything at `path`, a broken link included."""
    if os.path.lexists(path):
        raise named_error(path, _EXISTS)


def _regular_target(path):
    try:
        target = Path(path).resolve()
        if target.exists() and not target.is_file():
            raise named_error(path, "it exists and is no regular file")
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, WriteError):
            raise
        raise named_error(path, error) from error
    return target


def _fill(hidden, data, durable):
    descriptor = os.open(hidden, _NEW, 0o666)
    try:
        rest = memoryview(data).cast("B")
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        if durable:
            os.fsync(descriptor)
        return state_of(os.fstat(descriptor))
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
            named = named_error(path, reason)
            named.errno = error.errno
            raise named from error


def named_error(path, reason):
    """The `WriteError` of a path, made of an `OSError` or of words."""
    shown, code = reason, None
    if isinstance(reason, OSError) and not isinstance(reason, WriteError):
        shown, code = reason.strerror or reason, reason.errno
        shown = _EXISTS if isinstance(reason, FileExistsError) else shown
    error = WriteError(f"{os.fsdecode(path)!r} could not be written: {shown}")
    error.errno, error.path = code, path  # with `filename` set, OSError would drop the message
    return error
