"""What drawing needs: a checked RGB copy to draw on, strokes and text that fit its size."""

import functools
import importlib.util
import threading
from pathlib import Path

import numpy as np

from vision.checks import refuse
from vision.errors import ImageError
from vision.opencv import cv2

INK = (20, 20, 20)  # casing of strokes and text on light ground
PAPER = (255, 255, 255)
_PEN = threading.Lock()  # FreeType allows a font to one thread at a time
OUTLINE = (0, 229, 255)  # of shapes without a label: a cyan that few photographs hold


def rgb_canvas(image, shape=None, owner="draw", out=None):
    """An RGB picture of an image, to draw on.

    Parameters
    ----------
    image : ndarray of shape (H, W) or (H, W, 3), uint8
        Grey or RGB; left as it is.
    shape : tuple of int, optional
        The (height, width) that the image must have.
    owner : str
        Who draws, for the message.
    out : ndarray of shape (H, W, 3), uint8, optional
        Where it goes, instead of a new array; `image` itself if it may be drawn on.

    Returns
    -------
    canvas : ndarray of shape (H, W, 3), uint8

    Raises
    ------
    ParameterError
        If `out` is no writeable (H, W, 3) uint8 array of that size.
    ImageError
        If it is no grey or RGB uint8 image, or of another size than `shape`.

    Examples
    --------
    >>> rgb_canvas(np.array([[7]], np.uint8)).tolist()
    [[[7, 7, 7]]]
    """
    check_drawable(image, owner)
    if shape is not None and image.shape[:2] != tuple(shape):
        raise ImageError(
            f"{owner} refers to an image of {_size(shape)}. Got one of {_size(image.shape)}; "
            "bring the result to it first: result.mapped(matrix, image.shape[:2])."
        )
    if out is not None:
        _check_out(out, image, owner)
        if out is not image:
            out[:] = image[..., None] if image.ndim == 2 else image
        return out
    if image.ndim == 2:
        return cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_GRAY2RGB)
    return np.array(image, order="C")


def _check_out(out, image, owner):
    good = isinstance(out, np.ndarray) and out.dtype == np.uint8 and out.flags.writeable
    if not (good and out.shape == (*image.shape[:2], 3) and out.flags.c_contiguous):
        height, width = image.shape[:2]
        refuse("out", out, f"a writeable ({height}, {width}, 3) uint8 array in C order", owner)


def check_drawable(image, owner):
    """Refuse, with an `ImageError`, anything but a grey or RGB uint8 image with pixels."""
    needed = f"{owner} draws on a grey (H, W) or RGB (H, W, 3) uint8 image"
    if not isinstance(image, np.ndarray):
        raise ImageError(f"{needed}. Got a value of type {type(image).__name__}.")
    came = f"Got an array of shape {image.shape} and dtype {image.dtype}"
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3) or not image.size:
        hint = ""
        if image.ndim == 3 and image.shape[2] == 4:
            hint = " Drop the alpha channel: image[:, :, :3]."
        elif image.ndim == 3 and image.shape[2] == 1:
            hint = " Drop the axis: image[:, :, 0]."
        raise ImageError(f"{needed}. {came}.{hint}")
    if image.dtype != np.uint8:
        raise ImageError(f"{needed}. {came}; vision.drawing.to_display(image) makes one of it.")


def _size(shape):
    return f"{shape[1]} x {shape[0]} pixels"


def blank(shape, level=255):
    """An even grey RGB picture of (height, width).

    Examples
    --------
    >>> blank((1, 2), 9).tolist()
    [[[9, 9, 9], [9, 9, 9]]]
    """
    return np.full((*shape[:2], 3), level, np.uint8)


def line_thickness(shape):
    """The thickness for OpenCV of lines that are seen when the whole picture is looked at.

    It draws two pixels more than it is asked for, but for a thickness of 1.

    Examples
    --------
    >>> line_thickness((64, 64)), line_thickness((480, 640)), line_thickness((3000, 4000))
    (1, 2, 13)
    """
    return max(1, round(max(shape[:2]) / 300))


def font_size(shape):
    """The height of text, in pixels, that is read when the whole picture is looked at.

    Examples
    --------
    >>> font_size((64, 64)), font_size((480, 640)), font_size((3000, 4000))
    (11, 13, 80)
    """
    return max(11, round(max(shape[:2]) / 50))


