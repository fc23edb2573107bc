"""What a run makes of each result: picture files, overlays, and rows of the table, by its kind."""

import functools
import os

import numpy as np

from vision.encoding import encode, format_of
from vision.errors import ImageError, KindError, ParameterError
from vision.kinds import LOCATED, Branched, Kind, is_binary, kinds_of
from vision.output_names import extension_of, output_name
from vision.result_base import Result
from vision.rows import Rows
from vision.segmentation import Segmentation

PICTURES = frozenset({Kind.RGB, Kind.GRAY})
MASKS = frozenset({Kind.MASK, Kind.EDGES})
LOSSLESS = "PNG"
LOSSY = frozenset({"JPEG", "WEBP", "AVIF"})  # those with a quality
FOLDERS = OUTPUTS, OVERLAYS = "images", "overlays"
# What a run cannot write, with the step that makes a picture of it.
WAYS_OUT = {
    Kind.MAP: "Normalize()",
    Kind.FLOAT: "ToUint8()",
    Kind.HSV: "HSVToRGB()",
    Kind.HLS: "HLSToRGB()",
    Kind.YCRCB: "YCrCbToRGB()",
    Kind.CMYK: "CMYKToRGB()",
    Kind.LAB: "LabToRGB()",
}


def parts_of(kind, path=()):
    """The kinds of all branches, with their names: one without a name where there are none.

    Examples
    --------
    >>> parts_of(Branched(a=Kind.MASK, b=Branched(c=Kind.RGB)))
    {'a': <Kind.MASK: 'mask'>, 'b/c': <Kind.RGB: 'rgb'>}
    """
    if not isinstance(kind, Branched):
        return {"/".join(path): kind}
    found = {}
    for name, inner in kind.items():
        found |= parts_of(inner, (*path, name))
    return found


def check_outputs(kind, *, overlay, format):
    """Refuse what a run cannot write, and options that would do nothing.

    Parameters
    ----------
    kind : Kind or Branched
        What the pipeline gives.
    overlay : bool
    format : str or None
        As in `vision.run`.

    Raises
    ------
    KindError
        If nothing can be written of the kind; the message names the step to end with.
    ParameterError
        If an option has no effect on such a pipeline, or the name of a branch is no name of a
        folder.

    Examples
    --------
    >>> check_outputs(Kind.MAP, overlay=False, format=None)
    Traceback (most recent call last):
    ...
    vision.errors.KindError: A run writes pictures, masks, label maps and tables, but the pipeline
    gives a map: end it with Normalize().
    """
    _check_folders(kind)
    parts = parts_of(kind)
    for name, part in parts.items():
        if part in WAYS_OUT:
            where = f" in its branch {name!r}" if name else ""
            raise KindError(
                f"A run writes pictures, masks, label maps and tables, but the pipeline gives "
                f"{part.described}{where}: end it with {WAYS_OUT[part]}."
            )
    kinds = set(parts.values())
    if overlay and not kinds & (LOCATED | {Kind.CLASS, Kind.ANY}):
        raise ParameterError(
            f"The 'overlay' of run draws what was found on its picture, but the pipeline gives "
            f"{kind.described}: leave overlay out."
        )
    if format is not None and not overlay and not kinds & (PICTURES | {Kind.ANY}):
        raise ParameterError(
            f"The 'format' of run is for pictures and overlays, but the pipeline gives "
            f"{kind.described}: masks and label maps are PNG, the rest goes to results.csv."
        )


def _check_folders(kind):
    for name, inner in kind.items() if isinstance(kind, Branched) else ():
        if name in (".", "..") or set(name) & set("/\\\0"):
            raise ParameterError(
                f"The branch {name!r} becomes a folder of the run: give it a name without "
                "slashes, such as 'mask'."
            )
        _check_folders(inner)


