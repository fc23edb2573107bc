"""The files of a chunk of a run: written aside, then given their names together."""

import contextlib
import ctypes
import errno
import functools
import os
import shutil
import sys
import tempfile
from pathlib import Path

from vision.atomic import PREFIX, flush_folder, named_error, write_hidden, write_named_error
from vision.records import FOLDERS
from vision.regular_file import file_state

MANY = 64  # files: more are flushed by one call for all of the file system, not by one each
# With these no further file can be written either.
HOPELESS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


class Staging:
    """Files that wait, whole but hidden, in the folders that they are for, until `publish`.

    Outputs that become members of archives wait in a `vision.packing.PackedChunk`.

    Parameters
    ----------
    out : str or path-like
        The folder of the run.
    run : str
        The run's identity, a part of the hidden names, so that a later run knows what a crash
        left.
    durable : bool
        Whether `publish` waits until everything is on the disk.

    Examples
    --------
    >>> import tempfile
    >>> out = Path(tempfile.mkdtemp())
    >>> staging = Staging(out, "0a1b", durable=True)
    >>> staging.add("masks/a.png", b"pixels")
    >>> (out / "masks/a.png").exists()
    False
    >>> staging.publish()
    {}
    >>> (out / "masks/a.png").read_bytes()
    b'pixels'
    """

    folders = FOLDERS

    def __init__(self, out, run, *, durable):
        self.out, self.durable = os.fspath(out), durable
        self._hidden = f"{PREFIX}{run}-{os.getpid()}-{id(self):x}-"
        self._waiting = {}  # final path to hidden path
        self._states = {}  # final path to what was written
        self._links = set()  # hidden paths that are further names of older files
        self._count = 0
        self._folders = set()

    def __len__(self):
        return len(self._waiting)

    def add(self, path, data):
        """Write a file aside.

        Parameters
        ----------
        path : str
            Relative to the folder of the run, with ``/``.
        data : bytes-like

        Raises
        ------
        WriteError
            If it cannot be written; nothing of it is left.
        """
        target, hidden = self._aside(path)
        _check_name(target)
        self._states[target] = write_hidden(hidden, target, data)
        self._waiting[target] = hidden

    def link(self, path, new):
        """Put aside another name of a file that is there, or a copy where links are not to be had.

        Parameters
        ----------
        path, new : str
            Relative to the folder of the run.

        Returns
        -------
        str
            Where it waits.

        Raises
        ------
        WriteError
            If it can be neither linked nor copied.
        """
        target, hidden = self._aside(new)
        source = f"{self.out}/{path}"
        with write_named_error(target):
            try:
                os.link(source, hidden)
            except OSError:
                shutil.copyfile(source, hidden)
        self._links.add(hidden)
        self._waiting[target] = hidden
        return hidden

    def take_over(self, output, path):
        """Another name for an output of the ledger; the file that waits for it."""
        return self.link(output[0], path)

    def state(self, path):
        """Size and time of an output that is published; None if it is not there."""
        target = f"{self.out}/{path}"
        found = self._states.get(target) or file_state(target)
        return found and found[:2]

    def _aside(self, path):
        """The final and the hidden path of a file, its folder made."""
        folder = path.rpartition("/")[0]
        if folder not in self._folders:
            with write_named_error(f"{self.out}/{folder}"):
                Path(self.out, folder).mkdir(parents=True, exist_ok=True)
            self._folders.add(folder)
        self._count += 1
        return f"{self.out}/{path}", f"{self.out}/{folder}/{self._hidden}{self._count}.tmp"

    def forget(self, paths):
        """Remove files that wait: their picture failed."""
        for path in paths:
            hidden = self._waiting.pop(f"{self.out}/{path}", None)
            if hidden is not None:
                _remove(hidden)

    def publish(self, turn=contextlib.nullcontext):
        """Give all files their names: first everything on the disk, then the names, then these.

        Parameters
        ----------
        turn : callable, optional
            Gives the context within which files get their names.

        Returns
        -------
        dict of str to WriteError
            The files that could not get theirs; older ones of that name are intact.

        Raises
        ------
        WriteError
            If nothing more can be written; files that have no name yet are removed.
        """
        try:
            folders = {target.rpartition("/")[0]: target for target in self._waiting}
            if self.durable:
                self._flush(folders)
            with turn():
                failed = self._name()
            if self.durable:
                for folder, target in folders.items():
                    flush_folder(folder, target)
        except BaseException:
            self.discard()
            raise
        return failed

    def _flush(self, folders):
        """Everything that waits is on the disk."""
        if len(self._waiting) > MANY and all(map(flush_system, folders)):
            return
        for target, hidden in self._waiting.items():
            with write_named_error(target):
                _flush(hidden)

    def _name(self):
        """All files get their names; the errors of those that cannot."""
        failed = {}
        for target, hidden in list(self._waiting.items()):
            try:
                os.replace(hidden, target)  # noqa: PTH105 (strings, in this hot place)
            except OSError as error:
                self._note(failed, target, hidden, error)
            del self._waiting[target]
            if hidden in self._links:  # renaming onto a link of the same file does nothing
                _remove(hidden)
        return failed

    def _note(self, failed, target, hidden, error):
        """Keep the error of a file, unless no other can be written either."""
        named = named_error(target, error)
        if named.errno in HOPELESS:
            raise named from error
        failed[target.removeprefix(f"{self.out}/")] = named
        _remove(hidden)

    def discard(self):
        """Remove every file that waits."""
        for hidden in self._waiting.values():
            _remove(hidden)
        self._waiting.clear()


