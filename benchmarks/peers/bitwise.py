"""Peers of masking and of masks joined pixel by pixel."""

import cv2
import numpy as np

from benchmarks.peers import Peer
from classical import ApplyMask, Gray, Not, Otsu, Threshold


def otsu(gray):
    return cv2.threshold(gray, 0, 255, cv2.THRESH_OTSU)[1]


def over(gray, level):
    return cv2.threshold(gray, level, 255, cv2.THRESH_BINARY)[1]


def masked(image):
    mask = otsu(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
    return cv2.copyTo(image, mask, np.zeros_like(image))


def joined(operation):
    """Two thresholds joined by OpenCV."""
    return lambda gray: operation(otsu(gray), over(gray, 200))


PEERS = [
    Peer(ApplyMask(Gray() >> Otsu()), masked, "cv2.threshold and cv2.copyTo", "rgb"),
    Peer(Not(), cv2.bitwise_not, "cv2.bitwise_not", "mask"),
    Peer(Otsu() & Threshold(200), joined(cv2.bitwise_and), "cv2.bitwise_and", "gray"),
    Peer(Otsu() | Threshold(200), joined(cv2.bitwise_or), "cv2.bitwise_or", "gray"),
    Peer(Otsu() ^ Threshold(200), joined(cv2.bitwise_xor), "cv2.bitwise_xor", "gray"),
]
