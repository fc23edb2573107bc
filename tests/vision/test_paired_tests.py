"""Tests of two methods: published values, SciPy, and what they find in 2,000 simulated studies."""

from functools import cache
from itertools import combinations

import numpy as np
import pytest
from scipy import optimize, stats

from vision.errors import ParameterError
from vision.intervals import Estimate
from vision.paired_tests import (
    PairedTest,
    holm,
    mcnemar,
    paired_bootstrap,
    pooled_test,
    verdict,
)

STUDIES = 2000
RIGHT_TESTS = (mcnemar, paired_bootstrap)


@cache
def result_of(test, only_first, only_second, count):
    """A test depends on the counts alone: equal studies are tested once."""
    places = np.arange(count)
    first = places < only_first
    second = (places >= only_first) & (places < only_first + only_second)
    return test(first, second)


def studies(test, first, second):
    counts = np.sum(first & ~second, axis=1), np.sum(second & ~first, axis=1)
    return [result_of(test, *map(int, pair), first.shape[1]) for pair in zip(*counts)]


def told_apart(found):
    return np.mean([one.p_value < 0.05 for one in found])


def covered(found, truth):
    return np.mean([one.difference.low <= truth <= one.difference.high for one in found])


def equal_methods(discordant, count, methods=2, studies=STUDIES, seed=0):
    """Right or wrong, by chance alone: 2a(1-a) of the images are told apart at accuracy a."""
    accuracy = (1 + np.sqrt(1 - 2 * discordant)) / 2
    return np.random.default_rng(seed).random((methods, studies, count)) < accuracy


def test_a_difference_that_no_resample_changes_is_judged_by_the_sign_test():
    for count in (2, 7, 30):
        found = pooled_test(lambda w: w.sum(axis=1) / w.sum(axis=1), lambda w: 0 * w[:, 0], count)
        assert found.p_value == pytest.approx(stats.binomtest(count, count).pvalue)
        assert (found.difference.low, found.difference.high) == (1, 1)
    assert pooled_test(lambda w: 0 * w[:, 0], lambda w: 0 * w[:, 0], 30).p_value == 1
    assert pooled_test(lambda w: w[:, 0] * np.nan, lambda w: 0 * w[:, 0], 30).p_value == 1


