"""Pictures whose edges are known, for the tests of all edge detectors."""

import numpy as np
from scipy import ndimage

ROWS, COLUMNS = np.mgrid[-100:101, -100:101]
RADIUS = np.hypot(ROWS, COLUMNS)
DISC = np.where(RADIUS <= 60, 255, 0).astype(np.uint8)


def upright(height, base=20, width=30):
    """A straight upright step between columns 14 and 15."""
    image = np.full((21, width), base, np.uint8)
    image[:, 15:] = base + height
    return image


def agreement(one, other):
    """Shares of each mask's edges that lie within one pixel of the other's, frame left out."""
    one, other = one[2:-2, 2:-2] > 0, other[2:-2, 2:-2] > 0
    near = np.ones((3, 3), bool)
    recall = one[ndimage.binary_dilation(other, near)].sum() / one.sum()
    return recall, other[ndimage.binary_dilation(one, near)].sum() / other.sum()
