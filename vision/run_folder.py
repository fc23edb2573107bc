"""The folders of a run: what is taken from the source, and what may be written where."""

from pathlib import Path

import numpy as np

from vision.checks import refuse
from vision.errors import OutputExistsError, ParameterError, WriteError
from vision.flow import is_stateless
from vision.images import Images
from vision.io import write_bytes
from vision.records import OUTPUTS, OVERLAYS
from vision.run_tables import ERRORS, RESULTS
from vision.text import describe

LEDGER = "ledger.jsonl"
DESCRIPTIONS = AS_TEXT, AS_ARCHIVE, AS_REPR = "pipeline.yaml", "pipeline.vision", "pipeline.txt"


def check_free(out):
    """Whether a folder holds an earlier run.

    Parameters
    ----------
    out : Path
        The folder; it need not be there.

    Returns
    -------
    bool

    Raises
    ------
    OutputExistsError
        If there are tables or pictures where a run puts its own, but no ledger: no run made them.

    Examples
    --------
    >>> import tempfile
    >>> out = Path(tempfile.mkdtemp())
    >>> check_free(out)
    False
    >>> (out / "ledger.jsonl").touch()
    >>> check_free(out)
    True
    """
    if (out / LEDGER).exists():
        return True
    for name in (RESULTS, ERRORS, OUTPUTS, OVERLAYS):
        place = out / name
        if place.is_file() or (place.is_dir() and any(place.iterdir())):
            raise OutputExistsError(
                f"The 'out' of run holds {str(place)!r}, which no run made. Choose another folder."
            )
    return False


def collect(source, mode, max_pixels, out, earlier):
    """The pictures of a source, without those that an earlier run wrote.

    Parameters
    ----------
    source : str, path-like, list, ndarray or Images
        As in `vision.run`.
    mode : str
        How files are read, as in `vision.read`.
    max_pixels : int or None
        As in `vision.read`.
    out : Path
        The folder of the outputs.
    earlier : bool
        Whether it holds an earlier run.

    Returns
    -------
    Images

    Raises
    ------
    ParameterError
        If `source` is none, lies where the run writes its pictures, or is an `Images` and
        `max_pixels` is given.
    ImageNotFoundError
        If there is no picture.

    Examples
    --------
    >>> collect(np.zeros((3, 4, 5), np.uint8), "rgb", None, Path("out"), earlier=False)
    Images(3 arrays)
    """
    if isinstance(source, Images):
        if max_pixels is not None:
            refuse("max_pixels", max_pixels, "given to Images, which reads the files", "run")
        images = source
    elif _in_memory(source):
        images = Images(source)
    else:
        images = Images(source, mode=mode, max_pixels=max_pixels)
    if not earlier or images.paths is None:
        return images
    root, own = Path(images.root).resolve(), out.resolve()
    written = [own] if root in own.parents else [own / OUTPUTS, own / OVERLAYS]
    inside = [folder.relative_to(root) for folder in written if folder.is_relative_to(root)]
    prefixes = tuple(f"{folder.as_posix()}/" for folder in inside)
    kept = np.array([not name.startswith(prefixes) for name in images.sources])
    listed = isinstance(source, list | tuple) and not kept.all()
    if listed or not kept.any() or any(root.is_relative_to(folder) for folder in written):
        raise ParameterError(
            f"The 'source' of run lies in {str(out)!r}, whose pictures the run replaces. Choose "
            "another 'out'."
        )
    return images if kept.all() else images[kept]


def _in_memory(source):
    listed = isinstance(source, list | tuple) and source and isinstance(source[0], np.ndarray)
    return isinstance(source, np.ndarray) or listed


def describe_run(pipeline, out):
    """Write what runs: its text, and an archive where that does not say everything.

    Parameters
    ----------
    pipeline : Pipeline
        What runs.
    out : Path
        The folder; made if it is not there. Descriptions of an earlier run are removed.

    Raises
    ------
    WriteError
        If the folder or a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from classical import Gray, Otsu
    >>> out = Path(tempfile.mkdtemp())
    >>> describe_run(Gray() >> Otsu(), out)
    >>> (out / "pipeline.yaml").read_text()
    '- Gray\\n- Otsu\\n'
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{str(out)!r} could not be made: {error.strerror}.") from error
    written = _write_descriptions(pipeline, out)
    for name in DESCRIPTIONS:
        if name not in written:
            (out / name).unlink(missing_ok=True)


def _write_descriptions(pipeline, out):
    try:
        text, files = describe(pipeline)
    except ParameterError as error:  # a step of the user's own, a function: it runs all the same
        words = f"# No text that could be loaded: {error}\n{pipeline!r}\n"
        write_bytes(out / AS_REPR, words.encode("utf-8", "backslashreplace"))
        return {AS_REPR}
    written = set()
    if not files:
        write_bytes(out / AS_TEXT, text.encode("utf-8"))
        written.add(AS_TEXT)
    if files or not is_stateless(pipeline):
        from vision.archive import save

        save(pipeline, out / AS_ARCHIVE)
        written.add(AS_ARCHIVE)
    return written