class TestMcNemar:
    def test_published_values(self):
        # Fagerland, Lydersen and Laake, doi:10.1186/1471-2288-13-91: of 21 children, 1 and 7
        # changed; mid-p 0.039. Tango's interval of the same data, -0.517 to -0.026, is in
        # their doi:10.1002/sim.6148.
        found = mcnemar([1] + [0] * 20, [0] + [1] * 7 + [0] * 13, conditional=True)
        assert found.p_value == pytest.approx(0.0391, abs=5e-5)
        assert found.difference.value == pytest.approx(-6 / 21)
        assert (found.difference.low, found.difference.high) == pytest.approx(
            (-0.517, -0.026), abs=5e-4
        )

    @pytest.mark.parametrize(("one", "other"), [(0, 0), (3, 3), (5, 0), (2, 9), (31, 18)])
    def test_conditional_as_scipy(self, one, other):
        exact = stats.binomtest(min(one, other), max(one + other, 1)).pvalue if one != other else 1
        seen = stats.binom.pmf(one, one + other, 0.5) if one != other else 0
        found = mcnemar(
            [1] * one + [0] * 100, [0] * one + [1] * other + [0] * (100 - other), conditional=True
        )
        assert found.p_value == pytest.approx(exact - seen)
        assert (found.only_first, found.only_second) == (one, other)

    @pytest.mark.parametrize(
        ("one", "other", "count"), [(3, 0, 20), (7, 2, 30), (8, 2, 12), (15, 4, 40), (9, 16, 60)]
    )
    def test_unconditional_by_counting_all_studies(self, one, other, count):
        grid = np.indices((count + 1, count + 1)).reshape(2, -1)
        b, c = grid[:, grid.sum(axis=0) <= count]
        share = (one + other) / count / 2
        cells = np.stack([b, c, count - b - c], axis=1)
        chance = stats.multinomial.pmf(cells, count, [share, share, 1 - 2 * share])
        # (b - c)^2 / (b + c) held against that of the study, as whole numbers.
        ours, theirs = (b - c) ** 2 * (one + other), (one - other) ** 2 * (b + c)
        expected = chance[ours > theirs].sum() + chance[(ours == theirs) & (b != c)].sum() / 2
        assert result_of(mcnemar, one, other, count).p_value == pytest.approx(expected, abs=1e-9)

    def test_of_many_images_it_is_chi_squared(self):
        expected = stats.chi2.sf((1050 - 950) ** 2 / 2000, 1)
        assert result_of(mcnemar, 1050, 950, 20_000).p_value == pytest.approx(expected, rel=0.01)

    @pytest.mark.parametrize(("one", "other", "count"), [(1, 7, 21), (30, 12, 200), (4, 0, 50)])
    def test_its_interval_by_constrained_likelihood(self, one, other, count):
        """The ends are where the score test, its estimate found numerically, gives 1.96."""

        def score(difference):
            def unlikely(q):  # q is the probability that only the second is right
                p = q + difference
                return -(
                    stats.multinomial.logpmf(
                        [one, other, count - one - other], count, [p, q, max(1 - p - q, 0)]
                    )
                )

            bounds = (max(0, -difference) + 1e-12, (1 - difference) / 2 - 1e-12)
            q = optimize.minimize_scalar(
                unlikely, bounds=bounds, method="bounded", options={"xatol": 1e-12}
            ).x
            variance = 2 * q + difference - difference**2
            return (one - other - count * difference) / np.sqrt(count * variance)

        found = result_of(mcnemar, one, other, count).difference
        assert score(found.low) == pytest.approx(1.959964, abs=1e-3)
        assert score(found.high) == pytest.approx(-1.959964, abs=1e-3)

    def test_two_copies_are_never_told_apart(self):
        right = np.arange(100) % 7 > 0
        found = mcnemar(right, right)
        assert found.p_value == 1
        # By hand: z^2 / (n + z^2).
        assert found.difference.high == pytest.approx(3.8415 / 103.8415, abs=1e-5)
        assert found.difference.low == -found.difference.high

    def test_the_other_way_round(self):
        first, second = equal_methods(0.3, 100)[:, 0]
        found, turned = mcnemar(first, second), mcnemar(second, first)
        assert turned.p_value == found.p_value
        assert turned.difference.value == -found.difference.value
        assert turned.difference.low == pytest.approx(-found.difference.high)
        assert (turned.only_first, turned.only_second) == (found.only_second, found.only_first)

    def test_refused(self):
        with pytest.raises(ParameterError, match=r"'first_right' of mcnemar.*1 or 0"):
            mcnemar([0.5, 1], [1, 0])
        with pytest.raises(ParameterError, match=r"'second_right' of mcnemar.*the 2 images"):
            mcnemar([0, 1], [1, 0, 1])
        with pytest.raises(ParameterError, match=r"'first_right' of mcnemar.*at least 2"):
            mcnemar([1], [1])
        with pytest.raises(ParameterError, match=r"'conditional'"):
            mcnemar([1, 0], [1, 0], conditional="yes")


