"""How well objects were found whose numbers mean nothing: panoptic quality of label maps."""

from dataclasses import dataclass

import numpy as np

from vision.checks import refuse
from vision.errors import ParameterError
from vision.kinds import is_binary
from vision.metrics import check_same_shape


@dataclass(frozen=True)
class PanopticScore:
    """The panoptic quality of a set of images, and what it is made of.

    Parameters
    ----------
    pq : float
        Panoptic quality: `sq` times `rq`.
    sq : float
        Segmentation quality: the mean IoU of the objects that were found; 0 if none was.
    rq : float
        Recognition quality: the F1 of finding them.
    found, spurious, missed : int
        True objects that one of the prediction matches, objects that match none, and true ones
        that none matches.
    """

    pq: float
    sq: float
    rq: float
    found: int
    spurious: int
    missed: int


def panoptic_quality(predicted, truth):
    """How well objects were found and outlined, whatever their numbers.

    An object of the prediction and a true one match if their IoU is above 0.5: then no other can
    match either. PQ is the sum of the IoU of the matches over all images, divided by the matches
    and half of the objects, on both sides, without a match.

    Parameters
    ----------
    predicted, truth : sequence of ndarray, (H, W)
        Label maps of whole numbers, one an image, in one order. 0 is background; each other
        number is an object.

    Returns
    -------
    PanopticScore
        Of images without any object, on both sides, 1.

    Raises
    ------
    ParameterError
        If the lists differ in length or are empty, or two maps are not label maps of one shape.

    References
    ----------
    A. Kirillov et al., "Panoptic Segmentation", CVPR 2019, arXiv:1801.00868.

    Examples
    --------
    >>> truth = np.array([[1, 1, 1, 1, 0, 2, 2]], np.int32)
    >>> found = np.array([[5, 5, 5, 0, 0, 0, 8]], np.int32)  # IoU 0.75 and 0.5
    >>> score = panoptic_quality([found], [truth])
    >>> score.pq, score.sq, score.rq, score.found, score.missed
    (0.375, 0.75, 0.5, 1, 1)
    """
    for name, maps in (("predicted", predicted), ("truth", truth)):
        if not hasattr(maps, "__len__") or getattr(maps, "ndim", 3) == 2:
            hint = "Of one image it is [labels]."
            refuse(name, maps, "a list of label maps, one an image", "panoptic_quality", hint)
    if len(predicted) != len(truth) or not len(truth):
        raise ParameterError(
            "The 'predicted' and 'truth' of panoptic_quality must be lists of label maps of one "
            f"length, at least one. Got {len(predicted)} and {len(truth)}."
        )
    table = np.array([match_objects(*pair) for pair in zip(predicted, truth, strict=True)])
    total = table.sum(axis=0)
    counts = map(int, total[1:])
    return PanopticScore(*(float(value) for value in qualities(total)), *counts)


def match_objects(predicted, truth):
    """The matches of two label maps of one image.

    Parameters
    ----------
    predicted, truth : ndarray, (H, W)
        As for `panoptic_quality`.

    Returns
    -------
    ndarray of 4 float64
        The sum of the IoU of the matches, their number, and those of the objects of the
        prediction and of the truth without a match.

    Raises
    ------
    ParameterError
        If they are not label maps of one shape.

    Examples
    --------
    >>> truth = np.array([[1, 1, 1, 1, 0, 2, 2]], np.int32)
    >>> match_objects(np.array([[5, 5, 5, 0, 0, 0, 8]], np.int32), truth).tolist()
    [0.75, 1.0, 1.0, 1.0]
    """
    predicted, truth = _label_map("predicted", predicted), _label_map("truth", truth)
    way_out = "Scale the prediction to the truth's size by nearest neighbour."
    check_same_shape(predicted, truth, owner="panoptic_quality", way_out=way_out)
    found, found_areas = np.unique(predicted[predicted != 0], return_counts=True)
    true, true_areas = np.unique(truth[truth != 0], return_counts=True)
    both = (predicted != 0) & (truth != 0)
    rows = np.searchsorted(found, predicted[both])
    columns = np.searchsorted(true, truth[both])
    pairs, shared = np.unique(rows * max(len(true), 1) + columns, return_counts=True)
    row, column = np.divmod(pairs, max(len(true), 1))
    overlap = shared / (found_areas[row] + true_areas[column] - shared)
    overlap = overlap[overlap > 0.5]
    matches = len(overlap)
    return np.array([overlap.sum(), matches, len(found) - matches, len(true) - matches])


def qualities(counts):
    """PQ, SQ and RQ of what `match_objects` counts.

    Parameters
    ----------
    counts : ndarray, (..., 4)
        Sums over any images.

    Returns
    -------
    tuple of ndarray, (...)
        Where there is no object at all PQ and RQ are 1, without a match SQ is 0.

    Examples
    --------
    >>> [float(value) for value in qualities(np.array([1.5, 2, 1, 1]))]
    [0.5, 0.75, 0.6666666666666666]
    """
    overlap, matches, spurious, missed = np.moveaxis(np.asarray(counts, np.float64), -1, 0)
    objects = matches + (spurious + missed) / 2
    nothing, some = objects == 0, np.where(objects == 0, 1, objects)
    quality, recognition = (np.where(nothing, 1, part / some) for part in (overlap, matches))
    return quality, overlap / np.where(matches == 0, 1, matches), recognition


def _label_map(name, array):
    array = np.asarray(array)
    plane = array.ndim == 2 and array.size
    mask = array.dtype == bool or (array.dtype == np.uint8 and array.any() and is_binary(array))
    if not plane or mask or array.dtype.kind not in "iu":
        allowed = "label maps of shape (H, W), of whole numbers, with at least one pixel"
        hint = "classical.ConnectedComponents() numbers the objects of a mask." if mask else ""
        refuse(name, array, allowed, "panoptic_quality", hint)
    return array
