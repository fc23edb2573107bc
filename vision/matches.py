"""Points of one image paired with those of another, and the homography between the two."""

from dataclasses import dataclass

import numpy as np

from vision.canvas import OUTLINE, blank, line_thickness, rgb_canvas, stroke
from vision.checks import check_number, check_random_state, refuse
from vision.mapping import check_shape, map_points
from vision.opencv import cv2
from vision.palette import label_colors
from vision.result_base import Rows, described, numbers_field, plain

_FRACTION_BITS = 3  # cv2 draws at eighths of a pixel
_GROUND = 48  # grey level below the smaller of two pictures
_ROUNDS, _CONFIDENCE = 10_000, 0.999  # of RANSAC: at most so many, until so sure
_FEWEST = 4  # pairs that fix a homography
_BLOCK = 4_000_000  # distances held at once


@dataclass(frozen=True, eq=False, repr=False)
class Matches(Rows):
    """Pairs of points: one in an image, one in another.

    ``len(matches)`` counts them; a mask, slice, number or array of numbers chooses some.

    Parameters
    ----------
    points : (n, 2) array of float
        Places (x, y) in the image, in pixel centres.
    others : (n, 2) array of float
        Their partners (x, y) in the other image.
    shape : tuple of int
        The (height, width) of the image.
    other_shape : tuple of int
        That of the other image.
    distances : (n,) array of float or None
        How far apart the two descriptors of each pair are, not negative.
    indices : (n, 2) array of int or None
        Which keypoint of the image and which of the other each pair joins, from 0.

    Raises
    ------
    ParameterError
        If an array has another shape or length, an entry is not finite, a distance or index
        negative; if a shape is no image's.

    Examples
    --------
    >>> pairs = Matches([[1, 2], [5, 2]], [[3, 2], [7, 2]], (9, 9), (9, 12))
    >>> pairs.to_records()[0]
    {'x': 1.0, 'y': 2.0, 'other_x': 3.0, 'other_y': 2.0, 'distance': None}
    """

    points: np.ndarray
    others: np.ndarray
    shape: tuple
    other_shape: tuple
    distances: np.ndarray | None = None
    indices: np.ndarray | None = None

    columns = ("x", "y", "other_x", "other_y", "distance")
    row_fields = ("points", "others", "distances", "indices")

    def __post_init__(self):
        self._hold(shape=check_shape("shape", self.shape, self))
        self._hold(other_shape=check_shape("other_shape", self.other_shape, self))
        points = numbers_field("points", self.points, self, columns=2)
        count = len(points)
        others = numbers_field("others", self.others, self, columns=2, count=count)
        self._hold(points=points, others=others)
        if self.distances is not None:
            column = numbers_field("distances", self.distances, self, count=count, at_least=0)
            self._hold(distances=column)
        if self.indices is not None:
            pairs = numbers_field("indices", self.indices, self, columns=2, count=count, at_least=0)
            if (pairs % 1).any():
                refuse("indices", self.indices, "whole numbers", self)
            self._hold(indices=pairs.astype(np.int64))

    def swapped(self):
        """The same pairs seen from the other image.

        Returns
        -------
        Matches

        Examples
        --------
        >>> Matches([[1, 2]], [[3, 4]], (9, 9), (8, 8)).swapped().points.tolist()
        [[3.0, 4.0]]
        """
        indices = None if self.indices is None else self.indices[:, ::-1]
        return type(self)(
            self.others, self.points, self.other_shape, self.shape, self.distances, indices
        )

    def homography(self, threshold=3.0, random_state=0):
        """The perspective change from this image to the other that most pairs agree with.

        RANSAC with local optimisation: four pairs at a time propose a matrix, the one with the
        smallest cut-off squared error wins (MSAC) and is refined on its inliers.

        Parameters
        ----------
        threshold : float, default=3.0
            How far from its partner, in pixels of the other image, a point of an inlier may
            come, above 0.
        random_state : int, default=0
            Seed of the draws, 0 to 2**32 - 1.

        Returns
        -------
        matrix : (3, 3) ndarray of float64, or None
            From pixel centres (x, y) here to those of the other image; None where no four pairs
            fix one.
        inliers : (n,) ndarray of bool
            Which pairs agree with it.

        Raises
        ------
        ParameterError
            If `threshold` is not above 0 or `random_state` out of its range.

        References
        ----------
        M. A. Fischler and R. C. Bolles, "Random sample consensus", Communications of the ACM
        24(6), 1981, doi:10.1145/358669.358692; P. H. S. Torr and A. Zisserman, "MLESAC",
        Computer Vision and Image Understanding 78(1), 2000, doi:10.1006/cviu.1999.0832;
        O. Chum, J. Matas and J. Kittler, "Locally optimized RANSAC", DAGM 2003,
        doi:10.1007/978-3-540-45243-0_31.

        Examples
        --------
        >>> square = np.array([[0, 0], [8, 0], [8, 8], [0, 8], [4, 1]])
        >>> pairs = Matches(square, 2 * square + [1, 3], (9, 9), (30, 30))
        >>> matrix, inliers = pairs.homography()
        >>> matrix.round(3).tolist(), int(inliers.sum())
        ([[2.0, 0.0, 1.0], [0.0, 2.0, 3.0], [0.0, 0.0, 1.0]], 5)
        """
        check_number("threshold", threshold, owner="Matches.homography", above=0)
        check_random_state("random_state", random_state, owner="Matches.homography")
        nothing = None, np.zeros(len(self), bool)
        if len(self) < _FEWEST:
            return nothing
        pairs = [side.astype(np.float32).reshape(-1, 1, 2) for side in (self.points, self.others)]
        matrix, inliers = cv2.findHomography(*pairs, _consensus(threshold, random_state))
        if matrix is None or not np.isfinite(matrix).all() or np.linalg.det(matrix) == 0:
            return nothing
        return matrix, inliers.ravel() != 0

    def draw(self, image, other=None, *, out=None):
        """Both images side by side with a line for each pair, or the points on their image alone.

        Parameters
        ----------
        image : ndarray of shape (H, W) or (H, W, 3), uint8
            Grey or RGB; left as it is.
        other : ndarray of shape (h, w) or (h, w, 3), uint8, optional
            The other image; it goes to the right.
        out : ndarray of shape (H, W, 3), uint8, optional
            Without `other`: what is drawn on instead of a new picture.

        Returns
        -------
        picture : ndarray of shape (max(H, h), W + w, 3), or (H, W, 3), uint8

        Raises
        ------
        ImageError
            If one is no grey or RGB uint8 image, or not of the size that the pairs refer to.
        ParameterError
            If `out` is no such array, or given along with `other`.
        """
        if other is None:
            return super().draw(image, out=out)
        if out is not None:
            refuse("out", out, "left out where two images are drawn", self)
        left = rgb_canvas(image, self.shape, "Matches")
        right = rgb_canvas(other, self.other_shape, "Matches")
        height, width = max(len(left), len(right)), left.shape[1]
        sheet = blank((height, width + right.shape[1]), _GROUND)
        sheet[: len(left), :width], sheet[: len(right), width:] = left, right
        self._join(sheet, width)
        return sheet

    def _join(self, sheet, width):
        ends = np.stack([self.points, self.others + np.array([width, 0])], axis=1)
        ends = np.rint(ends * 2**_FRACTION_BITS).astype(int).tolist()
        colors = label_colors(256).tolist()
        radius = 2 * line_thickness(self.shape) << _FRACTION_BITS
        for number, (start, end) in enumerate(ends):
            style = colors[1 + number % 255], 1, cv2.LINE_AA, _FRACTION_BITS
            cv2.line(sheet, start, end, *style)
            cv2.circle(sheet, start, radius, *style)
            cv2.circle(sheet, end, radius, *style)

    def _paint(self, canvas):
        centers = np.rint(self.points * 2**_FRACTION_BITS).astype(int).tolist()
        radius = 2 * line_thickness(canvas.shape) << _FRACTION_BITS

        def paint(canvas, color, thickness):
            for center in centers:
                cv2.circle(canvas, center, radius, color, thickness, cv2.LINE_AA, _FRACTION_BITS)

        stroke(canvas, paint, OUTLINE)

    def _rows(self):
        sides = np.hstack([self.points, self.others]).tolist()
        for places, distance in zip(sides, plain(self.distances, len(self)), strict=True):
            yield *places, distance

    def __repr__(self):
        sizes = described(self.shape), described(self.other_shape)
        return f"Matches({len(self)} from {sizes[0]} to {sizes[1]})"

    def _mapped(self, matrix, shape):
        points = map_points(matrix, self.points)
        limit = np.array(shape[::-1]) - 0.5
        inside = ((points >= -0.5) & (points < limit)).all(axis=1)
        old = self[inside]
        return type(self)(
            points[inside], old.others, shape, self.other_shape, old.distances, old.indices
        )


