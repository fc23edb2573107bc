"""Peers of the geometric steps."""

import numpy as np

from benchmarks.peers import Peer
from classical import Affine, Crop, Flip, Letterbox, Pad, Perspective, Rectify, Resize, Rotate
from vision.opencv import cv2

SLANT = np.array([[0.9137, 0.3041, 4.53], [-0.2113, 1.1071, 30.27]])
TILT = np.array([[1, 0.1, -8.5], [0.05, 1.1, 4], [0.0004, 0.0002, 1]])
CORNERS = np.array([(60, 40), (500, 20), (540, 440), (30, 400)], np.float32)
TARGET = np.array([(0, 0), (479, 0), (479, 359), (0, 359)], np.float32)
TO_TARGET = cv2.getPerspectiveTransform(CORNERS, TARGET)


def turned(image):
    """A turn by 30 degrees about the centre."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), 30, 1)
    return cv2.warpAffine(image, matrix, (width, height))


def letterboxed(image):
    """Resized and framed by hand."""
    height, width = image.shape[:2]
    scale = 416 / max(height, width)
    inner = cv2.resize(
        image, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA
    )
    down, across = 416 - inner.shape[0], 416 - inner.shape[1]
    sides = down // 2, down - down // 2, across // 2, across - across // 2
    return cv2.copyMakeBorder(inner, *sides, cv2.BORDER_CONSTANT, value=(0, 0, 0))


def warped(image, matrix, function):
    """One of cv2's warps, to the size of the image."""
    return function(image, matrix, image.shape[1::-1])


PEERS = [
    Peer(
        Resize(width=320, height=240),
        lambda image: cv2.resize(image, (320, 240), interpolation=cv2.INTER_AREA),
        "cv2.resize",
        "rgb",
    ),
    Peer(
        Resize(factor=1.5),
        lambda image: cv2.resize(image, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_LINEAR),
        "cv2.resize",
        "rgb",
        1,
    ),
    Peer(Letterbox(416), letterboxed, "cv2.resize, cv2.copyMakeBorder", "rgb"),
    Peer(
        Crop(left=100, top=50),
        lambda image: image[50:, 100:].copy(),
        "a slice, copied",
        "rgb",
    ),
    Peer(
        Pad(16),
        lambda image: cv2.copyMakeBorder(image, 16, 16, 16, 16, cv2.BORDER_CONSTANT),
        "cv2.copyMakeBorder",
        "rgb",
    ),
    Peer(Flip(), lambda image: cv2.flip(image, 1), "cv2.flip", "rgb"),
    Peer(Rotate(30), turned, "cv2.warpAffine", "rgb", 5, note="matrices rounded apart"),
    Peer(
        Affine(SLANT),
        lambda image: warped(image, SLANT, cv2.warpAffine),
        "cv2.warpAffine",
        "rgb",
        5,
        note="matrices rounded apart",
    ),
    Peer(
        Perspective(TILT),
        lambda image: warped(image, TILT, cv2.warpPerspective),
        "cv2.warpPerspective",
        "rgb",
        5,
        note="matrices rounded apart",
    ),
    Peer(
        Rectify(CORNERS, width=480, height=360),
        lambda image: cv2.warpPerspective(image, TO_TARGET, (480, 360)),
        "cv2.warpPerspective",
        "rgb",
        5,
        note="matrices rounded apart",
    ),
]
