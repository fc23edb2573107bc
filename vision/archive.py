"""Pipelines as files: `save` and `load`.

``.yaml`` and ``.yml`` hold the text of a pipeline (see `vision.text`), with its arrays beside it.
``.vision`` is one zip that also holds what was learned:

- ``pipeline.yaml``, and in ``arrays/`` the arrays that it names;
- ``steps/``, by the place in the pipeline (``steps/003-svc.skops``, within branches
  ``steps/002-or/001-pipeline/002-svc.skops``): a ``.skops`` for each fitted scikit-learn step, a
  ``.json`` for each of XGBoost's; an ``.npz`` with the fitted attributes (``name_``) of each of our
  own; or, where a step defines ``archive_files()``, which gives bytes by file name (none if it
  learned nothing), and ``restore_files(files)``, a folder of these, such as a network as
  ``.keras``; where it has a parameter that no text holds, ``text_params()`` gives the others; a
  step with ``archives_parameters = True`` puts files there that its parameters name;
- ``versions.json``.

Nothing in an archive is code, and loading runs none: scikit-learn's parts are built from types
that `vision.skops_trust` names, XGBoost's from numbers that `vision.xgboost_trust` checks, arrays
never hold objects, and every size is checked before anything is unpacked. Members that do not
belong to the pipeline are refused.
"""

import json
import platform
import stat
import warnings
from pathlib import Path

from vision.array_files import read_regular
from vision.errors import LoadError, ParameterError, UnknownNameError
from vision.safe_yaml import MAX_CHARACTERS
from vision.text import describe, from_text, read_text, to_text
from vision.versions import version_of
from vision.zip_checks import open_zip, read_member, write_zip

TEXT, ARRAYS, VERSIONS = "pipeline.yaml", "arrays/", "versions.json"
FORMAT = 1
MAX_BYTES = 2_000_000_000
DISTRIBUTIONS = ("vision-pipelines", "numpy", "scikit-learn", "scikit-image", "skops")


class VersionWarning(UserWarning):
    """A fitted scikit-learn step was saved by another version than the one that runs."""


def save(pipeline, path):
    """Write a pipeline to a file, atomically.

    Parameters
    ----------
    pipeline : Pipeline, Step or scikit-learn estimator
        Fitted or not.
    path : str or path-like
        ``.vision`` keeps what was learned; ``.yaml`` or ``.yml`` is the text alone, its arrays
        beside it, for pipelines that have learned nothing. A file of that name is replaced.

    Raises
    ------
    ParameterError
        If the suffix is another, a text would drop what was learned, or something in the pipeline
        cannot be saved: the message names the step and the way out.
    WriteError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from classical import Canny, Gray
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(Gray() >> Canny(low=50), f"{folder}/edges.vision")
    ...     load(f"{folder}/edges.vision").named_steps["canny"]
    Canny(low=50)
    """
    from vision.io import write_bytes

    path = Path(path)
    if _is_text(path):
        _refuse_learned(pipeline, path)
        data = to_text(pipeline, folder=path.parent).encode()
    else:
        data = write_zip(members(pipeline))
    write_bytes(path, data)


def _refuse_learned(pipeline, path):
    """A text would drop what was learned, and nobody would notice before it is loaded."""
    from sklearn.base import clone

    from vision.fitted import learned

    steps = learned(pipeline)
    if not steps:
        return
    names = " and ".join(dict.fromkeys(type(step).__name__ for step in steps))
    hint = f"Save the pipeline as {str(path.with_suffix('.vision'))!r}"
    if not learned(clone(pipeline)):  # a FrozenEstimator survives that
        hint += (
            ", or the recipe alone, without what was learned: "
            f"vision.save(sklearn.base.clone(pipeline), {str(path)!r})"
        )
    raise ParameterError(
        f"The pipeline is fitted, and {path.suffix} has no place for what {names} learned. {hint}."
    )


def load(path, *, max_bytes=MAX_BYTES):
    """Read a pipeline from a file; nothing that the file brings is run.

    Parameters
    ----------
    path : str or path-like
        What `save` wrote, or a text written by hand.
    max_bytes : int, default=2_000_000_000
        The most that the file, and all that it holds unpacked, may have.

    Returns
    -------
    Pipeline, Step or scikit-learn estimator
        Fitted as far as it was when saved to a ``.vision`` file; not fitted from a text.

    Raises
    ------
    LoadError
        If the file is missing, damaged, too large or holds what no pipeline file may.
    UnknownNameError
        If the catalogue does not have a step.
    KindError
        If two steps do not fit.
    ParameterError
        If the suffix is neither ``.vision`` nor ``.yaml`` or ``.yml``.

    Warns
    -----
    VersionWarning
        If fitted scikit-learn steps were saved by another version of scikit-learn.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "mask.yaml").write_text("- Gray\\n- Threshold: {value: 99}")
    ...     load(f"{folder}/mask.yaml").named_steps["threshold"]
    Threshold(value=99)
    """
    path = Path(path)
    as_text = _is_text(path)
    try:
        return _load_text(path) if as_text else _load_archive(path, max_bytes)
    except (LoadError, UnknownNameError) as error:
        raise type(error)(f"{str(path)!r}: {_without_name(str(error), path)}") from error


