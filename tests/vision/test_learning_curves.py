"""Learning curves of learners whose curve is known, and where they cross."""

import numpy as np
import pytest

import vision
from tests.vision.comparison_stubs import Learner, numbered
from vision.comparison_candidates import Study
from vision.comparison_folds import make_folds
from vision.comparison_tasks import TASKS
from vision.errors import ParameterError
from vision.learning_curves import crossing, curve_sizes, learning_order, overtakes

COUNT = 600
IMAGES = numbered(COUNT)
LABELS = np.random.default_rng(3).integers(0, 2, COUNT)


def study_of(labels=LABELS, cv=3):
    folds = make_folds(cv, labels, stratified=True)
    return Study(IMAGES[: len(labels)], labels, TASKS["classification"], np.unique(labels), folds)


def test_sizes_halve_down_from_what_a_fold_has():
    assert curve_sizes(True, study_of()) == [25, 50, 100, 200, 400]


def test_sizes_hold_two_of_each_class():
    labels = np.arange(60) % 10
    assert curve_sizes(True, study_of(labels)) == [20, 40]


def test_few_images_still_have_two_sizes_or_no_curve():
    assert curve_sizes(True, study_of(np.arange(9) % 3)) == [3, 6]
    with pytest.raises(ParameterError, match="a fold has only 3 training images"):
        curve_sizes(True, study_of(np.arange(6) % 3, cv=2))


@pytest.mark.parametrize("curve", [[401, 10], [1, 10], [10], [10.5, 20], "many", 7])
def test_sizes_that_cannot_be_are_refused(curve):
    with pytest.raises(ParameterError, match="curve"):
        curve_sizes(curve, study_of())


@pytest.mark.parametrize("repeat", [0, 1, 2])
def test_the_order_keeps_the_classes_in_their_shares(repeat):
    labels = np.repeat([0, 1, 2], [300, 200, 100])
    study = study_of(labels)
    order, test = learning_order(study, repeat)
    train, held = study.folds.splits[repeat]
    assert np.array_equal(np.sort(order), train) and np.array_equal(test, held)
    assert set(labels[order[:3]]) == {0, 1, 2}
    for size in (30, 60, 120, 240):
        counts = np.bincount(labels[order[:size]])
        assert np.abs(counts - size * np.array([3, 2, 1]) / 6).max() <= 2


def test_the_order_is_of_the_seed_and_the_repeat():
    study = study_of()
    assert np.array_equal(learning_order(study, 0)[0], learning_order(study, 0)[0])
    assert not np.array_equal(learning_order(study, 0)[0], np.sort(learning_order(study, 0)[0]))


def test_the_curve_of_a_known_learner_comes_out():
    steep = Learner(start=0.0, gain=0.1, truth=LABELS)
    flat = Learner(start=0.62, gain=0.01, truth=LABELS)
    found = vision.compare(
        {"flat": flat, "steep": steep}, IMAGES, LABELS, cv=3, curve=True, progress=False
    ).curves
    assert found.sizes.tolist() == [25, 50, 100, 200, 400]
    for name, learner in (("flat", flat), ("steep", steep)):
        true = [learner.share(size) for size in found.sizes]
        assert found.scores[name].shape == (3, 5)
        assert np.abs(found.scores[name].mean(axis=0) - true).max() < 0.06
    # 0.1 log2(n) = 0.62 + 0.01 log2(n) at n = 2 ** (0.62 / 0.09) = 118
    (one,) = found.crossings
    assert (one.first, one.second) == ("flat", "steep")
    assert one.images.low < 118 < one.images.high
    assert one.images.low > 50 and one.images.high < 300
    assert one.words.startswith("steep overtakes flat at about")


def rows(shares, count=400, repeats=3, seed=0):
    """Right or wrong on images drawn by chance: one share for each size."""
    generator = np.random.default_rng(seed)
    return [
        (generator.random((len(shares), count)) < np.array(shares)[:, None]).astype(float)
        for _ in range(repeats)
    ]


SIZES = [50, 100, 200, 400]


def test_one_that_is_always_ahead_does_not_cross():
    found = crossing(("a", "b"), (rows([0.5] * 4), rows([0.7] * 4, seed=9)), SIZES)
    assert found.images is None
    assert found.words == (
        "b is ahead of a at every size tried, 50 to 400 images; in 100% of resamples too."
    )


