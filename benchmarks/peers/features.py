"""Peers of the steps that give rows of numbers."""

import cv2
import numpy as np
from skimage import data, feature, filters

from benchmarks.peers import Peer
from classical import (
    GLCM,
    HOG,
    LBP,
    BagOfVisualWords,
    ColorHistogram,
    GaborBank,
    HuMoments,
    RawPixels,
)

PROPERTIES = GLCM().properties
ANGLES = np.deg2rad((0, 45, 90, 135))
REDUCED = (np.arange(256) * 32 // 256).astype(np.uint8)
WORDS = 50
WORDS = 50
BANK, BAG = GaborBank(), BagOfVisualWords(n_words=WORDS)
KERNELS = [
    filters.gabor_kernel(frequency, turn)
    for frequency in BANK.frequencies
    for turn in np.pi * np.arange(BANK.n_orientations) / BANK.n_orientations
]
# By what powers of 255 Hu's moments of levels and of light differ.
OF_LIGHT = 255.0 ** np.array([1, 2, 3, 3, 6, 4, 6])


def relative(ours, theirs):
    """The largest difference beside the larger of both numbers."""
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    if ours.shape != theirs.shape:
        return float("inf")
    return float((np.abs(ours - theirs) / np.maximum(np.abs(theirs), 1e-12)).max())


def raw_pixels(image):
    return cv2.resize(image, (16, 16), interpolation=cv2.INTER_AREA).ravel().astype(np.float32)


def color_histogram(image):
    """Eight ranges of each channel."""
    counts = [cv2.calcHist([image], [channel], None, [8], [0, 256]) for channel in range(3)]
    return np.concatenate(counts).ravel() / (image.shape[0] * image.shape[1])


def patterns(image):
    codes = feature.local_binary_pattern(image, 8, 1, "uniform").astype(np.uint8)
    return np.bincount(codes.ravel(), minlength=10) / codes.size


def texture(image):
    """Haralick's features of scikit-image's matrices."""
    pairs = feature.graycomatrix(cv2.LUT(image, REDUCED), [1], ANGLES, 32, True, True)
    return np.concatenate([feature.graycoprops(pairs, name).ravel() for name in PROPERTIES])


def gabor(image):
    """Mean and deviation of every strength: scikit-image's kernels, convolved by OpenCV."""
    image, rows = image.astype(np.float32), []
    for kernel in KERNELS:
        parts = [
            cv2.filter2D(image, cv2.CV_32F, part, borderType=cv2.BORDER_REFLECT)
            for part in (np.ascontiguousarray(kernel.real), np.ascontiguousarray(kernel.imag))
        ]
        rows.append(cv2.meanStdDev(cv2.magnitude(*parts)))
    return np.array(rows).ravel()


def hu(image):
    """Hu's moments of light, white being 1."""
    found = cv2.HuMoments(cv2.moments(image)).ravel() * OF_LIGHT
    return -np.sign(found) * np.log10(np.abs(found))


def learn_words(bag):
    """From three shipped pictures."""
    bag.fit([data.camera(), data.coins(), data.page()])


def visual_words(image):
    """SIFT, and OpenCV's search for the nearest word."""
    _, rows = cv2.SIFT_create(enable_precise_upscale=True).detectAndCompute(image, None)
    nearest = [one.trainIdx for one in cv2.BFMatcher().match(rows, BAG.words_)]
    return np.bincount(nearest, minlength=WORDS) / len(rows)


PEERS = [
    Peer(RawPixels(), raw_pixels, "cv2.resize", "gray"),
    Peer(ColorHistogram(), color_histogram, "cv2.calcHist of each channel", "rgb", 1e-6),
    Peer(HOG(), feature.hog, "skimage.feature.hog", "gray", 1e-6),
    Peer(
        HOG(),
        lambda image: feature.hog(image, channel_axis=-1),
        "skimage.feature.hog",
        "rgb",
        1e-6,
    ),
    Peer(
        LBP(),
        patterns,
        "skimage.feature.local_binary_pattern",
        "gray",
        0.02,
        note="a share of the pixels: equal neighbours count by its rounding there, and a "
        "photograph enlarged to 12 MP has many",
    ),
    Peer(
        GLCM(),
        texture,
        "skimage.feature.graycomatrix, graycoprops",
        "gray",
        1e-5,
        compare=relative,
    ),
    Peer(
        BANK,
        gabor,
        "skimage gabor_kernel, cv2.filter2D of both parts",
        "gray",
        0.02,
        note="gray levels; skimage.filters.gabor itself takes far longer",
    ),
    Peer(HuMoments(), hu, "cv2.moments, cv2.HuMoments", "gray", 1e-4),
    Peer(
        BAG,
        visual_words,
        "cv2.SIFT, cv2.BFMatcher",
        "gray",
        1e-6,
        learn=learn_words,
    ),
]
