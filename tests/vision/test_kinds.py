"""Kinds: which arrays may stand for which, and what none can stand for."""

import numpy as np
import pytest

from vision.errors import ImageError, KindError
from vision.kinds import ARRAYS, DESCRIPTIONS, PIXELS, Branched, Kind, check_input, kinds_of


@pytest.mark.parametrize(
    ("shape", "dtype", "kinds"),
    [
        ((4, 5, 3), "uint8", {"rgb", "hsv", "hls", "ycrcb", "lab"}),
        ((4, 5, 4), "uint8", {"cmyk"}),
        ((4, 5), "uint8", {"gray", "mask", "edges"}),
        ((4, 5, 3), "uint16", {"rgb"}),
        ((4, 5), "uint16", {"gray"}),
        ((4, 5, 3), "float32", {"float", "lab"}),
        ((4, 5), "float32", {"float", "map"}),
        ((4, 5), "int32", {"labels"}),
        ((5,), "float32", {"features"}),
        ((5,), "float64", {"features"}),
        ((4, 5, 1), "float32", set()),
        ((4, 5, 1), "float64", set()),
        ((2, 4, 5, 3), "uint8", set()),
        ((2, 4, 5, 4), "uint8", set()),
        ((4, 5), "bool", set()),
        ((4, 5), "float64", set()),
        ((4, 5), "int64", set()),
        ((4, 5), ">u2", set()),
        ((4, 5), ">f4", set()),
        ((), "uint8", set()),
    ],
)
def test_what_an_array_may_be(shape, dtype, kinds):
    assert set(kinds_of(np.zeros(shape, dtype))) == kinds


def test_edges_are_masks_and_masks_are_gray_never_the_reverse():
    line = [Kind.EDGES, Kind.MASK, Kind.GRAY]
    fits = [[one.fits((other,)) for other in line] for one in line]
    assert fits == [[True, True, True], [False, True, True], [False, False, True]]
    assert all(kind.fits((Kind.ANY,)) and Kind.ANY.fits((kind,)) for kind in Kind)


def test_every_kind_of_pixels_is_described_and_seen_in_some_array():
    forms = [
        ((4, 5), (4, 5, 3), (4, 5, 4)),
        ("uint8", "uint16", "float32", "int32"),
    ]
    seen = {k for shape in forms[0] for dtype in forms[1] for k in kinds_of(np.zeros(shape, dtype))}
    assert seen == ARRAYS
    assert set(DESCRIPTIONS) >= PIXELS
    assert Kind.CMYK.described == "a cmyk image"
    assert Branched(a=Kind.MASK, b=Kind.RGB).described == "branches named 'a', 'b'"


class TestCheckInput:
    def test_four_channels_are_cmyk_where_that_is_taken(self):
        printed = np.zeros((4, 5, 4), np.uint8)
        check_input(printed, (Kind.CMYK,), ("uint8",), "CMYKToRGB")
        with pytest.raises(KindError, match=r"four channels.*image\[:, :, :3\]"):
            check_input(printed, (Kind.RGB, Kind.GRAY), ("uint8",), "Resize")
        with pytest.raises(KindError, match="ToCMYK"):
            check_input(printed[:, :, :3], (Kind.CMYK,), ("uint8",), "CMYKToRGB")

    @pytest.mark.parametrize("kind", [Kind.HSV, Kind.HLS, Kind.YCRCB])
    def test_colour_spaces_have_the_form_of_rgb(self, kind):
        check_input(np.zeros((4, 5, 3), np.uint8), (kind,), ("uint8",), "HSVToRGB")

    def test_16_bits_of_a_kind_that_is_taken_name_the_dtypes(self):
        with pytest.raises(KindError, match=r"gray image as uint8\. Got .* uint16\. ToUint8\(\)"):
            check_input(np.zeros((4, 5), np.uint16), (Kind.RGB, Kind.GRAY), ("uint8",), "Sobel")
        with pytest.raises(KindError, match=r"as float32 or uint8\. Got .* uint16"):
            takes = (Kind.RGB, Kind.GRAY, Kind.FLOAT)
            check_input(np.zeros((4, 5), np.uint16), takes, ("uint8",), "Sobel")

    @pytest.mark.parametrize(
        ("takes", "advice"),
        [
            ((Kind.RGB,), "ToUint8() >> ToRGB()"),
            ((Kind.MASK,), "ToUint8() >> Otsu()"),
            ((Kind.EDGES, Kind.MASK), "ToUint8() >> Canny()"),
            ((Kind.HSV,), "ToUint8() >> ToRGB() >> ToHSV()"),
            ((Kind.FLOAT,), "ToFloat()"),
        ],
    )
    def test_16_bits_of_gray_lead_on_by_steps(self, takes, advice):
        with pytest.raises(KindError) as caught:
            check_input(np.zeros((4, 5), np.uint16), takes, ("uint8",), "Step")
        assert f"Put {advice} in front of Step()." in str(caught.value)

    @pytest.mark.parametrize(
        ("mask", "takes", "advice"),
        [
            ([[0, 1]], (Kind.MASK,), "Of 0 and 1 make image * 255."),
            ([[0, 9]], (Kind.MASK,), "Threshold it first: Otsu() >> Step(...)."),
            ([[0, 9]], (Kind.EDGES, Kind.MASK), "Find its edges first: Canny() >> Step(...)."),
        ],
    )
    def test_a_mask_holds_0_and_255_only(self, mask, takes, advice):
        with pytest.raises(KindError, match="0 and 255 only") as caught:
            check_input(np.array(mask, np.uint8), takes, ("uint8",), "Step")
        assert str(caught.value).endswith(advice)
        check_input(np.array([[0, 255]], np.uint8), takes, ("uint8",), "Step")

    @pytest.mark.parametrize("kind", [Kind.RGB, Kind.CMYK, Kind.MASK, Kind.LABELS, Kind.FLOAT])
    def test_no_pixel(self, kind):
        shape = {Kind.RGB: (0, 5, 3), Kind.CMYK: (0, 5, 4)}.get(kind, (0, 5))
        dtype = {Kind.LABELS: np.int32, Kind.FLOAT: np.float32}.get(kind, np.uint8)
        with pytest.raises(ImageError, match="at least one pixel"):
            check_input(np.zeros(shape, dtype), (kind,), ("uint8",), "Step")
