"""The search for parameters, against scikit-learn's own, and what it says of its luck."""

import warnings

import numpy as np
import pytest
from scipy import stats
from skimage import data
from sklearn.base import is_classifier
from sklearn.datasets import load_digits, make_classification
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import jaccard_score
from sklearn.model_selection import (
    GridSearchCV,
    ParameterSampler,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC

import vision
from classical import GaussianBlur, Gray, Otsu, RawPixels, Threshold
from vision.errors import ParameterError
from vision.tuning import Tune, TuningWarning, _expected, _flattered, tune

# Most sets here are too small for anything; `TestLuck` is about that.
pytestmark = pytest.mark.filterwarnings("ignore::vision.tuning.TuningWarning")


@pytest.fixture(scope="module")
def digits():
    ships = load_digits()
    return (ships.images * 15).astype(np.uint8), ships.target


@pytest.fixture(scope="module")
def coins():
    """Six pieces of a photograph, of different sizes, and what is brighter than 107 in them."""
    photo = data.coins()
    images = [photo[50 * k : 50 * k + 60, 10 * k : 300 + 5 * k].copy() for k in range(5)]
    return images, [np.where(image > 107, 255, 0).astype(np.uint8) for image in images]


class TestSearch:
    def test_every_setting_of_a_small_space_as_in_a_grid_search(self, digits):
        images, labels = digits[0][:200], digits[1][:200]
        pipeline = RawPixels(4) >> SVC()
        space = {"rawpixels__size": [2, 4], "svc__C": [0.1, 1, 10]}
        found = tune(pipeline, space, images, labels, cv=3, random_state=7)
        folds = StratifiedKFold(3, shuffle=True, random_state=7)
        expected = GridSearchCV(pipeline, space, cv=folds).fit(images, labels)
        assert found.parameters == expected.best_params_
        assert found.score == pytest.approx(expected.best_score_)
        # The pipeline as it came is tried first.
        assert found.trials[0].parameters == {"rawpixels__size": 4, "svc__C": 1}
        assert [trial.parameters for trial in found.trials[1:]] == expected.cv_results_["params"]
        assert [trial.score for trial in found.trials[1:]] == pytest.approx(
            expected.cv_results_["mean_test_score"].tolist()
        )
        assert np.array_equal(found.best.predict(images), expected.predict(images))

    def test_the_pipeline_itself_is_left_alone(self, digits):
        pipeline = RawPixels(4) >> SVC()
        found = tune(pipeline, {"svc__C": [5, 50]}, digits[0][:100], digits[1][:100], cv=2)
        assert pipeline[-1].C == 1
        assert not hasattr(pipeline[-1], "support_")
        assert found.best is not pipeline

    def test_a_large_space_is_drawn_from_at_random(self, digits):
        images, labels = digits[0][:100], digits[1][:100]
        space = {"svc__C": stats.loguniform(0.01, 100), "rawpixels__size": [2, 3, 4, 8]}
        pipeline = RawPixels(8) >> SVC()
        found = tune(pipeline, space, images, labels, cv=2, trials=5, random_state=3)
        expected = list(ParameterSampler(space, 5, random_state=3))
        assert [trial.parameters for trial in found.trials[1:]] == expected
        assert "5 settings drawn at random with seed 3" in found.notes[0]
        again = tune(pipeline, space, images, labels, cv=2, trials=5, random_state=3)
        assert again.score == found.score
        assert again.parameters == found.parameters

    def test_a_pipeline_that_learns_nothing_on_images_of_many_sizes(self, coins):
        images, masks = coins
        pipeline = GaussianBlur(5) >> Threshold(60)
        space = {"gaussianblur__size": [1, 5, 9], "threshold__value": [60, 107, 160]}
        found = tune(pipeline, space, images, masks, cv=5)
        assert found.parameters == {"gaussianblur__size": 1, "threshold__value": 107}
        assert found.score == found.expected == 1
        as_it_came = [
            jaccard_score(mask.ravel() > 0, pipeline(image).ravel() > 0, average="macro")
            for image, mask in zip(images, masks)
        ]
        assert found.trials[0].score == pytest.approx(np.mean(as_it_came))

    def test_whole_steps_are_exchanged(self, digits):
        images, labels = digits[0][:200], digits[1][:200]
        candidates = [GaussianNB(), LogisticRegression(C=1e-4, max_iter=1000), SVC()]
        pipeline = RawPixels(8) >> GaussianNB()
        found = tune(pipeline, {"gaussiannb": candidates}, images, labels, cv=3)
        assert type(found.best[-1]) is SVC
        assert not hasattr(candidates[2], "support_")

    def test_columns_of_a_table(self, digits):
        pandas = pytest.importorskip("pandas")
        images, labels = digits[0][:100], digits[1][:100]
        rows = np.arange(100)[::-1]
        columns = [pandas.Series(list(one), index=rows) for one in (images, labels)]
        candidate, space = RawPixels(8) >> GaussianNB(), {"gaussiannb__var_smoothing": [1e-9, 1]}
        found = tune(candidate, space, *columns, cv=3)
        plain = tune(candidate, space, images, labels, cv=3)
        assert [one.scores for one in found.trials] == [one.scores for one in plain.trials]

    def test_lazy_images(self, coins, tmp_path):
        images, masks = coins
        for number, image in enumerate(images):
            vision.write(tmp_path / f"{number}.png", image)
        lazy = vision.Images(tmp_path, mode="gray")
        found = tune(Threshold(60), {"threshold__value": [107]}, lazy, masks)
        assert found.parameters == {"threshold__value": 107}

    def test_another_metric(self, digits):
        images, labels = digits[0][:300], digits[1][:300] > 4
        found = tune(
            RawPixels(8) >> GaussianNB(),
            {"gaussiannb__var_smoothing": [1e-9, 0.1]},
            images,
            labels,
            metric="roc_auc",
        )
        pipeline = RawPixels(8) >> GaussianNB(**{"var_smoothing": found.best[-1].var_smoothing})
        folds = StratifiedKFold(5, shuffle=True, random_state=0)
        expected = cross_val_score(pipeline, images, labels, cv=folds, scoring="roc_auc")
        assert found.score == pytest.approx(expected.mean())

    def test_groups_stay_together(self, digits):
        images, labels = digits[0][:60], digits[1][:60] % 2
        seen = []

        def count(estimator, images, labels):
            seen.append(len(images))
            return 1.0

        groups = np.repeat([0, 1, 2], 20)
        found = tune(
            RawPixels(2) >> SVC(),
            {"svc__C": [1]},
            images,
            labels,
            groups=groups,
            cv=3,
            metric=count,
        )
        assert seen == [20] * 6
        assert "no group in two of them" in found.notes[0]


class TestTrials:
    def test_what_fails_is_noted_and_left_out(self, digits):
        images, labels = digits[0][:60], digits[1][:60]
        space = {"svc__C": [-1, 10]}
        found = tune(RawPixels(4) >> SVC(), space, images, labels, cv=2)
        assert found.trials[1].parameters == {"svc__C": -1}
        assert "'C' parameter of SVC" in found.trials[1].error
        assert np.isnan(found.trials[1].score)
        assert found.notes[1].startswith("1 of 3 settings failed, the first with Invalid")
        assert [record["score"] for record in found.to_records()][:2] == sorted(
            [found.trials[0].score, found.trials[2].score], reverse=True
        )
        assert found.to_records()[-1]["error"] == found.trials[1].error

    def test_if_all_fail_it_says_why(self, digits):
        with pytest.raises(ParameterError, match=r"None of the 2 settings.*'C' parameter of SVC"):
            tune(RawPixels(4) >> SVC(C=-2), {"svc__C": [-1]}, digits[0][:40], digits[1][:40], cv=2)

    def test_if_all_but_the_pipeline_as_it_came_fail_it_warns_why(self, digits):
        pipeline, space = RawPixels(4) >> SVC(), {"svc__C": [-1, -2], "svc__gamma": ["scale"]}
        with pytest.warns(TuningWarning, match=r"2 of 3 settings failed, all but the") as said:
            found = tune(pipeline, space, digits[0][:60], digits[1][:60], cv=2)
        assert said[0].filename == __file__
        assert found.notes[1:] == (str(said[0].message),)
        assert "'C' parameter of SVC" in found.notes[1]
        assert found.parameters == {"svc__C": 1.0, "svc__gamma": "scale"}

    def test_where_the_pipeline_as_it_came_wins_its_own_values_are_told(self, coins):
        space = {"threshold": [Threshold(200)], "threshold__value": [20, 250]}
        pipeline = GaussianBlur(1) >> Threshold(107)
        found = tune(pipeline, space, *coins)
        assert found.parameters["threshold__value"] == 107
        assert found.parameters["threshold"].value == 107
        best = found.to_records()[0]
        assert (best["threshold__value"], best["score"]) == (107, 1)
        assert found.best["threshold"].value == 107
        assert all(record.keys() == best.keys() for record in found.to_records())

    def test_no_trial_starts_after_the_budget(self, digits):
        images, labels = digits[0][:60], digits[1][:60]
        space = {"svc__C": [1, 2, 3, 4]}
        found = tune(RawPixels(4) >> SVC(), space, images, labels, cv=2, budget=1e-6)
        assert len(found.trials) == 1
        assert found.parameters == {"svc__C": 1.0}
        assert "stopped after 1 at its budget of 1e-06 seconds" in found.notes[0]

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"space": {"svc__c": [1]}}, r"'space' of tune.*'svc__c'.*Did you mean 'svc__C'"),
            ({"space": {"svc__C": []}}, r"'svc__C' of the space of tune.*a list of values"),
            ({"space": {"svc__C": 3}}, r"'svc__C' of the space of tune"),
            ({"space": {"svc__kernel": "rbf"}}, r"'svc__kernel' of the space of tune"),
            ({"space": {}}, r"'space' of tune"),
            ({"trials": 0}, r"'trials' of tune"),
            ({"budget": 0}, r"'budget' of tune"),
            ({"random_state": None}, r"'random_state' of tune"),
            ({"pipeline": SVC}, r"'pipeline' of tune"),
            ({"images": iter([])}, r"'images' of tune"),
            ({"truth": [0, 1]}, r"'truth' of tune must be one entry an image, 40. Got 2"),
            ({"truth": None}, r"'truth' of tune"),
            ({"cv": 41}, r"'cv' of tune"),
            ({"groups": [1, 2]}, r"'groups' of tune"),
        ],
    )
    def test_refused(self, options, message, digits):
        given = {"pipeline": RawPixels(2) >> SVC(), "space": {"svc__C": [1]}}
        given |= {"images": digits[0][:40], "truth": digits[1][:40]}
        with pytest.raises(ParameterError, match=message):
            tune(**given | options)


