"""Canvases, strokes and text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.canvas import (
    INK,
    blend,
    draw_text,
    rgb_canvas,
    shortened,
    stroke,
    text_mask,
)
from vision.errors import ImageError
from vision.opencv import cv2

pytestmark = pytest.mark.cv2


def test_canvas_is_a_contiguous_copy():
    image = np.random.default_rng(0).integers(0, 256, (9, 12, 3), np.uint8)
    for given_image in (image, image[::2, ::-1], image.transpose(1, 0, 2)):
        canvas = rgb_canvas(given_image)
        assert np.array_equal(canvas, given_image)
        assert canvas.flags.c_contiguous
        assert canvas.flags.writeable
        assert not np.shares_memory(canvas, image)
    gray = rgb_canvas(image[..., 1])
    assert all(np.array_equal(gray[..., channel], image[..., 1]) for channel in range(3))


def test_readonly_images_are_drawn_on_too():
    image = np.zeros((5, 5), np.uint8)
    image.flags.writeable = False
    rgb_canvas(image)[:] = 1


@pytest.mark.parametrize("shape", [(0, 4), (3,), (2, 3, 2), (2, 3, 3, 3), (4, 4, 0)])
def test_no_image(shape):
    with pytest.raises(ImageError, match="Someone draws on a grey"):
        rgb_canvas(np.zeros(shape, np.uint8), owner="Someone")


def test_blend_by_hand():
    image, colors = np.full((1, 2, 3), 100, np.uint8), np.full((1, 2, 3), 200, np.uint8)
    mixed = blend(image, colors, 0.25, np.array([[255, 0]], np.uint8))
    assert mixed[0, :, 0].tolist() == [125, 100]


@pytest.mark.parametrize(("size", "cased"), [(100, False), (900, True)])
def test_strokes_have_a_casing_where_there_is_room(size, cased):
    canvas = np.full((size, size, 3), 128, np.uint8)
    ends = (0, size // 2), (size - 1, size // 2)
    stroke(canvas, lambda c, color, width: cv2.line(c, *ends, color, width), (255, 0, 0))
    column = canvas[:, size // 2]
    assert (column == (255, 0, 0)).all(axis=1).sum() == (5 if cased else 1)
    assert (column == INK).all(axis=1).sum() == (2 if cased else 0)


TEXTS = ["Gray", "é", "Ä", "Ж", "Ω", "→", "≥", "ß"]


def test_letters_beyond_ascii_show():
    masks = [text_mask(text, 20) for text in TEXTS]
    assert len({mask.tobytes() for mask in masks}) == len(TEXTS)
    assert all(mask.max() > 200 for mask in masks)
    assert len({mask.shape[0] for mask in masks}) == 1


@pytest.mark.parametrize(("text", "shown"), [("中", r"\u4e2d"), ("a\nb", r"a\u000ab")])
def test_characters_without_a_letter_show_their_code(text, shown):
    assert np.array_equal(text_mask(text, 16), text_mask(shown, 16))


def test_height_of_letters_is_about_the_size():
    rows = np.flatnonzero(text_mask("Hg", 40).max(axis=1) > 127)
    assert 35 <= np.ptp(rows) + 1 <= 45


@given(st.text(max_size=30), st.integers(30, 200))
def test_shortened_text_fits(text, width):
    cut = shortened(text, 12, width)
    assert text_mask(cut, 12).shape[1] <= width
    assert cut == text or (cut.endswith("…") and text.startswith(cut[:-1]))


@pytest.mark.parametrize("x", [-400, -20, 0, 35, 400])
@pytest.mark.parametrize("y", [-400, -8, 0, 15, 400])
def test_text_is_cut_at_every_edge(x, y):
    large = np.full((900, 1200, 3), 7, np.uint8)
    draw_text(large, "Canny", x + 500, y + 430, 20, color=(250, 1, 2), background=(0, 90, 0))
    canvas = np.full((30, 50, 3), 7, np.uint8)
    draw_text(canvas, "Canny", x, y, 20, color=(250, 1, 2), background=(0, 90, 0))
    assert np.array_equal(canvas, large[430:460, 500:550])
