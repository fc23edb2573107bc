"""One candidate of a comparison, through all folds: what it said and what it took."""

import contextlib
import inspect
import random
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np
from sklearn.frozen import FrozenEstimator

from vision.comparison_costs import PeakMemory, latency_of, parameters_of, size_of
from vision.composition import Composable, chain
from vision.conversions import as_python, what_came
from vision.errors import KindError, ParameterError, VisionError
from vision.flow import core_of, is_stateless, takes_of
from vision.kinds import Kind
from vision.progress import in_words
from vision.step import is_lazy
from vision.target_scores import flat_steps, is_network

ROUNDING = 1e-5  # of probabilities
# Warnings that tell nothing of a result.
ABOUT_CODE = (DeprecationWarning, PendingDeprecationWarning, FutureWarning, ResourceWarning)


@dataclass(frozen=True, eq=False)
class Study:
    """What is the same for every candidate.

    Parameters
    ----------
    images : sequence
        The pictures: a list, `Images` or an array.
    truth : sequence
        One entry an image.
    task : ComparedTask
    classes : (k,) ndarray or None
        Of a classification.
    folds : Folds
    seed : int
        Of NumPy's and Python's own generators, set anew before each fit.
    budget : float or None
        Seconds that the fits and predictions of a candidate may take.
    groups : (n,) ndarray or None
        Told to a candidate that folds its training images again: `vision.Tune`, a search of
        scikit-learn, or whatever asks for groups, alone or as the last step of a pipeline.
    """

    images: object
    truth: object
    task: object
    classes: np.ndarray | None
    folds: object
    seed: int = 0
    budget: float | None = None
    groups: np.ndarray | None = None

    def some(self, places):
        """The images and truth at some places."""
        return taken(self.images, places), taken(self.truth, places)


@dataclass(eq=False)
class Outcome:
    """What came of a candidate.

    Parameters
    ----------
    error : str or None
    predictions : list
        One an image; None where it was never held out.
    probabilities : (n, k) ndarray or None
    fitted : tuple of estimator
        One a fold.
    archives : tuple of bytes or None
        The fitted pipelines as files, where that was asked for.
    """

    error: str | None = None
    predictions: list = field(default_factory=list)
    probabilities: np.ndarray | None = None
    fit_seconds: tuple = ()
    latency: object = None
    memory_bytes: int | None = None
    parameters: int | None = None
    size_bytes: int | None = None
    notes: tuple = ()
    fitted: tuple = ()
    archives: tuple | None = None


class OverBudgetError(VisionError):
    """A candidate took longer than it may."""


def taken(batch, places):
    """The entries of a list, `Images` or an array at some places."""
    if isinstance(batch, list | tuple):
        return [batch[place] for place in places]
    return batch[np.asarray(places, np.intp)]


def by_place(batch):
    """A batch whose entries are found by place, and to which no candidate can write.

    Parameters
    ----------
    batch : sequence
        Such as a column of a table, which would look for places among the names of its rows.

    Returns
    -------
    list, ndarray or Images
        Views of its arrays; `Images`, which are read anew each time, as they are.
    """
    batch = batch.to_numpy() if hasattr(batch, "to_numpy") else batch
    if isinstance(batch, np.ndarray) and batch.dtype != object:
        return _read_only(batch)
    if is_lazy(batch) or (hasattr(batch, "shape") and not isinstance(batch, np.ndarray)):
        return batch
    return [_read_only(one) if isinstance(one, np.ndarray) else one for one in batch]


def _read_only(array):
    view = array.view()
    view.flags.writeable = False
    return view


def check_candidate(name, estimator):
    """Refuse what can be no candidate.

    Returns
    -------
    estimator
        One that has ``fit`` and ``predict``: a step alone becomes a pipeline.

    Raises
    ------
    KindError
        If it cannot be fitted anew, or takes rows of numbers instead of images.
    """
    if is_network(estimator):
        raise KindError(
            f"The candidate {name!r} is a keras.Model. CNNClassifier(model) makes it one that is "
            "trained anew in each fold."
        )
    works = hasattr(estimator, "fit") and hasattr(estimator, "get_params")
    if isinstance(estimator, type) or not works:
        raise KindError(
            f"The candidate {name!r} must be a pipeline, a step or an estimator. Got {estimator!r}."
        )
    known = type(core_of(estimator)).__module__.startswith("sklearn.")
    if known and takes_of(estimator) == (Kind.FEATURES,):
        raise KindError(
            f"The candidate {name!r} takes rows of numbers, not images. Put a step in front that "
            f"makes some: RawPixels() >> {type(core_of(estimator)).__name__}(...)."
        )
    if isinstance(estimator, Composable) and not hasattr(estimator, "predict"):
        return chain(estimator)
    return estimator


def family_of(estimator):
    """Which family a candidate is of.

    Returns
    -------
    {"classical", "deep", "mixed"}
        "deep" where a network has the last word, "mixed" where one is in it otherwise.

    Examples
    --------
    >>> from classical import Gray, Otsu
    >>> family_of(Gray() >> Otsu())
    'classical'
    """
    steps = flat_steps(estimator)
    if _is_deep(steps[-1]):
        return "deep"
    return "mixed" if any(map(_has_deep, steps)) else "classical"


