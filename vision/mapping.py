"""Points, boxes, angles and maps taken from one image to another by a homography.

A matrix takes (x, y) of pixel centres to (x, y) of pixel centres. Boxes are edges: pixel i covers
[i, i + 1), so they are shifted by half a pixel on the way.
"""

import math

import numpy as np

from vision.checks import check_integer, refuse
from vision.errors import ImageError
from vision.opencv import cv2

SLACK = 1e-9  # pixels: a line along the border stays, for all its rounding
_WARP_LIMIT = 32_767  # pixels a side: OpenCV's warps keep coordinates in 16 bits


def check_matrix(matrix, owner):
    """A homography as a new (3, 3) float64 array; a `ParameterError` if it is none."""
    try:
        found = np.array(matrix, np.float64)
    except (TypeError, ValueError):
        found = np.empty(0)
    # Of a matrix with an entry that is not finite, the determinant is not either.
    determinant = _determinant(found) if found.shape == (3, 3) else 0.0
    if not (determinant and math.isfinite(determinant)):
        refuse("matrix", matrix, "a finite, invertible homography of shape (3, 3)", owner)
    return found


def _determinant(matrix):
    (a, b, c), (d, e, f), (g, h, i) = matrix.tolist()
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)


def check_shape(name, shape, owner):
    """An image's (height, width) as two ints; a `ParameterError` if it is none."""
    try:
        height, width = shape
    except (TypeError, ValueError):
        refuse(name, shape, "the (height, width) of an image: image.shape[:2]", owner)
    check_integer(name, height, owner=owner, at_least=1)
    check_integer(name, width, owner=owner, at_least=1)
    return int(height), int(width)


def map_points(matrix, points):
    """Points (x, y) through a homography.

    Parameters
    ----------
    matrix : ndarray of shape (3, 3)
    points : ndarray of shape (n, 2)

    Returns
    -------
    points : ndarray of shape (n, 2), float64

    Examples
    --------
    >>> map_points(np.diag([2.0, 3.0, 1.0]), np.array([[1, 1]])).tolist()
    [[2.0, 3.0]]
    """
    lifted = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return lifted[:, :2] / lifted[:, 2:]


def jacobians(matrix, points):
    """How a homography stretches and turns near each point, (n, 2, 2) float64.

    Examples
    --------
    >>> jacobians(np.diag([2.0, 3.0, 1.0]), np.zeros((1, 2))).tolist()
    [[[2.0, 0.0], [0.0, 3.0]]]
    """
    weight = points @ matrix[2, :2] + matrix[2, 2]
    moved = map_points(matrix, points)
    change = matrix[None, :2, :2] - moved[:, :, None] * matrix[2, :2]
    return change / weight[:, None, None]


def map_lengths(matrix, points, lengths):
    """Radii at points through a homography: times the root of its local change of area."""
    return lengths * np.sqrt(np.abs(np.linalg.det(jacobians(matrix, points))))


def map_angles(matrix, points, angles):
    """Directions at points, in degrees in [0, 360) from x towards y, through a homography."""
    turned = np.deg2rad(angles)
    ways = np.stack([np.cos(turned), np.sin(turned)], axis=-1)[..., None]
    ways = (jacobians(matrix, points) @ ways)[..., 0]
    # The second modulo: a tiny negative angle modulo 360 is 360 itself.
    return np.rad2deg(np.arctan2(ways[:, 1], ways[:, 0])) % 360 % 360


