"""Outlines against scikit-image's regions and polygons, Pick's theorem, and shapes by hand."""

import numpy as np
import pytest
from scipy import ndimage, spatial
from skimage import data, draw, measure

from classical.contours import ApproximatePolygons, ConvexHulls, FillContours, FindContours
from classical.edges import Canny
from classical.morphology import Opening
from classical.superpixels import Felzenszwalb
from classical.threshold import Otsu
from classical.watershed import DistanceWatershed
from vision.contours import Contours
from vision.errors import ImageError, KindError, ParameterError
from vision.opencv import cv2


@pytest.fixture(scope="module")
def coins():
    return Opening(3)(Otsu()(data.coins()))


def regions(mask):
    return measure.regionprops(measure.label(mask > 0, connectivity=2))


def square(mask, row, column, side, value=255):
    mask[row : row + side, column : column + side] = value


def nested():
    """A frame with a dot in its hole, the dot with a hole of its own, and a square apart."""
    mask = np.zeros((60, 80), np.uint8)
    square(mask, 5, 5, 50)
    square(mask, 10, 10, 40, 0)
    square(mask, 20, 20, 20)
    square(mask, 27, 27, 6, 0)
    square(mask, 10, 65, 8)
    return mask


def test_every_region_of_coins_has_its_outline_and_box(coins):
    found = FindContours()(coins)
    filled = ndimage.binary_fill_holes(coins > 0)
    outer = regions(filled.astype(np.uint8))
    assert isinstance(found, Contours)
    assert found.shape == coins.shape
    assert len(found) == len(outer) > 20
    boxes = {(r.bbox[1], r.bbox[0], r.bbox[3], r.bbox[2]) for r in outer}
    assert {tuple(map(int, box)) for box in found.boxes} == boxes


def test_the_outlines_of_coins_enclose_the_filled_regions(coins):
    covered = np.zeros(coins.shape, bool)
    for points in FindContours()(coins):
        columns, rows = points.T
        covered[draw.polygon(rows, columns, coins.shape)] = True
        covered[draw.polygon_perimeter(rows, columns, coins.shape)] = True
    assert np.array_equal(covered, ndimage.binary_fill_holes(coins > 0))


def test_areas_obey_picks_theorem():
    rows, columns = np.mgrid[:120, :150]
    mask = np.where(np.hypot(rows - 55, columns - 70) <= 40, 255, 0).astype(np.uint8)
    (outline,) = FindContours(approximation="none")(mask)
    (area,) = FindContours()(mask).areas
    # pixels inside or on the outline = A + B / 2 + 1
    assert np.count_nonzero(mask) == area + len(outline) / 2 + 1


def test_a_rectangle_has_four_corners_or_all_its_outer_pixels():
    mask = np.zeros((30, 40), np.uint8)
    mask[5:15, 8:28] = 255
    (corners,) = FindContours()(mask)
    assert sorted(map(tuple, corners.tolist())) == [(8, 5), (8, 14), (27, 5), (27, 14)]
    (outline,) = FindContours(approximation="none")(mask)
    assert len(outline) == 2 * (20 + 10) - 4
    assert np.abs(np.diff(np.vstack([outline, outline[:1]]), axis=0)).max() == 1


def test_what_touches_the_border_or_only_by_a_corner_counts():
    full = FindContours()(np.full((6, 9), 255, np.uint8))
    assert full.boxes.tolist() == [[0, 0, 9, 6]]
    diagonal = np.zeros((6, 6), np.uint8)
    diagonal[1, 1] = diagonal[2, 2] = 255
    assert len(FindContours()(diagonal)) == 1
    assert len(FindContours()(np.zeros((6, 6), np.uint8))) == 0
    assert FindContours(1)(np.zeros((6, 6), np.uint8)).areas.shape == (0,)


def test_modes_choose_the_outlines():
    mask = nested()
    sides = {
        "external": [50, 8],
        "list": [50, 42, 20, 8, 8],
        "ccomp": [50, 42, 20, 8, 8],
        "tree": [50, 42, 20, 8, 8],
    }
    for mode, expected in sides.items():
        boxes = FindContours(mode=mode)(mask).boxes
        # the outline of a hole runs through the region around it
        assert sorted(boxes[:, 2] - boxes[:, 0]) == sorted(expected)
    assert FindContours()(mask) == FindContours(mode="external")(mask)


