"""Measures of contours against scikit-image, geometry solved by hand, and identities."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data, draw, measure

from vision.contours import Contours
from vision.errors import ParameterError
from vision.opencv import cv2

pytestmark = pytest.mark.cv2
# width and height of the turned rectangle, its direction and centre
LONG, SHORT, TURN, MIDDLE = 200.0, 80.0, 30.0, (400.0, 350.0)


def polygon(points, shape=(800, 800)):
    return Contours((np.rint(points).astype(int),), shape)


def turned_rectangle(turn=TURN):
    along = np.array([np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))])
    across = np.array([-along[1], along[0]])
    signs = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    return MIDDLE + signs[:, :1] * along * LONG / 2 + signs[:, 1:] * across * SHORT / 2


def disc(radius=150):
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    return MIDDLE + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def outlines(mask, mode=cv2.RETR_EXTERNAL, chain=cv2.CHAIN_APPROX_SIMPLE):
    points, hierarchy = cv2.findContours(mask, mode, chain)
    return Contours.from_opencv(points, hierarchy, mask.shape)


def coins():
    return np.where(data.coins() > 110, 255, 0).astype(np.uint8)


@pytest.mark.parametrize("turn", [0, 30, 45, 89, 90, 135, 179])
def test_a_turned_rectangle_by_hand(turn):
    found = polygon(turned_rectangle(turn))
    x, y, length, width, angle = found.rotated_boxes[0]
    np.testing.assert_allclose((x, y), MIDDLE, atol=1)
    np.testing.assert_allclose((length, width), (LONG, SHORT), atol=1.5)
    assert abs((angle - turn + 90) % 180 - 90) < 0.6
    assert 0 <= angle < 180
    corners = found.rotated_corners[0]
    away = np.linalg.norm(corners[:, None] - turned_rectangle(turn), axis=2)
    assert (away.min(axis=0) < 1.5).all()
    # of a rectangle a x b the ellipse of equal moments has the axes 4 a / sqrt(12), 4 b / sqrt(12)
    _, _, long, short, direction = found.ellipses[0]
    np.testing.assert_allclose((long, short), np.array([LONG, SHORT]) * 4 / 12**0.5, atol=2)
    assert abs((direction - turn + 90) % 180 - 90) < 0.6
    assert found.orientations[0] == direction
    np.testing.assert_allclose(found.eccentricities, np.sqrt(1 - (SHORT / LONG) ** 2), atol=2e-3)
    np.testing.assert_allclose(found.solidities, 1, atol=1e-9)
    expected = 4 * np.pi * LONG * SHORT / (2 * (LONG + SHORT)) ** 2
    np.testing.assert_allclose(found.circularities, expected, atol=5e-3)


def test_a_circle_by_hand():
    found = polygon(disc())
    np.testing.assert_allclose(found.equivalent_diameters, 300, rtol=2e-3)
    np.testing.assert_allclose(found.ellipses[0, 2:4], 300, rtol=3e-3)
    np.testing.assert_allclose(found.eccentricities, 0, atol=0.08)
    np.testing.assert_allclose(found.circularities, 1, atol=0.02)
    np.testing.assert_allclose(found.extents, np.pi / 4, rtol=5e-3)
    np.testing.assert_allclose(found.aspect_ratios, 1)
    assert found.circularities[0] < 1
    # Hu's first invariant of a disc is 1 / (2 pi), all others vanish
    np.testing.assert_allclose(found.hu_moments[0], [1 / (2 * np.pi), *[0] * 6], atol=1e-5)


def test_upright_and_level_rectangles_by_hand():
    found = Contours(
        ([[10, 5], [10, 25], [14, 25], [14, 5]], [[0, 0], [9, 0], [9, 9], [0, 9]]), (40, 40)
    )
    assert found.aspect_ratios.tolist() == [5 / 21, 1]
    assert found.extents.tolist() == found.solidities.tolist() == [1, 1]
    assert found.rotated_boxes[0].tolist() == [12, 15, 20, 4, 90]
    np.testing.assert_allclose(found.circularities[1], np.pi / 4)
    np.testing.assert_allclose(found.eccentricities[1], 0, atol=1e-6)
    assert found.hull_areas.tolist() == found.areas.tolist() == [80, 81]


def test_an_l_by_hand():
    corner = [[0, 0], [20, 0], [20, 10], [10, 10], [10, 20], [0, 20]]
    found = Contours((corner,), (30, 30))
    assert found.areas[0] == 300
    assert found.hull_areas[0] == 350
    assert found.solidities[0] == 300 / 350
    assert found.extents[0] == 300 / 400
    assert len(found.hulls()[0]) == 5
    assert found.hulls().areas.tolist() == found.hull_areas.tolist()


def test_lines_and_points_have_measures_too():
    found = Contours(
        ([[3, 4]], [[2, 2], [8, 2]], [[5, 1], [5, 7]], [[1, 1], [4, 5], [7, 9]]), (12, 12)
    )
    assert found.circularities.tolist() == [0, 0, 0, 0]
    assert found.solidities.tolist() == [*found.extents[:3].tolist(), 1] == [1, 1, 1, 1]
    assert found.eccentricities.tolist() == pytest.approx([0, 1, 1, 1])
    np.testing.assert_allclose(found.rotated_boxes[1], [5, 2, 6, 0, 0], atol=1e-6)
    np.testing.assert_allclose(found.rotated_boxes[2], [5, 4, 6, 0, 90], atol=1e-6)
    np.testing.assert_allclose(found.ellipses[3, 2:4], [10, 0], atol=1e-5)
    assert not found.hu_moments.any()
    assert np.isfinite(np.array([list(record.values()) for record in found.to_records()])).all()


@pytest.mark.parametrize("chain", [cv2.CHAIN_APPROX_SIMPLE, cv2.CHAIN_APPROX_NONE])
def test_of_coins_they_are_scikit_images(chain):
    # Filled, and large: scikit-image measures pixels, we the polygon through their centres.
    mask = outlines(coins()).to_mask()
    regions = [r for r in measure.regionprops(measure.label(mask)) if 700 < r.area < 4000]
    found = outlines(mask, chain=chain)
    boxes = [tuple(box) for box in found.boxes.astype(int).tolist()]
    assert len(regions) > 15
    for region in regions:
        top, left, bottom, right = region.bbox
        row = boxes.index((left, top, right, bottom))
        long, short = region.axis_major_length, region.axis_minor_length
        np.testing.assert_allclose(found.ellipses[row, 2:4] + 1, (long, short), rtol=0.03)
        flat = np.sqrt(1 - np.array([found.eccentricities[row], region.eccentricity]) ** 2)
        np.testing.assert_allclose(*flat, atol=0.02)
        np.testing.assert_allclose(found.solidities[row], region.solidity, atol=0.03)
        np.testing.assert_allclose(
            found.equivalent_diameters[row] + 1, region.equivalent_diameter_area, rtol=0.03
        )
        if region.eccentricity > 0.5:
            # scikit-image's angle runs from the row axis, counterclockwise
            turned = found.orientations[row] - (90 - np.rad2deg(region.orientation))
            assert abs((turned + 90) % 180 - 90) < 3


def test_directions_of_drawn_ellipses_are_scikit_images():
    for rotation in (-1.2, -0.4, 0.3, 1.0, 1.5):
        mask = np.zeros((200, 200), np.uint8)
        mask[draw.ellipse(100, 95, 30, 70, rotation=rotation)] = 255
        (region,) = measure.regionprops(mask // 255)
        turned = outlines(mask).orientations[0] - (90 - np.rad2deg(region.orientation))
        assert abs((turned + 90) % 180 - 90) < 0.2
        np.testing.assert_allclose(outlines(mask).ellipses[0, 2:4] + 1, (140, 60), atol=1.5)


def test_hus_moments_are_scikit_images_of_the_same_pixels():
    mask = np.where(data.horse(), 0, 255).astype(np.uint8)
    found = outlines(mask)
    row = found.areas.argmax()
    region = max(measure.regionprops(measure.label(found.to_mask())), key=lambda r: r.area)
    np.testing.assert_allclose(found.hu_moments[row, :3], region.moments_hu[:3], rtol=0.05)


@pytest.mark.parametrize("turn", [0.4, 1.7, 3.0])
@pytest.mark.parametrize("scale", [0.7, 2.3])
def test_hus_moments_do_not_change_with_place_size_and_direction(turn, scale):
    # large, for corners are rounded to pixels
    shape = 20 * np.array([[0, 0], [300, 20], [320, 90], [90, 110], [60, 330], [-30, 300]])
    matrix = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    one = Contours((shape,), (1, 1)).hu_moments[0]
    other = polygon(shape @ matrix.T + (70, -40)).hu_moments[0]
    np.testing.assert_allclose(other, one, rtol=0.01)
    mirrored = Contours((shape * (-1, 1),), (1, 1)).hu_moments[0]
    np.testing.assert_allclose(mirrored, one * (1, 1, 1, 1, 1, 1, -1), rtol=1e-6)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90)), min_size=1, max_size=9, unique=True)
)
def test_shares_stay_within_their_limits(corners):
    hull = Contours((corners,), (91, 91)).hulls()
    for values in (hull.solidities, hull.extents, hull.circularities, hull.eccentricities):
        assert ((values >= 0) & (values <= 1 + 1e-6)).all()
    long, short, angle = hull.ellipses[0, 2:]
    assert long >= short >= 0
    assert 0 <= angle < 180


def test_depths_are_the_nesting():
    mask = np.zeros((60, 60), np.uint8)
    for inset, level in ((5, 255), (10, 0), (15, 255), (20, 0), (25, 255)):
        mask[inset:-inset, inset:-inset] = level
    assert sorted(outlines(mask, cv2.RETR_TREE).depths) == [0, 1, 2, 3, 4]
    assert sorted(outlines(mask, cv2.RETR_CCOMP).depths) == [0, 0, 0, 1, 1]
    assert outlines(mask).depths.tolist() == [0]
    assert Contours(([[1, 1]],), (5, 5)).depths.tolist() == [0]


def test_approximation_is_scikit_images():
    mask = np.where(data.horse(), 0, 255).astype(np.uint8)
    found = outlines(mask, chain=cv2.CHAIN_APPROX_NONE)
    found = found[[int(found.areas.argmax())]]
    for share in (0.005, 0.02):
        tolerance = share * found.perimeters[0]
        few = found.approximated(share)[0]
        closed = np.vstack([few, few[:1]])
        # every pixel of the outline is within the tolerance of the polygon, as the paper demands
        away = [cv2.pointPolygonTest(few, p, True) for p in found[0].astype(float).tolist()]
        assert np.abs(away).max() <= tolerance + 1
        theirs = measure.approximate_polygon(np.vstack([found[0], found[0][:1]]), tolerance)
        assert abs(len(closed) - len(theirs)) <= 0.3 * len(theirs)
    assert np.array_equal(found.approximated()[0], found.approximated(0.02)[0])


def test_corners_of_drawn_shapes():
    shapes = turned_rectangle(17), disc(), turned_rectangle(60)[:3]
    found = Contours(tuple(np.rint(one).astype(int) for one in shapes), (800, 800))
    corners = [len(one) for one in found.approximated()]
    assert corners[0] == 4
    assert 7 <= corners[1] <= 16
    assert corners[2] == 3


def compared(ours, theirs, method):
    """The formulas that OpenCV's documentation gives; it leaves out moments below 1e-5."""
    usable = (np.abs(ours) > 1e-5) & (np.abs(theirs) > 1e-5)
    one, other = (np.sign(h[usable]) * np.log10(np.abs(h[usable])) for h in (ours, theirs))
    if method == "i1":
        return np.abs(1 / one - 1 / other).sum()
    return np.abs(one - other).sum() if method == "i2" else np.abs((one - other) / one).max()


