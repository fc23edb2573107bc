"""Numbers that say how good a result is: accuracy, intersection over union, PSNR, SSIM, recall@k.

Each takes what was predicted first and the truth second, whoever predicted it. Boxes are scored
in `vision.detection_metrics`, edges in `vision.boundaries`.
"""

import math

import numpy as np

from vision.checks import check_choice, check_integer, refuse
from vision.errors import ParameterError
from vision.kinds import is_binary
from vision.opencv import cv2

# The width of the range that the contract gives each image dtype.
DATA_RANGE = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0}

# Side of the window of SSIM: 11 pixels, Wang et al. 2004, section III-C.
SSIM_WINDOW = 11


def check_same_shape(predicted, truth, *, owner, way_out):
    """Refuse two arrays of different shapes, naming both.

    Parameters
    ----------
    predicted, truth : numpy.ndarray
    owner : str
        The function that compares them, for the message.
    way_out : str
        The sentence that says what to do about it.

    Raises
    ------
    ParameterError
        If the shapes differ.

    Examples
    --------
    >>> check_same_shape(np.zeros((2, 3)), np.zeros((4, 6)), owner="iou", way_out="Resize one.")
    Traceback (most recent call last):
    ...
    vision.errors.ParameterError: The 'predicted' of iou must be an array of the shape of 'truth',
    (4, 6). Got an array of shape (2, 3) and dtype float64. Resize one.
    """
    if predicted.shape != truth.shape:
        allowed = f"an array of the shape of 'truth', {truth.shape}"
        refuse("predicted", predicted, allowed, owner, way_out)


def accuracy(predicted, truth):
    """Share of samples whose predicted class is the true one.

    Parameters
    ----------
    predicted, truth : sequence of n labels
        Strings or whole numbers, one a sample.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ParameterError
        If the lengths differ, there is no sample, or a label is not a single value.

    Examples
    --------
    >>> accuracy(["cat", "dog", "cat", "cat"], ["cat", "dog", "dog", "cat"])
    0.75
    """
    predicted, truth = np.asarray(predicted), np.asarray(truth)
    if truth.ndim != 1 or not len(truth):
        refuse("truth", truth, "one label a sample, at least one", "accuracy")
    way_out = "Give one label for each sample, in one order."
    check_same_shape(predicted, truth, owner="accuracy", way_out=way_out)
    return float(np.mean(predicted == truth))


def mean_iou(predicted, truth):
    """Intersection over union of one image, averaged over its classes, background included.

    A class counts if it occurs in the prediction or in the truth; classes that occur in neither
    do not. This is ``sklearn.metrics.jaccard_score(truth.ravel(), predicted.ravel(),
    average="macro")``.

    Parameters
    ----------
    predicted, truth : numpy.ndarray, shape (H, W)
        Both masks (uint8, 0 or 255; or bool), with the classes background and foreground, or both
        label maps (int32; any whole numbers). Labels are compared by their number: where that
        means nothing, as of objects that were counted, `vision.panoptic_quality` asks for none.

    Returns
    -------
    float
        From 0 to 1. Two empty masks agree: 1.

    Raises
    ------
    ParameterError
        If an array is neither a mask nor a label map or has no pixel, if one is a mask and the
        other a label map, or if their shapes differ.

    References
    ----------
    M. Everingham et al., "The Pascal Visual Object Classes Challenge: A Retrospective",
    IJCV 111, 2015, doi:10.1007/s11263-014-0733-5. There the pixels of all images are
    pooled before dividing; here each image is scored by itself.

    Examples
    --------
    >>> truth = np.array([[0, 0, 255, 255]], np.uint8)
    >>> predicted = np.array([[0, 255, 255, 255]], np.uint8)
    >>> mean_iou(predicted, truth)  # background 1/2, foreground 2/3
    0.5833333333333333
    """
    _, areas = class_areas(predicted, truth, "mean_iou")
    shared, union = areas.T
    return float(np.mean(shared / union))


def class_areas(predicted, truth, owner="class_areas"):
    """How many pixels of each class agree, in one image.

    Parameters
    ----------
    predicted, truth : numpy.ndarray, shape (H, W)
        As for `mean_iou`.
    owner : str
        The function that asks, for the message.

    Returns
    -------
    classes : (k,) ndarray
        Those that occur in either, sorted; of masks 0 and 255.
    areas : (k, 2) ndarray of float64
        Pixels that are of the class in both, and in either.

    Raises
    ------
    ParameterError
        As for `mean_iou`.

    Examples
    --------
    >>> truth = np.array([[0, 0, 7, 7]], np.int32)
    >>> classes, areas = class_areas(np.array([[0, 7, 7, 7]], np.int32), truth)
    >>> classes.tolist(), areas.tolist()
    ([0, 7], [[1.0, 2.0], [2.0, 3.0]])
    """
    predicted, truth = _segmentations(predicted, truth, owner)
    if truth.dtype == np.uint8:
        shared, union = _foreground_areas(predicted, truth)
        classes = np.array([0, 255])
        areas = np.array([(truth.size - union, truth.size - shared), (shared, union)], float)
    else:
        classes, areas = _class_areas(predicted, truth)
    there = areas[:, 1] > 0
    return classes[there], areas[there]


