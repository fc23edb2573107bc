"""Local binary patterns: how often each pattern of darker and brighter neighbours occurs."""

from itertools import pairwise

import numpy as np

from vision.checks import check_choice, check_integer, check_number
from vision.errors import ImageError
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import FeatureStep

_METHODS = ("uniform", "nri_uniform", "default")
_MOST_POINTS = {"uniform": 24, "nri_uniform": 16, "default": 16}
_DIGITS = 5  # of the places of neighbours, as scikit-image rounds them
_TIE = 1e-9  # far below any true difference, far above that of rounding
_AT_ONCE = 2**17  # pixels whose patterns are found together, so that they stay in the cache


class LBP(FeatureStep):
    """How often each pattern of darker and brighter neighbours occurs: texture, whatever the light.

    Parameters
    ----------
    n_points : int, default=8
        Neighbours on a circle around each pixel, 2 to 24; at most 16 unless `method` is "uniform".
        The first lies right, along x, and the rest follow anticlockwise.
    radius : float, default=1
        Of the circle in pixels, above 0; between pixels it is interpolated.
    method : {"uniform", "nri_uniform", "default"}, default="uniform"
        "uniform": patterns of one bright arc, by its length alone, and all others as one:
        ``n_points + 2`` numbers that stay the same when the image turns. "nri_uniform": such
        patterns each for itself, ``n_points * (n_points - 1) + 3`` numbers. "default": all of the
        ``2 ** n_points``.
    grid : int, default=1
        Rows and columns of parts of equal size, at least 1, that are counted each for itself.

    Codes are those of ``skimage.feature.local_binary_pattern``: outside of the image is black, and
    a neighbour as bright as the pixel counts as bright. Where interpolation makes both equal
    scikit-image's rounding may say otherwise, for up to 0.6% of the pixels of a photograph.

    Takes a gray image, ``(H, W)``, uint8. Gives features, float32: shares that sum to 1 for each
    part, named ``lbp_<code>``, or ``lbp_<row>_<column>_<code>`` where `grid` is above 1.

    Raises
    ------
    ParameterError
        If a number is out of its range, or `method` is unknown.
    ImageError
        If the image has fewer pixels a side than `grid`.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    T. Ojala, M. Pietikäinen and T. Mäenpää, "Multiresolution gray-scale and rotation invariant
    texture classification with local binary patterns", IEEE TPAMI 24(7), 2002,
    doi:10.1109/TPAMI.2002.1017623; with a grid T. Ahonen, A. Hadid and M. Pietikäinen, "Face
    description with local binary patterns", IEEE TPAMI 28(12), 2006, doi:10.1109/TPAMI.2006.244.

    Examples
    --------
    >>> image = np.array([[9, 9, 9], [1, 5, 9], [1, 1, 1]], np.uint8)
    >>> int(LBP().codes(image)[1, 1])  # four neighbours, side by side, are as bright or brighter
    4
    >>> LBP().get_feature_names_out()[-1]
    'lbp_9'
    """

    takes = (Kind.GRAY,)

    def __init__(self, n_points=8, radius=1, method="uniform", grid=1):
        self.n_points = n_points
        self.radius = radius
        self.method = method
        self.grid = grid

    def check_params(self):
        """See `Step.check_params`."""
        check_choice("method", self.method, _METHODS, owner=self)
        most = _MOST_POINTS[self.method]
        check_integer("n_points", self.n_points, owner=self, at_least=2, at_most=most)
        check_number("radius", self.radius, owner=self, above=0)
        check_integer("grid", self.grid, owner=self, at_least=1)

    def get_feature_names_out(self, input_features=None):
        """See `FeatureStep.get_feature_names_out`."""
        self.make_ready()
        codes, sides = range(self._tables[2]), range(self.grid)
        if self.grid == 1:
            return np.array([f"lbp_{code}" for code in codes], object)
        names = [f"lbp_{y}_{x}_{code}" for y in sides for x in sides for code in codes]
        return np.array(names, object)

    def prepare(self):
        """See `Step.prepare`."""
        turns = 2 * np.pi * np.arange(self.n_points) / self.n_points
        places = np.column_stack([-np.sin(turns), np.cos(turns)]) * self.radius
        places = [tuple(place) for place in places.round(_DIGITS).tolist()]
        if self.method == "nri_uniform":
            table = _numbers_of_uniform(self.n_points)
            return places, table, int(table.max()) + 1
        return places, None, self.n_points + 2 if self.method == "uniform" else 2**self.n_points

    def codes(self, image):
        """The code of every pixel.

        Parameters
        ----------
        image : (H, W) ndarray of uint8

        Returns
        -------
        (H, W) ndarray of uint8 or uint16

        Raises
        ------
        KindError
            If the image is of another kind or dtype.
        """
        self.make_ready()
        self.admit(image)
        return self._codes(image)

    def _codes(self, image):
        reach = int(np.ceil(np.abs(self._tables[0]).max())) + 1
        border = [reach] * 4
        padded = cv2.copyMakeBorder(image, *border, cv2.BORDER_CONSTANT, value=0)
        rows = max(1, _AT_ONCE // image.shape[1])
        # Some rows at a time: what is made of them on the way stays in the cache.
        parts = [
            self._codes_within(padded[top : top + rows + 2 * reach], reach)
            for top in range(0, len(image), rows)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _codes_within(self, padded, reach):
        """The codes of all pixels but those within `reach` of the border."""
        places, table, _ = self._tables
        bits = _brighter(padded, reach, places)
        if self.method == "uniform":
            return _lengths_of_arcs(bits, self.n_points)
        shape = [side - 2 * reach for side in padded.shape]
        codes = np.zeros(shape, np.uint8 if self.n_points <= 8 else np.uint16)
        for number, bit in enumerate(bits):
            codes |= bit.astype(codes.dtype) << number
        return codes if table is None else table[codes]

    def apply(self, image):
        """See `Step.apply`."""
        if min(image.shape) < self.grid:
            raise ImageError(
                f"{self!r} needs at least {self.grid} pixels a side. Got an image of shape "
                f"{image.shape}: lower grid, or put Resize(64) in front."
            )
        codes, count = self._codes(image), self._tables[2]
        rows, columns = (np.arange(self.grid + 1) * side // self.grid for side in image.shape)
        parts = [
            cv2.calcHist([codes[top:bottom, left:right]], [0], None, [count], [0, count]).ravel()
            / ((bottom - top) * (right - left))
            for top, bottom in pairwise(rows)
            for left, right in pairwise(columns)
        ]
        return np.concatenate(parts).astype(np.float32)


def _brighter(padded, pad, places):
    """For each neighbour where it is at least as bright as its pixel: 1, else 0."""
    image = padded[pad:-pad, pad:-pad]
    height, width = image.shape
    exact, least = padded.astype(np.float64), image.astype(np.float64) - _TIE
    across = {}
    for down, right in places:
        row, column = int(np.floor(down)), int(np.floor(right))
        top, left = pad + row, pad + column
        if (down, right) == (row, column):
            there = padded[top : top + height, left : left + width]
            yield cv2.compare(there, image, cv2.CMP_GE) & 1
            continue
        if right not in across:
            share = right - column
            across[right] = _mixed(exact[:, left:], exact[:, left + 1 :], share, width)
        lines = across[right]
        there = _mixed(lines[top:].T, lines[top + 1 :].T, down - row, height).T
        yield cv2.compare(there, least, cv2.CMP_GE) & 1


def _mixed(one, other, share, count):
    """The first columns of two tables, mixed."""
    one, other = one[:, :count], other[:, :count]
    return one * (1 - share) + other * share if share else one


def _lengths_of_arcs(bits, count):
    """How many neighbours are bright where they are one arc; `count` + 1 elsewhere."""
    first = last = next(bits)
    bright, changes = first.copy(), np.zeros_like(first)
    for bit in bits:
        bright += bit
        changes += bit ^ last
        last = bit
    changes += first ^ last
    bright[changes > 2] = count + 1
    return bright


def _numbers_of_uniform(count):
    """The number of each of the patterns: by the length of the arc, then by its first neighbour."""
    codes = np.arange(2**count, dtype=np.uint32)
    bits = codes >> np.arange(count, dtype=np.uint32)[:, None] & 1
    bright = bits.sum(axis=0)
    changes = (bits != np.roll(bits, 1, axis=0)).sum(axis=0)
    starts = ((bits == 1) & (np.roll(bits, 1, axis=0) == 0)).argmax(axis=0)
    numbers = 1 + (bright.astype(np.int64) - 1) * count + (count - starts) % count
    numbers = np.where(bright == 0, 0, numbers)
    numbers = np.where(bright == count, count * (count - 1) + 1, numbers)
    numbers = np.where(changes > 2, count * (count - 1) + 2, numbers)
    return numbers.astype(np.uint8 if count * (count - 1) + 2 < 256 else np.uint16)
