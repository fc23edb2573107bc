"""Histograms of oriented gradients: how strong the edges of each direction are, cell by cell."""

import numpy as np
from sklearn.exceptions import NotFittedError

from vision.checks import check_choice, check_integer
from vision.errors import ImageError
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import FeatureStep, as_batch

BLOCK_NORMS = ("L1", "L1-sqrt", "L2", "L2-Hys")
_EPSILON = 1e-5
_CLIPPED = 0.2  # of L2-Hys
_DIFFERENCES = 511  # of two gray levels: -255 to 255
_AT_ONCE = 2**15  # pixels that are counted together, so that they stay in the cache


class HOG(FeatureStep):
    """How strong the edges of each direction are in each cell of a grid: the shape of an object.

    Parameters
    ----------
    orientations : int, default=9
        Directions of the gradient that are told apart, over 180 degrees, at least 1.
    pixels_per_cell : int, default=8
        Width and height of a cell, at least 1. Pixels right and below of the last whole cell count
        in no histogram.
    cells_per_block : int, default=3
        Width and height, in cells, of the blocks that are normalised, at least 1; there is one at
        every cell. Dalal and Triggs have 2.
    block_norm : {"L2-Hys", "L2", "L1", "L1-sqrt"}, default="L2-Hys"
        What a block is divided by. "L2-Hys": its length, then again after numbers above 0.2 were
        cut to it.

    As ``skimage.feature.hog`` of square cells and blocks, within 1e-6: a pixel votes for one cell
    and one direction. The number of features depends on the size of the image: put `Resize` in
    front. Where there are several channels, each pixel has the gradient of the channel where it is
    strongest.

    Takes a gray or rgb image, uint8, of at least ``cells_per_block * pixels_per_cell`` pixels a
    side. Gives features, float32, 0 to 1, named
    ``hog_<block row>_<block column>_<cell row>_<cell column>_<orientation>``: orientation 0 is a
    gradient that points right, along x, and the rest turn towards y, down.

    Raises
    ------
    ParameterError
        If a number is not whole or below 1, or `block_norm` is unknown.
    ImageError
        If the image is smaller than a block.
    KindError
        If the image is of another kind or dtype.
    sklearn.exceptions.NotFittedError
        If names are asked for before ``fit`` has seen the size of the images.

    References
    ----------
    N. Dalal and B. Triggs, "Histograms of Oriented Gradients for Human Detection", CVPR 2005,
    doi:10.1109/CVPR.2005.177.

    Examples
    --------
    >>> image = np.zeros((8, 8), np.uint8)
    >>> image[:, 4:] = 200
    >>> HOG(orientations=4, cells_per_block=1)(image).round(2).tolist()
    [1.0, 0.0, 0.0, 0.0]
    """

    takes = (Kind.GRAY, Kind.RGB)

    def __init__(self, orientations=9, pixels_per_cell=8, cells_per_block=3, block_norm="L2-Hys"):
        self.orientations = orientations
        self.pixels_per_cell = pixels_per_cell
        self.cells_per_block = cells_per_block
        self.block_norm = block_norm

    def check_params(self):
        """See `Step.check_params`."""
        check_hog(self)

    def prepare(self):
        """See `Step.prepare`."""
        return gradient_tables(self.orientations)

    def fit(self, images=None, truth=None):
        """Note the size of the first image, which the names of the features need.

        Returns
        -------
        HOG
            Itself.
        """
        self.make_ready()
        if images is not None and len(as_batch(images)):
            self.shape_ = np.array(images[0].shape[:2])
        return self

    def get_feature_names_out(self, input_features=None):
        """See `FeatureStep.get_feature_names_out`."""
        if not hasattr(self, "shape_"):
            raise NotFittedError(
                "The names of HOG's features depend on the size of its images: fit(images) first."
            )
        cells = self.shape_ // self.pixels_per_cell
        side = self.cells_per_block
        sizes = (*(cells - side + 1), side, side, self.orientations)
        places = np.ndindex(*sizes)
        return np.array(["_".join(map(str, ("hog", *place))) for place in places], object)

    def apply(self, image):
        """See `Step.apply`."""
        least = self.pixels_per_cell * self.cells_per_block
        if min(image.shape[:2]) < least:
            raise ImageError(
                f"{self!r} needs images of at least {least}x{least} pixels, one block. Got one of "
                f"shape {image.shape}: put Resize({max(64, least)}) in front, or lower "
                "pixels_per_cell or cells_per_block."
            )
        cells = cell_histograms(image, self._tables, self.pixels_per_cell, self.orientations)
        return normalized_blocks(cells, self.cells_per_block, self.block_norm).ravel()


