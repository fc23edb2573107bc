"""Batches: what `transform` takes, and how one image, a file or a stream is sent elsewhere."""

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone

import vision
from classical import (
    Erosion,
    FindContours,
    Gray,
    InRange,
    Normalize,
    Not,
    Otsu,
    Threshold,
    ToUint8,
    hog_svm,
)
from vision.errors import ImageError, KindError, VisionError
from vision.kinds import check_input
from vision.step import as_batch

IMAGE = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)


@pytest.mark.parametrize("transform", [Gray().transform, (Gray() >> Otsu()).transform])
def test_one_image_is_called(transform):
    for image in (IMAGE, IMAGE[:, :, 0], np.zeros((4, 5, 4), np.uint8)):
        with pytest.raises(
            KindError, match=r"call the step or pipeline itself, as in step\(image\)"
        ):
            transform(image)


def test_rows_of_pixels_are_told_apart_from_an_image_as_far_as_can_be():
    rows = np.zeros((1797, 64))
    with pytest.raises(KindError, match=r"shape \(1797, 64\).* images\.reshape\(-1, H, W\)"):
        vision.compare({"hog": hog_svm()}, rows, np.zeros(1797))
    with pytest.raises(KindError) as caught:
        Gray().transform(IMAGE)
    assert "reshape" not in str(caught.value)


@pytest.mark.parametrize("transform", [Gray().transform, (Gray() >> Otsu()).transform])
@pytest.mark.parametrize(
    ("batch", "said"),
    [
        ("photos/a.jpg", r"type str\. Files are read by vision\.Images\(path\)"),
        (Path("photos"), r"vision\.Images\(path\)"),
        (["a.jpg", "b.jpg"], r"a list of 2 files; vision\.Images\(paths\) reads them"),
        ([Path("a.jpg")], r"a list of 1 files; vision\.Images\(paths\)"),
        (np.array(["a.jpg", "b.jpg"]), r"vision\.Images\(list\(paths\)\)"),
        ((image for image in [IMAGE]), r"list\(images\)"),
        ({"a": IMAGE}, r"list\(images\.values\(\)\)"),
        (None, r"Got None\. cv2\.imread gives None"),
        (Image.new("RGB", (4, 3)), r"\[np\.asarray\(image\.convert\('RGB'\)\)\]"),
        (np.zeros(4), r"an array of shape \(4,\)"),
        ([None], r"Got None\. cv2\.imread"),
    ],
)
def test_what_is_no_batch_is_told_the_way(transform, batch, said):
    with pytest.raises(KindError, match=said):
        transform(batch)


def test_what_is_a_batch_is_handed_on_as_it_is():
    cells = np.empty(2, object)
    cells[:] = [IMAGE, IMAGE[:2]]
    for batch in ([IMAGE], (IMAGE,), [], cells, np.stack([IMAGE] * 2), np.zeros((2, 4, 5))):
        assert as_batch(batch) is batch
    lazy = vision.Images([IMAGE])
    assert as_batch(lazy) is lazy


def test_the_advice_for_files_reads_them(tmp_path):
    vision.write(tmp_path / "a.png", IMAGE)
    paths = [str(tmp_path / "a.png")]
    read = Gray().transform(vision.Images(paths))
    assert np.array_equal(read[0], Gray()(IMAGE))


def test_the_values_of_masks_are_looked_at_every_time():
    mask = np.array([[0, 255], [255, 0]], np.uint8)
    step = Not()
    for _ in range(2):
        assert step(mask).tolist() == [[255, 0], [0, 255]]
        for value in (1, 127, 128, 254):
            with pytest.raises(KindError, match="0 and 255 only"):
                step(np.array([[0, 255], [value, 0]], np.uint8))
    with pytest.raises(ImageError, match="pixel"):
        step(mask[:0])


def test_the_values_of_float_images_are_looked_at_every_time():
    step = ToUint8()
    for _ in range(2):
        assert step(np.float32([[0, 1]])).tolist() == [[0, 255]]
        for value in (-0.1, 1.1, np.nan, np.inf):
            with pytest.raises(ImageError, match="finite values in"):
                step(np.float32([[0, value]]))


def test_maps_and_gray_images_may_hold_anything():
    wide = np.float32([[-5, 0, 5]])
    assert [Normalize()(wide).tolist() for _ in range(2)] == [[[0, 128, 255]]] * 2
    assert [Erosion(1)(wide).tolist() for _ in range(2)] == [[[-5, 0, 5]]] * 2
    levels = np.array([[0, 7, 255]], np.uint8)
    assert [Erosion(1)(levels).tolist() for _ in range(2)] == [[[0, 7, 255]]] * 2


def test_what_was_taken_once_says_nothing_of_another_form():
    step = Gray()
    step(np.zeros((4, 5, 3), np.uint8))
    for shape in ((4, 5, 4), (5,), (2, 4, 5, 3), (4, 4, 5, 3)):
        with pytest.raises(KindError):
            step(np.zeros(shape, np.uint8))


def test_what_was_let_in_by_its_form_is_looked_at_again_once_anything_differs():
    gray = np.full((4, 5), 90, np.uint8)
    step = InRange("gray", 50, 100)
    assert step(gray).all() and step(gray[:2]).all()
    for other in (gray[:0], gray.astype(np.uint16), gray[0], gray.tolist()):
        with pytest.raises(VisionError):
            step(other)
    step.set_params(space="hsv", low=(0, 0, 0), high=(9, 9, 9))
    with pytest.raises(KindError):
        step(gray)


def test_a_mask_is_looked_at_every_time():
    mask = np.full((4, 5), 255, np.uint8)
    step = FindContours()
    assert len(step(mask)) == len(step(mask)) == 1
    with pytest.raises(KindError):
        step(mask - np.uint8(1))


def test_what_is_let_in_while_parameters_change_does_not_make_the_old_ones_hold(monkeypatch):
    step, image = Threshold(50), np.full((4, 4), 100, np.uint8)
    step(image)

    def change(*arguments):
        monkeypatch.undo()
        step.set_params(value=150)
        return check_input(*arguments)

    monkeypatch.setattr("vision.step.check_input", change)
    step.admit(image[..., None].repeat(3, axis=2)[..., 0].astype(np.float32) / 255)
    step.admit(image)
    assert step(image).max() == 0


def test_a_step_that_was_let_in_for_its_form_travels_without_it():
    step, image = Threshold(50), np.full((4, 4), 100, np.uint8)
    assert step(image).max() == 255
    for copied in (copy.copy(step), pickle.loads(pickle.dumps(step)), clone(step)):
        assert copied.set_params(value=150)(image).max() == 0
    assert step(image).max() == 255
