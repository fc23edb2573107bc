"""The files of a chunk of a run: written aside, then given their names together."""

import contextlib
import os
from pathlib import Path

from vision.atomic import flush_folder, write_hidden, write_named_error

PREFIX = ".vision-"


class Staging:
    """Files that wait, whole but hidden, in the folders that they are for, until `publish`.

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
    >>> (out / "masks/a.png").read_bytes()
    b'pixels'
    """

    def __init__(self, out, run, *, durable):
        self.out, self.durable = os.fspath(out), durable
        self._hidden = f"{PREFIX}{run}-{os.getpid()}-{id(self):x}-"
        self._waiting = {}  # final path to hidden path
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
        folder = path.rpartition("/")[0]
        if folder not in self._folders:
            with write_named_error(Path(self.out, folder)):
                Path(self.out, folder).mkdir(parents=True, exist_ok=True)
            self._folders.add(folder)
        self._count += 1
        hidden = os.path.join(self.out, folder, f"{self._hidden}{self._count}.tmp")
        target = os.path.join(self.out, path)
        write_hidden(hidden, target, data)
        self._waiting[target] = hidden

    def forget(self, paths):
        """Remove files that wait: their picture failed."""
        for path in paths:
            hidden = self._waiting.pop(os.path.join(self.out, path), None)
            if hidden is not None:
                with contextlib.suppress(OSError):
                    os.unlink(hidden)

    def publish(self):
        """Give all files their names: first everything on the disk, then the names, then these.

        Raises
        ------
        WriteError
            If that fails; files that have no name yet are removed, older ones are intact.
        """
        try:
            if self.durable:
                for target, hidden in self._waiting.items():
                    with write_named_error(target):
                        _flush(hidden)
            folders = {}
            while self._waiting:
                target, hidden = next(iter(self._waiting.items()))
                with write_named_error(target):
                    os.replace(hidden, target)
                folders[os.path.dirname(target)] = target
                del self._waiting[target]
            if self.durable:
                for folder, target in folders.items():
                    flush_folder(folder, target)
        except BaseException:
            self.discard()
            raise

    def discard(self):
        """Remove every file that waits."""
        for hidden in self._waiting.values():
            with contextlib.suppress(OSError):
                os.unlink(hidden)
        self._waiting.clear()


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
                    with contextlib.suppress(OSError):
                        os.unlink(os.path.join(place, name))
                        count += 1
    return count
