"""Mean shift: regions and clusters without a number of them given."""

import numpy as np

from classical.colour_bins import colour_bins, nearest_centers, planes_of, sampled
from classical.region_merging import merge_small
from vision.checks import check_integer, check_number
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step

_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
_NUMBERS = np.arange(1, 257, dtype=np.int32)
_MODES = 256  # at most, the heaviest
_BLOCK = 1 << 16  # pixels labelled at a time
_LEVELS = 32, 128  # of a channel: where modes are looked for, and where they then come to rest
_ROUNDS = 300  # of mean shift at most
_STILL = 1e-3  # share of the radius: a shift that counts as none


class MeanShiftSegmenter(Step):
    """Regions around the peaks of the density of colour and place, however many there are.

    Parameters
    ----------
    color_radius : float, default=20
        How far in colour a pixel looks around, in levels, above 0; the only thing that decides how
        many regions there are.
    spatial_radius : float, default=10
        How far in the image it looks around, in pixels, at least 1. None: anywhere; then regions
        are clusters of colour alone, found on its histogram, and need not be connected.
    min_size : int, default=50
        Regions of fewer pixels go to the neighbour of the most similar mean colour, at least 1; of
        no account without `spatial_radius`.

    Each pixel moves to the mean of those around it, again and again, until it rests
    (``cv2.pyrMeanShiftFiltering``, on one coarser image first). Neighbours that were
    within `color_radius` of each other, and come to rest within half of it, are one region.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8. Gives labels, ``(H, W)``,
    int32, from 1: with `spatial_radius` each one connected region; without it from the darkest to
    the lightest of at most 256 colours. No background 0.

    Raises
    ------
    ParameterError
        If a parameter is out of range.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    D. Comaniciu and P. Meer, "Mean Shift: A Robust Approach Toward Feature Space Analysis", IEEE
    TPAMI 24(5), 2002, doi:10.1109/34.1000236.

    Examples
    --------
    >>> image = np.zeros((20, 30, 3), np.uint8)
    >>> image[:, 12:24] = (200, 60, 60)
    >>> MeanShiftSegmenter()(image)[9, ::3].tolist()
    [1, 1, 1, 1, 2, 2, 2, 2, 3, 3]
    >>> MeanShiftSegmenter(spatial_radius=None)(image)[9, ::3].tolist()
    [1, 1, 1, 1, 2, 2, 2, 2, 1, 1]
    """

    takes = (Kind.RGB, Kind.GRAY)
    gives = Kind.LABELS
    numbers_regions = True

    def __init__(self, color_radius=20, spatial_radius=10, min_size=50):
        self.color_radius = color_radius
        self.spatial_radius = spatial_radius
        self.min_size = min_size

    def check_params(self):
        """See `Step.check_params`."""
        check_number("color_radius", self.color_radius, owner=self, above=0)
        if self.spatial_radius is not None:
            check_number("spatial_radius", self.spatial_radius, owner=self, at_least=1)
        check_integer("min_size", self.min_size, owner=self, at_least=1)

    def apply(self, image):
        """See `Step.apply`."""
        if self.spatial_radius is None:
            return _by_colour(image, self.color_radius)
        rgb, radius = image, self.color_radius
        if image.ndim == 2:  # three equal channels, in which a level is that much longer
            rgb, radius = cv2.merge([image] * 3), radius * np.sqrt(3)
        rested = cv2.pyrMeanShiftFiltering(rgb, self.spatial_radius, radius)
        regions = _connected(rgb, rested, radius)
        return merge_small(regions, image, self.min_size)


def _connected(image, rested, radius):
    """The regions of neighbours that are alike, and came to rest closer still, numbered from 0."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    numbers = np.arange(image.shape[0] * image.shape[1], dtype=np.int32).reshape(image.shape[:2])
    pairs = []
    for one, other in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        alike = _squared(image[one], image[other]) <= radius * radius
        alike &= _squared(rested[one], rested[other]) <= radius * radius / 4
        pairs.append([numbers[one][alike], numbers[other][alike]])
    rows, columns = np.concatenate(pairs, axis=1)
    graph = coo_array((np.ones(len(rows), bool), (rows, columns)), shape=(numbers.size,) * 2)
    return connected_components(graph, directed=False)[1].reshape(image.shape[:2])


def _squared(one, other):
    apart = one.astype(np.int32) - other
    return np.einsum("yxc,yxc->yx", apart, apart)


def _by_colour(image, radius):
    """For each pixel the mode of the image's colours that is nearest, from the darkest."""
    sample, modes = sampled(image), None
    for levels in _LEVELS:
        colors, _, weights, _ = colour_bins(sample, levels=levels)
        modes = _modes(colors, weights, radius, modes)
    modes = modes[np.argsort(modes[:, 0] if modes.shape[1] == 1 else modes @ _LUMA, kind="stable")]
    labels, rows = np.empty(image.shape[:2], np.int32), max(1, _BLOCK // image.shape[1])
    for top in range(0, len(image), rows):
        block = image[top : top + rows]
        nearest = nearest_centers(planes_of(block), modes.T)
        labels[top : top + rows] = cv2.LUT(nearest.reshape(block.shape[:2]), _NUMBERS)
    return labels


def _modes(points, weights, radius, modes=None):
    """Where weighted points, one a column, lie densest: the means of all within the radius.

    It is looked for from a grid of the radius, or from given places, one a row.
    """
    if modes is None:
        modes = np.unique(np.rint(points.T / radius), axis=0) * np.float32(radius)
    heavy = np.zeros(len(modes), np.float32)
    moments = np.vstack([weights, points * weights]).T
    lengths = np.einsum("an,an->n", points, points)
    moving = np.arange(len(modes))
    for _ in range(_ROUNDS):
        here = modes[moving]
        apart = lengths - 2 * here @ points + np.einsum("ma,ma->m", here, here)[:, None]
        sums = (apart <= radius * radius).astype(np.float32) @ moments
        heavy[moving] = sums[:, 0]
        moving, here, sums = (part[sums[:, 0] > 0] for part in (moving, here, sums))
        modes[moving] = sums[:, 1:] / sums[:, :1]
        moving = moving[np.linalg.norm(modes[moving] - here, axis=1) > _STILL * radius]
        if not len(moving):
            break
    return _separate(modes[heavy > 0], heavy[heavy > 0], radius)


def _separate(modes, heavy, radius):
    """The heaviest of all modes within the radius of each other."""
    kept = []
    for mode in modes[np.argsort(-heavy, kind="stable")]:
        if not kept or np.linalg.norm(np.array(kept) - mode, axis=1).min() > radius:
            kept.append(mode)
    return np.array(kept[:_MODES])
