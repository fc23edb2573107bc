"""Filters of contours against scikit-image's measures of the same regions."""

import numpy as np
import pytest
from skimage import color, data, draw, measure
from sklearn.base import clone

from classical.colour import Gray
from classical.contour_filters import FilterByColor, FilterContours
from classical.contours import FindContours
from classical.geometry import Resize
from classical.mask_cleaning import FillHoles
from classical.morphology import Opening
from classical.threshold import InRange, Otsu, Threshold
from vision.contours import Contours
from vision.errors import KindError, ParameterError


@pytest.fixture(scope="module")
def mask():
    return FillHoles()(Otsu()(data.coins()))


@pytest.fixture(scope="module")
def found(mask):
    return FindContours()(mask)


def boxes(contours):
    return sorted(map(tuple, contours.boxes.astype(int).tolist()))


def regions(mask, keep):
    chosen = [r for r in measure.regionprops(measure.label(mask, connectivity=2)) if keep(r)]
    return sorted((r.bbox[1], r.bbox[0], r.bbox[3], r.bbox[2]) for r in chosen)


PLACES = [
    ({"width": (20, 60)}, lambda r: 20 <= r.bbox[3] - r.bbox[1] <= 60),
    ({"height": (50, None)}, lambda r: r.bbox[2] - r.bbox[0] >= 50),
    ({"x": (None, 200)}, lambda r: r.centroid[1] <= 200),
    ({"y": (130, 260)}, lambda r: 130 <= r.centroid[0] <= 260),
    (
        {"aspect_ratio": (0.9, 1.2)},
        lambda r: 0.9 <= (r.bbox[3] - r.bbox[1]) / (r.bbox[2] - r.bbox[0]) <= 1.2,
    ),
    (
        {"x": (100, None), "width": (20, None)},
        lambda r: r.centroid[1] >= 100 and r.bbox[3] - r.bbox[1] >= 20,
    ),
]


@pytest.mark.parametrize(("ranges", "keep"), PLACES)
def test_places_and_sizes_are_scikit_images(mask, found, ranges, keep):
    expected = regions(mask, keep)
    assert 0 < len(expected) < len(found)
    assert boxes(FilterContours(**ranges)(found)) == expected


def test_whole_coins_are_the_round_solid_ones(mask):
    coins = FilterContours(area=(500, None), solidity=(0.9, None), circularity=(0.6, 1))
    chosen = (Opening(5) >> FindContours() >> coins)(mask)
    expected = regions(
        Opening(5)(mask),
        lambda r: r.area > 520 and r.solidity > 0.93 and r.perimeter**2 < 4 * np.pi * r.area / 0.65,
    )
    assert 15 <= len(chosen) <= 30
    assert set(expected) <= set(boxes(chosen))


def drawn_shapes():
    mask = np.zeros((200, 400), np.uint8)
    mask[draw.disk((50, 50), 35.5)] = 255
    mask[20:80, 120:180] = 255
    mask[40:48, 220:300] = 255
    mask[draw.polygon((20, 80, 80), (350, 320, 380))] = 255
    mask[draw.ellipse(150, 80, 20, 60, rotation=np.deg2rad(30))] = 255
    mask[120:180, 220:280] = 255
    mask[120:160, 240:280] = 0
    return mask


@pytest.mark.parametrize(
    ("ranges", "lefts"),
    [
        ({"circularity": (0.85, 1)}, [15]),
        ({"circularity": (0.75, 0.82)}, [120]),
        ({"corners": (4, 4)}, [120, 220]),
        ({"corners": (3, 3)}, [320]),
        ({"corners": (6, 6)}, [220]),
        ({"extent": (0.999, None)}, [120, 220]),
        ({"eccentricity": (0.98, None)}, [220]),
        ({"eccentricity": (None, 0.1)}, [15, 120]),
        ({"solidity": (None, 0.8)}, [220]),
        ({"orientation": (140, 170)}, [26]),
        ({"area": (500, 600)}, [220]),
        ({"perimeter": (None, 175)}, [220]),
        ({"area": (59 * 59, 59 * 59)}, [120]),
        ({}, [15, 26, 120, 220, 220, 320]),
    ],
)
def test_drawn_shapes_by_hand(ranges, lefts):
    chosen = (FindContours() >> FilterContours(**ranges))(drawn_shapes())
    left = sorted(chosen.boxes[:, 0].astype(int).tolist())
    assert len(left) == len(lefts)
    np.testing.assert_allclose(left, lefts, atol=3)


def test_directions_go_round():
    level = np.zeros((100, 300), np.uint8)
    for left, turn in ((50, 4), (150, -4), (250, 30)):
        level[draw.ellipse(50, left, 10, 40, rotation=np.deg2rad(turn), shape=level.shape)] = 255
    chosen = (FindContours() >> FilterContours(orientation=(170, 10)))(level)
    assert len(chosen) == 2
    assert (chosen.centroids[:, 0] < 200).all()


