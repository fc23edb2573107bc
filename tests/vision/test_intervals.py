"""Intervals against published values, SciPy, and how often they hold the true value."""

import numpy as np
import pytest
from scipy import stats

from vision.errors import ParameterError
from vision.intervals import (
    Estimate,
    accuracy_interval,
    bootstrap_interval,
    pooled_interval,
    resampled,
)

STUDIES = 2000


def share_covered(intervals, truth):
    return np.mean([found.low <= truth <= found.high for found in intervals])


class TestEstimate:
    def test_words(self):
        assert Estimate(0.5, 0.25, 0.75).text() == "0.500 (0.250 to 0.750)"
        assert Estimate(0.98765, 0.9, 1).text(percent=True) == "98.8% (90.0 to 100.0)"

    def test_the_other_way_round(self):
        assert -Estimate(1.0, -2.0, 3.0, 0.9) == Estimate(-1.0, -3.0, 2.0, 0.9)

    def test_cut_at_its_bounds(self):
        assert Estimate(0.9, 0.7, 1.1).within((0, 1)) == Estimate(0.9, 0.7, 1)
        assert Estimate(0.9, 0.7, 1.1).within(None) == Estimate(0.9, 0.7, 1.1)


class TestAccuracy:
    @pytest.mark.parametrize(
        ("right", "count", "low", "high"),
        # R. G. Newcombe, Statistics in Medicine 17, 1998, pages 857-872, table I, method 3.
        [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ],
    )
    def test_published_intervals(self, right, count, low, high):
        found = accuracy_interval(np.arange(count) < right)
        assert found.value == right / count
        assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)

    @pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
    @pytest.mark.parametrize("right", [0, 1, 33, 59, 60])
    def test_as_scipy(self, right, level):
        expected = stats.binomtest(right, 60).proportion_ci(level, method="wilson")
        found = accuracy_interval([1] * right + [0] * (60 - right), level=level)
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
        assert found.low <= found.value <= found.high

    @pytest.mark.parametrize("count", [100, 500])
    @pytest.mark.parametrize("accuracy", [0.7, 0.816, 0.887, 0.947, 0.974])
    def test_it_holds_the_true_accuracy(self, accuracy, count):
        right = np.random.default_rng(0).random((STUDIES, count)) < accuracy
        assert 0.93 <= share_covered(map(accuracy_interval, right), accuracy) <= 0.97

    @pytest.mark.parametrize("right", [[], [0.5, 1], [[1, 0]], ["a"], [2, 0], [np.nan, 1]])
    def test_only_right_and_wrong(self, right):
        with pytest.raises(ParameterError, match="'right' of accuracy_interval"):
            accuracy_interval(right)

    @pytest.mark.parametrize("level", [0, 1, 95, "high"])
    def test_the_level_is_a_share(self, level):
        with pytest.raises(ParameterError, match="'level' of accuracy_interval"):
            accuracy_interval([1, 0], level=level)


def beta(rng, shape):  # like an IoU, near 1 with a long tail
    return rng.beta(20, 1, shape), 20 / 21


def normal(rng, shape):  # like a PSNR
    return rng.normal(30, 3, shape), 30


def exponential(rng, shape):  # as skew as it gets
    return rng.exponential(1, shape), 1


def mostly_zero(rng, shape):  # like differences of two methods that mostly agree
    return np.where(rng.random(shape) < 0.2, rng.normal(0.5, 1, shape), 0), 0.1


class TestBootstrap:
    @pytest.mark.parametrize("count", [100, 500])
    @pytest.mark.parametrize("draw", [beta, normal, exponential, mostly_zero])
    def test_it_holds_the_true_mean(self, draw, count):
        values, truth = draw(np.random.default_rng(3), (STUDIES, count))
        assert 0.93 <= share_covered(map(bootstrap_interval, values), truth) <= 0.97

    def test_of_a_large_normal_sample_it_is_student_s(self):
        values = np.random.default_rng(0).normal(5, 2, 400)
        half = stats.t.ppf(0.975, 399) * stats.sem(values)
        found = bootstrap_interval(values, resamples=20_000)
        assert found.value == pytest.approx(values.mean())
        assert (found.high - found.value) == pytest.approx(half, rel=0.02)
        assert (found.value - found.low) == pytest.approx(half, rel=0.02)

    def test_right_and_wrong_get_the_score_interval(self):
        right = np.arange(50) % 5 > 0
        assert bootstrap_interval(right) == accuracy_interval(right)

    def test_moved_and_scaled_with_the_values(self):
        values = np.random.default_rng(0).gamma(2, size=60)
        found, moved = bootstrap_interval(values), bootstrap_interval(100 - 7 * values)
        assert moved.low == pytest.approx(100 - 7 * found.high)
        assert moved.high == pytest.approx(100 - 7 * found.low)

    def test_deterministic_and_input_untouched(self):
        values = np.random.default_rng(0).gamma(2, size=60)
        before = values.copy()
        assert bootstrap_interval(values) == bootstrap_interval(list(values))
        assert bootstrap_interval(values) != bootstrap_interval(values, random_state=1)
        assert np.array_equal(values, before)

    def test_equal_values_have_no_width(self):
        assert bootstrap_interval([0.7] * 20) == Estimate(0.7, 0.7, 0.7)

    def test_few_values_that_differ_give_a_finite_interval(self):
        found = bootstrap_interval([0.0] * 98 + [0.4, 0.7])
        assert -0.2 < found.low < 0 < found.high < 0.2

    def test_cut_at_the_bounds(self):
        values = [0.5, 1, 1, 0.99, 1]
        assert bootstrap_interval(values).high > 1
        assert bootstrap_interval(values, bounds=(0, 1)).high == 1

    @pytest.mark.parametrize("values", [[0.5], [0.5, np.inf], [[0.5, 1]], ["a", "b"], []])
    def test_one_finite_number_an_image(self, values):
        with pytest.raises(ParameterError, match="'values' of bootstrap_interval"):
            bootstrap_interval(values)

    @pytest.mark.parametrize("wrong", [{"resamples": 10}, {"random_state": None}, {"level": 2}])
    def test_refused_parameters(self, wrong):
        with pytest.raises(ParameterError, match=f"'{next(iter(wrong))}' of bootstrap_interval"):
            bootstrap_interval([0.5, 1], **wrong)


