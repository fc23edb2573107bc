"""Peers of the segmentation steps."""

import cv2
import numpy as np
from skimage import data, measure, morphology, segmentation
from sklearn.metrics import adjusted_rand_score

from benchmarks.peers import Peer
from classical import (
    SLIC,
    ChanVese,
    DistanceWatershed,
    Felzenszwalb,
    FloodFill,
    GrabCut,
    Gray,
    KMeansSegmenter,
    MeanShiftSegmenter,
    Otsu,
    PixelClassifier,
    RegionGrowing,
    SplitAndMerge,
    Threshold,
    Watershed,
)

CRITERIA = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 1.0)
SEEDS = [(100, 80), (320, 240), (600, 400)]
BOX = (40, 30, 600, 450)


def small(photograph):
    """Half the size: for steps that take seconds."""
    return cv2.resize(photograph, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def gray_of(photograph):
    """Gray, blurred: what is even stays even."""
    return cv2.GaussianBlur(cv2.cvtColor(photograph, cv2.COLOR_RGB2GRAY), (9, 9), 0)


def mask_of(photograph):
    """What Otsu's threshold finds bright."""
    return cv2.threshold(gray_of(photograph), 0, 255, cv2.THRESH_OTSU)[1]


def other_regions(ours, theirs):
    """1 less the adjusted Rand index: 0 for the same regions, whatever their numbers."""
    return 1 - adjusted_rand_score(theirs.ravel(), ours.ravel())


def other_side(ours, theirs):
    """The share of the pixels on another side, whichever of the two is set."""
    share = float(np.mean((ours > 0) == theirs))
    return min(share, 1 - share)


def kmeans(image):
    """All pixels, one attempt."""
    pixels = image.reshape(-1, 3).astype(np.float32)
    return cv2.kmeans(pixels, 4, None, CRITERIA, 1, cv2.KMEANS_PP_CENTERS)[1]


def kmeans_placed(image):
    """All pixels with their places."""
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width] * (100 / max(height, width))
    points = np.dstack([image, x, y]).reshape(-1, 5).astype(np.float32)
    return cv2.kmeans(points, 4, None, CRITERIA, 1, cv2.KMEANS_PP_CENTERS)[1]


def watershed(image):
    """From the connected bright parts, as OpenCV's own sample does, in a frame for the border."""
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    bright = cv2.threshold(gray, 180, 255, cv2.THRESH_BINARY)[1]
    bright = cv2.copyMakeBorder(bright, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    labels = cv2.connectedComponents(bright)[1]
    cv2.watershed(cv2.copyMakeBorder(image, 1, 1, 1, 1, cv2.BORDER_REPLICATE), labels)
    return np.maximum(labels[1:-1, 1:-1], 0)


def renumbered(ours, theirs):
    """The share of the pixels with another label once theirs have our numbers."""
    numbers = np.zeros(theirs.max() + 1, ours.dtype)
    numbers[theirs.ravel()] = ours.ravel()
    return float(np.mean(numbers[theirs] != ours))


def distance_watershed(mask):
    """With peaks of one pixel's height, no level passing through the background."""
    distance = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    floor = np.where(mask > 0, distance, -1e6)
    peaks = morphology.local_maxima(morphology.reconstruction(floor - 1, floor)) & (mask > 0)
    markers = measure.label(peaks, connectivity=2)
    return segmentation.watershed(-distance, markers, connectivity=2, mask=mask > 0)


def flood(image):
    """From one seed, compared to its colour."""
    mask = np.zeros((image.shape[0] + 2, image.shape[1] + 2), np.uint8)
    flags = 4 | 255 << 8 | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE
    cv2.floodFill(image, mask, SEEDS[0], 0, (30, 30, 30), (30, 30, 30), flags)
    return mask[1:-1, 1:-1].copy()


def grabcut(image):
    """In a box, with the same seed."""
    left, top, right, bottom = (edge // 2 for edge in BOX)
    marks = np.zeros(image.shape[:2], np.uint8)
    cv2.setRNGSeed(0)
    rectangle = left, top, right - left, bottom - top
    cv2.grabCut(image, marks, rectangle, None, None, 5, cv2.GC_INIT_WITH_RECT)
    return (marks & 1) * np.uint8(255)


def learn_bright(classifier):
    """What is bright in a small cup of coffee."""
    image = np.ascontiguousarray(data.coffee()[::4, ::4])
    classifier.fit([image], [(Gray() >> Otsu())(image)])


PEERS = [
    Peer(
        KMeansSegmenter(),
        kmeans,
        "cv2.kmeans",
        "rgb",
        tolerance=0.1,
        compare=other_regions,
        note="its sum of squares: benchmarks/kmeans.py; the difference is 1 - adjusted Rand index",
    ),
    Peer(
        KMeansSegmenter(position=100),
        kmeans_placed,
        "cv2.kmeans",
        "rgb",
        tolerance=0.3,
        compare=other_regions,
        note="several labellings are almost as good; 1 - adjusted Rand index",
    ),
    Peer(MeanShiftSegmenter(), None, "none", "rgb", note="cv2.pyrMeanShiftFiltering has no labels"),
    Peer(
        MeanShiftSegmenter(spatial_radius=None),
        None,
        "none",
        "rgb",
        note="scikit-learn's MeanShift takes minutes on a photograph",
    ),
    Peer(
        Watershed(Gray() >> Threshold(180), sigma=0, lines=True),
        watershed,
        "cv2.watershed of a frame",
        "rgb",
        compare=renumbered,
        note="OpenCV makes the outermost pixels a line, so that without a frame nothing floods "
        "along the border; it may number the components otherwise",
    ),
    Peer(Watershed(), None, "none", "rgb", note="nobody's gives basins of a depth in one call"),
    Peer(
        DistanceWatershed(),
        distance_watershed,
        "skimage.segmentation.watershed",
        "mask",
        tolerance=0.01,
        prepare=mask_of,
        compare=other_regions,
        note="1 - adjusted Rand index; plateaus are shared out otherwise",
    ),
    Peer(FloodFill(SEEDS[:1], 30), flood, "cv2.floodFill", "gray", prepare=gray_of),
    Peer(RegionGrowing(SEEDS), None, "none", "gray", prepare=gray_of),
    Peer(SplitAndMerge(), None, "none", "rgb"),
    Peer(
        SLIC(),
        lambda image: segmentation.slic(image, start_label=1),
        "skimage.segmentation.slic",
        "rgb",
        tolerance=0.15,
        compare=other_regions,
        note="it stretches the contrast first; 1 - adjusted Rand index",
    ),
    Peer(
        Felzenszwalb(),
        lambda image: segmentation.felzenszwalb(image, 300, 0.8, 20) + 1,
        "skimage.segmentation.felzenszwalb",
        "rgb",
    ),
    Peer(GrabCut(tuple(edge // 2 for edge in BOX)), grabcut, "cv2.grabCut", "rgb", prepare=small),
    Peer(
        ChanVese(),
        lambda image: segmentation.chan_vese(image, mu=0.25, max_num_iter=100),
        "skimage.segmentation.chan_vese",
        "gray",
        tolerance=0.1,
        prepare=lambda photograph: cv2.cvtColor(small(photograph), cv2.COLOR_RGB2GRAY),
        compare=other_side,
        note="its energy after 100 rounds is higher; the share of pixels on another side",
    ),
    Peer(
        PixelClassifier(),
        None,
        "none",
        "rgb",
        prepare=small,
        learn=learn_bright,
        note="75 features, 50 trees",
    ),
]
