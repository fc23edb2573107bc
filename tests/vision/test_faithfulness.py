"""Whether explanations are true: curves and shares by hand, a truth that is known, baselines."""

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.linear_model import LinearRegression
from sklearn.metrics import auc
from sklearn.svm import LinearSVC

from classical import RawPixels
from tests.vision.corner import Corner
from vision import (
    Detections,
    Heatmap,
    baseline_map,
    confidence_change,
    deletion_curve,
    explain,
    faithfulness_table,
    insertion_curve,
    map_correlation,
    pointing_game,
    sanity_check,
)
from vision.errors import KindError, ParameterError
from vision.faithfulness import Curve

pytestmark = pytest.mark.cv2


def pixel_sum(size):
    """A regressor whose value is the sum of the pixels of a square picture."""
    count = size * size
    return RawPixels(size) >> LinearRegression().fit(np.eye(count + 1)[:, 1:], [0] + [1] * count)


def bright_corner(height=32, width=32):
    image = np.full((height, width), 40, np.uint8)
    image[: height // 4, : width // 4] = 240
    return image


def truth():
    """The map that says exactly where `Corner` looks."""
    values = np.zeros((32, 32), np.float32)
    values[:8, :8] = 1
    return Heatmap(values, target="bright")


# Curves


def test_deletion_by_hand():
    image = np.array([[10, 20], [30, 40]], np.uint8)
    heat = Heatmap(np.array([[0, 0.2], [1, 0.5]], np.float32))
    curve = deletion_curve(pixel_sum(2), image, heat, steps=4, fill=0)
    assert curve.shares.tolist() == [0, 0.25, 0.5, 0.75, 1]
    np.testing.assert_allclose(curve.scores, [100, 70, 30, 10, 0], atol=1e-4)
    assert curve.area == pytest.approx((85 + 50 + 20 + 5) / 4)


def test_insertion_is_deletion_backwards_where_both_fill_alike():
    image = np.array([[10, 20], [30, 40]], np.uint8)
    heat = Heatmap(np.array([[0, 0.2], [1, 0.5]], np.float32))
    curve = insertion_curve(pixel_sum(2), image, heat, steps=4, fill=0)
    np.testing.assert_allclose(curve.scores, [0, 30, 70, 90, 100], atol=1e-4)


def test_of_pixels_alike_the_first_go_first():
    image = np.array([[1, 2], [4, 8]], np.uint8)
    curve = deletion_curve(
        pixel_sum(2), image, Heatmap(np.ones((2, 2), np.float32)), steps=4, fill=0
    )
    np.testing.assert_allclose(curve.scores, [15, 14, 12, 8, 0], atol=1e-4)


def test_more_steps_than_pixels_change_every_pixel():
    image = np.full((2, 2), 5, np.uint8)
    curve = deletion_curve(
        pixel_sum(2), image, Heatmap(np.ones((2, 2), np.float32)), steps=9, fill=0
    )
    assert len(curve.shares) == 10
    assert (curve.shares[0], curve.shares[-1]) == (0, 1)
    assert curve.scores[-1] == pytest.approx(0, abs=1e-4)


def test_the_area_is_scikit_learns():
    random = np.random.default_rng(0)
    shares, scores = np.sort(random.random(20)), random.random(20)
    assert Curve(shares, scores).area == pytest.approx(auc(shares, scores))


def test_colour_is_changed_in_all_channels():
    image = np.full((32, 32, 3), 200, np.uint8)
    curve = deletion_curve(Corner(), image, truth(), steps=16, fill=0)
    # 8 x 8 of 32 x 32 pixels are the first of 16 parts.
    np.testing.assert_allclose(curve.scores, [200 / 255] + [0] * 16, atol=1e-9)


def test_the_class_is_the_maps():
    dark = Heatmap(truth().values, target="dark")
    bright = deletion_curve(Corner(), bright_corner(), truth()).scores
    np.testing.assert_allclose(
        deletion_curve(Corner(), bright_corner(), dark).scores, 1 - bright, atol=1e-9
    )


# Baselines and the table


def test_the_truth_beats_occlusion_and_occlusion_the_baselines():
    image = bright_corner()
    maps = [truth(), explain(Corner(), image)]
    maps += [baseline_map(name, (32, 32), target="bright") for name in ("random", "centre")]
    deleted = [deletion_curve(Corner(), image, heat, steps=64, fill=0).area for heat in maps]
    inserted = [insertion_curve(Corner(), image, heat, steps=64, fill=0).area for heat in maps]
    assert deleted[0] <= deleted[1] < min(deleted[2:])
    assert inserted[0] >= inserted[1] > max(inserted[2:])


def test_the_random_baseline_deletes_along_a_straight_line():
    image = bright_corner(64, 64)
    areas = [
        deletion_curve(Corner(), image, baseline_map("random", (64, 64), random_state=seed), fill=0)
        for seed in range(8)
    ]
    assert np.mean([curve.area for curve in areas]) == pytest.approx(0.5 * 240 / 255, abs=0.01)


def test_the_centre_baseline_falls_with_the_distance():
    values = baseline_map("centre", (31, 31)).values
    y, x = np.indices(values.shape) - 15
    order = np.argsort(-values, axis=None, kind="stable")
    assert (np.diff(np.hypot(x, y).ravel()[order]) > -1e-6).all()


def test_baselines_are_the_same_in_every_call():
    assert baseline_map("random", (5, 6)) == baseline_map("random", (5, 6))
    assert baseline_map("random", (5, 6)) != baseline_map("random", (5, 6), random_state=1)
    with pytest.raises(ParameterError, match="'name' of baseline_map"):
        baseline_map("center", (5, 6))


def test_the_table_holds_what_the_measures_give():
    images = [bright_corner(), bright_corner()[::-1].copy()]
    boxes = [(0, 0, 8, 8)] * 2
    rows = faithfulness_table(Corner(), images, ["occlusion"], boxes, steps=8)
    assert [row["method"] for row in rows] == ["occlusion", "random", "centre"]
    maps = [explain(Corner(), image) for image in images]
    assert [heat.target for heat in maps] == ["bright", "dark"]
    first = rows[0]
    areas = [deletion_curve(Corner(), *pair, steps=8).area for pair in zip(images, maps)]
    assert first["deletion"] == pytest.approx(np.mean(areas))
    areas = [insertion_curve(Corner(), *pair, steps=8).area for pair in zip(images, maps)]
    assert first["insertion"] == pytest.approx(np.mean(areas))
    assert (first["average_drop"], first["increase"]) == confidence_change(Corner(), images, maps)
    assert first["pointing"] == 1
    assert rows[2]["pointing"] == 0


def test_the_table_leaves_out_what_does_not_apply():
    images = [np.zeros((8, 8), np.uint8), np.full((8, 8), 200, np.uint8)]
    model = (RawPixels(2) >> LinearSVC()).fit(images, ["a", "b"])
    row = faithfulness_table(model, images, {"occlusion": {"window": 4}}, steps=4)[0]
    assert (row["average_drop"], row["increase"], row["pointing"]) == (None, None, None)
    with pytest.raises(KindError, match="needs probabilities"):
        confidence_change(model, images, [baseline_map("random", (8, 8))] * 2)


# Confidence


def test_average_drop_and_increase_by_hand():
    image = np.full((32, 32), 200, np.uint8)
    half = Heatmap(np.full((32, 32), 0.5, np.float32), target="bright")
    # 200 becomes 100: half of the score is lost; of "dark" 55/255 becomes 155/255, an increase.
    assert confidence_change(Corner(), [image], [half]) == pytest.approx((0.5, 0))
    dark = Heatmap(half.values, target="dark")
    assert confidence_change(Corner(), [image], [dark]) == (0, 1)
    assert confidence_change(Corner(), [image] * 2, [half, dark]) == pytest.approx((0.25, 0.5))


def test_what_speaks_against_the_class_is_not_shown():
    image = np.full((32, 32), 200, np.uint8)
    against = Heatmap(np.full((32, 32), -1, np.float32), target="bright", signed=True)
    assert confidence_change(Corner(), [image], [against]) == (1, 0)
    assert confidence_change(Corner(), [image], [against], fill="mean") == (0, 0)


# The pointing game


@pytest.mark.parametrize(
    ("region", "hit"),
    [
        ((3, 2, 4, 3), True),
        ((0, 0, 3, 3), False),
        ((4, 2, 6, 3), False),
        ([(0, 0, 1, 1), (3, 2, 4, 3)], True),
        (Detections([[3, 2, 4, 3]]), True),
        (np.empty((0, 4)), False),
    ],
)
def test_pointing_at_boxes(region, hit):
    values = np.zeros((5, 7), np.float32)
    values[2, 3] = 1
    assert pointing_game([Heatmap(values)], [region]).tolist() == [hit]


def test_pointing_at_masks():
    values = np.zeros((5, 7), np.float32)
    values[2, 3] = 1
    mask = np.zeros((5, 7), np.uint8)
    mask[2, 3] = 255
    assert pointing_game([Heatmap(values)] * 3, [mask, 255 - mask, mask * 0]).tolist() == [
        True,
        False,
        False,
    ]


def test_tolerance_is_a_distance():
    values = np.zeros((9, 9), np.float32)
    values[0, 0] = 1
    heat, mask = Heatmap(values), np.zeros((9, 9), np.uint8)
    mask[4, 3] = 255
    # From the centre of pixel (0, 0) to that of (3, 4) it is 5; to the edge of its box less.
    assert not pointing_game([heat], [mask], tolerance=4.9)[0]
    assert pointing_game([heat], [mask], tolerance=5)[0]
    assert not pointing_game([heat], [(3, 4, 4, 5)], tolerance=4.3)[0]
    assert pointing_game([heat], [(3, 4, 4, 5)], tolerance=np.hypot(2.5, 3.5))[0]


def test_occlusion_points_at_the_corner_in_every_picture():
    random = np.random.default_rng(0)
    images = [random.integers(0, 256, (32, 32, 3), np.uint8) for _ in range(6)]
    maps = [explain(Corner(), image, "bright") for image in images]
    assert pointing_game(maps, [(0, 0, 8, 8)] * 6).all()
    randoms = [baseline_map("random", (32, 32), random_state=n) for n in range(200)]
    assert pointing_game(randoms, [(0, 0, 16, 16)] * 200).mean() == pytest.approx(0.25, abs=0.1)


# The sanity check


def test_correlation_is_scipys():
    random = np.random.default_rng(0)
    one = Heatmap(random.random((9, 8), np.float32).round(1))
    other = Heatmap((0.5 * one.values + 0.5 * random.random((9, 8), np.float32)).round(1))
    expected = spearmanr(one.values.ravel(), other.values.ravel()).statistic
    assert map_correlation(one, other) == pytest.approx(expected, abs=1e-12)
    assert map_correlation(one, one) == pytest.approx(1)
    assert map_correlation(one, Heatmap(np.zeros((9, 8), np.float32))) == 0


class OtherCorner(Corner):
    """Looks at the lower right corner instead."""

    def apply(self, image):
        return super().apply(image[::-1, ::-1])


def test_another_model_has_another_map():
    random = np.random.default_rng(0)
    images = [random.integers(100, 256, (32, 32), np.uint8) for _ in range(3)]
    same = sanity_check(Corner(), Corner(), images)
    np.testing.assert_allclose(same, 1, atol=1e-12)
    other = sanity_check(Corner(), OtherCorner(), images)
    assert other.shape == (3,)
    assert np.abs(other).max() < 0.6


# Refused


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: deletion_curve(Corner(), bright_corner(), truth(), steps=0), "'steps'"),
        (lambda: deletion_curve(Corner(), bright_corner(), truth(), fill="x"), "'fill'"),
        (lambda: deletion_curve(Corner(), bright_corner(16, 16), truth()), "'heatmap' must be on"),
        (lambda: confidence_change(Corner(), [bright_corner()], []), "'heatmaps' must be as many"),
        (lambda: pointing_game([], []), "at least one"),
        (lambda: pointing_game([truth()], [(1, 2, 3)]), "'regions' of pointing_game"),
        (lambda: pointing_game([truth()], [(0, 0, 1, 1)], tolerance=-1), "'tolerance'"),
        (lambda: map_correlation(truth(), baseline_map("random", (3, 3))), "of one size"),
    ],
)
def test_refused(call, says):
    with pytest.raises(ParameterError, match=says):
        call()