def _is_deep(step):
    return type(step).__module__.partition(".")[0] in ("deep", "keras", "tensorflow")


def _has_deep(step):
    inner = step.get_params(deep=True).values() if hasattr(step, "get_params") else ()
    return any(map(_is_deep, (step, *inner)))


def text_of(estimator):
    """The candidate as text; its ``repr`` where it has none."""
    from vision.text import to_text

    try:
        return to_text(estimator)
    except VisionError:
        return repr(estimator)


def run_candidate(study, estimator, advance, *, archived=False):
    """Fit and predict in every fold.

    Parameters
    ----------
    study : Study
    estimator : estimator
        Left as it is; clones are fitted.
    advance : callable
        ``advance(failed)`` is told of each fold.
    archived : bool, default=False
        Whether the fitted pipelines are wanted as bytes, one a fold.

    Returns
    -------
    Outcome
        With an error instead of results if it failed in any fold.
    """
    outcome, said = Outcome(), Said(study)
    try:
        with noted_warnings() as noted:
            for split in study.folds.splits:
                _run_fold(study, estimator, split, outcome, said)
                advance(False)
            _add_costs(study, outcome, archived)
    except (Exception, SystemExit) as error:
        advance(True)
        fold = said.folds if said.folds < len(study.folds.splits) else None
        return Outcome(error=_told(error, fold), notes=(_where(error),))
    outcome.predictions, outcome.probabilities = said.predictions, said.probabilities
    outcome.memory_bytes = said.memory()
    outcome.notes = (*_of_frozen(estimator), *noted, *outcome.notes, *said.notes())
    return outcome


class Said:
    """What the models of all folds said, put together in the order of the images."""

    def __init__(self, study):
        self.classes = classes = study.classes
        self.predictions = [None] * len(study.truth)
        self.probabilities = None
        self.rises, self.seconds, self.folds, self._without = [], 0.0, 0, 0
        self._columns = {} if classes is None else {c: k for k, c in enumerate(classes.tolist())}
        self._strange = []  # labels that the truth does not have

    def add(self, places, predictions, probabilities, known):
        flat = isinstance(predictions, np.ndarray) and predictions.ndim == 1
        if flat and predictions.dtype != object:
            predictions = predictions.tolist()
        else:
            predictions = [as_python(prediction) for prediction in predictions]
        if len(predictions) != len(places):
            raise ParameterError(f"{len(places)} images, but {len(predictions)} predictions")
        if self.classes is not None:
            self._look_at(predictions)
        for place, prediction in zip(np.asarray(places).tolist(), predictions, strict=True):
            self.predictions[place] = prediction
        if probabilities is None:
            self._without += 1
            self.probabilities = None
        elif not self._without:
            table, known = np.asarray(probabilities, np.float64), np.asarray(known).tolist()
            if table.shape != (len(places), len(known)) or not _are_shares(table):
                raise ParameterError(
                    f"its probabilities are no table of {len(places)} images and {len(known)} "
                    "classes with numbers from 0 to 1"
                )
            self._add(places, table, known)

    def _look_at(self, labels):
        with contextlib.suppress(TypeError):  # of what cannot be in a set, such as a list
            if self._columns.keys() >= set(labels):
                return
        for label in labels:
            if isinstance(label, tuple) or not isinstance(label, Hashable):
                raise ParameterError(f"it predicts no label, but {what_came(label)}")
            if label not in self._columns:
                self._strange.append(label)

    def _add(self, places, probabilities, known):
        if self.probabilities is None:
            self.probabilities = np.full((len(self.predictions), len(self.classes)), np.nan)
        # One that was trained elsewhere may know other classes; one that it never saw has none.
        ours = [(column, self._columns[c]) for column, c in enumerate(known) if c in self._columns]
        theirs, ours = np.array(ours, np.intp).reshape(-1, 2).T
        self.probabilities[places] = 0
        self.probabilities[np.ix_(places, ours)] = probabilities[:, theirs]

    def memory(self):
        rises = [rise for rise in self.rises if rise is not None]
        return int(np.median(rises)) if rises else None

    def notes(self):
        if self._strange:
            yield (
                f"Of {len(self._strange)} images it said what is no label of the truth, such as "
                f"{self._strange[0]!r}: that counts as wrong."
            )
        if self._without and self.classes is not None:
            yield (
                "It gives no probabilities, so there is no AUC, log loss and Brier score. "
                "CalibratedClassifierCV around its classifier gives some."
            )


def _are_shares(table):
    """Whether all are numbers from 0 to 1, up to rounding in 32 bits."""
    return bool(((table >= -ROUNDING) & (table <= 1 + ROUNDING)).all())


