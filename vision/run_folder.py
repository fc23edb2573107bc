"""The folders of a run: what is taken from the source, and what may be written where."""

import functools
import os
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vision.atomic import hidden_name
from vision.checks import check_choice, refuse
from vision.entry import MODES, usual_mode
from vision.errors import OutputExistsError, ParameterError, WriteError
from vision.flow import is_stateless
from vision.images import Images
from vision.io import write_bytes
from vision.ledger import is_ledger
from vision.records import FOLDERS, OUTPUTS, OVERLAYS
from vision.run_tables import ERRORS, PARQUET, RESULTS, VANISHED
from vision.shards import LEDGER, check_shard, shards_of
from vision.text import describe

DESCRIPTIONS = AS_TEXT, AS_ARCHIVE, AS_REPR = "pipeline.yaml", "pipeline.vision", "pipeline.txt"


def check_folder(out, owner="run"):
    """Refuse a folder for outputs that is a file, or lies in one.

    Parameters
    ----------
    out : str or path-like
        The folder; it need not be there.
    owner : str, default="run"
        Who writes, for the message.

    Raises
    ------
    ParameterError
        If it can be no folder.

    Examples
    --------
    >>> check_folder("/dev/null/results")
    Traceback (most recent call last):
    ...
    vision.errors.ParameterError: The 'out' of run must be a folder, or a new name for one.
    Got '/dev/null/results', and '/dev/null' is a file.
    """
    places = (Path(out), *Path(out).absolute().parents)
    nearest = next(place for place in places if os.path.lexists(place))
    if not nearest.is_dir():
        raise ParameterError(
            f"The 'out' of {owner} must be a folder, or a new name for one. Got {str(out)!r}, and "
            f"{str(nearest)!r} is a file."
        )


def check_free(out, shard=None):
    """Whether a folder holds an earlier run, or may do so at any moment: with shards it may.

    Parameters
    ----------
    out : Path
        The folder; it need not be there.
    shard : Shard, optional
        What of the run will be written there.

    Returns
    -------
    bool

    Raises
    ------
    OutputExistsError
        If there are tables, descriptions or pictures where a run puts its own, but no ledger, or
        something else of that name: no run made them.
        If the run there is in other shards, or in none.
    ParameterError
        If `out` is a file, or lies in one.

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
    check_folder(out)
    foreign = next(_outputs_in(out), None)
    check_shard(out, shard)
    # Looked for last: another shard may have begun meanwhile, with its ledger before its outputs.
    if (out / LEDGER).exists() and not is_ledger(out / LEDGER):
        foreign = out / LEDGER
    elif (out / LEDGER).exists() or shards_of(out):
        return True
    if foreign is not None:
        raise OutputExistsError(
            f"The 'out' of run holds {str(foreign)!r}, which no run made. Choose another folder."
        )
    return shard is not None


def _outputs_in(out):
    """Tables, descriptions and pictures where a run puts, or removes, its own."""
    yield from out.glob(f"{OUTPUTS}-*.tar")
    for name in (RESULTS, ERRORS, VANISHED, PARQUET, *DESCRIPTIONS, OUTPUTS, OVERLAYS):
        place = out / name
        if place.is_file() or (place.is_dir() and any(place.iterdir())):
            yield place


def reading_of(source, mode, kinds):
    """A source, gone through once if it is an iterator, and how its pictures are read.

    Parameters
    ----------
    source : str, path-like, list, iterator, ndarray or Images
        As in `vision.run`.
    mode : str or None
        As in `vision.run`.
    kinds : collection of Kind
        What the pipeline takes.

    Returns
    -------
    source : str, path-like, list, ndarray or Images
    mode : str or None
        None where the pictures are taken as they come.

    Raises
    ------
    ParameterError
        If `mode` is none of `vision.entry.MODES`, or the source has no files to read or reads
        them itself.

    Examples
    --------
    >>> from vision.kinds import Kind
    >>> reading_of("photos", None, [Kind.RGB]), reading_of("photos", "gray", [Kind.GRAY])
    (('photos', 'rgb'), ('photos', 'gray'))
    """
    source = list(source) if isinstance(source, Iterator) else source
    itself, arrays = isinstance(source, Images), _in_memory(source)
    if mode is not None:
        check_choice("mode", mode, MODES, owner="run")
        if itself or arrays:
            place = "given to Images, which reads the files"
            refuse("mode", mode, place if itself else "left out: the pictures are read", "run")
    if itself:
        return source, source.fixed_mode
    return source, None if arrays else mode or usual_mode(kinds)


def collect(source, mode, max_pixels, out, earlier):
    """The pictures of a source, without those that an earlier run wrote.

    Parameters
    ----------
    source : str, path-like, list, ndarray or Images
        As in `vision.run`.
    mode : str or None
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
    folders = [name.rpartition("/")[0] for name in images.sources]
    own = {folder for folder in set(folders) if _leads_into(root / folder, written)}
    kept = np.array([folder not in own for folder in folders])
    listed = isinstance(source, list | tuple) and not kept.all()
    if listed or not kept.any() or any(root.is_relative_to(folder) for folder in written):
        raise ParameterError(
            f"The 'source' of run lies in {str(out)!r}, whose pictures the run replaces. Choose "
            "another 'out'."
        )
    return images if kept.all() else images[kept]


