"""Lines and circles, as the Hough transforms give them."""

from dataclasses import dataclass

import numpy as np

from vision import line_geometry
from vision.canvas import OUTLINE, stroke
from vision.checks import check_bool, check_number
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
        owner = "Lines.from_rho_theta"
        shape = check_shape("shape", shape, owner)
        pairs = numbers_field("rho_theta", rho_theta, owner, columns=2)
        if votes is not None:
            votes = numbers_field("votes", votes, owner, count=len(pairs))
        return cls._cut(pairs, shape, votes)

    @classmethod
    def from_opencv(cls, found, shape):
        """What ``cv2.HoughLinesWithAccumulator`` gave, taken over without checks.

        Parameters
        ----------
        found : (n, 1, 3) array of float, or None
            Of each line rho, theta and votes.
        shape : tuple of int
            The (height, width) of the image.

        Returns
        -------
        Lines

        Examples
        --------
        >>> Lines.from_opencv(np.array([[[3.0, 0.0, 9.0]]]), shape=(10, 20)).votes.tolist()
        [9.0]
        """
        rows = np.empty((0, 3)) if found is None else found.reshape(-1, 3).astype(np.float64)
        return cls._cut(rows[:, :2], shape, rows[:, 2])

    @classmethod
    def _cut(cls, pairs, shape, votes):
        segments, inside = line_geometry.cut(pairs, shape)
        lines = cls.unchecked(segments=segments, shape=shape, rho_theta=pairs, votes=votes)
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

    def merged(self, *, angle=5.0, distance=10.0, max_gap=20.0):
        """Nearly equal lines made one.

        The strongest line (by votes; without them the longest) takes in all that are near it,
        then the strongest of the rest, and so on. Segments become the one that runs along all of
        them, fitted by total least squares; infinite lines their mean, weighted by votes.

        Parameters
        ----------
        angle : float, default=5
            Lines are near if their angles differ by at most this, in degrees, at least 0 and
            below 90, ...
        distance : float, default=10
            ... the middle of one lies at most so far from the stronger one, in pixels, at
            least 0, ...
        max_gap : float or None, default=20
            ... and, of segments, no longer gap is between them, in pixels, at least 0; None joins
            over any. Of infinite lines it says nothing.

        Returns
        -------
        Lines
            The strongest first, with the votes of the strongest of each group.

        Raises
        ------
        ParameterError
            If a number is out of its range.

        Examples
        --------
        >>> pieces = Lines([[0, 5, 9, 5], [12, 5, 30, 5], [7, 0, 7, 20]], shape=(40, 40))
        >>> pieces.merged(max_gap=4).lengths.round(6).tolist()
        [30.0, 20.0]
        """
        owner = "Lines.merged"
        check_number("angle", angle, owner=owner, at_least=0, below=90)
        check_number("distance", distance, owner=owner, at_least=0)
        if max_gap is not None:
            check_number("max_gap", max_gap, owner=owner, at_least=0)
        ordered = self[self._strongest_first()]
        gap = max_gap if self.rho_theta is None else None
        found = line_geometry.groups(
            ordered.segments, ordered._directions(), angle=angle, distance=distance, gap=gap
        )
        one = ordered._as_one(list(found))
        return one[one._strongest_first()]

    def _as_one(self, groups):
        votes = None if self.votes is None else self.votes[[group[0] for group in groups]]
        if self.rho_theta is None:
            segments = [
                line_geometry.spanned(self.segments[group])
                if len(group) > 1
                else self.segments[group[0]]
                for group in groups
            ]
            return type(self)(np.reshape(segments, (-1, 4)), self.shape, votes=votes)
        weights = np.ones(len(self)) if self.votes is None else self.votes
        center = (np.array(self.shape[::-1]) - 1) / 2
        pairs = [
            line_geometry.mean_line(self.rho_theta[group], weights[group], center)
            if len(group) > 1
            else self.rho_theta[group[0]]
            for group in groups
        ]
        return type(self).from_rho_theta(np.reshape(pairs, (-1, 2)), self.shape, votes)

    def intersections(self, *, min_angle=1.0, extended=False):
        """Where two lines cross.

        Parameters
        ----------
        min_angle : float, default=1
            Smallest angle between the two, in degrees, above 0 and at most 90.
        extended : bool, default=False
            Whether segments are taken as lines without end, so that they may cross anywhere,
            outside the image too. Infinite lines are otherwise taken as far as the image.

        Returns
        -------
        points : (m, 2) array of float
            Where they cross (x, y), in pixel centres.
        pairs : (m, 2) array of int
            The numbers of the two lines that cross there, the smaller first.

        Raises
        ------
        ParameterError
            If `min_angle` is out of its range or `extended` not True or False.

        Examples
        --------
        >>> cross = Lines([[0, 5, 19, 5], [7, 0, 7, 3]], shape=(10, 20))
        >>> points, pairs = cross.intersections(extended=True)
        >>> points.tolist(), pairs.tolist(), len(cross.intersections()[0])
        ([[7.0, 5.0]], [[0, 1]], 0)
        """
        owner = "Lines.intersections"
        check_number("min_angle", min_angle, owner=owner, above=0, at_most=90)
        check_bool("extended", extended, owner=owner)
        lines = line_geometry.through(self._middles(), self._directions())
        points, pairs = line_geometry.crossings(lines, min_angle)
        if not extended:
            within = line_geometry.on_segments(points, self.segments[pairs[:, 0]])
            within &= line_geometry.on_segments(points, self.segments[pairs[:, 1]])
            points, pairs = points[within], pairs[within]
        return points, pairs

    def vanishing_point(self, *, tolerance=2.0):
        """The point that most of the lines lead to: where parallels of the scene meet.

        The crossings of the 64 longest lines are tried; the one that the greatest length of lines
        leads to is moved to where these meet best. Choose some lines first where the scene has
        several such points: ``lines[(lines.angles > 30) & (lines.angles < 150)]``.

        Parameters
        ----------
        tolerance : float, default=2
            A line leads to the point if it misses it by at most this angle as seen from the
            line's middle, in degrees, above 0 and at most 45.

        Returns
        -------
        point : (2,) array of float
            (x, y) in pixel centres, often outside the image; NaN where no two lines differ by
            half a degree: they meet nowhere, or there are fewer than two.
        leading : (n,) array of bool
            Which lines lead to it.

        Raises
        ------
        ParameterError
            If `tolerance` is out of its range.

        Examples
        --------
        >>> ends = [[10, 90, 40, 30], [90, 90, 60, 30], [50, 90, 50, 40], [0, 70, 60, 71]]
        >>> point, leading = Lines(ends, shape=(100, 100)).vanishing_point()
        >>> point.round(6).tolist(), leading.tolist()
        ([50.0, 10.0], [True, True, True, False])
        """
        check_number("tolerance", tolerance, owner="Lines.vanishing_point", above=0, at_most=45)
        return line_geometry.vanishing_point(
            self._middles(), self._directions(), self.lengths, tolerance
        )

    def _strongest_first(self):
        return np.argsort(-(self.lengths if self.votes is None else self.votes), kind="stable")

    def _middles(self):
        return (self.segments[:, :2] + self.segments[:, 2:]) / 2

    def _directions(self):
        """Unit directions (x, y); of a segment without length, which has none, the level one."""
        if self.rho_theta is None:
            turn = np.deg2rad(self.angles)
        else:
            turn = self.rho_theta[:, 1] + np.pi / 2
        return np.column_stack([np.cos(turn), np.sin(turn)])

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
            pairs = line_geometry.mapped_rho_theta(self.rho_theta, matrix)
            return type(self).from_rho_theta(pairs, shape, self.votes)
        ends = map_points(matrix, self.segments.reshape(-1, 2)).reshape(-1, 4)
        segments, inside = clip_segments(ends, shape)
        votes = None if self.votes is None else self.votes[inside]
        return type(self)(segments[inside], shape, votes=votes)


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