def _check_name(target):
    """Refuse a name that no file could get in the end, as far as a quick look tells."""
    there = os.access(target, os.F_OK)  # raises nothing, where most names are new
    if there and os.path.isdir(target) and not os.path.islink(target):  # noqa: PTH112, PTH114
        raise named_error(target, OSError(errno.EISDIR, "it is a folder"))


def _remove(path):
    with contextlib.suppress(OSError):
        os.unlink(path)  # noqa: PTH108


def flush_system(folder):
    """Have the system write everything of the file system that a folder is on to its disk.

    Returns
    -------
    bool
        False where that cannot be asked for, or failed: then each file is to be flushed, which
        also tells the error.

    Examples
    --------
    >>> flush_system("/no/such/folder")
    False
    """
    sync = getattr(_libc(), "syncfs", None)
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return False
    try:
        return sync is not None and sync(descriptor) == 0
    finally:
        os.close(descriptor)


@functools.cache
def _libc():
    return ctypes.CDLL(None) if sys.platform.startswith("linux") else None


def _flush(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_replaced(out, output):
    """Remove an output of the ledger that is replaced; not what has its name by now instead.

    Parameters
    ----------
    out : path-like
        The folder of the run.
    output : list
        As the ledger has it: path, size, time, check sum.
    """
    path, size, changed, _ = output
    found = file_state(f"{out}/{path}")
    if found is not None and found[:2] == [size, changed]:
        _remove(f"{out}/{path}")


def scratch_folder(run, name):
    """The folder that Dask wants for a process of a run, among the system's temporary files."""
    return f"{tempfile.gettempdir()}/vision-{run}-{name}"


def remove_left(folders, runs):
    """Remove the hidden files, and folders of worker processes, that runs left when killed.

    Parameters
    ----------
    folders : iterable of path-like
        Where they may lie; the folders below them too.
    runs : iterable of str
        The identities of runs that have ended.

    Returns
    -------
    int
        How many files were removed.
    """
    runs = list(runs)
    _remove_scratch(tuple(Path(scratch_folder(run, "")).name for run in runs))
    starts, count = tuple(f"{PREFIX}{run}-" for run in runs), 0
    for folder in folders:
        for place, _, names in os.walk(folder):
            for name in names:
                if name.startswith(starts) and name.endswith(".tmp"):
                    _remove(f"{place}/{name}")
                    count += 1
    return count


@contextlib.contextmanager
def nothing_left(folder, run):
    """However what is within ends, nothing hidden of a run is left in its folder."""
    try:
        yield
    finally:
        remove_left([folder], [run])


def _remove_scratch(starts):
    left = []
    with contextlib.suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        left = [entry.path for entry in entries if entry.name.startswith(starts)]
    for path in left:
        shutil.rmtree(path, ignore_errors=True)
