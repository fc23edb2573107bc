"""Batches: what `transform` takes, and how one image, a file or a stream is sent elsewhere."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vision
from classical import Gray, Otsu
from vision.errors import KindError
from vision.step import as_batch

IMAGE = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)


@pytest.mark.parametrize(
    ("transform", "call"),
    [
        (Gray().transform, "call the step itself: Gray()(image)."),
        ((Gray() >> Otsu()).transform, "call the pipeline itself: pipeline(image)."),
    ],
)
def test_one_image_is_called(transform, call):
    for image in (IMAGE, IMAGE[:, :, 0], np.zeros((4, 5, 4), np.uint8)):
        with pytest.raises(KindError, match="takes many images") as caught:
            transform(image)
        assert call in str(caught.value)


@pytest.mark.parametrize("transform", [Gray().transform, (Gray() >> Otsu()).transform])
@pytest.mark.parametrize(
    ("batch", "said"),
    [
        ("photos/a.jpg", r"type str\. Files are read by vision\.Images\(path\)"),
        (Path("photos"), r"vision\.Images\(path\)"),
        (["a.jpg", "b.jpg"], r"a list of 2 files; .*transform\(vision\.Images\(paths\)\)"),
        ([Path("a.jpg")], r"transform\(vision\.Images\(paths\)\)"),
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
        assert as_batch(batch, "Gray") is batch
    lazy = vision.Images([IMAGE])
    assert as_batch(lazy, "Gray") is lazy


def test_the_advice_for_files_reads_them(tmp_path):
    vision.write(tmp_path / "a.png", IMAGE)
    paths = [str(tmp_path / "a.png")]
    read = Gray().transform(vision.Images(paths))
    assert np.array_equal(read[0], Gray()(IMAGE))
