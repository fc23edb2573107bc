"""Lines and circles, as the Hough transforms give them."""

from dataclasses import dataclass

import numpy as np

from vision.canvas import OUTLINE, stroke
from vision.mapping import check_shape, clip_segments, map_lengths, map_points
from vision.opencv import cv2
from vision.result_base import Rows, numbers_field, plain

_FRACTION_BITS = 3  # cv2 draws at eighths of a pixel


@dataclass(frozen=True, eq=False, repr=False)
class Lines(Rows):
    """Straight line segments, or infinite lines cut to the image.

    ``len(lines)`` counts them; a mask, slice, number or array of numbers chooses some.

    Parameters
    ----------
    segments : (n, 4) array of float
        Ends x1, y1, x2, y2 of each, pixel centres.
    shape : tuple of int
        The (height, width) of the image.
    rho_theta : (n, 2) array of float or None
        Of infinite lines: the distance from pixel (0, 0), in pixels, and the angle of the normal,
        in radians, so that ``x cos(theta) + y sin(theta) = rho``.
    votes : (n,) array of float or None
        How much speaks for each line.

    Raises
    ------
    ParameterError
        If an array has another shape or length, or an entry is not finite; if `shape` is no
        image's.

    Examples
    --------
    >>> lines = Lines([[0, 0, 3, 4], [5, 9, 5, 0]], shape=(10, 10))
    >>> lines.lengths.tolist(), lines.angles.round(1).tolist()
    ([5.0, 9.0], [53.1, 90.0])
    """

    segments: np.ndarray
    shape: tuple
    rho_theta: np.ndarray | None = None
    votes: np.ndarray | None = None

    columns = ("x1", "y1", "x2", "y2", "length", "angle", "rho", "theta", "votes")
    kind = "lines"
    row_fields = ("segments", "rho_theta", "votes")

    def __post_init__(self):
        self._hold(shape=check_shape("shape", self.shape, self))
        self._hold(segments=numbers_field("segments", self.segments, self, columns=4))
        count = len(self.segments)
        if self.rho_theta is not None:
            pairs = numbers_field("rho_theta", self.rho_theta, self, columns=2, count=count)
            self._hold(rho_theta=pairs)
        if self.votes is not None:
            self._hold(votes=numbers_field("votes", self.votes, self, count=count))

    @classmethod
    def from_rho_theta(cls, rho_theta, shape, votes=None):
        """Infinite lines, cut to the pixel centres of the image; those that miss it left out.

        Parameters
        ----------
        rho_theta : (n, 2) array of float
            As ``cv2.HoughLines`` gives them (reshaped): pixels, radians.
        shape : tuple of int
            The (height, width) of the image.
        votes : (n,) array of float, optional

        Returns
        -------
        Lines

        Raises
        ------
        ParameterError
            As the constructor does.

        Examples
        --------
        >>> Lines.from_rho_theta([[3, 0]], shape=(10, 20)).segments.tolist()
        [[3.0, 0.0, 3.0, 9.0]]
        """
        shape = check_shape("shape", shape, "Lines.from_rho_theta")
        pairs = numbers_field("rho_theta", rho_theta, "Lines.from_rho_theta", columns=2)
        segments, inside = _through(pairs, shape)
        lines = cls(segments, shape, pairs, votes)
        return lines if inside.all() else lines[inside]

    @property
    def lengths(self):
        """Length of each segment, (n,), in pixels."""
        return np.hypot(*(self.segments[:, 2:] - self.segments[:, :2]).T)

    @property
    def angles(self):
        """Direction of each segment, (n,), in degrees in [0, 180), from x towards y (down).

        0 is level, 90 upright, 45 falls from the upper left to the lower right.
        """
        x, y = (self.segments[:, 2:] - self.segments[:, :2]).T
        # The second modulo: a tiny negative angle modulo 180 is 180 itself.
        return np.rad2deg(np.arctan2(y, x)) % 180 % 180

    def _rows(self):
        pairs = plain(self.rho_theta, len(self))
        ends, votes = self.segments.tolist(), plain(self.votes, len(self))
        measures = self.lengths.tolist(), self.angles.tolist()
        for end, length, angle, pair, vote in zip(ends, *measures, pairs, votes, strict=True):
            yield *end, length, angle, *(pair or (None, None)), vote

    def _paint(self, canvas):
        segments, inside = clip_segments(self.segments, canvas.shape[:2])
        ends = np.rint(segments[inside] * 2**_FRACTION_BITS).astype(np.int32).reshape(-1, 2, 2)

        def paint(canvas, color, thickness):
            cv2.polylines(canvas, ends, False, color, thickness, cv2.LINE_AA, _FRACTION_BITS)

        if len(ends):
            stroke(canvas, paint, OUTLINE)

    def _mapped(self, matrix, shape):
        if self.rho_theta is not None:
            return type(self).from_rho_theta(
                _mapped_rho_theta(self.rho_theta, matrix), shape, self.votes
            )
        ends = map_points(matrix, self.segments.reshape(-1, 2)).reshape(-1, 4)
        segments, inside = clip_segments(ends, shape)
        votes = None if self.votes is None else self.votes[inside]
        return type(self)(segments[inside], shape, votes=votes)


