"""Segmentations: values by hand and by scikit-image."""

import re

import numpy as np
import pytest
from skimage import data, measure

import classical
from vision.errors import ImageError, ParameterError
from vision.palette import label_colors
from vision.segmentation import Segmentation

pytestmark = pytest.mark.cv2


def corner():
    labels = np.zeros((40, 50), np.int32)
    labels[:20, :30] = 2
    return labels


def test_records_by_hand():
    labels = corner()
    labels[30:, 40:] = 7
    assert Segmentation(labels, {2: "sky"}).to_records() == [
        {"label": 2, "name": "sky", "area": 600, "fraction": 0.3}
        | {"left": 0, "top": 0, "right": 30, "bottom": 20, "x": 14.5, "y": 9.5},
        {"label": 7, "name": None, "area": 100, "fraction": 0.05}
        | {"left": 40, "top": 30, "right": 50, "bottom": 40, "x": 44.5, "y": 34.5},
    ]


def test_length_counts_labels_without_background():
    assert len(Segmentation(corner())) == 1
    assert len(Segmentation(np.zeros((3, 3), np.int32))) == 0
    assert len(Segmentation(measure.label(data.coins() > 110).astype(np.int32))) == np.max(
        measure.label(data.coins() > 110)
    )


def test_colours_cover_by_alpha_and_outlines_fully():
    image = np.full((40, 50), 100, np.uint8)
    drawn = Segmentation(corner()).draw(image, alpha=0.5)
    color = label_colors(3)[2].astype(int)
    assert np.abs(drawn[5, 5] - (100 + color) / 2).max() <= 1
    assert (drawn[19, 5] == color).all()  # the outline, on the label's side
    assert (drawn[5, 29] == color).all()
    assert (drawn[20:] == 100).all()
    assert (drawn[:, 30:] == 100).all()


def test_own_colours():
    labels = corner()
    labels[20:] = 3
    drawn = Segmentation(labels, colors={2: (10, 20, 30)}).draw(np.zeros((40, 50), np.uint8), 1)
    assert drawn[5, 5].tolist() == [10, 20, 30]
    assert (drawn[35, 5] == label_colors(4)[3]).all()
    labels[0, 0] = 2**31 - 1  # beyond any table
    drawn = Segmentation(labels, colors={2: (10, 20, 30)}).draw(np.zeros((40, 50), np.uint8), 1)
    assert drawn[5, 5].tolist() == [10, 20, 30]
    assert (drawn[0, 0] == label_colors(256)[255]).all()


def test_from_mask():
    found = Segmentation.from_mask((corner() > 0).astype(np.uint8) * 255, "sky")
    assert np.array_equal(found.labels, corner() // 2)
    assert found.to_records()[0]["name"] == "sky"
    with pytest.raises(ImageError, match=r"0 and 255 only.*values are 0, 1, 255: a mask is np"):
        Segmentation.from_mask(np.array([[0, 1, 255]], np.uint8))
    with pytest.raises(ImageError, match=r"0 and 255 only.*a mask is mask.astype.* \* 255"):
        Segmentation.from_mask(corner() > 0)
    with pytest.raises(ImageError, match="uint8 array"):
        Segmentation.from_mask(corner())


def test_mapped_keeps_names_and_colours():
    found = Segmentation(corner(), {2: "sky"}, {2: (1, 2, 3)})
    twice = found.mapped([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]], (80, 100))
    assert twice == Segmentation(corner().repeat(2, 0).repeat(2, 1), {2: "sky"}, {2: (1, 2, 3)})


def test_the_array_is_held_not_copied_and_stays_the_callers():
    labels = corner()
    found = Segmentation(labels)
    assert np.shares_memory(found.labels, labels)
    assert labels.flags.writeable
    assert not found.labels.flags.writeable


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (np.zeros((3, 3), np.uint8), r"Got .* uint8; labels.astype\(np.int32\)"),
        (np.zeros((3, 3), np.int64), "int32"),
        (np.zeros((3, 3, 3), np.int32), r"\(3, 3, 3\)"),
        (np.zeros((0, 3), np.int32), "at least one pixel"),
        ([[1]], "type list"),
        (np.array([[-1]], np.int32), r"negative. Got -1; np.maximum\(labels, 0\)"),
    ],
)
def test_label_maps_refused(labels, says):
    with pytest.raises(ImageError, match=says):
        Segmentation(labels)


@pytest.mark.parametrize("mask", [corner() > 0, (corner() > 0).astype(np.uint8) * 255])
def test_the_objects_of_a_mask_are_numbered_as_told(mask):
    mask[30:, 40:] = True if mask.dtype == bool else 255
    with pytest.raises(ImageError, match="numbers its objects") as caught:
        Segmentation(mask)
    numbered, one = re.findall(r"[\w.]+(?:\(\))?\(mask.*?\)(?= numbers| takes)", str(caught.value))
    names = {"classical": classical, "Segmentation": Segmentation, "np": np, "mask": mask}
    assert len(Segmentation(eval(numbered, names))) == 2  # noqa: S307
    assert len(eval(one, names)) == 1  # noqa: S307


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("names", ["sky"]),
        ("names", {"sky": 1}),
        ("names", {1: 2}),
        ("colors", {1: (0, 0)}),
        ("colors", {1: (0, 0, 256)}),
        ("colors", {1: (0.5, 0, 0)}),
        ("colors", {-1: (0, 0, 0)}),
    ],
)
def test_dictionaries_refused(field, value):
    with pytest.raises(ParameterError, match=f"The '{field}' of Segmentation"):
        Segmentation(corner(), **{field: value})


@pytest.mark.parametrize("alpha", [-0.1, 1.1, "x"])
def test_alpha_refused(alpha):
    image = np.zeros((40, 50), np.uint8)
    with pytest.raises(ParameterError, match=r"'alpha' of Segmentation\.draw"):
        Segmentation(corner()).draw(image, alpha)
