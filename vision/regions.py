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
    names, sums, low, high = _table(labels, 3)
    areas = sums[:, 0]
    return names, areas, np.hstack([low, high]), sums[:, 1:] / (2 * areas[:, None])


def region_moments(labels):
    """Area, centre and central moments of second order of every label but 0.

    Pixels are squares: a rectangle of w x h of them has the moments w^2 / 12 and h^2 / 12.

    Parameters
    ----------
    labels : (H, W) ndarray of int32
        Not negative.

    Returns
    -------
    (n, 6) ndarray of float64
        Labels ascending: area, mean x, mean y, and the mean over the area of (x - mean)^2,
        (x - mean) (y - mean) and (y - mean)^2.

    Examples
    --------
    >>> region_moments(np.array([[0, 7, 7, 7]], np.int32)).round(4).tolist()
    [[3.0, 2.0, 0.0, 0.75, 0.0, 0.0833]]
    """
    _, sums, *_ = _table(labels, 6)
    area, x, y, xx, xy, yy = sums.T.astype(np.float64)
    x, y = x / (2 * area), y / (2 * area)
    # In doubles the whole sums are exact up to 2^53: pictures of some 200,000 pixels a side.
    second = xx / (6 * area) - x * x, xy / (2 * area) - x * y, yy / area - y * y
    return np.column_stack([area, x, y, second[0] + 1 / 12, second[1], second[2] + 1 / 12])


def region_corners(labels):
    """The outer corners of the pixels of every label but 0, for each label those of its rows.

    Returns
    -------
    list of (m, 2) int32 ndarray
        Labels ascending; x and y of corners, a pixel reaching from x to x + 1.

    Examples
    --------
    >>> region_corners(np.array([[0, 7, 7]], np.int32))[0].tolist()
    [[1, 0], [3, 0], [1, 1], [3, 1]]
    """
    names, x, y, length = _runs(labels, 0)
    order = np.argsort(names, kind="stable")
    names, left, top, right = names[order], x[order], y[order], (x + length)[order]
    corners = np.array([(left, top), (right, top), (left, top + 1), (right, top + 1)], np.int32)
    starts = np.flatnonzero(np.diff(names, prepend=-1))
    return [part.reshape(-1, 2) for part in np.split(corners.transpose(0, 2, 1), starts[1:], 1)][
        : len(starts)
    ]


def _table(labels, columns):
    """The labels that occur, with sums over their pixels and extremes, stripe by stripe."""
    rows = max(1, _STRIPE // labels.shape[1])
    tops = range(0, len(labels), rows)
    stripes = [_stripe(labels[top : top + rows], top, columns) for top in tops]
    found = [np.concatenate(parts) for parts in zip(*stripes)]
    return _merged(*found)


def _runs(labels, top):
    """The runs of one label in a row, but 0: label, first x, y and length."""
    height, width = labels.shape
    starts = np.ones((height, width), bool)
    np.not_equal(labels[:, 1:], labels[:, :-1], out=starts[:, 1:])
    at = np.flatnonzero(starts)
    length = np.diff(at, append=height * width)
    names = labels.reshape(-1)[at]
    kept = names != 0
    names, at, length = names[kept].astype(np.int64), at[kept], length[kept]
    y, x = np.divmod(at, width)
    return names, x, y + top, length


def _stripe(labels, top, columns):
    """The labels of some rows, each with sums over its pixels, and extremes."""
    names, x, y, length = _runs(labels, top)
    # Doubled, the sum of x over a run is whole: length times (first + last); so is six times that
    # of its square.
    last = x + length - 1
    sums = [length, length * (x + last), 2 * y * length]
    if columns > 3:
        squares = length * (2 * (x * x + x * last + last * last) + last - x)
        sums += [squares, y * sums[1], y * y * length]
    low, high = np.column_stack([x, y]), np.column_stack([x + length, y + 1])
    return _merged(names, np.column_stack(sums), low, high)


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
