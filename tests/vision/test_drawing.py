"""Stages shown, thumbnails and contact sheets."""

import numpy as np
import pytest
from skimage import color, data, measure

from vision.drawing import (
    contact_sheet,
    display_normalization,
    label_colors,
    thumbnail,
    to_display,
)
from vision.errors import ImageError, ParameterError
from vision.kinds import Kind

pytestmark = pytest.mark.cv2


@pytest.mark.parametrize(
    ("array", "name", "levels"),
    [
        (np.array([[0, 9, 255]], np.uint8), "none", [0, 9, 255]),
        (np.array([[False, True]]), "none", [0, 255]),
        (np.array([[1000, 1100, 1200]], np.uint16), "minimum to maximum", [0, 128, 255]),
        (np.array([[7, 7]], np.uint16), "minimum to maximum", [0, 0]),
        (np.array([[0, 0.2, 1]], np.float32), "unit", [0, 51, 255]),
        (np.array([[0, 0.5, 5]], np.float32), "minimum to maximum", [0, 26, 255]),
        (np.array([[1e6, 1e6 + 1, 1e6 + 2]]), "minimum to maximum", [0, 128, 255]),
    ],
)
def test_grey_levels_by_hand(array, name, levels):
    assert display_normalization(array) == name
    shown = to_display(array)
    assert shown.dtype == np.uint8
    assert all(np.abs(shown[0, :, c].astype(int) - levels).max() <= 1 for c in range(3))


def test_rgb_is_shown_as_it_is_and_copied():
    image = data.coffee()
    assert np.array_equal(to_display(image), image)
    assert not np.shares_memory(to_display(image), image)
    unit = to_display((image / 255).astype(np.float32))
    assert np.array_equal(unit, image)


def test_signed_maps_diverge_around_zero():
    array = np.array([[-4, -2, 0, 2, 4]], np.float32)
    assert display_normalization(array) == "around zero"
    shown = to_display(array)[0].astype(int)
    assert shown[2].tolist() == [247, 247, 247]
    assert (shown[:2, 2] > shown[:2, 0]).all()
    assert (shown[3:, 0] > shown[3:, 2]).all()
    only_negative = to_display(np.array([[-4.0, -2.0]], np.float32))[0]
    assert np.array_equal(only_negative, to_display(array)[0, :2])


def test_a_few_extremes_do_not_blanch_the_rest():
    array = np.tile(np.array([-1, 1], np.float32), (100, 50))
    array[0, :4] = 1000
    shown = to_display(array)
    assert np.array_equal(shown[5:], to_display(array[5:]))
    assert np.array_equal(shown[0, 0], shown[5, 1])
    lonely = np.zeros((300, 300), np.float32)
    lonely[0, 1] = -3
    assert to_display(lonely)[0, 1].tolist() == [5, 48, 97]


def test_labels_have_their_colours():
    labels = measure.label(data.coins() > 110).astype(np.int32)
    assert display_normalization(labels) == "labels"
    shown = to_display(labels)
    assert not shown[labels == 0].any()
    for label in (1, 5, labels.max()):
        assert (shown[labels == label] == label_colors(label + 1)[label]).all()
    assert to_display(np.array([[256]], np.int64)).any()


def test_color_spaces():
    red = np.array([[[0, 255, 255]]], np.uint8)
    assert to_display(red, Kind.HSV).tolist() == [[[255, 0, 0]]]
    # sRGB red, D65: Lindbloom's calculator.
    lab = np.array([[[53.24, 80.09, 67.20]]], np.float32)
    assert np.abs(to_display(lab, "lab").astype(int) - [255, 0, 0]).max() <= 1
    image = data.coffee()[:50, :50]
    lab = color.rgb2lab(image).astype(np.float32)
    assert np.abs(to_display(lab, Kind.LAB).astype(int) - image).max() <= 1
    assert np.array_equal(to_display(image, Kind.RGB), image)


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (np.zeros(5), None),
        (np.zeros((4, 4, 2), np.uint8), None),
        (np.zeros((4, 4, 4), np.uint8), None),
        (np.zeros((4, 4, 3), np.int32), None),
        (np.zeros((0, 4), np.uint8), None),
        (np.array([["a"]]), None),
        ([[1]], None),
        (np.array([[np.nan]], np.float32), None),
        (np.array([[np.inf, 0]], np.float32), None),
        (np.zeros((2, 2, 3), np.float32), "hsv"),
        (np.zeros((2, 2, 3), np.uint16), "lab"),
    ],
)
def test_what_cannot_be_shown_is_refused(array, kind):
    with pytest.raises(ImageError, match="to_display shows"):
        to_display(array, kind)


