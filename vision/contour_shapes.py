"""Measures of closed outlines, each over all of them at once: what `Contours` computes on use.

An outline is a polygon through pixel centres: a square of n x n pixels has the area (n - 1)^2.
"""

import numpy as np

from vision.opencv import cv2


def moment_table(outlines):
    """The area, the centre of gravity and the central moments of second order of polygons.

    Parameters
    ----------
    outlines : sequence of (n_i, 2) int32 arrays
        The corners (x, y).

    Returns
    -------
    (n, 6) ndarray of float64
        Area, x, y, and the mean over the area of (x - mean)^2, (x - mean) (y - mean) and
        (y - mean)^2; all but the first are NaN where there is no area.

    Examples
    --------
    >>> moment_table([np.array([[0, 0], [6, 0], [6, 3], [0, 3]], np.int32)]).tolist()
    [[18.0, 3.0, 1.5, 3.0, 0.0, 0.75]]
    """
    names = ("m00", "m10", "m01", "mu20", "mu11", "mu02")
    found = [cv2.moments(one) for one in outlines]
    table = np.array([[moments[name] for name in names] for moments in found]).reshape(-1, 6)
    area = np.where(table[:, :1] > 0, table[:, :1], np.nan)
    table[:, 1:] /= area
    return table


def upright_boxes(outlines):
    """The upright box xyxy around the pixels of each outline, (n, 4), right and bottom open.

    Examples
    --------
    >>> upright_boxes([np.array([[2, 1], [6, 3]], np.int32)]).tolist()
    [[2.0, 1.0, 7.0, 4.0]]
    """
    if not len(outlines):
        return np.empty((0, 4))
    counts = np.array(list(map(len, outlines)))
    points, starts = np.concatenate(outlines), np.cumsum(counts) - counts
    low, high = np.minimum.reduceat(points, starts), np.maximum.reduceat(points, starts)
    return np.hstack([low, high + 1]).astype(np.float64)


def rotated_boxes(outlines):
    """The smallest box of any direction around each polygon.

    Returns
    -------
    (n, 5) ndarray of float64
        Centre x, y, length, width (not above the length), and the direction of the length in
        degrees, in [0, 180), from the x axis towards the y axis: clockwise, y pointing down.

    Examples
    --------
    >>> upright = np.array([[0, 0], [2, 0], [2, 8], [0, 8]], np.int32)
    >>> rotated_boxes([upright]).tolist()
    [[1.0, 4.0, 8.0, 2.0, 90.0]]
    """
    found = [cv2.minAreaRect(one) for one in outlines]
    table = np.array([(*center, *size, angle) for center, size, angle in found]).reshape(-1, 5)
    lying = table[:, 2] < table[:, 3]
    table[lying, 2:4] = table[lying, 3:1:-1]
    table[:, 4] = _half_turn(table[:, 4] + 90 * lying)
    return table


def box_corners(boxes):
    """The corners of rotated boxes, (n, 4, 2), in order around each.

    Examples
    --------
    >>> box_corners(np.array([[5.0, 5.0, 4.0, 2.0, 0.0]]))[0].tolist()
    [[3.0, 4.0], [7.0, 4.0], [7.0, 6.0], [3.0, 6.0]]
    """
    angle = np.deg2rad(boxes[:, 4])
    along = np.stack([np.cos(angle), np.sin(angle)], axis=1) * boxes[:, 2:3] / 2
    across = np.stack([-np.sin(angle), np.cos(angle)], axis=1) * boxes[:, 3:4] / 2
    corners = np.stack([-along - across, along - across, along + across, across - along], axis=1)
    return boxes[:, None, :2] + corners


def moment_ellipses(centers, xx, xy, yy):
    """The ellipses with given centres and central moments of second order, each over its area.

    Returns
    -------
    (n, 5) ndarray of float64
        Centre x, y, long and short axis (whole ones, not halves), and the direction of the long
        one in degrees, in [0, 180), as in `rotated_boxes`.

    Examples
    --------
    >>> axes = moment_ellipses(np.zeros((1, 2)), *np.array([[25.0], [0.0], [4.0]]))
    >>> axes.tolist()
    [[0.0, 0.0, 20.0, 8.0, 0.0]]
    """
    middle, spread = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    # The variance along an axis of a filled ellipse is a sixteenth of the axis squared.
    long, short = 4 * np.sqrt(middle + spread), 4 * np.sqrt(np.maximum(middle - spread, 0))
    angle = np.rad2deg(np.arctan2(2 * xy, xx - yy)) / 2
    return np.column_stack([centers, long, short, _half_turn(angle)])


def eccentricities(ellipses):
    """How long ellipses are: 0 for circles, near 1 for needles; 0 for points."""
    long, short = ellipses[:, 2], ellipses[:, 3]
    ratio = np.divide(short, long, out=np.ones_like(long), where=long > 0)
    return np.sqrt(1 - np.minimum(ratio, 1) ** 2)


def circularities(areas, perimeters):
    """4 pi area / perimeter^2: 1 for circles, 0 where there is no area."""
    squared = np.asarray(perimeters, np.float64) ** 2
    return np.divide(4 * np.pi * areas, squared, out=np.zeros_like(squared), where=squared > 0)


def shares(part, whole):
    """Part by whole, 1 where the whole is nothing."""
    whole = np.asarray(whole, np.float64)
    return np.divide(part, whole, out=np.ones_like(whole), where=whole > 0)


def hu_moments(outlines):
    """Hu's seven invariants of each polygon, (n, 7); zeros where there is no area.

    References
    ----------
    M.-K. Hu, "Visual pattern recognition by moment invariants", IRE Transactions on Information
    Theory 8(2), 1962, doi:10.1109/TIT.1962.1057692.

    Examples
    --------
    >>> square = np.array([[0, 0], [9, 0], [9, 9], [0, 9]], np.int32)
    >>> hu_moments([square])[0, :2].round(6).tolist()
    [0.166667, 0.0]
    """
    found = [cv2.HuMoments(cv2.moments(one)).reshape(7) for one in outlines]
    return np.array(found, np.float64).reshape(-1, 7)


def _half_turn(degrees):
    """Directions in [0, 180); what rounding left just below 0 is 0."""
    turned = np.mod(np.asarray(degrees, np.float64), 180)
    return np.where(turned >= 180, 0.0, turned)
