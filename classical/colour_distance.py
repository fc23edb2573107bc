"""How different every colour of an image looks from a reference colour."""

import numbers

import numpy as np

from vision.checks import check_choice, refuse
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step

RANGES = {"rgb": ((0, 255),) * 3, "lab": ((0, 100), (-128, 128), (-128, 128))}
_BAND = 1 << 16  # pixels: the formula's two dozen temporaries then stay in the cache


class ColorDistance(Step):
    """How different the colour of every pixel looks from a reference colour.

    The distance is Delta E of CIE L*a*b*: below 1 nobody sees a difference, 2 to 3 is seen side
    by side, and beyond 10 it is another colour. Follow it by ``Threshold(10, "binary_inv")`` to
    find what has the colour, however it is lit.

    Parameters
    ----------
    reference : sequence of 3 numbers
        The colour.
    space : {"rgb", "lab"}, default="rgb"
        What the reference's numbers are, whatever the image is: red, green and blue, 0 to 255,
        or L, 0 to 100, a and b, -128 to 128.
    method : {"cie2000", "cie76"}, default="cie2000"
        "cie76" is the Euclidean distance in Lab, several times as fast; it makes differences
        between saturated colours too large, blue ones above all. "cie2000" corrects that.

    Takes an rgb image, ``(H, W, 3)``, uint8, which becomes Lab as by `ToLab`, or a lab image,
    float32. Gives a map, ``(H, W)``, float32: 0 where the colour is the reference.

    Raises
    ------
    ParameterError
        If `reference` is not three numbers in the range of `space`, or `space` or `method` is
        unknown.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    G. Sharma, W. Wu and E. N. Dalal, "The CIEDE2000 color-difference formula: implementation
    notes, supplementary test data, and mathematical observations", Color Research & Application
    30(1), 2005, doi:10.1002/col.20070. ISO/CIE 11664-4:2019 for "cie76".

    Examples
    --------
    >>> lab = np.array([[[50, 2.6772, -79.7751], [50, 0, -82.7485]]], np.float32)
    >>> ColorDistance((50, 0, -82.7485), space="lab")(lab).round(4).tolist() # doctest: +ELLIPSIS
    [[2.042..., 0.0]]
    >>> ColorDistance((255, 0, 0), method="cie76")(np.zeros((1, 1, 3), np.uint8)).round()
    array([[117.]], dtype=float32)
    """

    takes = (Kind.RGB, Kind.LAB)
    gives = Kind.MAP
    example = {"reference": (160, 60, 40)}

    def __init__(self, reference, space="rgb", method="cie2000"):
        self.reference = reference
        self.space = space
        self.method = method

    def check_params(self):
        """See `Step.check_params`."""
        check_choice("space", self.space, tuple(RANGES), owner=self)
        check_choice("method", self.method, tuple(_METHODS), owner=self)
        if not _is_colour(self.reference, RANGES[self.space]):
            shown = ", ".join(f"{least} to {most}" for least, most in RANGES[self.space])
            allowed = f"three numbers, {shown}, as space={self.space!r} has them"
            refuse("reference", self.reference, allowed, self)

    def prepare(self):
        """See `Step.prepare`."""
        color = np.array([[self.reference]], np.float32)
        lab = _lab_of(color) if self.space == "rgb" else color
        return tuple(lab[0, 0].tolist()), _METHODS[self.method]

    def apply(self, image):
        """See `Step.apply`."""
        reference, method = self._tables
        rows = max(1, _BAND // image.shape[1])
        distance = np.empty(image.shape[:2], np.float32)
        for top in range(0, len(image), rows):
            band = image[top : top + rows]
            lab = band if band.dtype == np.float32 else _lab_of(band)
            distance[top : top + rows] = method(cv2.split(lab), reference)
        return distance


def _lab_of(image):
    return cv2.cvtColor(np.divide(image, 255, dtype=np.float32), cv2.COLOR_RGB2Lab)


def _is_colour(value, ranges):
    row = isinstance(value, tuple | list) or (isinstance(value, np.ndarray) and value.ndim == 1)
    return (
        row
        and len(value) == 3
        and all(isinstance(v, numbers.Real) and not isinstance(v, bool | np.bool_) for v in value)
        and all(least <= v <= most for v, (least, most) in zip(value, ranges, strict=True))
    )


def _cie76(lab, reference):
    squares = [np.square(plane - np.float32(own)) for plane, own in zip(lab, reference)]
    return np.sqrt(squares[0] + squares[1] + squares[2])


def _cie2000(lab, reference):
    """The equations of Sharma et al., by number; the reference is the second colour."""
    (l1, a1, b1), (l2, a2, b2) = lab, map(np.float32, reference)
    g = _chroma_weight((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2)  # 2 to 4
    a1, a2 = a1 * (1.5 - g / 2), a2 * (1.5 - g / 2)  # 5
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)  # 6
    h1, h2 = np.arctan2(b1, a1), np.arctan2(np.broadcast_to(b2, a2.shape), a2)  # 7
    turn, hue = _hues(h1, h2, c1 * c2)  # 10 and 14
    delta_h = 2 * np.sqrt(c1 * c2) * np.sin(turn / 2)  # 11
    lightness, chroma = (l1 + l2) / 2 - 50, (c1 + c2) / 2  # 12 and 13
    t = _hue_weight(hue)
    s_l = 1 + 0.015 * np.square(lightness) / np.sqrt(20 + np.square(lightness))  # 18
    s_c, s_h = 1 + 0.045 * chroma, 1 + 0.015 * chroma * t  # 19 and 20
    # 16, 17 and 21: the blue region, around 275 degrees, is turned
    bend = np.exp(-np.square((np.rad2deg(hue) - 275) / 25))
    r_t = -2 * _chroma_weight(chroma) * np.sin(np.float32(np.pi / 3) * bend)
    lightness, chroma, hue = (l2 - l1) / s_l, (c2 - c1) / s_c, delta_h / s_h
    # 22; rounding may leave the sum of a pixel like the reference a hair below 0
    squares = lightness * lightness + chroma * chroma + hue * hue
    return np.sqrt(np.maximum(squares + r_t * chroma * hue, 0))


def _chroma_weight(chroma):
    power = chroma * np.square(chroma * chroma * chroma)
    return np.sqrt(power / (power + np.float32(25.0**7)))


def _hues(h1, h2, product):
    """The turn from one hue to the other by the shorter way, and the hue between them in [0, 2 pi).

    A gray has no hue: the turn is then 0, and the sum of both stands for the hue between.
    """
    pi = np.float32(np.pi)
    h1, h2 = np.where(h1 < 0, h1 + 2 * pi, h1), np.where(h2 < 0, h2 + 2 * pi, h2)
    turn, total = h2 - h1, h1 + h2
    # opposite hues are as far either way; rounding must not choose
    far = (np.abs(turn) > pi + np.float32(1e-6)) & (product != 0)
    hue = np.where(far, total + np.where(total < 2 * pi, 2 * pi, -2 * pi), total) / 2
    turn = np.where(far, turn - np.copysign(2 * pi, turn), turn)
    return np.where(product == 0, 0, turn), np.where(product == 0, total, hue)


def _hue_weight(hue):
    """T, equation 15."""
    return (
        1
        - 0.17 * np.cos(hue - np.float32(np.deg2rad(30)))
        + 0.24 * np.cos(2 * hue)
        + 0.32 * np.cos(3 * hue + np.float32(np.deg2rad(6)))
        - 0.20 * np.cos(4 * hue - np.float32(np.deg2rad(63)))
    )


_METHODS = {"cie2000": _cie2000, "cie76": _cie76}
