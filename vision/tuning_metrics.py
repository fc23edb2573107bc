"""What `tune` searches for: the pipeline's own score, a name, or a callable."""

import inspect
from functools import partial

import numpy as np

from vision.checks import refuse
from vision.flow import kind_given, numbers_regions
from vision.kinds import Kind
from vision.metrics import iou
from vision.nearest import did_you_mean
from vision.tasks import TASKS, Task, task_of

_CALL = "a callable metric(pipeline, images, truth) that gives a number, the higher the better"
_EACH = (
    "Of a function of one image's prediction and truth make lambda pipeline, images, truth: "
    "np.mean([{}(*pair) for pair in zip(pipeline.predict(images), truth)])."
)


_OF_ALL = (
    "Of a function of all predictions and truths make lambda pipeline, images, truth: "
    "{}(pipeline.predict(images), truth).{}."
)
# What is defined over all images, and the attribute that is the score.
_WHOLE = {"average_precision": "map", "boundary_f": "ods", "panoptic_quality": "pq"}


def _mean_iou(pairs):
    return np.mean([iou(*pair) for pair in pairs])


def _mean_dice(pairs):
    shares = np.array([iou(*pair) for pair in pairs])
    return np.mean(2 * shares / (1 + shares))


# By name; each of the foreground alone, averaged over images.
FOREGROUND = {
    "iou": Task("segmentation", "IoU of the foreground", _mean_iou, Kind.MASK),
    "dice": Task("segmentation", "Dice of the foreground", _mean_dice, Kind.MASK),
}


def scoring_of(metric, pipeline, owner):
    """A metric as scikit-learn's ``check_scoring`` takes it.

    Parameters
    ----------
    metric : str, callable or None
        As for `vision.tune`.
    pipeline : estimator
        What is to be scored.
    owner : str
        Who asks, for the message.

    Returns
    -------
    str, callable or None

    Raises
    ------
    ParameterError
        If it is none of what can score such a pipeline.

    Examples
    --------
    >>> from classical import Threshold
    >>> from vision import chain
    >>> image = np.array([[50, 150, 250]], np.uint8)
    >>> pipeline = chain(Threshold(100))
    >>> scoring_of("dice", pipeline, "tune")(pipeline, [image], [np.uint8([[0, 0, 255]])])
    0.6666666666666666
    """
    if metric is None:
        return None
    if callable(metric) and _takes_three(metric):
        return metric
    kind = kind_given(pipeline)
    if callable(metric):
        refuse("metric", metric, _allowed(kind, pipeline), owner, _made_of(metric))
    names = _names(kind)
    if not (isinstance(metric, str) and metric in names):
        way_out = _way_out(metric, kind, names)
        refuse("metric", metric, _allowed(kind, pipeline), owner, way_out)
    return partial(_score, metric) if metric in FOREGROUND else metric


def _score(name, pipeline, images, truth):
    return FOREGROUND[name].score(pipeline.predict(images), truth)


def _takes_three(metric):
    try:
        inspect.signature(metric).bind("pipeline", "images", "truth")
    except ValueError:  # of a function in C nobody knows the signature
        return True
    except TypeError:
        return False
    return True


def _made_of(function):
    """What makes a metric of a function of predictions and truth."""
    name = getattr(function, "__name__", "metric")
    if str(getattr(function, "__module__", "")).startswith("sklearn."):
        return f"sklearn.metrics.make_scorer({name}) makes one of it."
    if name in _WHOLE:
        return _OF_ALL.format(name, _WHOLE[name])
    return _EACH.format(name if name.isidentifier() else "metric")


def _gives_pictures(kind):
    """Whether what is given is compared picture by picture, as no scorer of scikit-learn does."""
    return isinstance(kind, Kind) and kind in TASKS and kind is not Kind.FEATURES


def _names(kind):
    from sklearn.metrics import get_scorer_names

    masks = list(FOREGROUND) if kind is Kind.MASK else []
    return masks if _gives_pictures(kind) else [*masks, *get_scorer_names()]


def _allowed(kind, pipeline):
    if not _gives_pictures(kind):
        return f"a name of sklearn.metrics.get_scorer_names() or {_CALL}"
    names = "'iou' or 'dice' of the foreground, " if kind is Kind.MASK else ""
    own = task_of(kind, regions=numbers_regions(pipeline)).metric
    return f"None for the pipeline's own score ({own}), {names}or {_CALL}"


def _way_out(metric, kind, names):
    meant = did_you_mean(metric, names) if isinstance(metric, str) else ""
    return meant or (_EACH.format("metric") if _gives_pictures(kind) else "")
