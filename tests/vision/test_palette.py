"""Colours against published sets, scikit-image's colour difference and Matplotlib."""

import itertools
import zlib

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage import color

from vision.errors import ParameterError
from vision.palette import diverging_table, heat_table, label_colors


def test_first_seven_are_okabe_and_itos():
    # Wong, "Points of view: Color blindness", Nature Methods 8, 2011: the set without black.
    published = {"d55e00", "56b4e9", "009e73", "f0e442", "cc79a7", "0072b2", "e69f00"}
    assert {bytes(row).hex() for row in label_colors(7)} == published


def smallest_difference(rgb):
    lab = color.rgb2lab(rgb[None] / 255 if rgb.dtype == np.uint8 else rgb[None])[0]
    pairs = np.array(list(itertools.combinations(range(len(rgb)), 2)))
    return color.deltaE_cie76(lab[pairs[:, 0]], lab[pairs[:, 1]]).min()


def test_colors_are_told_apart():
    # A difference of 2.3 is just noticeable (Mahy et al. 1994).
    assert smallest_difference(label_colors(12)) > 20
    assert smallest_difference(label_colors(24)) > 13
    assert smallest_difference(label_colors(128)) > 5
    assert len(np.unique(label_colors(256), axis=0)) == 256


@pytest.mark.parametrize(
    "eye",
    [
        # Vienot, Brettel and Mollon 1999, doi:10.1002/(SICI)1520-6378(199908)24:4<243, for sRGB:
        # another model than the palette is made with.
        [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
        [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
    ],
    ids=["protanopia", "deuteranopia"],
)
def test_color_blind_eyes_tell_them_apart(eye):
    encoded = label_colors(12) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.transpose(eye), 0, 1)
    seen = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    assert smallest_difference(seen) > 10


def test_a_number_always_has_its_colour():
    rows = label_colors(300)
    assert np.array_equal(rows[256:], rows[:44])
    few, many = label_colors([3, 200]), label_colors(range(300))
    assert few[3] == many[3] == tuple(rows[3])
    assert few[200] == tuple(rows[200])
    rows[:] = 0
    assert label_colors(1).any()


@given(st.sets(st.text(max_size=8), max_size=24))
def test_texts_differ_and_do_not_depend_on_order(texts):
    forth, back = label_colors(sorted(texts)), label_colors(sorted(texts, reverse=True))
    assert forth == back
    assert len(set(forth.values())) == len(texts)
    for text in texts:
        place = zlib.crc32(text.encode()) % 24
        if sum(zlib.crc32(other.encode()) % 24 == place for other in texts) == len(texts) == 1:
            assert forth[text] == tuple(label_colors(24)[place])


def test_more_texts_than_colours():
    names = [f"class {number}" for number in range(400)]
    assert len(set(label_colors(names).values())) == 256


@pytest.mark.parametrize("labels", [-1, [0.5], [None]])
def test_refused(labels):
    with pytest.raises(ParameterError, match="The 'labels' of label_colors must be"):
        label_colors(labels)


@pytest.mark.cv2
def test_heat_is_matplotlibs_inferno():
    expected = mpl.colormaps["inferno"](np.arange(256), bytes=True)[:, :3]
    assert np.abs(heat_table()[:, 0].astype(int) - expected).max() <= 1


def test_diverging_passes_colorbrewers_colours_and_darkens_to_both_ends():
    table = diverging_table()[:, 0]
    brewer = mpl.colormaps["RdBu_r"]([0.0, 0.5, 1.0], bytes=True)[:, :3].astype(int)
    assert np.abs(table[[1, 128, 255]] - brewer).max() <= 1
    light = color.rgb2lab(table[None, 1:] / 255)[0, :, 0]
    assert (np.diff(light[:128]) > 0).all()
    assert (np.diff(light[127:]) < 0).all()
    assert np.abs(light - light[::-1]).max() < 12
