"""Peers of the steps on contours."""

import cv2
import numpy as np
from scipy import ndimage
from skimage import color

from benchmarks.peers import Peer
from classical import (
    ApproximatePolygons,
    ConnectedComponents,
    ConvexHulls,
    FillContours,
    FilterByColor,
    FilterContours,
    FindContours,
    Gray,
    MatchShapes,
    Otsu,
)

SQUARE = np.array([[0, 0], [30, 0], [30, 30], [0, 30]], np.int32)
WARM = (200, 150, 100)


def mask_of(photograph):
    """The bright parts of the photograph."""
    gray = cv2.cvtColor(photograph, cv2.COLOR_RGB2GRAY)
    return cv2.threshold(gray, 0, 255, cv2.THRESH_OTSU)[1]


def contours_of(photograph):
    """Those of the bright parts."""
    return FindContours()(mask_of(photograph))


def outlines(mask, mode=cv2.RETR_EXTERNAL):
    return cv2.findContours(mask, mode, cv2.CHAIN_APPROX_SIMPLE)[0]


def components_of(photograph):
    """The bright parts of the photograph, numbered."""
    return ConnectedComponents()(mask_of(photograph))


def outlines_of_labels(labels):
    found = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), 1):
        region = (labels[rows, columns] == number).astype(np.uint8)
        offset = columns.start, rows.start
        mode, method = cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
        found += cv2.findContours(region, mode, method, offset=offset)[0]
    return found


def differing(ours, theirs):
    """How many contours are not the same points."""
    ours = list(ours)
    if len(ours) != len(theirs):
        return float("inf")
    pairs = zip(ours, theirs, strict=True)
    return float(sum(not np.array_equal(a, b.reshape(-1, 2)) for a, b in pairs))


def filled(contours):
    canvas = np.zeros(contours.shape, np.uint8)
    return cv2.drawContours(canvas, contours.points, -1, 255, cv2.FILLED)


def solid(contours):
    kept = []
    for one in contours.points:
        whole = cv2.contourArea(cv2.convexHull(one))
        if whole == 0 or cv2.contourArea(one) / whole >= 0.8:
            kept.append(one)
    return kept


def warm(image):
    """Contours of the mean colour, each masked by hand."""
    found = outlines(mask_of(image))
    lab = color.rgb2lab(np.array(WARM) / 255)
    kept = []
    for one in found:
        left, top, width, height = cv2.boundingRect(one)
        where = np.zeros((height, width), np.uint8)
        cv2.drawContours(where, [one], 0, 255, cv2.FILLED, offset=(-left, -top))
        mean = cv2.mean(image[top : top + height, left : left + width], where)[:3]
        mean = cv2.cvtColor(np.float32([[mean]]) / 255, cv2.COLOR_RGB2Lab)[0, 0]
        if np.linalg.norm(mean - lab) <= 25:
            kept.append(one)
    return kept


def like_a_square(contours):
    return [one for one in contours.points if cv2.matchShapes(one, SQUARE, 1, 0) <= 0.1]


PEERS = [
    Peer(FindContours(), outlines, "cv2.findContours", "mask", compare=differing),
    Peer(
        FindContours(mode="tree"),
        lambda mask: outlines(mask, cv2.RETR_TREE),
        "cv2.findContours, TREE",
        "mask",
        compare=differing,
    ),
    Peer(
        FindContours(20),
        lambda mask: [one for one in outlines(mask) if cv2.contourArea(one) >= 20],
        "cv2.findContours and contourArea",
        "mask",
        compare=differing,
    ),
    Peer(
        FindContours(),
        outlines_of_labels,
        "scipy find_objects, cv2.findContours of each",
        "labels",
        prepare=components_of,
        compare=differing,
    ),
    Peer(
        FilterContours(solidity=(0.8, None)),
        solid,
        "cv2.convexHull and contourArea",
        "contours",
        prepare=contours_of,
        compare=differing,
    ),
    Peer(
        FilterByColor(Gray() >> Otsu() >> FindContours(), WARM),
        warm,
        "cv2.mean of each, skimage rgb2lab",
        "rgb",
        compare=differing,
    ),
    Peer(
        MatchShapes(SQUARE),
        like_a_square,
        "cv2.matchShapes of each",
        "contours",
        prepare=contours_of,
        compare=differing,
    ),
    Peer(
        ApproximatePolygons(),
        lambda contours: [
            cv2.approxPolyDP(one, 0.02 * cv2.arcLength(one, True), True) for one in contours.points
        ],
        "cv2.approxPolyDP of each",
        "contours",
        prepare=contours_of,
        compare=differing,
    ),
    Peer(
        ConvexHulls(),
        lambda contours: [cv2.convexHull(one) for one in contours.points],
        "cv2.convexHull of each",
        "contours",
        prepare=contours_of,
        compare=differing,
    ),
    Peer(
        FillContours(),
        filled,
        "cv2.drawContours, FILLED",
        "contours",
        prepare=contours_of,
        note="drawn one by one here, since all at once leaves out where two overlap",
    ),
]
