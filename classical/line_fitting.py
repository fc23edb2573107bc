"""Lines fitted: through most pixels of a mask by RANSAC, and through lines that nearly agree."""

import numpy as np

from vision.checks import check_integer, check_number, check_random_state
from vision.kinds import Kind
from vision.line_geometry import rho_theta_of
from vision.opencv import cv2
from vision.shapes import Lines
from vision.step import Step

_CHUNK = 64  # trials at a time: their distances stay in the processor's cache
_JUDGES = 4096  # pixels that trials are judged on
_FINALISTS = 4  # trials that are judged on all pixels
_REFITS = 10  # of a line to its own inliers, at most
_SLACK = 1e-6  # pixels: one at the threshold itself is in, for all its rounding


class RANSACLines(Step):
    """The line that most pixels of a mask lie on, whatever the others do (RANSAC).

    Lines through two random pixels are tried; the one with most pixels near it is fitted to them
    by total least squares. Further lines are looked for in the pixels that are left.

    Parameters
    ----------
    residual_threshold : float, default=1.0
        Pixels at most so far from a line lie on it: its inliers; in pixels, above 0.
    max_trials : int, default=1000
        Pairs tried for each line, at least 1. A line that a share w of the pixels lie on is met in
        ``4.6 / w ** 2`` trials with a probability of 0.99.
    stop_probability : float, default=0.99
        Trials end earlier once the best line was met with this probability, at least 0 and below
        1.
    min_inliers : int, default=2
        Inliers that a line has at least; 2 or more.
    max_lines : int, default=1
        At most so many, at least 1.
    random_state : int, default=0
        Seed of the random pairs.

    Names are those of ``skimage.measure.ransac`` and scikit-learn's `RANSACRegressor`. Of masks
    with over 4,096 pixels, so many random ones judge the trials; all pixels take part in the fit.

    Takes an edge mask or another mask, ``(H, W)``, uint8 of 0 and 255. Gives lines, in the order
    in which they were found, with ``rho_theta`` (pixels, radians), the number of inliers as
    votes, and the segments that lie within the image. Less than two pixels give none.

    Raises
    ------
    ParameterError
        If a number is out of its range.
    KindError
        If the image is no mask.

    References
    ----------
    M. A. Fischler and R. C. Bolles, "Random Sample Consensus: A Paradigm for Model Fitting with
    Applications to Image Analysis and Automated Cartography", Communications of the ACM 24(6),
    1981, doi:10.1145/358669.358692.

    Examples
    --------
    >>> mask = np.zeros((50, 50), np.uint8)
    >>> mask[20, 5:45], mask[::13, ::9] = 255, 255
    >>> found = RANSACLines()(mask)
    >>> found.rho_theta.round(6).tolist(), found.votes.tolist()
    ([[20.0, 1.570796]], [40.0])
    """

    takes = (Kind.EDGES, Kind.MASK)
    gives = Kind.LINES

    def __init__(
        self,
        residual_threshold=1.0,
        max_trials=1000,
        stop_probability=0.99,
        *,
        min_inliers=2,
        max_lines=1,
        random_state=0,
    ):
        self.residual_threshold = residual_threshold
        self.max_trials = max_trials
        self.stop_probability = stop_probability
        self.min_inliers = min_inliers
        self.max_lines = max_lines
        self.random_state = random_state

    def check_params(self):
        """See `Step.check_params`."""
        check_number("residual_threshold", self.residual_threshold, owner=self, above=0)
        check_integer("max_trials", self.max_trials, owner=self, at_least=1)
        check_number("stop_probability", self.stop_probability, owner=self, at_least=0, below=1)
        check_integer("min_inliers", self.min_inliers, owner=self, at_least=2)
        check_integer("max_lines", self.max_lines, owner=self, at_least=1)
        check_random_state("random_state", self.random_state, owner=self)

    def apply(self, image):
        """See `Step.apply`."""
        random = np.random.default_rng(self.random_state)
        center = (np.array(image.shape[::-1]) - 1) / 2
        points = cv2.findNonZero(image)
        points = np.empty((0, 2)) if points is None else points.reshape(-1, 2) - center
        lines, votes = [], []
        while len(points) >= self.min_inliers and len(lines) < self.max_lines:
            line, near = self._best(points, random)
            if near.sum() < self.min_inliers:
                break
            lines.append([line[0], line[1], line[2] - line[:2] @ center])
            votes.append(near.sum())
            points = points[~near]
        pairs = rho_theta_of(np.reshape(lines, (-1, 3)))
        return Lines.from_rho_theta(pairs, image.shape, np.array(votes, float))

    def _best(self, points, random):
        """The line fitted to most of the points, and which these are."""
        found = [self._settled(line, points) for line in self._finalists(points, random)]
        found = [near for near in found if near.sum() >= self.min_inliers]
        if not found:
            return None, np.zeros(len(points), bool)
        near = max(found, key=np.count_nonzero)
        return _fitted(points[near]), near

    def _settled(self, line, points):
        """The inliers of a line, then of the line fitted to these, for as long as they grow."""
        near = self._near(line, points)
        for _ in range(_REFITS):
            if near.sum() < self.min_inliers:
                break
            closer = self._near(_fitted(points[near]), points)
            if closer.sum() <= near.sum():
                break
            near = closer
        return near

    def _near(self, line, points):
        return _away(line[None], *points.T)[0] <= self.residual_threshold + _SLACK

    def _finalists(self, points, random):
        """The best few of the random lines, the best first."""
        judges = points
        if len(points) > _JUDGES:
            judges = points[random.choice(len(points), _JUDGES, replace=False)]
        judges = np.ascontiguousarray(judges.T, np.float32)
        lines, counts, tried, needed = [], [], 0, self.max_trials
        while tried < needed:
            chunk = _random_lines(points, random, min(_CHUNK, self.max_trials - tried))
            tried += _CHUNK
            near = _away(chunk.astype(np.float32), *judges) <= self.residual_threshold
            counts.extend(np.count_nonzero(near, axis=1))
            lines.extend(chunk)
            share = max(counts, default=0) / judges.shape[1]
            needed = min(self.max_trials, self._trials_for(share)) if share else needed
        best = np.argsort(-np.array(counts), kind="stable")[:_FINALISTS]
        return [lines[number] for number in best]

    def _trials_for(self, share):
        """After how many pairs one that lies on the line was met with the probability asked for."""
        both = min(share**2, 1 - 1e-12)
        return int(np.ceil(np.log1p(-self.stop_probability) / np.log1p(-both)))


