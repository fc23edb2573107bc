"""QR codes by OpenCV's encoder, and codes drawn as the standards publish them."""

import cv2
import numpy as np
import pytest
from scipy import ndimage
from skimage import data

from classical.codes import FindBarcodes, FindQRCodes, _as_text
from vision.errors import KindError, ParameterError

# The left odd patterns of EAN, as GS1's General Specifications list them; 1 is black.
ODD = [f"{code:07b}" for code in (13, 25, 19, 61, 35, 49, 47, 59, 55, 11)]
RIGHT = ["".join("10"[int(bit)] for bit in code) for code in ODD]
EVEN = [code[::-1] for code in RIGHT]
PARITY = (
    "OOOOOO",
    "OOEOEE",
    "OOEEOE",
    "OOEEEO",
    "OEOOEE",
    "OEEOOE",
    "OEEEOO",
    "OEOEOE",
    "OEOEEO",
    "OEEOEO",
)


def ean13(digits):
    """The 95 modules of thirteen digits."""
    first, left, right = int(digits[0]), digits[1:7], digits[7:]
    sets = {"O": ODD, "E": EVEN}
    bars = "".join(sets[kind][int(digit)] for kind, digit in zip(PARITY[first], left))
    return "101" + bars + "01010" + "".join(RIGHT[int(digit)] for digit in right) + "101"


def drawn(bars, module=3, height=90):
    row = np.repeat([0 if bar == "1" else 255 for bar in bars], module).astype(np.uint8)
    return np.tile(row, (height, 1))


def qr(text, module=5):
    code = cv2.QRCodeEncoder_create().encode(text)
    return code.repeat(module, axis=0).repeat(module, axis=1)


# ISO/IEC 18004: the codewords of "01234567", version 1-M, from annex I, and the format bits of
# level M and mask 010 from annex C.
CODEWORDS = "10200C566180EC11EC11EC11EC11EC11" + "A524D4C1ED36C7872C55"
FORMAT = [int(bit) for bit in "101111001111100"]


def published_qr(module=5):
    """The standard's example under that mask, its modules where the figures place them."""
    code = np.full((21, 21), -1)
    rings = np.maximum(*np.abs(np.indices((8, 8)) - 3))
    finder = (rings != 2) & (rings < 4)
    code[:8, :8], code[:8, -8:], code[-8:, :8] = finder, finder[:, ::-1], finder[::-1]
    code[6, 8:13] = code[8:13, 6] = 1, 0, 1, 0, 1
    code[8, [0, 1, 2, 3, 4, 5, 7, 8]], code[[7, 5, 4, 3, 2, 1, 0], 8] = FORMAT[:8], FORMAT[8:]
    code[20:13:-1, 8], code[8, 13:], code[13, 8] = FORMAT[:7], FORMAT[7:], 1
    bits = iter(f"{int(CODEWORDS, 16):0208b}")
    for turn, right in enumerate((20, 18, 16, 14, 12, 10, 8, 5, 3, 1)):
        for row in range(21) if turn % 2 else range(20, -1, -1):
            for column in (right, right - 1):
                if code[row, column] < 0:
                    code[row, column] = int(next(bits)) ^ (column % 3 == 0)
    return np.where(code > 0, 0, 255).astype(np.uint8).repeat(module, 0).repeat(module, 1)


def on_coffee(*pieces):
    """A photograph with white notes that hold codes, and where their corners are."""
    image = data.coffee().copy()
    boxes = []
    for (left, top), code in pieces:
        note = np.pad(code, 20, constant_values=255)
        image[top : top + note.shape[0], left : left + note.shape[1]] = note[..., None]
        boxes.append((left + 20, top + 20, left + note.shape[1] - 20, top + note.shape[0] - 20))
    return image, np.array(boxes)


def test_two_qr_codes_on_a_photograph_are_read_where_they_are():
    texts = ["https://example.org/part/17", "grüße"]
    image, boxes = on_coffee(((30, 40), qr(texts[0])), ((330, 150), qr(texts[1])))
    found = FindQRCodes()(image)
    order = np.argsort(found.boxes[:, 0])
    assert found.labels[order].tolist() == texts
    # The encoder draws a quiet zone of two modules of its own.
    assert np.abs(found.boxes[order] - boxes).max() <= 2 * 5 + 3
    assert found.shape == image.shape[:2]
    assert FindQRCodes()(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)).labels.size == 2


def test_the_standards_example_is_read():
    image, boxes = on_coffee(((200, 100), published_qr()))
    found = FindQRCodes()(image)
    assert found.labels.tolist() == ["01234567"]
    assert np.abs(found.boxes - boxes).max() <= 1


