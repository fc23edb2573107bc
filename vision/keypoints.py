"""Points of interest with their size, direction and descriptors."""

from dataclasses import dataclass

import numpy as np

from vision.canvas import OUTLINE, line_thickness, stroke
from vision.checks import refuse
from vision.mapping import check_shape, map_angles, map_lengths, map_points
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
    def from_opencv(cls, keypoints, shape, descriptors=None):
        """What a detector of OpenCV gave.

        Parameters
        ----------
        keypoints : sequence of cv2.KeyPoint
            Octaves and class numbers are not kept: compute descriptors along with the points.
        shape : tuple of int
            The (height, width) of the image.
        descriptors : (n, d) array, optional

        Returns
        -------
        Keypoints

        Examples
        --------
        >>> Keypoints.from_opencv([cv2.KeyPoint(5, 4, 7)], shape=(10, 10)).sizes.tolist()
        [7.0]
        """
        rows = [(*one.pt, one.size, one.angle, one.response) for one in keypoints]
        table = np.array(rows, np.float64).reshape(-1, 5)
        angles = table[:, 3]
        # SIFT gives 360 itself for a hair below 0.
        angles = np.where(angles >= 360, angles - 360, angles)
        angles = None if (angles == _NO_ANGLE).all() else angles
        return cls(table[:, :2], shape, table[:, 2], angles, table[:, 4], descriptors)

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