def _without_name(reason, path):
    """The reason without the file's own name in front, which is said already."""
    for name in (f"{path.name!r} ", f"{path.name} "):
        if reason.startswith(name):
            return f"it {reason.removeprefix(name)}"
    return reason


def saved_by(path):
    """The versions that a ``.vision`` file was saved by.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    dict of str to str
        ``python``, ``opencv``, and the distributions by name; ``keras`` and ``tensorflow`` where
        there is a network.

    Raises
    ------
    LoadError
        If the file is missing or damaged.

    Examples
    --------
    >>> import tempfile
    >>> from classical import Otsu
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(Otsu(), f"{folder}/otsu.vision")
    ...     saved_by(f"{folder}/otsu.vision")["vision-pipelines"]
    '...'
    """
    path = Path(path)
    _check_there(path)
    with path.open("rb") as stream, open_zip(stream, path.name, max_bytes=MAX_BYTES) as archive:
        versions = _versions(read_member(archive, VERSIONS, path.name))
    return {str(name): str(version)[:20] for name, version in versions.items() if name != "format"}


def _is_text(path):
    suffix = path.suffix.lower()
    if suffix in (".yaml", ".yml"):
        return True
    if suffix == ".vision":
        return False
    raise ParameterError(
        f"A pipeline's file ends in .vision (with what was learned) or .yaml (its text). "
        f"Got {str(path)!r}."
    )


def _load_text(path):
    _check_there(path)
    data = read_regular(path, path.name, 4 * MAX_CHARACTERS)
    return from_text(_decoded(data, path.name), folder=path.parent)


def _decoded(data, name):
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LoadError(f"{name} is no UTF-8 text: {error.reason}, byte {error.start}.") from None


def members(pipeline):
    """Every file of the archive, by name."""
    from vision.fitted import fitted_files

    text, arrays = describe(pipeline)
    files = {TEXT: text.encode()}
    files |= {ARRAYS + name: data for name, data in arrays.items()}
    files |= fitted_files(pipeline)
    versions = {"format": FORMAT, **running(), **_libraries(pipeline)}
    return files | {VERSIONS: json.dumps(versions, indent=1).encode()}


def _libraries(pipeline):
    """The versions of what some steps alone need: Keras and TensorFlow."""
    from vision.fingerprints import all_steps

    steps = all_steps(pipeline)
    names = sorted({name for step in steps for name in getattr(type(step), "libraries", ())})
    return {name: version_of(name) or "unknown" for name in names}


def _check_there(path):
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise LoadError("there is no such file.") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise LoadError(f"it cannot be read: {getattr(error, 'strerror', error)}.") from None
    if not stat.S_ISREG(mode):
        raise LoadError("it is no regular file.")


def _load_archive(path, max_bytes):
    from vision.fitted import restore_fitted

    _check_there(path)
    if path.stat().st_size > max_bytes:
        raise LoadError(f"it has more than {max_bytes} bytes (max_bytes).")
    with path.open("rb") as stream, open_zip(stream, path.name, max_bytes=max_bytes) as archive:
        versions = _versions(read_member(archive, VERSIONS, path.name))
        used = {TEXT, VERSIONS}

        def read_file(name):
            used.add(ARRAYS + name)
            return read_member(archive, ARRAYS + name, path.name)

        text = read_member(archive, TEXT, path.name)
        if len(text) > 4 * MAX_CHARACTERS:
            raise LoadError(f"{TEXT} is too large.")
        pipeline = read_text(_decoded(text, TEXT), read_file)
        files = {
            name: lambda name=name: read_member(archive, name, path.name)
            for name in archive.namelist()
            if name not in used
        }
        by_sklearn = restore_fitted(pipeline, files)
    if by_sklearn:
        _warn(versions)
    return pipeline


def running():
    """The versions that run: of Python and the libraries.

    Returns
    -------
    dict of str to str
        With the names of `saved_by`.

    Examples
    --------
    >>> sorted(running())[:3]
    ['numpy', 'opencv', 'python']
    """
    from vision.opencv import cv2

    found = {"python": platform.python_version(), "opencv": cv2.__version__}
    return found | {name: version_of(name) or "unknown" for name in DISTRIBUTIONS}


def _versions(data):
    try:
        versions = json.loads(data[:100_000])
    except (ValueError, RecursionError) as error:
        raise LoadError(f"{VERSIONS} is damaged: {error}.") from None
    if not isinstance(versions, dict) or versions.get("format") != FORMAT:
        raise LoadError(
            f"{VERSIONS} names no format that this version reads ({FORMAT}). Update "
            "vision-pipelines, or save the pipeline again."
        )
    return versions


def _warn(versions):
    saved, runs = str(versions.get("scikit-learn")), version_of("scikit-learn")
    if saved.split(".")[:2] != runs.split(".")[:2]:
        warnings.warn(
            f"The fitted steps were saved by scikit-learn {saved[:20]}, and {runs} runs: they may "
            "not work, or give other results. Fit the pipeline again, or install that version.",
            VersionWarning,
            stacklevel=4,
        )