# As light as each other when red and blue are swapped; 123 and 29 as gray when they are not.
ORANGE, BLUE = (255, 80, 0), (0, 0, 255)


def in_colours(code):
    note = np.pad(code, 60, constant_values=255)
    return np.where(note[..., None] > 0, ORANGE, BLUE).astype(np.uint8)


def test_codes_in_colours_are_read_by_their_lightness():
    assert FindQRCodes()(in_colours(qr("blue on orange"))).labels.tolist() == ["blue on orange"]
    bars = in_colours(drawn(ean13("4006381333931"), height=120))
    assert FindBarcodes()(bars).labels.tolist() == ["4006381333931"]


def test_a_turned_qr_code_is_read():
    image, _ = on_coffee(((200, 100), qr("turned", 6)))
    turn = cv2.getRotationMatrix2D((300, 200), 25, 1)
    turned = cv2.warpAffine(image, turn, image.shape[1::-1], flags=cv2.INTER_CUBIC)
    assert FindQRCodes()(turned).labels.tolist() == ["turned"]


def test_of_a_damaged_qr_code_the_place_alone_is_known():
    code = qr("a text of some length, to be damaged beyond repair", 6)
    middle = slice(60, -60)
    code[middle, middle] = np.random.default_rng(0).choice([0, 255], code[middle, middle].shape)
    image, _ = on_coffee(((200, 60), code))
    assert len(FindQRCodes()(image)) == 0
    found = FindQRCodes(only_decoded=False)(image)
    assert "" in found.labels.tolist()


@pytest.mark.parametrize("digits", ["4006381333931", "5901234123457", "0036000291452"])
def test_published_bar_codes_are_read(digits):
    # 4006381333931 is the example of GS1 for check digits in many texts.
    image, boxes = on_coffee(((60, 60), drawn(ean13(digits))))
    found = FindBarcodes()(image)
    # 036000291452 is UPC's: thirteen digits that begin with 0 are given as twelve.
    assert found.labels.tolist() == [digits.removeprefix("0")]
    assert np.abs(found.boxes - boxes).max() <= 33
    left, top, right, bottom = found.boxes[0]
    assert right - left > 2 * (bottom - top)


def test_without_smoothing_sharp_codes_are_missed():
    image, _ = on_coffee(((60, 60), drawn(ean13("4006381333931"))))
    assert len(FindBarcodes(sigma=0)(image)) == 0
    with pytest.raises(ParameterError, match="'sigma' of FindBarcodes"):
        FindBarcodes(sigma=-1)(image)


def test_the_smoothing_is_scipys_of_the_same_deviation():
    image, _ = on_coffee(((60, 60), drawn(ean13("4006381333931"))))
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(float)
    smooth = np.rint(ndimage.gaussian_filter(gray, 0.8, mode="mirror")).astype(np.uint8)
    found = FindBarcodes()(image).boxes
    # A fifth more or less moves the box by five times as much.
    assert np.abs(found - FindBarcodes(sigma=0)(smooth).boxes).max() < 3e-4


def test_a_wrong_check_digit_is_not_read():
    image, _ = on_coffee(((60, 60), drawn(ean13("4006381333932"))))
    assert len(FindBarcodes()(image)) == 0


def test_a_turned_bar_code_is_read():
    image, _ = on_coffee(((60, 60), drawn(ean13("5901234123457"), 4)))
    turned = np.ascontiguousarray(np.rot90(image))
    found = FindBarcodes()(turned)
    assert found.labels.tolist() == ["5901234123457"]
    left, top, right, bottom = found.boxes[0]
    assert bottom - top > 2 * (right - left)


@pytest.mark.parametrize("step", [FindQRCodes(), FindBarcodes()], ids=repr)
def test_photographs_and_tiny_images_hold_no_code(step):
    for image in (data.chelsea(), data.coins(), np.zeros((9, 30), np.uint8)):
        found = step(image)
        assert len(found) == 0
        assert found.shape == image.shape[:2]


def test_what_is_no_utf8_is_latin_1():
    assert _as_text("grüße".encode()) == _as_text("grüße".encode("latin-1")) == "grüße"


@pytest.mark.parametrize("cls", [FindQRCodes, FindBarcodes])
def test_wrong_parameters_and_images_are_refused(cls):
    with pytest.raises(ParameterError, match=f"'only_decoded' of {cls.__name__}"):
        cls(only_decoded=1)(data.coins())
    with pytest.raises(KindError, match=f"{cls.__name__} takes a gray image"):
        cls()(data.coins().astype(np.uint16))
