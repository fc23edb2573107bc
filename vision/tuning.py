"""`tune` and `Tune`: the parameters of a pipeline, searched inside the training images alone."""

import time
import warnings
from dataclasses import dataclass, field

import numpy as np
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if

from vision.checks import check_integer, check_number, check_random_state, refuse
from vision.comparison_candidates import by_place, taken
from vision.comparison_folds import make_folds
from vision.composition import Composable, chain
from vision.errors import ParameterError
from vision.kinds import Kind
from vision.nearest import did_you_mean
from vision.truth import check_truth
from vision.tuning_metrics import scoring_of

LIMIT = 0.02  # of the score: by more than that, it is said to be flattered


class TuningWarning(UserWarning):
    """What was found means less than it seems: by luck on few images, or for want of a choice."""


@dataclass(frozen=True)
class Trial:
    """One setting that was tried.

    Parameters
    ----------
    parameters : dict
        What was set; of the pipeline as it came, which is the first trial, what it had.
    scores : tuple of float
        On the held-out images of each fold; NaN where it failed.
    seconds : float
        What it took.
    error : str or None
        Why it failed.
    """

    parameters: dict
    scores: tuple
    seconds: float
    error: str | None = None

    @property
    def score(self):
        """The mean over folds."""
        return float(np.mean(self.scores))


@dataclass(frozen=True, eq=False)
class Tuned:
    """What a search found.

    Parameters
    ----------
    best : estimator
        Like the one that came, with the best parameters, fitted on all images.
    parameters : dict
        What was searched, with its values in it; where nothing beat the pipeline as it came,
        with those that this had.
    score : float
        Its mean score over the folds: flattered, because it was chosen for it.
    expected : float
        What is to be expected of new images: for each fold the score of the setting that is best
        on the other folds, averaged. With a single split, which cannot tell, it is `score`.
    trials : tuple of Trial
        In the order in which they were tried.
    notes : tuple of str
        How it was searched, and what casts doubt on it.
    """

    best: object
    parameters: dict
    score: float
    expected: float
    trials: tuple
    notes: tuple = field(default=())

    @property
    def optimism(self):
        """By how much `score` is flattered, as far as the folds can tell."""
        return self.score - self.expected

    def to_records(self):
        """A dictionary a trial, the best first.

        Returns
        -------
        list of dict
        """
        order = sorted(self.trials, key=lambda trial: (np.isnan(trial.score), -trial.score))
        return [
            {**trial.parameters, "score": trial.score, "seconds": trial.seconds}
            | ({"error": trial.error} if trial.error else {})
            for trial in order
        ]

    def __repr__(self):
        return (
            f"Tuned({self.parameters}, score {self.score:.4g}, {self.expected:.4g} expected, "
            f"{len(self.trials)} trials)"
        )