class TestStudies:
    """What is found, over 2,000 studies, in methods that are right or wrong."""

    @pytest.mark.parametrize("test", RIGHT_TESTS)
    @pytest.mark.parametrize("count", [100, 500])
    @pytest.mark.parametrize("discordant", [0.05, 0.1, 0.2, 0.3])
    def test_equal_methods(self, discordant, count, test):
        found = studies(test, *equal_methods(discordant, count))
        assert 0.035 <= told_apart(found) <= 0.065
        assert 0.93 <= covered(found, 0) <= 0.97

    def test_equal_methods_by_every_share_of_discordant_images(self):
        """The rate itself, no simulation: the chance of each pair of counts, from 5 to 30%."""
        b, c = (part.ravel() for part in np.indices((50, 50)))
        p_values = np.array(
            [result_of(mcnemar, *map(int, pair), 100).p_value for pair in zip(b, c)]
        )
        for discordant in np.linspace(0.05, 0.3, 26):
            chance = stats.binom.pmf(b + c, 100, discordant) * stats.binom.pmf(b, b + c, 0.5)
            assert 0.04 <= chance[p_values < 0.05].sum() <= 0.06
            assert chance[p_values < 0.005].sum() <= 0.0065

    @pytest.mark.parametrize("test", RIGHT_TESTS)
    @pytest.mark.parametrize("shared", [0, 0.02])
    def test_five_points_on_500_images_are_found(self, shared, test):
        """Accuracies 0.95 and 0.90; a share of the images is hard for both, the rest by chance.

        Without hard images 14% tell the two apart, which is the most that 0.95 and 0.90 can have
        unless methods complement each other; real ones share hard images, which makes it easier.
        """
        rng = np.random.default_rng(0)
        hard = rng.random((STUDIES, 500)) < shared
        wrong = [
            hard | (rng.random(hard.shape) < (error - shared) / (1 - shared))
            for error in (0.05, 0.1)
        ]
        found = studies(test, ~wrong[0], ~wrong[1])
        assert told_apart(found) >= 0.8
        assert 0.93 <= covered(found, 0.05) <= 0.97
        assert all(one.difference.value > 0 for one in found if one.p_value < 0.05)

    @pytest.mark.parametrize("test", RIGHT_TESTS)
    @pytest.mark.parametrize("count", [100, 500])
    @pytest.mark.parametrize("discordant", [0.05, 0.3])
    def test_all_pairs_of_five_equal_methods(self, discordant, count, test):
        methods = equal_methods(discordant, count, methods=5)
        pairs = [studies(test, *methods[[i, j]]) for i, j in combinations(range(5), 2)]
        p_values = np.array([[one.p_value for one in pair] for pair in pairs])
        found = [holm(column).min() < 0.05 for column in p_values.T]
        assert np.mean(found) <= 0.065


def graded(rng, count, gain=0.0):
    """IoUs of two methods; the same images are hard for both."""
    hard = rng.normal(0, 1, (STUDIES, count))
    first, second = (
        1 / (1 + np.exp(-(2 + hard + rng.normal(0, 0.7, hard.shape)))) for _ in range(2)
    )
    return first + gain, second


