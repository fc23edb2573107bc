"""What the steps of a pipeline have learned, as files by the place of each step."""

import io
import re

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import FeatureUnion
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from vision.array_files import KINDS, decode_npy, encode_npy, slug
from vision.branches import NamedBranches
from vision.composition import Composable, Edits, class_name
from vision.errors import LoadError, ParameterError, VisionError
from vision.explaining import Explain
from vision.foreach import ForEach
from vision.pipeline import Pipeline
from vision.text import describe
from vision.xgboost_trust import SUFFIX, dump_model, is_xgboost, restore_model
from vision.zip_checks import MAX_RATIO, open_zip, read_member, write_zip

FOLDER, OWN = "steps", "files"
# What they learn is in their parts alone.
CONTAINERS = (Pipeline, NamedBranches, ForEach, Explain, FeatureUnion)
_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9_]*_")
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def fitted_files(pipeline):
    """What every step has learned.

    Parameters
    ----------
    pipeline : Pipeline, Step or scikit-learn estimator

    Returns
    -------
    dict of str to bytes
        Empty if nothing was learned.

    Raises
    ------
    ParameterError
        If something cannot be saved, naming the step and the way out.
    """
    files = {}
    for place, step in _placed(pipeline):
        if isinstance(step, Composable):
            files |= _own_files(place, step)
        elif not isinstance(step, FeatureUnion) and _is_fitted(step):
            files[f"{place}.{_suffix(step)}"] = _estimator_file(step)
    return files


def learned(pipeline):
    """The steps that hold something learned, wherever they stand in a pipeline.

    Parameters
    ----------
    pipeline : Pipeline, Step or scikit-learn estimator

    Returns
    -------
    list of estimator

    Examples
    --------
    >>> from sklearn.preprocessing import Normalizer, StandardScaler
    >>> from vision.composition import chain
    >>> learned(chain(StandardScaler(), Normalizer()).fit([[1.0], [2.0]]))
    [StandardScaler()]
    """
    return [step for _, step in _placed(pipeline) if _has_learned(step)]


def _has_learned(step):
    if isinstance(step, FeatureUnion):
        return False
    if not isinstance(step, Composable):
        return get_tags(step).requires_fit and _is_fitted(step)
    if hasattr(step, "archive_files"):
        return not getattr(step, "archives_parameters", False) and bool(step.archive_files())
    return any(map(_ATTRIBUTE.fullmatch, vars(step)))


def learners(pipeline):
    """The steps that must be fitted before the pipeline runs, each with whether it is.

    Parameters
    ----------
    pipeline : Pipeline, Step or scikit-learn estimator

    Returns
    -------
    list of (estimator, bool)

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> from vision.composition import chain
    >>> learners(chain(SVC()))
    [(SVC(), False)]
    """
    if isinstance(pipeline, CONTAINERS):
        return [pair for _, part in _children("", pipeline) for pair in learners(part)]
    if not get_tags(pipeline).requires_fit:
        return []
    try:
        check_is_fitted(pipeline)
    except NotFittedError:
        return [(pipeline, False)]
    return [(pipeline, True)]


def restore_fitted(pipeline, files):
    """Give the steps of an unfitted pipeline what they had learned.

    Parameters
    ----------
    pipeline : Pipeline, Step or scikit-learn estimator
        As its text describes it; changed in place.
    files : dict of str to callable
        Gives the bytes of each file by name; those of no step are refused.

    Returns
    -------
    bool
        Whether a scikit-learn step was among them.

    Raises
    ------
    LoadError
        If a file belongs to no step, is not of the class or parameters that the text says, or is
        refused itself.
    """
    places = dict(_placed(pipeline))
    owners = {name: _owner(name, places) for name in files}
    for name, place in owners.items():
        if place is None:
            raise LoadError(f"{name!r} belongs to no step of the pipeline.")
    by_sklearn = False
    for place, step in places.items():
        own = {name: read for name, read in files.items() if owners[name] == place}
        if isinstance(step, Composable):
            _restore_own(place, step, own)
        elif own:
            _restore_estimator(step, place, own)
            by_sklearn = True
    Edits.bump()
    return by_sklearn


def _placed(pipeline):
    """Every step with its place, parents first."""
    waiting = [(f"{FOLDER}/001-{class_name(pipeline)}", pipeline)]
    if type(pipeline) is Pipeline:
        waiting = _children(FOLDER, pipeline)[::-1]
    while waiting:
        place, step = waiting.pop()
        yield place, step
        waiting += _children(place, step)[::-1]


def _children(place, step):
    if type(step) is Pipeline:
        parts = step.steps
    elif isinstance(step, FeatureUnion):
        parts = step.transformer_list
    elif isinstance(step, NamedBranches):
        parts = step._items
    elif isinstance(step, Composable):
        parts = step.get_params(deep=False).items()
    else:
        parts = []
    return [
        (f"{place}/{number:03d}-{slug(name)}", part)
        for number, (name, part) in enumerate(parts, 1)
        if hasattr(part, "get_params") and not isinstance(part, type)
    ]


