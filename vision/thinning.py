"""Regions of a mask thinned to lines one pixel wide."""

import functools

import numpy as np

from vision.opencv import cv2

# Neighbours in the paper's order x1 to x8, counterclockwise from the right, as (row, column).
_AROUND = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))


def thinned(mask):
    """A mask thinned until nothing more can go, by Guo and Hall's second algorithm.

    Connections are kept: as many regions and holes come out as went in. What lies outside is
    background. Equal to ``skimage.morphology.thin`` and, by its documentation, Matlab's
    ``bwmorph(mask, "thin", Inf)``; work grows with the outlines instead of the picture.

    Parameters
    ----------
    mask : (H, W) ndarray of uint8
        0 or 255.

    Returns
    -------
    (H, W) ndarray of uint8
        A new one, 0 or 255.

    References
    ----------
    Z. Guo and R. W. Hall, "Parallel thinning with two-subiteration algorithms", Communications of
    the ACM 32(3), 1989, doi:10.1145/62065.62074; its conditions G1 to G3 as in L. Lam, S.-W. Lee
    and C. Y. Suen, "Thinning methodologies: a comprehensive survey", IEEE TPAMI 14(9), 1992,
    doi:10.1109/34.161346.

    Examples
    --------
    >>> bar = np.zeros((5, 9), np.uint8)
    >>> bar[1:4, 1:8] = 255
    >>> thinned(bar)[2].tolist()
    [0, 0, 255, 255, 255, 255, 255, 0, 0]
    """
    framed = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    _thin(framed)
    return framed[1:-1, 1:-1].copy()


def _thin(framed):
    """Remove pixels of a mask with an empty frame, in place.

    Only pixels beside the background are looked at. `codes` holds for each pixel which of its
    neighbours are set, 255 for all; whoever goes clears its bit with the neighbours, and those
    that it lays open join the candidates.
    """
    codes, flat = _neighbour_codes(framed).reshape(-1), framed.reshape(-1)
    offsets = [row * framed.shape[1] + column for row, column in _AROUND]
    candidates = np.flatnonzero((flat != 0) & (codes != 255))
    idle = 0
    while idle < 2:
        for removable in _removable():
            go = removable[codes[candidates]]
            gone = candidates[go]
            idle = 0 if len(gone) else idle + 1
            flat[gone] = 0
            candidates = np.concatenate([candidates[~go], *_uncover(codes, gone, offsets)])


def _uncover(codes, gone, offsets):
    """Take pixels out of their neighbours' codes; those that had all neighbours until now."""
    opened = []
    for position, offset in enumerate(offsets):
        beside = gone + offset
        before = codes[beside]
        opened.append(beside[before == 255])
        # Seen from there, the pixel lies in the opposite direction.
        codes[beside] = before & np.uint8(255 - (1 << (position + 4) % 8))
    return opened


def _neighbour_codes(framed):
    """One bit for each set neighbour; 0 on the background."""
    weights = np.zeros((3, 3), np.float32)
    for position, (row, column) in enumerate(_AROUND):
        weights[1 + row, 1 + column] = 1 << position
    ones = cv2.bitwise_and(framed, np.full_like(framed, 1))
    codes = cv2.filter2D(ones, cv2.CV_8U, weights, borderType=cv2.BORDER_CONSTANT)
    return cv2.bitwise_and(codes, framed)


@functools.cache
def _removable():
    """For both passes, of each code whether its pixel goes: the conditions G1, G2 and G3."""
    x1, x2, x3, x4, x5, x6, x7, x8 = ((np.arange(256) >> bit) & 1 == 1 for bit in range(8))
    crossings = sum(
        (~here & (beside | after)).astype(int)
        for here, beside, after in ((x1, x2, x3), (x3, x4, x5), (x5, x6, x7), (x7, x8, x1))
    )
    pairs = [(x1 | x2, x3 | x4, x5 | x6, x7 | x8), (x2 | x3, x4 | x5, x6 | x7, x8 | x1)]
    fewest = np.minimum(*(np.sum(pair, axis=0) for pair in pairs))
    free = (crossings == 1) & (fewest >= 2) & (fewest <= 3)
    return free & ~((x2 | x3 | ~x8) & x1), free & ~((x6 | x7 | ~x4) & x5)
