"""What the ledger says of a run in its first line, so that it can be told and done again."""

import os
import platform
import sys
from pathlib import Path

from vision.errors import ParameterError
from vision.fingerprints import OPENCV
from vision.text import describe
from vision.versions import version_of

LISTED = 10_000  # files: a longer list is not kept
MADE_BY = (*OPENCV, "numpy", "scikit-image", "scikit-learn", "keras", "tensorflow")
PLAIN = (str, int, float, bool, type(None))


def head_of(pipeline, source, options):
    """The fields of a run's head that say what ran, over what, how and with what.

    Parameters
    ----------
    pipeline : Pipeline
        What runs.
    source : object
        As it was given to `vision.run`.
    options : dict
        As they were given; what is no plain value is left out.

    Returns
    -------
    dict
        ``pipeline`` (its text, or None), ``source`` (a path, pattern or list of paths that leads
        there from any folder, or None), ``asked``, ``folder``, ``command`` and ``made_by``.

    Examples
    --------
    >>> from classical import Gray, Otsu
    >>> head = head_of(Gray() >> Otsu(), "/data/photos", {"overlay": False})
    >>> head["pipeline"], head["source"], head["asked"]
    ('- Gray\\n- Otsu\\n', '/data/photos', {'overlay': False})
    """
    try:
        text = describe(pipeline)[0]
    except ParameterError:  # a step of the user's own
        text = None
    return {
        "pipeline": text,
        "source": _lasting(source),
        "asked": {name: value for name, value in options.items() if _plain(value)},
        "folder": os.getcwd(),  # noqa: PTH109 (as text)
        "command": _command(),
        "made_by": _made_by(),
    }


def _command():
    """The words that started the process."""
    if Path(sys.argv[0]).stem == "vision":
        return ["vision", *sys.argv[1:]]
    return ["python", *sys.orig_argv[1:]]


def _plain(value):
    if isinstance(value, list | tuple):
        return all(isinstance(one, PLAIN) for one in value)
    return isinstance(value, PLAIN)


def _lasting(source):
    """The source as it is found from any folder; None if it is in memory, or a very long list."""
    if isinstance(source, str | os.PathLike):
        path = os.fsdecode(source)
        return path if "://" in path else os.path.abspath(path)  # noqa: PTH100 (may be a pattern)
    listed = isinstance(source, list | tuple) and len(source) <= LISTED
    if listed and all(isinstance(path, str | os.PathLike) for path in source):
        return [_lasting(path) for path in source]
    return None


def _made_by():
    """Exact versions of what is installed and may have a part in a result."""
    found = {"python": platform.python_version(), "system": platform.platform()}
    versions = {name: version_of(name) for name in ("vision-pipelines", *MADE_BY)}
    return found | {name: version for name, version in versions.items() if version is not None}
