"""Contours against geometry solved by hand, scikit-image and OpenCV's own hierarchy."""

import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage import data, draw, measure

from vision.contours import Contours
from vision.detections import Detections
from vision.errors import ParameterError
from vision.opencv import cv2

pytestmark = pytest.mark.cv2


def found_in(mask, mode=cv2.RETR_EXTERNAL, chain=cv2.CHAIN_APPROX_NONE):
    points, hierarchy = cv2.findContours(mask, mode, chain)
    return Contours.from_opencv(points, hierarchy, mask.shape)


def rings():
    """Three nested frames, as a region, its hole, the region in the hole ... five outlines."""
    mask = np.zeros((60, 60), np.uint8)
    for inset, level in ((5, 255), (10, 0), (15, 255), (20, 0), (25, 255)):
        mask[inset : 60 - inset, inset : 60 - inset] = level
    return mask


def test_rectangle_by_hand():
    mask = np.zeros((40, 50), np.uint8)
    mask[5:15, 20:45] = 255  # 25 x 10 pixels: 24 x 9 between their centres
    found = found_in(mask)
    assert found.areas.tolist() == [24 * 9]
    assert found.perimeters.tolist() == [2 * (24 + 9)]
    assert found.boxes.tolist() == [[20, 5, 45, 15]]
    assert found.centroids.tolist() == [[32, 9.5]]
    (record,) = found.to_records()
    assert record == pytest.approx(
        {"x": 32, "y": 9.5, "left": 20, "top": 5, "right": 45, "bottom": 15}
        | {"area": 216, "perimeter": 66, "circularity": 4 * np.pi * 216 / 66**2, "solidity": 1}
        | {"eccentricity": np.sqrt(1 - (9 / 24) ** 2), "orientation": 0}
    )


def test_triangle_by_hand():
    triangle = Contours(([[0, 0], [30, 0], [0, 40]],), (50, 50))
    assert triangle.areas.tolist() == [600]
    assert triangle.perimeters.tolist() == [120]
    np.testing.assert_allclose(triangle.centroids, [[10, 40 / 3]])


def test_disc():
    mask = np.zeros((201, 201), np.uint8)
    mask[draw.disk((100, 100), 80.5)] = 255
    found = found_in(mask)
    assert abs(found.areas[0] / (np.pi * 80**2) - 1) < 0.01
    np.testing.assert_allclose(found.centroids, [[100, 100]], atol=1e-9)