def _run_fold(study, estimator, split, outcome, said):
    train, test = split
    memory = PeakMemory()
    model, seconds = fitted_clone(study, estimator, train, said, test, memory=memory)
    outcome.fitted += (model,)
    outcome.fit_seconds += (seconds,)
    said.rises.append(memory.rise)
    if study.budget is not None and said.seconds > study.budget:
        raise OverBudgetError(
            f"it took {in_words(said.seconds)} for {len(outcome.fitted)} of "
            f"{len(study.folds.splits)} folds; the budget is {in_words(study.budget)}"
        )
    said.folds += 1


def fitted_clone(study, estimator, train, said=None, test=(), *, memory=None):
    """A clone that learned from some images, and the seconds it took; it may predict others."""
    from sklearn.base import clone

    images, truth = study.some(train)
    model = clone(estimator)
    started = time.perf_counter()
    with memory or contextlib.nullcontext(), seeded(study.seed):
        # What learns nothing needs no truth, and does not ask whether it is of the usual kind.
        if is_stateless(model):
            model.fit(images)
        elif study.groups is None:
            model.fit(images, truth)
        else:
            model.fit(images, truth, **_groups_for(model, study.groups[train]))
        seconds = time.perf_counter() - started
        if said is not None:
            said.add(test, *predict(study, model, taken(study.images, test)))
            said.seconds += time.perf_counter() - started
    return model, seconds


def _groups_for(model, groups):
    """The groups by the name under which the last step takes them, if it makes folds of its own."""
    import sklearn.pipeline
    from sklearn.utils.metadata_routing import get_routing_for_object

    whole, path = model, []
    while isinstance(model, sklearn.pipeline.Pipeline):
        step, model = model.steps[-1]
        path.append(step)
    fit = getattr(model, "fit", None)
    searches = all(hasattr(model, name) for name in ("refit", "cv", "error_score"))
    if sklearn.get_config()["enable_metadata_routing"] and (path or searches):
        return dict.fromkeys(get_routing_for_object(whole).consumes("fit", ["groups"]), groups)
    asks = searches or (fit is not None and "groups" in inspect.signature(fit).parameters)
    return {"__".join([*path, "groups"]): groups} if asks else {}


def predict(study, model, images):
    """Predictions; of a classification probabilities and their classes too, or None."""
    if study.classes is None:
        return list(model.predict(images)), None, None
    steps, final = _before_final(model)
    features = images if steps is None else steps.transform(images)
    if not hasattr(final, "predict_proba"):
        return final.predict(features), None, None
    probabilities, known = final.predict_proba(features), np.asarray(final.classes_)
    if _is_deep(final):  # a network names the class of its highest probability: once is enough
        return known[probabilities.argmax(axis=1)], probabilities, known
    return final.predict(features), probabilities, known


def _before_final(model):
    """The last step by itself, so that the others run once for labels and probabilities."""
    import sklearn.pipeline

    if not isinstance(model, sklearn.pipeline.Pipeline) or len(model.steps) < 2:
        return None, model
    final = model.steps[-1][1]
    whole = final is None or isinstance(final, str) or not hasattr(final, "predict")
    return (None, model) if whole else (model[:-1], final)


def _add_costs(study, outcome, archived):
    first = outcome.fitted[0]
    _, test = study.folds.splits[0]
    outcome.latency = latency_of(first, [study.images[int(place)] for place in test[:53]])
    outcome.parameters = parameters_of(first)
    outcome.size_bytes, data, reason = size_of(first)
    if reason is not None:
        outcome.notes += (f"It cannot be saved, so its size is not known: {reason}",)
    if archived:
        others = (size_of(model, packed=False)[1] for model in outcome.fitted[1:])
        outcome.archives = (data, *others)


@contextlib.contextmanager
def seeded(seed):
    """Within, the generators of NumPy and Python start at a seed; after it they go on."""
    before = np.random.get_state(), random.getstate()
    np.random.seed(seed)
    random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before[0])
        random.setstate(before[1])


@contextlib.contextmanager
def noted_warnings():
    """Within, warnings are kept instead of shown: a list of their words, each once."""
    words = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield words
        finally:
            counts = Counter(
                f"{one.category.__name__}: {one.message}"
                for one in caught
                if not issubclass(one.category, ABOUT_CODE)
            )
            words += [
                text.splitlines()[0] + (f" ({times} times)" if times > 1 else "")
                for text, times in counts.items()
            ]


def _of_frozen(estimator):
    """That a part stays as it was trained elsewhere: nobody here knows on which pictures."""
    parts = estimator.get_params(deep=True).values()
    if any(isinstance(part, FrozenEstimator) for part in (estimator, *parts)):
        yield (
            "A part of it is frozen, as it was trained elsewhere. If any of these pictures were "
            "among what it learned from, its scores are too good."
        )


def _told(error, fold):
    """An error in words; with no number of a fold, one of the pictures that time it."""
    notes = " ".join(getattr(error, "__notes__", ()))
    where = "when it was timed" if fold is None else f"in fold {fold}"
    return f"{type(error).__name__} {where}: {error} {notes}".strip()


def _where(error):
    """The place in the code, for whoever repairs it."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"Raised in {frame.name}, {frame.filename}, line {frame.lineno}."
