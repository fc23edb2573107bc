"""Outputs packed into tar archives: a few large files where a million small ones would hurt.

A member is appended whole, and counts once the ledger knows its place. What a crash leaves behind
the last such member is cut off by the next run; so an archive needs no repair, and checking that an
output is there takes a look at the size of its archive.
"""

import contextlib
import os
import re
import tarfile
import threading
import time
import weakref
from pathlib import Path

from vision.atomic import flush_folder, write_named_error
from vision.fingerprints import check_sum
from vision.records import FOLDERS
from vision.regular_file import file_state

LIMIT = 1 << 30  # bytes: an archive that has more gets no further chunk
BLOCK = 512  # POSIX.1-1988: headers and data begin at multiples of it ...
END = bytes(2 * BLOCK)  # ... and two empty blocks end an archive
MARK = "vision run "  # in the comment that every archive begins with


def is_packed(path):
    """Whether the path of an output leads into an archive.

    Examples
    --------
    >>> is_packed("images-00001.tar/a.png"), is_packed("images/b.tar/a.png")
    (True, False)
    """
    return path.partition("/")[0].endswith(".tar")


def as_file(path):
    """What the path of an output would be if it were not packed.

    Examples
    --------
    >>> as_file("images-00001.tar/sub/a.png"), as_file("images/b.png")
    ('images/sub/a.png', 'images/b.png')
    """
    folder, _, rest = path.partition("/")
    return f"{folder.partition('-')[0]}/{rest}"


def read_output(out, output):
    """The bytes of an output of a run, from its file or archive.

    Parameters
    ----------
    out : str or path-like
        The folder of the run.
    output : list
        As the ledger has it: path, size, time or place, check sum.

    Returns
    -------
    bytes

    Raises
    ------
    OSError
        If it is not there.
    """
    path, size, place, _ = output
    if not is_packed(path):
        return Path(out, path).read_bytes()
    with Path(out, path.partition("/")[0]).open("rb") as archive:
        archive.seek(place)
        return archive.read(size)


def packed_intact(out, output, *, verify=False):
    """Whether a packed output is there: its archive is long enough and, if read, it is the same."""
    path, size, place, content = output
    found = file_state(f"{out}/{path.partition('/')[0]}")
    if found is None or found[0] < place + padded(size):
        return False
    return not verify or check_sum(read_output(out, output)) == content


