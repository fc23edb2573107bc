"""Quadrilaterals: geometry by hand, and being detections wherever those are used."""

import pickle

import numpy as np
import pytest
from skimage.draw import polygon_perimeter

from vision.detection_metrics import average_precision
from vision.detections import Detections
from vision.errors import ParameterError
from vision.quadrilaterals import Quadrilaterals

CORNERS = [[[20, 10], [80, 20], [70, 60], [10, 50]]]


def test_the_box_encloses_the_corners_within_the_image():
    assert Quadrilaterals.from_corners(CORNERS).boxes.tolist() == [[10, 10, 80, 60]]
    cut = Quadrilaterals.from_corners(CORNERS, shape=(40, 75))
    assert cut.boxes.tolist() == [[10, 10, 75, 40]]
    assert cut.corners.tolist() == CORNERS


def test_they_are_detections():
    found = Quadrilaterals.from_corners(CORNERS, [0.9], ["page"], (100, 100))
    truth = Detections([[10, 10, 80, 60]], labels=["page"])
    assert isinstance(found, Detections)
    assert average_precision([found], [truth]).map == 1
    assert found.iou(truth).tolist() == [[1.0]]


def test_records_end_with_the_corners():
    row = Quadrilaterals.from_corners(CORNERS, [0.9], ["page"], (100, 100)).to_records()[0]
    assert (row["label"], row["score"], row["left"], row["bottom"]) == ("page", 0.9, 10, 60)
    assert [row[f"{axis}{n}"] for n in range(1, 5) for axis in "xy"] == np.ravel(CORNERS).tolist()


def test_chosen_equal_and_pickled():
    two = Quadrilaterals.from_corners(CORNERS * 2, [0.9, 0.8], shape=(99, 99))
    assert len(two) == 2
    assert two[1].scores.tolist() == [0.8]
    assert two[[True, False]] == Quadrilaterals.from_corners(CORNERS, [0.9], shape=(99, 99))
    assert pickle.loads(pickle.dumps(two)) == two
    assert len(Quadrilaterals.from_corners([], shape=(9, 9))) == 0


def test_mapped_by_hand():
    # Twice as large: pixel edges go to twice their place, as the centres' matrix says.
    found = Quadrilaterals.from_corners(CORNERS, shape=(100, 100))
    moved = found.mapped([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]], (200, 200))
    assert moved.corners.tolist() == [[[2 * x, 2 * y] for x, y in CORNERS[0]]]
    assert moved.boxes.tolist() == [[20, 20, 160, 120]]
    assert len(found.mapped([[1, 0, 300], [0, 1, 0], [0, 0, 1]], (100, 100))) == 0


def test_drawn_along_the_outline():
    found = Quadrilaterals.from_corners(CORNERS, shape=(100, 100))
    lit = found.draw(np.zeros((100, 100), np.uint8)).max(axis=2) > 40
    # Edges are half a pixel left of and above the pixel's centre.
    x, y = (np.array(CORNERS[0]) - 0.5).T
    rows, columns = polygon_perimeter(np.rint(y), np.rint(x))
    assert lit[rows, columns].mean() > 0.9
    assert not lit[30:40, 30:60].any()  # within
    assert not lit[10:13, 60:80].any()  # in the box, not in the outline


def test_drawn_between_the_pixels_that_an_edge_parts():
    upright = Quadrilaterals.from_corners([[[20, 10], [80, 10], [80, 60], [20, 60]]])
    row = upright.draw(np.zeros((100, 100), np.uint8))[35].max(axis=1).astype(int)
    # The left edge lies between the pixels 19 and 20, the right one between 79 and 80.
    assert abs(row[19] - row[20]) < 10 < row[19]
    assert abs(row[79] - row[80]) < 10 < row[79]


@pytest.mark.parametrize("corners", ["x", [[1, 2]], [[[1, 2]] * 3], [[[1, 2]] * 3 + [[1, np.inf]]]])
def test_other_corners_are_refused(corners):
    with pytest.raises(ParameterError, match=r"'corners' .* \(n, 4, 2\)"):
        Quadrilaterals.from_corners(corners)


def test_corners_and_boxes_go_together():
    with pytest.raises(ParameterError, match=r"'corners' .* \(2, 4, 2\)"):
        Quadrilaterals([[0, 0, 1, 1]] * 2, corners=CORNERS)
    with pytest.raises(ParameterError, match=r"'corners' .* Got None"):
        Quadrilaterals([[0, 0, 1, 1]])
