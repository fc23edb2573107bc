"""The folders of a run: what is taken from the source, and what may be written where."""

from pathlib import Path

import numpy as np

from vision.checks import refuse
from vision.errors import ParameterError, WriteError
from vision.flow import is_stateless
from vision.images import Images
from vision.io import write_bytes
from vision.records import OUTPUTS, OVERLAYS
from vision.text import describe

RESULTS, ERRORS = "results.csv", "errors.csv"
DESCRIPTIONS = AS_TEXT, AS_ARCHIVE, AS_REPR = "pipeline.yaml", "pipeline.vision", "pipeline.txt"


class OutputExistsError(ParameterError, FileExistsError):
    """The folder for the outputs of a run holds those of an earlier one."""


def check_free(out, overwrite):
    """Whether `out` holds an earlier run; refused unless it may be replaced."""
    found = [name for name in (RESULTS, ERRORS, *DESCRIPTIONS) if (out / name).exists()]
    if found and not overwrite:
        raise OutputExistsError(
            f"The 'out' of run holds an earlier run: {str(out / found[0])!r} exists. Choose "
            "another folder, or replace the run with overwrite=True (--overwrite)."
        )
    for name in () if found else (OUTPUTS, OVERLAYS):
        if (out / name).is_dir() and any((out / name).iterdir()):
            raise OutputExistsError(
                f"The 'out' of run holds {str(out / name)!r}, which no run made. Choose another "
                "folder."
            )
    return bool(found)


def collect(source, mode, max_pixels, out, earlier):
    """The pictures, without those that an earlier run wrote."""
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
    """Write what runs: its text, and an archive where that does not say everything."""
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