def parents_by_width(contours):
    widths = (contours.boxes[:, 2] - contours.boxes[:, 0]).astype(int)
    return {
        (int(width), int(box[0])): None if parent < 0 else int(widths[parent])
        for width, box, parent in zip(widths, contours.boxes, contours.hierarchy[:, 3])
    }


def test_the_hierarchy_is_the_nesting():
    tree = parents_by_width(FindContours(mode="tree")(nested()))
    assert tree == {(50, 5): None, (42, 9): 50, (20, 20): 42, (8, 26): 20, (8, 65): None}
    flat = parents_by_width(FindContours(mode="ccomp")(nested()))
    assert flat == {(50, 5): None, (42, 9): 50, (20, 20): None, (8, 26): 20, (8, 65): None}


def test_holes_go_with_their_regions():
    # areas of polygons: 49^2, hole 41^2, 19^2, its hole less than 8^2, apart 7^2
    without_small = FindContours(100, mode="tree")(nested())
    assert parents_by_width(without_small) == {(50, 5): None, (42, 9): 50, (20, 20): 42}
    without_large = FindContours(max_area=19**2, mode="tree")(nested())
    assert parents_by_width(without_large) == {(20, 20): None, (8, 26): 20, (8, 65): None}
    without_frame = FindContours(max_area=49**2 - 1, mode="ccomp")(nested())
    assert parents_by_width(without_frame) == {(20, 20): None, (8, 26): 20, (8, 65): None}
    # a list knows no holes: each outline counts for itself
    listed = FindContours(max_area=49**2 - 1, mode="list")(nested())
    assert sorted(listed.boxes[:, 2] - listed.boxes[:, 0]) == [8, 8, 20, 42]


def test_the_limits_of_area_are_included():
    mask = np.zeros((40, 60), np.uint8)
    for column, side in ((2, 4), (12, 6), (25, 11)):
        square(mask, 5, column, side)
    mask[35, 35] = 255
    for parameters, kept in (
        ({"min_area": 25}, [25, 100]),
        ({"min_area": 26}, [100]),
        ({"max_area": 25}, [0, 9, 25]),
        ({"max_area": 24}, [0, 9]),
        ({"min_area": 9, "max_area": 25}, [9, 25]),
        ({"max_area": 0}, [0]),
        ({}, [0, 9, 25, 100]),
    ):
        assert sorted(FindContours(**parameters)(mask).areas) == kept


@pytest.mark.parametrize("mode", ["external", "list", "ccomp", "tree"])
def test_links_stay_consistent_after_a_filter(coins, mode):
    found = FindContours(20, 1500, mode=mode)(coins)
    following, previous, child, parent = found.hierarchy.T
    assert 0 < len(found) < len(FindContours(mode=mode)(coins))
    assert found.hierarchy.min() >= -1
    assert found.hierarchy.max() < len(found)
    for number in range(len(found)):
        if following[number] >= 0:
            assert previous[following[number]] == number
            assert parent[following[number]] == parent[number]
        if child[number] >= 0:
            assert parent[child[number]] == number
            assert previous[child[number]] == -1
    areas = found.areas
    assert areas.min() >= 20
    assert areas[parent < 0].max() <= 1500


def test_edges_are_a_mask_too():
    edges = Canny()(data.coins())
    assert len(FindContours()(edges)) > 20


def test_a_gray_image_is_refused_with_the_way_out():
    with pytest.raises(KindError, match=r"Otsu\(\) >> FindContours"):
        FindContours()(data.coins())


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"min_area": -1}, "The 'min_area' of FindContours must be a number at least 0. Got -1"),
        ({"max_area": "big"}, "'max_area'"),
        ({"min_area": 10, "max_area": 5}, "'min_area' of FindContours must not exceed 'max_area'"),
        ({"mode": "extern"}, "Did you mean 'external'"),
        ({"approximation": "tc89"}, "'approximation'"),
    ],
)
def test_parameters_are_refused_by_name(parameters, message):
    with pytest.raises(ParameterError, match=message):
        FindContours(**parameters)(np.zeros((4, 4), np.uint8))


