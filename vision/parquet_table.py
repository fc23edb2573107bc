"""A table of a run as Parquet: columns with true types, for those who read it with a library."""

import contextlib
import itertools
import os
from pathlib import Path

from vision.atomic import hidden_name, write_named_error
from vision.errors import MissingDependencyError

ROWS = 50_000  # that are in memory at once
LIMIT = 1 << 63  # a whole number from here on is written as text, exactly


def require_parquet():
    """Import pyarrow with its Parquet part.

    Returns
    -------
    module
        ``pyarrow``.

    Raises
    ------
    MissingDependencyError
        If it is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError as error:
        raise MissingDependencyError(
            "Tables as Parquet are written by pyarrow, which is not installed: "
            "pip install 'vision-pipelines[parquet]'."
        ) from error
    return pa


def write_parquet(path, columns, rows):
    """Write rows to a Parquet file, atomically, a bounded number in memory at once.

    Parameters
    ----------
    path : path-like
        The file; an older one is replaced.
    columns : sequence of str
        The columns known from the start, in order; what only rows have comes after them.
    rows : callable
        Gives an iterable of the rows, dictionaries of column to value, and is called twice: for
        the types of the columns, then for the values. Whole numbers are ``int64``, numbers
        ``double``, a column that has no value at all ``null``; one of mixed values is text.

    Raises
    ------
    MissingDependencyError
        If pyarrow is not installed.
    WriteError
        If the file cannot be written; an older one is intact.

    Notes
    -----
    A byte of a file name that is no valid text is written as ``\\udcXX``, as in the CSV file.
    """
    pa = require_parquet()
    path = Path(path)
    schema = _schema(pa, columns, rows())
    hidden = path.with_name(hidden_name(path.name))
    try:
        with write_named_error(path):
            with hidden.open("wb") as file:
                _fill(pa, file, schema, rows())
                file.flush()
                os.fsync(file.fileno())
            hidden.replace(path)
    finally:
        with contextlib.suppress(OSError):
            hidden.unlink()


def _fill(pa, file, schema, rows):
    from pyarrow.parquet import ParquetWriter

    with ParquetWriter(file, schema) as writer:
        rows = iter(rows)
        while some := list(itertools.islice(rows, ROWS)):
            columns = [
                pa.array([_fitted(row.get(field.name), field.type, pa) for row in some], field.type)
                for field in schema
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def _schema(pa, columns, rows):
    met = {column: set() for column in columns}
    for row in rows:
        for column, value in row.items():
            large = type(value) is int and not -LIMIT <= value < LIMIT
            met.setdefault(column, set()).add(str if large else type(value))
    return pa.schema([(column, _type(pa, types - {type(None)})) for column, types in met.items()])


def _type(pa, types):
    if not types:
        return pa.null()
    for fitting, type_ in (({bool}, pa.bool_()), ({int}, pa.int64()), ({int, float}, pa.float64())):
        if types <= fitting:
            return type_
    return pa.string()


def _fitted(value, type_, pa):
    if value is None or not pa.types.is_string(type_):
        return value
    return str(value).encode("utf-8", "backslashreplace").decode()
