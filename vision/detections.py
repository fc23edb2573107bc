"""Boxes around objects, with scores and labels."""

from dataclasses import dataclass

import numpy as np

from vision.canvas import (
    INK,
    OUTLINE,
    PAPER,
    draw_text,
    font_size,
    line_thickness,
    stroke,
    text_mask,
)
from vision.checks import refuse
from vision.mapping import check_shape, map_boxes
from vision.opencv import cv2
from vision.palette import label_colors
from vision.result_base import Rows, numbers_field, plain


@dataclass(frozen=True, eq=False, repr=False)
class Detections(Rows):
    """Boxes around objects.

    ``len(detections)`` counts them; a mask, slice, number or array of numbers chooses some.

    Parameters
    ----------
    boxes : (n, 4) array of float
        xyxy: left, top, right, bottom, the edges in pixels: pixel i covers [i, i + 1).
    scores : (n,) array of float or None
        How sure each is, from 0 to 1.
    labels : (n,) array of str or int, or None
        What each is.
    shape : tuple of int or None
        The (height, width) of the image; None where it is not known, as for truth from a file.

    Raises
    ------
    ParameterError
        If an array has another shape or length, an entry is not finite, a left edge lies right
        of its right edge, a top below its bottom, a score outside [0, 1], or a label is neither
        text nor a whole number; if `shape` is no image's.

    Examples
    --------
    >>> found = Detections([[0, 0, 4, 2]], scores=[0.9], labels=["nut"], shape=(10, 10))
    >>> found.to_records()[0]["label"], found.areas.tolist()
    ('nut', [8.0])
    """

    boxes: np.ndarray
    scores: np.ndarray | None = None
    labels: np.ndarray | None = None
    shape: tuple | None = None

    columns = ("label", "score", "left", "top", "right", "bottom")
    kind = "detections"
    row_fields = ("boxes", "scores", "labels")

    def __post_init__(self):
        if self.shape is not None:
            self._hold(shape=check_shape("shape", self.shape, self))
        boxes = numbers_field("boxes", self.boxes, self, columns=4)
        if (boxes[:, :2] > boxes[:, 2:]).any():
            row = boxes[(boxes[:, :2] > boxes[:, 2:]).any(axis=1)][0].tolist()
            refuse("boxes", row, "xyxy with left <= right and top <= bottom", self)
        self._hold(boxes=boxes)
        if self.scores is not None:
            rows = numbers_field("scores", self.scores, self, count=len(boxes), at_least=0)
            if (rows > 1).any():
                refuse("scores", float(rows.max()), "numbers from 0 to 1", self)
            self._hold(scores=rows)
        if self.labels is not None:
            self._hold(labels=self._checked_labels(len(boxes)))

    def _checked_labels(self, count):
        try:
            entries = list(self.labels)
            labels = np.array(entries) if entries else np.array([], np.str_)
        except (TypeError, ValueError):
            entries, labels = [], np.empty(0)
        # NumPy would make texts of the numbers among texts.
        mixed = len({isinstance(one, str) for one in entries}) > 1
        if mixed or labels.dtype.kind not in "Uiu" or labels.shape != (count,):
            refuse("labels", self.labels, f"{count} texts or {count} whole numbers", self)
        return labels

    @property
    def areas(self):
        """Area of each box, (n,), in square pixels."""
        return np.prod(self.boxes[:, 2:] - self.boxes[:, :2], axis=1)

    def to_detections(self):
        """Itself, as `Contours.to_detections` gives theirs."""
        return self

    def iou(self, other):
        """How much each box and each of another set overlap.

        Parameters
        ----------
        other : Detections
            m boxes of the same image.

        Returns
        -------
        overlap : ndarray of shape (n, m), float64
            Intersection over union, from 0 to 1; 0 where neither box has an area.

        Examples
        --------
        >>> one, other = Detections([[0, 0, 2, 2]]), Detections([[1, 0, 3, 2], [5, 5, 6, 6]])
        >>> one.iou(other).round(3).tolist()
        [[0.333, 0.0]]
        """
        from vision.detection_metrics import box_iou

        return box_iou(self.boxes, other.boxes)

    def _rows(self):
        known = plain(self.labels, len(self)), plain(self.scores, len(self))
        for label, score, box in zip(*known, self.boxes.tolist(), strict=True):
            yield label, score, *box

    def _paint(self, canvas):
        labels = plain(self.labels, len(self))
        palette = {None: OUTLINE, **label_colors(label for label in labels if label is not None)}
        for box, label in zip(self.boxes, labels, strict=True):
            _paint_box(canvas, box, palette[label])
        for box, row in zip(self.boxes, self._rows(), strict=True):
            _paint_caption(canvas, box, _captions(*row[:2]), palette[row[0]])

    def _canvas_shape(self):
        if self.shape is not None:
            return self.shape
        right, bottom = np.ceil(self.boxes[:, 2:]).max(axis=0, initial=1).astype(int).tolist()
        return bottom + 1, right + 1

    def _mapped(self, matrix, shape):
        boxes, inside = map_boxes(matrix, self.boxes, shape)
        rows = boxes, self.scores, self.labels
        if not inside.all():
            rows = [None if each is None else each[inside] for each in rows]
        # In augmentation, for every image: what is right already is not checked again.
        made = object.__new__(type(self))
        made._hold(boxes=rows[0], scores=rows[1], labels=rows[2], shape=shape)
        return made


def _corners(box):
    """The first and last pixel that a box covers."""
    left, top = np.floor(box[:2] + 0.5).astype(int).tolist()
    right, bottom = np.ceil(box[2:] - 0.5).astype(int).tolist()
    return (left, top), (max(left, right - 1), max(top, bottom - 1))


def _paint_box(canvas, box, color):
    longest = max(canvas.shape)
    first, last = _corners(box.clip(-longest, 2 * longest))

    def paint(canvas, color, thickness):
        cv2.rectangle(canvas, first, last, color, thickness)

    stroke(canvas, paint, color)


def _captions(label, score):
    """What may stand at a box, the fullest first."""
    name = [] if label is None else [str(label)]
    sure = [] if score is None else [f"{score:.2f}"]
    return [" ".join(name + sure), *name]


def _paint_caption(canvas, box, captions, color):
    """Above its box, or inside where the picture ends; none where it would hide the picture."""
    size, (height, width) = font_size(canvas.shape), canvas.shape[:2]
    fitting = [one for one in captions if one and 2 * text_mask(one, size).shape[1] <= width]
    rows = text_mask("", size).shape[0]
    if not fitting or 6 * rows > height:
        return
    (left, top), _ = _corners(box.clip(0, max(height, width)))
    edge = line_thickness(canvas.shape) // 2
    above = top - rows - edge
    y = above if above >= 0 else max(top - edge, 0)
    x = min(max(left - edge, 0), width - text_mask(fitting[0], size).shape[1])
    ink = INK if np.dot(color, (0.299, 0.587, 0.114)) > 140 else PAPER  # BT.601 luma
    draw_text(canvas, fitting[0], x, y, size, color=ink, background=color)
