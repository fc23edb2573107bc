"""Manifests: files that list pictures, one a line, or in a column `path` of a table."""

import csv
import io
import os
import posixpath
from pathlib import Path

import numpy as np

from vision.errors import ImageError, ImageNotFoundError, MissingDependencyError
from vision.sources import Files, is_url, open_list

PATH, LABEL = "path", "label"


def open_manifest(manifest):
    """The place of the pictures that a manifest lists, taken as they are, in its order.

    Parameters
    ----------
    manifest : Path
        As `read_manifest` takes it. Relative paths begin at its folder; where all are below that,
        they are the names of the pictures, whatever else is listed.

    Returns
    -------
    Files or RemoteFiles

    Raises
    ------
    ImageError, ImageNotFoundError, MissingDependencyError
        As `read_manifest`.
    ParameterError
        If it lists files and URLs.
    """
    return _opened(manifest, read_manifest(manifest)[0])


def open_labelled(manifest):
    """The place of the pictures of a manifest, and the labels beside them.

    Returns
    -------
    Files or RemoteFiles
    (n,) ndarray

    Raises
    ------
    ImageError
        If there is no column `label`, or a picture without one; and as `open_manifest`.
    """
    paths, labels = read_manifest(manifest)
    if labels is None:
        raise ImageError(f"it has no column {LABEL!r}: only tables have labels", manifest)
    missing = [row for row, label in enumerate(labels, start=1) if label is None or label == ""]
    if missing:
        raise ImageError(f"the picture of row {missing[0]} has no label", manifest)
    return _opened(manifest, paths), np.array(labels)


def _opened(manifest, paths):
    if any(map(is_url, paths)):
        return open_list(paths)
    folder = Path(manifest).absolute().parent
    members = [posixpath.normpath(path) for path in paths]
    if any(os.path.isabs(path) or path.startswith("../") for path in members):  # noqa: PTH117
        return open_list([os.path.normpath(folder / path) for path in paths])
    return Files(folder, members, f" of {manifest}")


def read_manifest(manifest):
    """The paths that a manifest lists, and their labels if it has some.

    Parameters
    ----------
    manifest : path-like
        - ``.txt``: a path a line, as ``find`` prints them; with ``-print0`` too;
        - ``.csv`` and ``.parquet``: a table with a column ``path`` and perhaps one ``label``.

    Returns
    -------
    paths : list of str
    labels : list or None

    Raises
    ------
    ImageNotFoundError
        If it lists nothing.
    ImageError
        If it is no such file.
    MissingDependencyError
        If it is Parquet, and pyarrow is not installed.

    Examples
    --------
    >>> import tempfile
    >>> manifest = Path(tempfile.mkdtemp()) / "pets.csv"
    >>> _ = manifest.write_text("label,path\\ncat,a.jpg\\ndog,b.jpg\\n")
    >>> read_manifest(manifest)
    (['a.jpg', 'b.jpg'], ['cat', 'dog'])
    """
    readers = {".csv": _from_csv, ".parquet": _from_parquet}
    paths, labels = readers.get(Path(manifest).suffix.lower(), _from_lines)(manifest)
    if not paths:
        raise ImageNotFoundError("it lists no picture", manifest)
    for row, path in enumerate(paths, start=1):
        if not (isinstance(path, str) and path) or "\0" in path:
            raise ImageError(f"row {row} has no path but {path!r}", manifest)
    return paths, labels


def _text(manifest):
    # Names of files are bytes: what is no text comes back as the same bytes.
    return Path(manifest).read_bytes().decode("utf-8-sig", "surrogateescape")


def _from_lines(manifest):
    text = _text(manifest)
    lines = text.split("\0") if "\0" in text else [s.removesuffix("\r") for s in text.split("\n")]
    return [line for line in lines if line], None


def _from_csv(manifest):
    try:
        table = csv.reader(io.StringIO(_text(manifest), newline=""))
        header = next(table, [])
        place = _place_of_path(header, manifest)
        rows = [row for row in table if row]
    except csv.Error as error:
        raise ImageError(f"not a CSV file that can be read: {error}", manifest) from error
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            reason = f"row {number} has {len(row)} cells, the header has {len(header)}"
            raise ImageError(reason, manifest)
    labels = [row[header.index(LABEL)] for row in rows] if LABEL in header else None
    return [row[place] for row in rows], labels


def _from_parquet(manifest):
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingDependencyError(
            f"{os.fspath(manifest)!r} is read by pyarrow, which is not installed: "
            "pip install 'vision-pipelines[parquet]'."
        ) from error
    try:
        with parquet.ParquetFile(manifest) as file:
            header = file.schema_arrow.names
            _place_of_path(header, manifest)
            table = file.read(columns=[name for name in (PATH, LABEL) if name in header])
    except (pa.ArrowException, OSError) as error:
        raise ImageError(f"not a Parquet file that can be read: {error}", manifest) from error
    labels = table.column(LABEL).to_pylist() if LABEL in header else None
    return table.column(PATH).to_pylist(), labels


def _place_of_path(header, manifest):
    if PATH not in header:
        there = ", ".join(map(repr, header)) or "none at all"
        raise ImageError(f"it needs a column {PATH!r}; it has {there}", manifest)
    return header.index(PATH)
