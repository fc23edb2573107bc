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


def test_one_picture_needs_no_title_and_a_list_is_numbered():
    dark, bright = np.zeros((20, 20), np.uint8), np.full((20, 20), 200, np.uint8)
    one = vision.show(dark, width=200)
    assert one.titles == ("image",)
    assert np.array_equal(one.picture, vision.show({"image": dark}, width=200).picture)
    expected = vision.show({"0": dark, "1": bright}, width=200)
    for several in ([dark, bright], (dark, bright)):
        sheet = vision.show(several, width=200)
        assert sheet.titles == ("0", "1")
        assert np.array_equal(sheet.picture, expected.picture)
    batch = np.stack([dark, bright])[..., None].repeat(3, axis=3)
    assert np.array_equal(vision.show(batch, width=200).picture, expected.picture)


@pytest.mark.parametrize(
    ("value", "way_out"),
    [
        (7, r"vision\.show\(\{'image': image\}\)"),
        ("cat.jpg", r"vision\.read\(path\)"),
        (None, r"vision\.read\(path\) says why"),
    ],
)
def test_what_is_no_picture_is_refused_with_the_way_out(value, way_out):
    with pytest.raises(vision.ParameterError, match=rf"titles to images.*one image\..*{way_out}"):
        vision.show(value)


@pytest.mark.parametrize("empty", [{}, []])
def test_nothing_to_show_is_refused(empty):
    with pytest.raises(vision.ImageError, match="at least one picture"):
        vision.show(empty)


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