class Recorder:
    """Makes the files of results and the rows of the table; writes nothing.

    Safe to use from several threads.

    Parameters
    ----------
    out : path-like
        The folder: pictures go to ``images/``, overlays to ``overlays/``, each with a folder a
        branch, then the folders of the source.
    overlay : bool, default=False
        Whether results are also drawn on their pictures.
    format : str, optional
        The format of pictures and overlays, a key of `vision.headers.FORMATS`; that of the source
        by default, or PNG where none can be written.
    quality : int, optional
        Of formats that have one, see `vision.encode`.
    names : sequence of str, default=()
        The columns of features; ``feature_1`` and so on where they do not fit.
    owns : bool, default=False
        Whether pictures are the run's own, read from files, so that they may be drawn on.

    Examples
    --------
    >>> import tempfile
    >>> image = np.zeros((4, 6), np.uint8)
    >>> recorder = Recorder(tempfile.mkdtemp())
    >>> rows, files = recorder.record("a.jpg", "a.jpg", image, Kind.MASK, image)
    >>> rows[0]["output"], list(files)
    ('images/a.jpg.png', ['images/a.jpg.png'])
    """

    def __init__(self, out, *, overlay=False, format=None, quality=None, names=(), owns=False):
        self.out, self.overlay, self.quality = os.fspath(out), overlay, quality
        self.format = format
        self.names = names
        self.owns = owns

    def record(self, name, source, image, kind, result, folders=FOLDERS):
        """The rows and files of one result.

        Parameters
        ----------
        name : str
            The picture's name, relative, with ``/``: what the outputs are called after.
        source : str
            What the column `source` says.
        image : ndarray
            The picture that the result is drawn on.
        kind : Kind or Branched
            What the result is.
        result : ndarray, result or dict
            What the pipeline gave.
        folders : tuple of str
            Where outputs and overlays go: folders or, of packed ones, archives.

        Returns
        -------
        rows : Rows
            One an object, numbered from 1; one numbered 0 if nothing was found.
        files : dict of str to bytes
            What is to be written below the folder, by path.

        Raises
        ------
        ImageError
            If a label map has labels that no PNG holds.
        KindError
            If the result is of a kind that cannot be written.
        """
        tables, files = [], {}
        for branch, part, value in _parts(kind, result):
            part = _settled(part, value)
            place = f"{branch}/" if branch else ""
            common, columns, table = self._found(f"{folders[0]}/{place}", name, part, value, files)
            if self.overlay and (part in LOCATED or part is Kind.CLASS):
                drawn = self._drawn(_drawable(part, value), image, alone=value is result)
                self._add(f"{folders[1]}/{place}", name, drawn, files, lossless=False)
            lead = {"source": source} | ({"branch": branch} if branch else {})
            first = 1 if table else 0
            table = table or [[None] * len(columns)]
            for number, row in enumerate(table, start=first):
                row[:0] = *lead.values(), number, *common.values()
            tables.append(([*lead, "object", *common, *columns], table))
        return Rows.joined(tables), files

    def renamed(self, entry, name, source, folders=FOLDERS):
        """What the ledger's entry of a file becomes for another file of the same content.

        Parameters
        ----------
        entry : dict
            With ``name``, ``rows`` and ``outputs``.
        name, source : str
            Of the other file.
        folders : tuple of str
            As of `record`, for the other file.

        Returns
        -------
        (Rows, dict of str to str) or None
            Its rows, and the new path of each output; None where the names stand for different
            formats.
        """
        before = self._named(entry["name"])
        after = self._named(name)
        if [format for format, _ in before] != [format for format, _ in after]:
            return None
        paths, place = {}, dict(zip(FOLDERS, folders))
        for path, *_ in entry["outputs"]:
            for (_, old), (_, new) in zip(before, after, strict=True):
                if path.endswith(f"/{old}"):
                    folder, _, rest = path.partition("/")
                    folder = place[folder.partition("-")[0]]  # images-00001.tar is of images
                    paths[path] = f"{folder}/{rest.removesuffix(old)}{new}"
        # A branch that writes no picture has an empty cell.
        rows = [
            row
            | {"source": source}
            | ({"output": paths[row["output"]]} if row.get("output") else {})
            for row in entry["rows"]
        ]
        return Rows.of(rows), paths

    def _named(self, name):
        """The names of outputs, lossless ones and pictures, with their formats."""
        formats = (LOSSLESS, self.format or _own_format(extension_of(name)))
        return [(format, output_name(name, format)) for format in formats]

    def _drawn(self, found, image, *, alone):
        """The result on its picture; on the picture itself where nobody needs that again."""
        shown = _shown(image)
        mine = shown is not image or (self.owns and alone)
        if mine and shown.ndim == 3 and type(found).draw is Result.draw:
            return found.draw(shown, out=shown)
        return found.draw(shown)

    def _found(self, folder, name, kind, value, files):
        """Cells common to all rows, columns, and cells for each object; pictures go to `files`."""
        if kind in PICTURES or kind in MASKS:
            path = self._add(folder, name, value, files, lossless=kind in MASKS)
            height, width = value.shape[:2]
            return {"output": path}, ("width", "height"), [[width, height]]
        if kind is Kind.LABELS:
            found = _segmentation(value)
            path = self._add(folder, name, _levels(found.labels), files, lossless=True)
            return {"output": path}, found.columns, found.to_table()
        if kind is Kind.FEATURES:
            return {}, self._feature_names(folder, len(value)), [list(value)]
        if kind is Kind.VALUE:
            return {}, ("value",), [[value]]
        return {}, value.columns, value.to_table()

    def _feature_names(self, folder, count):
        branch = folder.partition("/")[2].rstrip("/")
        start = f"{branch}__" if branch else ""
        names = [name.removeprefix(start) for name in self.names if name.startswith(start)]
        return names if len(names) == count else [f"feature_{i}" for i in range(1, count + 1)]

    def _add(self, folder, name, picture, files, *, lossless):
        """Encode a picture; the path that it will have."""
        format = LOSSLESS if lossless else self.format or _own_format(extension_of(name))
        path = folder + output_name(name, format)
        files[path] = encode(picture, format, quality=self.quality if format in LOSSY else None)
        return path