def test_centroid_and_box_agree_with_scikit_image():
    mask = np.zeros((150, 200), np.uint8)
    mask[draw.ellipse(70, 90, 40, 60, rotation=0.4)] = 255
    (region,) = measure.regionprops(mask // 255)
    found = found_in(mask)
    np.testing.assert_allclose(found.centroids[0], region.centroid[::-1], atol=0.05)
    top, left, bottom, right = region.bbox
    assert found.boxes.tolist() == [[left, top, right, bottom]]
    # Pick's theorem: pixels within and on the outline from the area between centres.
    assert found.areas[0] + len(found[0]) / 2 + 1 == region.area


@given(
    st.lists(
        st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=3, max_size=12, unique=True
    )
)
def test_area_is_the_shoelace_formula(corners):
    x, y = np.array(corners).T
    expected = abs(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2
    assert Contours((corners,), (501, 501)).areas[0] == pytest.approx(expected)


def test_contours_without_area_have_the_mean_of_their_corners():
    found = Contours(([[3, 4]], [[2, 2], [6, 2]]), (10, 10))
    assert found.areas.tolist() == [0, 0]
    assert found.centroids.tolist() == [[3, 4], [4, 2]]
    assert found.boxes.tolist() == [[3, 4, 4, 5], [2, 2, 7, 3]]


def test_nothing_found():
    empty = found_in(np.zeros((9, 9), np.uint8))
    assert len(empty) == 0
    assert empty.areas.shape == (0,)
    assert empty.boxes.shape == (0, 4)
    assert empty.centroids.shape == (0, 2)
    assert len(empty.to_detections("x")) == 0
    assert empty == Contours((), (9, 9))


def test_opencvs_own_equals_the_constructors():
    points, hierarchy = cv2.findContours(rings(), cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
    lazy = Contours.from_opencv(points, hierarchy, (60, 60))
    checked = Contours(tuple(p.reshape(-1, 2) for p in points), (60, 60), hierarchy[0])
    assert lazy == checked
    assert not lazy[0].flags.writeable
    assert [one.shape[1] for one in lazy] == [2] * 5
    with pytest.raises(AttributeError, match="sizes"):
        lazy.sizes  # noqa: B018


def test_the_chosen_ones_do_not_keep_the_others_in_memory():
    outline = np.array([[[1, 1]], [[1, 4]], [[4, 4]]], np.int32)
    other = outline.copy()
    left_out = weakref.ref(other)
    some = Contours.from_opencv((outline, other), None, (9, 9), kept=np.array([True, False]))
    del other
    assert left_out() is None
    assert np.array_equal(some.points, [[[1, 1], [1, 4], [4, 4]]])


@pytest.mark.parametrize("mode", [cv2.RETR_TREE, cv2.RETR_CCOMP, cv2.RETR_LIST, cv2.RETR_EXTERNAL])
@pytest.mark.parametrize("mask", [rings(), (data.coins() > 110).astype(np.uint8) * 255])
def test_choosing_all_keeps_opencvs_hierarchy(mode, mask):
    found = found_in(mask, mode)
    assert len(found[:]) == len(found) > 0
    assert np.array_equal(found[np.arange(len(found))].hierarchy, found.hierarchy)


def test_a_parent_left_out_gives_way_to_its_own():
    tree = found_in(rings(), cv2.RETR_TREE)
    assert tree.hierarchy[:, 3].tolist() == [-1, 0, 1, 2, 3]
    some = tree[[True, False, True, False, True]]
    assert some.hierarchy.tolist() == [[-1, -1, 1, -1], [-1, -1, 2, 0], [-1, -1, -1, 1]]
    roots = tree[[3]]
    assert roots.hierarchy.tolist() == [[-1, -1, -1, -1]]


def test_to_detections():
    mask = np.zeros((40, 50), np.uint8)
    mask[5:15, 20:45] = 255
    expected = Detections([[20, 5, 45, 15]], labels=["part"], shape=(40, 50))
    assert found_in(mask).to_detections("part") == expected
    assert found_in(mask).to_detections().labels is None


def test_mapping_to_the_larger_image_it_was_cropped_and_halved_from():
    square = Contours(([[2, 2], [2, 6], [6, 6], [6, 2]],), (20, 20))
    there = square.mapped([[2, 0, 10.5], [0, 2, 30.5], [0, 0, 1]], (100, 100))
    # 14.5 and 34.5 round to even.
    assert there[0].tolist() == [[14, 34], [14, 42], [22, 42], [22, 34]]
    assert there.shape == (100, 100)


def test_what_crosses_the_border_is_cut_there():
    triangle = Contours(([[0, 50], [100, 0], [100, 100]],), (101, 101))
    cut = triangle.mapped([[1, 0, -50], [0, 1, 0], [0, 0, 1]], (101, 51))
    # The tip is gone; its sides meet the left edge a quarter of the height from the middle.
    assert sorted(map(tuple, cut[0].tolist())) == [(0, 25), (0, 75), (50, 0), (50, 100)]
    assert cut.areas.tolist() == [0.5 * (50 + 100) * 50]


def test_what_lies_outside_is_left_out_of_the_tree_too():
    tree = found_in(rings(), cv2.RETR_TREE)
    two = Contours((*tree.points, [[1, 1], [3, 1], [3, 3]]), (60, 60))
    moved = two.mapped([[1, 0, -4], [0, 1, -4], [0, 0, 1]], (60, 60))
    assert len(moved) == 5


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"points": 5}, "a tuple of arrays"),
        ({"points": ([[0.5, 1]],)}, "arrays of whole"),
        ({"points": ([],)}, "arrays of whole"),
        ({"points": ([[1, 2, 3]],)}, "arrays of whole"),
        ({"points": ([[2**40, 0]],)}, "arrays of whole"),
        ({"shape": None}, "height, width"),
        ({"hierarchy": [[0, 0, 0, 0], [0, 0, 0, 0]]}, r"shape \(1, 4\)"),
        ({"hierarchy": [[7, 0, 0, 0]]}, "from -1 to 0"),
        ({"hierarchy": [[0.5, 0, 0, 0]]}, "whole numbers"),
    ],
)
def test_refusals_name_the_field(arguments, says):
    good = {"points": ([[1, 1]],), "shape": (5, 5), "hierarchy": None}
    name = next(iter(arguments))
    with pytest.raises(ParameterError, match=f"The '{name}' of Contours must be .*{says}"):
        Contours(**(good | arguments))
