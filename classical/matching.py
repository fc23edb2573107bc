"""A known flat picture found in others: its outline, and the picture rectified."""

import numpy as np

from classical.known_picture import KnownPictureStep, outline
from vision.checks import check_choice, check_integer
from vision.errors import ImageError
from vision.kinds import BLENDED, Kind
from vision.mapping import map_points
from vision.opencv import cv2
from vision.quadrilaterals import Quadrilaterals

_INTERPOLATIONS = {
    "nearest": cv2.INTER_NEAREST,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
}


class FindObject(KnownPictureStep):
    """A known flat object found in a scene, seen from any side, by keypoints and a homography.

    Keypoints of the scene are paired with those of the template by their descriptors; the
    homography that most pairs agree with says where the template's outline is.

    Parameters
    ----------
    template : ndarray
        The object alone, seen from the front: an rgb or gray image, uint8.
    detector : step or pipeline, default=None
        Finds and describes keypoints of a gray image; None: `SIFT()`. `ORB(2000)` is faster.
    ratio : float or None, default=0.8
        Of Lowe's test, see `Keypoints.match`, in (0, 1]; None: no test.
    threshold : float, default=3.0
        How far from its place, in pixels of the scene, an inlier may be, above 0.
    min_matches : int, default=10
        How many pairs must agree, at least 4. Of unrelated photographs up to 6 happened to agree
        by SIFT, up to 9 by ORB.
    max_objects : int, default=1
        How many times the object is looked for, at least 1.
    random_state : int, default=0
        Seed of RANSAC, 0 to 2**32 - 1.

    `matches(image)` gives the pairs, `homography(image)` the matrix of the best view. Mirrored
    objects are not found. Colour does not count.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8. Gives detections,
    `vision.Quadrilaterals`: the four corners of each object, from the template's
    upper left clockwise, the box around them, and as score which share of the pairs inside agree.

    Raises
    ------
    ParameterError
        If `template` is no such image or has too few keypoints, `detector` finds no keypoints
        with descriptors, or a number is out of its range.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    D. G. Lowe, "Distinctive Image Features from Scale-Invariant Keypoints", International Journal
    of Computer Vision 60(2), 2004, section 7, doi:10.1023/B:VISI.0000029664.99615.94;
    M. Brown and D. G. Lowe, "Automatic Panoramic Image Stitching using Invariant Features",
    International Journal of Computer Vision 74(1), 2007, doi:10.1007/s11263-006-0002-3.

    Examples
    --------
    >>> from skimage.data import camera
    >>> find = FindObject(camera()[60:200, 160:300])
    >>> find(camera()).corners.round().tolist()
    [[[160.0, 60.0], [300.0, 60.0], [300.0, 200.0], [160.0, 200.0]]]
    """

    gives = Kind.DETECTIONS

    def __init__(
        self,
        template,
        detector=None,
        ratio=0.8,
        threshold=3.0,
        min_matches=10,
        max_objects=1,
        random_state=0,
    ):
        self.template = template
        self.detector = detector
        self.ratio = ratio
        self.threshold = threshold
        self.min_matches = min_matches
        self.max_objects = max_objects
        self.random_state = random_state

    @classmethod
    def make_example(cls):
        """A working instance for the catalogue: it looks for a cup of coffee."""
        from skimage.data import coffee

        return cls(coffee()[50:330, 160:460].copy())

    def check_params(self):
        """See `Step.check_params`."""
        super().check_params()
        check_integer("max_objects", self.max_objects, owner=self, at_least=1)

    def apply(self, image):
        """See `Step.apply`."""
        corners, scores = [], []
        for matrix, score in self.views(self.found_pairs(image)):
            corners.append(map_points(matrix, outline(self.template.shape[:2])) + 0.5)
            scores.append(score)
            if len(corners) == self.max_objects:
                break
        return Quadrilaterals.from_corners(corners, scores, shape=image.shape[:2])


