"""`compare`: methods side by side, on the same data, folds and metric."""

import time

import numpy as np

from vision.checks import check_number, check_random_state, refuse
from vision.comparison_candidates import (
    Outcome,
    Study,
    by_place,
    check_candidate,
    family_of,
    text_of,
)
from vision.comparison_faithfulness import check_faithfulness, faithfulness_of
from vision.comparison_folds import make_folds, some_held_out
from vision.comparison_provenance import provenance
from vision.comparison_result import Candidate, Comparison
from vision.comparison_run import Run, rated
from vision.comparison_statistics import Draws, estimates, pairs_of
from vision.comparison_tasks import check_answers, task_named, task_of_candidates
from vision.kinds import Kind, kinds_of
from vision.learning_curves import curve_sizes, learning_curves
from vision.near_duplicates import find_duplicates, survey
from vision.robustness import AT_MOST, robustness_of
from vision.step import as_batch, is_lazy
from vision.truth import check_truth


def compare(
    candidates,
    images,
    truth,
    *,
    task=None,
    cv=5,
    groups=None,
    curve=None,
    robustness=False,
    faithfulness=False,
    regions=None,
    folder=None,
    budget=None,
    random_state=0,
    progress=None,
):
    """Hold methods against each other: the same images, folds, metric and machine.

    Every candidate is cloned and fitted anew in each fold, with all its preprocessing, and judged
    by what it says of the images that were held out. One that fails is a row with its error; so is
    one that writes to the pictures, which are the same for all.
    Ctrl-C ends the comparison with what has finished.

    Parameters
    ----------
    candidates : dict of str to Pipeline, step or estimator
        By name, classical and deep ones mixed, unfitted; left as they are.
    images : list, Images or ndarray
        The pictures.
    truth : sequence
        One entry an image, as `vision.truth.check_truth` asks for: a label, a mask or label map,
        an edge mask, a picture.
    task : str, optional
        "classification", "segmentation", "instances", "edges" or "restoration"; by default what the
        candidates give says it.
    cv : int, float, splitter or sequence, default=5
        Folds, see `vision.comparison_folds.make_folds`: their number, a share to hold out once, one
        of scikit-learn's splitters, or the fold of each image.
    groups : sequence, optional
        One entry an image: those of one group, such as one person's, stay together, and are drawn
        together for intervals. `Tune` and scikit-learn's searches, alone or as the last step, are
        told those of their training images: their own `cv` can be no more than these are.
    curve : bool or sequence of int, optional
        Whether to measure learning curves, and at how many training images; see
        `vision.learning_curves`.
    robustness : bool or int, default=False
        Whether to measure on spoiled pictures, and on how many; see `vision.robustness`.
    faithfulness : bool or int, default=False
        Of a classification, whether to measure how true the explanations are, and on how many
        pictures; see `vision.comparison_faithfulness`.
    regions : sequence, optional
        For `faithfulness`, where the object is in each picture, as for `vision.pointing_game`.
    folder : str or path-like, optional
        Where finished candidates are kept. What has been done there with the same candidate, data
        and folds is not done again. The code of classes and functions of your own is no part of
        that: after editing it, take another folder.
    budget : float, optional
        Seconds that the fits and predictions of a candidate may take in all folds; one that takes
        longer stops after the fold and is a row with that error. By default there is no limit.
    random_state : int, default=0
        Seed of the folds and of resampling; NumPy's and Python's own generators start at it before
        each fit.
    progress : bool, optional
        False shows nothing.

    Returns
    -------
    Comparison

    Raises
    ------
    ParameterError
        If a parameter makes no sense or the truth does not fit the images.
    KindError
        If something is no candidate, or they answer different questions.
    KeyboardInterrupt
        On Ctrl-C before any candidate had finished.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from classical import RawPixels
    >>> digits = load_digits()
    >>> images, labels = digits.images[:300].astype(np.uint8) * 15, digits.target[:300]
    >>> study = compare(
    ...     {
    ...         "linear": RawPixels(8) >> LogisticRegression(max_iter=1000),
    ...         "bayes": RawPixels(8) >> GaussianNB(),
    ...     },
    ...     images,
    ...     labels,
    ...     cv=3,
    ...     progress=False,
    ... )
    >>> study.ranking()
    ['linear', 'bayes']
    """
    started, clock = time.time(), time.perf_counter()
    asked = {"task": task, "cv": cv, "curve": curve, "robustness": robustness}
    asked |= {"faithfulness": faithfulness, "budget": budget}
    candidates, random_state = _checked(candidates, budget, random_state), int(random_state)
    task = task_of_candidates(candidates) if task is None else task_named(task)
    images = by_place(as_batch(images))
    kind = _kind_of_truth(task, truth)
    check_answers(candidates, kind)
    check_truth(truth, kind, len(images))
    folds = make_folds(cv, truth, groups, stratified=not task.graded, random_state=random_state)
    truth = by_place(truth) if task.graded else np.asarray(truth)
    classes = None if task.graded else np.unique(truth)
    groups = None if groups is None else np.asarray(groups)
    study = Study(images, truth, task, classes, folds, random_state, budget, groups)
    sizes = curve_sizes(curve, study) if curve is not None and curve is not False else None
    spoiled = None
    if robustness is not False:
        spoiled = some_held_out("robustness", robustness, folds, random_state, AT_MOST)
    explained = check_faithfulness(faithfulness, regions, study)
    found = survey(images)
    duplicates, count = find_duplicates(found, folds.splits)
    run = Run(study, candidates, folder=folder, data_key=found.key, progress=progress)
    run(sizes, spoiled, explained)
    places = np.flatnonzero(folds.held_out >= 0)
    draws = Draws(len(places), None if groups is None else groups[places], random_state)
    judged = {
        name: _judged(study, name, candidates[name], outcome, places, draws)
        for name, outcome in run.outcomes.items()
    }
    ratings = {name: rating for name, (_, rating) in judged.items() if rating is not None}
    notes = [*run.notes, *_of_duplicates(duplicates, count)]
    return Comparison(
        task=task.name,
        metric=task.metric,
        measures={measure.name: measure for measure in task.measures},
        classes=classes,
        names=_names(images),
        truth=truth,
        folds=folds.held_out,
        candidates=tuple(row for row, _ in judged.values()),
        pairs=pairs_of(ratings, places, task, draws),
        duplicates=duplicates,
        curves=learning_curves(run.curves, sizes, study) if run.curves else None,
        robustness=robustness_of(run.robustness, images, spoiled) if run.robustness else None,
        faithfulness=faithfulness_of(run.faithfulness, explained) if run.faithfulness else None,
        provenance=provenance(
            study,
            candidates,
            asked,
            notes=notes,
            started=started,
            seconds=time.perf_counter() - clock,
        ),
        images=images,
    )