def _consensus(threshold, random_state):
    """OpenCV's settings, new for every call: it keeps its own generator, so threads do not mix."""
    settings = cv2.UsacParams()
    settings.threshold = float(threshold)
    settings.maxIterations, settings.confidence = _ROUNDS, _CONFIDENCE
    settings.score = cv2.SCORE_METHOD_MSAC
    settings.loMethod = cv2.LOCAL_OPTIM_INNER_LO
    settings.final_polisher = cv2.LSQ_POLISHER
    settings.isParallel = False
    settings.randomGeneratorState = int(np.uint32(random_state).astype(np.int32))
    return settings


def match_rows(rows, others, ratio, cross_check):
    """Rows of numbers paired with their nearest among others.

    Parameters
    ----------
    rows, others : (n, d) and (m, d) ndarray
        uint8 and bool are compared bit by bit (Hamming), others by Euclid's distance.
    ratio : float or None
        A pair is kept if its distance is below `ratio` times that to the second nearest.
    cross_check : bool
        Whether a pair must be nearest seen from both sides.

    Returns
    -------
    indices : (k, 2) ndarray of int
    distances : (k,) ndarray of float64

    Examples
    --------
    >>> rows, others = np.array([[0.0], [9.0]]), np.array([[1.0], [5.0], [13.5]])
    >>> match_rows(rows, others, 0.8, False)[0].tolist()
    [[0, 0]]
    """
    if not len(rows) or not len(others):
        return np.empty((0, 2), np.intp), np.empty(0)
    nearest, first, second = _nearest_two(rows, others)
    kept = np.ones(len(rows), bool) if ratio is None else first < ratio * second
    if cross_check:
        kept &= _nearest_two(others, rows)[0][nearest] == np.arange(len(rows))
    return np.column_stack([np.flatnonzero(kept), nearest[kept]]), first[kept]


