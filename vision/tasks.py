"""The tasks: what `score` means for each kind of result."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from vision.errors import KindError, ParameterError
from vision.kinds import Branched, Kind
from vision.truth import check_truth
from vision.truth_entries import check_entry, check_pair


@dataclass(frozen=True)
class Task:
    """A question that both classical and deep pipelines answer.

    Parameters
    ----------
    name : str
        The field's name for it.
    metric : str
        What `score` returns, in words.
    measure : callable
        ``measure(pairs)`` gives the score, a float, of an iterator of (result, truth), one an
        image.
    kind : Kind
        The kind of the results.

    Examples
    --------
    >>> task_of(Kind.MASK).metric
    'mean IoU'
    """

    name: str
    metric: str
    measure: object
    kind: Kind

    def score(self, results, truth):
        """The metric over all images.

        Parameters
        ----------
        results : sequence
            What a pipeline gave, one an image.
        truth : sequence
            What should have come, one an image, as `vision.truth.check_truth` asks for.

        Returns
        -------
        float
            Higher is better.

        Raises
        ------
        ParameterError
            If there is not one truth for each result, or one cannot be compared with its result.

        Examples
        --------
        >>> truth = np.array([[0, 0, 255, 255]], np.uint8)
        >>> task_of(Kind.MASK).score([np.array([[0, 255, 255, 255]], np.uint8)], [truth])
        0.5833333333333333
        """
        check_truth(truth, self.kind, len(results))
        return float(self.measure(self._pairs(results, truth)))

    def _pairs(self, results, truth):
        lazy = hasattr(truth, "sources")
        for index, (result, entry) in enumerate(zip(results, truth, strict=True)):
            if lazy:  # the others were checked with all of them
                check_entry(entry, index, self.kind, lazy=True)
            check_pair(result, entry, index, self.kind)
            yield result, entry


def _mean_over_images(name, pairs):
    from vision import metrics

    metric = getattr(metrics, name)
    return np.mean([metric(result, true) for result, true in pairs])


def _detection(pairs):
    from vision.detection_metrics import average_precision

    return average_precision(*zip(*pairs), max_detections=None).map


def _panoptic(pairs):
    from vision.panoptic import panoptic_quality

    return panoptic_quality(*zip(*pairs)).pq


def _boundaries(pairs):
    from vision.boundaries import boundary_f

    return boundary_f(*zip(*pairs)).ods


def _recall(pairs):
    from vision.metrics import recall_at_k

    features, labels = map(np.asarray, zip(*pairs))
    if len(np.unique(labels)) == len(labels):
        raise ParameterError(
            "The 'truth' of a pipeline that gives features must hold a label twice or more: "
            f"recall@1 asks for another image of the same one. Got {len(labels)} different labels."
        )
    return recall_at_k(features, labels, k=1)


def _tasks(name, metric, measure, *kinds):
    return {kind: Task(name, metric, measure, kind) for kind in kinds}


_iou, _psnr = (partial(_mean_over_images, name) for name in ("mean_iou", "psnr"))
TASKS = {
    **_tasks("segmentation", "mean IoU", _iou, Kind.MASK, Kind.LABELS),
    **_tasks("detection", "mAP", _detection, Kind.CONTOURS, Kind.DETECTIONS),
    **_tasks("edges", "ODS F-measure", _boundaries, Kind.EDGES, Kind.MAP),
    **_tasks("restoration", "PSNR", _psnr, Kind.RGB, Kind.GRAY, Kind.FLOAT),
    **_tasks("embedding", "recall@1", _recall, Kind.FEATURES),
}


INSTANCES = Task("instances", "panoptic quality", _panoptic, Kind.LABELS)


def task_of(kind, *, regions=False):
    """The task whose results are of this kind.

    Parameters
    ----------
    kind : Kind or Branched
        What a pipeline gives.
    regions : bool, default=False
        Whether its labels number regions, see `vision.flow.numbers_regions`: these are matched by
        where they lie, not by their numbers.

    Returns
    -------
    Task

    Raises
    ------
    KindError
        If none is: then a scorer must be given (``scoring=``).

    Examples
    --------
    >>> task_of(Kind.CONTOURS).name, task_of(Kind.RGB).metric
    ('detection', 'PSNR')
    """
    if kind is Kind.LABELS and regions:
        return INSTANCES
    if isinstance(kind, Kind) and kind in TASKS:
        return TASKS[kind]
    described = getattr(kind, "described", str(kind))
    raise KindError(f"score has no metric for {described}. {_way_out(kind)}")


def _way_out(kind):
    if isinstance(kind, Branched):
        first = next(iter(kind), "name")
        return f"Score one of them, picked by >> Pick({first!r}), or pass your own scoring=."
    if kind is Kind.CLASS:
        return "A classifier scores itself, by accuracy; or pass your own scoring=."
    if kind is Kind.VALUE:
        return "A regressor scores itself, by R squared; or pass your own scoring=."
    return f"It has one for {', '.join(sorted(TASKS))}; otherwise pass your own scoring=."