def test_polygons_of_few_corners():
    mask = np.zeros((120, 200), np.uint8)
    mask[draw.polygon((10, 90, 70), (15, 30, 90))] = 255
    mask[draw.polygon((20, 50, 110, 80), (120, 190, 170, 105))] = 255
    chain = FindContours() >> ApproximatePolygons()
    assert sorted(len(one) for one in chain(mask)) == [3, 4]
    corners = min(chain(mask).points, key=len)
    drawn = np.array([(15, 10), (30, 90), (90, 70)])
    away = np.linalg.norm(corners[:, None] - drawn, axis=2)
    assert (away.min(axis=0) < 3).all()


def test_the_tolerance_is_a_share_of_the_outline(coins):
    found = FindContours(200, approximation="none")(coins)
    for tolerance in (0.005, 0.02, 0.1):
        few = ApproximatePolygons(tolerance)(found)
        assert len(few) == len(found)
        for outline, polygon, length in zip(found, few, found.perimeters, strict=True):
            theirs = measure.approximate_polygon(
                np.vstack([outline, outline[:1]]), tolerance * length
            )
            assert abs(len(polygon) - (len(theirs) - 1)) <= max(2, 0.4 * len(theirs))
    assert ApproximatePolygons()(found) == ApproximatePolygons(0.02)(found)
    assert [len(one) for one in ApproximatePolygons(0)(found)] == [
        len(one) for one in FindContours(200)(coins)
    ]


def test_convex_hulls_of_coins_are_scipys(coins):
    found = FindContours(300)(coins)
    hulls = ConvexHulls()(found)
    assert len(hulls) == len(found) > 15
    for outline, hull in zip(found, hulls, strict=True):
        expected = spatial.ConvexHull(outline)
        assert cv2.contourArea(hull) == pytest.approx(expected.volume)
        assert set(map(tuple, outline[expected.vertices])) == set(map(tuple, hull))
    assert (hulls.areas > found.areas).any()


def test_the_hull_of_an_angle_by_hand():
    mask = np.zeros((50, 50), np.uint8)
    mask[10:40, 10:20] = mask[30:40, 10:40] = 255
    (hull,) = hulls = (FindContours() >> ConvexHulls())(mask)
    corners = [(10, 10), (10, 39), (19, 10), (39, 30), (39, 39)]
    assert sorted(map(tuple, hull.tolist())) == corners
    # the square without the triangle that the angle leaves open
    assert hulls.areas.tolist() == [29**2 - 20**2 / 2]


def test_filled_again_a_mask_comes_back(coins):
    assert np.array_equal((FindContours(mode="ccomp") >> FillContours())(coins), coins)
    assert np.array_equal((FindContours(mode="tree") >> FillContours())(coins), coins)
    filled = ndimage.binary_fill_holes(coins)
    assert np.array_equal((FindContours() >> FillContours())(coins) > 0, filled)


def test_what_was_left_out_is_not_filled():
    # the dot's hole and the square apart are smaller: the dot is whole, the square gone
    expected = np.zeros((60, 80), np.uint8)
    square(expected, 5, 5, 50)
    square(expected, 10, 10, 40, 0)
    square(expected, 20, 20, 20)
    chain = FindContours(100, mode="tree") >> FillContours()
    assert np.array_equal(chain(nested()), expected)


def test_a_negative_tolerance_is_refused():
    with pytest.raises(ParameterError, match="'tolerance' of ApproximatePolygons"):
        ApproximatePolygons(-1)(FindContours()(np.zeros((4, 4), np.uint8)))


@pytest.mark.parametrize("step", [ApproximatePolygons(), ConvexHulls(), FillContours()])
def test_only_contours_are_taken(step):
    with pytest.raises(KindError, match="takes contours"):
        step(data.coins())


def labelled():
    """Coins apart from each other, some with holes, and two labels that touch."""
    labels = (Otsu() >> DistanceWatershed(height=4))(data.coins())
    labels[20:40, 300:330], labels[20:40, 330:360] = 900, 2000
    labels[25:30, 310:320] = 0
    labels[26:28, 312:316] = 7
    return labels


@pytest.mark.parametrize("mode", ["external", "list", "ccomp", "tree"])
@pytest.mark.parametrize("approximation", ["simple", "none"])
def test_of_a_label_map_each_label_has_the_outlines_of_its_mask(mode, approximation):
    labels = labelled()
    step = FindContours(mode=mode, approximation=approximation)
    expected = [step(((labels == k) * 255).astype(np.uint8)) for k in np.unique(labels[labels > 0])]
    found = step(labels)
    points = [one for contours in expected for one in contours.points]
    assert len(found) == len(points) > 40
    assert all(np.array_equal(*pair) for pair in zip(found.points, points, strict=True))
    counts = np.cumsum([0, *(len(one) for one in expected)])
    parents = [
        np.where(one.hierarchy[:, 3] < 0, -1, one.hierarchy[:, 3] + start)
        for one, start in zip(expected, counts)
    ]
    assert np.array_equal(found.hierarchy[:, 3], np.concatenate(parents))


