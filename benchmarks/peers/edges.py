"""Edges: gradients, zero crossings, Canny."""

import cv2
import numpy as np

from benchmarks.peers import Peer
from classical import Canny, DoG, Laplacian, LoG, Prewitt, Roberts, Scharr, Sobel


def sobel(image):
    x = cv2.Sobel(image, cv2.CV_32F, 1, 0, None, 3, 1 / 8)
    return cv2.magnitude(x, cv2.Sobel(image, cv2.CV_32F, 0, 1, None, 3, 1 / 8))


def sobel_edges(image):
    x, y = cv2.spatialGradient(image)
    return cv2.Canny(x, y, 8 * 15, 8 * 15, L2gradient=True)


def scharr(image):
    x = cv2.Scharr(image, cv2.CV_32F, 1, 0, None, 1 / 32)
    return cv2.magnitude(x, cv2.Scharr(image, cv2.CV_32F, 0, 1, None, 1 / 32))


def separable(slope, smooth, anchor=(-1, -1)):
    """A gradient's length from two separable kernels that are built once."""
    slope, smooth = np.float32(slope), np.float32(smooth)

    def call(image):
        x = cv2.sepFilter2D(image, cv2.CV_32F, slope, smooth, None, anchor)
        return cv2.magnitude(x, cv2.sepFilter2D(image, cv2.CV_32F, smooth, slope, None, anchor))

    return call


def log(sigma=2.0):
    """The two separable halves of the Laplacian of Gaussian, from kernels that are built once."""
    smooth, curve, _ = LoG(sigma).prepare()

    def call(image):
        response = cv2.sepFilter2D(image, cv2.CV_32F, curve, smooth)
        return cv2.add(response, cv2.sepFilter2D(image, cv2.CV_32F, smooth, curve))

    return call


def dog(image):
    image = image.astype(np.float32)
    narrow = cv2.GaussianBlur(image, (17, 17), 2.0)
    return cv2.subtract(narrow, cv2.GaussianBlur(image, (27, 27), 3.2))


def median_canny(image):
    median = np.median(image)
    return cv2.Canny(image, 0.67 * median, min(1.33 * median, 255))


PEERS = [
    Peer(Canny(), lambda image: cv2.Canny(image, 100, 200), "cv2.Canny", "gray"),
    Peer(Canny(thresholds="median"), median_canny, "numpy median, cv2.Canny", "gray"),
    Peer(Sobel(), sobel, "cv2.Sobel, magnitude", "gray", tolerance=1e-4),
    Peer(
        Sobel(output="edges", threshold=15),
        sobel_edges,
        "cv2.spatialGradient, Canny",
        "gray",
    ),
    Peer(Scharr(), scharr, "cv2.Scharr, magnitude", "gray", tolerance=1e-4),
    Peer(
        Prewitt(),
        separable((-1, 0, 1), np.ones(3) / 6),
        "cv2.sepFilter2D, magnitude",
        "gray",
        tolerance=1e-4,
    ),
    Peer(
        Roberts(),
        separable((-1, 1), (0.5, 0.5), (0, 0)),
        "cv2.sepFilter2D, magnitude",
        "gray",
        tolerance=1e-4,
    ),
    Peer(Laplacian(), lambda image: cv2.Laplacian(image, cv2.CV_32F), "cv2.Laplacian", "gray"),
    Peer(LoG(), log(), "cv2.sepFilter2D, add", "gray", tolerance=1e-4),
    Peer(DoG(), dog, "cv2.GaussianBlur, subtract", "gray", tolerance=1e-3),
]
