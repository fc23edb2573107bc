"""Faces where scikit-image's own documentation and data have them."""

import cv2
import numpy as np
import pytest
from skimage import data

from classical.faces import FindFaces
from vision.detection_metrics import box_iou
from vision.errors import KindError, ParameterError

# Eyes and mouth of the astronaut, seen in the photograph: (x, y).
EYES, MOUTH = ((203, 108), (243, 108)), (225, 148)


def test_the_astronauts_eyes_and_mouth_are_in_the_one_box():
    image = data.astronaut()
    found = FindFaces()(image)
    assert len(found) == 1
    left, top, right, bottom = found.boxes[0]
    for x, y in (*EYES, MOUTH):
        assert left < x < right
        assert top < y < bottom
    assert 70 < right - left < 130
    assert found.shape == image.shape[:2]


def test_two_faces_of_two_sizes_are_found_where_they_were_put():
    face = data.astronaut()[30:230, 130:330]
    image = data.brick()[:400, :500].copy()
    image = np.dstack([image] * 3)
    image[100:300, 20:220] = face
    image[50:350, 200:500] = cv2.resize(face, (300, 300), interpolation=cv2.INTER_CUBIC)
    found = FindFaces()(image)
    known = FindFaces()(data.astronaut()).boxes[0] - (130, 30, 130, 30)
    places = np.array([known + np.array([20, 100] * 2), known * 1.5 + (200, 50, 200, 50)])
    overlaps = box_iou(places[1:], found.boxes)
    assert overlaps.max() > 0.6
    assert FindFaces(max_size=100)(image).boxes.shape[0] <= len(found)


def test_the_defaults_are_those_of_scikit_images_gallery():
    # Its example searches in steps of 1.2 in size and of one pixel in place, from 60 pixels.
    image = data.astronaut()
    boxes = FindFaces()(image).boxes
    assert np.array_equal(boxes, FindFaces(60, None, 1.2, 1)(image).boxes)
    assert not np.array_equal(boxes, FindFaces(scale_factor=1.44)(image).boxes)
    assert not np.array_equal(boxes, FindFaces(step_ratio=1.2)(image).boxes)


def test_a_face_turned_by_twelve_degrees_is_found_by_four_windows():
    turn = cv2.getRotationMatrix2D((223, 120), 12, 1)
    image = cv2.warpAffine(data.astronaut(), turn, (512, 512), borderMode=cv2.BORDER_REFLECT)
    found = FindFaces()(image)
    assert len(found) == 1
    places = np.array([*EYES, MOUTH]) @ turn[:, :2].T + turn[:, 2]
    assert np.all((places > found.boxes[0, :2]) & (places < found.boxes[0, 2:]))
    assert len(FindFaces(min_neighbors=5)(image)) == 0


def test_gray_is_as_good_and_sizes_limit_what_is_found():
    gray = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY)
    colour = FindFaces()(data.astronaut()).boxes
    assert box_iou(FindFaces()(gray).boxes, colour).max() > 0.7
    assert len(FindFaces(min_size=150)(gray)) == 0
    assert len(FindFaces(max_size=70)(gray)) == 0
    assert len(FindFaces(min_neighbors=50)(gray)) == 0


def test_a_cat_coins_and_tiny_images_have_no_face():
    for image in (data.coins(), data.brick(), np.zeros((24, 59), np.uint8)):
        assert len(FindFaces()(image)) == 0


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (FindFaces(min_size=23), "'min_size' of FindFaces must be a whole number at least 24"),
        (FindFaces(max_size=10), "'max_size'"),
        (FindFaces(max_size=50), "must not exceed 'max_size'"),
        (FindFaces(scale_factor=1), "'scale_factor'"),
        (FindFaces(step_ratio=0.5), "'step_ratio'"),
        (FindFaces(min_neighbors=0), "'min_neighbors'"),
    ],
    ids=repr,
)
def test_parameters_are_refused_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(data.coins())


def test_other_images_are_refused():
    with pytest.raises(KindError, match="FindFaces takes an rgb image"):
        FindFaces()(data.coins().astype(np.uint16))