class AlignTo(KnownPictureStep):
    """The picture brought onto a reference's grid: rectified, turned and scaled to match it.

    Keypoints are paired by their descriptors, and the picture is warped by the homography that
    most pairs agree with: right for flat things (pages, signs, boards) seen from anywhere, and
    for any scene seen from one point.

    Parameters
    ----------
    reference : ndarray
        What the picture should look like: an rgb or gray image, uint8.
    detector : step or pipeline, default=None
        Finds and describes keypoints of a gray image; None: `SIFT()`. `ORB(2000)` is faster.
    ratio : float or None, default=0.8
        Of Lowe's test, see `Keypoints.match`, in (0, 1]; None: no test.
    threshold : float, default=3.0
        How far from its place, in pixels of the picture, an inlier may be, above 0.
    min_matches : int, default=10
        How many pairs must agree, at least 4.
    interpolation : {"nearest", "linear", "cubic"}, default="linear"
        How pixels are taken from between those of the picture.
    value : int, default=0
        The level, in every channel, where the picture does not reach, 0 to 255.
    missing : {"error", "blank"}, default="error"
        What happens to a picture in which the reference is not found: it is refused, or gives a
        picture of `value` alone.
    random_state : int, default=0
        Seed of RANSAC, 0 to 2**32 - 1.

    `matches(image)` gives the pairs, `homography(image)` the matrix from the reference to the
    picture, None where nothing is found. The matrix is found again to bring results that later
    steps give back to the picture.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8. Gives the same kind, in
    the size of the reference; of a mask a gray image, except by "nearest" with a value of 0 or
    255.

    Raises
    ------
    ParameterError
        If `reference` is no such image or has too few keypoints, `detector` finds no keypoints
        with descriptors, a number is out of its range, or a word unknown.
    ImageError
        If the reference is not found in the picture and `missing` is "error".
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    D. G. Lowe, "Distinctive Image Features from Scale-Invariant Keypoints", International Journal
    of Computer Vision 60(2), 2004, doi:10.1023/B:VISI.0000029664.99615.94; M. A. Fischler and
    R. C. Bolles, "Random sample consensus", Communications of the ACM 24(6), 1981,
    doi:10.1145/358669.358692.

    Examples
    --------
    >>> from skimage.data import camera
    >>> page = camera()[100:300, 100:350]
    >>> again = AlignTo(page)(np.rot90(page).copy())
    >>> again.shape, bool(np.mean(cv2.absdiff(again, page)) < 2)
    ((200, 250), True)
    """

    gives = BLENDED
    known_name = "reference"

    def __init__(
        self,
        reference,
        detector=None,
        ratio=0.8,
        threshold=3.0,
        min_matches=10,
        interpolation="linear",
        value=0,
        missing="error",
        random_state=0,
    ):
        self.reference = reference
        self.detector = detector
        self.ratio = ratio
        self.threshold = threshold
        self.min_matches = min_matches
        self.interpolation = interpolation
        self.value = value
        self.missing = missing
        self.random_state = random_state

    @classmethod
    def make_example(cls):
        """A working instance for the catalogue: it straightens a cup of coffee."""
        from skimage.data import coffee

        return cls(coffee()[50:330, 160:460].copy(), missing="blank")

    def check_params(self):
        """See `Step.check_params`."""
        super().check_params()
        check_choice("interpolation", self.interpolation, tuple(_INTERPOLATIONS), owner=self)
        check_integer("value", self.value, owner=self, at_least=0, at_most=255)
        check_choice("missing", self.missing, ("error", "blank"), owner=self)

    def gives_for(self, kind):
        """The kind that came; a mask becomes gray where pixels are mixed."""
        picked = self.interpolation == "nearest" and self.value in (0, 255)
        return kind if picked else super().gives_for(kind)

    def to_input(self, image):
        """The homography from the reference's grid to the picture."""
        matrix = self._found(image)
        return np.eye(3) if matrix is None else matrix

    def apply(self, image):
        """See `Step.apply`."""
        matrix, shape = self._found(image), self.reference.shape[:2]
        if matrix is None:
            return np.full((*shape, *image.shape[2:]), self.value, np.uint8)
        flags = _INTERPOLATIONS[self.interpolation] | cv2.WARP_INVERSE_MAP
        fill = (self.value,) * 4
        return cv2.warpPerspective(
            image,
            matrix,
            shape[::-1],
            flags=flags,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=fill,
        )

    def _found(self, image):
        """The homography; None where there is none and that is no error."""
        matches = self.found_pairs(image)
        matrix = next((matrix for matrix, _ in self.views(matches)), None)
        if matrix is None and self.missing == "error":
            raise ImageError(
                f"AlignTo does not find its reference in this picture: of {len(matches)} pairs of "
                f"keypoints fewer than {self.min_matches} agree. missing='blank' gives an empty "
                "picture instead."
            )
        return matrix
