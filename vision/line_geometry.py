"""The geometry of straight lines: which are nearly one, where they cross, where they all lead to.

A line is a middle, a unit direction (x, y) and, where an equation is wanted, the covector
(a, b, c) of ``a x + b y + c = 0`` with ``a ** 2 + b ** 2 = 1``.
"""

import numpy as np

from vision.mapping import SLACK

_TURNED = np.array([[-1.0], [1.0]])  # a quarter, from the normal to the line's own direction
_OUTWARD = np.array([[[-SLACK]], [[SLACK]]])  # of both sides, so that 0 / 0 is kept away
_NORMAL_NOISE = 1e-12  # of a component of a unit normal
_ON_SEGMENT = 1e-6  # pixels that a crossing may lie beyond an end, for all its rounding
_GUIDES = 64  # lines whose crossings are tried as vanishing points: 2,016 pairs
_LEAST_TURN = 0.5  # degrees: two lines that differ by less may as well meet nowhere
_ROUNDS = 5  # of fitting a vanishing point and choosing its lines again


def through(middles, directions):
    """The covectors of lines, (n, 3).

    Examples
    --------
    >>> through(np.array([[3.0, 5.0]]), np.array([[0.0, 1.0]])).tolist()
    [[1.0, 0.0, -3.0]]
    """
    normals = directions[:, ::-1] * (1, -1)
    return np.column_stack([normals, -(normals * middles).sum(axis=1)]) + 0.0  # no minus 0


def rho_theta_of(covectors):
    """Lines in Hesse's normal form, (n, 2): rho in pixels, theta in radians in [0, pi).

    Parameters
    ----------
    covectors : (n, 3) array of float
        ``a x + b y + c = 0``, of any length but 0.

    Examples
    --------
    >>> rho_theta_of(np.array([[-2.0, 0.0, 6.0]])).tolist()
    [[3.0, 0.0]]
    """
    lines = covectors / np.hypot(covectors[:, 0], covectors[:, 1])[:, None]
    normals = lines[:, :2]
    normals[np.abs(normals) < _NORMAL_NOISE] = 0  # an upright line stays at 0, not just below pi
    # OpenCV's theta lies in [0, pi): the other half is the same line with rho negated.
    flip = (lines[:, 1] < 0) | ((lines[:, 1] == 0) & (lines[:, 0] < 0))
    lines[flip] *= -1
    lines += 0.0  # the angle of minus 0 is not 0
    return np.column_stack([-lines[:, 2] + 0.0, np.arctan2(lines[:, 1], lines[:, 0])])


def cut(rho_theta, shape):
    """Lines without end as segments of an image of (height, width), and which of them meet it.

    Examples
    --------
    >>> segments, inside = cut(np.array([[3.0, 0.0], [99.0, 0.0]]), (10, 20))
    >>> segments[inside].tolist()
    [[3.0, 0.0, 3.0, 9.0]]
    """
    rho, theta = rho_theta.T
    normals = np.array([np.cos(theta), np.sin(theta)])
    feet, ways = normals * rho, normals[::-1] * _TURNED
    limits = np.array([[[0.0], [0.0]], [[shape[1] - 1.0], [shape[0] - 1.0]]])
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        # Where lines meet the sides, in pixels from the foot.
        sides = (limits + _OUTWARD - feet) / ways
        enter, leave = sides.min(axis=0).max(axis=0), sides.max(axis=0).min(axis=0)
        ends = feet + ways * np.array([enter, leave])[:, None]
    inner = np.minimum(np.maximum(ends, 0), limits[1])
    return inner.reshape(4, -1).T, enter <= leave


def mapped_rho_theta(rho_theta, matrix):
    """Lines without end through a homography of the plane, (n, 2).

    Examples
    --------
    >>> mapped_rho_theta(np.array([[3.0, 0.0]]), np.diag([2.0, 1.0, 1.0])).tolist()
    [[6.0, 0.0]]
    """
    rho, theta = rho_theta.T
    # Covectors move with the inverse transpose of the matrix.
    lines = np.column_stack([np.cos(theta), np.sin(theta), -rho]) @ np.linalg.inv(matrix)
    return rho_theta_of(lines)


