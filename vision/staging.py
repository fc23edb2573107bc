"""The files of a chunk of a run: written aside, then given their names together."""

import contextlib
import errno
import os
import shutil
import stat
from pathlib import Path

from vision.atomic import flush_folder, write_hidden, write_named_error
from vision.errors import WriteError
from vision.records import FOLDERS
from vision.regular_file import file_state

PREFIX = ".vision-"
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
        write_hidden(hidden, target, data)
        self._waiting[target] = hidden

    def link(self, path, new):
        """Put aside another name of a file that is there, or a copy where links are not to be had.

        Parameters
        ----------
        path, new : str
            Relative to the folder of the run.

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

    def take_over(self, output, path):
        """Another name for an output of the ledger."""
        self.link(output[0], path)

    def state(self, path):
        """Size and time of an output that is published."""
        return file_state(f"{self.out}/{path}")[:2]

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

    def publish(self):
        """Give all files their names: first everything on the disk, then the names, then these.

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
            if self.durable:
                for target, hidden in self._waiting.items():
                    with write_named_error(target):
                        _flush(hidden)
            folders, failed = {}, {}
            while self._waiting:
                target, hidden = next(iter(self._waiting.items()))
                with self._noting(failed, target, hidden):
                    os.replace(hidden, target)  # noqa: PTH105 (strings, in this hot place)
                folders[target.rpartition("/")[0]] = target
                del self._waiting[target]
                if hidden in self._links:  # renaming onto a link of the same file does nothing
                    _remove(hidden)
            if self.durable:
                for folder, target in folders.items():
                    flush_folder(folder, target)
        except BaseException:
            self.discard()
            raise
        return failed

    @contextlib.contextmanager
    def _noting(self, failed, target, hidden):
        try:
            with write_named_error(target):
                yield
        except WriteError as error:
            if error.errno in HOPELESS:
                raise
            failed[target.removeprefix(f"{self.out}/")] = error
            _remove(hidden)

    def discard(self):
        """Remove every file that waits."""
        for hidden in self._waiting.values():
            _remove(hidden)
        self._waiting.clear()


def _check_name(target):
    """Refuse a name that no file could get in the end."""
    with write_named_error(target):
        try:
            found = os.lstat(target)
        except FileNotFoundError:
            return
        if stat.S_ISDIR(found.st_mode):
            raise OSError(errno.EISDIR, "it is a folder")


def _remove(path):
    with contextlib.suppress(OSError):
        os.unlink(path)  # noqa: PTH108


def _flush(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_left(folders, runs):
    """Remove the hidden files that runs left when they were killed.

    Parameters
    ----------
    folders : iterable of path-like
        Where they may lie; the folders below them too.
    runs : iterable of str
        The identities of runs that have ended.

    Returns
    -------
    int
        How many were removed.
    """
    starts, count = tuple(f"{PREFIX}{run}-" for run in runs), 0
    for folder in folders:
        for place, _, names in os.walk(folder):
            for name in names:
                if name.startswith(starts) and name.endswith(".tmp"):
                    _remove(f"{place}/{name}")
                    count += 1
    return count
