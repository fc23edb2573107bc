"""Pictures for people: any stage of a pipeline as RGB, thumbnails, contact sheets.

Drawing a result takes the image and gives a new one, see each result's ``draw``.
"""

import math

import numpy as np

from vision.canvas import INK, blank, check_drawable, draw_text, rgb_canvas, shortened, text_mask
from vision.checks import check_integer
from vision.errors import ImageError
from vision.opencv import cv2
from vision.palette import diverging_table, label_colors

__all__ = [
    "contact_sheet",
    "display_normalization",
    "label_colors",
    "thumbnail",
    "to_display",
]

_COLOR_SPACES = {
    ("hsv", "uint8"): cv2.COLOR_HSV2RGB,
    ("hls", "uint8"): cv2.COLOR_HLS2RGB,
    ("ycrcb", "uint8"): cv2.COLOR_YCrCb2RGB,
    ("lab", "uint8"): cv2.COLOR_Lab2RGB,
    ("lab", "float32"): cv2.COLOR_Lab2RGB,
}
_PAPER, _FRAME, _GAP = 250, (190, 190, 190), 12


def display_normalization(array):
    """How `to_display` turns an array into grey levels or colours, by name.

    Parameters
    ----------
    array : ndarray
        A stage: an image, mask, map or label map.

    Returns
    -------
    name : str
        "none" for uint8: shown as it is. "unit" for floats in [0, 1]: times 255.
        "minimum to maximum" for uint16 and other floats: its lowest value black, its highest
        white. "around zero" for maps with negative values: 0 near-white, negative blue, positive
        red, darkest for the largest of 995 in 1,000 sizes and beyond. "labels" for int32: a
        colour each, 0 black.

    Raises
    ------
    ImageError
        If it is no such array, has no pixels or holds NaN or infinity.

    Examples
    --------
    >>> display_normalization(np.array([[-1.0, 3.0]], np.float32))
    'around zero'
    """
    _check_shown(array)
    if array.dtype in (np.uint8, np.bool_):
        return "none"
    if np.issubdtype(array.dtype, np.signedinteger):
        return "labels"
    if array.dtype.kind == "u":
        return "minimum to maximum"
    low, high = float(array.min()), float(array.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ImageError(f"to_display shows finite values. Got values from {low} to {high}.")
    if low >= 0 and high <= 1:
        return "unit"
    return "around zero" if low < 0 and array.ndim == 2 else "minimum to maximum"


def _check_shown(array):
    known = isinstance(array, np.ndarray) and array.dtype.kind in "buif"
    pixels = known and (array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3))
    if pixels and array.size and not (array.ndim == 3 and array.dtype.kind == "i"):
        return
    came = f"a value of type {type(array).__name__}"
    if isinstance(array, np.ndarray):
        came = f"an array of shape {array.shape} and dtype {array.dtype}"
    raise ImageError(
        "to_display shows an image, mask, map or label map with at least one pixel: (H, W) or "
        f"(H, W, 3), label maps (H, W). Got {came}."
    )


def to_display(array, kind=None):
    """Any stage of a pipeline as an RGB picture to look at, never to compute with.

    Parameters
    ----------
    array : ndarray of shape (H, W) or (H, W, 3)
        An image, mask, map or label map: uint8, uint16, float32, int32.
    kind : {"hsv", "lab"} or Kind, optional
        The colour space of three channels, RGB unless given: HSV in OpenCV's ranges, or Lab
        (float32 in true units, uint8 in OpenCV's). Other kinds change nothing.

    Returns
    -------
    picture : ndarray of shape (H, W, 3), uint8
        A new array; `display_normalization` says by name how the values became levels.

    Raises
    ------
    ImageError
        If it is no such array, has no pixels, holds NaN or infinity, or has a dtype that its
        colour space lacks.

    Examples
    --------
    >>> to_display(np.array([[0.0, 1.0]], np.float32))[0, :, 0].tolist()
    [0, 255]
    >>> to_display(np.array([[-2.0, 0.0, 2.0]], np.float32))[0].tolist()
    [[5, 48, 97], [247, 247, 247], [103, 0, 31]]
    """
    if kind == "cmyk" and getattr(array, "shape", ())[2:] == (4,):
        array = _from_inks(array)
    _check_shown(array)
    array = np.ascontiguousarray(array)
    if kind in ("hsv", "hls", "ycrcb", "lab") and array.ndim == 3:
        return _from_color_space(array, kind)
    levels = _LEVELS[display_normalization(array)](array)
    return rgb_canvas(levels, owner="to_display")


