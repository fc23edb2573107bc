"""Faces by a cascade of local binary patterns that scikit-image ships."""

import numpy as np

from vision.checks import check_integer, check_number, check_order
from vision.detections import Detections
from vision.kinds import Kind
from vision.step import Step

_WINDOW = 24  # pixels a side that the cascade was trained on


class FindFaces(Step):
    """Faces seen from the front, by a cascade of local binary patterns.

    Parameters
    ----------
    min_size : int, default=60
        Width of the smallest face in pixels, at least 24. Small ones take the most time, and find
        more that is no face.
    max_size : int, default=None
        Width of the largest, not below `min_size`; None: the image's shorter side.
    scale_factor : float, default=1.2
        How much larger each size is than the one before, above 1.
    step_ratio : float, default=1
        How far the window moves, at least 1; above 1 is faster and misses more.
    min_neighbors : int, default=4
        How many windows must agree on a face, at least 1.

    As ``skimage.feature.Cascade`` with the file in scikit-image's wheel, on one thread, so
    that the order in which windows are found, and with it how they are merged, never changes.
    Upright faces alone are found, turned by some 15 degrees at most.

    Takes an rgb or gray image, uint8. Gives detections without scores, from the top.

    Raises
    ------
    ParameterError
        If a number is out of its range, or `min_size` exceeds `max_size`.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    P. Viola and M. Jones, "Rapid object detection using a boosted cascade of simple features",
    CVPR 2001, doi:10.1109/CVPR.2001.990517; S. Liao et al., "Learning multi-scale block local
    binary patterns for face recognition", ICB 2007, doi:10.1007/978-3-540-74549-5_87.

    Examples
    --------
    >>> from skimage.data import astronaut
    >>> face = FindFaces()(astronaut()).boxes[0]
    >>> bool((face[:2] < (220, 120)).all() and (face[2:] > (220, 120)).all())
    True
    """

    takes = (Kind.RGB, Kind.GRAY)
    gives = Kind.DETECTIONS

    def __init__(self, min_size=60, max_size=None, scale_factor=1.2, step_ratio=1, min_neighbors=4):
        self.min_size = min_size
        self.max_size = max_size
        self.scale_factor = scale_factor
        self.step_ratio = step_ratio
        self.min_neighbors = min_neighbors

    def check_params(self):
        """See `Step.check_params`."""
        check_integer("min_size", self.min_size, owner=self, at_least=_WINDOW)
        if self.max_size is not None:
            check_integer("max_size", self.max_size, owner=self, at_least=_WINDOW)
            check_order("min_size", self.min_size, "max_size", self.max_size, owner=self)
        check_number("scale_factor", self.scale_factor, owner=self, above=1)
        check_number("step_ratio", self.step_ratio, owner=self, at_least=1)
        check_integer("min_neighbors", self.min_neighbors, owner=self, at_least=1)

    def prepare(self):
        """See `Step.prepare`."""
        from skimage.data import lbp_frontal_face_cascade_filename
        from skimage.feature import Cascade
        from threadpoolctl import ThreadpoolController

        cascade = Cascade(lbp_frontal_face_cascade_filename())
        return cascade, ThreadpoolController().select(user_api="openmp")

    def apply(self, image):
        """See `Step.apply`."""
        cascade, threads = self._tables
        largest = min(image.shape[:2]) if self.max_size is None else self.max_size
        if min(image.shape[:2]) < self.min_size:
            return Detections([], shape=image.shape[:2])
        with threads.limit(limits=1):
            found = cascade.detect_multi_scale(
                image,
                self.scale_factor,
                self.step_ratio,
                (self.min_size, self.min_size),
                (largest, largest),
                self.min_neighbors,
            )
        rows = sorted((one["r"], one["c"], one["width"], one["height"]) for one in found)
        top, left, width, height = np.reshape(rows, (-1, 4)).T
        boxes = np.column_stack([left, top, left + width, top + height])
        return Detections(boxes, shape=image.shape[:2])