def padded(size):
    """The bytes that data of a size take in an archive."""
    return -(-size // BLOCK) * BLOCK


class Packs:
    """The archives that one process writes to: one at a time for pictures, and one for overlays.

    Parameters
    ----------
    run : str
        The identity of the run.
    durable : bool
        Whether members are on the disk before they count.
    overlay : bool, default=False
        Whether there are overlays.
    label : str, default=""
        A part of the names that sets the archives of a shard apart.
    unfilled : dict of str to int, optional
        Archives of earlier runs that may be gone on with, and where their last member ends. No
        two processes go on with one.

    Examples
    --------
    >>> import tempfile
    >>> out = tempfile.mkdtemp()
    >>> chunk = PackedChunk(Packs("0a1b", durable=True), out)
    >>> chunk.add(f"{chunk.folders[0]}/sub/a.png", b"pixels")
    >>> chunk.publish()
    {}
    >>> with tarfile.open(f"{out}/images-00001.tar") as archive:
    ...     archive.getnames(), archive.extractfile("sub/a.png").read()
    (['sub/a.png'], b'pixels')
    """

    def __init__(self, run, *, durable, overlay=False, label="", unfilled=None):
        self.run, self.durable, self.label = run, durable, label
        self.series = FOLDERS[: 1 + overlay]
        self.unfilled = dict(unfilled or {})
        self._lock, self._open = threading.Lock(), {}

    def __getstate__(self):
        return {**self.__dict__, "_lock": None, "_open": {}}

    def __setstate__(self, state):
        self.__dict__.update(state, _lock=threading.Lock())

    def archives(self, out):
        """For each series the archive that the next chunk goes to."""
        with self._lock:
            for series in self.series:
                archive = self._open.get(series)
                if archive is None or archive.end >= LIMIT:
                    self._open[series] = self._taken_up(out, series) or self._begun(out, series)
            return {series: self._open[series] for series in self.series}

    def _taken_up(self, out, series):
        """An archive of an earlier run that nobody else has taken up."""
        for name in [name for name in self.unfilled if name.startswith(f"{series}{self._dash}")]:
            archive = _Archive.taken_up(f"{out}/{name}", self.unfilled.pop(name))
            if archive is not None:
                return archive
        return None

    def _begun(self, out, series):
        """A new archive, under the first number that is free."""
        pattern = _names(self.label)
        found = (pattern.fullmatch(path.name) for path in Path(out).glob(f"{series}*.tar"))
        number = max((int(match[2]) for match in found if match and match[1] == series), default=0)
        while True:
            number += 1
            path = f"{out}/{series}{self._dash}{number:05}.tar"
            with contextlib.suppress(FileExistsError), write_named_error(path):
                return _Archive.begun(path, self.run, self.durable)

    @property
    def _dash(self):
        return f"-{self.label}-" if self.label else "-"


class _Archive:
    """One archive, open for appending."""

    def __init__(self, path, descriptor, end):
        self.path, self.descriptor, self.end = path, descriptor, end
        self.name, self._lock = os.path.basename(path), threading.Lock()  # noqa: PTH119
        weakref.finalize(self, os.close, descriptor)  # once no chunk has it any more

    @classmethod
    def begun(cls, path, run, durable):
        """A new one; a `FileExistsError` if there is one of that name."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        archive = cls(path, os.open(path, flags, 0o666), 0)
        archive._write(_mark(run))
        if durable:
            os.fsync(archive.descriptor)
            flush_folder(os.path.dirname(path), path)  # noqa: PTH120
        return archive

    @classmethod
    def taken_up(cls, path, end):
        """One that ends there, and that no other process has; or None."""
        try:
            descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
        except OSError:
            return None
        archive = cls(path, descriptor, end)
        return archive if _locked(descriptor) and _ends(descriptor, end) else None

    def append(self, members, *, durable):
        """Append named bytes, all or none; where the data of each begin."""
        now, pieces, places = int(time.time()), [], []
        with self._lock:
            at = self.end
            for name, data in members:
                head = header(name, len(data), now)
                places.append(at + len(head))
                pieces += [head, data, bytes(padded(len(data)) - len(data))]
                at = places[-1] + padded(len(data))
            with write_named_error(self.path):
                self._write(b"".join(pieces))
        if durable:
            with write_named_error(self.path):
                os.fsync(self.descriptor)
        return places

    def _write(self, data):
        try:
            os.lseek(self.descriptor, self.end, os.SEEK_SET)
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self.descriptor, rest) :]
        except OSError:
            with contextlib.suppress(OSError):  # the first error is the one to tell
                os.ftruncate(self.descriptor, self.end)
            raise
        self.end += len(data)


class PackedChunk:
    """Outputs of a chunk that wait in memory to be appended together: as `vision.staging.Staging`.

    Parameters
    ----------
    packs : Packs
        The archives of this process.
    out : str or path-like
        The folder of the run.

    Attributes
    ----------
    folders : tuple of str
        What paths begin with: the archives that were chosen for the chunk.
    """

    def __init__(self, packs, out):
        self.out, self.durable = os.fspath(out), packs.durable
        with write_named_error(self.out):
            archives = packs.archives(self.out)
        self.folders = tuple(archives[s].name if s in archives else s for s in FOLDERS)
        self._archives = {archive.name: archive for archive in archives.values()}
        self._waiting, self._placed = {}, {}

    def __len__(self):
        return len(self._waiting)

    def add(self, path, data):
        """Keep an output until `publish`."""
        self._waiting[path] = data

    def take_over(self, output, path):
        """The bytes of an earlier output under another name; None, since they do not change."""
        self.add(path, read_output(self.out, output))

    def forget(self, paths):
        """Drop outputs that wait: their picture failed."""
        for path in paths:
            self._waiting.pop(path, None)

    def publish(self, turn=None):
        """Append everything.

        Parameters
        ----------
        turn : object
            Of no use here: there are few calls.

        Returns
        -------
        dict
            Empty: all outputs of an archive get there, or none.

        Raises
        ------
        WriteError
            If an archive cannot be written: it ends where it did.
        """
        for name, archive in self._archives.items():
            paths = [path for path in self._waiting if path.startswith(f"{name}/")]
            if paths:
                members = [(path[len(name) + 1 :], self._waiting[path]) for path in paths]
                places = archive.append(members, durable=self.durable)
                sizes = [len(data) for _, data in members]
                self._placed |= dict(zip(paths, map(list, zip(sizes, places))))
        self.discard()
        return {}

    def discard(self):
        """Drop everything that waits."""
        self._waiting.clear()

    def state(self, path):
        """Size and place of an output that was published; None for any other."""
        return self._placed.get(path)


def header(name, size, now):
    """The header of a member: 512 bytes, more for a name that is long or no plain text.

    Examples
    --------
    >>> len(header("a.png", 100, 0)), len(header(120 * "a", 100, 0))
    (512, 1536)
    """
    if not name.isascii() or len(name) > 100:
        info = tarfile.TarInfo(name)
        info.size, info.mtime = size, now
        return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
    # What `tobuf` makes, at a sixth of its time. The check sum counts itself as spaces.
    start = b"%s0000644\0000000000\0000000000\0%011o\0%011o\0" % (
        name.encode().ljust(100, b"\0"),
        size,
        now,
    )
    rest = (b"0" + bytes(100) + b"ustar\00000").ljust(BLOCK - 156, b"\0")
    return b"%s%06o\0 %s" % (start, sum(start) + sum(rest) + 8 * 0x20, rest)


def trim(out, label, ledger):
    """Bring the archives of a run into order: each ends with the last member that counts.

    Called while nobody writes to them.

    Parameters
    ----------
    out : path-like
        The folder of the run.
    label : str
        As of `Packs`.
    ledger : Ledger
        Knows where the last member of each archive ends. What its runs began and never filled is
        removed.

    Returns
    -------
    dict of str to int
        The archives that can be gone on with, and where their last member ends.

    Raises
    ------
    WriteError
        If one cannot be put in order.
    """
    unfilled = {}
    for path in sorted(Path(out).glob("*.tar")):
        if not _names(label).fullmatch(path.name):
            continue
        with write_named_error(path):
            end = ledger.packed.get(path.name)
            if end is None:
                if _is_begun(path, ledger.runs):
                    path.unlink()
            elif path.stat().st_size >= end:  # a shorter one has lost members: they are done again
                _cut(path, end)
                if end < LIMIT:
                    unfilled[path.name] = end
    return unfilled


def remove_dead(out, label, ledger):
    """Remove the archives of which no entry of a ledger names a member."""
    ours = {name for name in ledger.packed if _names(label).fullmatch(name)}
    there = {name for name in ours if Path(out, name).exists()}
    if not there:
        return
    live = {path.partition("/")[0] for name in ledger for path, *_ in ledger[name]["outputs"]}
    for name in there - live:
        Path(out, name).unlink(missing_ok=True)


def _names(label):
    """The names of archives: series and number."""
    between = f"-{re.escape(label)}" if label else ""
    return re.compile(f"({'|'.join(FOLDERS)}){between}-([0-9]{{5,}})\\.tar")


def _is_begun(path, runs):
    """Whether one of the runs began an archive; a crash may have left nothing of its mark."""
    with path.open("rb") as file:
        start = file.read(len(_mark("")) + 1)
    return not start.strip(b"\0") or any(start.startswith(_mark(run)) for run in runs)


def _mark(run):
    """What an archive begins with: a comment for all of it."""
    return tarfile.TarInfo.create_pax_global_header({"comment": MARK + run})


def _cut(path, end):
    with path.open("r+b") as file:
        if not _ends(file.fileno(), end):
            os.ftruncate(file.fileno(), end)
            os.ftruncate(file.fileno(), end + len(END))


def _ends(descriptor, end):
    """Whether an archive has nothing but its end from there on."""
    os.lseek(descriptor, end, os.SEEK_SET)
    return os.read(descriptor, len(END) + 1) == END


def _locked(descriptor):
    """Lock an archive for this process; False if another has it, or none can be locked."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True
