"""A disk that is full, or fails, at one chosen call: what a process asks of the system is counted.

Everything that the toolkit writes goes through Python's `os` and `open`, so that these are replaced
while a `FailingDisk` is in force. Not counted: calls of C libraries of their own, and reading.
"""

import builtins
import errno
import io
import os
import threading
from pathlib import Path

CALLS = {
    "write": ("write",),
    "sync": ("fsync",),
    "rename": ("replace", "rename"),
    "link": ("link",),
    "create": (),  # a file: in `os.open`, where it may
    "mkdir": ("mkdir",),
}


class FailingDisk:
    """Calls of one name, of which the one with a certain number fails.

    Parameters
    ----------
    name : {"write", "sync", "rename", "link", "create", "mkdir"}
        What fails.
    number : int
        Which of them, from 1.
    code : int, default=errno.ENOSPC
        How.
    lasting : bool, default=False
        Whether all later ones fail too, as on a disk that stays full.
    short : bool, default=False
        Whether a write that fails first writes half of what it should, as real ones do.

    Attributes
    ----------
    calls, failed : int
        How many there were, and how many of them failed.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with FailingDisk("mkdir", 2) as disk:
    ...     (folder / "a").mkdir()
    ...     (folder / "b").mkdir()
    Traceback (most recent call last):
    ...
    OSError: [Errno 28] No space left on device
    >>> disk.calls, disk.failed
    (2, 1)
    """

    def __init__(self, name, number, *, code=errno.ENOSPC, lasting=False, short=False):
        self.name, self.number, self.code = name, number, code
        self.lasting, self.short = lasting, short
        self.calls = self.failed = 0
        self._lock, self._real = threading.Lock(), {}

    def _due(self):
        """Count a call; whether it fails."""
        with self._lock:
            self.calls += 1
            due = self.calls == self.number or (self.lasting and self.calls > self.number)
            self.failed += due
            return due

    def fail(self):
        """Raise what the system would."""
        raise OSError(self.code, os.strerror(self.code))

    def __enter__(self):
        for name in CALLS[self.name]:
            self._replace(os, name, self._failing(getattr(os, name)))
        if self.name == "create":
            self._replace(os, "open", self._creating(os.open))
        for module in (builtins, io) if self.name in ("write", "create") else ():
            self._replace(module, "open", self._opening(module.open))
        return self

    def __exit__(self, *exception):
        for (module, name), real in self._real.items():
            setattr(module, name, real)

    def _replace(self, module, name, new):
        self._real[module, name] = getattr(module, name)
        setattr(module, name, new)

    def _failing(self, real):
        def call(*arguments, **options):
            if self._due():
                if self.short and self.name == "write":
                    descriptor, data = arguments
                    real(descriptor, memoryview(data).cast("B")[: len(data) // 2])
                self.fail()
            return real(*arguments, **options)

        return call

    def _creating(self, real):
        def call(path, flags, *arguments, **options):
            if flags & os.O_CREAT and self._due():
                self.fail()
            return real(path, flags, *arguments, **options)

        return call

    def _opening(self, real):
        """`open` whose files write through this disk."""

        def call(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, **options):
            if not set(mode) & set("wax+") or isinstance(file, int):
                return real(file, mode, buffering, encoding, errors, newline, **options)
            if self.name == "create":
                if set(mode) & set("wax") and self._due():
                    self.fail()
                return real(file, mode, buffering, encoding, errors, newline, **options)
            raw = _RawFile(self, file, mode.replace("b", "").replace("t", ""))
            buffered = (io.BufferedRandom if "+" in mode else io.BufferedWriter)(raw)
            return (
                buffered if "b" in mode else io.TextIOWrapper(buffered, encoding, errors, newline)
            )

        return call


class _RawFile(io.FileIO):
    """A file whose writes a `FailingDisk` counts."""

    def __init__(self, disk, file, mode):
        super().__init__(file, mode)
        self._disk = disk

    def write(self, data):
        if self._disk._due():
            if self._disk.short:
                super().write(memoryview(data).cast("B")[: len(data) // 2])
            self._disk.fail()
        return super().write(data)


def whole_files(folder):
    """The bytes of every file below a folder, by name."""
    paths = [path for path in Path(folder).rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(paths)}