def from_runs(source, images):
    """What is to be said of pictures in a folder that other runs wrote there, beside its own.

    Parameters
    ----------
    source : str, path-like, list, ndarray or Images
        As in `vision.run`.
    images : Images
        What `collect` made of it.

    Returns
    -------
    list of str
        A line for each folder of results.

    Examples
    --------
    >>> from_runs([np.zeros((4, 5), np.uint8)], Images(np.zeros((1, 4, 5), np.uint8)))
    []
    """
    if not (isinstance(source, str | os.PathLike) and Path(source).is_dir()):
        return []
    root, counts, holds_run = Path(images.root), Counter(), functools.cache(_holds_run)
    for folder, count in Counter(name.rpartition("/")[0] for name in images.sources).items():
        parts = folder.split("/")
        runs = (root.joinpath(*parts[:at]) for at, part in enumerate(parts) if part in FOLDERS)
        counts[next(filter(holds_run, runs), None)] += count
    if not counts.pop(None, 0):  # nothing but results: these are meant
        return []
    return [
        f"{count} picture{'' if count == 1 else 's'} of the source lie{'s' * (count == 1)} in "
        f"{str(run)!r}: what a run wrote there is taken like any other"
        for run, count in counts.items()
    ]


def _holds_run(folder):
    names = [LEDGER, *(shard.ledger for shard in shards_of(folder))]
    return any((folder / name).is_file() and is_ledger(folder / name) for name in names)


def _leads_into(place, folders):
    """Whether a folder is, perhaps through a link, one of several or below it."""
    place = place.resolve()
    return any(place.is_relative_to(folder) for folder in folders)


def _in_memory(source):
    listed = isinstance(source, list | tuple) and source and isinstance(source[0], np.ndarray)
    return isinstance(source, np.ndarray) or listed


def make_folder(out, names=()):
    """Make the folder of a run, if it is not there.

    Parameters
    ----------
    out : Path
    names : sequence of str
        Of the pictures whose outputs will be files there.

    Raises
    ------
    WriteError
        If it cannot be made.
    OutputExistsError
        If two pictures would have one file, because the disk takes capital letters for small ones.

    Examples
    --------
    >>> make_folder(Path("/dev/null/out"))
    Traceback (most recent call last):
    ...
    vision.errors.WriteError: '/dev/null/out' could not be made: Not a directory.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        named = WriteError(f"{str(out)!r} could not be made: {error.strerror}.")
        named.errno = error.errno
        raise named from error
    if names and _takes_capitals_for_small(out):
        _refuse_meeting(out, names)


def _takes_capitals_for_small(folder):
    probe = folder / hidden_name("case")
    try:
        probe.touch()
    except OSError:  # whoever writes there first says so
        return False
    try:
        return probe.with_name(probe.name.upper()).exists()
    finally:
        probe.unlink()


def _refuse_meeting(out, names):
    first = {}
    for name in names:
        other = first.setdefault(unicodedata.normalize("NFC", name).casefold(), name)
        if other != name:
            raise OutputExistsError(
                f"The outputs of {other!r} and {name!r} would be the same files in {str(out)!r}: "
                "the disk takes capital letters for small ones. Rename one of them, or keep the "
                'outputs in archives: pack="tar".'
            )


def describe_run(pipeline, out):
    """Write what runs: its text, and an archive where that does not say everything.

    Called by the one run that may write there: another, that is refused, changes nothing.

    Parameters
    ----------
    pipeline : Pipeline
        What runs.
    out : Path
        The folder. Descriptions of an earlier run are removed.

    Raises
    ------
    WriteError
        If a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from classical import Gray, Otsu
    >>> out = Path(tempfile.mkdtemp())
    >>> describe_run(Gray() >> Otsu(), out)
    >>> (out / "pipeline.yaml").read_text()
    '- Gray\\n- Otsu\\n'
    """
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
