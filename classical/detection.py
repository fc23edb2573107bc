"""Boxes around whatever other steps find: contours, blobs, circles, regions."""

import numpy as np

from vision.checks import refuse
from vision.detections import Detections
from vision.kinds import Kind
from vision.segmentation import Segmentation
from vision.step import Step


class ToDetections(Step):
    """The boxes around contours, blobs, circles or regions, as detections.

    Parameters
    ----------
    label : str, int or None, default=None
        What all of them are; None: detections without labels.

    Keypoints are boxed by their size, as a detector of blobs gives it; a point without size by its
    pixel. Boxes end at the image's border; what lies beside it is left out.

    Takes contours, keypoints, circles or labels, ``(H, W)`` int32. Gives detections without
    scores, in the order of what came; of labels, from the lowest.

    Raises
    ------
    ParameterError
        If `label` is neither text, a whole number nor None.
    KindError
        If something else comes.

    Examples
    --------
    >>> from vision import Circles
    >>> found = ToDetections("coin")(Circles([[10, 8], [1, 1]], [4, 3], shape=(20, 20)))
    >>> found.boxes.tolist(), found.labels.tolist()
    ([[6.5, 4.5, 14.5, 12.5], [0.0, 0.0, 4.5, 4.5]], ['coin', 'coin'])
    """

    takes = (Kind.CONTOURS, Kind.KEYPOINTS, Kind.CIRCLES, Kind.LABELS)
    gives = Kind.DETECTIONS

    def __init__(self, label=None):
        self.label = label

    def check_params(self):
        """See `Step.check_params`."""
        whole = isinstance(self.label, int | np.integer) and not isinstance(self.label, bool)
        if self.label is not None and not isinstance(self.label, str) and not whole:
            refuse("label", self.label, "a text, a whole number or None", self)

    def apply(self, found):
        """See `Step.apply`."""
        shape = found.shape[:2]
        boxes = _boxes(found)
        inside = (boxes[:, :2] < shape[::-1]).all(axis=1) & (boxes[:, 2:] > 0).all(axis=1)
        boxes = boxes[inside].clip(0, [*shape[::-1]] * 2)
        labels = None if self.label is None else np.array([self.label] * len(boxes))
        return Detections(boxes, labels=labels, shape=shape)


def _boxes(found):
    """Boxes xyxy; a pixel covers one, from its number to the next."""
    if isinstance(found, np.ndarray):
        found = Segmentation(found)
    if found.kind == Kind.KEYPOINTS:
        sizes = np.ones(len(found)) if found.sizes is None else found.sizes
        return _around(found.points, sizes / 2)
    return _around(found.centers, found.radii) if found.kind == Kind.CIRCLES else found.boxes


def _around(centers, radii):
    return np.hstack([centers + 0.5 - radii[:, None], centers + 0.5 + radii[:, None]])
