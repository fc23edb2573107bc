"""The boundary benchmark against lines matched by hand, other solvers and people's own drawings."""

import json
import os
import zipfile
from pathlib import Path

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from vision.boundaries import BoundaryCounts, boundary_f, boundary_match
from vision.errors import ParameterError
from vision.opencv import cv2

# On 300 x 400 pixels the diagonal is 500: this tolerance is 5 pixels exactly.
FIVE_PIXELS = 0.01


def columns(*at, rows=slice(50, 250)):
    """Vertical lines, 200 pixels each unless told."""
    mask = np.zeros((300, 400), np.uint8)
    for column in at:
        mask[rows, column] = 255
    return mask


def pixels(*at):
    mask = np.zeros((300, 400), np.uint8)
    for row, column in at:
        mask[row, column] = 255
    return mask


def counts(predicted, truth, tolerance=FIVE_PIXELS, **named):
    found = boundary_match(predicted, truth, tolerance=tolerance, **named)
    return (found.matched_predicted, found.predicted, found.matched_truth, found.truth)


class TestMatchByHand:
    @pytest.mark.parametrize(("shift", "matched"), [(0, 200), (1, 200), (5, 200), (6, 0)])
    def test_shifted_line(self, shift, matched):
        found = boundary_match(columns(100 + shift), columns(100), tolerance=FIVE_PIXELS)
        assert (found.matched_predicted, found.matched_truth) == (matched, matched)
        assert found.f == (1.0 if matched else 0.0)

    @pytest.mark.parametrize(("at", "matched"), [((103, 104), 1), ((104, 104), 0)])
    def test_distance_is_euclidean(self, at, matched):
        assert counts(pixels(at), pixels((100, 100))) == (matched, 1, matched, 1)

    def test_two_lines_near_one_share_it(self):
        found = boundary_match(columns(98, 102), columns(100), tolerance=FIVE_PIXELS)
        assert (found.precision, found.recall) == (0.5, 1.0)
        assert found.f == pytest.approx(2 / 3)

    def test_half_a_line(self):
        found = boundary_match(columns(100, rows=slice(50, 150)), columns(100), tolerance=0)
        assert (found.precision, found.recall) == (1.0, 0.5)

    def test_as_many_pairs_as_can_be(self):
        # The nearest pair, (0, 4) with (0, 4), would leave both others without a partner.
        predicted, truth = pixels((0, 0), (0, 4)), pixels((0, 4), (0, 8))
        assert counts(predicted, truth) == (2, 2, 2, 2)

    def test_among_most_pairs_the_nearest(self):
        # Two annotators drew one pixel: both agree with the prediction on it, none with the
        # other, which a matching of the same size could have taken instead.
        truth = pixels((20, 20))
        assert counts(pixels((20, 20), (20, 22)), [truth, truth]) == (1, 2, 2, 2)

    def test_annotators_add_recall_and_share_precision(self):
        # The prediction has the line of the first and half of that of the second.
        predicted = columns(100) | columns(200, rows=slice(50, 150))
        truth = [columns(100), columns(200), columns(300)]
        assert counts(predicted, truth) == (300, 300, 300, 600)
        assert counts(predicted, np.stack(truth)) == (300, 300, 300, 600)

    def test_thick_line_is_thinned_first(self):
        thick = columns(99, 100, 101)
        assert counts(thick, columns(100), thin=False) == (200, 600, 200, 200)
        found = boundary_match(thick, columns(100), tolerance=FIVE_PIXELS)
        assert found.precision == 1.0
        assert 198 <= found.predicted <= 200  # thinning takes the ends of the line

    @pytest.mark.parametrize(
        ("predicted", "truth", "expected"),
        [
            (pixels(), columns(100), (0, 0, 0, 200)),
            (columns(100), pixels(), (0, 200, 0, 0)),
            (pixels(), pixels(), (0, 0, 0, 0)),
        ],
    )
    def test_nothing_to_match(self, predicted, truth, expected):
        assert counts(predicted, truth) == expected
        assert BoundaryCounts(*expected).f == 0.0

    def test_bool_is_a_mask_and_inputs_stay(self):
        predicted, truth = columns(98, 102), columns(100)
        assert counts(predicted > 0, truth > 0) == counts(predicted, truth) == (200, 400, 200, 200)
        assert np.array_equal(predicted, columns(98, 102))


def matched_by_original_graph(predicted, truth, radius):
    """The benchmark's own assignment problem, dense: every pixel has its outlier, at 100 radii."""
    a, b = np.argwhere(predicted), np.argwhere(truth)
    distance = np.linalg.norm(a[:, None] - b[None], axis=2)
    costs = np.full((len(a) + len(b),) * 2, 100 * radius)
    costs[: len(a), : len(b)] = np.where(distance <= radius, distance, 1e9)
    chosen = linear_sum_assignment(costs)
    real = (chosen[0] < len(a)) & (chosen[1] < len(b))
    assert (distance[chosen[0][real], chosen[1][real]] <= radius).all()
    return int(real.sum())