def _from_inks(array):
    """RGB of four inks, as paper shows them: each colour by its ink's lack and that of black."""
    lack = 255 - array.astype(np.uint16)
    return ((lack[..., :3] * lack[..., 3:] + 127) // 255).astype(np.uint8)


def _from_color_space(array, kind):
    display_normalization(array)
    code = _COLOR_SPACES.get((kind, array.dtype.name))
    if code is None:
        raise ImageError(f"to_display shows no {kind} image of dtype {array.dtype}.")
    rgb = cv2.cvtColor(array, code)
    return rgb if rgb.dtype == np.uint8 else _unit(rgb.clip(0, 1))


def _as_it_is(array):
    return array.astype(np.uint8) * np.uint8(255) if array.dtype == np.bool_ else array


def _unit(array):
    return cv2.convertScaleAbs(array.astype(np.float32), alpha=255)


def _stretched(array):
    low, high = float(array.min()), float(array.max())
    scale = 255 / (high - low) if high > low else 0.0
    # Subtract first: a small contrast on a large offset would be lost in float32.
    return cv2.convertScaleAbs(np.subtract(array, low, dtype=np.float64), alpha=scale)


def _around_zero(array):
    step = max(1, round(math.sqrt(array.size / 1e6)))  # a million values tell as well as all
    sizes = np.abs(array[::step, ::step])
    reach = float(np.percentile(sizes, 99.5, method="higher")) or float(np.abs(array).max())
    # 0 falls on the table's middle entry exactly.
    index = (128 + np.multiply(array, 127.0 / reach, dtype=np.float64)).round().clip(1, 255)
    return cv2.applyColorMap(index.astype(np.uint8), diverging_table())


def _labels(array):
    table = label_colors(256)
    index = array % 256
    picture = cv2.applyColorMap(index.astype(np.uint8), table.reshape(256, 1, 3))
    picture[array == 0] = 0
    return picture


_LEVELS = {
    "none": _as_it_is,
    "unit": _unit,
    "minimum to maximum": _stretched,
    "around zero": _around_zero,
    "labels": _labels,
}


def thumbnail(image, longest=240):
    """A picture reduced until its longer side has at most `longest` pixels; never enlarged.

    Pixels are averaged. In a picture of black and white alone (a mask) the rarer of the two is
    widened first, so that lines one pixel thin do not vanish.

    Parameters
    ----------
    image : ndarray of shape (H, W) or (H, W, 3), uint8
    longest : int, default=240

    Returns
    -------
    picture : ndarray, uint8
        A new array with the channels of `image`.

    Raises
    ------
    ImageError
        If it is no grey or RGB uint8 image.
    ParameterError
        If `longest` is not a whole number of at least 1.

    Examples
    --------
    >>> thumbnail(np.zeros((300, 400, 3), np.uint8), 100).shape
    (75, 100, 3)
    """
    check_integer("longest", longest, owner="thumbnail", at_least=1)
    check_drawable(image, "thumbnail")
    height, width = image.shape[:2]
    factor = max(height, width) / longest
    if factor <= 1:
        return image.copy()
    size = max(1, round(width / factor)), max(1, round(height / factor))
    return cv2.resize(_lines_kept(image, factor), size, interpolation=cv2.INTER_AREA)


def _lines_kept(image, factor):
    image = np.ascontiguousarray(image)
    rows = image.reshape(image.shape[0], -1)
    if factor < 2 or cv2.countNonZero(cv2.inRange(rows, 1, 254)):
        return image
    widen = cv2.dilate if 2 * cv2.countNonZero(rows) < rows.size else cv2.erode
    return widen(image, np.ones((int(factor), int(factor)), np.uint8))


def contact_sheet(pictures, columns=None, width=1200):
    """Titled pictures side by side, in rows.

    Each picture is fitted to its column: larger ones are reduced, small ones enlarged by whole
    factors, so that their pixels are seen.

    Parameters
    ----------
    pictures : list of (str, ndarray)
        Titles with grey or RGB uint8 images, of any size.
    columns : int, optional
        Pictures in a row; without it about as many columns as rows, at most 6.
    width : int, default=1200
        Of the sheet, in pixels.

    Returns
    -------
    sheet : ndarray of shape (H, width, 3), uint8

    Raises
    ------
    ImageError
        If there is no picture, or one is no grey or RGB uint8 image.
    ParameterError
        If `columns` is below 1, or `width` leaves a column fewer than 16 pixels.

    Examples
    --------
    >>> contact_sheet([("one", np.zeros((30, 40), np.uint8))], width=200).shape[1]
    200
    """
    pictures = list(pictures)
    if not pictures:
        raise ImageError("contact_sheet needs at least one picture. Got an empty list.")
    if columns is None:
        columns = min(6, math.ceil(math.sqrt(len(pictures))))
    check_integer("columns", columns, owner="contact_sheet", at_least=1)
    smallest = columns * 16 + (columns + 1) * _GAP
    check_integer("width", width, owner="contact_sheet", at_least=smallest)
    cell = (width - _GAP) // columns - _GAP
    rows = [
        _row(pictures[start : start + columns], cell, width)
        for start in range(0, len(pictures), columns)
    ]
    return np.vstack([blank((_GAP, width), _PAPER), *rows])


def _row(pictures, cell, width):
    fitted = [(str(title), _fitted(image, cell)) for title, image in pictures]
    size = min(26, max(11, cell // 22))
    head = text_mask("", size).shape[0]
    row = blank((head + max(image.shape[0] for _, image in fitted) + 2 + _GAP, width), _PAPER)
    for position, (title, image) in enumerate(fitted):
        x = _GAP + position * (cell + _GAP)
        draw_text(row, shortened(title, size, cell), x, 0, size, color=INK)
        height, wide = image.shape[:2]
        # A frame, so that the edge of a white picture is seen on the sheet.
        row[head : head + height + 2, x : x + wide + 2] = _FRAME
        row[head + 1 : head + 1 + height, x + 1 : x + 1 + wide] = image
    return row


def _fitted(image, cell):
    check_drawable(image, "contact_sheet")
    inside = cell - 2
    factor = inside // max(image.shape[:2])
    if factor >= 2:
        return rgb_canvas(image.repeat(factor, axis=0).repeat(factor, axis=1))
    return rgb_canvas(thumbnail(image, inside))