class TestPairedBootstrap:
    @pytest.mark.parametrize("count", [100, 500])
    def test_equal_methods_with_graded_scores(self, count):
        pairs = zip(*graded(np.random.default_rng(0), count))
        found = [paired_bootstrap(*pair) for pair in pairs]
        assert 0.035 <= told_apart(found) <= 0.065
        assert 0.93 <= covered(found, 0) <= 0.97

    def test_equal_methods_that_differ_on_few_images(self):
        """On four of five images both give the same; elsewhere the differences are normal."""
        rng = np.random.default_rng(1)
        shape = STUDIES, 100
        gaps = np.where(rng.random(shape) < 0.2, rng.normal(0, 0.2, shape), 0)
        found = [paired_bootstrap(row, np.zeros(100)) for row in gaps]
        assert 0.035 <= told_apart(found) <= 0.065
        assert 0.93 <= covered(found, 0) <= 0.97

    def test_as_the_t_test_of_a_large_sample(self):
        rng = np.random.default_rng(0)
        first = rng.normal(0, 1, 400)
        second = first + rng.normal(0.03, 0.3, 400)
        found = paired_bootstrap(first, second, resamples=20_000)
        assert found.p_value == pytest.approx(stats.ttest_rel(first, second).pvalue, abs=0.005)

    def test_as_the_sign_flipping_test_of_scipy(self):
        rng = np.random.default_rng(2)
        first = rng.gamma(3, 1, 30)
        second = first - rng.normal(0.15, 0.4, 30)
        expected = stats.permutation_test(
            (first, second),
            lambda a, b, axis: np.mean(a - b, axis=axis),
            permutation_type="samples",
            n_resamples=20_000,
            rng=np.random.default_rng(0),
        ).pvalue
        found = paired_bootstrap(first, second, resamples=20_000)
        assert found.p_value == pytest.approx(expected, abs=0.01)

    def test_right_and_wrong_are_the_sum_of_all_resamples(self):
        """What 100,000 random resamples say of scores that are nearly 0 and 1."""
        first, second = np.zeros(100), np.zeros(100)
        first[:9], second[9:11] = 1, 1
        exact = paired_bootstrap(first, second)
        assert exact.p_value == mcnemar(first, second).p_value
        # A hundredth of the difference keeps it from being told from the scores that it is exact.
        drawn = paired_bootstrap(first * 100, second * 100, resamples=100_000)
        assert drawn.p_value == pytest.approx(exact.p_value, abs=0.002)
        assert drawn.p_value != exact.p_value

    def test_two_copies_are_never_told_apart(self):
        scores = np.random.default_rng(0).random(50)
        found = paired_bootstrap(scores, scores)
        assert (found.p_value, found.only_first, found.only_second) == (1, 0, 0)
        assert found.difference.low < 0 < found.difference.high  # as of right and wrong

    def test_two_copies_whose_scores_differ_by_rounding(self):
        scores = np.random.default_rng(0).random(50) + 1
        found = paired_bootstrap(scores, scores * (1 + 1e-15))
        assert (found.p_value, found.only_second) == (1, 0)

    def test_by_how_much(self):
        scores = np.random.default_rng(0).random(60)
        other = scores - np.where(np.arange(60) < 45, 0.02, -0.01)
        found = paired_bootstrap(scores, other)
        assert found.difference.value == pytest.approx((45 * 0.02 - 15 * 0.01) / 60)
        assert (found.only_first, found.only_second) == (45, 15)
        assert found.p_value == pytest.approx(1 / 2001)

    def test_the_same_draws_for_everybody(self):
        first, second = (row[0] for row in graded(np.random.default_rng(5), 100))
        found = paired_bootstrap(first, second)
        assert paired_bootstrap(first, second) == found
        assert paired_bootstrap(first, second, random_state=1) != found
        assert paired_bootstrap(second, first).p_value == found.p_value

    def test_refused(self):
        with pytest.raises(ParameterError, match=r"'second' of paired_bootstrap.*the 2 images"):
            paired_bootstrap([0.1, 0.2], [0.3])
        with pytest.raises(ParameterError, match=r"'first' of paired_bootstrap.*finite"):
            paired_bootstrap([0.1, np.inf], [0.3, 0.4])
        with pytest.raises(ParameterError, match=r"'resamples'"):
            paired_bootstrap([0.1, 0.2], [0.3, 0.4], resamples=5)


class TestPooled:
    @pytest.mark.parametrize(("wrong", "count"), [(0.026, 100), (0.1, 100), (0.1, 500)])
    def test_equal_methods(self, wrong, count):
        """Macro F1 of two classes, errors independent."""
        rng = np.random.default_rng(0)
        runs = 500 if count == 500 else STUDIES
        found = []
        for _ in range(runs):
            truth = rng.random(count) < 0.4
            said = truth ^ (rng.random((2, count)) < wrong)
            found.append(pooled_test(*(macro_f1(truth, one) for one in said), count))
        assert 0.03 <= told_apart(found) <= 0.07
        assert 0.93 <= covered(found, 0) <= 0.97

    def test_a_metric_that_no_resample_can_tell(self):
        found = pooled_test(lambda w: w[:, 0] * np.nan, lambda w: w[:, 0], 20)
        assert found.p_value == 1
        assert np.isnan(found.difference.low)

    def test_the_mean_is_told_as_by_the_t_test(self):
        rng = np.random.default_rng(1)
        first, second = rng.normal(0, 1, (2, 200)) + np.array([[0.2], [0]])
        gaps = first - second
        found = pooled_test(lambda w: w @ first / 200, lambda w: w @ second / 200, 200)
        expected = stats.ttest_rel(first, second).pvalue
        assert found.difference.value == pytest.approx(gaps.mean())
        assert found.p_value == pytest.approx(expected, abs=0.01)
        assert (found.only_first, found.only_second) == (None, None)

    def test_two_copies_are_never_told_apart(self):
        truth = np.arange(60) % 3 > 0
        statistic = macro_f1(truth, truth ^ (np.arange(60) % 7 == 0))
        assert pooled_test(statistic, statistic, 60).p_value == 1


