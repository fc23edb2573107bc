"""Average precision of detected boxes, by the protocol of COCO."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from vision.checks import check_integer, check_number, refuse
from vision.errors import ParameterError

# COCO's parameters; linspace, as there, so that the floats are the same.
COCO_IOU_THRESHOLDS = tuple(np.linspace(0.5, 0.95, 10).tolist())
RECALL_POINTS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True)
class DetectionScore:
    """How well detected boxes agree with the true ones.

    Attributes
    ----------
    map : float
        Mean average precision: over the IoU thresholds asked for, then over the labels of the
        truth. From 0 to 1; NaN where the truth holds no box at all, as nothing can be said then
        (pycocotools answers -1).
    map_50, map_75 : float
        The same at the one IoU threshold 0.5 (that of PASCAL VOC), and at 0.75.
    recall : float
        Largest recall, averaged over thresholds and labels (COCO's AR at `max_detections`).
    per_label : dict
        The average precision of each label of the truth, over the IoU thresholds asked for;
        the label is None where boxes have none.
    """

    map: float
    map_50: float
    map_75: float
    recall: float
    per_label: dict = field(default_factory=dict)


def box_iou(a, b):
    """Intersection over union of every box of one set with every box of another.

    Parameters
    ----------
    a : array-like, shape (n, 4)
    b : array-like, shape (m, 4)
        Boxes xyxy, (left, top, right, bottom), in pixels; areas are continuous, with no pixel
        added.

    Returns
    -------
    numpy.ndarray, shape (n, m), float64
        From 0 to 1. Boxes that only touch, and boxes without area, give 0.

    Raises
    ------
    ParameterError
        If one is not a table of four columns.

    Examples
    --------
    >>> box_iou([[0, 0, 10, 10]], [[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]]).tolist()
    [[1.0, 0.3333333333333333, 0.0]]
    """
    a, b = _boxes("a", a), _boxes("b", b)
    sides = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
    shared = np.prod(np.maximum(sides, 0), axis=2)
    union = np.prod(a[:, 2:] - a[:, :2], axis=1)[:, None] + np.prod(b[:, 2:] - b[:, :2], axis=1)
    union = union - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=shared > 0)


def _boxes(name, boxes):
    boxes = np.asarray(boxes, dtype=np.float64)
    if boxes.size == 0:
        return boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        refuse(name, boxes, "boxes xyxy of shape (n, 4)", "box_iou")
    return boxes


def average_precision(predicted, truth, *, iou_thresholds=None, max_detections=100):
    """Mean average precision of boxes over a set of images, exactly as COCO computes it.

    For each label and each IoU threshold, the boxes of an image are taken in the order of their
    scores, and each takes the free true box that it overlaps most, if by at least the threshold.
    Over all images in the order of scores this gives precision against recall, made
    non-increasing and read at the 101 recalls 0, 0.01, ..., 1. Equal to pycocotools' ``COCOeval``
    (``iouType="bbox"``, all areas, no crowds).

    Labels that only the prediction has do not count, as in COCO: truth must hold every label that
    is to be punished.

    Parameters
    ----------
    predicted, truth : list of Detections, one an image, in one order
        Or of anything with ``to_detections()``, such as `Contours`. Missing scores count as 1,
        in the order given; the scores of the truth are not looked at. Labels are given on both
        sides, or (all None) on neither: then all boxes are of one class.
    iou_thresholds : sequence of float or float, default=(0.5, 0.55, ..., 0.95)
        Each above 0 and at most 1.
    max_detections : int or None, default=100
        Only so many of the best boxes of each label count in an image; None: all.

    Returns
    -------
    DetectionScore

    Raises
    ------
    ParameterError
        If the lists differ in length, labels are given on one side only, a threshold is not
        above 0 and at most 1, or `max_detections` is below 1.

    References
    ----------
    T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, arXiv:1405.0312,
    and the evaluation protocol at cocodataset.org.

    Examples
    --------
    >>> from vision.detections import Detections
    >>> truth = Detections(boxes=np.array([[0, 0, 10, 10], [20, 20, 30, 30]]), shape=(40, 40))
    >>> found = Detections(boxes=np.array([[0, 0, 10, 8]]), shape=(40, 40))  # IoU 0.8
    >>> score = average_precision([found], [truth])
    >>> round(score.map_50, 4), round(score.map, 4)  # 51 of 101 recalls; at 7 of 10 thresholds
    (0.505, 0.3535)
    """
    thresholds = _thresholds(iou_thresholds)
    if max_detections is not None:
        check_integer("max_detections", max_detections, owner="average_precision", at_least=1)
    predicted, truth = _paired(predicted, truth)
    at = np.append(thresholds, (0.5, 0.75))
    curves = {
        label: _curve(matches, at)
        for label, matches in _match_all(predicted, truth, at, max_detections).items()
        if any(count for _, _, count in matches)
    }
    return _score(curves, len(thresholds))


def _score(curves, asked):
    """Average the curves (precision at each threshold, recall at each) of all labels."""
    if not curves:
        return DetectionScore(*[float("nan")] * 4)
    precision = np.array([precision for precision, _ in curves.values()])
    recall = np.array([recall for _, recall in curves.values()])
    map_50, map_75 = precision[:, asked:].mean(axis=0).tolist()
    per_label = dict(zip(curves, precision[:, :asked].mean(axis=1).tolist(), strict=True))
    return DetectionScore(
        map=float(precision[:, :asked].mean()),
        map_50=map_50,
        map_75=map_75,
        recall=float(recall[:, :asked].mean()),
        per_label=per_label,
    )


def _thresholds(values):
    thresholds = np.atleast_1d(COCO_IOU_THRESHOLDS if values is None else values)
    if thresholds.ndim != 1 or not thresholds.size:
        refuse("iou_thresholds", values, "a list of numbers", "average_precision")
    for value in thresholds.tolist():
        check_number("iou_thresholds", value, owner="average_precision", above=0, at_most=1)
    return thresholds.astype(np.float64)


def _paired(predicted, truth):
    predicted, truth = ([_as_detections(one) for one in side] for side in (predicted, truth))
    if len(predicted) != len(truth):
        raise ParameterError(
            "average_precision takes one prediction and one truth for each image. "
            f"Got {len(predicted)} predictions and {len(truth)} truths; an image without "
            "boxes still has its (empty) Detections."
        )
    named = {
        name: {one.labels is not None for one in side if len(one.boxes)}
        for name, side in (("predicted", predicted), ("truth", truth))
    }
    if len(named["predicted"] | named["truth"]) > 1:
        raise ParameterError(
            "average_precision takes labels on all boxes or on none. Got "
            + ", ".join(f"{name} with {_wording(kinds)}" for name, kinds in named.items())
            + ". Leave the labels out of both (labels=None) to score boxes as one class."
        )
    return predicted, truth


def _wording(labelled):
    if len(labelled) > 1:
        return "labels on some images only"
    return "labels" if True in labelled else "no labels"


def _as_detections(found):
    return found.to_detections() if hasattr(found, "to_detections") else found


def _match_all(predicted, truth, thresholds, max_detections):
    """For each label, one (scores, hits, count of true boxes) for each image that has it."""
    matches = defaultdict(list)
    for found, true in zip(predicted, truth, strict=True):
        found_by, true_by = _by_label(found), _by_label(true)
        scores = _scores(found)
        for label in {**true_by, **found_by}:
            rows = found_by.get(label, np.empty(0, np.intp))
            rows = rows[np.argsort(-scores[rows], kind="stable")][:max_detections]
            boxes = np.asarray(true.boxes)[true_by.get(label, np.empty(0, np.intp))]
            overlap = box_iou(np.asarray(found.boxes)[rows], boxes)
            matches[label].append((scores[rows], _match(overlap, thresholds), len(boxes)))
    return matches


def _by_label(detections):
    """The rows of each label, {label: indices}."""
    count = len(detections.boxes)
    if count == 0:
        return {}
    if detections.labels is None:
        return {None: np.arange(count)}
    labels, codes = np.unique(np.asarray(detections.labels), return_inverse=True)
    return {label: np.flatnonzero(codes == code) for code, label in enumerate(labels.tolist())}


def _scores(detections):
    if detections.scores is None:
        return np.ones(len(detections.boxes))
    return np.asarray(detections.scores, dtype=np.float64)


def _match(overlap, thresholds):
    """Greedy matching of one image and label, all thresholds at once: hits (T, n), bool."""
    hits = np.zeros((len(thresholds), len(overlap)), bool)
    free = np.ones((len(thresholds), overlap.shape[1]), bool)
    if overlap.size == 0:
        return hits
    # COCO lets an overlap of one pass a threshold of one whatever the rounding.
    least = np.minimum(thresholds, 1 - 1e-10)
    every = np.arange(len(thresholds))
    for row, overlaps in enumerate(overlap):
        if overlaps.max() < least.min():
            continue
        # Reversed, because among equal overlaps COCO takes the last true box.
        open_ = np.where(free, overlaps, -1.0)[:, ::-1]
        best = overlap.shape[1] - 1 - open_.argmax(axis=1)
        hit = open_.max(axis=1) >= least
        hits[:, row] = hit
        free[every[hit], best[hit]] = False
    return hits


def _curve(matches, thresholds):
    """Average precision at each threshold (T,), and largest recall at each (T,), of one label."""
    scores = np.concatenate([scores for scores, _, _ in matches])
    hits = np.concatenate([hits for _, hits, _ in matches], axis=1)
    hits = hits[:, np.argsort(-scores, kind="stable")]
    true_count = sum(count for _, _, count in matches)
    found = hits.cumsum(axis=1)
    recall = found / true_count
    precision = found / np.arange(1, hits.shape[1] + 1)
    precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    # A recall that is never reached has precision 0.
    precision = np.pad(precision, ((0, 0), (0, 1)))
    sampled = [
        curve[np.searchsorted(reached, RECALL_POINTS)]
        for curve, reached in zip(precision, recall, strict=True)
    ]
    largest = recall[:, -1] if hits.shape[1] else np.zeros(len(thresholds))
    return np.mean(sampled, axis=1), largest
