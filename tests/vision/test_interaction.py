"""Sheets of pictures, and parameters turned by sliders."""

import base64

import numpy as np
import pytest
from PIL import Image
from skimage import data

import vision
from classical import Gray, Threshold
from vision import interaction
from vision.showing import Sheet

MASKS = Gray() >> Threshold(100)
CHOICES = {"threshold__value": [50, 100, 150, 200]}


def test_a_sheet_is_kept_as_the_smaller_file():
    photograph = vision.show({"cat": data.chelsea()}, width=400)._repr_mimebundle_()
    assert set(photograph) == {"text/plain", "image/jpeg"}
    flat = vision.show({"mask": np.zeros((40, 40), np.uint8)}, width=400)._repr_mimebundle_()
    assert base64.b64decode(flat["image/png"]).startswith(b"\x89PNG")


def test_a_sheet_is_saved_as_it_is(tmp_path):
    sheet = vision.show({"one": np.full((20, 20), 7, np.uint8)}, width=200)
    sheet.save(tmp_path / "sheet.png")
    assert np.array_equal(np.asarray(Image.open(tmp_path / "sheet.png")), sheet.picture)


def test_pictures_come_with_titles():
    with pytest.raises(vision.ParameterError, match="dictionary of titles to images"):
        vision.show([np.zeros((4, 4), np.uint8)])


def test_a_sheet_shows_what_each_value_makes():
    # Of a ramp of all levels, the white part shrinks as the threshold rises.
    ramp = np.tile(np.arange(256, dtype=np.uint8), (64, 1))
    made = vision.interact(Threshold(100), ramp, CHOICES)
    white = [(made.picture(threshold__value=t) == 255).mean() for t in (50, 100, 200)]
    assert white == pytest.approx([205 / 256, 155 / 256, 55 / 256])
    sheet = made.sheet()
    assert isinstance(sheet, Sheet)
    assert sheet.titles[2] == "threshold__value = 150"


def test_sliders_make_the_picture_anew():
    pytest.importorskip("ipywidgets")
    made = vision.interact(MASKS, data.coffee(), CHOICES, width=200)
    slider, shown, said = made.sliders().children
    assert slider.value == 100
    before = shown.value
    slider.value = 200
    assert shown.value != before
    assert said.value == ""
    assert MASKS["threshold"].value == 100


def test_without_ipywidgets_there_is_the_sheet(monkeypatch):
    find = interaction.importlib.util.find_spec
    monkeypatch.setattr(
        interaction.importlib.util,
        "find_spec",
        lambda name: None if name == "ipywidgets" else find(name),
    )
    bundle = vision.interact(MASKS, data.coffee(), CHOICES, width=400)._repr_mimebundle_()
    assert not [name for name in bundle if "widget" in name]
    assert any(name.startswith("image/") for name in bundle)


def test_what_is_refused_together_is_said():
    pytest.importorskip("ipywidgets")
    from classical import Canny

    made = vision.interact(Gray() >> Canny(), data.coffee(), {"canny__low": [100, 300]})
    slider, _, said = made.sliders().children
    slider.value = 300
    assert "must not exceed" in said.value


@pytest.mark.parametrize("choices", [{}, ["canny__low"], {"lo": [1]}, {"threshold__value": []}])
def test_choices_that_make_no_sense_are_refused(choices):
    with pytest.raises(vision.ParameterError, match="choices"):
        vision.interact(MASKS, data.coffee(), choices)
