"""Tables of a run: CSV files that grow row by row and appear whole, at the end."""

import contextlib
import csv
import os
import shutil
from pathlib import Path

from vision.atomic import hidden_name
from vision.errors import WriteError
from vision.rows import Rows


class Table:
    """A CSV file written row by row, in memory that does not grow with it.

    Rows go to a hidden file in the same folder; `close` puts the header in front and gives the
    file its name. A column that only later rows have is added on the right, empty above.

    Parameters
    ----------
    path : str or path-like
        The file; an older one is replaced by `close`, not before.
    columns : sequence of str, default=()
        The columns known from the start, in order.

    Raises
    ------
    WriteError
        If the file cannot be written (a full disk, a read-only folder); an older one is intact.

    Notes
    -----
    UTF-8, one line a row: a line break within a text is written as ``\\n``, and a byte of a file
    name that is no valid text as ``\\udcXX``, so that every reader can open the table.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "table.csv"
    >>> with Table(path, ["source"]) as table:
    ...     table.add([{"source": "a.jpg"}, {"source": "b.jpg", "area": 12.5}])
    >>> path.read_text().splitlines()
    ['source,area', 'a.jpg,', 'b.jpg,12.5']
    """

    def __init__(self, path, columns=()):
        self.path, self.columns = Path(path), list(columns)
        self._grown = []  # (number of the first row, columns from there on)
        self._rows = 0
        self._body, self._whole = (
            self.path.with_name(hidden_name(f"{self.path.name}-{part}"))
            for part in ("rows", "whole")
        )
        with self._named_errors():
            self._file = _open(self._body, "w+")
        self._writer = csv.writer(self._file, lineterminator="\n")

    @contextlib.contextmanager
    def _named_errors(self):
        try:
            yield
        except OSError as error:
            raise self._named(error) from error

    def _named(self, error):
        named = WriteError(f"{str(self.path)!r} could not be written: {error.strerror or error}")
        named.errno = error.errno
        return named

    def add(self, rows):
        """Append rows: `Rows`, or dictionaries of column to value; what is missing stays empty."""
        rows = rows if isinstance(rows, Rows) else Rows.of(rows)
        if rows.columns != self.columns or not self._grown:
            self._grow(rows.columns)
        try:
            if rows.columns == self.columns:
                self._file.write(rows.lines)
            else:
                self._writer.writerows([row.get(column) for column in self.columns] for row in rows)
        except OSError as error:
            raise self._named(error) from error
        self._rows += len(rows)

    def _grow(self, columns):
        """Columns that are new here."""
        before, known = len(self.columns), set(self.columns)
        self.columns += [column for column in columns if column not in known]
        if len(self.columns) > before or not self._grown:
            self._grown.append((self._rows, len(self.columns)))

    @property
    def rows(self):
        """How many rows it has so far."""
        return self._rows

    def discard(self):
        """Leave an older file as it is."""
        with contextlib.suppress(OSError):  # a full disk does not take the rest, which nobody wants
            self._file.close()
        self._body.unlink(missing_ok=True)

    def close(self):
        """Give the file its name, whole, on the disk."""
        if self._file.closed:
            return
        try:
            with self._named_errors(), self._file, _open(self._whole, "w") as whole:
                csv.writer(whole, lineterminator="\n").writerow(self.columns)
                self._file.seek(0)
                if len(self._grown) <= 1:
                    shutil.copyfileobj(self._file, whole, 1 << 20)
                else:
                    whole.writelines(self._filled())
                whole.flush()
                os.fsync(whole.fileno())
                self._whole.replace(self.path)
        finally:
            self._body.unlink(missing_ok=True)
            self._whole.unlink(missing_ok=True)

    def _filled(self):
        """The rows, with empty cells where they were written before a column was known."""
        starts = dict(self._grown)
        for number, line in enumerate(self._file):
            if number in starts:
                missing = len(self.columns) - starts[number]
            yield line if not missing else line[:-1] + "," * missing + "\n"

    def __enter__(self):
        return self

    def __exit__(self, kind, *exception):
        if kind is None:
            self.close()
        else:
            self.discard()


def _open(path, mode):
    return path.open(mode, encoding="utf-8", errors="backslashreplace", newline="\n")