WIDE = {"C": stats.loguniform(1e-2, 1e3), "gamma": stats.loguniform(1e-4, 10)}


def simulated(count, accuracies, alike, studies):
    """Studies of settings of known accuracy, whose errors on images are more or less alike.

    Of each the score of the best setting, what is expected of it, and its true accuracy.
    """
    rng = np.random.default_rng(0)
    found = []
    for _ in range(studies):
        shared = np.sqrt(alike) * rng.normal(size=(count, 1))
        ease = shared + np.sqrt(1 - alike) * rng.normal(size=(count, len(accuracies)))
        right = ease < stats.norm.ppf(accuracies)
        scores = right.reshape(5, -1, len(accuracies)).mean(axis=1).T
        best = scores.mean(axis=1).argmax()
        found.append((scores[best].mean(), _expected(scores), accuracies[best]))
    return np.array(found).T


class TestLuck:
    def test_labels_that_are_noise(self):
        """There is nothing to be found: 0.5 is the truth, whatever the best score says."""
        found, warned = [], 0
        for seed in range(6):
            rng = np.random.default_rng(seed)
            rows, labels = rng.normal(size=(60, 20)), rng.permutation(60) % 2
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                found.append(tune(SVC(), WIDE, rows, labels, trials=20, random_state=seed))
            warned += any(issubclass(one.category, TuningWarning) for one in said)
        assert np.mean([one.score for one in found]) > 0.56
        assert np.mean([one.optimism for one in found]) > 0.03
        assert warned >= 4

    @pytest.mark.parametrize(
        ("accuracies", "alike"),
        [(np.full(31, 0.5), 0), (np.full(31, 0.5), 0.5), (np.linspace(0.6, 0.9, 31), 0.7)],
    )
    @pytest.mark.parametrize("count", [60, 200])
    def test_what_is_expected_is_what_new_images_give(self, count, accuracies, alike):
        promised, expected, given = simulated(count, accuracies, alike, studies=400)
        assert np.mean(promised) - np.mean(given) > 0.01
        assert np.mean(expected) == pytest.approx(np.mean(given), abs=0.01)

    def test_how_often_it_warns(self):
        noise = simulated(100, np.full(31, 0.5), 0.5, studies=400)
        assert np.mean([_flattered(*pair) for pair in zip(*noise[:2])]) > 0.85
        enough = simulated(2000, np.linspace(0.6, 0.9, 31), 0.7, studies=60)
        assert np.mean([_flattered(*pair) for pair in zip(*enough[:2])]) < 0.05

    def test_the_warning(self):
        rng = np.random.default_rng(0)
        rows, labels = rng.normal(size=(60, 20)), rng.permutation(60) % 2
        with pytest.warns(TuningWarning, match=r"60 images are too few.*best of 31") as said:
            found = tune(SVC(), WIDE, rows, labels)
        assert found.notes[-1] == str(said[0].message)
        assert said[0].filename == __file__
        assert found.optimism == found.score - found.expected

    def test_a_big_set_is_silent_and_right(self):
        rows, labels = make_classification(4000, n_features=20, n_informative=8, random_state=0)
        found = tune(SVC(), WIDE, rows[:1000], labels[:1000], trials=15, cv=3)
        held_out = found.best.score(rows[1000:], labels[1000:])
        assert found.expected == pytest.approx(held_out, abs=0.02)
        assert found.score == pytest.approx(held_out, abs=0.02)
        assert len(found.notes) == 1

    def test_what_is_to_be_expected_by_hand(self):
        # Scores of (a, b) on three folds: a is best on the folds 2 and 3, and scores 0.2 on
        # fold 1; without fold 2, b leads with 1.2 to 0.9; without fold 3, with 1.4 to 1.1.
        scores = [(0.2, 0.9, 0.7), (0.7, 0.7, 0.5)]
        assert _expected(scores) == pytest.approx((0.2 + 0.7 + 0.5) / 3)