@pytest.mark.parametrize("method", ["i1", "i2", "i3"])
def test_distances_of_shapes_are_those_of_their_moments(method):
    found = outlines(coins())
    found = found[found.areas > 20]
    template = np.rint(turned_rectangle()).astype(np.int32)
    wanted = polygon(template).hu_moments[0]
    expected = [compared(moments, wanted, method) for moments in found.hu_moments]
    np.testing.assert_allclose(found.shape_distances(template, method), expected, rtol=1e-6)
    if method == "i1":
        assert np.array_equal(
            found.shape_distances(template), found.shape_distances(template, "i1")
        )


def test_a_shape_is_at_no_distance_from_itself_turned_and_enlarged():
    found = polygon(turned_rectangle(10))
    np.testing.assert_allclose(found.shape_distances(3 * turned_rectangle(75)), 0, atol=0.01)
    assert polygon(disc()).shape_distances(turned_rectangle())[0] > 0.1
    assert np.isinf(Contours(([[1, 1]],), (9, 9)).shape_distances(turned_rectangle()))


def test_nothing_found_has_measures_of_length_none():
    empty = Contours((), (9, 9))
    for name in (
        *("areas", "perimeters", "equivalent_diameters", "solidities", "extents", "depths"),
        *("aspect_ratios", "circularities", "eccentricities", "orientations", "hull_areas"),
    ):
        assert getattr(empty, name).shape == (0,)
    assert empty.ellipses.shape == empty.rotated_boxes.shape == (0, 5)
    assert empty.rotated_corners.shape == (0, 4, 2)
    assert empty.hu_moments.shape == (0, 7)
    assert len(empty.hulls()) == len(empty.approximated()) == 0
    assert empty.shape_distances(turned_rectangle()).shape == (0,)


def test_measures_are_protected():
    found = polygon(disc())
    for name in ("areas", "ellipses", "hu_moments", "solidities", "rotated_boxes"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(found, name)[...] = 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda found: found.approximated(-1), "'tolerance' of Contours.approximated"),
        (lambda found: found.shape_distances([[1, 1], [2, 2]]), "'template' of Contours"),
        (lambda found: found.shape_distances([[0, 0], [5, 0], [9, 0]]), "around some area"),
        (lambda found: found.shape_distances([1, 2]), "'template'"),
        (lambda found: found.shape_distances(disc(), "i4"), "'method'"),
    ],
)
def test_refusals_name_the_parameter(call, message):
    with pytest.raises(ParameterError, match=message):
        call(polygon(disc()))
