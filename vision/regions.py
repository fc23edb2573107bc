"""Where each label of a label map is, and where one label meets another."""

import numpy as np

from vision.opencv import cv2

_STRIPE = 1 << 20  # pixels at a time, so that memory stays small


def region_table(labels):
    """Area, box and centre of every label but 0, in one pass over the pixels.

    Parameters
    ----------
    labels : (H, W) ndarray of int32
        Not negative.

    Returns
    -------
    labels : (n,) ndarray of int64
        Those that occur, ascending.
    areas : (n,) ndarray of int64
        In pixels.
    boxes : (n, 4) ndarray of int64
        xyxy, right and bottom open.
    centers : (n, 2) ndarray of float64
        Mean (x, y) of the pixel centres.

    Examples
    --------
    >>> region_table(np.array([[0, 7], [7, 7]], np.int32))[1:3]
    (array([3]), array([[0, 0, 2, 2]]))
    """
    rows = max(1, _STRIPE // labels.shape[1])
    stripes = [_stripe(labels[top : top + rows], top) for top in range(0, len(labels), rows)]
    found = [np.concatenate(parts) for parts in zip(*stripes)]
    names, sums, low, high = _merged(*found)
    areas = sums[:, 0]
    boxes = np.hstack([low, high])
    return names, areas, boxes, sums[:, 1:] / (2 * areas[:, None])


def _stripe(labels, top):
    """The labels of some rows, each with area, doubled sums of x and y, and extremes."""
    height, width = labels.shape
    starts = np.ones((height, width), bool)
    np.not_equal(labels[:, 1:], labels[:, :-1], out=starts[:, 1:])
    at = np.flatnonzero(starts)  # where runs of one label begin
    length = np.diff(at, append=height * width)
    names = labels.reshape(-1)[at]
    kept = names != 0
    names, at, length = names[kept].astype(np.int64), at[kept], length[kept]
    y, x = np.divmod(at, width)
    y += top
    # Doubled, the sum of x over a run is whole: length times (first + last).
    sums = np.column_stack([length, length * (2 * x + length - 1), 2 * y * length])
    return _merged(names, sums, np.column_stack([x, y]), np.column_stack([x + length, y + 1]))


def _merged(names, sums, low, high):
    """The rows of equal labels made one."""
    order = np.argsort(names, kind="stable")
    names = names[order]
    first = np.flatnonzero(np.diff(names, prepend=-1))
    if not len(first):
        return names, sums, low, high
    return (
        names[first],
        np.add.reduceat(sums[order], first),
        np.minimum.reduceat(low[order], first),
        np.maximum.reduceat(high[order], first),
    )


def as_mask(where):
    """A boolean array as a mask, 0 and 255 uint8.

    Examples
    --------
    >>> as_mask(np.array([True, False])).tolist()
    [255, 0]
    """
    return where.view(np.uint8) * np.uint8(255)


def label_borders(labels, reach=1):
    """A mask of the pixels that have another label within `reach` pixels, in a row or column.

    Examples
    --------
    >>> label_borders(np.array([[4, 4, 7, 7]], np.int32)).tolist()
    [[0, 255, 255, 0]]
    """
    across, down = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
    near = np.zeros(labels.shape, bool)
    near[:, 1:] |= across
    near[:, :-1] |= across
    near[1:] |= down
    near[:-1] |= down
    size = 2 * reach - 1
    return cv2.dilate(as_mask(near), np.ones((size, size), np.uint8))