def largest_matching(predicted, truth, radius):
    """Hopcroft-Karp, from networkx."""
    graph = networkx.Graph()
    a, b = np.argwhere(predicted), np.argwhere(truth)
    graph.add_nodes_from(("a", i) for i in range(len(a)))
    for i, pixel in enumerate(a):
        near = np.flatnonzero(np.linalg.norm(b - pixel, axis=1) <= radius)
        graph.add_edges_from((("a", i), ("b", int(j))) for j in near)
    top = [("a", i) for i in range(len(a))]
    return len(networkx.bipartite.hopcroft_karp_matching(graph, top)) // 2


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.floats(0.02, 0.4), st.floats(0.02, 0.4))
def test_as_many_pairs_as_other_solvers_find(seed, predicted_share, truth_share):
    rng = np.random.default_rng(seed)
    predicted = rng.random((12, 16)) < predicted_share  # diagonal 20
    truth = rng.random((12, 16)) < truth_share
    radius = rng.choice([1.0, 1.5, 2.5, 4.0])
    found = boundary_match(predicted, truth, tolerance=radius / 20, thin=False)
    assert found.matched_truth == found.matched_predicted
    assert found.matched_truth == largest_matching(predicted, truth, radius)
    assert found.matched_truth == matched_by_original_graph(predicted, truth, radius)


def graded():
    """Half of a true line at 0.8; its other half and a false line half as long at 0.3."""
    strength = np.zeros((300, 400), np.float32)
    strength[50:150, 100] = 0.8
    strength[150:250, 100] = 0.3
    strength[50:250, 300] = 0.3
    return strength, columns(100)


class TestCurveByHand:
    def test_precision_and_recall(self):
        strength, truth = graded()
        score = boundary_f([strength], [truth], thresholds=9)
        # 0.1 to 0.3: 200 of 400 right, all found; to 0.8: 100 of 100 right, half found; then none.
        assert score.thresholds == pytest.approx(np.arange(1, 10) / 10)
        assert score.precision.tolist() == [0.5] * 3 + [1.0] * 5 + [0.0]
        assert score.recall.tolist() == [1.0] * 3 + [0.5] * 5 + [0.0]

    def test_ods_is_interpolated_and_ois_is_not(self):
        strength, truth = graded()
        score = boundary_f([strength], [truth], thresholds=9)
        # Between 0.3 and 0.4, P runs from 0.5 to 1 and R from 1 to 0.5; the benchmark looks at
        # 100 points, of which 49/99 and 50/99 of the way are nearest to the middle, and equal.
        p, r = 0.5 + 0.5 * 49 / 99, 1 - 0.5 * 49 / 99
        assert score.ods == pytest.approx(2 * p * r / (p + r), abs=1e-12)
        assert score.threshold == pytest.approx(0.35, abs=6e-4)
        assert score.ois == pytest.approx(2 / 3)

    def test_area_under_the_curve(self):
        strength, truth = graded()
        # Straight from (R, P) = (0, 0) to (0.5, 1) to (1, 0.5), summed at 0, 0.01, ..., 1:
        # 2 (0 + ... + 0.49) + 51 - (0 + ... + 0.5) = 24.5 + 38.25, times 0.01.
        assert boundary_f([strength], [truth], thresholds=9).ap == pytest.approx(0.6275)

    def test_each_image_its_own_threshold(self):
        # At 0.3 the first is right and the second has a false line too; at 0.7 the first has
        # nothing and the second is right.
        first, second = np.zeros((2, 300, 400), np.float32)
        first[50:250, 100] = 0.4
        second[50:250, 100] = 0.9
        second[50:250, 300] = 0.6
        score = boundary_f([first, second], [columns(100)] * 2, thresholds=[0.3, 0.7])
        assert score.precision.tolist() == pytest.approx([2 / 3, 1])
        assert score.recall.tolist() == [1.0, 0.5]
        assert score.ois == 1.0
        # A share d of the way, P = (2 + d) / 3 and R = 1 - d / 2, so F = (8 - 2 d^2) / (10 - d),
        # which is largest at d = 10 - sqrt(96) and is 4 d there.
        assert score.ods == pytest.approx(4 * (10 - 96**0.5), abs=1e-6)

    def test_mask_is_the_same_at_every_threshold(self):
        mask = columns(98, 102)
        score = boundary_f([mask], [columns(100)], thresholds=5, tolerance=FIVE_PIXELS)
        as_map = (mask > 0).astype(np.float32)
        same = boundary_f([as_map], [columns(100)], thresholds=5, tolerance=FIVE_PIXELS)
        assert score.precision.tolist() == same.precision.tolist() == [0.5] * 5
        assert score.recall.tolist() == same.recall.tolist() == [1.0] * 5
        assert score.ods == score.ois == pytest.approx(2 / 3)
        assert score.ap == 0.0

    def test_thresholds_span_stronger_maps(self):
        strength, truth = graded()
        score = boundary_f([strength / np.float32(0.8)], [truth], thresholds=7)
        scaled = boundary_f([strength * 10], [truth], thresholds=7)
        assert scaled.thresholds == pytest.approx(score.thresholds * 8)
        assert scaled.precision.tolist() == score.precision.tolist()
        assert scaled.ods == score.ods

    def test_counts_add_up(self):
        total = BoundaryCounts(1, 2, 3, 4) + BoundaryCounts(10, 20, 30, 40)
        assert total == BoundaryCounts(11, 22, 33, 44)
        assert (total.precision, total.recall) == (0.5, 0.75)
        assert total.f == pytest.approx(0.6)


