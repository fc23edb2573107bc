"""Operators: what they join, what they keep, and what they refuse with the way out."""

import numpy as np
import pytest

from classical import Canny, Gray, Otsu, Threshold
from vision import KindError, Or, ParameterError, Pipeline


@pytest.mark.parametrize(
    ("compose", "words"),
    [
        (lambda: Gray() >> Canny, r"the class Canny\. Write Canny\(\)"),
        (lambda: Gray() >> np.abs, "the function absolute"),
        (lambda: len >> Gray(), r"the function len\. Write a Step"),
        (lambda: np.zeros((4, 5, 3), np.uint8) >> Gray(), r"pipeline\(image\)"),
        (lambda: Gray() >> 5, "Got 5"),
        (lambda: Gray() >> "canny", "Got 'canny'"),
        (lambda: Otsu() | Canny, r"Write Canny\(\)"),
        (lambda: Pipeline([("gray", Gray)]), r"Write Gray\(\)"),
        (lambda: Pipeline(Gray()), r"chain\(a, b\)"),
    ],
)
def test_what_is_no_step_is_refused_with_the_way_out(compose, words):
    with pytest.raises(KindError, match=words):
        compose()


def test_python_words_for_logic_are_refused_because_they_would_drop_a_side():
    with pytest.raises(TypeError, match="Masks join by &"):
        Otsu() and Threshold(100)
    with pytest.raises(TypeError, match="Masks join by &"):
        not (Gray() >> Otsu())


def test_joining_keeps_the_names_of_branches():
    low = Or([("left", Otsu()), ("right", Threshold(100))])
    assert [name for name, _ in (low | Threshold(50)).branches] == ["left", "right", "threshold"]
    table = Or({"left": Otsu(), "right": Threshold(100)})
    assert [name for name, _ in (table | Threshold(50)).branches] == ["left", "right", "threshold"]
    assert [n for n, _ in (low | Or([("left", Threshold(9))])).branches][2] == "threshold_2"


def test_a_fixed_mask_cannot_be_changed_behind_the_back_of_its_step():
    mask = np.zeros((4, 5), np.uint8)
    joined = Otsu() | mask
    joined(np.eye(4, 5, dtype=np.uint8))
    with pytest.raises(ValueError, match="read-only"):
        mask[:] = 7
    with pytest.raises(ParameterError, match=r"astype\(np.uint8\) \* 255"):
        Otsu() | (mask > 0)