def test_the_order_of_the_two_does_not_matter():
    pair = rows([0.4, 0.5, 0.6, 0.7]), rows([0.55] * 4, seed=9)
    one = crossing(("up", "level"), pair, SIZES)
    other = crossing(("level", "up"), pair[::-1], SIZES)
    assert (one.first, one.second) == (other.first, other.second) == ("level", "up")
    assert one.images.value == pytest.approx(other.images.value)


def test_less_is_better_where_it_is():
    pair = rows([0.6, 0.5, 0.4, 0.3]), rows([0.45] * 4, seed=9)
    assert crossing(("falls", "level"), pair, SIZES, sign=-1).second == "falls"


def test_curves_that_lie_together_have_an_open_interval():
    found = crossing(("a", "b"), (rows([0.6] * 4), rows([0.6, 0.59, 0.6, 0.605], seed=1)), SIZES)
    if found.images is not None:
        assert found.images.low == 0 or np.isinf(found.images.high)


def test_groups_are_drawn_together():
    # Three copies of each image that are one group are worth one image.
    generator, sizes = np.random.default_rng(5), [10, 20, 40, 80]
    share = np.array([[0.6, 0.6, 0.6, 0.6], [0.2, 0.4, 0.8, 0.95]])
    ones = [[(generator.random((4, 50)) < s[:, None]) * 1.0 for _ in range(3)] for s in share]
    thrice = [[np.repeat(table, 3, axis=1) for table in tables] for tables in ones]
    groups = [np.repeat(np.arange(50), 3)] * 3
    single, apart = crossing("ab", ones, sizes), crossing("ab", thrice, sizes)
    together = crossing("ab", thrice, sizes, groups=groups)
    for end in ("value", "low", "high"):
        assert np.isclose(getattr(together.images, end), getattr(single.images, end))
    assert apart.images.high - apart.images.low < together.images.high - together.images.low


def test_the_groups_of_a_comparison_reach_its_crossings():
    groups = np.arange(COUNT) // 2
    candidates = {"a": Learner(0.5, 0.03, LABELS), "b": Learner(0.3, 0.06, LABELS)}
    options = {"cv": 3, "curve": [20, 390], "groups": groups, "progress": False}
    study = vision.compare(candidates, IMAGES, LABELS, **options)
    assert any("held-out groups" in note for note in study.curves.notes)
    assert study.curves.crossings[0].images is not None


def test_equal_curves_are_level():
    pair = rows([0.6] * 4)
    found = crossing(("a", "b"), (pair, pair), SIZES)
    assert found.images is None
    assert "level at 400" in found.words


def test_intervals_hold_the_true_crossing_nearly_always():
    # shares 0.45 + 0.05 k and 0.525: they cross half-way between 100 and 200, at 141
    held = 0
    for seed in range(60):
        pair = rows([0.55] * 4, 300, seed=seed), rows([0.4, 0.5, 0.6, 0.7], 300, seed=1000 + seed)
        found = crossing(("level", "up"), pair, SIZES).images
        held += found is not None and found.low <= 100 * 2**0.5 <= found.high
    assert held >= 54


def test_a_lead_of_nothing_at_the_smallest_size_begins_there_to_the_bit():
    assert overtakes(np.array([[0.0, 1.0]]), [10, 20]).tolist() == [10.0]


@pytest.mark.parametrize(
    ("lead", "said"),
    [
        ([0.1, -0.1, 0.1, 0.2], "up overtakes level for good at about 140"),
        ([-0.1, 0.1, 0.0, 0.1], "up overtakes level for good at about 200"),
        ([-0.1, 0.1, 0.2, 0.3], "up overtakes level at about 71"),
        ([0.0, 0.0, 0.1, 0.1], "up overtakes level at about 100"),
    ],
)
def test_the_last_change_of_the_lead_counts_and_where_there_are_more_it_is_said(lead, said):
    level = np.full((len(SIZES), 50), 0.5)
    up = level + np.array(lead)[:, None]
    assert crossing(("level", "up"), ([level], [up]), SIZES).words.startswith(said)