def tune(
    pipeline,
    space,
    images,
    truth,
    *,
    cv=5,
    groups=None,
    trials=30,
    budget=None,
    metric=None,
    n_jobs=None,
    random_state=0,
):
    """The best parameters of a pipeline, by cross-validation within the images given.

    Tried are the pipeline as it came and then every combination of the space where there are no
    more than the budget allows, otherwise so many drawn at random. A trial that fails is noted
    and left out.

    Parameters
    ----------
    pipeline : pipeline, step or estimator
        Left as it is. It may learn (a classifier, a network) or not (thresholds, kernels). A step
        alone becomes a pipeline of one step.
    space : dict of str to list or distribution
        By parameter, as ``pipeline.get_params()`` names it (``gaussianblur__sigma``): values to
        choose from, or a distribution with ``rvs``, such as ``scipy.stats.loguniform(0.1, 10)``.
        A whole step can be exchanged by its name.
    images : list, Images, or ndarray
        Those that may be learned from, no others.
    truth : sequence
        One entry an image.
    cv, groups
        The folds, as `vision.compare` takes them: the number 5 by default.
    trials : int, default=30
        Settings to try, at least 1, besides the pipeline as it came.
    budget : float, optional
        Seconds; no trial starts after them. The pipeline as it came is always tried.
    metric : str or callable, optional
        By default the ``score`` of the pipeline. A scorer of scikit-learn, for what gives classes
        or values; "iou" or "dice", for what gives masks: of the foreground alone, averaged over
        images; or ``metric(pipeline, images, truth)``, a number, higher being better.
    n_jobs : int, optional
        Folds at the same time, as in scikit-learn.
    random_state : int, default=0
        Of the folds and of the settings drawn.

    Returns
    -------
    Tuned

    Warns
    -----
    TuningWarning
        If the score of the best setting is flattered by more than 2% of itself: the set is too
        small for what was searched. Measured by choosing on all folds but one and scoring on that
        one. Or if every setting of the space failed.

    Raises
    ------
    ParameterError
        If the space names a parameter that the pipeline has not, or holds no values; a parameter
        makes no sense; or no trial succeeded.

    References
    ----------
    J. Bergstra and Y. Bengio, "Random Search for Hyper-Parameter Optimization", JMLR 13, 2012,
    https://jmlr.org/papers/v13/bergstra12a.html. G. C. Cawley and N. L. C. Talbot, "On
    Over-fitting in Model Selection and Subsequent Selection Bias in Performance Evaluation", JMLR
    11, 2010, https://jmlr.org/papers/v11/cawley10a.html. I. Tsamardinos, E. Greasidou and
    G. Borboudakis, "Bootstrapping the Out-of-sample Predictions for Efficient and Accurate
    Cross-validation", Machine Learning 107, 2018, doi:10.1007/s10994-018-5714-4: the optimism, by
    choosing on some of the held-out predictions and scoring on the others; here, fold by fold.

    Examples
    --------
    >>> import vision
    >>> from classical import Threshold
    >>> images = [np.full((8, 8), 90, np.uint8) for _ in range(6)]
    >>> for image in images:
    ...     image[2:5, 2:5] = 120
    >>> truth = [np.where(image > 100, 255, 0).astype(np.uint8) for image in images]
    >>> found = tune(Threshold(), {"threshold__value": [60, 100, 140]}, images, truth, cv=3)
    >>> found
    Tuned({'threshold__value': 100}, score 1, 1 expected, 4 trials)
    >>> print(vision.to_text(found.best))
    - Threshold: {value: 100}
    <BLANKLINE>
    """
    check_integer("trials", trials, owner="tune", at_least=1)
    check_random_state("random_state", random_state, owner="tune")
    if budget is not None:
        check_number("budget", budget, owner="tune", above=0)
    if isinstance(pipeline, type) or not hasattr(pipeline, "get_params"):
        refuse("pipeline", pipeline, "a pipeline, a step or an estimator", "tune")
    if isinstance(pipeline, Composable) and not hasattr(pipeline, "predict"):
        pipeline = chain(pipeline)  # a step alone has no score
    settings, words = _settings(pipeline, space, trials, random_state)
    metric = scoring_of(metric, pipeline, "tune")
    classifies = is_classifier(pipeline)
    images, truth = _checked_data(images, truth, classifies)
    folds = make_folds(
        cv,
        truth,
        groups,
        stratified=classifies,
        random_state=random_state,
        owner="tune",
    )
    tried, started = [], time.monotonic()
    for parameters in settings:
        if tried and budget is not None and time.monotonic() - started >= budget:
            words += f"; stopped after {len(tried)} at its budget of {budget:g} seconds"
            break
        tried.append(_tried(pipeline, parameters, images, truth, folds.splits, metric, n_jobs))
    best = _best_of(tried)
    expected = _expected([trial.scores for trial in tried if not trial.error])
    notes = [f"{words}. Scored on {folds.words}.", *_failures(tried)]
    if _is_alone(tried):
        warnings.warn(notes[-1], TuningWarning, stacklevel=2)
    if _flattered(best.score, expected):
        notes.append(
            f"{len(truth)} images are too few for what was searched: as the best of "
            f"{len(tried)}, the score {best.score:.4g} is flattered; {expected:.4g} is to be "
            "expected of new images."
        )
        warnings.warn(notes[-1], TuningWarning, stacklevel=2)
    winner = _with(pipeline, best.parameters).fit(images, truth)
    return Tuned(winner, best.parameters, best.score, expected, tuple(tried), tuple(notes))