@functools.cache
def _own_format(extension):
    try:
        return format_of(extension, owner="run")
    except ParameterError:  # one that is only read, or none
        return LOSSLESS


def _parts(kind, result, path=()):
    if not isinstance(result, dict):
        yield "/".join(path), kind, result
        return
    for name, value in result.items():
        inner = kind[name] if isinstance(kind, Branched) else Kind.ANY
        yield from _parts(inner, value, (*path, name))


def _settled(kind, value):
    """The kind to write: where nobody declared it, what the value looks like."""
    likely = [kind] if kind is not Kind.ANY else kinds_of(value)
    if kind is Kind.ANY and np.isscalar(value):
        return Kind.VALUE
    if kind is Kind.ANY and Kind.MASK in likely and is_binary(value):
        return Kind.MASK
    if not likely or likely[0] in WAYS_OUT:
        way_out = f": end the pipeline with {WAYS_OUT[likely[0]]}" if likely else ""
        what = likely[0].described if likely else f"a value of type {type(value).__name__}"
        raise KindError(f"A run cannot write {what}{way_out}.")
    return likely[0]


def _segmentation(value):
    return value if isinstance(value, Segmentation) else Segmentation(value)


def _shown(image):
    """The picture in 8 bits, to be drawn on."""
    if image.dtype == np.uint8:
        return image
    from vision.drawing import to_display

    return to_display(image)


def _drawable(kind, value):
    if kind in MASKS:
        return Segmentation.from_mask(value)
    return _segmentation(value) if kind is Kind.LABELS else value


def _levels(labels):
    """A label map as it is stored: 8 bits up to label 255, 16 bits up to 65,535."""
    highest = int(labels.max())
    if highest > np.iinfo(np.uint16).max:
        raise ImageError(
            f"A label map is written as a PNG of 16 bits, labels up to 65535. Got label {highest}."
        )
    return labels.astype(np.uint8 if highest <= np.iinfo(np.uint8).max else np.uint16)
