"""Colours for labels and maps, chosen so that colour-blind readers tell them apart too."""

import functools
import numbers
import zlib

import numpy as np

from vision.checks import check_integer, refuse
from vision.opencv import cv2

# The seven chromatic colours of Okabe and Ito's set, those that stand out on photographs first.
OKABE_ITO = (
    (213, 94, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (204, 121, 167),
    (0, 114, 178),
    (230, 159, 0),
)
# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB: protanopia, deuteranopia.
_COLOR_BLIND = np.array(
    [
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
    ]
)
# Linear sRGB to CIE XYZ, IEC 61966-2-1.
_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_PALETTE_SIZE = 256
# A text label picks among the first colours only: they are the most distinct ones.
_TEXT_COLORS = 24
# ColorBrewer's "RdBu" from dark blue over near-white to dark red.
_DIVERGING_ANCHORS = ((5, 48, 97), (67, 147, 195), (247, 247, 247), (214, 96, 77), (103, 0, 31))


def label_colors(labels):
    """Distinct RGB colours, the same in every call, on every image and every machine.

    The first seven are Okabe and Ito's. Each further one is the colour farthest (CIE76 in Lab)
    from black, white, grey and all before it, in the worst of normal vision, protanopia and
    deuteranopia. There are 256; then they repeat.

    Parameters
    ----------
    labels : int or iterable of str and int
        How many colours, or the labels to colour. The whole number k always has colour k. A
        text has the colour that its letters give, moved on only if another text of `labels`
        has it already: most labels keep their colour from image to image.

    Returns
    -------
    colors : ndarray of shape (n, 3), uint8, or dict
        RGB rows if `labels` is a number (a new array), otherwise label to ``(r, g, b)``.

    Raises
    ------
    ParameterError
        If `labels` is a negative number, or holds anything but text and whole numbers.

    References
    ----------
    M. Okabe, K. Ito, "Color Universal Design", 2008, https://jfly.uni-koeln.de/color/.
    G. Machado, M. Oliveira, L. Fernandes, "A Physiologically-based Model for Simulation of
    Color Vision Deficiency", IEEE TVCG 15(6), 2009, doi:10.1109/TVCG.2009.113.

    Examples
    --------
    >>> label_colors(2).tolist()
    [[213, 94, 0], [86, 180, 233]]
    >>> label_colors([1, "cell"])[1]
    (86, 180, 233)
    """
    if isinstance(labels, numbers.Integral):
        check_integer("labels", labels, owner="label_colors", at_least=0)
        return _palette()[np.arange(labels) % _PALETTE_SIZE]
    labels = list(labels)
    for label in labels:
        if not isinstance(label, str | numbers.Integral):
            refuse("labels", label, "text or whole numbers", "label_colors")
    palette = [tuple(row) for row in _palette().tolist()]
    texts = _text_slots({label for label in labels if isinstance(label, str)})
    return {
        label: palette[texts[label] if isinstance(label, str) else label % _PALETTE_SIZE]
        for label in labels
    }


def _text_slots(texts):
    """Text to its place in the palette: its checksum's, or the next one that is free."""
    size = min(max(_TEXT_COLORS, len(texts)), _PALETTE_SIZE)
    slots = {}
    for text in sorted(texts):
        slot = zlib.crc32(text.encode("utf-8", "surrogatepass")) % size
        while len(slots) < size and slot in slots.values():
            slot = (slot + 1) % size
        slots[text] = slot
    return slots


@functools.cache
def _palette():
    levels = np.linspace(0, 255, 12).round().astype(np.uint8)
    candidates = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 3)
    lab = _seen(candidates)
    light, chroma = lab[0, :, 0], np.hypot(lab[0, :, 1], lab[0, :, 2])
    usable = (light > 40) & (light < 92) & (chroma > 25)
    candidates, lab = candidates[usable], lab[:, usable]
    chosen = [np.array(color, np.uint8) for color in OKABE_ITO]
    avoided = [np.full(3, level, np.uint8) for level in (0, 128, 255)]
    nearest = np.full(len(candidates), np.inf)
    for color in avoided + chosen:
        nearest = np.minimum(nearest, _worst_distance(lab, _seen(color[None])))
    while len(chosen) < _PALETTE_SIZE:
        best = int(nearest.argmax())
        chosen.append(candidates[best])
        nearest = np.minimum(nearest, _worst_distance(lab, lab[:, best : best + 1]))
    palette = np.array(chosen)
    palette.flags.writeable = False
    return palette


def _seen(rgb):
    """Lab of (n, 3) uint8 colours as three eyes see them, (3, n, 3): normal, protan, deutan."""
    encoded = rgb / 255.0
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return np.stack([_lab(linear)] + [_lab((linear @ eye.T).clip(0, 1)) for eye in _COLOR_BLIND])


def _lab(linear):
    """CIE Lab (D65) of linear RGB; in NumPy so that no OpenCV version changes the palette."""
    ratio = linear @ (_XYZ / _XYZ.sum(axis=1, keepdims=True)).T
    x, y, z = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def _worst_distance(lab, other):
    difference = lab - other
    return np.einsum("vnc,vnc->vn", difference, difference).min(axis=0)


@functools.cache
def heat_table():
    """The perceptually uniform colours from 0 (black) to 255 (pale yellow), (256, 1, 3) RGB.

    Matplotlib's "inferno", for ``cv2.applyColorMap``.

    Examples
    --------
    >>> heat_table()[255, 0].tolist()
    [252, 255, 164]
    """
    ramp = np.arange(256, dtype=np.uint8).reshape(-1, 1)
    return _held(cv2.applyColorMap(ramp, cv2.COLORMAP_INFERNO)[..., ::-1].copy())


@functools.cache
def diverging_table():
    """Blue from 1, near-white at 128, red to 255, equally dark at both ends, (256, 1, 3) RGB.

    ColorBrewer's "RdBu" reversed, for signed maps through ``cv2.applyColorMap``.

    Examples
    --------
    >>> diverging_table()[[0, 128, 255], 0].tolist()
    [[5, 48, 97], [247, 247, 247], [103, 0, 31]]
    """
    anchors = np.array(_DIVERGING_ANCHORS, np.float64)
    at = np.array([1, 64.5, 128, 191.5, 255])
    channels = [np.interp(np.arange(256), at, channel) for channel in anchors.T]
    return _held(np.stack(channels, axis=-1).round().astype(np.uint8)[:, None])


def _held(array):
    array.flags.writeable = False
    return array
