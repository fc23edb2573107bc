"""Peers of the intensity and histogram steps."""

import numpy as np
from skimage import data, exposure

from benchmarks.peers import Peer
from classical import (
    CLAHE,
    BrightnessContrast,
    ContrastStretching,
    GammaCorrection,
    HistogramEqualization,
    HistogramMatching,
    Negative,
    Normalize,
    ToFloat,
    ToUint8,
)
from vision.opencv import cv2

REFERENCE = data.astronaut()
GAMMA = np.rint(255 * np.linspace(0, 1, 256) ** 0.5).astype(np.uint8)


def map_of(photograph):
    """A map of both signs."""
    return cv2.Laplacian(cv2.cvtColor(photograph, cv2.COLOR_RGB2GRAY), cv2.CV_32F)


def deep_of(photograph):
    """The photograph in 16 bits."""
    return photograph.astype(np.uint16) * 257


def to_float(image):
    """[0, 1] by NumPy."""
    return image.astype(np.float32) / 255


def stretched(image):
    """Percentiles by NumPy, then a table."""
    low, high = np.percentile(image, (2, 98))
    table = np.clip(np.rint((np.arange(256) - low) * 255 / (high - low)), 0, 255)
    return cv2.LUT(image, table.astype(np.uint8))


def of_luma(change):
    """A change of the luma alone, as every tutorial writes it."""

    def call(image):
        luma, *chroma = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb))
        return cv2.cvtColor(cv2.merge([change(luma), *chroma]), cv2.COLOR_YCrCb2RGB)

    return call


CLAHE_OBJECT = cv2.createCLAHE(2.0, (8, 8))

PEERS = [
    Peer(
        ToUint8(),
        lambda image: cv2.convertScaleAbs(image, alpha=1 / 257),
        "cv2.convertScaleAbs",
        "rgb",
        prepare=deep_of,
        note="of 16 bits; of a float image the range is checked as well, which takes as long again",
    ),
    Peer(ToFloat(), to_float, "astype(np.float32) / 255", "rgb", 1e-7),
    Peer(
        Normalize(),
        lambda image: cv2.normalize(image, None, 0, 255, cv2.NORM_MINMAX, cv2.CV_8U),
        "cv2.normalize",
        "map",
        1,
        prepare=map_of,
    ),
    Peer(ContrastStretching(), stretched, "np.percentile, cv2.LUT", "rgb", 1),
    Peer(GammaCorrection(0.5), lambda image: cv2.LUT(image, GAMMA), "cv2.LUT", "rgb"),
    Peer(
        BrightnessContrast(20, 1.25),
        lambda image: cv2.convertScaleAbs(image, alpha=1.25, beta=20),
        "cv2.convertScaleAbs",
        "rgb",
        note="which folds levels below 0 back up; here there are none",
    ),
    Peer(Negative(), cv2.bitwise_not, "cv2.bitwise_not", "rgb"),
    Peer(HistogramEqualization(), cv2.equalizeHist, "cv2.equalizeHist", "gray"),
    Peer(
        HistogramEqualization(),
        of_luma(cv2.equalizeHist),
        "cv2.cvtColor, cv2.equalizeHist, cv2.cvtColor",
        "rgb",
    ),
    Peer(CLAHE(), CLAHE_OBJECT.apply, "cv2.CLAHE.apply", "gray"),
    Peer(CLAHE(), of_luma(CLAHE_OBJECT.apply), "cv2.cvtColor, cv2.CLAHE, cv2.cvtColor", "rgb"),
    Peer(
        HistogramMatching(REFERENCE),
        lambda image: exposure.match_histograms(image, REFERENCE, channel_axis=-1),
        "skimage.exposure.match_histograms",
        "rgb",
        1,
        note="which cuts the fractions off; here they are rounded",
    ),
]