def stroke(canvas, paint, color):
    """Paint lines in a colour, on a dark casing where there is room for one.

    Parameters
    ----------
    canvas : ndarray of shape (H, W, 3), uint8
        Painted in place.
    paint : callable
        ``paint(canvas, color, thickness)``.
    color : sequence of int
        RGB.
    """
    thickness = line_thickness(canvas.shape)
    if thickness > 1:
        paint(canvas, INK, thickness + 2 * max(1, thickness // 3))
    paint(canvas, tuple(int(level) for level in color), thickness)


def blend(image, colors, alpha, where):
    """A picture with colours laid over it, `where` alone.

    Parameters
    ----------
    image, colors : ndarray of shape (H, W, 3), uint8
    alpha : float
        The share of the colours, from 0 to 1.
    where : ndarray of shape (H, W), uint8
        A mask: 255 where the colours lie.

    Returns
    -------
    picture : ndarray of shape (H, W, 3), uint8

    Examples
    --------
    >>> blend(blank((1, 2), 0), blank((1, 2), 100), 0.5, np.array([[255, 0]], np.uint8)).tolist()
    [[[50, 50, 50], [0, 0, 0]]]
    """
    mixed = cv2.addWeighted(image, 1 - alpha, colors, alpha, 0)
    cv2.copyTo(image, cv2.bitwise_not(where), mixed)
    return mixed


def draw_text(canvas, text, x, y, size, *, color=PAPER, background=None):
    """Write one line of text, cut where the canvas ends.

    Parameters
    ----------
    canvas : ndarray of shape (H, W, 3), uint8
        Written on in place.
    text : str
    x, y : int
        The upper left corner of the text with its margin, in pixels.
    size : int
        Height of the letters' line in pixels.
    color, background : tuple of int
        RGB; without a background the text alone is written.
    """
    letters = text_mask(text, size)
    left, top = max(x, 0), max(y, 0)
    patch = canvas[top : max(y + letters.shape[0], 0), left : max(x + letters.shape[1], 0)]
    if not patch.size:
        return
    letters = letters[top - y :, left - x :][: patch.shape[0], : patch.shape[1], None] / 255.0
    ground = patch if background is None else np.array(background)
    patch[:] = (ground + (np.array(color) - ground) * letters).round().astype(np.uint8)


def shortened(text, size, width):
    """The text, cut with an ellipsis to at most `width` pixels.

    Examples
    --------
    >>> shortened("a", 12, 100)
    'a'
    """
    if text_mask(text, size).shape[1] <= width:
        return text
    low, high = 0, len(text)
    while low < high:  # the longest beginning that fits with its ellipsis
        middle = (low + high + 1) // 2
        fits = text_mask(text[:middle].rstrip() + "…", size).shape[1] <= width
        low, high = (middle, high) if fits else (low, middle - 1)
    return text[:low].rstrip() + "…"


@functools.lru_cache(512)
def text_mask(text, size):
    """A line of text as letters of 255 on 0, with a margin, (height, width) uint8.

    Every text has the same height at one `size`. A character that the font lacks is written as
    its code point, so that nothing is lost.
    """
    with _PEN:
        mask = _letters(text, size)
    mask.flags.writeable = False
    return mask


def _letters(text, size):
    from PIL import Image, ImageDraw

    font = _font(size)
    shown = "".join(c if _has_glyph(c) else f"\\u{ord(c):04x}" for c in text)
    ascent, descent = font.getmetrics()
    margin = max(1, size // 6)
    width = int(np.ceil(font.getlength(shown))) + 2 * margin
    picture = Image.new("L", (width, ascent + descent + margin))
    ImageDraw.Draw(picture).text((margin, margin // 2), shown, fill=255, font=font)
    return np.array(picture)


@functools.cache
def _font(size):
    from PIL import ImageFont

    # Pillow's own font has English letters only; Matplotlib ships DejaVu Sans.
    found = importlib.util.find_spec("matplotlib")
    for folder in found.submodule_search_locations if found else ():
        path = Path(folder) / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
        if path.is_file():
            return ImageFont.truetype(path, size)
    return ImageFont.load_default(size)


@functools.cache
def _has_glyph(character):
    if character.isascii() or not character.isprintable():
        return character.isprintable()
    font = _font(16)
    drawn, missing = font.getmask(character), font.getmask("\U0010ffff")
    return (drawn.size, bytes(drawn)) != (missing.size, bytes(missing))
