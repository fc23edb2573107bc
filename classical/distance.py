"""How far each pixel of a region is from the background."""

import numpy as np

from vision.checks import check_choice
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step

# Of the city block and the chessboard a 3x3 neighbourhood is exact, of the circle no size is.
METRICS = {
    "euclidean": (cv2.DIST_L2, cv2.DIST_MASK_PRECISE),
    "cityblock": (cv2.DIST_L1, cv2.DIST_MASK_3),
    "chessboard": (cv2.DIST_C, cv2.DIST_MASK_3),
}

# Below, rounding finds the whole number whose root a distance is, in spite of errors of float32.
_RECOVERABLE = 1000
_AT_ONCE = 2**17  # pixels that are rounded together, so that they stay in the cache


class DistanceTransform(Step):
    """The distance from each set pixel of a mask to the nearest unset one.

    Parameters
    ----------
    metric : {"euclidean", "cityblock", "chessboard"}, default="euclidean"
        Straight, correct to the last bit of float32; in steps to the four neighbours; in steps to
        the eight.

    Distances run between pixel centres, so that the outermost pixels of a region are at 1, unset
    ones at 0. What lies outside the image does not count, except of a mask without any unset
    pixel, whose distances are those to the outside. Touching discs have a peak each: behind it,
    ``HMaxima(1) >> LocalMaxima() >> ConnectedComponents()`` gives the seeds to split them.

    Takes a mask, ``(H, W)``, uint8 of 0 and 255. Gives a map, ``(H, W)``, float32, in pixels.

    Raises
    ------
    ParameterError
        If `metric` is unknown.
    KindError
        If the image is no mask.

    References
    ----------
    P. F. Felzenszwalb and D. P. Huttenlocher, "Distance Transforms of Sampled Functions", Theory
    of Computing 8, 2012, doi:10.4086/toc.2012.v008a019; G. Borgefors, "Distance transformations in
    digital images", Computer Vision, Graphics, and Image Processing 34(3), 1986,
    doi:10.1016/S0734-189X(86)80047-0.

    Examples
    --------
    >>> DistanceTransform()(np.array([[0, 255, 255, 255, 255]], np.uint8)).tolist()
    [[0.0, 1.0, 2.0, 3.0, 4.0]]
    """

    takes, gives = (Kind.MASK,), Kind.MAP

    def __init__(self, metric="euclidean"):
        self.metric = metric

    def check_params(self):
        """See `Step.check_params`."""
        check_choice("metric", self.metric, tuple(METRICS), owner=self)

    def prepare(self):
        """See `Step.prepare`."""
        return METRICS[self.metric]

    def apply(self, image):
        """See `Step.apply`."""
        if image.min():
            framed = cv2.copyMakeBorder(image, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
            return self._distances(framed)[1:-1, 1:-1].copy()
        return self._distances(image)

    def _distances(self, mask):
        if self.metric == "euclidean":
            return straight_distances(mask)
        return cv2.distanceTransform(mask, *self._tables)


def straight_distances(mask):
    """The distance from each set pixel to the nearest unset one, correct to the last bit.

    OpenCV's vary there from call to call: each is the root of a whole number, which rounding finds.

    Parameters
    ----------
    mask : (H, W) ndarray of uint8
        With at least one unset pixel.

    Returns
    -------
    (H, W) ndarray of float32
        In pixels; 0 where nothing is set.

    Examples
    --------
    >>> straight_distances(np.array([[0, 255, 255]], np.uint8)).tolist()
    [[0.0, 1.0, 2.0]]
    """
    distances = cv2.distanceTransform(mask, *METRICS["euclidean"])
    rows = max(1, _AT_ONCE // mask.shape[1])
    for top in range(0, len(mask), rows):
        part = distances[top : top + rows]
        if part.max() >= _RECOVERABLE:
            from scipy.ndimage import distance_transform_edt

            return distance_transform_edt(mask).astype(np.float32)
        np.multiply(part, part, out=part)
        cv2.sqrt(np.rint(part, out=part), part)
    return distances