def _random_lines(points, random, count):
    """Lines through pairs of random points, (n, 3) covectors with normals of length 1."""
    first, second = points[random.integers(0, len(points), (2, count))]
    ways = second - first
    lengths = np.hypot(*ways.T)
    met = lengths > 0
    normals = ways[met][:, ::-1] * (1, -1) / lengths[met, None]
    return np.column_stack([normals, -(normals * first[met]).sum(axis=1)])


def _away(lines, x, y):
    """Distances of lines (a, b, c) from points, (lines, points)."""
    # Not by a matrix product: with 3 columns its threads cost more than they save.
    away = lines[:, :1] * x
    away += lines[:, 1:2] * y
    away += lines[:, 2:]
    return np.abs(away, out=away)


def _fitted(points):
    """The line (a, b, c) nearest to points by total least squares."""
    middle = points.mean(axis=0)
    off = points - middle
    normal = np.linalg.eigh(np.einsum("ni,nj->ij", off, off))[1][:, 0]
    return np.array([*normal, -normal @ middle])


class MergeLines(Step):
    """Nearly equal lines made one: the crowd of a Hough peak, the pieces of a broken line.

    The strongest line takes in all that are near it, then the strongest of the rest, and so on.
    Segments become the one that runs along all of them, infinite lines their mean.

    Parameters
    ----------
    angle : float, default=5.0
        Lines are near if their angles differ by at most this, in degrees, at least 0 and below
        90, ...
    distance : float, default=10.0
        ... the middle of one lies at most so far from the stronger one, in pixels, at least 0, ...
    max_gap : float, default=20.0
        ... and, of segments, no longer gap is between them, in pixels, at least 0; None joins over
        any. Of infinite lines it says nothing.
    max_lines : int, default=None
        At most so many, the strongest ones, at least 1; None: no limit.

    Takes lines. Gives lines, the strongest first (by votes; without them the longest), as
    `vision.Lines.merged` does.

    Raises
    ------
    ParameterError
        If a number is out of its range.

    Examples
    --------
    >>> pieces = Lines([[0, 5, 9, 5], [12, 5, 30, 5], [7, 0, 7, 20]], shape=(40, 40))
    >>> MergeLines(max_gap=4)(pieces).lengths.round(6).tolist()
    [30.0, 20.0]
    """

    takes = (Kind.LINES,)
    gives = Kind.LINES

    def __init__(self, angle=5.0, distance=10.0, max_gap=20.0, *, max_lines=None):
        self.angle = angle
        self.distance = distance
        self.max_gap = max_gap
        self.max_lines = max_lines

    def check_params(self):
        """See `Step.check_params`."""
        check_number("angle", self.angle, owner=self, at_least=0, below=90)
        check_number("distance", self.distance, owner=self, at_least=0)
        if self.max_gap is not None:
            check_number("max_gap", self.max_gap, owner=self, at_least=0)
        if self.max_lines is not None:
            check_integer("max_lines", self.max_lines, owner=self, at_least=1)

    def apply(self, lines):
        """See `Step.apply`."""
        merged = lines.merged(angle=self.angle, distance=self.distance, max_gap=self.max_gap)
        return merged[: self.max_lines]
