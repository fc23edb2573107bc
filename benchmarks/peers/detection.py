"""Peers of the detectors: boxes, templates, faces and codes."""

import cv2
import numpy as np
from skimage import data
from skimage.feature import Cascade
from threadpoolctl import threadpool_limits

from benchmarks.peers import Peer
from classical import (
    FindBarcodes,
    FindContours,
    FindFaces,
    FindQRCodes,
    HOGDetector,
    MatchTemplate,
    ToDetections,
)
from vision import Detections

TEMPLATE = data.coffee()[110:140, 220:260].copy()
CASCADE = Cascade(data.lbp_frontal_face_cascade_filename())
TEXT, DIGITS = "good morning", "4006381333931"
# Of EAN-13, in bits: the modules of each digit, and which of two forms the left ones have.
ODD = [13, 25, 19, 61, 35, 49, 47, 59, 55, 11]
FORMS = [0, 11, 13, 14, 19, 25, 28, 21, 22, 26]


def mask_of(photograph):
    """The bright parts of the photograph."""
    gray = cv2.cvtColor(photograph, cv2.COLOR_RGB2GRAY)
    return cv2.threshold(gray, 0, 255, cv2.THRESH_OTSU)[1]


def contours_of(photograph):
    """Those of the bright parts."""
    return FindContours()(mask_of(photograph))


def bounding_boxes(contours):
    """One by one."""
    boxes = np.array([cv2.boundingRect(one) for one in contours.points], float).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return boxes


def apart(found, boxes):
    """The largest difference of two sets of boxes, whatever their order; else infinity."""
    ours, theirs = (np.asarray(one, float).reshape(-1, 4) for one in (found.boxes, boxes))
    if ours.shape != theirs.shape:
        return float("inf")
    ordered = [one[np.lexsort(one.T)] for one in (ours, theirs)]
    return float(np.abs(np.subtract(*ordered)).max(initial=0))


def template_places(image):
    """Where the template's score is the highest around and at least 0.99."""
    scores = cv2.matchTemplate(image, TEMPLATE, cv2.TM_CCOEFF_NORMED)
    highest = scores == cv2.dilate(scores, np.ones((3, 3), np.uint8))
    y, x = np.nonzero(highest & (scores >= 0.99))
    corners = np.column_stack([x, y]).astype(float)
    return np.hstack([corners, corners + TEMPLATE.shape[1::-1]])


def cup_of(photograph):
    """The photograph that the template is from, in one corner of a large one."""
    image, cup = photograph.copy(), data.coffee()
    image[: cup.shape[0], : cup.shape[1]] = cup[: image.shape[0], : image.shape[1]]
    return image


def portrait_of(photograph):
    """A shipped portrait in the size of the photograph."""
    return cv2.resize(data.astronaut(), photograph.shape[1::-1])


def faces(image):
    """With the step's sizes."""
    largest = min(image.shape[:2])
    with threadpool_limits(1):
        found = CASCADE.detect_multi_scale(image, 1.2, 1, (60, 60), (largest, largest))
    rows = [[one[name] for name in ("c", "r", "width", "height")] for one in found]
    boxes = np.reshape(rows, (-1, 4))
    return np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])


def on_white(photograph, code, scale):
    """A code with a white border on a gray photograph, `scale` pixels a module."""
    image = cv2.cvtColor(photograph, cv2.COLOR_RGB2GRAY)
    code = cv2.resize(code, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
    code = np.pad(code, 10 * scale, constant_values=255)
    image[: code.shape[0], : code.shape[1]] = code
    return image


def qr_code(photograph):
    return on_white(photograph, cv2.QRCodeEncoder_create().encode(TEXT), 6)


def bar_code(photograph):
    """An EAN-13 with bars of four pixels a module."""
    first, *digits = map(int, DIGITS)
    modules = [f"{ODD[digit]:07b}" for digit in digits]
    mirrored = [inverted(module)[::-1] for module in modules]
    forms = f"{FORMS[first]:06b}"
    left = [mirrored[place] if int(form) else modules[place] for place, form in enumerate(forms)]
    right = [inverted(module) for module in modules[6:]]
    bars = "".join(["101", *left, "01010", *right, "101"])
    levels = [255 * (bar == "0") for bar in bars]
    return on_white(photograph, np.tile(np.array(levels, np.uint8), (40, 1)), 4)


def inverted(modules):
    return modules.translate(str.maketrans("01", "10"))


def upright(corners):
    """The boxes around quadrilaterals."""
    corners = np.reshape([] if corners is None else corners, (-1, 4, 2))
    return np.hstack([corners.min(axis=1), corners.max(axis=1)])


def read_qr(image):
    """The boxes of what is read."""
    _, texts, corners, _ = cv2.QRCodeDetector().detectAndDecodeMulti(image)
    assert TEXT in texts
    return upright(corners)


def read_bars(image):
    """Smoothed as the step does."""
    detector = cv2.barcode.BarcodeDetector()
    _, texts, _, corners = detector.detectAndDecodeWithType(cv2.GaussianBlur(image, (0, 0), 0.8))
    assert DIGITS in texts
    return upright(corners)


def learn_coins(detector):
    """Three shipped coins."""
    truth = Detections([[36, 36, 84, 86], [101, 34, 151, 84], [166, 32, 208, 78]])
    detector.fit([data.coins()[:100, :220]], [truth])


PEERS = [
    Peer(
        ToDetections(),
        bounding_boxes,
        "cv2.boundingRect of each",
        "contours",
        prepare=contours_of,
        compare=apart,
    ),
    Peer(
        MatchTemplate(TEMPLATE, 0.99),
        template_places,
        "cv2.matchTemplate, cv2.dilate",
        "rgb",
        prepare=cup_of,
        compare=apart,
        note="one place, so that nothing overlaps",
    ),
    Peer(
        FindFaces(),
        faces,
        "skimage.feature.Cascade",
        "rgb",
        prepare=portrait_of,
        compare=apart,
    ),
    Peer(FindQRCodes(), read_qr, "cv2.QRCodeDetector", "gray", prepare=qr_code, compare=apart),
    Peer(
        FindBarcodes(),
        read_bars,
        "cv2.GaussianBlur, cv2.barcode.BarcodeDetector",
        "gray",
        prepare=bar_code,
        compare=apart,
    ),
    Peer(
        HOGDetector(width=48, height=48),
        None,
        "none",
        "gray",
        learn=learn_coins,
        note="cv2.HOGDescriptor has other histograms, and no training",
    ),
]
