"""Groups in `vision.compare`: pictures that belong together are never on both sides."""

import numpy as np
import pytest
import sklearn
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.svm import SVC

import vision
from classical import RawPixels
from tests.vision.comparison_stubs import COUNT, SEEN, Recorder, answers, compared


@pytest.fixture(autouse=True)
def nothing_seen():
    SEEN.clear()


def test_groups_stay_together_and_widen_the_intervals():
    groups = np.arange(COUNT) // 6
    wrong = [*range(6), *range(12, 18), *range(24, 30)]  # all of three groups
    candidates = {"one": Recorder(answers(wrong)), "other": Recorder(answers(range(3)))}
    grouped, plain = compared(candidates, groups=groups), compared(candidates)
    for group in range(10):
        assert len(set(grouped.folds[groups == group])) == 1
    ends = [study["one"].scores["accuracy"] for study in (grouped, plain)]
    widths = [end.high - end.low for end in ends]
    assert widths[0] > 1.5 * widths[1]
    (pair,) = grouped.pairs
    assert pair.test.only_first == len(pair.only_first) == 0
    assert pair.test.difference.value == pytest.approx((42 - 57) / 60)


class OfRows(Recorder):
    """The same behind `RawPixels`."""

    def fit(self, rows, labels):
        return super().fit(rows.reshape(-1, 8, 8), labels)

    def predict(self, rows):
        return super().predict(rows.reshape(-1, 8, 8))


def test_groups_stay_together_where_a_candidate_makes_folds_of_its_own():
    groups, space = np.arange(COUNT) // 6, {"crash_at": [10**6]}
    of_images, of_rows = Recorder(answers(range(6))), OfRows(answers(()))
    candidates = {
        "alone": vision.Tune(of_images, space, cv=3),
        "last": RawPixels(8) >> vision.Tune(of_rows, space, cv=3),
        "search": GridSearchCV(of_images, space, cv=GroupKFold(3)),
        "search, last": RawPixels(8) >> GridSearchCV(of_rows, space, cv=GroupKFold(3)),
        "plain": of_images,
    }
    study = compared(candidates, groups=groups)
    assert not any(candidate.failed for candidate in study.candidates)
    inner = [(learned, asked) for learned, asked in SEEN if asked]
    assert len(inner) > 4 * 5 * 3
    for learned, asked in inner:
        assert not set(groups[learned]) & set(groups[asked])


@pytest.mark.parametrize("routing", [False, True])
def test_groups_are_told_to_those_alone_that_take_them(routing):
    space = {"C": [1, 2]}
    candidates = {
        "own": RawPixels(8) >> LogisticRegressionCV(cv=3, Cs=[0.1], max_iter=2000),
        "grouped": RawPixels(8) >> GridSearchCV(SVC(), space, cv=GroupKFold(3)),
        "plain": RawPixels(8) >> GridSearchCV(SVC(), space, cv=3),
    }
    with sklearn.config_context(enable_metadata_routing=routing):
        study = compared(candidates, groups=np.arange(COUNT) // 6)
    assert [candidate.error for candidate in study.candidates] == [None] * 3