def _is_fitted(estimator):
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    learned = set(vars(estimator)) - set(estimator.get_params(deep=False))
    inner = estimator.get_params(deep=True).values()
    return bool(learned) or any(hasattr(value, "get_params") for value in inner)


def _estimator_file(estimator):
    from vision.skops_trust import dump_estimator

    name = type(estimator).__name__
    if any(isinstance(part, Composable) for part in estimator.get_params(deep=True).values()):
        hint = (
            "Put its best_estimator_ into" if name.endswith("SearchCV") else "Put them before it in"
        )
        raise ParameterError(
            f"A fitted {name} with image steps inside it cannot be saved: {hint} the pipeline."
        )
    return dump_model(estimator) if is_xgboost(estimator) else dump_estimator(estimator)


def _suffix(step):
    """How the one file ends that holds what a step learned."""
    if isinstance(step, Composable):
        return "npz"
    return SUFFIX if is_xgboost(step) else "skops"


def _own_files(place, step):
    """The files of one of our steps: what its hook gives, else its fitted attributes."""
    if hasattr(step, "archive_files"):
        files = step.archive_files()
        for name, data in files.items():
            _check_own_file(name, data, step)
        return {f"{place}/{OWN}/{name}": data for name, data in files.items()}
    attributes = {
        f"{name}.npy": _encoded(step, name, value)
        for name, value in vars(step).items()
        if _ATTRIBUTE.fullmatch(name)
    }
    return {f"{place}.npz": write_zip(attributes, packed=False)} if attributes else {}


def _check_own_file(name, data, step):
    owner = type(step).__name__
    if not (isinstance(name, str) and _FILE_NAME.fullmatch(name) and isinstance(data, bytes)):
        raise ParameterError(
            f"{owner}.archive_files() must give bytes by plain file names. Got {name!r}."
        )
    try:
        _check_inner(data, name)
    except LoadError as error:
        raise ParameterError(f"What {owner} has learned cannot be saved: {error}") from None


def _check_inner(data, name):
    """A zip within the archive, such as a network, must not be a bomb either."""
    if data.startswith(b"PK"):
        open_zip(io.BytesIO(data), name, max_bytes=MAX_RATIO * len(data)).close()


def _encoded(step, name, value):
    plain = isinstance(value, np.ndarray | np.generic | bool | int | float | str)
    array = np.asarray(value) if plain else None
    if array is None or array.dtype.kind not in KINDS:
        raise ParameterError(
            f"The {name!r} of {type(step).__name__} cannot be saved: fitted attributes are "
            f"numbers, booleans, strings and arrays of these. Got {type(value).__name__}; a step "
            "with others defines archive_files() and restore_files(files)."
        )
    return encode_npy(array)


def _owner(name, places):
    """The place of the step that a file belongs to, or None."""
    stem, _, suffix = name.rpartition(".")
    folder, found, file = name.rpartition(f"/{OWN}/")
    if found and "/" not in file:
        step = places.get(folder)
        return folder if hasattr(step, "restore_files") else None
    step = places.get(stem)
    fits = step is not None and not isinstance(step, FeatureUnion) and suffix == _suffix(step)
    return stem if fits else None


def _restore_own(place, step, files):
    attributes = files.pop(f"{place}.npz", None)
    if attributes is not None:
        _restore_attributes(step, attributes(), f"{place}.npz")
    if not files:
        return
    contents = {name.rpartition("/")[2]: read() for name, read in files.items()}
    for name, data in contents.items():
        _check_inner(data, name)
    try:
        step.restore_files(contents)
    except VisionError:
        raise
    except Exception as error:  # whatever the library behind the step raises
        raise LoadError(f"What {type(step).__name__} had learned is refused: {error}") from error


def _restore_attributes(step, data, name):
    with open_zip(io.BytesIO(data), name, max_bytes=len(data), stored=True) as archive:
        for member in archive.namelist():
            attribute = member.removesuffix(".npy")
            if not _ATTRIBUTE.fullmatch(attribute) or hasattr(type(step), attribute):
                raise LoadError(f"{name} is refused: {attribute!r} is no fitted attribute.")
            value = decode_npy(read_member(archive, member, name), f"{name}/{member}")
            setattr(step, attribute, _single(value) if value.ndim == 0 else value)


def _single(array):
    """A number, boolean or string; Python's own where it has that type."""
    python = array.dtype.kind == "U" or array.dtype in (np.int64, np.float64, bool)
    return array.item() if python else array[()]


def _restore_estimator(step, place, files):
    from vision.skops_trust import load_estimator

    ((name, read),) = files.items()
    if is_xgboost(step):
        restore_model(step, read(), name)
        return
    loaded = load_estimator(read(), name)
    try:
        same = describe(loaded) == describe(step)
    except ParameterError as error:
        raise LoadError(f"{name} is refused: {error}") from None
    if not same:
        raise LoadError(
            f"{name} is refused: it is not the {type(step).__name__} that the text says."
        )
    vars(step).update(vars(loaded))
