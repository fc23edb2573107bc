"""What a model on HOG looks for, drawn as edges."""

import numpy as np

from classical.contributions import Head, feature_contributions, first_step, replaced
from classical.explain import cell_sums
from vision.canvas import blank
from vision.checks import check_choice, check_integer
from vision.explanation import divided
from vision.opencv import cv2

_GROUND = 32  # gray level behind the glyphs
_FOR, _AGAINST = (255, 110, 90), (90, 170, 255)
_FAINTEST = 0.02  # of the strongest: below it a line is not seen


def hog_glyphs(classifier, image, target=None, *, of="weights", cell_size=16):
    """What a model on `HOG` looks for, drawn as the edges themselves.

    In each cell there is a line along the edge of every direction, red where it speaks for the
    class, blue where it speaks against it, as bright as it counts.

    Parameters
    ----------
    classifier : estimator or Pipeline
        Fitted: `HOG`, then what makes a class or a value of its features; steps in front of it
        make its picture.
    image : ndarray
        What the classifier takes. With ``of="weights"`` only its size matters, and the class where
        `target` is None.
    target : str or int, optional
        The class; by default the one that the classifier names.
    of : {"weights", "contributions"}, default="weights"
        "weights": what each feature would add, were it 1 and all others 0: of a linear model its
        weights, whatever the picture. "contributions": what it adds in this picture, see
        `feature_contributions`.
    cell_size : int, default=16
        Pixels that a cell is drawn with, at least 3.

    Returns
    -------
    picture : (rows * cell_size, columns * cell_size, 3) ndarray of uint8

    Raises
    ------
    KindError
        If the features are not those of `HOG`, or the classifier gives no scores.
    ParameterError
        If a parameter makes no sense.

    References
    ----------
    N. Dalal and B. Triggs, "Histograms of Oriented Gradients for Human Detection", CVPR 2005,
    doi:10.1109/CVPR.2005.177, figure 6.

    Examples
    --------
    >>> from sklearn.svm import LinearSVC
    >>> from classical import HOG
    >>> upright = np.zeros((16, 16), np.uint8)
    >>> upright[:, 8:] = 200
    >>> model = HOG(cells_per_block=1) >> LinearSVC()
    >>> model = model.fit([upright, upright.T.copy()], ["upright", "level"])
    >>> hog_glyphs(model, upright).shape
    (32, 32, 3)
    """
    check_choice("of", of, ("weights", "contributions"), owner="hog_glyphs")
    check_integer("cell_size", cell_size, owner="hog_glyphs", at_least=3)
    front, rest = divided(classifier, image)
    image, _ = front.walk(image, None)
    hog = first_step(rest, "HOG", "hog")
    head = Head(rest, image, target)
    strengths = _weights(head) if of == "weights" else feature_contributions(rest, image, target)[0]
    return _drawn_glyphs(cell_sums(hog, image, strengths), cell_size)


def _weights(head):
    weights = head.weights()
    if weights is not None:
        return weights
    rows = (replaced(np.zeros_like(head.row), place, 1) for place in range(len(head.row)))
    return head.scores(rows) - head.base


def _drawn_glyphs(cells, size):
    rows, columns, orientations = cells.shape
    picture = blank((rows * size, columns * size), _GROUND)
    reach = np.abs(cells).max() or 1.0
    # An edge runs across its gradient, of which the middle of the bin is drawn.
    angles = np.pi * ((np.arange(orientations) + 0.5) / orientations + 0.5)
    ways = (size / 2 - 1) * np.column_stack([np.cos(angles), np.sin(angles)])
    for place in np.argsort(np.abs(cells), axis=None):  # the strongest on top
        row, column, number = np.unravel_index(place, cells.shape)
        share = cells[row, column, number] / reach
        if abs(share) < _FAINTEST:
            continue
        center = (np.array([column, row]) + 0.5) * size - 0.5
        ends = np.rint(16 * np.array([center - ways[number], center + ways[number]])).astype(int)
        color = _GROUND + abs(share) * (np.array(_FOR if share > 0 else _AGAINST) - _GROUND)
        # Coordinates in sixteenths of a pixel.
        cv2.line(picture, *ends.tolist(), color.tolist(), 1, cv2.LINE_AA, 4)
    return picture
