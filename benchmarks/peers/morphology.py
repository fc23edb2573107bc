"""Peers of the morphological steps, of mask cleaning and of connected regions."""

import cv2
import numpy as np
from skimage import measure, morphology, segmentation

from benchmarks.peers import Peer
from classical import (
    BlackHat,
    ClearBorder,
    Closing,
    ConnectedComponents,
    Dilation,
    DistanceTransform,
    Erosion,
    FillHoles,
    FilterRegions,
    HitOrMiss,
    HMaxima,
    HMinima,
    KeepLargest,
    LabelsToMask,
    LocalMaxima,
    MorphologicalGradient,
    Opening,
    Reconstruction,
    RemoveSmallObjects,
    Skeleton,
    TopHat,
)

SMALL, LARGE = np.ones((5, 5), np.uint8), np.ones((15, 15), np.uint8)
CORNER = np.array([[0, -1, -1], [-1, 1, 1], [-1, 1, 0]], np.int32)


def as_mask(where):
    """A boolean array as a mask."""
    return where.astype(np.uint8) * np.uint8(255)


def labels_of(photograph):
    """The regions of the photograph's bright parts."""
    gray = cv2.cvtColor(photograph, cv2.COLOR_RGB2GRAY)
    mask = cv2.threshold(gray, 0, 255, cv2.THRESH_OTSU)[1]
    return cv2.connectedComponents(mask)[1]


def inner_difference(ours, theirs):
    """The largest difference but for the outermost pixels."""
    return float(cv2.norm(ours[1:-1, 1:-1], theirs[1:-1, 1:-1], cv2.NORM_INF))


def other_regions(ours, theirs):
    """0 if two label maps have the same regions, whatever their numbers."""
    pairs = np.unique(np.column_stack([ours.ravel(), theirs.ravel()]), axis=0)
    return float(not len(pairs) == ours.max() + 1 == theirs.max() + 1)


def by_opencv(operation, element=SMALL):
    """A call of ``cv2.morphologyEx``."""
    return lambda image: cv2.morphologyEx(image, operation, element)


def fill_by_opencv(mask):
    framed = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    cv2.floodFill(framed, None, (0, 0), 255)
    return cv2.bitwise_or(mask, cv2.bitwise_not(framed)[1:-1, 1:-1])


def clear_by_opencv(mask):
    framed = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=255)
    cv2.floodFill(framed, None, (0, 0), 0, flags=8)
    return framed[1:-1, 1:-1].copy()


def sizes_by_opencv(mask):
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    return labels, stats[:, cv2.CC_STAT_AREA]


def small_by_opencv(mask):
    labels, areas = sizes_by_opencv(mask)
    table = as_mask(areas >= 64)
    table[0] = 0
    return table[labels]


def largest_by_opencv(mask):
    labels, areas = sizes_by_opencv(mask)
    return as_mask(labels == 1 + np.argmax(areas[1:]))


def by_area(labels):
    kept = np.bincount(labels.ravel()) >= 100
    return np.where(kept[labels], labels, 0)


def reconstructed(marker, method="dilation"):
    """A call of scikit-image's reconstruction."""
    return lambda image: morphology.reconstruction(marker(image), image, method)


PEERS = [
    Peer(Erosion(5), lambda image: cv2.erode(image, SMALL), "cv2.erode", "gray"),
    Peer(Dilation(5), lambda image: cv2.dilate(image, SMALL), "cv2.dilate", "gray"),
    Peer(Opening(5), by_opencv(cv2.MORPH_OPEN), "cv2.morphologyEx, OPEN", "gray"),
    Peer(Closing(5), by_opencv(cv2.MORPH_CLOSE), "cv2.morphologyEx, CLOSE", "gray"),
    Peer(
        MorphologicalGradient(5),
        by_opencv(cv2.MORPH_GRADIENT),
        "cv2.morphologyEx, GRADIENT",
        "gray",
    ),
    Peer(TopHat(), by_opencv(cv2.MORPH_TOPHAT, LARGE), "cv2.morphologyEx, TOPHAT", "gray"),
    Peer(BlackHat(), by_opencv(cv2.MORPH_BLACKHAT, LARGE), "cv2.morphologyEx, BLACKHAT", "gray"),
    Peer(
        HitOrMiss(CORNER),
        by_opencv(cv2.MORPH_HITMISS, CORNER),
        "cv2.morphologyEx, HITMISS",
        "mask",
        compare=inner_difference,
        note="outside the image is background here, in OpenCV it is what the pattern wants",
    ),
    Peer(
        Skeleton(),
        lambda mask: as_mask(morphology.thin(mask)),
        "skimage morphology.thin",
        "mask",
    ),
    Peer(FillHoles(), fill_by_opencv, "cv2.floodFill of a frame", "mask"),
    Peer(
        RemoveSmallObjects(),
        small_by_opencv,
        "cv2.connectedComponentsWithStats and a table",
        "mask",
    ),
    Peer(KeepLargest(), largest_by_opencv, "cv2.connectedComponentsWithStats", "mask"),
    Peer(ClearBorder(), clear_by_opencv, "cv2.floodFill of a frame", "mask"),
    Peer(
        ClearBorder(),
        segmentation.clear_border,
        "skimage clear_border",
        "labels",
        prepare=labels_of,
    ),
    Peer(
        Reconstruction(Erosion(15)),
        reconstructed(lambda image: cv2.erode(image, LARGE)),
        "skimage reconstruction",
        "gray",
    ),
    Peer(
        HMaxima(20),
        reconstructed(lambda image: cv2.subtract(image, 20)),
        "skimage reconstruction",
        "gray",
    ),
    Peer(
        HMinima(20),
        reconstructed(lambda image: cv2.add(image, 20), "erosion"),
        "skimage reconstruction",
        "gray",
    ),
    Peer(
        LocalMaxima(),
        lambda image: as_mask(morphology.local_maxima(image)),
        "skimage local_maxima",
        "gray",
    ),
    Peer(
        DistanceTransform(),
        lambda mask: cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE),
        "cv2.distanceTransform, PRECISE",
        "mask",
        tolerance=1e-4,
        note="OpenCV's last bits differ from call to call",
    ),
    Peer(
        DistanceTransform("cityblock"),
        lambda mask: cv2.distanceTransform(mask, cv2.DIST_L1, 3),
        "cv2.distanceTransform, L1",
        "mask",
    ),
    Peer(
        ConnectedComponents(),
        lambda mask: cv2.connectedComponents(mask)[1],
        "cv2.connectedComponents",
        "mask",
        compare=other_regions,
    ),
    Peer(
        FilterRegions(area=(100, None)),
        by_area,
        "numpy bincount and a table",
        "labels",
        prepare=labels_of,
        note="the step knows boxes and centres then, too",
    ),
    Peer(
        FilterRegions(solidity=(0.8, None)),
        lambda labels: np.where(
            np.isin(
                labels,
                [r.label for r in measure.regionprops(labels) if r.solidity >= 0.8],
            ),
            labels,
            0,
        ),
        "skimage regionprops, solidity",
        "labels",
        prepare=labels_of,
        compare=lambda ours, theirs: float(np.mean(ours != theirs)),
        tolerance=0.02,
        note="share of pixels; hulls around pixels here, around points between them there",
    ),
    Peer(
        LabelsToMask(),
        lambda labels: cv2.compare(labels, np.zeros_like(labels), cv2.CMP_NE),
        "cv2.compare",
        "labels",
        prepare=labels_of,
    ),
]