def macro_f1(truth, said):
    def statistic(weights):
        scores = []
        for true, named in ((truth, said), (~truth, ~said)):
            both = weights @ (true & named).astype(float)
            scores.append(2 * both / np.maximum(weights @ (true * 1.0 + named), 1))
        return np.mean(scores, axis=0)

    return statistic


class TestHolm:
    @pytest.mark.parametrize("seed", range(5))
    def test_by_the_principle_of_closed_testing(self, seed):
        """Holm's value of a hypothesis is Bonferroni's largest over all sets that it is in."""
        p_values = np.random.default_rng(seed).random(6) ** 4
        expected = np.zeros(6)
        for size in range(1, 7):
            for chosen in combinations(range(6), size):
                members = list(chosen)
                bonferroni = min(1, size * p_values[members].min())
                expected[members] = np.maximum(expected[members], bonferroni)
        assert holm(p_values) == pytest.approx(expected)

    def test_order_and_edges(self):
        assert holm([0.5, 0.01, 0.02]).tolist() == pytest.approx([0.5, 0.03, 0.04])
        assert holm([0.9, 0.8]).tolist() == [1, 1]
        assert holm([]).tolist() == []

    @pytest.mark.parametrize("wrong", [[0.5, 1.2], [-0.1], [[0.5]], [np.nan]])
    def test_refused(self, wrong):
        with pytest.raises(ParameterError, match=r"'p_values' of holm"):
            holm(wrong)


class TestWords:
    def test_the_second_is_better(self):
        test = PairedTest(Estimate(-0.031, -0.05, -0.012), 0.001, 17, 48, "")
        assert verdict("the SVM", "the network", test, 0.01) == (
            "the network is better by 3.1 points, 95% interval 1.2 to 5.0; on 17 images only the "
            "SVM is right"
        )

    def test_the_first_is_better_in_decibels(self):
        test = PairedTest(Estimate(0.524, 0.31, 0.738, 0.9), 0.001, 30, 1, "")
        assert verdict("A", "B", test, unit="dB", graded=True) == (
            "A is better by 0.52 dB, 90% interval 0.31 to 0.74; on 1 image B is better"
        )

    def test_what_was_not_found(self):
        test = PairedTest(Estimate(-0.004, -0.018, 0.01), 0.03, 7, 9, "")
        assert verdict("A", "B", test, 0.3) == (
            "no difference between A and B was found: 0.4 points in favour of B, 95% interval "
            "-1.0 to 1.8; on 7 images only A is right, on 9 images only B is right"
        )

    def test_pooled_metrics_have_no_single_images(self):
        test = PairedTest(Estimate(0.02, 0.01, 0.03), 0.001, None, None, "")
        assert verdict("A", "B", test) == "A is better by 2.0 points, 95% interval 1.0 to 3.0"

    @pytest.mark.parametrize("p_value", [0.05, 0.3, 1])
    def test_nobody_is_said_to_be_equal(self, p_value):
        for test in (
            PairedTest(Estimate(0.0, -0.01, 0.01), p_value, 3, 3, ""),
            PairedTest(Estimate(0.0, -0.01, 0.01), p_value, 0, 0, ""),
            PairedTest(Estimate(0.001, -0.01, 0.01), p_value, None, None, ""),
        ):
            said = verdict("A", "B", test)
            assert "no difference between A and B was found" in said
            assert "equal" not in said
            assert "better" not in said

    def test_refused(self):
        with pytest.raises(ParameterError, match=r"'p_adjusted' of verdict"):
            verdict("A", "B", PairedTest(Estimate(0, 0, 0), 1, 0, 0, ""), 2)
