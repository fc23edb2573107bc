"""Curves, robustness and faithfulness as tables, against pandas' own reading of them."""

import numpy as np
import pytest

from tests.vision.comparisons import curves, robustness
from vision.comparison_extras import Faithfulness, LearningCurves, Robustness

pandas = pytest.importorskip("pandas")


def test_a_table_of_learning_curves_holds_every_score_once():
    found = curves(["raw pixels", "HOG + SVM", "small CNN"])
    table = pandas.DataFrame(found.to_records())
    assert list(table) == ["candidate", "repeat", "images", "score"]
    for name, scores in found.scores.items():
        wide = table[table.candidate == name].pivot(
            index="repeat", columns="images", values="score"
        )
        assert wide.columns.tolist() == found.sizes.tolist()
        assert wide.index.tolist() == [1, 2, 3]
        np.testing.assert_array_equal(wide.to_numpy(), scores)


def test_a_table_of_robustness_holds_every_score_once():
    found = robustness({"HOG + SVM": 0.9, "small CNN": 0.95})
    table = pandas.DataFrame(found.to_records())
    assert list(table) == ["candidate", "corruption", "level", "strength", "score"]
    for name, scores in found.scores.items():
        rows = table[table.candidate == name]
        wide = rows.pivot(index="corruption", columns="level", values="score")
        np.testing.assert_array_equal(wide.loc[list(found.corruptions)], scores)
        assert rows.strength.tolist() == [text for levels in found.strengths for text in levels]


def test_a_candidate_that_failed_has_none_for_scores():
    missing = np.full((1, 2), np.nan)
    curve = LearningCurves(np.array([10, 20]), {"net": missing})
    spoiled = Robustness(("blur",), (("untouched", "sigma 1 px"),), {"net": missing})
    for found in (curve, spoiled):
        assert [row["score"] for row in found.to_records()] == [None, None]


def test_the_rows_of_faithfulness_are_given_as_copies():
    found = Faithfulness(({"candidate": "net", "method": "Grad-CAM", "deletion": 0.25},))
    found.to_records()[0]["deletion"] = 1
    assert found.to_records() == [{"candidate": "net", "method": "Grad-CAM", "deletion": 0.25}]
