"""Pictures of the gallery that are put together: codes on a photograph, sheets of digits, crops."""

import numpy as np
from skimage import data
from sklearn.datasets import load_digits, load_sample_images

from vision import Detections
from vision.opencv import cv2

# The left odd patterns of the digits of an EAN, as GS1's General Specifications list them.
ODD = [f"{code:07b}" for code in (13, 25, 19, 61, 35, 49, 47, 59, 55, 11)]
RIGHT = ["".join("10"[int(bit)] for bit in code) for code in ODD]
EVEN = [code[::-1] for code in RIGHT]
# Which of the six left digits are even, by the first digit.
PARITY = [f"{code:06b}" for code in (0, 11, 13, 14, 19, 25, 28, 21, 22, 26)]


def qr_code(words, module=5):
    """The QR code of a text, 0 and 255, with its quiet zone."""
    return np.kron(cv2.QRCodeEncoder_create().encode(words), np.ones((module, module), np.uint8))


def ean_code(digits, module=2, height=80):
    """The bar code of thirteen digits, 0 and 255."""
    left = zip(PARITY[int(digits[0])], digits[1:7])
    left = "".join((ODD, EVEN)[int(even)][int(digit)] for even, digit in left)
    right = "".join(RIGHT[int(digit)] for digit in digits[7:])
    bars = np.array([255 * (bit == "0") for bit in f"101{left}01010{right}101"], np.uint8)
    return np.tile(bars.repeat(module), (height, 1))


def noted(image, code, left, top, margin=16):
    """A photograph with a white note on it that holds a code."""
    note = np.pad(code, margin, constant_values=255)
    image = image.copy()
    image[top : top + len(note), left : left + note.shape[1]] = note[..., None]
    return image


def herd(horse, coins):
    """A mask of three horses, each of another size and turn, among coins."""
    image = np.zeros((340, 420), np.uint8)
    image[:170, 220:400], image[210:310, 20:130] = coins[130:300, 10:190], coins[100:200, 235:345]
    for scale, angle, x, y in ((0.5, 0, 110, 90), (0.35, 130, 320, 255), (0.25, -60, 190, 230)):
        turn = cv2.getRotationMatrix2D((200, 164), angle, scale)
        turn[:, 2] += x - 200, y - 164
        image |= cv2.warpAffine(horse, turn, image.shape[::-1], flags=cv2.INTER_NEAREST)
    return image


def digit_sheet(first, rows=4, columns=8):
    """Digits of scikit-learn's `load_digits`, written on one sheet, and where each is.

    Returns
    -------
    image : ndarray of uint8
    truth : Detections
        Boxes around the ink, named by their digits.
    """
    digits, cell = load_digits(), 56
    image = np.full((rows * cell, columns * cell), 255, np.uint8)
    boxes, labels = [], []
    for place in range(rows * columns):
        small = digits.images[first + place].astype(np.float32)
        ink = (cv2.resize(small, (40, 40), interpolation=cv2.INTER_CUBIC) * 16).clip(0, 255)
        top, left = (np.array(divmod(place, columns)) * cell + 8).tolist()
        image[top : top + 40, left : left + 40] = 255 - ink
        down, right = np.nonzero(ink > 127)
        boxes.append(
            (left + right.min(), top + down.min(), left + right.max() + 1, top + down.max() + 1)
        )
        labels.append(int(digits.target[first + place]))
    return image, Detections(boxes, labels=labels)


def faces(part):
    """Half of the faces and other crops of photographs that scikit-image ships, 25 x 25."""
    crops = (data.lfw_subset() * 255).round().astype(np.uint8)
    chosen = np.arange(len(crops)) % 2 == (part == "second")
    labels = np.where(np.arange(len(crops)) < 100, "face", "other")
    return list(crops[chosen]), labels[chosen]


def digits(part):
    """Digits of scikit-learn's `load_digits`, 8 x 8: the first thousand or the rest."""
    found = load_digits()
    images = (found.images * 15.9).astype(np.uint8)
    rows = slice(1000) if part == "first" else slice(1000, None)
    return list(images[rows]), found.target[rows]


def textures(part):
    """Squares of three textures, every other one of a checkerboard, or the others."""
    photographs = {"brick": data.brick(), "grass": data.grass(), "gravel": data.gravel()}
    return _squares(photographs, part)


def scenes(part):
    """Squares of five colour photographs, every other one of a checkerboard, or the others."""
    china, flower = load_sample_images().images
    photographs = {"china": china, "flower": flower, "coffee": data.coffee()}
    photographs |= {"cat": data.chelsea(), "tissue": data.immunohistochemistry()}
    return _squares(photographs, part)


def _squares(photographs, part, side=64):
    images, labels = [], []
    for name, whole in photographs.items():
        rows, columns = whole.shape[0] // side, whole.shape[1] // side
        for row, column in np.ndindex(rows, columns):
            if (row + column) % 2 == (part == "second"):
                top, left = row * side, column * side
                images.append(whole[top : top + side, left : left + side].copy())
                labels.append(name)
    return images, np.array(labels)


def few(part, count=16):
    """Some of many pictures with their labels, evenly spread."""
    images, labels = part
    chosen = np.linspace(0, len(images) - 1, count).round().astype(int)
    return [images[index] for index in chosen], labels[chosen]
