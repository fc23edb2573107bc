"""Classifications against scikit-learn's own predictions."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.multiclass import OutputCodeClassifier
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from vision.classification import Classification, classify
from vision.errors import ParameterError

X, Y = load_iris(return_X_y=True)
NAMES = load_iris().target_names[Y]


@pytest.mark.parametrize("truth", [Y, NAMES, Y > 0], ids=["numbers", "texts", "truths"])
def test_labels_and_probabilities_are_scikit_learns(truth):
    model = LogisticRegression(max_iter=500).fit(X, truth)
    found = classify(model, X[::10])
    assert [one.label for one in found] == model.predict(X[::10]).tolist()
    assert {one.score_kind for one in found} == {"probability"}
    table = model.predict_proba(X[::10])
    for one, row in zip(found, table, strict=True):
        assert list(one.scores) == model.classes_.tolist()
        np.testing.assert_allclose(list(one.scores.values()), row)
        assert one.score == pytest.approx(row.max())
        second = np.argsort(row)[-2]
        assert one.runner_up == model.classes_[second]
        assert one.to_records()[0]["runner_up_score"] == pytest.approx(row[second])
        assert one.to_records()[0]["score_kind"] == "probability"


def test_a_whole_float_is_a_label():
    found = Classification(1.0, {0.0: 0.25, 1.0: 0.75}, "probability")
    assert type(found.label) is int and found.score == 0.75


def test_labels_are_plain_python():
    (one,) = classify(DecisionTreeClassifier().fit(X, NAMES), X[:1])
    assert type(one.label) is str
    (one,) = classify(DecisionTreeClassifier().fit(X, Y), X[:1])
    assert type(one.label) is int


@pytest.mark.parametrize("model", [LinearSVC(), SVC(), RidgeClassifier()])
def test_decision_values(model):
    model.fit(X, Y)
    for one, row in zip(classify(model, X), model.decision_function(X), strict=True):
        assert one.score_kind == "decision"
        np.testing.assert_allclose(list(one.scores.values()), row)
        assert one.to_records()[0]["score_kind"] == "decision"


def test_a_picture_of_decision_values_names_the_classes_alone():
    image = np.zeros((200, 600), np.uint8)
    named = Classification("cat").draw(image)
    for score in (0.87, 3.2, -0.4):
        decided = Classification("cat", {"cat": score}, "decision").draw(image)
        assert np.array_equal(decided, named)
    probable = Classification("cat", {"cat": 0.87}, "probability").draw(image)
    assert not np.array_equal(probable, named)
    pictures = {
        kind: [
            Classification("cat", {"cat": 0.9, "dog": second}, kind).draw(image)
            for second in (0.05, 0.1)
        ]
        for kind in ("decision", "probability")
    }
    assert np.array_equal(*pictures["decision"])
    assert not np.array_equal(*pictures["probability"])
    assert not np.array_equal(pictures["decision"][0], named)  # the runner-up is named


def test_one_decision_value_counts_for_the_second_class():
    model = LinearSVC().fit(X[:100], NAMES[:100])
    for one, value in zip(classify(model, X[:100]), model.decision_function(X[:100]), strict=True):
        np.testing.assert_allclose(list(one.scores.values()), [-value, value])
        assert one.score == max(one.scores.values())


@pytest.mark.parametrize(
    "model", [SVC(decision_function_shape="ovo"), OutputCodeClassifier(SVC(), random_state=0)]
)
@pytest.mark.parametrize("classes", [3, 4])
def test_no_scores_where_none_belongs_to_a_class(model, classes):
    (one,) = classify(model.fit(X, np.arange(len(X)) % classes), X[:1])
    assert one == Classification(int(model.predict(X[:1])[0]))
    assert one.to_records()[0]["score"] is None
    assert one.to_records()[0]["score_kind"] is None
    assert one.runner_up is None


def test_probabilities_a_rounding_error_above_one():
    class Rounded:
        classes_ = np.array(["a", "b"])

        def predict(self, rows):
            return np.array(["a"] * len(rows))

        def predict_proba(self, rows):
            return np.array([[1 + 1e-9, -1e-9]] * len(rows))

    assert classify(Rounded(), [0])[0].scores == {"a": 1.0, "b": 0.0}


def test_caption_fits_any_size():
    found = Classification("a very long name of a class indeed", {"a very long name of a class indeed": 1}, "probability")  # noqa: E501  # fmt: skip
    for shape in [(1, 1), (5, 300), (64, 64), (400, 600), (3000, 50)]:
        drawn = found.draw(np.full(shape, 200, np.uint8))
        assert drawn.shape == (*shape, 3)
        assert (drawn != 200).any()
        if shape == (400, 600):
            assert (drawn[:370] == 200).all()
            assert drawn[370:].max() == 255  # white letters


def test_runner_up_is_shown_where_there_is_room():
    image = np.zeros((200, 600), np.uint8)
    sole = Classification("cat", {"cat": 0.9}, "probability").draw(image)
    both = Classification("cat", {"cat": 0.9, "dog": 0.1}, "probability").draw(image)
    assert (sole != both)[:, 80:].any()
    assert not (sole != both)[:, :60].any()


def test_mapped_is_of_the_other_image():
    found = Classification("a").mapped(np.eye(3), (5, 6))
    assert found == Classification("a", shape=(5, 6))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"label": 0.5}, "'label'"),
        ({"label": None}, "'label'"),
        ({"scores": {"a": 1}}, "'score_kind'"),
        ({"score_kind": "decision"}, "'score_kind'"),
        ({"scores": {"a": 1}, "score_kind": "votes"}, "'score_kind' .* 'probability' or"),
        ({"scores": [1], "score_kind": "decision"}, "'scores' .* dictionary"),
        ({"scores": {"b": 1}, "score_kind": "decision"}, "'scores' .* that of 'a'"),
        ({"scores": {"a": 2}, "score_kind": "probability"}, "'scores' .* from 0 to 1"),
        ({"scores": {"a": np.nan}, "score_kind": "decision"}, "'scores' .* finite"),
        ({"scores": {"a": "x"}, "score_kind": "decision"}, "'scores' .* finite"),
        ({"shape": (5,)}, "'shape'"),
    ],
)
def test_refusals_name_the_field(arguments, says):
    with pytest.raises(ParameterError, match=f"The {says}|The 'label'"):
        Classification(**({"label": "a"} | arguments))
