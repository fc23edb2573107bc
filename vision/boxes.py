"""Boxes of one image that lie on each other."""

import numpy as np

from vision.checks import check_number, refuse
from vision.detection_metrics import box_iou


def non_max_suppression(boxes, scores, max_overlap=0.5):
    """Which boxes stay when of those that overlap only the best is kept.

    Parameters
    ----------
    boxes : (n, 4) array of float
        xyxy, in pixels.
    scores : (n,) array of float
        The best first served; of equal ones the first.
    max_overlap : float, default=0.5
        Largest intersection over union with a better box that stays, 0 to 1.

    Returns
    -------
    (k,) ndarray of intp
        The numbers of the boxes that stay, the best first.

    Raises
    ------
    ParameterError
        If the scores are not one a box, or `max_overlap` is outside [0, 1].

    References
    ----------
    A. Neubeck and L. Van Gool, "Efficient non-maximum suppression", ICPR 2006,
    doi:10.1109/ICPR.2006.479.

    Examples
    --------
    >>> boxes = [[0, 0, 10, 10], [1, 0, 11, 10], [30, 30, 40, 40]]
    >>> non_max_suppression(boxes, [0.8, 0.9, 0.3]).tolist()
    [1, 2]
    """
    owner = "non_max_suppression"
    check_number("max_overlap", max_overlap, owner=owner, at_least=0, at_most=1)
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    scores = np.asarray(scores, np.float64)
    if scores.shape != (len(boxes),):
        refuse("scores", scores, f"{len(boxes)} numbers, one a box", owner)
    waiting, kept = np.argsort(-scores, kind="stable"), []
    while len(waiting):
        best, waiting = waiting[0], waiting[1:]
        kept.append(best)
        waiting = waiting[box_iou(boxes[best : best + 1], boxes[waiting])[0] <= max_overlap]
    return np.array(kept, np.intp)