def check_hog(step):
    """Refuse parameters of HOG that make no sense."""
    check_integer("orientations", step.orientations, owner=step, at_least=1)
    check_integer("pixels_per_cell", step.pixels_per_cell, owner=step, at_least=1)
    check_integer("cells_per_block", step.cells_per_block, owner=step, at_least=1)
    check_choice("block_norm", step.block_norm, BLOCK_NORMS, owner=step)


def gradient_tables(orientations):
    """The length and the orientation's number of every gradient that 8 bits can have.

    Returns
    -------
    lengths : (261121,) ndarray of float64
    numbers : (261121,) ndarray of intp
        Both at ``511 * (dy + 255) + dx + 255``.

    Examples
    --------
    >>> lengths, numbers = gradient_tables(9)
    >>> place = 511 * (4 + 255) + 3 + 255
    >>> float(lengths[place]), int(numbers[place])  # 53 degrees
    (5.0, 2)
    """
    differences = np.arange(-255, 256, dtype=np.float64)
    down, right = np.meshgrid(differences, differences, indexing="ij")
    angles = np.rad2deg(np.arctan2(down, right)) % 180
    starts = 180.0 / orientations * np.arange(orientations)
    numbers = np.searchsorted(starts, angles.ravel(), side="right") - 1
    return np.hypot(down, right).ravel(), numbers


def cell_histograms(image, tables, pixels_per_cell, orientations):
    """The mean length, over the pixels of each cell, of the gradients of each orientation.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) ndarray of uint8
        At least one cell.
    tables : tuple of ndarray
        Of `gradient_tables`.
    pixels_per_cell, orientations : int

    Returns
    -------
    (H // pixels_per_cell, W // pixels_per_cell, orientations) ndarray of float32
    """
    lengths, numbers = tables
    side = pixels_per_cell
    height, width = (size // side for size in image.shape[:2])
    # Mirrored at the border pixel's centre both neighbours are the same: 0 across the border.
    right = cv2.Sobel(image, cv2.CV_16S, 1, 0, ksize=1)[: height * side, : width * side]
    down = cv2.Sobel(image, cv2.CV_16S, 0, 1, ksize=1)[: height * side, : width * side]
    columns = np.arange(width * side) // side * orientations
    many = max(1, _AT_ONCE // (width * side * side))  # rows of cells
    rows = np.repeat(np.arange(many) * width * orientations, side)[:, None]
    counts = []
    for top in range(0, height * side, many * side):
        band = slice(top, min(top + many * side, height * side))
        places = _strongest(right[band], down[band], lengths)
        bins = numbers[places]
        bins += columns
        bins += rows[: len(bins)]
        size = len(bins) // side * width * orientations
        counts.append(np.bincount(bins.ravel(), lengths[places].ravel(), size))
    histograms = np.concatenate(counts) / side**2
    return histograms.astype(np.float32).reshape(height, width, orientations)


def _strongest(right, down, lengths):
    """The place in the tables of each pixel's gradient, the longest of all channels."""
    pairs = zip(cv2.split(right), cv2.split(down))
    places = _places(*next(pairs))
    longest = lengths[places] if right.ndim == 3 else None
    for pair in pairs:
        found = _places(*pair)
        length = lengths[found]
        longer = cv2.compare(length, longest, cv2.CMP_GT)
        cv2.copyTo(found, longer, places)
        cv2.copyTo(length, longer, longest)
    return places


def _places(right, down):
    places = down.astype(np.int32)
    places *= _DIFFERENCES
    places += right
    places += _DIFFERENCES**2 // 2
    return places


def normalized_blocks(cells, side, norm):
    """Every block of cells, divided by its norm.

    Parameters
    ----------
    cells : (rows, columns, orientations) ndarray of float32
    side : int
        Width and height of a block in cells.
    norm : str
        One of `BLOCK_NORMS`.

    Returns
    -------
    (rows - side + 1, columns - side + 1, side, side, orientations) ndarray of float32
    """
    views = np.lib.stride_tricks.sliding_window_view(cells, (side, side), axis=(0, 1))
    blocks = np.array(views.transpose(0, 1, 3, 4, 2), order="C").reshape(*views.shape[:2], -1)
    if norm.startswith("L1"):
        blocks /= blocks.sum(axis=2, keepdims=True) + np.float32(_EPSILON)
        blocks = np.sqrt(blocks, out=blocks) if norm == "L1-sqrt" else blocks
    else:
        blocks /= _lengths(blocks)
    if norm == "L2-Hys":
        np.minimum(blocks, _CLIPPED, out=blocks)
        blocks /= _lengths(blocks)
    return blocks.reshape(*views.shape[:2], side, side, -1)


def _lengths(blocks):
    squares = np.einsum("rcf,rcf->rc", blocks, blocks)[..., None]
    return np.sqrt(squares + np.float32(_EPSILON**2))