def iou(predicted, truth):
    """Intersection over union of the foreground alone (the Jaccard index of two masks).

    Parameters
    ----------
    predicted, truth : numpy.ndarray, shape (H, W)
        Both masks (uint8, 0 or 255; or bool) or both label maps (int32), in which everything but
        0 is foreground.

    Returns
    -------
    float
        From 0 to 1. Two empty masks agree: 1.

    Raises
    ------
    ParameterError
        As for `mean_iou`.

    Examples
    --------
    >>> truth = np.array([[0, 0, 255, 255]], np.uint8)
    >>> iou(np.array([[0, 255, 255, 0]], np.uint8), truth)
    0.3333333333333333
    """
    predicted, truth = _segmentations(predicted, truth, "iou")
    if truth.dtype != np.uint8:
        predicted, truth = ((labels != 0).view(np.uint8) for labels in (predicted, truth))
    shared, union = _foreground_areas(predicted, truth)
    return shared / union if union else 1.0


def _segmentations(predicted, truth, owner):
    predicted = _segmentation("predicted", predicted, owner)
    truth = _segmentation("truth", truth, owner)
    way_out = (
        "Scale the prediction to the truth's size by nearest neighbour, or score what "
        "pipeline(image) gives: it is in the pixels of the image."
    )
    check_same_shape(predicted, truth, owner=owner, way_out=way_out)
    if (predicted.dtype == np.uint8) != (truth.dtype == np.uint8):
        raise ParameterError(
            f"{owner} compares two masks (uint8) or two label maps (int32). Got predicted of "
            f"dtype {predicted.dtype} and truth of dtype {truth.dtype}. Make the mask a label "
            "map, (mask > 0).astype(np.int32), or the label map a mask, "
            "np.where(labels > 0, 255, 0).astype(np.uint8)."
        )
    return predicted, truth


def _segmentation(name, array, owner):
    """The array itself if it is a mask or a label map; a bool mask comes back as uint8."""
    array = np.asarray(array)
    kind = array.dtype.kind
    integers = kind in "iu" and np.can_cast(array.dtype, np.int64)
    if array.ndim != 2 or array.size == 0 or not (integers or kind == "b"):
        allowed = "a mask (uint8) or a label map (int32) of shape (H, W) with at least one pixel"
        refuse(name, array, allowed, owner)
    if kind == "b":
        return array.view(np.uint8)
    if array.dtype == np.uint8 and not is_binary(array):
        hint = f"Of 0 and 1 make {name} * 255."
        if array.max() > 1:
            hint = "It holds other values: for class numbers give labels.astype(np.int32)."
        refuse(name, array, "a mask, of 0 and 255 alone", owner, hint)
    return array


def _foreground_areas(predicted, truth):
    """Pixels in both masks, and pixels in either."""
    shared = cv2.countNonZero(cv2.bitwise_and(predicted, truth))
    return shared, cv2.countNonZero(predicted) + cv2.countNonZero(truth) - shared


def _class_areas(predicted, truth):
    """The labels of either map, and a row (pixels shared, pixels in either) for each."""
    parts = [_label_areas(part) for part in (predicted, truth, truth[predicted == truth])]
    classes = np.union1d(parts[0][0], parts[1][0])
    areas = np.zeros((3, len(classes)))
    for row, (labels, counts) in zip(areas, parts, strict=True):
        row[np.searchsorted(classes, labels)] = counts
    return classes, np.stack([areas[2], areas[0] + areas[1] - areas[2]], axis=1)


def _label_areas(labels):
    """The labels that occur and their pixel counts, in memory bounded by the image's."""
    if labels.size == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    lowest, highest = int(labels.min()), int(labels.max())
    if highest - lowest > labels.size:  # a table over the whole range would outgrow the image
        return np.unique(labels, return_counts=True)
    counts = np.bincount(labels.ravel().astype(np.int64) - lowest)
    present = np.flatnonzero(counts)
    return present + lowest, counts[present]


def psnr(predicted, truth):
    """Peak signal-to-noise ratio of one image, 10 log10(peak^2 / mean squared error).

    Parameters
    ----------
    predicted, truth : numpy.ndarray, shape (H, W) or (H, W, 3)
        Images of one shape and dtype. The peak is 255 for uint8, 65535 for uint16 and 1 for
        float32. The error is averaged over all pixels and channels.

    Returns
    -------
    float
        In decibels; infinite for equal images.

    Raises
    ------
    ParameterError
        If an array is no image, or if the shapes or dtypes differ.

    Examples
    --------
    >>> truth = np.zeros((8, 8), np.uint8)
    >>> psnr(truth, truth), round(psnr(truth + np.uint8(255), truth), 6)
    (inf, 0.0)
    """
    predicted, truth = _images(predicted, truth, "psnr")
    error = cv2.norm(predicted, truth, cv2.NORM_L2SQR) / truth.size
    peak = DATA_RANGE[truth.dtype.name]
    return 10 * math.log10(peak**2 / error) if error else math.inf