def _checked(candidates, budget, random_state):
    if not isinstance(candidates, dict) or not candidates:
        hint = 'compare({"edges + SVM": pipeline, ...}, images, truth).'
        refuse("candidates", candidates, "a dictionary of names and estimators", "compare", hint)
    for name in candidates:
        if not isinstance(name, str) or not name.strip():
            refuse("candidates", name, "named by texts", "compare")
    if budget is not None:
        check_number("budget", budget, owner="compare", above=0)
    check_random_state("random_state", random_state, owner="compare")
    return {name: check_candidate(name, one) for name, one in candidates.items()}


def _kind_of_truth(task, truth):
    """Of what kind the truth is: of those of the task the one that its first entry looks like."""
    if len(task.kinds) > 1 and Kind.EDGES not in task.kinds:
        first = next(iter(truth), None) if hasattr(truth, "__len__") else None
        found = kinds_of(first) if isinstance(first, np.ndarray) else ()
        for kind in task.kinds:
            if kind in found:
                return kind
    return task.kinds[0]


def _judged(study, name, estimator, outcome, places, draws):
    """A candidate as a row of the comparison, and its `Ratings`; None of one that failed."""
    told = {"name": name, "family": family_of(estimator), "text": text_of(estimator)}
    if outcome.error is None:
        try:
            return _measured(study, told, outcome, places, draws)
        except Exception as error:  # what it predicts may not be what the task asks for
            outcome = Outcome(error=f"{type(error).__name__} in what it predicts: {error}")
    return Candidate(**told, error=outcome.error, notes=outcome.notes), None


def _measured(study, told, outcome, places, draws):
    ratings = rated(study, outcome.predictions, outcome.probabilities, places)
    per_image = np.full(len(study.truth), np.nan)
    per_image[places] = ratings.per_image
    row = Candidate(
        **told,
        scores=estimates(ratings, draws, study.task),
        per_image=per_image,
        predictions=outcome.predictions,
        probabilities=outcome.probabilities,
        per_class=ratings.per_class,
        fold_scores=_fold_scores(study, ratings, places),
        fit_seconds=outcome.fit_seconds,
        latency=outcome.latency,
        memory_bytes=outcome.memory_bytes,
        parameters=outcome.parameters,
        size_bytes=outcome.size_bytes,
        notes=outcome.notes,
        fitted=outcome.fitted,
    )
    return row, ratings


def _fold_scores(study, ratings, places):
    folds = study.folds.held_out[places]
    weights = (folds == np.arange(len(study.folds.splits))[:, None]).astype(np.float64)
    return tuple(ratings.statistics[study.task.metric](weights).tolist())


def _of_duplicates(duplicates, count):
    across = sum(pair.across for pair in duplicates)
    if across:
        yield (
            f"{across} pairs of pictures that are the same or nearly lie across the split: a "
            "model learned from the one and was tested on the other. Put each pair into one "
            "group (groups=), or leave one of it out."
        )
    if count > len(duplicates):
        told = len(duplicates)
        yield f"Of {count} pairs of pictures that are the same or nearly, {told} are told."


def _names(images):
    if is_lazy(images):
        return [images.name(index) for index in range(len(images))]
    return [f"{index:06d}" for index in range(len(images))]
