"""Detections against geometry solved by hand and pycocotools."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pycocotools import mask as coco

from vision.canvas import OUTLINE
from vision.detections import Detections
from vision.errors import ParameterError
from vision.palette import label_colors


def random_boxes(seed, count=40):
    corners = np.random.default_rng(seed).uniform(0, 100, (count, 2, 2))
    return np.sort(corners, axis=1).reshape(-1, 4)


def test_iou_by_hand():
    one = Detections([[0, 0, 10, 10]])
    others = Detections([[0, 0, 10, 10], [5, 0, 15, 10], [5, 5, 15, 15], [10, 0, 20, 10]])
    np.testing.assert_allclose(one.iou(others), [[1, 50 / 150, 25 / 175, 0]])


def test_iou_is_pycocotools():
    one, other = random_boxes(0), random_boxes(1, 30)
    as_coco = [np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]]) for boxes in (one, other)]
    expected = coco.iou(*as_coco, np.zeros(30, np.uint8))
    np.testing.assert_allclose(Detections(one).iou(Detections(other)), expected, atol=1e-12)


def test_areas_and_records():
    found = Detections([[1, 2, 4, 4.5]], [0.25], [7])
    assert found.areas.tolist() == [7.5]
    assert found.to_records() == [
        {"label": 7, "score": 0.25, "left": 1.0, "top": 2.0, "right": 4.0, "bottom": 4.5}
    ]
    assert Detections([[1, 2, 4, 4]]).to_records()[0]["label"] is None


def test_mask_chooses_rows_of_every_field():
    found = Detections([[0, 0, 1, 1], [2, 2, 5, 5], [3, 3, 4, 4]], [0.9, 0.2, 0.6], ["a", "b", "c"])
    sure = found[found.scores > 0.5]
    assert sure.boxes.tolist() == [[0, 0, 1, 1], [3, 3, 4, 4]]
    assert sure.labels.tolist() == ["a", "c"]
    assert found[-1].labels.tolist() == ["c"]
    assert [one.labels.tolist() for one in found] == [["a"], ["b"], ["c"]]
    assert found[[2, 0]].scores.tolist() == [0.6, 0.9]


def test_mapping_a_halved_and_cropped_image_back_by_hand():
    # Pixel edges onto pixel edges: x = 2 x' + 100 on edges.
    matrix = [[2, 0, 100.5], [0, 2, 50.5], [0, 0, 1]]
    found = Detections([[10, 20, 30, 40]], [0.5], ["a"], (60, 60)).mapped(matrix, (200, 300))
    assert found.boxes.tolist() == [[120, 90, 160, 130]]
    assert (found.labels.tolist(), found.scores.tolist()) == (["a"], [0.5])
    assert found.shape == (200, 300)


def test_boxes_are_cut_at_the_border_and_left_out_beyond():
    found = Detections([[-5, -5, 5, 5], [50, 50, 60, 60]], labels=[1, 2]).mapped(
        np.eye(3), (40, 40)
    )
    assert found.boxes.tolist() == [[0, 0, 5, 5]]
    assert found.labels.tolist() == [1]


BOXES = arrays.arrays(np.float64, (3, 2, 2), elements=st.floats(10, 50))


@given(BOXES, st.floats(0.25, 4), st.floats(0, 20), st.floats(0, 20))
def test_scaled_and_shifted_there_and_back(corners, factor, right, down):
    boxes = np.sort(corners, axis=1).reshape(-1, 4)
    matrix = np.array([[factor, 0, right], [0, factor, down], [0, 0, 1]])
    there = Detections(boxes).mapped(matrix, (400, 400))
    back = there.mapped(np.linalg.inv(matrix), (100, 100))
    np.testing.assert_allclose(back.boxes, boxes, atol=1e-9)


def test_unknown_size_draws_on_any_image_and_views_itself():
    found = Detections([[2, 3, 9, 9.5]])
    assert found.draw(np.zeros((20, 30), np.uint8)).any()
    assert found._canvas_shape() == (11, 10)
    assert "unknown size" in repr(found)


def test_the_outline_covers_the_first_and_the_last_pixel_of_the_box():
    drawn = Detections([[4, 2, 14, 8]]).draw(np.zeros((20, 20), np.uint8))
    rows, columns = np.nonzero(drawn.any(axis=2))
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (4, 13, 2, 7)
    assert tuple(drawn[2, 4]) == OUTLINE


def test_labels_have_their_own_colours_and_captions():
    image = np.zeros((240, 320), np.uint8)
    boxes = [[20, 60, 100, 120], [160, 60, 240, 120]]
    named = Detections(boxes, [0.5, 0.6], ["nut", "bolt"]).draw(image)
    colors = label_colors(["nut", "bolt"])
    assert tuple(named[119, 60]) == colors["nut"]
    assert tuple(named[119, 200]) == colors["bolt"]
    caption = named[45:60, 20:100].reshape(-1, 3)
    assert (caption == colors["nut"]).all(axis=1).sum() > 200
    assert not Detections(boxes).draw(image)[40:58].any()


def test_captions_stay_in_the_picture_and_off_small_ones():
    corner = Detections([[0, 0, 30, 30], [300, 200, 320, 240]], labels=["first", "last"])
    assert corner.draw(np.zeros((240, 320), np.uint8))[:12, :40].any()
    tiny = Detections([[10, 40, 30, 60]], labels=["a long name"]).draw(np.zeros((64, 64), np.uint8))
    assert not tiny[:40].any()


def test_boxes_far_outside_are_drawn_without_harm():
    found = Detections([[-1e12, -1e12, 1e12, 1e12], [1e10, 5, 1e11, 9]], labels=[1, 2])
    assert not found.draw(np.zeros((64, 64), np.uint8)).any()


@pytest.mark.parametrize("labels", [["a", "b"], [3, 4], np.array([3, 4], np.int16), ("a", "b")])
def test_labels_are_texts_or_whole_numbers(labels):
    found = Detections([[0, 0, 1, 1]] * 2, labels=labels)
    assert found.labels.tolist() == list(labels)


@pytest.mark.parametrize("labels", [[], np.array([]), np.array([], np.int64)])
def test_no_boxes(labels):
    empty = Detections(np.empty((0, 4)), np.empty(0), labels, (9, 9))
    assert empty == Detections([], [], [], (9, 9))
    assert empty.draw(np.full((9, 9), 5, np.uint8)).tolist() == np.full((9, 9, 3), 5).tolist()
    assert empty.iou(Detections([[0, 0, 1, 1]])).shape == (0, 1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"boxes": [[4, 0, 3, 5]]}, r"'boxes' .* left <= right .* Got \[4.0, 0.0, 3.0, 5.0\]"),
        ({"boxes": [[0, 5, 3, 4]]}, "'boxes' .* top <= bottom"),
        ({"boxes": [[0, 0, 1]]}, r"'boxes' .* \(n, 4\)"),
        ({"boxes": [0, 0, 1, 1]}, r"'boxes' .* \(n, 4\)"),
        ({"boxes": [[0, 0, 1, np.inf]]}, "'boxes' .* finite"),
        ({"scores": [1.5]}, "'scores' .* from 0 to 1. Got 1.5"),
        ({"scores": [-0.1]}, "'scores' .* at least 0"),
        ({"scores": [0.1, 0.2]}, "'scores' .* n = 1"),
        ({"labels": ["a", "b"]}, "'labels' .* 1 texts"),
        ({"labels": [0.5]}, "'labels' .* whole numbers"),
        ({"labels": 5}, "'labels'"),
        ({"boxes": [[0, 0, 1, 1]] * 2, "labels": ["a", 1]}, "'labels'"),
        ({"shape": (0, 4)}, "'shape'"),
    ],
)
def test_refusals_name_the_field(arguments, says):
    with pytest.raises(ParameterError, match=f"The {says}"):
        Detections(**({"boxes": [[0, 0, 1, 1]]} | arguments))