def test_thumbnail_averages_blocks():
    image = data.coffee()
    small = thumbnail(image, 150)
    expected = image.reshape(100, 4, 150, 4, 3).mean(axis=(1, 3))
    assert np.abs(small - expected).max() <= 1


@pytest.mark.parametrize(
    ("shape", "longest", "size"),
    [
        ((300, 400), 100, (75, 100)),
        ((400, 300), 100, (100, 75)),
        ((50, 60), 100, (50, 60)),
        ((3, 5000), 100, (1, 100)),
    ],
)
def test_thumbnail_keeps_proportions_and_never_enlarges(shape, longest, size):
    assert thumbnail(np.zeros(shape, np.uint8), longest).shape == size
    assert thumbnail(np.zeros((*shape, 3), np.uint8), longest).shape == (*size, 3)


@pytest.mark.parametrize("ground", [0, 255])
def test_a_line_one_pixel_thin_does_not_vanish(ground):
    mask = np.full((1500, 2000), ground, np.uint8)
    mask[:, 700] = 255 - ground
    small = thumbnail(mask, 100).astype(int)
    assert np.abs(small - ground).max(axis=1).min() > 100
    assert (np.abs(small - ground).max(axis=0) > 0).sum() <= 2


def test_thumbnail_leaves_its_input():
    image = np.zeros((9, 9), np.uint8)
    thumbnail(image, 20)[:] = 5
    assert not image.any()
    with pytest.raises(ParameterError, match="'longest' of thumbnail"):
        thumbnail(image, 0)
    with pytest.raises(ImageError, match="thumbnail draws on"):
        thumbnail(np.zeros((9, 9), np.float32))


def test_sheet_shows_every_picture_at_its_place():
    red, blue = np.zeros((10, 10, 3), np.uint8), np.zeros((10, 10, 3), np.uint8)
    red[..., 0], blue[..., 2] = 255, 255
    sheet = contact_sheet([("r", red), ("b", blue), ("r", red)], columns=2, width=500)
    assert sheet.shape[1] == 500
    for color_of, halves in (((255, 0, 0), [(0, 0), (1, 0)]), ((0, 0, 255), [(0, 1)])):
        rows, columns = np.nonzero((sheet == color_of).all(axis=2))
        places = {(y >= sheet.shape[0] // 2, x >= 250) for y, x in zip(rows, columns, strict=True)}
        assert places == {(bool(y), bool(x)) for y, x in halves}
        # Columns of 232 pixels with their frame: ten pixels enlarged to 23 each.
        assert len(rows) == len(halves) * 230**2


def test_sheet_has_titles():
    picture = np.full((40, 40), 250, np.uint8)
    named, nameless = (contact_sheet([(t, picture)], width=200) for t in ("Größe Ω", ""))
    assert named.shape == nameless.shape
    rows = np.flatnonzero((named != nameless).any(axis=(1, 2)))
    assert 8 <= np.ptp(rows) + 1 <= 30
    assert (named != nameless).any(axis=2).sum() > 100


def test_long_titles_end_before_the_next():
    picture = np.full((40, 40), 250, np.uint8)
    long = contact_sheet([("x" * 500, picture), ("", picture)], columns=2, width=300)
    none = contact_sheet([("", picture), ("", picture)], columns=2, width=300)
    assert np.flatnonzero((long != none).any(axis=(0, 2))).max() < 150


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (2, 2), (4, 2), (5, 3), (60, 6)])
def test_sheet_is_about_as_wide_as_high(count, columns):
    pictures = [("", np.zeros((90, 90), np.uint8))] * count
    sheet = contact_sheet(pictures, width=700)
    assert np.array_equal(sheet, contact_sheet(pictures, columns=columns, width=700))


def test_sheet_refusals():
    picture = np.zeros((4, 4), np.uint8)
    with pytest.raises(ImageError, match="at least one picture"):
        contact_sheet([])
    with pytest.raises(ImageError, match="contact_sheet draws on"):
        contact_sheet([("", picture.astype(np.float32))])
    with pytest.raises(ParameterError, match="'columns' of contact_sheet"):
        contact_sheet([("", picture)], columns=0)
    with pytest.raises(ParameterError, match="'width' of contact_sheet"):
        contact_sheet([("", picture)], columns=4, width=100)