def map_boxes(matrix, boxes, shape):
    """Boxes xyxy through a homography: what encloses their corners, cut to an image.

    Parameters
    ----------
    matrix : ndarray of shape (3, 3)
    boxes : ndarray of shape (n, 4)
    shape : tuple of int
        The (height, width) of the image that they come to.

    Returns
    -------
    boxes : ndarray of shape (n, 4), float64
    inside : ndarray of shape (n,), bool
        Whether a box reaches into that image; cut boxes that do not are meaningless.

    Examples
    --------
    >>> boxes, inside = map_boxes(np.eye(3), np.array([[-2, 0, 3, 9], [8, 0, 9, 9]]), (5, 6))
    >>> boxes[inside].tolist()
    [[0.0, 0.0, 3.0, 5.0]]
    """
    rows = matrix.tolist()
    if rows[2][:2] == [0, 0]:
        moved = _affine_boxes(rows, boxes)
    else:
        corners = boxes[:, [[0, 1], [2, 1], [2, 3], [0, 3]]].reshape(-1, 2)
        corners = map_points(matrix, corners - 0.5).reshape(-1, 4, 2)
        moved = np.hstack([corners.min(axis=1), corners.max(axis=1)]) + 0.5
    limit = np.array((*shape[::-1], *shape[::-1]), np.float64)
    reaching = (moved[:, 2:] > 0) & (moved[:, :2] < limit[:2])
    # np.clip between arrays takes ten times as long.
    return np.maximum(np.minimum(moved, limit), 0), reaching[:, 0] & reaching[:, 1]


def _affine_boxes(rows, boxes):
    """What encloses the corners: each of its ends is a sum of what is lowest, or highest."""
    scale = rows[2][2]
    (a, b, x), (c, d, y) = ([value / scale for value in row] for row in rows[:2])
    x, y = x + (1 - a - b) / 2, y + (1 - c - d) / 2  # edges lie half a pixel before the centres
    up = max(a, 0.0), max(b, 0.0), max(c, 0.0), max(d, 0.0)
    down = min(a, 0.0), min(b, 0.0), min(c, 0.0), min(d, 0.0)
    ends = (
        (up[0], up[1], down[0], down[1]),
        (up[2], up[3], down[2], down[3]),
        (down[0], down[1], up[0], up[1]),
        (down[2], down[3], up[2], up[3]),
    )
    return boxes @ np.array(ends).T + np.array((x, y, x, y))


def clip_segments(segments, shape):
    """Segments cut to the pixel centres of an image, by Liang and Barsky's parameters.

    Parameters
    ----------
    segments : ndarray of shape (n, 4), float64
        Ends x1, y1, x2, y2.
    shape : tuple of int
        The image's (height, width): x stays in [0, width - 1], y in [0, height - 1].

    Returns
    -------
    segments : ndarray of shape (n, 4), float64
    inside : ndarray of shape (n,), bool
        Whether anything of a segment is in the image.

    Examples
    --------
    >>> clip_segments(np.array([[-5.0, 2, 20, 2]]), (4, 10))[0].tolist()
    [[0.0, 2.0, 9.0, 2.0]]
    """
    start, way = segments[:, :2], segments[:, 2:] - segments[:, :2]
    limit = np.array(shape[::-1]) - 1.0
    toward = np.hstack([-way, way])
    room = np.hstack([start, limit - start]) + SLACK
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        at = room / toward
    enter = np.where(toward < 0, at, 0).max(axis=1, initial=0)
    leave = np.where(toward > 0, at, 1).min(axis=1, initial=1)
    inside = (enter <= leave) & ((toward != 0) | (room >= 0)).all(axis=1)
    ends = np.hstack([start + way * enter[:, None], start + way * leave[:, None]])
    return ends.clip(0, np.tile(limit, 2)), inside


