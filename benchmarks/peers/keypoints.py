"""Corners, described keypoints, blobs, ridges, checkerboards and known objects."""

import functools

import cv2
import numpy as np
from skimage import data, feature, filters

from benchmarks.peers import Peer
from classical import (
    FAST,
    ORB,
    SIFT,
    AlignTo,
    CheckerboardCorners,
    DoGBlobs,
    FindObject,
    Frangi,
    HarrisCorners,
    LoGBlobs,
    Sato,
    ShiTomasiCorners,
    SimpleBlobs,
)


def rows_apart(ours, theirs):
    """The largest difference between two tables of places, whatever their order; else infinity."""
    if not len(ours) == len(theirs) > 0:
        return np.inf
    ours, theirs = (np.asarray(table, float).reshape(len(table), -1) for table in (ours, theirs))
    ordered = (table[np.lexsort(table.T)] for table in (ours, theirs))
    return float(np.abs(np.subtract(*ordered)).max(initial=0))


def places(found, theirs):
    """Of corners: theirs are (points, responses)."""
    table = np.column_stack([found.points, found.responses])
    return rows_apart(table, np.column_stack([theirs[0].reshape(-1, 2), theirs[1].ravel()]))


def described(found, theirs):
    """Of described keypoints: theirs are (cv2 keypoints, descriptors)."""
    keypoints, rows = theirs
    table = np.column_stack([found.points, found.sizes, found.descriptors])
    sizes = [one.size for one in keypoints]
    return rows_apart(table, np.column_stack([cv2.KeyPoint_convert(keypoints), sizes, rows]))


def blobs(found, theirs):
    """Of blobs: theirs are scikit-image's rows of y, x, sigma."""
    return rows_apart(np.column_stack([found.points[:, ::-1], found.sizes / np.sqrt(8)]), theirs)


def simple(found, theirs):
    table = np.column_stack([found.points, found.sizes])
    return rows_apart(table, np.array([(*one.pt, one.size) for one in theirs]).reshape(-1, 3))


def fast(image):
    found = cv2.FastFeatureDetector_create(20).detect(image)
    return cv2.KeyPoint_convert(found), np.array([one.response for one in found])


def coins(photograph):
    """Shipped coins in the size of the photograph: bright discs."""
    return cv2.resize(data.coins(), photograph.shape[1::-1])


def dark_coins(photograph):
    """Their negative, smooth enough to be convex."""
    return cv2.bitwise_not(cv2.GaussianBlur(coins(photograph), (0, 0), 3))


