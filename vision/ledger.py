"""The ledger of a run: what was done, line by line, so that nothing is lost and nothing done twice.

JSON lines, only ever appended, each with its own check sum. The last line of a name is the one that
holds; a line that was cut or damaged is none, and its file is done again.
"""

import contextlib
import json
import os
import threading
import time
from collections import deque
from pathlib import Path

import numpy as np
import orjson
from isal import isal_zlib

from vision.errors import LedgerInUseError, WriteError
from vision.rows import Rows

TRIES, PAUSE = 10, 0.02  # times and seconds: who only looks at a ledger holds it for a moment
CHUNK = 1024  # lines: the most that are appended at once, the last ones of a run aside
_SUM = b',"sum":"'
_SUM_BYTES = len(_SUM) + 8 + len(b'"}')
_STRICT = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


class Ledger:
    """The entries of one ledger file, found by name or by the hash of a file's content.

    In memory there is an offset an entry; entries are read from the disk when they are asked for.
    Safe to read from several threads.

    Parameters
    ----------
    path : str or path-like
        The file; an empty ledger if it is not there.
    write : bool, default=False
        Whether entries will be added: by one writer at a time.

    Attributes
    ----------
    damaged : int
        Lines that were cut or altered, and are ignored.
    runs : dict of str to dict
        The first line of each run by its identity, in order.
    packed : dict of str to int
        Where the last output ends that was put into each archive, see `vision.packing`.

    Raises
    ------
    LedgerInUseError
        If another run writes to it.
    WriteError
        If it cannot be written.
    OSError
        If the file is there and cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "ledger.jsonl"
    >>> with Ledger(path, write=True) as ledger:
    ...     ledger.append([{"name": "a.jpg", "hash": "0f"}, {"name": "b.jpg", "hash": "1e"}])
    ...     ledger.append([{"name": "a.jpg", "hash": "2d"}])
    >>> with Ledger(path) as ledger:
    ...     len(ledger), ledger["a.jpg"]["hash"], ledger.name_of("1e")
    (2, '2d', 'b.jpg')
    """

    def __init__(self, path, write=False):
        self.path = Path(path)
        self.damaged, self.runs, self.packed = 0, {}, {}
        self._offsets, self._names = {}, {}
        self._replaced = deque(maxlen=CHUNK)
        self._lock = threading.Lock()
        self._size, self._file, self._descriptor = 0, None, None
        if write:
            self._open_to_write()
        if self.path.exists():
            self._file = self.path.open("rb")
            for line in self._file:
                self._note(line, self._size)
                self._size += len(line)

    def _note(self, line, offset):
        entry = parsed(line)
        if entry is None:
            self.damaged += bool(line.strip())
        else:
            if entry.get("name") in self._offsets:
                self._replaced.append((self._offsets[entry["name"]], offset))
            self._keep(entry, offset)

    def _keep(self, entry, offset):
        if "name" in entry:
            self._offsets[entry["name"]] = offset
            if "hash" in entry:
                self._names[entry["hash"]] = entry["name"]
            for output in entry.get("outputs", ()):
                self._keep_packed(*output)
        elif "run" in entry:
            self.runs[entry["run"]] = entry

    def _keep_packed(self, path, size, place, content):
        name = path.partition("/")[0]
        if name.endswith(".tar"):
            end = place + -(-size // 512) * 512
            self.packed[name] = max(end, self.packed.get(name, 0))

    def __len__(self):
        return len(self._offsets)

    def __iter__(self):
        return iter(self._offsets)

    def __contains__(self, name):
        return name in self._offsets

    def __getitem__(self, name):
        """The entry of a name; a `KeyError` if there is none."""
        return self._at(self._offsets[name])

    def _at(self, offset):
        with self._lock:
            self._file.seek(offset)
            return parsed(self._file.readline())

    def get(self, name):
        """The entry of a name, or None."""
        return self[name] if name in self._offsets else None

    def offsets(self, key):
        """Where the entries lie in the file, sorted by a key of their names."""
        return (self._offsets[name] for name in sorted(self, key=key))

    def in_order(self, key):
        """The entries, sorted by a key of their names."""
        return (self[name] for name in sorted(self, key=key))

    def replaced_last(self):
        """Pairs of an entry and the one that replaced it, of the last chunk that is there."""
        for offsets in self._replaced:
            older, entry = map(self._at, offsets)
            if older is not None and entry is not None:
                yield older, entry

    def name_of(self, content):
        """A name whose content has, or once had, this hash; or None."""
        return self._names.get(content)

    def contents(self):
        """The hashes of all contents, in no order."""
        return [content for content in self._names if content is not None]

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        """Let others write to it."""
        if self._file is not None:
            self._file.close()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open_to_write(self):
        with self._named():
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
            self._descriptor = os.open(self.path, flags, 0o666)
        try:
            _lock(self._descriptor, self.path)
            self._end_cut_line()
        except BaseException:
            self.close()
            raise

    def _end_cut_line(self):
        """What was cut off by a crash stays a line of its own."""
        size = os.fstat(self._descriptor).st_size
        os.lseek(self._descriptor, max(0, size - 1), os.SEEK_SET)
        if size and os.read(self._descriptor, 1) != b"\n":
            self._size = size
            self._write(b"\n", durable=False)
            self._size = 0

    def append(self, entries, *, durable=False):
        """Add entries, whole or not at all.

        Parameters
        ----------
        entries : list of dict
            One with ``name`` replaces the earlier one of that name; one with ``run`` begins a
            run.
        durable : bool, default=False
            Wait until they are on the disk.

        Raises
        ------
        WriteError
            If the disk is full, or the file cannot be written: then none of them is there.
        """
        lines = [entry.line if isinstance(entry, Line) else line_of(entry) for entry in entries]
        offset = self._size
        self._write(b"".join(lines), durable)
        for line, entry in zip(lines, entries, strict=True):
            self._keep(entry, offset)
            offset += len(line)

    def _write(self, data, durable):
        with self._named():
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
                if durable:
                    os.fsync(self._descriptor)
            except OSError:
                os.ftruncate(self._descriptor, self._size)
                raise
        self._size += len(data)

    @contextlib.contextmanager
    def _named(self):
        try:
            yield
        except OSError as error:
            reason = error.strerror or error
            named = WriteError(f"{str(self.path)!r} could not be written: {reason}")
            named.errno = error.errno
            raise named from error


class Line(dict):
    """An entry that came as its line, which need not be made again: it is not to be changed.

    Parameters
    ----------
    line : bytes
        As `line_of` gives it.

    Examples
    --------
    >>> Line(line_of({"name": "a.jpg"}))["name"]
    'a.jpg'
    """

    __slots__ = ("line",)

    def __init__(self, line):
        super().__init__(parsed(line))
        self.line = line


def line_of(entry):
    """The line of an entry, its check sum last.

    Examples
    --------
    >>> line_of({"name": "a.jpg"})
    b'{"name":"a.jpg","sum":"6ada624e"}\\n'
    """
    try:
        text = orjson.dumps(entry, _plain, _STRICT)[:-1]
    except TypeError:  # orjson takes no file name that is no valid text
        text = json.dumps(entry, default=_plain).encode("ascii")[:-1]
    return b'%s%s%08x"}\n' % (text, _SUM, isal_zlib.crc32(text))


def parsed(line):
    """The entry of a line; None if it was cut, altered or is none.

    Examples
    --------
    >>> parsed(line_of({"name": "a.jpg"}))["name"]
    'a.jpg'
    >>> parsed(line_of({"name": "a.jpg"}).replace(b"a", b"b")) is None
    True
    """
    line = line.removesuffix(b"\n")
    text = line[:-_SUM_BYTES]
    if line[-_SUM_BYTES:] != b'%s%08x"}' % (_SUM, isal_zlib.crc32(text)):
        return None
    try:
        entry = _loads(text + b"}")
        if isinstance(entry, dict) and isinstance(entry.get("rows"), dict):
            entry["rows"] = Rows(**entry["rows"])
    except (ValueError, TypeError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def is_ledger(path):
    """Whether a file may be a ledger: it has a line of one, or no whole line yet.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "ledger.jsonl"
    >>> _ = path.write_text('{"account": "rent", "sum": 1200}\\n')
    >>> is_ledger(path)
    False
    """
    whole = False
    with Path(path).open("rb") as file:
        for line in file:
            if parsed(line) is not None:
                return True
            whole |= line.endswith(b"\n") and bool(line.strip())
    return not whole


def _plain(value):
    """What JSON holds: rows as their text, and NumPy's numbers as Python's."""
    if isinstance(value, Rows):
        return value.to_plain()
    if isinstance(value, np.floating):
        return float(str(value))
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a ledger holds plain values, not {type(value).__name__}")


def _loads(text):
    try:
        return orjson.loads(text)
    except ValueError:
        return json.loads(text)


def _lock(descriptor, path):
    try:
        import fcntl
    except ImportError:  # Windows: two runs into one folder are up to the user
        return
    for _ in range(TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(PAUSE)
        except OSError:  # a file system without locks
            return
        else:
            return
    raise LedgerInUseError(
        f"Another run is writing to {str(path)!r}. Wait for its end, or choose another folder."
    )