def _nearest_two(rows, others):
    """The nearest row for each, its distance, and that of the second nearest (else infinity)."""
    if rows.dtype == np.bool_:
        rows, others = np.packbits(rows, axis=1), np.packbits(others, axis=1)
    if rows.dtype == np.uint8:
        distances, nearest = cv2.batchDistance(
            rows, others, cv2.CV_32S, normType=cv2.NORM_HAMMING, K=min(2, len(others))
        )
        second = distances[:, 1] if len(others) > 1 else np.full(len(rows), np.inf)
        return nearest[:, 0], distances[:, 0].astype(np.float64), second.astype(np.float64)
    count = max(1, _BLOCK // len(others))
    parts = [_euclid(rows[i : i + count], others) for i in range(0, len(rows), count)]
    return tuple(np.concatenate(column) for column in zip(*parts))


def _euclid(rows, others):
    """As `_nearest_two`, by one matrix product: an eighth of OpenCV's time.

    Exact for SIFT, whose rows hold whole numbers up to 255.
    """
    precise = np.float64 if rows.dtype.itemsize > 4 else np.float32
    rows, others = rows.astype(precise, copy=False), others.astype(precise, copy=False)
    squared = rows @ (-2 * others.T)
    squared += np.einsum("ij,ij->i", others, others)
    nearest, every = squared.argmin(axis=1), np.arange(len(rows))
    first = squared[every, nearest]
    squared[every, nearest] = np.inf
    both = np.stack([first, squared.min(axis=1)]).astype(np.float64)
    both += np.einsum("ij,ij->i", rows, rows)
    return nearest, *np.sqrt(np.maximum(both, 0))