def board(photograph):
    """A board of 10 x 7 squares on the photograph, as large as it allows."""
    image = cv2.cvtColor(photograph, cv2.COLOR_RGB2GRAY)
    side = min(image.shape[1] // 12, image.shape[0] // 9)
    y, x = np.mgrid[: 9 * side, : 12 * side] // side
    dark = ((x + y) % 2 == 0) & (x > 0) & (x < 11) & (y > 0) & (y < 8)
    image[: 9 * side, : 12 * side] = np.where(dark, 40, 215)
    return cv2.GaussianBlur(image, (0, 0), 1)


def checkerboard(image):
    flags = cv2.CALIB_CB_ACCURACY | cv2.CALIB_CB_EXHAUSTIVE
    return cv2.findChessboardCornersSB(image, (9, 6), flags=flags)[1].reshape(-1, 2)


def table(photograph):
    """A shipped photograph of a cup on a table, in the size of the photograph."""
    return cv2.resize(data.coffee(), photograph.shape[1::-1])


FIND = FindObject.make_example()
ALIGN = AlignTo(FIND.template)


@functools.cache
def template():
    return described_by_sift(FIND.template)


def described_by_sift(image):
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return cv2.SIFT_create(enable_precise_upscale=True).detectAndCompute(gray, None)


def homography(image):
    """As tutorials do it: SIFT, the ratio test, USAC."""
    (known, rows), (found, others) = template(), described_by_sift(image)
    pairs = [
        a for a, b in cv2.BFMatcher().knnMatch(others, rows, k=2) if a.distance < 0.8 * b.distance
    ]
    sides = [known[one.trainIdx].pt for one in pairs], [found[one.queryIdx].pt for one in pairs]
    settings = cv2.UsacParams()
    settings.threshold, settings.maxIterations, settings.confidence = 3, 10_000, 0.999
    settings.loMethod, settings.final_polisher = cv2.LOCAL_OPTIM_INNER_LO, cv2.LSQ_POLISHER
    return cv2.findHomography(*(np.float32(side).reshape(-1, 1, 2) for side in sides), settings)[0]


def outline(image):
    height, width = FIND.template.shape[:2]
    ends = np.float32([[0, 0], [width, 0], [width, height], [0, height]]).reshape(-1, 1, 2) - 0.5
    return cv2.perspectiveTransform(ends, homography(image)) + 0.5


def rectified(image):
    height, width = FIND.template.shape[:2]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpPerspective(image, homography(image), (width, height), flags=flags)


def corners_apart(found, theirs):
    return float(np.abs(found.corners - theirs.reshape(-1, 4, 2)).max())


def levels_apart(ours, theirs):
    """The mean difference: places that differ by a hundredth of a pixel show at edges."""
    return float(cv2.absdiff(ours, theirs).mean())


def good_features(**parameters):
    return lambda image: cv2.goodFeaturesToTrackWithQuality(image, 0, 0.01, 10, None, **parameters)


PEERS = [
    Peer(
        HarrisCorners(),
        good_features(useHarrisDetector=True),
        "cv2.goodFeaturesToTrack, Harris",
        "gray",
        compare=places,
    ),
    Peer(
        HarrisCorners(output="response"),
        lambda image: cv2.cornerHarris(image, 3, 3, 0.04),
        "cv2.cornerHarris",
        "gray",
    ),
    Peer(ShiTomasiCorners(), good_features(), "cv2.goodFeaturesToTrack", "gray", compare=places),
    Peer(
        FAST(),
        fast,
        "cv2.FastFeatureDetector, as arrays",
        "gray",
        compare=places,
        note="Both as arrays of points and responses; ours with the strongest first.",
    ),
    Peer(
        ORB(),
        lambda image: cv2.ORB_create().detectAndCompute(image, None),
        "cv2.ORB",
        "gray",
        compare=described,
    ),
    Peer(
        SIFT(),
        lambda image: cv2.SIFT_create(enable_precise_upscale=True).detectAndCompute(image, None),
        "cv2.SIFT, precise upscale",
        "gray",
        compare=described,
    ),
    Peer(
        LoGBlobs(overlap=1),
        lambda image: feature.blob_log(image, overlap=1),
        "skimage.feature.blob_log",
        "gray",
        prepare=coins,
        compare=blobs,
        tolerance=1e-4,
        note="overlap=1: which of two equal blobs scikit-image drops depends on their order.",
    ),
    Peer(
        DoGBlobs(overlap=1),
        lambda image: feature.blob_dog(image, threshold=0.2, overlap=1),
        "skimage.feature.blob_dog",
        "gray",
        prepare=coins,
        compare=blobs,
        tolerance=1e-4,
        note="overlap=1, as for blob_log.",
    ),
    Peer(
        SimpleBlobs(min_convexity=0.95),
        lambda image: cv2.SimpleBlobDetector_create().detect(image),
        "cv2.SimpleBlobDetector",
        "gray",
        prepare=dark_coins,
        compare=simple,
    ),
    Peer(Frangi(), filters.frangi, "skimage.filters.frangi", "gray", tolerance=1e-3),
    Peer(Sato(), filters.sato, "skimage.filters.sato", "gray", tolerance=1e-4),
    Peer(
        CheckerboardCorners(9, 6),
        checkerboard,
        "cv2.findChessboardCornersSB",
        "gray",
        prepare=board,
        compare=lambda ours, theirs: rows_apart(ours.points, theirs),
    ),
    Peer(
        FIND,
        outline,
        "cv2.SIFT, BFMatcher, findHomography",
        "rgb",
        prepare=table,
        compare=corners_apart,
        tolerance=0.5,
        note="The template's keypoints are found once, outside.",
    ),
    Peer(
        ALIGN,
        rectified,
        "cv2.SIFT, BFMatcher, findHomography, warpPerspective",
        "rgb",
        prepare=table,
        compare=levels_apart,
        tolerance=1.0,
        note="As FindObject; the tolerance is of the mean difference in levels.",
    ),
]
