"""The base of steps that know one flat picture and find it in others."""

import functools

import numpy as np

from classical.keypoints import SIFT
from vision.checks import check_integer, check_number, check_random_state, refuse
from vision.composition import Composable, Edits
from vision.flow import chain_kinds
from vision.kinds import Kind
from vision.mapping import map_points
from vision.opencv import cv2
from vision.step import Step


class KnownPictureStep(Step):
    """A step that finds one known picture in others by its keypoints.

    A subclass has the parameters `detector`, `ratio`, `threshold`, `min_matches` and
    `random_state`, and the picture.

    Attributes
    ----------
    known_name : str
        The parameter that holds the picture.
    """

    takes = (Kind.RGB, Kind.GRAY)
    known_name = "template"
    _PREPARED = (*Step._PREPARED, "_edits")

    @property
    def known(self):
        """The picture that is looked for."""
        return getattr(self, self.known_name)

    def check_params(self):
        """See `Step.check_params`."""
        picture = self.known
        good = isinstance(picture, np.ndarray) and picture.dtype == np.uint8 and picture.size
        if not (good and (picture.ndim == 2 or picture.shape[2:] == (3,))):
            refuse(self.known_name, picture, "an rgb or gray image, uint8", self)
        self._check_detector()
        if self.ratio is not None:
            check_number("ratio", self.ratio, owner=self, above=0, at_most=1)
        check_number("threshold", self.threshold, owner=self, above=0)
        check_integer("min_matches", self.min_matches, owner=self, at_least=4)
        check_random_state("random_state", self.random_state, owner=self)

    def _check_detector(self):
        allowed = "a step or pipeline that finds keypoints in a gray image, or None"
        if self.detector is None:
            return
        if not isinstance(self.detector, Composable):
            refuse("detector", self.detector, allowed, self)
        made = chain_kinds([self.detector])
        if not any(Kind.GRAY.fits((k,)) and made[k].fits((Kind.KEYPOINTS,)) for k in made):
            refuse("detector", self.detector, allowed, self)

    def prepare(self):
        """See `Step.prepare`."""
        found = self._described(self.known)
        if found.descriptors is None:
            hint = "ORB() and SIFT() describe what they find."
            refuse("detector", self.detector, "one that gives descriptors", self, hint)
        if len(found) < self.min_matches:
            allowed = f"a picture with at least {self.min_matches} keypoints"
            hint = f"It has {len(found)}: take a larger one, or a detector that finds more."
            refuse(self.known_name, self.known, allowed, self, hint)
        return found

    def make_ready(self):
        """Check again whenever a step within `detector` may have changed."""
        if self.__dict__.get("_edits") != Edits.count:
            edits = Edits.count
            self.__dict__.pop("_ready", None)
            super().make_ready()
            self.__dict__["_edits"] = edits

    def __call__(self, image):
        self.make_ready()
        return super().__call__(image)

    def _described(self, image):
        gray = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        detector = _sift() if self.detector is None else self.detector
        return detector(np.ascontiguousarray(gray))

    def matches(self, image):
        """The pairs of keypoints, before any are left out as not fitting a homography.

        Parameters
        ----------
        image : ndarray
            An rgb or gray image, uint8.

        Returns
        -------
        Matches
            From the known picture to `image`, one at most for each keypoint of `image`.

        Raises
        ------
        KindError
            If the image is of another kind or dtype.
        """
        self.make_ready()
        self.admit(image)
        return self.found_pairs(image)

    def homography(self, image):
        """Where the known picture's pixels are in an image.

        Parameters
        ----------
        image : ndarray
            An rgb or gray image, uint8.

        Returns
        -------
        (3, 3) ndarray of float64, or None
            From its pixel centres (x, y) to those of `image`; None where it is not found.

        Raises
        ------
        KindError
            If the image is of another kind or dtype.
        """
        return next((matrix for matrix, _ in self.views(self.matches(image))), None)

    def found_pairs(self, image):
        """As `matches`, of an image that was checked."""
        return self._described(image).match(self._tables, self.ratio).swapped()

    def views(self, matches):
        """Each homography that enough pairs agree with, and what share of those inside do."""
        shape = self.known.shape[:2]
        while len(matches) >= self.min_matches:
            matrix, inliers = matches.homography(self.threshold, self.random_state)
            if inliers.sum() < self.min_matches or not _seen_from_front(matrix, shape):
                return
            inside = inliers | _inside(matches.others, matrix, shape)
            yield matrix, inliers.sum() / inside.sum()
            matches = matches[~inside]


@functools.cache
def _sift():
    """What finds keypoints by default: made once, for a new step anywhere has all checked again."""
    return SIFT()


def outline(shape):
    """Corners (x, y) of a picture's outline, from the upper left on, in pixel centres."""
    height, width = shape
    return np.array([[0, 0], [width, 0], [width, height], [0, height]]) - 0.5


def _seen_from_front(matrix, shape):
    """Whether the outline stays convex, turns the same way and lies before the camera."""
    corners = outline(shape)
    if (corners @ matrix[2, :2] + matrix[2, 2] <= 0).any():
        return False
    corners = map_points(matrix, corners)
    sides = np.roll(corners, -1, axis=0) - corners
    after = np.roll(sides, -1, axis=0)
    return bool((sides[:, 0] * after[:, 1] - sides[:, 1] * after[:, 0] > 0).all())


def _inside(points, matrix, shape):
    places = map_points(np.linalg.inv(matrix), points)
    return ((places >= -0.5) & (places < np.array(shape[::-1]) - 0.5)).all(axis=1)
