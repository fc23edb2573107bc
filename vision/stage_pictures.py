"""The pictures of a trace: what a person sees of any value that flows through a pipeline."""

import itertools

import numpy as np

from vision.canvas import blank
from vision.drawing import contact_sheet, to_display
from vision.kinds import PIXELS, Branched, Kind
from vision.opencv import cv2

# Their channels say more side by side than as colours.
BY_CHANNEL = frozenset({Kind.HSV, Kind.HLS, Kind.YCRCB, Kind.CMYK})


def canvas_of(value, kind):
    """A value as a picture to draw results on; None of what no person would recognise.

    Parameters
    ----------
    value : object
        What a step gave, or was given.
    kind : Kind or Branched
        Its kind.

    Returns
    -------
    (H, W, 3) ndarray of uint8, or None

    Examples
    --------
    >>> canvas_of(np.array([[7]], np.uint8), Kind.GRAY).tolist()
    [[[7, 7, 7]]]
    >>> canvas_of(np.zeros((2, 3), np.int32), Kind.LABELS)
    """
    return to_display(value, kind) if isinstance(kind, Kind) and kind in PIXELS else None


def moved_canvas(canvas, before, value, back):
    """The picture to draw on, brought onto the grid of a result.

    Parameters
    ----------
    canvas : (H, W, 3) ndarray of uint8 or None
        On the grid of `before`.
    before, value : object
        What a step was given, and what it gave.
    back : (3, 3) ndarray or None
        From the pixels (x, y) of `value` to those of `before`; None where nothing moved.

    Returns
    -------
    (H', W', 3) ndarray of uint8, or None
        None if nobody knows how the grids belong together.

    Examples
    --------
    >>> canvas = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    >>> shifted = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 1]])
    >>> moved_canvas(canvas, canvas, canvas[:, 1:], shifted).tolist()
    [[[3, 4, 5]], [[9, 10, 11]]]
    """
    if canvas is None or not isinstance(value, np.ndarray) or value.ndim < 2:
        return canvas
    if back is not None and before.shape[:2] == canvas.shape[:2]:
        return _warped(canvas, back, value.shape[:2])
    return canvas if value.shape[:2] == canvas.shape[:2] else None


def _warped(canvas, back, shape):
    """A picture on another grid, by the matrix from there: averaged where that is coarser."""
    height, width = canvas.shape[:2]
    coarser = max(1, int(np.sqrt(abs(np.linalg.det(back[:2, :2])))))
    size = max(1, width // coarser), max(1, height // coarser)
    fewer = cv2.resize(canvas, size, interpolation=cv2.INTER_AREA)
    x, y = size[0] / width, size[1] / height
    to_fewer = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpPerspective(fewer, to_fewer @ back, shape[::-1], flags=flags)


def picture_of(value, kind, canvas):
    """What a person sees of a stage.

    Parameters
    ----------
    value : object
        What a step gave.
    kind : Kind or Branched
        Its kind.
    canvas : (H, W, 3) ndarray of uint8 or None
        The picture on which contours and the like are drawn.

    Returns
    -------
    (H, W, 3) ndarray of uint8
    """
    if isinstance(value, dict):
        return _side_by_side(
            [picture_of(part, _branch_kind(kind, name), canvas) for name, part in value.items()]
        )
    if kind in BY_CHANNEL:
        return _side_by_side([to_display(channel.copy()) for channel in cv2.split(value)])
    if kind is Kind.LABELS:
        return _labels(value, canvas)
    if isinstance(value, np.ndarray) and value.ndim >= 2:
        return to_display(value, kind)
    if isinstance(value, np.ndarray):
        return _bars(value)
    if hasattr(value, "draw"):
        return _drawn(value, canvas)
    return _text(str(value))


def _drawn(found, canvas):
    """A typed result on the canvas; on an empty one of its size where that is of another grid."""
    shape = getattr(found, "shape", None)
    if canvas is None or (shape is not None and canvas.shape[:2] != tuple(shape)):
        canvas = None if shape is None else blank(shape)
    return _text(repr(found)) if canvas is None else found.draw(canvas)


def _branch_kind(kind, name):
    return kind[name] if isinstance(kind, Branched) else Kind.ANY


def _labels(labels, canvas):
    """A colour each for objects on a background; regions that cover all in their mean colour."""
    if canvas is None or canvas.shape[:2] != labels.shape:
        return to_display(labels)
    if labels.min() < 1 or labels.max() > labels.size:
        return to_display(labels)
    flat = labels.ravel()
    counts = np.maximum(np.bincount(flat), 1)
    means = [np.bincount(flat, channel.ravel()) / counts for channel in cv2.split(canvas)]
    return np.stack(means, axis=1).round().astype(np.uint8)[labels]


def _side_by_side(pictures):
    height = max(picture.shape[0] for picture in pictures)
    gap = np.full((height, max(2, height // 60), 3), 255, np.uint8)
    tiles = []
    for picture in pictures:
        rows = height - picture.shape[0]
        padded = np.pad(picture, ((0, rows), (0, 0), (0, 0)), constant_values=255)
        tiles += [padded, gap]
    return np.hstack(tiles[:-1])


def _bars(row, height=120, width=240):
    """A row of features as a bar chart."""
    chart = np.full((height, width, 3), 255, np.uint8)
    values = np.nan_to_num(np.asarray(row, np.float64))
    edges = np.linspace(0, len(values), min(width, max(1, len(values))) + 1).astype(int)
    tops = np.array([values[a:b].max() for a, b in itertools.pairwise(edges) if b > a])
    low, high = min(tops.min(), 0.0), max(tops.max(), 0.0)
    scale = (height - 8) / ((high - low) or 1)
    zero = height - 4 + int(low * scale)
    lefts = np.linspace(0, width, len(tops) + 1).astype(int)
    for (left, right), value in zip(itertools.pairwise(lefts), tops):
        top, bottom = sorted((zero, zero - int(value * scale)))
        end = max(left + 1, right - (right - left > 3))  # a gap between wide bars
        chart[top : bottom + 1, left:end] = (70, 110, 170)
    return chart


def _text(words):
    return contact_sheet([(words, np.full((60, 240, 3), 255, np.uint8))], width=260)
