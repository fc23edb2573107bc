"""Split and merge by its own rules, on photographs and by hand."""

import numpy as np
import pytest
from scipy import ndimage
from skimage import data, graph, measure

from classical.region_merging import (
    SplitAndMerge,
    merge_even,
    merge_small,
    neighbours,
    quadtree,
)
from vision.errors import ParameterError


def deviations(image, labels):
    """The largest standard deviation of the channels in each region, from label 0 on."""
    index = np.arange(labels.max() + 1)
    planes = np.atleast_3d(image).astype(float).transpose(2, 0, 1)
    return np.max([ndimage.standard_deviation(plane, labels, index) for plane in planes], axis=0)


def test_squares_are_quartered_until_they_are_even():
    image = np.zeros((8, 8), np.uint8)
    image[5, 6] = 200
    squares = quadtree(image, 0)
    sizes = np.bincount(squares.ravel())
    # Three quarters of the image, three of the fourth, and single pixels of the last.
    assert sorted(sizes.tolist()) == [1] * 4 + [4] * 3 + [16] * 3
    assert sizes[squares[5, 6]] == 1 and sizes[squares[0, 0]] == 16


def leaves(image, top, left, side):
    """The squares of the tree below one, by recursion."""
    block = image[top : top + side, left : left + side]
    if not block.size:
        return []
    if side == 1 or block.std(axis=(0, 1)).max() <= 10:
        return [np.s_[top : top + side, left : left + side]]
    half = side // 2
    corners = [(top + y, left + x) for y in (0, half) for x in (0, half)]
    return [leaf for y, x in corners for leaf in leaves(image, y, x, half)]


@pytest.mark.parametrize("shape", [(48, 64), (37, 53), (1, 9), (1, 1)])
def test_squares_of_a_photograph_are_those_found_by_recursion(shape):
    image = data.coffee()[100 : 100 + shape[0], 200 : 200 + shape[1]]
    squares = quadtree(image, 10**2)
    expected = leaves(image, 0, 0, 64)
    assert squares.max() + 1 == len(expected)
    assert len({int(squares[block][0, 0]) for block in expected}) == len(expected)
    assert all(len(np.unique(squares[block])) == 1 for block in expected)


def test_neighbours_are_scikit_images_region_graph():
    labels = quadtree(data.camera()[:100, :120], 15**2)
    theirs = graph.RAG(labels, connectivity=1)
    expected = sorted(tuple(sorted(edge)) for edge in theirs.edges)
    assert [tuple(pair) for pair in neighbours(labels).tolist()] == expected


@pytest.mark.parametrize("name", ["coffee", "camera"])
def test_merged_regions_are_even_and_no_two_more_could_be_joined(name):
    image = getattr(data, name)()[100:200, 180:320]
    labels = SplitAndMerge(min_size=1)(image) - 1
    assert np.all(deviations(image, labels) <= 20 + 1e-9)
    pairs = neighbours(labels)
    assert len(pairs) > 40
    for one, other in pairs.tolist():
        assert deviations(image, (labels == one) | (labels == other))[1] > 20
    assert measure.label(labels, connectivity=1, background=-1).max() == labels.max() + 1


def test_the_evenest_union_comes_first():
    # 10 and 14 deviate by 2, 14 and 20 by 3; all three by 4.1.
    labels = np.arange(3, dtype=np.int32)[None]
    image = np.array([[10, 14, 20]], np.uint8)
    assert merge_even(labels, image, 1.9**2).tolist() == [[0, 1, 2]]
    assert merge_even(labels, image, 3.5**2).tolist() == [[0, 0, 1]]
    assert merge_even(labels, image, 4.2**2).tolist() == [[0, 0, 0]]
    assert merge_even(labels, image[:, ::-1], 3.5**2).tolist() == [[0, 1, 1]]


def test_the_worst_channel_decides():
    image = np.zeros((4, 8, 3), np.uint8)
    image[:, 4:, 2] = 44  # over both halves blue deviates by 22
    assert SplitAndMerge(min_size=1)(image)[0].tolist() == [1] * 4 + [2] * 4
    image[:, 4:, 2] = 38
    assert SplitAndMerge(min_size=1)(image).max() == 1


def test_beyond_the_edge_of_an_odd_picture_there_is_nothing():
    # Of 0, 44 and 44 the deviation is 20.7, above 20; with the last one twice it would be 19.1.
    row = np.array([[0, 44, 44]], np.uint8)
    for image in (row, row.T):
        first, second, third = SplitAndMerge(min_size=1)(image).ravel().tolist()
        assert first != second == third


def test_small_regions_go_to_the_most_similar_neighbour():
    labels = np.array([[3, 3, 3, 5, 5, 7, 7, 7]], np.int32)
    image = np.array([[10, 10, 10, 60, 62, 90, 90, 90]], np.uint8)
    assert merge_small(labels, image, 2).tolist() == [[1, 1, 1, 2, 2, 3, 3, 3]]
    assert merge_small(labels, image, 3).tolist() == [[1, 1, 1, 2, 2, 2, 2, 2]]
    assert merge_small(labels, 255 - image, 3).tolist() == [[1, 1, 1, 2, 2, 2, 2, 2]]
    image[0, 3:5] = 30
    assert merge_small(labels, image, 3).tolist() == [[1, 1, 1, 1, 1, 2, 2, 2]]
    assert merge_small(labels, image, 99).tolist() == [[1] * 8]
    assert merge_small(labels[:, :1], image[:, :1], 99).tolist() == [[1]]


def test_no_region_of_a_photograph_is_smaller_than_asked():
    labels = SplitAndMerge()(data.chelsea())
    assert labels.dtype == np.int32
    sizes = np.bincount(labels.ravel())
    assert sizes[0] == 0 and sizes[1:].min() >= 50 and np.any(sizes[1:] < 60)
    assert measure.label(labels, connectivity=1).max() == labels.max()


@pytest.mark.parametrize("name", ["coffee", "camera"])
def test_the_parts_make_the_whole_on_odd_sizes(name):
    image = getattr(data, name)()[100:201, 180:317]
    merged = merge_even(quadtree(image, 20**2), image, 20**2)
    assert np.array_equal(SplitAndMerge()(image), merge_small(merged, image, 50))


def test_coins_lie_in_regions_of_their_own():
    image = data.coins()
    labels = SplitAndMerge()(image)
    floor = np.bincount(labels[150:, 5:380].ravel()).argmax()  # below, the light is even
    bright = image > 150
    assert np.mean(labels[bright] != floor) > 0.99


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"max_deviation": -1}, "'max_deviation' of SplitAndMerge must be a number at least 0"),
        ({"min_size": 0}, "'min_size'"),
    ],
)
def test_parameters_are_refused_by_name(parameters, message):
    with pytest.raises(ParameterError, match=message):
        SplitAndMerge(**parameters)(np.zeros((4, 4), np.uint8))