def _through(rho_theta, shape):
    """Infinite lines as segments of an image, and which of them meet it."""
    rho, theta = rho_theta.T
    normal = np.column_stack([np.cos(theta), np.sin(theta)])
    along = normal[:, ::-1] * (-1, 1)
    foot = normal * rho[:, None]
    reach = (np.abs(rho) + np.hypot(*shape))[:, None]
    return clip_segments(np.hstack([foot - along * reach, foot + along * reach]), shape)


def _mapped_rho_theta(rho_theta, matrix):
    """Lines as covectors (cos, sin, -rho) move with the inverse transpose of the matrix."""
    rho, theta = rho_theta.T
    lines = np.column_stack([np.cos(theta), np.sin(theta), -rho]) @ np.linalg.inv(matrix)
    lines /= np.hypot(lines[:, 0], lines[:, 1])[:, None]
    normals = lines[:, :2]
    normals[np.abs(normals) < 1e-12] = 0  # an upright line stays at 0, not a hair below pi
    # OpenCV's theta lies in [0, pi): the other half is the same line with rho negated.
    flip = (lines[:, 1] < 0) | ((lines[:, 1] == 0) & (lines[:, 0] < 0))
    lines[flip] *= -1
    return np.column_stack([-lines[:, 2], np.arctan2(lines[:, 1], lines[:, 0])])


@dataclass(frozen=True, eq=False, repr=False)
class Circles(Rows):
    """Circles.

    `mapped` keeps them circles, their area changed as the image's is at their centres.
    ``len(circles)`` counts them; a mask, slice, number or array of numbers chooses some.

    Parameters
    ----------
    centers : (n, 2) array of float
        Centres (x, y), in pixel centres.
    radii : (n,) array of float
        In pixels, not negative.
    shape : tuple of int
        The (height, width) of the image.

    Raises
    ------
    ParameterError
        If an array has another shape or length, an entry is not finite or a radius negative; if
        `shape` is no image's.

    Examples
    --------
    >>> Circles([[5, 4]], [3], shape=(10, 10)).to_records()
    [{'x': 5.0, 'y': 4.0, 'radius': 3.0}]
    """

    centers: np.ndarray
    radii: np.ndarray
    shape: tuple

    columns = ("x", "y", "radius")
    kind = "circles"
    row_fields = ("centers", "radii")

    def __post_init__(self):
        self._hold(shape=check_shape("shape", self.shape, self))
        self._hold(centers=numbers_field("centers", self.centers, self, columns=2))
        radii = numbers_field("radii", self.radii, self, count=len(self.centers), at_least=0)
        self._hold(radii=radii)

    def _rows(self):
        return np.column_stack([self.centers, self.radii]).tolist()

    def _paint(self, canvas):
        scaled = np.column_stack([self.centers, self.radii]) * 2**_FRACTION_BITS
        circles = np.rint(scaled).astype(int).tolist()

        def paint(canvas, color, thickness):
            for x, y, radius in circles:
                cv2.circle(canvas, (x, y), radius, color, thickness, cv2.LINE_AA, _FRACTION_BITS)

        stroke(canvas, paint, OUTLINE)

    def _mapped(self, matrix, shape):
        centers = map_points(matrix, self.centers)
        radii = map_lengths(matrix, self.centers, self.radii)
        nearest = centers.clip(-0.5, np.array(shape[::-1]) - 0.5)
        inside = np.hypot(*(centers - nearest).T) <= radii
        return type(self)(centers[inside], radii[inside], shape)
