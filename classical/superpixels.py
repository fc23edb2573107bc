"""Superpixels and graph-based regions: small even regions that keep to the edges."""

import numpy as np

from vision.checks import check_integer, check_number
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step


class SLIC(Step):
    """Superpixels: compact regions of about one size that keep to the edges.

    Parameters
    ----------
    n_segments : int, default=100
        About how many, at least 1.
    compactness : float, default=10
        How much the place counts beside the colour, above 0, in units of CIELAB: two pixels as far
        apart as superpixels are wide are this much further from each other. 1 follows every
        detail, 100 gives near squares.
    sigma : float, default=0
        Gaussian blur before, in pixels, at least 0.
    max_iterations : int, default=10
        Rounds of K-means, at least 1.

    K-means on CIELAB colour and place, each centre looking only as far as its neighbours; then
    what is not connected, and too small, goes to the region beside it. A gray image counts by its
    lightness. Unlike scikit-image's, the image is not stretched to its full contrast first.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8. Gives labels, ``(H, W)``,
    int32, from 1, each one connected region; no background 0.

    Raises
    ------
    ParameterError
        If a parameter is out of range.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    R. Achanta, A. Shaji, K. Smith, A. Lucchi, P. Fua and S. Susstrunk, "SLIC Superpixels Compared
    to State-of-the-Art Superpixel Methods", IEEE TPAMI 34(11), 2012, doi:10.1109/TPAMI.2012.120.

    Examples
    --------
    >>> image = np.zeros((8, 16, 3), np.uint8)
    >>> image[:, 5:] = (250, 200, 40)
    >>> SLIC(2, compactness=1)(image)[4].tolist()
    [1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]
    """

    takes = (Kind.RGB, Kind.GRAY)
    gives = Kind.LABELS
    numbers_regions = True

    def __init__(self, n_segments=100, compactness=10, sigma=0, max_iterations=10):
        self.n_segments = n_segments
        self.compactness = compactness
        self.sigma = sigma
        self.max_iterations = max_iterations

    def check_params(self):
        """See `Step.check_params`."""
        check_integer("n_segments", self.n_segments, owner=self, at_least=1)
        check_number("compactness", self.compactness, owner=self, above=0)
        check_number("sigma", self.sigma, owner=self, at_least=0)
        check_integer("max_iterations", self.max_iterations, owner=self, at_least=1)

    def apply(self, image):
        """See `Step.apply`."""
        from skimage.segmentation import slic

        rgb = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if image.ndim == 2 else image
        lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
        # scikit-image stretches what it is given to [0, 1]: the weight of the place with it.
        stretch = float(lab.max() - lab.min()) or 1.0
        labels = slic(
            lab,
            n_segments=self.n_segments,
            compactness=self.compactness / stretch,
            max_num_iter=self.max_iterations,
            sigma=self.sigma,
            convert2lab=False,
            start_label=1,
            channel_axis=2,
        )
        return labels.astype(np.int32)


class Felzenszwalb(Step):
    """Regions that differ more from each other than within: fine where even, coarse in texture.

    Parameters
    ----------
    scale : float, default=300
        How strong an edge must be to count, in grey levels times pixels, above 0: the paper's k.
        Larger gives larger regions.
    sigma : float, default=0.8
        Gaussian blur before, in pixels, at least 0.
    min_size : int, default=20
        Regions of fewer pixels go to a neighbour, at least 1.

    Pixels are joined along the weakest differences first; two regions stay apart where the
    difference between them exceeds the strongest within either by more than `scale` over its size.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8. Gives labels, ``(H, W)``,
    int32, from 1, each one connected region (corners count); no background 0.

    Raises
    ------
    ParameterError
        If a parameter is out of range.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    P. F. Felzenszwalb and D. P. Huttenlocher, "Efficient Graph-Based Image Segmentation", IJCV
    59(2), 2004, doi:10.1023/B:VISI.0000022288.19776.77.

    Examples
    --------
    >>> image = np.zeros((6, 12), np.uint8)
    >>> image[:, 5:] = 200
    >>> Felzenszwalb(sigma=0)(image)[3].tolist()
    [1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2]
    """

    takes = (Kind.RGB, Kind.GRAY)
    gives = Kind.LABELS
    numbers_regions = True

    def __init__(self, scale=300, sigma=0.8, min_size=20):
        self.scale = scale
        self.sigma = sigma
        self.min_size = min_size

    def check_params(self):
        """See `Step.check_params`."""
        check_number("scale", self.scale, owner=self, above=0)
        check_number("sigma", self.sigma, owner=self, at_least=0)
        check_integer("min_size", self.min_size, owner=self, at_least=1)

    def apply(self, image):
        """See `Step.apply`."""
        from skimage.segmentation import felzenszwalb

        axis = None if image.ndim == 2 else 2
        labels = felzenszwalb(image, self.scale, self.sigma, self.min_size, channel_axis=axis)
        return labels.astype(np.int32) + np.int32(1)