def ssim(predicted, truth):
    """Mean structural similarity of one image, with the settings of the paper.

    Gaussian window of 11 x 11 pixels and sigma 1.5, K1 = 0.01, K2 = 0.03, population covariance,
    averaged over the pixels whose window lies inside the image; a colour image scores the mean
    of its channels. Many libraries differ in one of these, so name them with the number.

    Parameters
    ----------
    predicted, truth : numpy.ndarray, shape (H, W) or (H, W, 3)
        Images of one shape and dtype (uint8, uint16 or float32), at least 11 pixels a side.

    Returns
    -------
    float
        From -1 to 1; 1 for equal images.

    Raises
    ------
    ParameterError
        If an array is no image or a side is below 11 pixels, or if the shapes or dtypes differ.

    References
    ----------
    Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, "Image Quality Assessment: From Error
    Visibility to Structural Similarity", IEEE TIP 13(4), 2004, doi:10.1109/TIP.2003.819861.

    Examples
    --------
    >>> truth = np.zeros((11, 11), np.uint8)
    >>> ssim(truth, truth), round(ssim(truth + np.uint8(255), truth), 6)
    (1.0, 0.0001)
    """
    from skimage.metrics import structural_similarity

    predicted, truth = _images(predicted, truth, "ssim")
    if min(truth.shape[:2]) < SSIM_WINDOW:
        refuse("truth", truth, f"at least {SSIM_WINDOW} pixels high and wide", "ssim")
    similarity = structural_similarity(
        truth,
        predicted,
        data_range=DATA_RANGE[truth.dtype.name],
        channel_axis=-1 if truth.ndim == 3 else None,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    return float(similarity)


def _images(predicted, truth, owner):
    predicted, truth = np.asarray(predicted), np.asarray(truth)
    for name, image in (("predicted", predicted), ("truth", truth)):
        shaped = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
        known = image.dtype.isnative and image.dtype.name in DATA_RANGE
        if not (shaped and image.size and known):
            allowed = "an image (H, W) or (H, W, 3) of dtype uint8, uint16 or float32"
            refuse(name, image, allowed, owner)
    way_out = "Scale or crop one of them; neither is done silently."
    check_same_shape(predicted, truth, owner=owner, way_out=way_out)
    if predicted.dtype != truth.dtype:
        allowed = f"an image of the dtype of 'truth', {truth.dtype}"
        refuse("predicted", predicted, allowed, owner, "Convert one of them, with its range.")
    return predicted, truth


def recall_at_k(features, labels, k=1, *, metric="euclidean"):
    """Retrieval: share of samples that find their own class among their k nearest others.

    Each sample in turn is the query and all others are the gallery. A sample that is the only one
    of its class has nothing to find and is left out of the average.

    Parameters
    ----------
    features : array-like, shape (n, d)
        One embedding a sample, finite.
    labels : sequence of n labels
    k : int, default=1
        How many neighbours may be looked at, below n.
    metric : {"euclidean", "cosine"}, default="euclidean"

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ParameterError
        If `features` is no finite table, `labels` has another length, `k` is not from 1 to n - 1,
        `metric` is unknown, or no class has two samples.

    References
    ----------
    H. Oh Song, Y. Xiang, S. Jegelka, S. Savarese, "Deep Metric Learning via Lifted Structured
    Feature Embedding", CVPR 2016, arXiv:1511.06452.

    Examples
    --------
    >>> recall_at_k([[0.0], [1.0], [5.0], [5.5]], ["a", "a", "b", "a"], k=1)
    0.6666666666666666
    """
    from sklearn.neighbors import NearestNeighbors

    features, labels = _embeddings(features, labels, k)
    check_choice("metric", metric, ("euclidean", "cosine"), owner="recall_at_k")
    _, classes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    queries = sizes[classes] > 1
    if not queries.any():
        refuse("labels", labels, "of classes with at least two samples each", "recall_at_k")
    # Asked without a query, it finds the neighbours of its own samples and leaves each itself out.
    neighbours = NearestNeighbors(n_neighbors=k, metric=metric).fit(features)
    found = neighbours.kneighbors(return_distance=False)
    hits = (classes[found] == classes[:, None]).any(axis=1)
    return float(np.mean(hits[queries]))


def _embeddings(features, labels, k):
    owner = "recall_at_k"
    features, labels = np.asarray(features), np.asarray(labels)
    numeric = features.dtype.kind in "iuf" and features.ndim == 2 and features.size
    if not (numeric and np.isfinite(features).all()):
        refuse("features", features, "a table (n, d) of finite numbers", owner)
    if labels.shape != features.shape[:1]:
        refuse("labels", labels, f"one label for each of {len(features)} samples", owner)
    check_integer("k", k, owner=owner, at_least=1, at_most=len(features) - 1)
    return features, labels
