"""QR codes and bar codes, found and read."""

import numpy as np

from vision.checks import check_bool, check_number
from vision.detections import Detections
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step

_SMALLEST = 10  # pixels a side: OpenCV fails on smaller images, and no code fits there


class _FindCodes(Step):
    """Codes that a detector of OpenCV finds and reads."""

    takes = (Kind.GRAY, Kind.RGB)
    gives = Kind.DETECTIONS

    def __init__(self, only_decoded=True):
        self.only_decoded = only_decoded

    def check_params(self):
        """See `Step.check_params`."""
        check_bool("only_decoded", self.only_decoded, owner=self)

    def apply(self, image):
        """See `Step.apply`."""
        if min(image.shape[:2]) < _SMALLEST:
            return Detections([], labels=[], shape=image.shape[:2])
        gray = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        texts, corners = self._read(gray)
        corners = np.reshape([] if corners is None else corners, (-1, 4, 2))
        boxes = np.hstack([corners.min(axis=1), corners.max(axis=1)])
        boxes = boxes.clip(0, [*image.shape[1::-1]] * 2)
        kept = np.array([bool(text) or not self.only_decoded for text in texts], bool)
        labels = [text for text, stays in zip(texts, kept, strict=True) if stays]
        return Detections(boxes[kept], labels=labels, shape=image.shape[:2])


class FindQRCodes(_FindCodes):
    """QR codes, with their text as label.

    Parameters
    ----------
    only_decoded : bool, default=True
        Whether codes that are seen but cannot be read are left out; else their label is empty.

    A code needs a quiet zone, white around it, and about three pixels a module. What is no UTF-8
    is read as Latin-1.

    Takes a gray or rgb image, uint8. Gives detections without scores: the upright box around each
    code, and its text.

    Raises
    ------
    ParameterError
        If `only_decoded` is not True or False.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    ISO/IEC 18004:2015, "QR Code bar code symbology specification"; ``cv2.QRCodeDetector``.

    Examples
    --------
    >>> code = cv2.QRCodeEncoder_create().encode("good morning")
    >>> code = cv2.resize(code, None, fx=5, fy=5, interpolation=cv2.INTER_NEAREST)
    >>> image = np.pad(code, 40, constant_values=255)
    >>> FindQRCodes()(image).labels.tolist()
    ['good morning']
    """

    def _read(self, gray):
        detector = cv2.QRCodeDetector()
        if not hasattr(detector, "detectAndDecodeBytesMulti"):  # before OpenCV 4.11
            _, texts, corners, _ = detector.detectAndDecodeMulti(gray)
            return texts, corners
        _, texts, corners, _ = detector.detectAndDecodeBytesMulti(gray)
        return [_as_text(text) for text in texts], corners


class FindBarcodes(_FindCodes):
    """Bar codes of goods (EAN-13, EAN-8, UPC-A, UPC-E), with their digits as label.

    Parameters
    ----------
    sigma : float, default=0.8
        Standard deviation of a Gaussian in pixels by which the image is smoothed first, at least
        0: without, OpenCV misses codes with sharp edges (of 72 that were drawn on a photograph it
        read 27, with it 65).
    only_decoded : bool, default=True
        Whether codes that are seen but cannot be read are left out; else their label is empty.

    A code is seen at any angle and needs about two pixels a module; digits that their check digit
    disproves are not given. An EAN-13 that begins with 0 is a UPC-A, of twelve digits.

    Takes a gray or rgb image, uint8. Gives detections without scores: the upright box around each
    code, and its digits as text.

    Raises
    ------
    ParameterError
        If `sigma` is negative, or `only_decoded` not True or False.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    ISO/IEC 15420:2009, "EAN/UPC bar code symbology specification"; ``cv2.barcode.BarcodeDetector``.

    Examples
    --------
    >>> FindBarcodes()(np.full((60, 80), 255, np.uint8))
    Detections(0 in 80 x 60 pixels)
    """

    def __init__(self, sigma=0.8, only_decoded=True):
        super().__init__(only_decoded)
        self.sigma = sigma

    def check_params(self):
        """See `Step.check_params`."""
        super().check_params()
        check_number("sigma", self.sigma, owner=self, at_least=0)

    def _read(self, gray):
        if self.sigma:
            gray = cv2.GaussianBlur(gray, (0, 0), self.sigma)
        _, texts, _, corners = cv2.barcode.BarcodeDetector().detectAndDecodeWithType(gray)
        return texts, corners


def _as_text(data):
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
