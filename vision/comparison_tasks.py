"""What is measured in a comparison, task by task: `TASKS`, an open table.

A task says of what was predicted for every image how good it is: one number an image, and
metrics as functions of how often each image counts. With every image once they are the metrics;
with the counts of a resample those of that resample; with one fold's images alone that fold's.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from vision.comparison_result import Measure
from vision.errors import KindError, ParameterError
from vision.flow import kind_given, numbers_regions
from vision.kinds import Kind
from vision.nearest import did_you_mean


@dataclass(frozen=True, eq=False)
class Ratings:
    """How good the predictions of a candidate are.

    Parameters
    ----------
    per_image : (n,) ndarray of float64
        The main metric of each image.
    statistics : dict of str to callable
        Metrics by name: ``statistic(weights)`` takes how often each image counts, (r, n), and
        gives (r,) values.
    per_class : dict of class to dict of str to float
    """

    per_image: np.ndarray
    statistics: dict
    per_class: dict = field(default_factory=dict)

    def value(self, metric):
        """A metric over all images."""
        return float(self.statistics[metric](np.ones((1, len(self.per_image))))[0])

    def values(self):
        """Every metric over all images: a dictionary."""
        return {metric: self.value(metric) for metric in self.statistics}


@dataclass(frozen=True)
class ComparedTask:
    """One row of the table: a question that methods of both families answer.

    Parameters
    ----------
    name : str
    measures : tuple of Measure
        The main metric first.
    kinds : tuple of Kind
        What its pipelines give.
    rate : callable
        ``rate(predictions, probabilities, truth, classes)`` gives the `Ratings` of a candidate,
        whose statistics have the names of `measures`; those that cannot be told are left out.
    graded : bool, default=True
        Whether an image can be half right; otherwise it is right or wrong.
    """

    name: str
    measures: tuple
    kinds: tuple
    rate: Callable
    graded: bool = True

    @property
    def metric(self):
        """The name of the main metric."""
        return self.measures[0].name


class Mean:
    """The statistic that is a mean of one number an image.

    Examples
    --------
    >>> Mean([1.0, 0.0, 1.0])(np.array([[1, 1, 1], [0, 2, 1]])).round(3).tolist()
    [0.667, 0.333]
    """

    def __init__(self, values):
        self.values = np.asarray(values, np.float64)

    def __call__(self, weights):
        # Infinite values times a weight of 0 would be NaN.
        counted = np.where(np.isinf(self.values), 0, self.values)
        sums = weights @ counted
        for sign in (np.inf, -np.inf):
            sums[(weights[:, self.values == sign] > 0).any(axis=1)] = sign
        return sums / weights.sum(axis=1)


def _classification(*found):
    from vision.comparison_classes import rate_classes

    return rate_classes(*found)


def _segmentation(*found):
    from vision.comparison_pictures import rate_segmentation

    return rate_segmentation(*found)


def _instances(*found):
    from vision.comparison_pictures import rate_instances

    return rate_instances(*found)


def _edges(*found):
    from vision.comparison_edges import rate_edges

    return rate_edges(*found)


def _restoration(*found):
    from vision.comparison_pictures import rate_restoration

    return rate_restoration(*found)


POINTS, SHARE = "points", (0, 1)
TASKS = {
    task.name: task
    for task in (
        ComparedTask(
            "classification",
            (
                Measure(
                    "accuracy",
                    "The share of the images that are named right.",
                    unit=POINTS,
                    bounds=SHARE,
                ),
                Measure(
                    "balanced accuracy",
                    "The share that is named right in each class, averaged over classes.",
                    unit=POINTS,
                    bounds=SHARE,
                ),
                Measure(
                    "macro F1",
                    "The F1 of each class, averaged over classes.",
                    unit=POINTS,
                    bounds=SHARE,
                ),
                Measure(
                    "AUC",
                    "The chance that an image of a class gets a higher probability of it than "
                    "one that is not, averaged over classes.",
                    bounds=SHARE,
                ),
                Measure(
                    "log loss",
                    "The mean of minus the logarithm of the true class' probability.",
                    higher=False,
                    bounds=(0, np.inf),
                ),
                Measure(
                    "Brier score",
                    "The mean squared error of the probabilities: of two classes that of the "
                    "second, of more the sum over classes.",
                    higher=False,
                    bounds=(0, np.inf),
                ),
            ),
            (Kind.CLASS,),
            _classification,
            graded=False,
        ),
        ComparedTask(
            "segmentation",
            (
                Measure(
                    "mean IoU",
                    "Intersection over union of each class of an image, averaged over its "
                    "classes, then over images.",
                    unit=POINTS,
                    bounds=SHARE,
                ),
                Measure(
                    "Dice",
                    "Twice the intersection over the sum of both areas, averaged in the same way.",
                    unit=POINTS,
                    bounds=SHARE,
                ),
                Measure(
                    "boundary F",
                    "The F-measure of the boundaries between classes, matched within 0.75% of "
                    "the diagonal, averaged over images.",
                    unit=POINTS,
                    bounds=SHARE,
                ),
            ),
            (Kind.MASK, Kind.LABELS),
            _segmentation,
        ),
        ComparedTask(
            "instances",
            (
                Measure(
                    "panoptic quality",
                    "The F1 of finding the objects, those with an IoU above 0.5, times the mean "
                    "IoU of those that were found; over all images, whatever the objects' numbers.",
                    unit=POINTS,
                    bounds=SHARE,
                ),
                Measure("F1", "The F1 of finding the objects.", unit=POINTS, bounds=SHARE),
                Measure("IoU", "The mean IoU of those that were found.", unit=POINTS, bounds=SHARE),
            ),
            (Kind.LABELS,),
            _instances,
        ),
        ComparedTask(
            "edges",
            (
                Measure(
                    "ODS F",
                    "The F-measure over all images at the one threshold that is best for all.",
                    unit=POINTS,
                    bounds=SHARE,
                ),
                Measure(
                    "OIS F",
                    "The F-measure over all images, each at the threshold that is best for it.",
                    unit=POINTS,
                    bounds=SHARE,
                ),
                Measure("AP", "The area under precision over recall.", unit=POINTS, bounds=SHARE),
            ),
            (Kind.EDGES, Kind.MAP),
            _edges,
        ),
        ComparedTask(
            "restoration",
            (
                Measure("PSNR", "Peak signal-to-noise ratio, averaged over images.", unit="dB"),
                Measure("SSIM", "Structural similarity, averaged over images.", bounds=(-1, 1)),
            ),
            (Kind.RGB, Kind.GRAY, Kind.FLOAT),
            _restoration,
        ),
    )
}


def task_named(name):
    """A task of the table.

    Parameters
    ----------
    name : str

    Returns
    -------
    ComparedTask

    Raises
    ------
    ParameterError
        If there is none of that name.

    Examples
    --------
    >>> task_named("edges").metric
    'ODS F'
    """
    if isinstance(name, str) and name in TASKS:
        return TASKS[name]
    hint = did_you_mean(name, TASKS) if isinstance(name, str) else ""
    known = ", ".join(map(repr, TASKS))
    raise ParameterError(
        f"The 'task' of compare must be one of {known}. Got {name!r}. {hint}".strip()
    )


def task_of_candidates(candidates):
    """The task that all candidates answer, by what they give.

    Parameters
    ----------
    candidates : dict of str to estimator

    Returns
    -------
    ComparedTask

    Raises
    ------
    KindError
        If they answer different tasks, or one of which the table has none.
    """
    found = {name: _task_of(name, estimator) for name, estimator in candidates.items()}
    if len(set(found.values())) > 1:
        told = ", ".join(f"{name!r} {task}" for name, task in found.items())
        raise KindError(
            f"The candidates of compare must answer one question. Got {told}. Compare those of "
            "each task by themselves, or say which it is: task=."
        )
    return TASKS[next(iter(found.values()))]


def check_answers(candidates, kind):
    """Refuse, before any work, masks where the truth are label maps: no metric compares the two.

    Parameters
    ----------
    candidates : dict of str to estimator
    kind : Kind
        Of the truth.

    Raises
    ------
    KindError
    """
    if kind is not Kind.LABELS:
        return
    for name, estimator in candidates.items():
        if kind_given(estimator) is Kind.MASK:
            raise KindError(
                f"The candidate {name!r} gives masks, 0 and 255, but the truth are label maps. "
                "A truth of two classes is compared as masks: store them as 0 and 255, of arrays "
                "(labels > 0).astype(np.uint8) * 255."
            )


def _task_of(name, estimator):
    kind = kind_given(estimator)
    if kind is Kind.LABELS and numbers_regions(estimator):
        return "instances"
    for task in TASKS.values():
        if kind in task.kinds:
            return task.name
    described = getattr(kind, "described", str(kind))
    raise KindError(
        f"compare has no task for {described}, which {name!r} gives. It has {', '.join(TASKS)}; "
        "say which is meant: task=."
    )