def _checked_data(images, truth, classifies):
    """Both by place; behind other steps images may be rows of numbers."""
    if not hasattr(images, "__len__"):
        refuse("images", images, "a list, an array or vision.Images", "tune")
    count = images.shape[0] if hasattr(images, "shape") else len(images)
    came = len(truth) if hasattr(truth, "__len__") else truth
    if came != count:
        refuse("truth", came, f"one entry an image, {count}", "tune")
    if classifies:
        check_truth(truth, Kind.CLASS, count)
    return by_place(images), by_place(truth)


def _settings(pipeline, space, trials, random_state):
    """What is to be tried, the pipeline as it came first, and how it was chosen in words."""
    from sklearn.model_selection import ParameterGrid, ParameterSampler

    _check_space(pipeline, space)
    finite = not any(hasattr(values, "rvs") for values in space.values())
    if finite and len(ParameterGrid(space)) <= trials:
        chosen, words = list(ParameterGrid(space)), "every setting of the space"
    else:
        chosen = list(ParameterSampler(space, trials, random_state=random_state))
        words = f"{trials} settings drawn at random with seed {random_state}"
    known = pipeline.get_params()
    as_it_came = {name: known[name] for name in space}
    return [as_it_came, *chosen], f"The pipeline as it came and {words}"


def _check_space(pipeline, space):
    if not isinstance(space, dict) or not space:
        refuse("space", space, "a dictionary of parameters to values", "tune")
    known = pipeline.get_params()
    for name, values in space.items():
        if name not in known:
            raise ParameterError(
                f"The 'space' of tune names {name!r}, which is no parameter of "
                f"{type(pipeline).__name__}. {did_you_mean(name, known)} Known: "
                f"{', '.join(sorted(known))}."
            )
        listed = not isinstance(values, str | dict) and hasattr(values, "__len__") and len(values)
        if not (hasattr(values, "rvs") or listed):
            refuse(name, values, "a list of values or a distribution with rvs", "the space of tune")


def _with(pipeline, parameters):
    """A copy with other parameters."""
    chosen = {name: clone(value, safe=False) for name, value in parameters.items()}
    return clone(pipeline).set_params(**chosen)


def _tried(pipeline, parameters, images, truth, splits, metric, n_jobs):
    from sklearn.utils.parallel import Parallel, delayed

    started, error = time.monotonic(), None
    try:
        trial = _with(pipeline, parameters)
        scores = Parallel(n_jobs=n_jobs)(
            delayed(_scored)(clone(trial), images, truth, split, metric) for split in splits
        )
        if not np.isfinite(scores).all():
            error = f"its scores are not finite: {scores}"
    except Exception as failure:  # whatever a setting makes of a step
        error = f"{type(failure).__name__}: {failure}"
    if error:
        scores = [float("nan")] * len(splits)
    return Trial(parameters, tuple(scores), time.monotonic() - started, error)


def _scored(trial, images, truth, split, metric):
    from sklearn.metrics import check_scoring

    (known, known_truth), (held, held_truth) = (
        (taken(images, places), taken(truth, places)) for places in split
    )
    scorer = check_scoring(trial, scoring=metric)
    return float(scorer(trial.fit(known, known_truth), held, held_truth))


def _best_of(trials):
    succeeded = [trial for trial in trials if not trial.error]
    if not succeeded:
        raise ParameterError(
            f"None of the {len(trials)} settings that tune tried could be scored. The first "
            f"failed with {trials[0].error}"
        )
    return max(succeeded, key=lambda trial: trial.score)