class TestRefusals:
    def test_shapes_must_agree(self):
        with pytest.raises(ParameterError, match=r"\(300, 400\).*\(300, 401\)"):
            boundary_match(np.zeros((300, 401), bool), columns(5))

    @pytest.mark.parametrize("bad", [np.zeros((4, 4, 3), np.uint8), np.full((4, 4), 7, np.uint8)])
    def test_no_mask(self, bad):
        with pytest.raises(ParameterError, match="'predicted' of boundary_match must be a mask"):
            boundary_match(bad, bad)

    def test_no_annotator(self):
        with pytest.raises(ParameterError, match="'truth' of boundary_match"):
            boundary_match(columns(5), [])

    @pytest.mark.parametrize("tolerance", [-0.1, 1, "near"])
    def test_tolerance(self, tolerance):
        with pytest.raises(ParameterError, match="'tolerance' of boundary_match"):
            boundary_match(columns(5), columns(5), tolerance=tolerance)

    def test_thin(self):
        with pytest.raises(ParameterError, match="'thin' of boundary_f"):
            boundary_f([columns(5)], [columns(5)], thin="yes")

    @pytest.mark.parametrize(
        "bad",
        [
            np.full((4, 4), -0.5, np.float32),
            np.full((4, 4), np.nan, np.float32),
            np.full((4, 4), np.inf, np.float32),
            np.full((4, 4), 128, np.uint8),
        ],
    )
    def test_no_strengths(self, bad):
        with pytest.raises(ParameterError, match=r"'predicted_maps' of boundary_f.*np\.abs.*255"):
            boundary_f([bad], [np.zeros((4, 4), bool)])

    @pytest.mark.parametrize("thresholds", [0, 1.5, [], [0.5, 0.2], [0, 0.5], [0.5, np.inf]])
    def test_thresholds(self, thresholds):
        with pytest.raises(ParameterError, match="'thresholds' of boundary_f"):
            boundary_f([columns(5)], [columns(5)], thresholds=thresholds)

    @pytest.mark.parametrize("count", [0, 2])
    def test_one_truth_a_map(self, count):
        with pytest.raises(ParameterError, match=f"Got {count} maps"):
            boundary_f([columns(5)] * count, [columns(5)] * (count // 2))


BERKELEY = Path(os.environ.get("VISION_DATA", "")) / "boundary_bsds500_trainval"
needs_berkeley = pytest.mark.skipif(
    "VISION_DATA" not in os.environ or not BERKELEY.is_dir(),
    reason="VISION_DATA names no folder with boundary_bsds500_trainval",
)


def berkeley(count):
    """(grey image, one boundary map an annotator) of the first validation images of BSDS500."""
    with zipfile.ZipFile(BERKELEY / "bsds500_val100.zip") as archive:

        def gray(name):
            return cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_GRAYSCALE)

        meta = json.loads(archive.read("meta_val.json"))
        for name in sorted(meta)[:count]:
            image = gray(f"images/val/{name}.jpg")
            yield image, gray(f"boundaries/val/{name}.png").reshape(-1, *image.shape)


@needs_berkeley
class TestBerkeley:
    def test_people_agree_as_published(self):
        # Each annotator against the others: F 0.80 on BSDS500 (Arbelaez et al. 2011).
        total = BoundaryCounts()
        for _, drawn in berkeley(8):
            for one in range(len(drawn)):
                others = np.delete(drawn, one, axis=0)
                total += boundary_match(drawn[one], others, thin=False)
        assert total.f == pytest.approx(0.80, abs=0.04)

    def test_gradient_and_canny_are_between_chance_and_people(self):
        # Published on the 200 test images: Sobel 0.54 and Canny 0.61 (ODS).
        images, truths = zip(*berkeley(3), strict=True)
        smooth = [cv2.GaussianBlur(image, (0, 0), 2) for image in images]
        slopes = [
            np.hypot(cv2.Sobel(image, cv2.CV_32F, 1, 0), cv2.Sobel(image, cv2.CV_32F, 0, 1))
            for image in smooth
        ]
        gradient = boundary_f([slope / slope.max() for slope in slopes], truths, thresholds=9)
        canny = boundary_f([cv2.Canny(image, 40, 100) for image in smooth], truths)
        rng = np.random.default_rng(0)
        chance = boundary_f([rng.random(image.shape) > 0.95 for image in images], truths)
        assert 0.5 < gradient.ods <= gradient.ois < 0.75
        assert 0.5 < canny.ods < 0.75
        assert chance.ods < 0.4
