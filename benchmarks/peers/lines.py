"""Peers of the line and circle steps."""

import numpy as np
from scipy import spatial
from skimage import measure

from benchmarks.peers import Peer
from classical import (
    HoughCircles,
    HoughLines,
    HoughSegments,
    LineSegmentDetector,
    MergeLines,
    RANSACLines,
)
from vision.opencv import cv2


def gray_of(photograph):
    """Gray, a little blurred: what edges and circles are looked for in."""
    return cv2.GaussianBlur(cv2.cvtColor(photograph, cv2.COLOR_RGB2GRAY), (5, 5), 0)


def edges_of(photograph):
    """Canny's edges of the blurred picture."""
    return cv2.Canny(gray_of(photograph), 100, 200)


def stripes_of(photograph):
    """A dashed line over sparse noise: a mask with one line that every method agrees on."""
    height, width = photograph.shape[:2]
    mask = np.where(edges_of(photograph) * (np.arange(width) % 7 == 0) > 0, 255, 0)
    mask = mask.astype(np.uint8)
    cv2.line(mask, (width // 10, height // 5), (width - 9, height // 2), 255, 1)
    return mask


def lines_of(photograph):
    """The crowded lines of a Hough transform."""
    return HoughLines(1, np.pi / 180, 60)(edges_of(photograph))


def detected(image):
    """Built for each image: a detector keeps what it works on, so threads cannot share one."""
    return cv2.createLineSegmentDetector().detect(image)[0]


def ransac(mask):
    """scikit-image's, on the same pixels."""
    points = np.argwhere(mask)[:, ::-1].astype(float)
    found = measure.ransac(
        points, measure.LineModelND, 2, 1.0, max_trials=1000, stop_probability=0.99, rng=0
    )
    return found[0].direction


def farthest_row(ours, theirs):
    """The largest difference between two sets of segments, in whatever order they come."""
    theirs = np.empty((0, 4)) if theirs is None else theirs.reshape(-1, 4)
    if len(ours) != len(theirs):
        return float("inf")
    if not len(ours):
        return 0.0
    forth, _ = spatial.KDTree(theirs).query(ours.segments, p=np.inf)
    back, _ = spatial.KDTree(ours.segments).query(theirs, p=np.inf)
    return float(max(forth.max(), back.max()))


def farthest_line(ours, theirs):
    """The largest difference of rho and theta."""
    theirs = np.empty((0, 2)) if theirs is None else theirs.reshape(-1, 2)
    if len(ours) != len(theirs):
        return float("inf")
    return float(np.abs(ours.rho_theta - theirs).max(initial=0))


def farthest_circle(ours, theirs):
    """The largest difference of centres and radii."""
    theirs = np.empty((0, 3)) if theirs is None else theirs.reshape(-1, theirs.shape[-1])
    if len(ours) != len(theirs):
        return float("inf")
    mine = np.column_stack([ours.centers, ours.radii])
    return float(np.abs(mine - theirs[:, :3]).max(initial=0))


def degrees_apart(ours, theirs):
    """The angle between our line and scikit-image's, in degrees."""
    turn = abs(ours.angles[0] - np.rad2deg(np.arctan2(theirs[1], theirs[0])) % 180)
    return float(min(turn, 180 - turn))


PEERS = [
    Peer(
        HoughLines(1, np.pi / 180, 120),
        lambda image: cv2.HoughLines(image, 1, np.pi / 180, 120),
        "cv2.HoughLines",
        "edges",
        prepare=edges_of,
        compare=farthest_line,
    ),
    Peer(
        HoughSegments(1, np.pi / 180, 50, min_length=30, max_gap=4),
        lambda image: cv2.HoughLinesP(image, 1, np.pi / 180, 50, None, 30, 4),
        "cv2.HoughLinesP",
        "edges",
        prepare=edges_of,
        compare=farthest_row,
    ),
    Peer(
        LineSegmentDetector(),
        detected,
        "cv2.createLineSegmentDetector().detect",
        "gray",
        tolerance=0.126,
        compare=farthest_row,
        note="ours are moved by 0.125 pixels: the detector leaves out the shift of its resize",
    ),
    Peer(
        HoughCircles(),
        lambda image: cv2.HoughCircles(
            image, cv2.HOUGH_GRADIENT_ALT, 1, 20, param1=300, param2=0.8, maxRadius=max(image.shape)
        ),
        "cv2.HoughCircles",
        "gray",
        prepare=gray_of,
        compare=farthest_circle,
    ),
    Peer(
        RANSACLines(),
        ransac,
        "skimage.measure.ransac(LineModelND)",
        "mask",
        tolerance=0.2,
        prepare=stripes_of,
        compare=degrees_apart,
        note="degrees; other random pairs, so the inliers differ by a few",
    ),
    Peer(MergeLines(), None, "none", "lines", prepare=lines_of),
]
