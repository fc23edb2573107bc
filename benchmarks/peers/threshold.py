"""Thresholds: fixed, chosen from the histogram, local."""

import cv2
import numpy as np
from skimage import filters

from benchmarks.peers import Peer
from classical import (
    AdaptiveThreshold,
    AutoThreshold,
    HysteresisThreshold,
    InRange,
    MultiOtsu,
    Niblack,
    Otsu,
    Sauvola,
    Threshold,
    Triangle,
)

LOW, HIGH = np.array([35, 60, 60], np.uint8), np.array([85, 255, 255], np.uint8)


def mask(condition):
    """A mask of a condition."""
    return condition.astype(np.uint8) * np.uint8(255)


def multi_otsu(image):
    levels = filters.threshold_multiotsu(image, 3)
    return np.digitize(image, levels, right=True).astype(np.int32) + 1


def auto(name):
    """A row for one rule of `AutoThreshold`."""
    choose = getattr(filters, f"threshold_{name}")
    return Peer(
        AutoThreshold(name),
        lambda image: mask(image > choose(image)),
        f"skimage threshold_{name}",
        "gray",
    )


PEERS = [
    Peer(
        InRange("hsv", (35, 60, 60), (85, 255, 255)),
        lambda image: cv2.inRange(image, LOW, HIGH),
        "cv2.inRange",
        "hsv",
    ),
    Peer(
        Threshold(),
        lambda image: cv2.threshold(image, 127, 255, cv2.THRESH_BINARY)[1],
        "cv2.threshold",
        "gray",
    ),
    Peer(
        Otsu(),
        lambda image: cv2.threshold(image, 0, 255, cv2.THRESH_OTSU)[1],
        "cv2.threshold, OTSU",
        "gray",
    ),
    Peer(
        Triangle(),
        lambda image: cv2.threshold(image, 0, 255, cv2.THRESH_TRIANGLE)[1],
        "cv2.threshold, TRIANGLE",
        "gray",
    ),
    *map(auto, ("li", "isodata", "yen", "minimum")),
    Peer(MultiOtsu(), multi_otsu, "skimage threshold_multiotsu", "gray"),
    Peer(
        AdaptiveThreshold(),
        lambda image: cv2.adaptiveThreshold(
            image, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, 11, 2
        ),
        "cv2.adaptiveThreshold",
        "gray",
    ),
    Peer(
        Niblack(),
        lambda image: mask(image > filters.threshold_niblack(image)),
        "skimage threshold_niblack",
        "gray",
        tolerance=1e-5,
        compare=lambda ours, theirs: float(np.mean(ours != theirs)),
        note="share of pixels: those that are as bright as the level, which its rounding shifts",
    ),
    Peer(
        Sauvola(),
        lambda image: mask(image > filters.threshold_sauvola(image, r=128)),
        "skimage threshold_sauvola",
        "gray",
    ),
    Peer(
        HysteresisThreshold(connectivity=4),
        lambda image: mask(filters.apply_hysteresis_threshold(image, 100, 200)),
        "skimage apply_hysteresis_threshold",
        "gray",
    ),
]
