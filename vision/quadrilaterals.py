"""Detections with their outline: flat objects seen from any side."""

from dataclasses import dataclass

import numpy as np

from vision.canvas import OUTLINE, stroke
from vision.checks import refuse
from vision.detections import Detections, _captions, _paint_caption
from vision.mapping import map_boxes, map_points
from vision.opencv import cv2
from vision.palette import label_colors
from vision.result_base import plain

_FRACTION_BITS = 3  # cv2 draws at eighths of a pixel
_ENDS = tuple(f"{axis}{number}" for number in range(1, 5) for axis in "xy")


@dataclass(frozen=True, eq=False, repr=False)
class Quadrilaterals(Detections):
    """Detections that also say where the four corners of each object are.

    They are `Detections` everywhere: scored, cropped and saved by their boxes. Made of corners
    alone by `from_corners`. ``len(quadrilaterals)`` counts them; a mask, slice, number or array of
    numbers chooses some.

    Parameters
    ----------
    boxes, scores, labels, shape
        As in `Detections`.
    corners : (n, 4, 2) array of float
        Corners (x, y) in order around each object, in the unit of boxes: pixel i covers
        [i, i + 1). They may lie outside the image.

    Raises
    ------
    ParameterError
        As `Detections` does, and if `corners` has another shape or an entry is not finite.

    Examples
    --------
    >>> found = Quadrilaterals.from_corners([[[2, 1], [8, 2], [7, 6], [1, 5]]], shape=(10, 10))
    >>> found.boxes.tolist()
    [[1.0, 1.0, 8.0, 6.0]]
    """

    corners: np.ndarray | None = None

    columns = (*Detections.columns, *_ENDS)
    row_fields = (*Detections.row_fields, "corners")

    def __post_init__(self):
        super().__post_init__()
        self._hold(corners=_checked(self.corners, self, len(self.boxes)))

    @classmethod
    def from_corners(cls, corners, scores=None, labels=None, shape=None):
        """Quadrilaterals with the boxes that enclose them, cut to the image.

        Parameters
        ----------
        corners : (n, 4, 2) array of float
            As in the class.
        scores, labels, shape
            As in `Detections`.

        Returns
        -------
        Quadrilaterals

        Raises
        ------
        ParameterError
            As the constructor does.
        """
        corners = _checked(corners, cls.__name__)
        boxes = np.hstack([corners.min(axis=1), corners.max(axis=1)]).reshape(-1, 4)
        if shape is not None:
            boxes = boxes.clip(0, np.tile(shape[::-1], 2))
        return cls(boxes, scores, labels, shape, corners)

    def _rows(self):
        for row, corners in zip(super()._rows(), self.corners.reshape(-1, 8).tolist(), strict=True):
            yield *row, *corners

    def _paint(self, canvas):
        labels = plain(self.labels, len(self))
        palette = {None: OUTLINE, **label_colors(label for label in labels if label is not None)}
        reach = 4 * max(canvas.shape)  # OpenCV's coordinates are 32 bits wide
        ends = (self.corners - 0.5).clip(-reach, reach) * 2**_FRACTION_BITS
        for outline, label in zip(np.rint(ends).astype(np.int32), labels, strict=True):
            _paint_outline(canvas, outline, palette[label])
        scores = plain(self.scores, len(self))
        for box, label, score in zip(self.boxes, labels, scores, strict=True):
            _paint_caption(canvas, box, _captions(label, score), palette[label])

    def _mapped(self, matrix, shape):
        _, inside = map_boxes(matrix, self.boxes, shape)
        old = self[inside]
        corners = map_points(matrix, old.corners.reshape(-1, 2) - 0.5) + 0.5
        return type(self).from_corners(corners.reshape(-1, 4, 2), old.scores, old.labels, shape)


def _paint_outline(canvas, outline, color):
    def paint(canvas, color, thickness):
        cv2.polylines(canvas, [outline], True, color, thickness, cv2.LINE_AA, _FRACTION_BITS)

    stroke(canvas, paint, color)


def _checked(corners, owner, count=None):
    try:
        found = np.array(corners)
    except (TypeError, ValueError):  # rows of different lengths
        found = np.empty(1, object)
    if found.shape == (0,):
        found = found.reshape(0, 4, 2)
    good = found.dtype.kind in "iuf" and found.shape[1:] == (4, 2) and np.isfinite(found).all()
    if not good or (count is not None and len(found) != count):
        size = "n" if count is None else count
        refuse("corners", corners, f"finite numbers of shape ({size}, 4, 2)", owner)
    return found.astype(np.float64)