@pytest.mark.parametrize("background", [0, 1])
def test_labels_may_be_of_any_height(background):
    labels = labelled() + np.int32(background)
    high = np.where(labels > 1, labels.astype(np.int64) * 500_000, labels).astype(np.int32)
    assert high.max() > 500_000_000
    for mode in ("external", "tree"):
        found, expected = FindContours(mode=mode)(high), FindContours(mode=mode)(labels)
        assert all(
            np.array_equal(*pair) for pair in zip(found.points, expected.points, strict=True)
        )
        assert np.array_equal(found.hierarchy, expected.hierarchy)


def test_the_links_of_a_label_maps_outlines_lead_through_all_of_them():
    links = FindContours(mode="tree")(labelled()).hierarchy
    at, walked = int(np.flatnonzero((links[:, 3] < 0) & (links[:, 1] < 0))[0]), []
    while at >= 0:
        walked.append(at)
        assert links[at, 0] < 0 or links[links[at, 0], 1] == at
        at = links[at, 0]
    assert walked == np.flatnonzero(links[:, 3] < 0).tolist()


def test_objects_that_a_watershed_took_apart_are_measured_apart():
    y, x = np.mgrid[:60, :90]
    mask = (((x - 30) ** 2 + (y - 30) ** 2 <= 400) | ((x - 60) ** 2 + (y - 30) ** 2 <= 400)) * 255
    mask = mask.astype(np.uint8)
    assert len(FindContours()(mask)) == 1
    found = (DistanceWatershed() >> FindContours())(mask)
    regions = measure.regionprops(DistanceWatershed()(mask))
    assert len(found) == len(regions) == 2
    for row, region in zip(found.to_records(), regions, strict=True):
        top, left, bottom, right = region.bbox
        assert [row[side] for side in ("left", "top", "right", "bottom")] == [
            left,
            top,
            right,
            bottom,
        ]
        assert (row["y"], row["x"]) == pytest.approx(region.centroid, abs=0.5)
        # of the polygon through the pixels' centres: half a pixel is missing along the outline
        assert row["area"] == pytest.approx(region.area - region.perimeter / 2, rel=0.01)
    assert np.array_equal(FillContours()(found), mask)


def test_a_label_map_without_objects_has_no_outlines_and_a_negative_label_is_refused():
    assert len(FindContours(mode="tree")(np.zeros((4, 5), np.int32))) == 0
    with pytest.raises(ImageError, match=r"FindContours takes labels of 0.*Got -1; np.maximum"):
        FindContours()(np.array([[0, -1]], np.int32))


def test_areas_choose_among_the_outlines_of_a_label_map():
    labels = labelled()
    every = FindContours(mode="ccomp")(labels)
    chosen = FindContours(min_area=500, mode="ccomp")(labels)
    assert 0 < len(chosen) < len(every)
    assert chosen.areas.tolist() == [area for area in every.areas.tolist() if area >= 500]


def test_label_maps_come_back_from_their_outlines_whatever_lies_in_or_across_another():
    inner = np.zeros((30, 30), np.int32)
    inner[3:27, 3:27], inner[10:20, 10:20] = 1, 2
    crossed = np.array([[3, 3, 0], [3, 2, 3], [2, 3, 2], [2, 2, 0], [3, 1, 3]], np.int32)
    regions = Felzenszwalb()(data.astronaut()[::4, ::4].copy())
    for labels in (inner, crossed, regions, labelled()):
        for mode in ("ccomp", "tree"):
            found = FindContours(mode=mode)(labels)
            assert np.array_equal(FillContours()(found) > 0, labels > 0)
        found = FindContours()(labels)
        filled = FillContours()(found) > 0
        assert filled[labels > 0].all()
        assert np.array_equal(FillContours()(found[np.arange(len(found))]) > 0, filled)
    assert FillContours()(FindContours()(inner)).all(axis=0).sum() == 0
    assert (FillContours()(FindContours()(inner)) > 0).sum() == 24 * 24
