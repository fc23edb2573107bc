"""The tasks: what `score` means for each kind of result."""

from dataclasses import dataclass

import numpy as np

from vision.errors import KindError, ParameterError
from vision.kinds import Kind


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
        ``measure(results, truth)`` gives the score, a float, of paired results and truths.

    Examples
    --------
    >>> task_of(Kind.MASK).metric
    'mean IoU'
    """

    name: str
    metric: str
    measure: object

    def score(self, results, truth):
        """The metric over all images.

        Raises
        ------
        ParameterError
            If there is not one truth for each result.
        """
        if truth is None or len(truth) != len(results):
            came = "none" if truth is None else str(len(truth))
            raise ParameterError(
                f"The 'truth' of score must have one entry per image, {len(results)} in all. "
                f"Got {came}."
            )
        return float(self.measure(results, truth))


def _mean_over_images(name):
    def measure(results, truth):
        from vision import metrics

        metric = getattr(metrics, name)
        return np.mean([metric(result, true) for result, true in zip(results, truth, strict=True)])

    return measure


def _detection(results, truth):
    from vision.detection_metrics import average_precision

    return average_precision(_as_detections(results), _as_detections(truth)).map


def _as_detections(entries):
    return [e.to_detections() if hasattr(e, "to_detections") else e for e in entries]


def _boundaries(results, truth):
    from vision.boundaries import boundary_f

    return boundary_f(results, truth).ods


def _recall(results, truth):
    from vision.metrics import recall_at_k

    return recall_at_k(np.asarray(results), np.asarray(truth), k=1)


SEGMENTATION = Task("segmentation", "mean IoU", _mean_over_images("mean_iou"))
DETECTION = Task("detection", "COCO mAP", _detection)
EDGE_DETECTION = Task("edges", "ODS F-measure", _boundaries)
RESTORATION = Task("restoration", "PSNR", _mean_over_images("psnr"))
EMBEDDING = Task("embedding", "recall@1", _recall)

TASKS = {
    Kind.MASK: SEGMENTATION,
    Kind.LABELS: SEGMENTATION,
    Kind.CONTOURS: DETECTION,
    Kind.DETECTIONS: DETECTION,
    Kind.EDGES: EDGE_DETECTION,
    Kind.MAP: EDGE_DETECTION,
    Kind.RGB: RESTORATION,
    Kind.GRAY: RESTORATION,
    Kind.FLOAT: RESTORATION,
    Kind.FEATURES: EMBEDDING,
}


def task_of(kind):
    """The task whose results are of this kind.

    Raises
    ------
    KindError
        If none is: then a scorer must be given (``scoring=``).
    """
    if kind not in TASKS:
        described = getattr(kind, "described", str(kind))
        raise KindError(
            f"score has no metric for {described}. It has one for "
            f"{', '.join(sorted(TASKS))}; otherwise pass your own scoring=."
        )
    return TASKS[kind]