def groups(segments, directions, *, angle, distance, gap=None):
    """Numbers of the lines that are nearly one, a group at a time.

    The first line that is left takes all that are near it, so the strongest must come first.

    Parameters
    ----------
    segments : (n, 4) array of float
        Ends x1, y1, x2, y2.
    directions : (n, 2) array of float
        Of length 1.
    angle : float
        Largest angle between a line and the first of its group, in degrees.
    distance : float
        Largest distance of a line's middle from the first of its group, in pixels.
    gap : float, optional
        Longest gap along that first line, in pixels; None joins over any.

    Yields
    ------
    (m,) array of int

    Examples
    --------
    >>> level = np.array([[0.0, 5, 9, 5], [0, 6, 4, 6], [0, 9, 9, 9]])
    >>> ways = np.tile([1.0, 0.0], (3, 1))
    >>> [group.tolist() for group in groups(level, ways, angle=1, distance=2)]
    [[0, 1], [2]]
    """
    middles = (segments[:, :2] + segments[:, 2:]) / 2
    least = np.cos(np.deg2rad(angle)) - _NORMAL_NOISE
    left = np.arange(len(segments))
    while len(left):
        way, ways = directions[left[0]], directions[left]
        off = middles[left] - middles[left[0]]
        away = np.abs(off @ (-way[1], way[0]))
        near = (np.abs(ways @ way) >= least) & (away <= distance)
        if gap is not None:
            ends = segments[left[near]].reshape(-1, 2, 2) @ way
            near[near] = _connected(ends.min(axis=1), ends.max(axis=1), gap)
        yield left[near]
        left = left[~near]


def _connected(low, high, gap):
    """Which stretches of one line hang together with the first of them."""
    order = np.argsort(low, kind="stable")
    reach = np.maximum.accumulate(high[order])
    chain = np.zeros(len(low), int)
    chain[order[1:]] = np.cumsum(low[order][1:] > reach[:-1] + gap)
    return chain == chain[0]


def spanned(segments):
    """The one segment, (4,), that runs along all of some segments, by total least squares.

    Each counts as a rod whose mass is its length; the ends are the outermost of all.

    Examples
    --------
    >>> ends = spanned(np.array([[0.0, 5, 4, 5], [6, 5, 9, 5]])).reshape(2, 2)
    >>> sorted(ends.round(6).tolist())
    [[0.0, 5.0], [9.0, 5.0]]
    """
    starts, ways = segments[:, :2], segments[:, 2:] - segments[:, :2]
    mass = np.maximum(np.hypot(*ways.T), _ON_SEGMENT)
    mass = mass / mass.sum()
    off = starts + ways / 2
    middle = mass @ off
    off = off - middle
    # A rod's own second moment is a twelfth of its length squared.
    spread = (off.T * mass) @ off + (ways.T * mass) @ ways / 12
    way = np.linalg.eigh(spread)[1][:, -1]
    along = (segments.reshape(-1, 2) - middle) @ way
    return np.concatenate([middle + along.min() * way, middle + along.max() * way])


def mean_line(rho_theta, weights, center):
    """The weighted mean of nearly equal lines as rho and theta, (2,).

    Their distances are averaged from `center` (x, y), where the lines are near each other:
    pixel (0, 0) may be far, and a small turn is a long way there.

    Examples
    --------
    >>> mean_line(np.array([[3.0, 0.0], [-4.0, np.pi]]), np.ones(2), np.zeros(2)).tolist()
    [3.5, 0.0]
    """
    rho, theta = rho_theta.T
    normals = np.column_stack([np.cos(theta), np.sin(theta)])
    # (rho, theta) and (-rho, theta + pi) are one line.
    sign = np.where(normals @ normals[0] < 0, -1, 1)
    a, b, offset = (weights * sign) @ np.column_stack([normals, rho - normals @ center])
    return rho_theta_of(np.array([[a, b, -offset - a * center[0] - b * center[1]]]))[0]