class TestEstimator:
    def test_searches_again_in_every_fold_and_sees_its_training_images_alone(self, digits):
        images, labels = digits[0][:150], digits[1][:150] % 2
        seen = []

        class Spy(RawPixels):
            def transform(self, images):
                seen.append({image.tobytes() for image in images})
                return super().transform(images)

        tuned = Tune(Spy(4) >> GaussianNB(), {"gaussiannb__var_smoothing": [1e-9, 0.1]}, cv=2)
        folds = list(StratifiedKFold(3).split(images, labels))
        for train, test in folds:
            seen.clear()
            tuned.fit([images[i] for i in train], labels[train])
            held = {images[i].tobytes() for i in test} - {images[i].tobytes() for i in train}
            assert seen
            assert not any(part & held for part in seen)

    def test_it_predicts_as_its_best(self, digits):
        images, labels = digits[0][:200], digits[1][:200]
        tuned = Tune(RawPixels(8) >> SVC(C=1e-3), {"svc__C": [0.01, 10]}, cv=3).fit(images, labels)
        best = (RawPixels(8) >> SVC(C=10)).fit(images, labels)
        assert tuned.tuned_.parameters == {"svc__C": 10}
        assert np.array_equal(tuned.predict(images), best.predict(images))
        assert np.array_equal(tuned.decision_function(images), best.decision_function(images))
        assert tuned.score(images, labels) == best.score(images, labels)
        assert tuned(images[0]).label == best(images[0]).label
        assert np.array_equal(tuned.classes_, np.arange(10))
        assert not hasattr(tuned, "predict_proba")
        assert is_classifier(tuned)

    def test_inside_cross_validation(self, digits):
        images, labels = list(digits[0][:120]), digits[1][:120]
        tuned = Tune(RawPixels(8) >> SVC(C=1e-3), {"svc__C": [0.01, 10]}, cv=2)
        expected = cross_val_score(RawPixels(8) >> SVC(C=10), images, labels, cv=3)
        assert cross_val_score(tuned, images, labels, cv=3).tolist() == expected.tolist()

    def test_without_fit(self):
        tuned = Tune(RawPixels(8) >> SVC(C=1e-3), {"svc__C": [0.01, 10]})
        with pytest.raises(NotFittedError):
            tuned.predict([np.zeros((8, 8), np.uint8)])

    def test_as_a_candidate_of_compare(self, coins):
        images, masks = coins
        tuned = Tune(Gray() >> Threshold(60), {"threshold__value": [60, 107, 160]}, cv=2)
        study = vision.compare(
            {"Otsu": Gray() >> Otsu(), "tuned": tuned},
            [np.dstack([image] * 3) for image in images],
            masks,
            cv=2,
            progress=False,
        )
        assert study["tuned"].error is None
        assert study.ranking()[0] == "tuned"


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_labels_with_gaps_are_refused(missing):
    digits = load_digits()
    images = digits.images[:60].astype(np.uint8) * 15
    labels = [missing if place == 5 else "ab"[place % 2] for place in range(60)]
    with pytest.raises(ParameterError, match="at index 5"):
        tune(RawPixels(8) >> GaussianNB(), {"gaussiannb__var_smoothing": [0.1]}, images, labels)