def test_holes_share_the_fate_of_their_regions():
    mask = np.zeros((100, 200), np.uint8)
    mask[10:90, 10:90], mask[30:70, 20:30], mask[45:55, 50:80] = 255, 0, 0
    mask[40:60, 110:190], mask[48:52, 130:150] = 255, 0
    found = FindContours(mode="ccomp")(mask)
    assert len(found) == 5
    square = FilterContours(eccentricity=(None, 0.5))(found)
    assert sorted(square.boxes[:, 0]) == [10, 19, 49]
    assert sorted(square.hierarchy[:, 3] >= 0) == [False, True, True]
    assert sorted(FilterContours(area=(None, 3000))(found).boxes[:, 0]) == [110, 129]


def test_nothing_comes_of_nothing():
    assert len(FilterContours(area=(1, 2), corners=(3, 4))(Contours((), (9, 9)))) == 0


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ({"area": 5}, r"'area' of FilterContours must be a pair.*area=\(5, None\)"),
        ({"area": (1, 2, 3)}, "'area'"),
        ({"x": ("a", 5)}, "'x'"),
        ({"solidity": (0.9, 0.1)}, r"'solidity\[0\]' of FilterContours must not exceed"),
        ({"width": (None, float("nan"))}, "'width'"),
    ],
)
def test_ranges_are_refused_by_name(ranges, message):
    with pytest.raises(ParameterError, match=message):
        FilterContours(**ranges)(Contours((), (9, 9)))


def bright_parts():
    return Gray() >> Threshold(90) >> Opening(5) >> FindContours(50)


def test_colours_of_coffee_are_those_of_scikit_image():
    image = data.coffee()
    find = bright_parts()
    found = find(image)
    wanted = (200, 120, 50)
    labels = found.to_labels()
    means = [image[labels == row + 1].mean(axis=0) for row in range(len(found))]
    lab = color.rgb2lab(np.array([means]) / 255)[0]
    away = np.linalg.norm(lab - color.rgb2lab(np.array(wanted) / 255), axis=1)
    counts = [np.count_nonzero(away <= limit) for limit in (20, 30)]
    assert 0 < counts[0] < counts[1] < len(found)
    for limit in (20, 30):
        assert abs(away - limit).min() > 0.05
        assert boxes(FilterByColor(find, wanted, limit)(image)) == boxes(found[away <= limit])
    assert FilterByColor(find, wanted)(image) == FilterByColor(find, wanted, 25)(image)


def test_red_is_not_blue():
    image = np.zeros((40, 90, 3), np.uint8)
    image[5:35, 5:35], image[5:35, 50:80] = (220, 20, 20), (20, 20, 220)
    find = InRange("rgb", (15, 15, 15), (255, 255, 255)) >> FindContours()
    assert boxes(FilterByColor(find, (200, 0, 0))(image)) == [(5, 5, 35, 35)]
    assert boxes(FilterByColor(find, (0, 0, 200))(image)) == [(50, 5, 80, 35)]
    assert len(FilterByColor(find, (0, 200, 0))(image)) == 0


def test_what_was_found_in_a_smaller_picture_has_its_colour_too():
    image = np.zeros((80, 180, 3), np.uint8)
    image[10:70, 10:70], image[10:70, 100:160] = (220, 20, 20), (20, 20, 220)
    find = Resize(width=90, height=40) >> Gray() >> Threshold(20) >> FindContours()
    (box,) = FilterByColor(find, (220, 20, 20), 10)(image).boxes
    np.testing.assert_allclose(box, (10, 10, 70, 70), atol=2)


def test_a_change_within_the_finder_is_seen():
    step = FilterByColor(bright_parts(), (200, 120, 50), 30)
    before = len(step(data.coffee()))
    step.set_params(find__findcontours__min_area=2000)
    assert len(step(data.coffee())) < before
    assert clone(step)(data.coffee()) == step(data.coffee())


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"find": None}, "'find' of FilterByColor must be a step or pipeline that makes contours"),
        ({"find": np.zeros((4, 4), np.uint8)}, "'find'"),
        ({"color": (1, 2)}, "'color'"),
        ({"color": (1, 2, 256)}, "'color'"),
        ({"color": "red"}, "'color'"),
        ({"max_distance": -1}, "'max_distance'"),
    ],
)
def test_parameters_are_refused_by_name(parameters, message):
    good = {"find": bright_parts(), "color": (1, 2, 3)}
    with pytest.raises(ParameterError, match=message):
        FilterByColor(**(good | parameters))(np.zeros((4, 4, 3), np.uint8))


def test_a_finder_of_no_contours_is_refused():
    with pytest.raises(KindError, match="The 'find' of FilterByColor must make contours"):
        FilterByColor(Gray() >> Otsu(), (1, 2, 3))(np.zeros((4, 4, 3), np.uint8))
