"""Peers of the colour steps."""

import numpy as np
from skimage import color

from benchmarks.peers import Peer
from classical import (
    Channel,
    CMYKToRGB,
    ColorDistance,
    Gray,
    HLSToRGB,
    HSVToRGB,
    LabToRGB,
    ToCMYK,
    ToHLS,
    ToHSV,
    ToLab,
    ToRGB,
    ToYCrCb,
    WhiteBalance,
    YCrCbToRGB,
)
from vision.opencv import cv2

RED = (160, 60, 40)


def converted(code):
    """One call of cv2.cvtColor."""
    return lambda image: cv2.cvtColor(image, code)


def lab_of(image):
    """True Lab, as cv2 gives it for floats."""
    return cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)


def rgb_of(lab):
    """8 bits of true Lab."""
    return np.rint(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB) * 255).astype(np.uint8)


def hls_of(image):
    """cv2's HLS, its hue of 180 made 0."""
    hls = cv2.cvtColor(image, cv2.COLOR_RGB2HLS)
    hue = hls[..., 0]
    np.copyto(hue, 0, where=hue == 180)
    return hls


RED_LAB = lab_of(np.array([[RED]], np.uint8))[0, 0].astype(float)


def ciede2000(image):
    """scikit-image's formula on cv2's Lab."""
    return color.deltaE_ciede2000(lab_of(image), np.broadcast_to(RED_LAB, image.shape))


def cie76(image):
    """scikit-image's distance on cv2's Lab."""
    return color.deltaE_cie76(lab_of(image), RED_LAB)


def gray_world(image):
    """The textbook's two calls."""
    mean = np.array(cv2.mean(image)[:3])
    return cv2.transform(image, np.diag(mean.mean() / mean))


def white_patch(image):
    """Percentiles by NumPy, gains by cv2."""
    white = np.percentile(image, 99, axis=(0, 1))
    return cv2.transform(image, np.diag(255 / white))


PEERS = [
    Peer(Gray(), converted(cv2.COLOR_RGB2GRAY), "cv2.cvtColor", "rgb"),
    Peer(ToRGB(), converted(cv2.COLOR_GRAY2RGB), "cv2.cvtColor", "gray"),
    Peer(ToHSV(), converted(cv2.COLOR_RGB2HSV), "cv2.cvtColor", "rgb"),
    Peer(HSVToRGB(), converted(cv2.COLOR_HSV2RGB), "cv2.cvtColor", "hsv"),
    Peer(
        ToHLS(),
        hls_of,
        "cv2.cvtColor, hue 180 made 0",
        "rgb",
        note="cv2 alone gives hues of 180, which is 0 again",
    ),
    Peer(
        HLSToRGB(),
        converted(cv2.COLOR_HLS2RGB),
        "cv2.cvtColor",
        "hls",
        prepare=hls_of,
    ),
    Peer(ToLab(), lab_of, "cv2.cvtColor of image / 255", "rgb", 1e-3),
    Peer(
        LabToRGB(),
        rgb_of,
        "cv2.cvtColor, rounded to 8 bits",
        "lab",
        prepare=lab_of,
    ),
    Peer(ToYCrCb(), converted(cv2.COLOR_RGB2YCrCb), "cv2.cvtColor", "rgb"),
    Peer(
        YCrCbToRGB(),
        converted(cv2.COLOR_YCrCb2RGB),
        "cv2.cvtColor",
        "ycrcb",
        prepare=converted(cv2.COLOR_RGB2YCrCb),
    ),
    Peer(ToCMYK(), None, "none", "rgb", note="Pillow's CMYK has no black, cv2 has none"),
    Peer(
        CMYKToRGB(),
        None,
        "none",
        "cmyk",
        prepare=ToCMYK().apply,
        note="Pillow only by its own image",
    ),
    Peer(
        Channel("rgb", "g"), lambda image: cv2.extractChannel(image, 1), "cv2.extractChannel", "rgb"
    ),
    Peer(WhiteBalance(), None, "none", "rgb", note="cv2.xphoto is not in the plain package"),
    Peer(WhiteBalance("gray_world"), gray_world, "cv2.mean, cv2.transform", "rgb"),
    Peer(WhiteBalance("white_patch"), white_patch, "np.percentile, cv2.transform", "rgb", 1),
    Peer(ColorDistance(RED), ciede2000, "skimage.color.deltaE_ciede2000 of cv2's Lab", "rgb", 0.01),
    Peer(
        ColorDistance(RED, method="cie76"),
        cie76,
        "skimage.color.deltaE_cie76 of cv2's Lab",
        "rgb",
        1e-3,
    ),
]
