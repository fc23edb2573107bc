"""Tables of a run: CSV files that grow row by row and appear whole, under their name, at the end."""

import csv
import os
from pathlib import Path

from vision.errors import WriteError


class Table:
    """A CSV file written row by row, in memory that does not grow with it.

    Rows go to a temporary file in the same folder; `close` gives it its name. A column that only
    later rows have is added on the right, and the cells above it are empty.

    Parameters
    ----------
    path : str or path-like
        The file; an older one is replaced by `close`, not before.
    columns : sequence of str, default=()
        The columns known from the start, in order.

    Raises
    ------
    WriteError
        If the file cannot be written (a full disk, a read-only folder).

    Notes
    -----
    UTF-8, lines end in ``\\n``. A file name that is no valid text is written with its odd bytes as
    ``\\udcXX``, so that every reader can open the table.

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
        self.path = Path(path)
        self.columns = list(columns)
        self._body = self.path.with_name(f".{self.path.name}.{os.getpid()}.rows")
        self._file = self._open(self._body)
        self._writer = csv.writer(self._file, lineterminator="\n")

    def _open(self, path):
        try:
            return path.open("x+", encoding="utf-8", errors="backslashreplace", newline="")
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error):
        reason = error.strerror or error
        return WriteError(error.errno, f"{str(self.path)!r} could not be written: {reason}.")

    def add(self, rows):
        """Append rows: dictionaries of column to value; None and what is missing stay empty."""
        for row in rows:
            self.columns += [column for column in row if column not in self.columns]
        lines = [[row.get(column) for column in self.columns] for row in rows]
        try:
            self._writer.writerows(lines)
        except OSError as error:
            raise self._failed(error) from error

    def close(self):
        """Put the header in front and give the file its name, in one step."""
        whole = self.path.with_name(f".{self.path.name}.{os.getpid()}.whole")
        try:
            with self._file, self._open(whole) as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(self.columns)
                self._file.seek(0)
                width = len(self.columns)
                for row in csv.reader(self._file):
                    writer.writerow(row + [""] * (width - len(row)))
            whole.replace(self.path)
        except OSError as error:
            whole.unlink(missing_ok=True)
            raise self._failed(error) from error
        finally:
            self._body.unlink(missing_ok=True)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()
