"""Shape matching by formula, and of drawn shapes turned, scaled and mirrored."""

import numpy as np
import pytest
from skimage import data, draw, transform
from skimage.measure import moments_central, moments_hu, moments_normalized

from classical.contours import FindContours
from classical.shape_matching import MatchShapes
from classical.threshold import Otsu
from vision.contours import Contours
from vision.errors import KindError, ParameterError
from vision.opencv import cv2

ARROW = ((0, 40), (100, 40), (100, 10), (160, 60), (100, 110), (100, 80), (0, 80))


def placed(points, turn, scale, where):
    turn = np.deg2rad(turn)
    matrix = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.rint(np.array(points) @ matrix.T + where).astype(int)


def shapes():
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    round_one = 60 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    cross = (
        (0, 30),
        (30, 30),
        (30, 0),
        (60, 0),
        (60, 30),
        (90, 30),
        (90, 60),
        (60, 60),
        (60, 90),
        (30, 90),
        (30, 60),
        (0, 60),
    )
    bar = ((0, 0), (150, 0), (150, 25), (0, 25))
    return Contours(
        (
            placed(ARROW, 0, 1, (20, 20)),
            placed(ARROW, 77, 1.6, (700, 100)),
            placed(ARROW, 200, 0.7, (400, 300)),
            placed(np.array(ARROW) * (-1, 1), 15, 1, (300, 500)),
            placed(round_one, 0, 1, (500, 500)),
            placed(cross, 20, 1.2, (800, 600)),
            placed(bar, 130, 1, (200, 700)),
        ),
        (900, 1000),
    )


def test_distances_are_those_of_hus_moments():
    def logarithms(contours):
        hu = contours.hu_moments
        large = np.abs(hu) > 1e-5
        return np.where(large, np.sign(hu) * np.log10(np.maximum(np.abs(hu), 1e-9)), 1), large

    ours, large = logarithms(shapes())
    wanted, large_too = logarithms(Contours((np.array(ARROW),), (200, 200)))
    usable = large & large_too
    for method, terms in (
        ("i1", np.abs(1 / ours - 1 / wanted)),
        ("i2", np.abs(ours - wanted)),
    ):
        expected = np.where(usable, terms, 0).sum(axis=1)
        found = MatchShapes(ARROW, method=method).distances(shapes())
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)
    expected = np.where(usable, np.abs((ours - wanted) / ours), 0).max(axis=1)
    found = MatchShapes(ARROW, method="i3").distances(shapes())
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)
    default = MatchShapes(ARROW, method="i1").distances(shapes())
    assert np.array_equal(MatchShapes(ARROW).distances(shapes()), default)


def scikit_images_logarithms(outline):
    """Of Hu's moments of the pixels within an outline that is drawn four times as large."""
    outline = 4.0 * (np.asarray(outline) - np.min(outline, axis=0))
    pixels = draw.polygon2mask(outline.max(axis=0).astype(int) + 1, outline).astype(float)
    hu = moments_hu(moments_normalized(moments_central(pixels)))
    hu[np.abs(hu) <= 1e-5] = np.nan  # such small ones are left out
    return np.sign(hu) * np.log10(np.abs(hu))


def test_distances_of_coins_are_those_of_scikit_images_moments():
    found = FindContours(min_area=1500)(Otsu()(data.coins()))[:6]
    wanted = scikit_images_logarithms(ARROW)
    ours = np.array([scikit_images_logarithms(outline) for outline in found.points])
    for method, terms, combined in (
        ("i1", 1 / ours - 1 / wanted, np.nansum),
        ("i2", ours - wanted, np.nansum),
        ("i3", (ours - wanted) / ours, np.nanmax),
    ):
        distances = MatchShapes(ARROW, method=method).distances(found)
        np.testing.assert_allclose(distances, combined(np.abs(terms), axis=1), rtol=0.015)


def test_only_arrows_are_like_an_arrow():
    found = MatchShapes(ARROW)(shapes())
    assert found == shapes()[:4]
    assert MatchShapes(ARROW, 0.1, "i1")(shapes()) == found
    near = MatchShapes(ARROW).distances(shapes())
    assert near[:4].max() < 0.05
    assert near[4:].min() > 0.13
    assert len(MatchShapes(ARROW, near[4:].max())(shapes())) == 7


def test_a_mask_is_a_template_too():
    mask = np.zeros((200, 200), np.uint8)
    cv2.fillPoly(mask, [np.array(ARROW, np.int32) + 20], 255)
    mask[150:160, 150:160] = 255  # the largest region counts
    assert MatchShapes(mask)(shapes()) == shapes()[:4]


def test_the_horse_is_found_turned_and_smaller_among_coins():
    horse = np.where(data.horse(), 0, 255).astype(np.uint8)
    scene = np.zeros((700, 800), np.uint8)
    coins = Otsu()(data.coins())
    scene[:303, :384] = coins
    turned = transform.rotate(transform.rescale(horse / 255, 0.8), 140, resize=True) > 0.5
    scene[320 : 320 + turned.shape[0], 300 : 300 + turned.shape[1]] = 255 * turned[:380]
    template = max(FindContours()(horse).points, key=len)
    (box,) = (FindContours(200) >> MatchShapes(template, 0.05))(scene).boxes
    assert box[1] >= 320
    assert box[2] - box[0] > 200


def test_holes_go_with_their_regions():
    mask = np.zeros((300, 300), np.uint8)
    cv2.fillPoly(mask, [np.array(ARROW, np.int32) + 20], 255)
    mask[75:85, 60:70] = 0
    mask[200:280, 200:280] = 255
    found = (FindContours(mode="ccomp") >> MatchShapes(ARROW))(mask)
    assert len(found) == 2
    assert found.boxes[:, 2].max() < 200


def test_what_has_no_area_is_like_nothing():
    dots = Contours(([[1, 1]], [[2, 2], [8, 8]]), (10, 10))
    assert np.isinf(MatchShapes(ARROW).distances(dots)).all()
    assert len(MatchShapes(ARROW, 1e9)(dots)) == 0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"template": ((0, 0), (5, 0), (9, 0))}, "'template' of MatchShapes.*encloses no area"),
        ({"template": np.zeros((9, 9), np.uint8)}, "'template'.*encloses no area"),
        ({"template": np.ones((9, 9), np.uint8)}, "'template'"),
        ({"template": ((0, 0, 1), (5, 0, 1), (9, 0, 1))}, "'template'"),
        ({"template": "arrow"}, r"Got 'arrow'\.$"),
        ({"max_distance": -0.1}, "'max_distance'"),
        ({"method": "I1"}, "'method' of MatchShapes must be 'i1', 'i2' or 'i3'"),
    ],
)
def test_parameters_are_refused_by_name(parameters, message):
    with pytest.raises(ParameterError, match=message):
        MatchShapes(**({"template": ARROW} | parameters))(shapes())


def test_only_contours_are_taken():
    with pytest.raises(KindError, match="MatchShapes takes contours"):
        MatchShapes(ARROW)(data.coins())
    with pytest.raises(KindError, match="MatchShapes takes contours"):
        MatchShapes(ARROW).distances(data.coins())


def test_a_tenth_is_the_default():
    bars = [((0, 0), (100 + 2 * more, 0), (100 + 2 * more, 100), (0, 100)) for more in range(40)]
    found = Contours(tuple(np.array(bar) for bar in bars), (200, 300))
    away = found.shape_distances(np.array(bars[0]))
    assert ((away > 0.08) & (away <= 0.1)).any()
    assert ((away > 0.1) & (away <= 0.12)).any()
    assert MatchShapes(bars[0])(found) == found[away <= 0.1]