def warp_nearest(image, matrix, shape):
    """A mask or label map on another image's grid, by nearest neighbour; 0 outside.

    Parameters
    ----------
    image : ndarray of shape (H, W), uint8 or int32
    matrix : ndarray of shape (3, 3)
        From its pixel centres to those of the other image.
    shape : tuple of int
        The (height, width) of the other image.

    Returns
    -------
    image : ndarray of shape `shape`
        Of the same dtype.

    Raises
    ------
    ImageError
        If a side has 32,767 pixels or more and the matrix turns or slants.

    Examples
    --------
    >>> warp_nearest(np.array([[1, 2]], np.int32), np.diag([2.0, 1, 1]), (1, 4)).tolist()
    [[1, 1, 2, 0]]
    """
    back = np.linalg.inv(matrix)
    if _is_upright(back):
        x, y = _sources(back, shape)
        x, y = np.rint(x), np.rint(y)
        height, width = image.shape
        rows = image.take(y.clip(0, height - 1).astype(np.intp), axis=0)
        warped = rows.take(x.clip(0, width - 1).astype(np.intp), axis=1)
        return _outside_zeroed(warped, (x >= 0) & (x < width), (y >= 0) & (y < height))
    return _warp(image, back, shape, cv2.INTER_NEAREST)


def warp_linear(image, matrix, shape):
    """A float map on another image's grid, by linear interpolation; 0 outside.

    Up to half a pixel beyond the outer centres, where the map's pixels still are, their values
    go on.

    Parameters
    ----------
    image : ndarray of shape (H, W), float32
    matrix : ndarray of shape (3, 3)
        From its pixel centres to those of the other image.
    shape : tuple of int
        The (height, width) of the other image.

    Returns
    -------
    image : ndarray of shape `shape`, float32

    Raises
    ------
    ImageError
        If a side has 32,767 pixels or more and the matrix turns or slants.

    Examples
    --------
    >>> half = np.array([[2, 0, 0.5], [0, 1, 0], [0, 0, 1]])  # each pixel becomes two
    >>> warp_linear(np.array([[0, 8]], np.float32), half, (1, 4)).tolist()
    [[0.0, 2.0, 6.0, 8.0]]
    """
    back = np.linalg.inv(matrix)
    if _is_upright(back):
        x, y = _sources(back, shape)
        warped = _interpolated(_interpolated(image, y, 0), x, 1)
        height, width = image.shape
        return _outside_zeroed(warped, _covers(x, width), _covers(y, height))
    warped = _warp(image, back, shape, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE)
    covered = _warp(np.ones(image.shape, np.uint8), back, shape, cv2.INTER_NEAREST)
    return warped * covered


def _is_upright(back):
    """Whether rows stay rows and columns columns, so that the axes can be taken one by one."""
    scale = np.abs(back).max()
    slanted = [back[0, 1], back[1, 0], back[2, 0], back[2, 1]]
    return bool((np.abs(slanted) <= 1e-12 * scale).all())


def _sources(back, shape):
    """For each column the x, and for each row the y, that it comes from."""
    x = (back[0, 0] * np.arange(shape[1]) + back[0, 2]) / back[2, 2]
    y = (back[1, 1] * np.arange(shape[0]) + back[1, 2]) / back[2, 2]
    return x, y


def _covers(at, length):
    return (at >= -0.5) & (at < length - 0.5)


def _outside_zeroed(image, columns, rows):
    image[:, ~columns] = 0
    image[~rows] = 0
    return image


def _interpolated(image, at, axis):
    last = image.shape[axis] - 1
    at = at.clip(0, last)
    low = np.floor(at).astype(np.intp)
    share = (at - low).astype(np.float32)
    share = share[:, None] if axis == 0 else share
    below = image.take(low, axis=axis)
    above = image.take(np.minimum(low + 1, last), axis=axis)
    above -= below
    above *= share
    above += below
    return above


def _warp(image, back, shape, interpolation, border=cv2.BORDER_CONSTANT):
    if max(*image.shape, *shape) >= _WARP_LIMIT:
        raise ImageError(
            f"A map of {image.shape} cannot be turned onto {shape}: OpenCV warps sides below "
            f"{_WARP_LIMIT} pixels. Work on tiles of the image."
        )
    flags = interpolation | cv2.WARP_INVERSE_MAP
    return cv2.warpPerspective(image, back, shape[::-1], flags=flags, borderMode=border)