def _expected(scores):
    """The mean over folds of the score of what is best on the others."""
    scores = np.array(scores)
    if scores.shape[1] == 1:
        return float(scores.max())
    chosen = (scores.sum(axis=1, keepdims=True) - scores).argmax(axis=0)
    return float(scores[chosen, np.arange(scores.shape[1])].mean())


def _flattered(score, expected):
    return score - expected > LIMIT * abs(score)


def _failures(trials):
    failed = [trial for trial in trials if trial.error]
    if failed:
        which = ", all but the pipeline as it came" if _is_alone(trials) else ""
        yield (
            f"{len(failed)} of {len(trials)} settings failed{which}, the first with "
            f"{failed[0].error}"
        )


def _is_alone(trials):
    """Whether the first, the pipeline as it came, had rivals and all of them failed."""
    return len(trials) > 1 and all(trial.error for trial in trials[1:])


def _inner(name):
    return available_if(
        lambda self: hasattr(getattr(self, "best_estimator_", self.estimator), name)
    )


class Tune(BaseEstimator):
    """A pipeline that searches its own parameters whenever it is fitted, by `tune`.

    As a candidate of `vision.compare`, the search sees the training images of each fold alone.

    Parameters
    ----------
    estimator : pipeline, step or estimator
        As `pipeline` of `tune`.
    space, cv, trials, budget, metric, n_jobs, random_state
        As for `tune`.

    Attributes
    ----------
    tuned_ : Tuned
        What was found.
    best_estimator_ : estimator
        What predicts.

    Examples
    --------
    >>> from classical import RawPixels
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.svm import SVC
    >>> digits = load_digits()
    >>> images, labels = (digits.images[:400] * 15).astype(np.uint8), digits.target[:400]
    >>> svm = Tune(RawPixels(8) >> SVC(), {"svc__C": [0.01, 1, 100]})
    >>> svm.fit(images[:300], labels[:300]).tuned_.parameters
    {'svc__C': 100}
    """

    refit = True  # as scikit-learn's searches have it: what is inside is looked at by its kind

    def __init__(
        self,
        estimator,
        space,
        *,
        cv=5,
        trials=30,
        budget=None,
        metric=None,
        n_jobs=None,
        random_state=0,
    ):
        self.estimator = estimator
        self.space = space
        self.cv = cv
        self.trials = trials
        self.budget = budget
        self.metric = metric
        self.n_jobs = n_jobs
        self.random_state = random_state

    def __sklearn_tags__(self):
        tags = get_tags(self.estimator)
        tags.requires_fit = True
        return tags

    def fit(self, images, truth, groups=None):
        """Search, then fit the best on all images.

        Returns
        -------
        Tune
            Itself.
        """
        options = self.get_params(deep=False)
        pipeline, space = options.pop("estimator"), options.pop("space")
        self.tuned_ = tune(pipeline, space, images, truth, groups=groups, **options)
        self.best_estimator_ = self.tuned_.best
        return self

    def _fitted(self):
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self, "best_estimator_")
        return self.best_estimator_

    @property
    def classes_(self):
        """The labels, of a classifier."""
        return self._fitted().classes_

    @_inner("__call__")
    def __call__(self, image):
        """What the best pipeline gives for one image."""
        return self._fitted()(image)

    @_inner("predict")
    def predict(self, images):
        """As the best pipeline."""
        return self._fitted().predict(images)

    @_inner("predict_proba")
    def predict_proba(self, images):
        """As the best pipeline."""
        return self._fitted().predict_proba(images)

    @_inner("decision_function")
    def decision_function(self, images):
        """As the best pipeline."""
        return self._fitted().decision_function(images)

    @_inner("transform")
    def transform(self, images):
        """As the best pipeline."""
        return self._fitted().transform(images)

    def score(self, images, truth):
        """The metric that was searched for."""
        from sklearn.metrics import check_scoring

        best = self._fitted()
        scoring = scoring_of(self.metric, best, "Tune")
        return check_scoring(best, scoring=scoring)(best, images, truth)
