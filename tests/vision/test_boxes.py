"""Non-maximum suppression against OpenCV's."""

import cv2
import numpy as np
import pytest

from vision.boxes import non_max_suppression
from vision.detection_metrics import box_iou
from vision.errors import ParameterError


@pytest.mark.parametrize("max_overlap", [0.1, 0.3, 0.5, 0.8])
def test_of_many_boxes_those_that_opencv_keeps_stay(max_overlap):
    random = np.random.default_rng(0)
    corners, sizes = random.integers(0, 90, (400, 2)), random.integers(5, 40, (400, 2))
    boxes, scores = np.hstack([corners, corners + sizes]), (random.permutation(400) + 1) / 401
    expected = cv2.dnn.NMSBoxes(
        np.hstack([corners, sizes]).tolist(), scores.tolist(), 0.0, max_overlap
    )
    assert non_max_suppression(boxes, scores, max_overlap).tolist() == list(expected)


def test_what_stays_does_not_overlap_and_the_best_stays_first():
    boxes = [[0, 0, 4, 4], [1, 0, 5, 4], [2, 0, 6, 4], [4, 0, 8, 4], [0, 0, 4, 4]]
    # Neighbours of the first share 12 of 20, then 8 of 24; the one that touches shares nothing.
    assert non_max_suppression(boxes, [5, 4, 3, 2, 5], 0.5).tolist() == [0, 2, 3]
    assert non_max_suppression(boxes, [5, 4, 3, 2, 5], 0.6).tolist() == [0, 1, 2, 3]
    assert non_max_suppression(boxes, [5, 4, 3, 2, 5], 0).tolist() == [0, 3]
    kept = np.array(boxes)[non_max_suppression(boxes, [1, 2, 3, 4, 5], 0.3)]
    assert (box_iou(kept, kept) - np.eye(len(kept))).max() <= 0.3


def test_of_nothing_nothing_stays():
    assert non_max_suppression([], []).tolist() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0, 0, 1, 1]], [1, 2]), "'scores' of non_max_suppression must be 1 numbers"),
        (([[0, 0, 1, 1]], [1], 1.5), "'max_overlap'"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(ParameterError, match=message):
        non_max_suppression(*arguments)
