"""The folds of a comparison against scikit-learn's own, and what is refused."""

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold

from tests.vision.comparison_stubs import Recorder, answers, compared
from vision.comparison_folds import make_folds, some_held_out
from vision.errors import ParameterError

LABELS = np.array(["a"] * 12 + ["b"] * 30)


def test_a_number_is_scikit_learns_stratified_folds():
    folds = make_folds(4, LABELS, stratified=True, random_state=7)
    theirs = StratifiedKFold(4, shuffle=True, random_state=7).split(LABELS, LABELS)
    for (train, test), (their_train, their_test) in zip(folds.splits, theirs, strict=True):
        assert np.array_equal(train, their_train) and np.array_equal(test, their_test)
    for fold in range(4):
        assert (LABELS[folds.held_out == fold] == "a").sum() == 3


def test_other_tasks_get_plain_folds():
    folds = make_folds(3, [np.zeros(1)] * 10, stratified=False, random_state=1)
    theirs = KFold(3, shuffle=True, random_state=1).split(np.zeros(10))
    assert [test.tolist() for _, test in folds.splits] == [test.tolist() for _, test in theirs]


@pytest.mark.parametrize("stratified", [True, False])
def test_groups_stay_together(stratified):
    groups = np.arange(42) // 3
    folds = make_folds(3, LABELS, groups, stratified=stratified)
    for train, test in folds.splits:
        assert not set(groups[train]) & set(groups[test])
    assert (folds.held_out >= 0).all()


def test_a_share_is_held_out_once():
    folds = make_folds(0.25, LABELS, stratified=True)
    ((train, test),) = folds.splits
    assert len(test) == 11 and len(train) == 31
    assert (LABELS[test] == "a").sum() == 3
    assert (folds.held_out == -1).sum() == 31


def test_a_share_of_groups_is_held_out_whole():
    groups = np.arange(42) // 3
    ((train, test),) = make_folds(0.3, LABELS, groups, stratified=True).splits
    assert not set(groups[train]) & set(groups[test])


def test_numbers_are_taken_as_they_are():
    numbers = [0, 1, -1, 0, 1, -1]
    folds = make_folds(numbers, [0] * 6, stratified=False)
    assert folds.held_out.tolist() == numbers
    assert folds.splits[0][0].tolist() == [1, 2, 4, 5]
    assert folds.splits[0][1].tolist() == [0, 3]


def test_a_splitter_and_its_pairs_are_the_same():
    groups = np.arange(42) % 6
    one = make_folds(GroupKFold(3), LABELS, groups, stratified=True)
    pairs = list(GroupKFold(3).split(LABELS, LABELS, groups))
    other = make_folds(pairs, LABELS, groups, stratified=True)
    assert np.array_equal(one.held_out, other.held_out)


def test_masks_of_booleans_are_indices():
    test = np.arange(42) < 10
    folds = make_folds([(~test, test)], LABELS, stratified=True)
    assert folds.splits[0][1].tolist() == list(range(10))


def test_a_rare_class_is_named_with_what_can_be_had():
    with pytest.raises(ParameterError, match=r"Of 'c' there are 3. cv=3 can be had."):
        make_folds(5, [*LABELS, "c", "c", "c"], stratified=True)
    with pytest.raises(ParameterError, match="Leave that class out"):
        make_folds(5, [*LABELS, "c"], stratified=True)


@pytest.mark.parametrize(
    "cv", [1, 43, 0.0, 1.5, None, object(), "five", [0, 2] * 21, [-1] * 42, [-2, 0] * 21]
)
def test_what_is_no_split_is_refused(cv):
    with pytest.raises(ParameterError, match="'cv'"):
        make_folds(cv, LABELS, stratified=False)


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([([0, 1], [1, 2])], "image 1 is both"),
        ([([0, 1], [2]), ([0, 1], [2])], "image 2 out twice"),
        ([([0], [99])], "parts"),
        ([([0, 0], [1])], "each once"),
        ([([], [1])], "at least one"),
        ([[0]], "pairs"),
    ],
)
def test_splits_that_leak_or_point_elsewhere_are_refused(pairs, words):
    with pytest.raises(ParameterError, match=words):
        make_folds(pairs, LABELS, stratified=False)


def test_a_group_on_both_sides_is_refused():
    with pytest.raises(ParameterError, match="group 'p' is both"):
        make_folds([0, 1], ["a", "b"], ["p", "p"], stratified=False)


def test_groups_of_another_length_are_refused():
    with pytest.raises(ParameterError, match="one entry for each of 42"):
        make_folds(2, LABELS, [1, 2], stratified=True)


@pytest.mark.parametrize("missing", [None, np.nan])
def test_an_image_of_unknown_group_is_refused(missing):
    groups = [missing if place == 7 else place // 2 for place in range(42)]
    with pytest.raises(ParameterError, match="known for each image, also for 7"):
        make_folds(3, LABELS, groups, stratified=True)


def test_a_list_of_groups_is_looked_at_before_numpy_makes_texts_of_it():
    for missing in (None, np.nan):
        groups = [missing if place == 7 else str(place // 2) for place in range(42)]
        with pytest.raises(ParameterError, match="known for each image, also for 7"):
            make_folds(3, LABELS, groups, stratified=True)
    with pytest.raises(ParameterError, match="all texts or all numbers"):
        make_folds(3, LABELS, [1, "1", "2"] * 14, stratified=True)
    numbers = [np.int64(place // 2) for place in range(42)]
    expected = make_folds(3, LABELS, np.arange(42) // 2, stratified=True).held_out
    assert np.array_equal(make_folds(3, LABELS, numbers, stratified=True).held_out, expected)


def test_groups_of_a_table_with_gaps_or_of_two_types_are_refused():
    pandas = pytest.importorskip("pandas")
    gaps = pandas.Series(["a", None, "b"] * 14, dtype="string")
    with pytest.raises(ParameterError, match="known for each image, also for 1"):
        make_folds(3, LABELS, gaps, stratified=True)
    with pytest.raises(ParameterError, match="all texts or all numbers"):
        make_folds(3, LABELS, pandas.Series(["a", 1, 2] * 14), stratified=True)


@pytest.mark.parametrize(
    ("cv", "groups"), [(GroupKFold(3), None), (StratifiedKFold(31), None), (0.3, np.zeros(42))]
)
def test_what_scikit_learn_refuses_is_refused(cv, groups):
    with pytest.raises(ParameterError, match="cannot be had"):
        make_folds(cv, LABELS, groups, stratified=True)


def test_splits_of_unequal_length_are_compared():
    parts = np.arange(20), np.arange(20, 60)
    study = compared({"one": Recorder(answers(()))}, cv=[parts, parts[::-1]])
    assert study.folds.tolist() == [1] * 20 + [0] * 40
    assert study.provenance["command"].startswith("vision.compare(candidates, images, truth")


def test_some_of_those_held_out():
    class Folds:
        held_out = np.array([-1, 0, 1, 0, 1, -1] * 100)

    def some(number):
        return some_held_out("robustness", number, Folds, 0, 200)

    assert len(some(True)) == 200
    assert (Folds.held_out[some(7)] >= 0).all() and (np.diff(some(7)) > 0).all()
    assert len(some(1000)) == 400
    for refused in (0, 2.5, "all"):
        with pytest.raises(ParameterError, match="robustness"):
            some(refused)
