"""Points of interest with their size, direction and descriptors."""

from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from vision.canvas import OUTLINE, line_thickness, stroke
from vision.checks import check_bool, check_number, refuse
from vision.mapping import check_shape, map_angles, map_lengths, map_points
from vision.matches import Matches, match_rows
from vision.opencv import cv2
from vision.result_base import Rows, numbers_field, plain

_FRACTION_BITS = 3  # cv2 draws at eighths of a pixel
_NO_ANGLE = -1.0


@dataclass(frozen=True, eq=False, repr=False)
class Keypoints(Rows):
    """Points of interest.

    `mapped` moves places, sizes and directions; responses and descriptors stay what they were in
    the image where the points were found. ``len(keypoints)`` counts them; a mask, slice, number
    or array of numbers chooses some.

    Parameters
    ----------
    points : (n, 2) array of float
        Places (x, y), in pixel centres.
    shape : tuple of int
        The (height, width) of the image.
    sizes : (n,) array of float or None
        Diameters of the neighbourhoods, in pixels, not negative.
    angles : (n,) array of float or None
        Directions in degrees in [0, 360), from x towards y (down); -1 where a point has none.
    responses : (n,) array of float or None
        How strong each point is.
    descriptors : (n, d) array or None
        Rows of numbers that describe the neighbourhoods, in their own dtype.

    Raises
    ------
    ParameterError
        If an array has another shape or length, an entry is not finite, a size negative or an
        angle outside its range; if `shape` is no image's.

    Examples
    --------
    >>> Keypoints([[5, 4]], shape=(10, 10), sizes=[7]).to_records()
    [{'x': 5.0, 'y': 4.0, 'size': 7.0, 'angle': None, 'response': None}]
    """

    points: np.ndarray
    shape: tuple
    sizes: np.ndarray | None = None
    angles: np.ndarray | None = None
    responses: np.ndarray | None = None
    descriptors: np.ndarray | None = None

    columns = ("x", "y", "size", "angle", "response")
    kind = "keypoints"
    row_fields = ("points", "sizes", "angles", "responses", "descriptors")

    def __post_init__(self):
        self._hold(shape=check_shape("shape", self.shape, self))
        self._hold(points=numbers_field("points", self.points, self, columns=2))
        for name, lowest in (("sizes", 0), ("angles", -1), ("responses", None)):
            value = getattr(self, name)
            if value is not None:
                column = numbers_field(name, value, self, count=len(self.points), at_least=lowest)
                self._hold(**{name: column})
        if self.angles is not None:
            self._check_angles()
        if self.descriptors is not None:
            self._hold(descriptors=self._checked_descriptors())

    def _check_angles(self):
        angles = self.angles
        if not ((angles == _NO_ANGLE) | ((angles >= 0) & (angles < 360))).all():
            refuse("angles", angles, "degrees in [0, 360), or -1 for none", self)

    def _checked_descriptors(self):
        rows = np.array(self.descriptors)
        numbers = rows.dtype.kind in "biuf" and rows.ndim == 2
        if not numbers or len(rows) != len(self.points) or not np.isfinite(rows).all():
            allowed = f"finite numbers of shape ({len(self.points)}, d), one row a point"
            refuse("descriptors", self.descriptors, allowed, self)
        return rows

    @classmethod
    def from_opencv(cls, keypoints, shape, descriptors=None, *, ranked=False):
        """What a detector of OpenCV gave.

        Parameters
        ----------
        keypoints : sequence of cv2.KeyPoint
            Octaves and class numbers are not kept: compute descriptors along with the points.
        shape : tuple of int
            The (height, width) of the image.
        descriptors : (n, d) array, optional
        ranked : bool, default=False
            Whether the strongest come first; else they keep their order.

        Returns
        -------
        Keypoints

        Examples
        --------
        >>> Keypoints.from_opencv([cv2.KeyPoint(5, 4, 7)], shape=(10, 10)).sizes.tolist()
        [7.0]
        """
        count = len(keypoints)
        if descriptors is not None:
            descriptors = np.asarray(descriptors).view()  # theirs stay writeable
        responses, sizes, angles = (
            np.fromiter(map(attrgetter(name), keypoints), np.float64, count)
            for name in ("response", "size", "angle")
        )
        points = cv2.KeyPoint_convert(keypoints) if count else np.empty((0, 2))
        if ranked:
            order = np.argsort(-responses, kind="stable")
            points, sizes, angles, responses = (
                values.take(order, axis=0) for values in (points, sizes, angles, responses)
            )
            if descriptors is not None:
                descriptors = descriptors.take(order, axis=0)
        largest = angles.max(initial=_NO_ANGLE)
        if largest == _NO_ANGLE:
            angles = None
        elif largest >= 360:  # SIFT gives 360 itself for a hair below 0
            angles[angles >= 360] -= 360
        return cls.unchecked(
            points=points.astype(np.float64),
            shape=check_shape("shape", shape, cls.__name__),
            sizes=sizes,
            angles=angles,
            responses=responses,
            descriptors=descriptors,
        )

    def to_opencv(self):
        """The points as a list of cv2.KeyPoint, of size 1 where it is not known.

        Examples
        --------
        >>> Keypoints([[5, 4]], shape=(10, 10)).to_opencv()[0].pt
        (5.0, 4.0)
        """
        ones = np.ones(len(self))
        sizes = ones if self.sizes is None else self.sizes
        angles = -ones if self.angles is None else self.angles
        responses = 0 * ones if self.responses is None else self.responses
        rows = np.column_stack([self.points, sizes, angles, responses]).tolist()
        return [cv2.KeyPoint(*row) for row in rows]

    def match(self, other, ratio=0.8, cross_check=False):
        """Pair these points with those of another image whose descriptors are nearest.

        Parameters
        ----------
        other : Keypoints
            With descriptors by the same detector.
        ratio : float or None, default=0.8
            A pair is kept if its distance is below this share of that to the second nearest, in
            (0, 1]; with None, or where there is no second, all are kept.
        cross_check : bool, default=False
            Whether each point must be the nearest of its partner, too.

        Returns
        -------
        Matches
            In the order of these points. Descriptors of dtype uint8 or bool are compared bit by
            bit (Hamming's distance), others by Euclid's.

        Raises
        ------
        ParameterError
            If one side has no descriptors or they are of different kinds; if `ratio` is outside
            (0, 1] or `cross_check` not True or False.

        References
        ----------
        D. G. Lowe, "Distinctive Image Features from Scale-Invariant Keypoints", International
        Journal of Computer Vision 60(2), 2004, section 7.1,
        doi:10.1023/B:VISI.0000029664.99615.94.

        Examples
        --------
        >>> one = Keypoints([[1, 1], [5, 5]], (9, 9), descriptors=[[0.0], [9.0]])
        >>> two = Keypoints([[2, 1], [6, 5], [7, 7]], (9, 9), descriptors=[[1.0], [5.0], [13.5]])
        >>> one.match(two).to_records()
        [{'x': 1.0, 'y': 1.0, 'other_x': 2.0, 'other_y': 1.0, 'distance': 1.0}]
        """
        owner = "Keypoints.match"
        if ratio is not None:
            check_number("ratio", ratio, owner=owner, above=0, at_most=1)
        check_bool("cross_check", cross_check, owner=owner)
        self._check_comparable(other)
        pairs, distances = match_rows(self.descriptors, other.descriptors, ratio, cross_check)
        points = self.points[pairs[:, 0]], other.points[pairs[:, 1]]
        return Matches(*points, self.shape, other.shape, distances, pairs)

    def _check_comparable(self, other):
        if not isinstance(other, Keypoints):
            refuse("other", other, "keypoints", "Keypoints.match")
        kinds = []
        for name, one in (("keypoints", self), ("other", other)):
            if one.descriptors is None:
                hint = "ORB() and SIFT() describe what they find."
                refuse(name, one, "keypoints with descriptors", "Keypoints.match", hint)
            kinds.append(f"{one.descriptors.shape[1]} columns of {one.descriptors.dtype}")
        if kinds[0] != kinds[1]:
            allowed = f"keypoints with descriptors of {kinds[0]}, as these are"
            refuse("other", other, allowed, "Keypoints.match", f"They have {kinds[1]}.")

    def _rows(self):
        columns = (plain(c, len(self)) for c in (self.sizes, self.angles, self.responses))
        for point, size, angle, response in zip(self.points.tolist(), *columns, strict=True):
            yield *point, size, None if angle == _NO_ANGLE else angle, response

    def _paint(self, canvas):
        scale = 2**_FRACTION_BITS
        smallest = 2.0 * line_thickness(canvas.shape)
        radii = np.zeros(len(self)) if self.sizes is None else self.sizes / 2
        radii = np.maximum(radii, smallest)
        turned = np.deg2rad(np.zeros(len(self)) if self.angles is None else self.angles)
        way = np.column_stack([np.cos(turned), np.sin(turned)]) * radii[:, None]
        pointed = np.zeros(len(self), bool) if self.angles is None else self.angles != _NO_ANGLE
        centers = np.rint(self.points * scale).astype(int).tolist()
        tips = np.rint((self.points + way) * scale).astype(int).tolist()
        radii = np.rint(radii * scale).astype(int).tolist()

        def paint(canvas, color, thickness):
            style = color, thickness, cv2.LINE_AA, _FRACTION_BITS
            for center, radius, tip, has_tip in zip(centers, radii, tips, pointed, strict=True):
                cv2.circle(canvas, center, radius, *style)
                if has_tip:
                    cv2.line(canvas, center, tip, *style)

        stroke(canvas, paint, OUTLINE)

    def _mapped(self, matrix, shape):
        points = map_points(matrix, self.points)
        limit = np.array(shape[::-1]) - 0.5
        inside = ((points >= -0.5) & (points < limit)).all(axis=1)
        old = self[inside]
        sizes = old.sizes if old.sizes is None else map_lengths(matrix, old.points, old.sizes)
        angles = old.angles
        if angles is not None:
            turned = map_angles(matrix, old.points, angles)
            angles = np.where(angles == _NO_ANGLE, _NO_ANGLE, turned)
        return type(self)(points[inside], shape, sizes, angles, old.responses, old.descriptors)