def f1(truth, predicted):
    return lambda w: 2 * w @ (truth * predicted) / np.maximum(w @ (truth + predicted), 1)


class TestPooled:
    def test_as_scipy_s_bca(self):
        rng = np.random.default_rng(0)
        one = rng.gamma(2, size=80)
        other = one * rng.gamma(9, 1 / 9, size=80) + 1

        def ratio(weights):
            return (weights @ one) / (weights @ other)

        expected = stats.bootstrap(
            (one, other),
            lambda a, b, axis=-1: a.mean(axis) / b.mean(axis),
            paired=True,
            n_resamples=20_000,
            rng=np.random.default_rng(1),
        ).confidence_interval
        found = pooled_interval(ratio, 80, resamples=20_000)
        width = expected.high - expected.low
        assert found.value == pytest.approx(one.sum() / other.sum())
        assert found.low == pytest.approx(expected.low, abs=0.03 * width)
        assert found.high == pytest.approx(expected.high, abs=0.03 * width)

    @pytest.mark.parametrize("count", [100, 500])
    def test_it_holds_the_true_f1(self, count):
        # A third is of the class; 10% of the images are named wrong, independently: F1 is
        # 2 * 0.3 / (1/3 + 0.3 + 2/3 * 0.1).
        rng = np.random.default_rng(1)
        truth = rng.random((STUDIES if count == 100 else 600, count)) < 1 / 3
        predicted = truth ^ (rng.random(truth.shape) < 0.1)
        found = [pooled_interval(f1(*pair), count) for pair in zip(1.0 * truth, 1.0 * predicted)]
        assert 0.93 <= share_covered(found, 0.6 / 0.7) <= 0.97

    def test_many_images_are_left_out_in_groups(self):
        values = np.random.default_rng(0).exponential(1, 3000)
        widest = []

        def mean(weights):
            widest.append(weights.shape)
            return weights @ values / weights.sum(axis=1)

        found = pooled_interval(mean, 3000)
        half = 1.96 * stats.sem(values)
        assert (found.low, found.high) == pytest.approx(
            (values.mean() - half, values.mean() + half), abs=0.1 * half
        )
        assert sum(rows for rows, _ in widest) == 1 + 2000 + 500
        assert max(rows * columns for rows, columns in widest) < 2 * 2**20

    def test_resamples_that_cannot_tell_are_left_out(self):
        values = np.arange(30.0)

        def some(weights):
            return np.where(weights[:, 0] > 3, np.nan, weights @ values / 30)

        every = pooled_interval(lambda weights: weights @ values / 30, 30)
        found = pooled_interval(some, 30)
        assert found.value == 14.5
        assert (found.low, found.high) == pytest.approx((every.low, every.high), abs=0.5)

    def test_what_never_varies_has_no_width(self):
        assert pooled_interval(lambda w: np.ones(len(w)), 20) == Estimate(1.0, 1.0, 1.0)

    def test_what_no_resample_can_tell_has_no_ends(self):
        found = pooled_interval(lambda w: w[:, 0] * np.nan, 20)
        assert np.isnan([found.value, found.low, found.high]).all()

    def test_two_images_at_least(self):
        with pytest.raises(ParameterError, match="'count' of pooled_interval"):
            pooled_interval(lambda w: w[:, 0], 1)


class TestResamples:
    def test_every_image_is_drawn_as_often_as_chance_has_it(self):
        weights = np.concatenate(list(resampled(40, 5000, 0)))
        assert weights.shape == (5000, 40)
        assert np.all(weights.sum(axis=1) == 40)
        # Each count is binomial: 40 draws, 1 in 40.
        for times in range(4):
            expected = stats.binom.pmf(times, 40, 1 / 40)
            assert np.mean(weights == times) == pytest.approx(expected, abs=0.005)

    def test_coins(self):
        weights, signs = next(resampled(50, 2000, 0, signed=True))
        assert np.all(np.abs(signs) <= weights)
        assert np.all((weights - signs) % 2 == 0)
        assert signs.mean() == pytest.approx(0, abs=0.02)
        assert (signs**2).mean() == pytest.approx(1, abs=0.02)  # n draws of variance 1 / n

    def test_nobody_can_change_what_others_draw(self):
        with pytest.raises(ValueError, match="read-only"):
            next(resampled(5, 100, 0))[0, 0] = 7
