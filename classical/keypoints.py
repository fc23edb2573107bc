"""Keypoints that are described, to be found again in another picture: ORB and SIFT."""

import numpy as np

from vision.checks import check_choice, check_integer, check_number
from vision.errors import ImageError
from vision.keypoints import Keypoints
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step

_SCORES = {"harris": cv2.ORB_HARRIS_SCORE, "fast": cv2.ORB_FAST_SCORE}
_ORB_BYTES, _SIFT_NUMBERS = 32, 128


class ORB(Step):
    """Corners at several scales with a direction and 256 bits that describe each: fast and free.

    Parameters
    ----------
    n_features : int, default=500
        At most so many, the strongest of each scale.
    scale_factor : float, default=1.2
        How much coarser each scale is than the one before, above 1, at most 8.
    n_levels : int, default=8
        How many scales, 1 to 32.
    edge_threshold : int, default=31
        Width of the border, in pixels of each scale, in which nothing is found.
    patch_size : int, default=31
        Width of the patch that is described, in pixels of each scale, at least 2.
    fast_threshold : int, default=20
        Of the corners by `FAST` that it starts from, 0 to 255.
    score : {"harris", "fast"}, default="harris"
        What ranks the corners: the response of `HarrisCorners`, or that of `FAST`, a little
        faster and less stable.

    Takes a gray image, ``(H, W)``, uint8. Gives keypoints, the strongest first, with sizes,
    angles, responses and descriptors, ``(n, 32)``, uint8: ``found.match(others)`` compares them
    bit by bit.

    Raises
    ------
    ParameterError
        If a number is out of its range, or `score` none of these.
    ImageError
        If the coarsest scale of the picture has no pixels.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    E. Rublee, V. Rabaud, K. Konolige and G. Bradski, "ORB: an efficient alternative to SIFT or
    SURF", ICCV 2011, doi:10.1109/ICCV.2011.6126544.

    Examples
    --------
    >>> from skimage.data import camera
    >>> found = ORB()(camera())
    >>> len(found), found.descriptors.shape, found.descriptors.dtype
    (500, (500, 32), dtype('uint8'))
    """

    takes = (Kind.GRAY,)
    gives = Kind.KEYPOINTS

    def __init__(
        self,
        n_features=500,
        scale_factor=1.2,
        n_levels=8,
        edge_threshold=31,
        patch_size=31,
        fast_threshold=20,
        score="harris",
    ):
        self.n_features = n_features
        self.scale_factor = scale_factor
        self.n_levels = n_levels
        self.edge_threshold = edge_threshold
        self.patch_size = patch_size
        self.fast_threshold = fast_threshold
        self.score = score

    def check_params(self):
        """See `Step.check_params`."""
        check_integer("n_features", self.n_features, owner=self, at_least=1)
        check_number("scale_factor", self.scale_factor, owner=self, above=1, at_most=8)
        check_integer("n_levels", self.n_levels, owner=self, at_least=1, at_most=32)
        check_integer("edge_threshold", self.edge_threshold, owner=self, at_least=0)
        check_integer("patch_size", self.patch_size, owner=self, at_least=2)
        check_integer("fast_threshold", self.fast_threshold, owner=self, at_least=0, at_most=255)
        check_choice("score", self.score, tuple(_SCORES), owner=self)

    def apply(self, image):
        """See `Step.apply`."""
        smallest = min(image.shape)
        nothing = np.empty((0, _ORB_BYTES), np.uint8)
        # All is border then, and OpenCV fails where a scale has no pixels.
        if smallest <= 2 * self.edge_threshold:
            return Keypoints([], image.shape, [], None, [], nothing)
        if smallest < self.scale_factor ** (self.n_levels - 1):
            raise ImageError(
                f"{self!r} makes pictures {self.scale_factor ** (self.n_levels - 1):.0f} times "
                f"smaller. Got one of shape {image.shape}: lower n_levels or scale_factor."
            )
        detector = cv2.ORB_create(
            self.n_features,
            self.scale_factor,
            self.n_levels,
            self.edge_threshold,
            patchSize=self.patch_size,
            fastThreshold=self.fast_threshold,
            scoreType=_SCORES[self.score],
        )
        found, rows = detector.detectAndCompute(image, None)
        rows = nothing if rows is None else rows
        return Keypoints.from_opencv(found, image.shape, rows, ranked=True)


class SIFT(Step):
    """Blobs at all scales with a direction and 128 numbers that describe each: the most faithful.

    Parameters
    ----------
    n_features : int, default=None
        At most so many, the strongest ones; None: no limit.
    n_octave_layers : int, default=3
        Scales within each doubling of the scale.
    contrast_threshold : float, default=0.04
        Contrast that a point has at least, divided by `n_octave_layers`, as a share of the whole
        range of gray; 0.09 is what Lowe's paper uses.
    edge_threshold : float, default=10
        How many times more curved a point may be one way than the other, above 0: along edges
        places are uncertain.
    sigma : float, default=1.6
        Standard deviation of the Gaussian on the first scale, of twice the picture's size, in its
        pixels, at least 1.

    OpenCV's SIFT with ``enable_precise_upscale=True``, without which places are up to a quarter
    of a pixel off.

    Takes a gray image, ``(H, W)``, uint8. Gives keypoints, the strongest first, with sizes,
    angles, responses and descriptors, ``(n, 128)``, float32 of whole numbers from 0 to 255;
    ``found.match(others)`` compares them. A place with several directions comes several times.

    Raises
    ------
    ParameterError
        If a number is out of its range.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    D. G. Lowe, "Distinctive Image Features from Scale-Invariant Keypoints", International Journal
    of Computer Vision 60(2), 2004, doi:10.1023/B:VISI.0000029664.99615.94.

    Examples
    --------
    >>> y, x = np.mgrid[:80, :100]
    >>> spot = (200 * np.exp(-((x - 60) ** 2 + (y - 30) ** 2) / 72)).astype(np.uint8)
    >>> found = SIFT()(spot)
    >>> found.points[0].round(1).tolist(), found.descriptors.shape[1]
    ([60.0, 30.0], 128)
    """

    takes = (Kind.GRAY,)
    gives = Kind.KEYPOINTS

    def __init__(
        self,
        n_features=None,
        n_octave_layers=3,
        contrast_threshold=0.04,
        edge_threshold=10,
        sigma=1.6,
    ):
        self.n_features = n_features
        self.n_octave_layers = n_octave_layers
        self.contrast_threshold = contrast_threshold
        self.edge_threshold = edge_threshold
        self.sigma = sigma

    def check_params(self):
        """See `Step.check_params`."""
        if self.n_features is not None:
            check_integer("n_features", self.n_features, owner=self, at_least=1)
        check_integer("n_octave_layers", self.n_octave_layers, owner=self, at_least=1)
        check_number("contrast_threshold", self.contrast_threshold, owner=self, at_least=0)
        check_number("edge_threshold", self.edge_threshold, owner=self, above=0)
        check_number("sigma", self.sigma, owner=self, at_least=1)

    def apply(self, image):
        """See `Step.apply`."""
        detector = cv2.SIFT_create(
            self.n_features or 0,
            self.n_octave_layers,
            self.contrast_threshold,
            self.edge_threshold,
            self.sigma,
            enable_precise_upscale=True,
        )
        found, rows = detector.detectAndCompute(image, None)
        rows = np.empty((0, _SIFT_NUMBERS), np.float32) if rows is None else rows
        keypoints = Keypoints.from_opencv(found, image.shape, rows, ranked=True)
        return keypoints if self.n_features is None else keypoints[: self.n_features]
