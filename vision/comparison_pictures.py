"""Metrics of results that are pictures: segmentations and restorations."""

import numpy as np

from vision.boundaries import boundary_match
from vision.comparison_tasks import Mean, Ratings
from vision.metrics import SSIM_WINDOW, class_areas, psnr, ssim
from vision.panoptic import match_objects, qualities
from vision.thinning import thinned


def rate_segmentation(predictions, probabilities, truth, classes):
    """The `Ratings` of masks or label maps.

    Parameters
    ----------
    predictions, truth : sequence of n ndarray, (H, W)
        As for `vision.metrics.mean_iou`.
    probabilities, classes : None
        There are none.

    Returns
    -------
    Ratings

    Examples
    --------
    >>> truth = np.zeros((4, 6), np.uint8)
    >>> truth[:, 3:] = 255
    >>> rate_segmentation([truth], None, [truth], None).values()
    {'mean IoU': 1.0, 'Dice': 1.0, 'boundary F': 1.0}
    """
    found = [class_areas(*pair) for pair in zip(predictions, truth, strict=True)]
    shares = [areas[:, 0] / areas[:, 1] for _, areas in found]
    per_image = np.array([np.mean(share) for share in shares])
    dice = [np.mean(2 * share / (1 + share)) for share in shares]
    outlines = [boundary_agreement(*pair) for pair in zip(predictions, truth, strict=True)]
    return Ratings(
        per_image,
        {"mean IoU": Mean(per_image), "Dice": Mean(dice), "boundary F": Mean(outlines)},
        _per_class(found),
    )


def _per_class(found):
    """The areas of each class over all images."""
    totals = {}
    for classes, areas in found:
        for label, area in zip(classes.tolist(), areas, strict=True):
            totals[label] = totals.get(label, 0) + area
    return {
        label: {
            "IoU": float(shared / union),
            "Dice": float(2 * shared / (shared + union)),
        }
        for label, (shared, union) in sorted(totals.items())
    }


def rate_instances(predictions, probabilities, truth, classes):
    """The `Ratings` of label maps whose numbers are those of objects.

    Parameters
    ----------
    predictions, truth : sequence of n ndarray, (H, W)
        As for `vision.panoptic_quality`.
    probabilities, classes : None
        There are none.

    Returns
    -------
    Ratings

    Examples
    --------
    >>> truth = np.array([[1, 1, 1, 1, 0, 2, 2]], np.int32)
    >>> found = np.array([[5, 5, 5, 0, 0, 0, 8]], np.int32)
    >>> rate_instances([found], None, [truth], None).values()
    {'panoptic quality': 0.375, 'F1': 0.5, 'IoU': 0.75}
    """
    counts = np.array([match_objects(*pair) for pair in zip(predictions, truth, strict=True)])

    def pooled(place):
        return lambda weights: qualities(weights @ counts)[place]

    statistics = {"panoptic quality": pooled(0), "F1": pooled(2), "IoU": pooled(1)}
    return Ratings(qualities(counts)[0], statistics)


def boundary_agreement(predicted, truth):
    """The F-measure of the boundaries between the classes of two segmentations of one image.

    Parameters
    ----------
    predicted, truth : ndarray, (H, W)
        Masks or label maps.

    Returns
    -------
    float
        From 0 to 1; 1 where neither has a boundary.

    References
    ----------
    G. Csurka, D. Larlus and F. Perronnin, "What is a good evaluation measure for semantic
    segmentation?", BMVC 2013, doi:10.5244/C.27.32; the tolerance of 0.75% of the diagonal is
    theirs and that of BSDS500.
    """
    # Both are thinned: where an outline is two pixels wide, the truth itself would fall short.
    lines = [thinned(_outlines(np.asarray(labels))) for labels in (predicted, truth)]
    if not any(line.any() for line in lines):
        return 1.0
    return boundary_match(*lines, thin=False).f


def _outlines(labels):
    """Pixels whose right or lower neighbour is of another class."""
    lines = np.zeros(labels.shape, bool)
    lines[:, :-1] = labels[:, :-1] != labels[:, 1:]
    lines[:-1] |= labels[:-1] != labels[1:]
    return lines.astype(np.uint8) * 255


def rate_restoration(predictions, probabilities, truth, classes):
    """The `Ratings` of pictures.

    Parameters
    ----------
    predictions, truth : sequence of n ndarray
        As for `vision.metrics.psnr`.
    probabilities, classes : None
        There are none.

    Returns
    -------
    Ratings
        Without SSIM where a picture is too small for its window.

    Examples
    --------
    >>> truth = np.zeros((16, 16), np.uint8)
    >>> found = rate_restoration([truth + np.uint8(255)], None, [truth], None).values()
    >>> {name: round(value, 4) for name, value in found.items()}
    {'PSNR': 0.0, 'SSIM': 0.0001}
    """
    pairs = list(zip(predictions, truth, strict=True))
    ratios = np.array([psnr(*pair) for pair in pairs])
    statistics = {"PSNR": Mean(ratios)}
    if min(min(np.shape(picture)[:2]) for picture in truth) >= SSIM_WINDOW:
        statistics["SSIM"] = Mean([ssim(*pair) for pair in pairs])
    return Ratings(ratios, statistics)