def crossings(covectors, min_angle):
    """Where lines cross, and the numbers of the two that do.

    Parameters
    ----------
    covectors : (n, 3) array of float
        With normals of length 1.
    min_angle : float
        Smallest angle between two lines, in degrees, above 0: what is less has no sharp crossing.

    Returns
    -------
    points : (m, 2) array of float
    pairs : (m, 2) array of int

    Examples
    --------
    >>> points, pairs = crossings(np.array([[1.0, 0, -3], [0, 1, -5]]), 1)
    >>> points.tolist(), pairs.tolist()
    ([[3.0, 5.0]], [[0, 1]])
    """
    points, pairs = [np.empty((0, 2))], [np.empty((0, 2), int)]
    least = np.sin(np.deg2rad(min_angle)) - _NORMAL_NOISE
    for first in range(len(covectors) - 1):  # one row of pairs at a time: n ** 2 would not fit
        crossing = np.cross(covectors[first], covectors[first + 1 :])
        sharp = np.flatnonzero(np.abs(crossing[:, 2]) >= least)
        points.append(crossing[sharp, :2] / crossing[sharp, 2:])
        pairs.append(np.column_stack([np.full(len(sharp), first), first + 1 + sharp]))
    return np.concatenate(points), np.concatenate(pairs)


def on_segments(points, segments):
    """Whether each point, known to be on a segment's line, is on the segment, (n,) bool.

    Examples
    --------
    >>> on_segments(np.array([[2.0, 0], [5, 0]]), np.array([[0.0, 0, 4, 0]] * 2)).tolist()
    [True, False]
    """
    low = np.minimum(segments[:, :2], segments[:, 2:]) - _ON_SEGMENT
    high = np.maximum(segments[:, :2], segments[:, 2:]) + _ON_SEGMENT
    return ((points >= low) & (points <= high)).all(axis=1)


def vanishing_point(middles, directions, weights, tolerance):
    """The point that most lines lead to, and which do.

    All crossings of the heaviest lines are tried; the one that the greatest weight of lines leads
    to is then moved to where these lines meet best.

    Parameters
    ----------
    middles, directions : (n, 2) array of float
        Directions of length 1.
    weights : (n,) array of float
        How much each line counts.
    tolerance : float
        Largest angle, in degrees, between a line and the way from its middle to the point.

    Returns
    -------
    point : (2,) array of float
        NaN where no two lines differ by half a degree.
    leading : (n,) array of bool

    Examples
    --------
    >>> middles = np.array([[0.0, 8], [4, 8], [1, 1]])
    >>> ways = np.array([[0.6, -0.8], [0.0, -1], [1, 0]])
    >>> point, leading = vanishing_point(middles, ways, np.array([5.0, 5, 1]), 2)
    >>> point.round(6).tolist(), leading.tolist()
    ([4.0, 2.666667], [True, True, False])
    """
    lines = through(middles, directions)
    guides = np.argsort(-weights, kind="stable")[:_GUIDES]
    candidates, _ = crossings(lines[guides], _LEAST_TURN)
    if not len(candidates):
        return np.full(2, np.nan), np.zeros(len(lines), bool)
    support = [weights @ _leads(point, middles, lines, tolerance) for point in candidates]
    point = candidates[np.argmax(support)]
    leading = _leads(point, middles, lines, tolerance)
    for _ in range(_ROUNDS):
        moved = _meeting(lines[leading], middles[leading], weights[leading], point)
        chosen = _leads(moved, middles, lines, tolerance)
        if chosen.sum() < 2:
            break
        point, settled, leading = moved, np.array_equal(chosen, leading), chosen
        if settled:
            break
    return point, leading


def _leads(point, middles, lines, tolerance):
    away = np.abs(lines[:, :2] @ point + lines[:, 2])
    return away <= np.sin(np.deg2rad(tolerance)) * np.hypot(*(middles - point).T)


def _meeting(lines, middles, weights, point):
    """Where lines meet by least squares of the angles that they miss the point by."""
    share = np.sqrt(weights) / np.maximum(np.hypot(*(middles - point).T), 1)
    center = middles.mean(axis=0)
    offsets = -(lines[:, :2] @ center + lines[:, 2])
    found = np.linalg.lstsq(lines[:, :2] * share[:, None], offsets * share, rcond=None)[0]
    return center + found
