"""What speaks for a class, drawn back to the picture: HOG cells, colours, visual words."""

import numpy as np

from classical.contributions import feature_contributions, first_step
from vision.opencv import cv2


def explain_hog(classifier, image, target=None):
    """Which cells of `HOG` speak for a class, and which against it.

    Parameters
    ----------
    classifier : Pipeline
        Fitted: `HOG`, then what makes a class or a value of its features.
    image : ndarray of shape (H, W) or (H, W, 3), uint8
        What `HOG` gets.
    target : str or int, optional
        The class; by default the one that it names.

    Returns
    -------
    values : (H, W) ndarray of float32
        Each pixel has its share of what its cell contributes, see `feature_contributions`: of a
        linear model, all pixels and the base sum to the score. 0 beyond the last whole cell.
    target : str, int or None
        The class.

    Raises
    ------
    KindError
        If the classifier does not begin with `HOG`, or gives no scores.
    ParameterError
        If `target` is none of its classes.

    Examples
    --------
    >>> from sklearn.svm import LinearSVC
    >>> from classical import HOG
    >>> upright = np.zeros((16, 16), np.uint8)
    >>> upright[:, 12:] = 200
    >>> model = HOG(cells_per_block=1) >> LinearSVC()
    >>> model = model.fit([upright, upright.T.copy()], ["upright", "level"])
    >>> values, target = explain_hog(model, upright)
    >>> target, bool(values[:, 8:].min() > 0), bool(values[:, :8].any())
    ('upright', True, False)
    """
    hog = first_step(classifier, "HOG", "hog")
    contributions, _, label = feature_contributions(classifier, image, target)
    cells = cell_sums(hog, image, contributions).sum(axis=2)
    side = hog.pixels_per_cell
    values = np.zeros(image.shape[:2], np.float32)
    whole = np.kron(cells / side**2, np.ones((side, side)))
    values[: whole.shape[0], : whole.shape[1]] = whole
    return values, label


def explain_histogram(classifier, image, target=None):
    """Which colours speak for a class, at the pixels that have them.

    Parameters
    ----------
    classifier : Pipeline
        Fitted: `ColorHistogram`, then what makes a class or a value of its features.
    image : ndarray of shape (H, W, 3), uint8
        What `ColorHistogram` gets.
    target : str or int, optional
        The class; by default the one that it names.

    Returns
    -------
    values : (H, W) ndarray of float32
        What each bin contributes, see `feature_contributions`, shared among its pixels: of a
        linear model, all pixels and the base sum to the score.
    target : str, int or None
        The class.

    Raises
    ------
    KindError
        If the classifier does not begin with `ColorHistogram`, or gives no scores.
    ParameterError
        If `target` is none of its classes.

    References
    ----------
    M. J. Swain and D. H. Ballard, "Color indexing", International Journal of Computer Vision 7(1),
    1991, doi:10.1007/BF00130487, section 4: histogram backprojection.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from classical import ColorHistogram
    >>> red, blue = np.zeros((2, 4, 4, 3), np.uint8)
    >>> red[..., 0], blue[..., 2] = 250, 250
    >>> model = (ColorHistogram(2) >> LogisticRegression()).fit([red, blue], ["red", "blue"])
    >>> both = np.hstack([red, blue])
    >>> values, _ = explain_histogram(model, both, "red")
    >>> bool(values[:, :4].min() > values[:, 4:].max())
    True
    """
    histogram = first_step(classifier, "ColorHistogram", "histogram")
    contributions, _, label = feature_contributions(classifier, image, target)
    histogram.make_ready()
    values = np.zeros(image.shape[:2])
    parts = contributions.reshape(3, histogram.bins)
    for (channel, _, ranges), shares in zip(histogram._tables, parts, strict=True):
        bins = ranges[cv2.extractChannel(image, channel)]
        counts = np.bincount(bins.ravel(), minlength=histogram.bins)
        values += (shares / np.maximum(counts, 1))[bins]
    return values.astype(np.float32), label


def explain_words(classifier, image, target=None):
    """Which local patches speak for a class: those that are its visual words.

    Parameters
    ----------
    classifier : Pipeline
        Fitted: `BagOfVisualWords`, then what makes a class or a value of its features.
    image : ndarray of shape (H, W), uint8
        What `BagOfVisualWords` gets.
    target : str or int, optional
        The class; by default the one that it names.

    Returns
    -------
    values : (H, W) ndarray of float32
        What each word contributes, see `feature_contributions`, shared among its keypoints; a pixel
        has the sum of all whose patch, the disc that is described, lies over it.
    target : str, int or None
        The class.

    Raises
    ------
    KindError
        If the classifier does not begin with `BagOfVisualWords`, or gives no scores.
    ParameterError
        If `target` is none of its classes.

    Examples
    --------
    >>> from skimage import data
    >>> from sklearn.linear_model import LogisticRegression
    >>> from classical import BagOfVisualWords
    >>> images = [data.coins()[:128, :128], data.camera()[:128, :128]]
    >>> model = (BagOfVisualWords(n_words=5) >> LogisticRegression()).fit(images, ["a", "b"])
    >>> explain_words(model, images[0])[0].shape
    (128, 128)
    """
    bag = first_step(classifier, "BagOfVisualWords", "words")
    contributions, _, label = feature_contributions(classifier, image, target)
    keypoints, numbers = bag.words_of(image)
    counts = np.bincount(numbers, minlength=len(contributions))
    values = np.zeros(image.shape[:2])
    sizes = np.ones(len(numbers)) if keypoints.sizes is None else keypoints.sizes
    shares = (contributions / np.maximum(counts, 1))[numbers]
    # SIFT describes 16 x 16 samples, one every 3/8 of a keypoint's size; the patch of binary
    # descriptors is the keypoint itself.
    reach = 0.5 if keypoints.descriptors.dtype == np.uint8 else 3
    for (x, y), size, share in zip(keypoints.points, sizes, shares, strict=True):
        _add_disc(values, x, y, max(reach * size, 1), share)
    return values.astype(np.float32), label


def _add_disc(values, x, y, radius, share):
    """Add `share` to the pixels of a disc, those inside the picture."""
    left, top = max(0, int(x - radius)), max(0, int(y - radius))
    part = values[top : int(y + radius) + 2, left : int(x + radius) + 2]
    down, right = np.ogrid[: part.shape[0], : part.shape[1]]
    disc = (right + left - x) ** 2 + (down + top - y) ** 2 <= radius**2
    part[disc] += share


def cell_sums(hog, image, features):
    """Numbers by feature as numbers by cell and orientation: sums over the blocks of a cell."""
    rows, columns = (length // hog.pixels_per_cell for length in image.shape[:2])
    side = hog.cells_per_block
    shape = rows - side + 1, columns - side + 1, side, side, hog.orientations
    blocks = features.reshape(shape)
    cells = np.zeros((rows, columns, hog.orientations))
    for down, right in np.ndindex(side, side):
        part = np.s_[down : down + shape[0], right : right + shape[1]]
        cells[part] += blocks[:, :, down, right]
    return cells
