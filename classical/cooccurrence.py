"""Gray levels side by side: the co-occurrence matrix and Haralick's features of texture."""

import numbers

import numpy as np

from vision.checks import check_bool, check_integer, refuse
from vision.errors import ImageError
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import FeatureStep

PROPERTIES = (
    "contrast",
    "dissimilarity",
    "homogeneity",
    "energy",
    "correlation",
    "ASM",
    "mean",
    "variance",
    "std",
    "entropy",
)


class GLCM(FeatureStep):
    """How gray levels lie side by side: Haralick's features of the co-occurrence matrix.

    Parameters
    ----------
    distances : tuple of int, default=(1,)
        From a pixel to its partner, in pixels, at least 1.
    angles : tuple of float, default=(0, 45, 90, 135)
        Directions to the partner in degrees: 0 is right, 90 is down. The partner is the pixel
        nearest to that place, of two the farther.
    levels : int, default=32
        Ranges of equal width that the 256 gray levels are divided into, 2 to 256; 256 leaves them
        as they are.
    properties : tuple of str, default=("contrast", "dissimilarity", "homogeneity", "energy", \
"correlation", "ASM")
        What is measured of each matrix; "mean", "variance", "std" and "entropy" (in nats) are
        known too.
    symmetric : bool, default=True
        Whether each pair counts both ways.
    average : bool, default=False
        Whether the mean over all angles is taken, which changes little when the image turns.

    As ``skimage.feature.graycomatrix`` and ``graycoprops``, within a relative 1e-5. Where all
    pixels have one level, the correlation is 1.

    Takes a gray image, ``(H, W)``, uint8. Gives features, float32, property by property, then
    distance by distance, then angle by angle, named ``contrast_1_45``, or ``contrast_1`` where
    averaged. Levels count from 0, so contrast lies between 0 and ``(levels - 1) ** 2``.

    Raises
    ------
    ParameterError
        If a number is out of its range, a property is unknown, or a tuple is empty.
    ImageError
        If the image is too small to hold a pair.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    R. M. Haralick, K. Shanmugam and I. Dinstein, "Textural features for image classification",
    IEEE Transactions on Systems, Man and Cybernetics 3(6), 1973, doi:10.1109/TSMC.1973.4309314.

    Examples
    --------
    >>> stripes = np.tile(np.array([0, 255], np.uint8), (4, 4))
    >>> GLCM(angles=(0, 90), levels=2, properties=("contrast", "ASM"))(stripes).tolist()
    [1.0, 0.0, 0.5, 0.5]
    """

    takes = (Kind.GRAY,)

    def __init__(
        self,
        distances=(1,),
        angles=(0, 45, 90, 135),
        levels=32,
        properties=PROPERTIES[:6],
        symmetric=True,
        average=False,
    ):
        self.distances = distances
        self.angles = angles
        self.levels = levels
        self.properties = properties
        self.symmetric = symmetric
        self.average = average

    def check_params(self):
        """See `Step.check_params`."""
        check_all("distances", self.distances, _is_distance, "whole numbers at least 1", self)
        check_all("angles", self.angles, _is_angle, "numbers", self)
        check_integer("levels", self.levels, owner=self, at_least=2, at_most=256)
        known = f"names among {', '.join(PROPERTIES)}"
        check_all("properties", self.properties, PROPERTIES.__contains__, known, self)
        check_bool("symmetric", self.symmetric, owner=self)
        check_bool("average", self.average, owner=self)

    def prepare(self):
        """See `Step.prepare`."""
        turns = np.deg2rad(np.asarray(self.angles, float))
        steps = np.array([(np.sin(turns) * far, np.cos(turns) * far) for far in self.distances])
        # Halves away from 0 in all directions, whatever the sines' rounding, as scikit-image does.
        steps = steps.transpose(0, 2, 1).reshape(-1, 2).round(9)
        offsets = np.trunc(steps + np.copysign(0.5, steps)).astype(int).tolist()
        table = (np.arange(256) * self.levels // 256).astype(np.uint8)
        return offsets, table, _linear_weights(self.levels)

    def get_feature_names_out(self, input_features=None):
        """See `FeatureStep.get_feature_names_out`."""
        self.make_ready()
        names = [f"{name}_{far}" for name in self.properties for far in self.distances]
        if not self.average:
            names = [f"{name}_{angle:g}" for name in names for angle in self.angles]
        return np.array(names, object)

    def apply(self, image):
        """See `Step.apply`."""
        shares, weights = self._shares(image), self._tables[2]
        found = np.array([_measured(name, shares, weights) for name in self.properties])
        if self.average:
            found = found.reshape(-1, len(self.angles)).mean(axis=1)
        return found.ravel().astype(np.float32)

    def matrices(self, image):
        """How often each pair of levels occurs.

        Parameters
        ----------
        image : (H, W) ndarray of uint8

        Returns
        -------
        (n_distances, n_angles, levels, levels) ndarray of float64
            Shares that sum to 1, by the level of a pixel and that of its partner.

        Raises
        ------
        KindError
            If the image is of another kind or dtype.
        """
        self.make_ready()
        self.admit(image)
        shape = len(self.distances), len(self.angles), self.levels, self.levels
        return self._shares(image).reshape(shape)

    def _shares(self, image):
        """For each distance and angle the matrix, scaled to sum 1."""
        offsets, table, _ = self._tables
        reduced = image if self.levels == 256 else cv2.LUT(image, table)
        counts = np.stack([self._counted(reduced, *offset) for offset in offsets])
        counts /= counts.sum(axis=(1, 2), keepdims=True)
        return counts

    def _counted(self, image, down, right):
        """How often each pair occurs at one offset."""
        height, width = (size - abs(by) for size, by in zip(image.shape, (down, right)))
        if min(height, width) < 1:
            raise ImageError(
                f"{self!r} needs more than {max(abs(down), abs(right))} pixels a side. Got an "
                f"image of shape {image.shape}."
            )
        top, left = max(0, -down), max(0, -right)
        one = image[top : top + height, left : left + width]
        other = image[top + down : top + down + height, left + right : left + right + width]
        sizes = [self.levels, self.levels]
        counts = cv2.calcHist([one, other], [0, 1], None, sizes, [0, sizes[0], 0, sizes[1]])
        counts = counts.astype(np.float64)
        return counts + counts.T if self.symmetric else counts


def check_all(name, values, good, allowed, owner):
    """Refuse anything but a tuple, not empty, of values that are good."""
    single = isinstance(values, str) or not np.iterable(values)
    if single or not len(values) or not all(map(good, values)):
        refuse(name, values, f"a tuple of {allowed}", owner)


def _is_distance(value):
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    return whole and value >= 1


def _is_angle(value):
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return real and np.isfinite(value)


def _linear_weights(levels):
    """What each pair of levels counts, for the properties that are sums over the matrix."""
    first, second = np.indices((levels, levels)).astype(np.float64)
    apart = first - second
    return {
        "contrast": apart**2,
        "dissimilarity": np.abs(apart),
        "homogeneity": 1 / (1 + apart**2),
        "mean": first,
    }


def _measured(name, shares, weights):
    """One property of each matrix."""
    if name in weights:
        return np.tensordot(shares, weights[name], axes=2)
    if name == "ASM" or name == "energy":
        squares = np.einsum("nij,nij->n", shares, shares)
        return np.sqrt(squares) if name == "energy" else squares
    if name == "entropy":
        logarithms = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
        return -np.einsum("nij,nij->n", shares, logarithms)
    if name == "correlation":
        return _correlations(shares)
    variances = _spread(shares.sum(axis=2))[1]
    return np.sqrt(variances) if name == "std" else variances


def _spread(shares):
    """How far each level is from the mean, (n, levels), and the variances, (n,)."""
    levels = np.arange(shares.shape[1], dtype=np.float64)
    away = levels - (shares @ levels)[:, None]
    return away, np.einsum("nl,nl->n", shares, away**2)


def _correlations(shares):
    first, variances = _spread(shares.sum(axis=2))
    second, others = _spread(shares.sum(axis=1))
    shared = np.einsum("nij,ni,nj->n", shares, first, second, optimize=True)
    scale = np.sqrt(variances * others)
    flat = scale < 1e-15
    return np.where(flat, 1.0, shared / np.where(flat, 1.0, scale))
