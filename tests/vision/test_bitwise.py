"""Masks joined by operators: Boolean algebra, fixed masks, shared beginnings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.base import clone

from classical import GaussianBlur, Gray, InRange, Otsu, Resize, Threshold, ToHSV
from vision import And, Branches, KindError, Or, ParameterError

PICTURES = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9))
LEVELS = st.integers(0, 254)


@given(PICTURES, LEVELS, LEVELS)
@settings(max_examples=60, deadline=None)
def test_operators_are_numpys_on_boolean_masks(image, low, high):
    a, b = Threshold(low), Threshold(high)
    one, other = image > low, image > high
    assert np.array_equal((a & b)(image) > 0, one & other)
    assert np.array_equal((a | b)(image) > 0, one | other)
    assert np.array_equal((a ^ b)(image) > 0, one ^ other)
    assert np.array_equal((~a)(image) > 0, ~one)


@given(PICTURES, LEVELS, LEVELS)
@settings(max_examples=30, deadline=None)
def test_de_morgan(image, low, high):
    a, b = Threshold(low), Threshold(high)
    assert np.array_equal((~(a | b))(image), (~a & ~b)(image))
    assert np.array_equal((a ^ b)(image), ((a | b) & ~(a & b))(image))


def test_a_fixed_mask_stands_on_either_side_and_numpy_leaves_the_operator_to_us():
    image = np.array([[10, 200], [10, 200]], np.uint8)
    mask = np.array([[255, 255], [0, 0]], np.uint8)
    for joined in (Threshold(100) & mask, mask & Threshold(100)):
        assert isinstance(joined, And)
        assert joined(image).tolist() == [[0, 255], [0, 0]]
    assert (mask | Threshold(100))(image).tolist() == [[255, 255], [0, 255]]
    assert (mask ^ Threshold(100))(image).tolist() == [[255, 0], [0, 255]]
    with pytest.raises(KindError, match="one size"):
        joined(image[:1])
    with pytest.raises(ParameterError, match=r"values are 0, 1: a mask is .* \* 255"):
        (Threshold(100) & (mask // 255))(image)
    with pytest.raises(ParameterError, match=r"astype\(np.uint8\) \* 255"):
        (Threshold(100) & (mask > 0))(image)


def test_branches_of_one_operation_are_named_by_class_and_reached_by_keyword():
    low, high = (
        InRange("hsv", (0, 9, 9), (9, 255, 255)),
        InRange("hsv", (170, 9, 9), (179, 255, 255)),
    )
    red = ToHSV() >> (low | high)
    red.set_params(or__inrange_2__low=(160, 0, 0))
    assert red.get_params()["or__inrange_2__low"] == (160, 0, 0)
    three = Threshold(1) | Threshold(2) | Threshold(3)
    assert [name for name, _ in three.branches] == ["threshold", "threshold_2", "threshold_3"]
    assert clone(three).set_params(threshold_2=Otsu()).branches[1][1].__class__ is Otsu
    assert three.branches[1][1].value == 2
    with pytest.raises(ParameterError, match="no parameter 'otsu__value'"):
        three.set_params(otsu__value=3)


def test_hue_wraps_by_or_as_by_one_range():
    from skimage import data

    image = data.coffee()
    both = ToHSV() >> (
        InRange("hsv", (170, 50, 50), (179, 255, 255)) | InRange("hsv", (0, 50, 50), (10, 255, 255))
    )
    once = ToHSV() >> InRange("hsv", (170, 50, 50), (10, 255, 255))
    assert np.array_equal(both(image), once(image))


def test_a_branch_that_gives_no_mask_is_refused_with_a_repair():
    with pytest.raises(KindError, match=r"And joins masks, but its branch 'gray' gives a gray"):
        Gray() & (Gray() >> Otsu())
    with pytest.raises(KindError, match="get the same image"):
        (ToHSV() >> InRange("hsv", (0, 0, 0), (9, 9, 9))) | InRange("hsv", (0, 0, 0), (9, 9, 9))


def test_a_beginning_that_all_branches_share_is_computed_once(monkeypatch):
    calls = []
    original = Gray.apply
    monkeypatch.setattr(Gray, "apply", lambda self, image: calls.append(1) or original(self, image))
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    a = Gray() >> GaussianBlur() >> Threshold(50)
    b = Gray() >> GaussianBlur() >> Threshold(90)
    expected = np.bitwise_xor(a(image), b(image))
    calls.clear()
    assert np.array_equal((a ^ b)(image), expected)
    assert len(calls) == 1


def test_branches_of_different_grids_are_joined_on_the_given_one():
    image = np.zeros((40, 60, 3), np.uint8)
    image[10:30, 20:40] = 255
    coarse, fine = Resize(width=30, height=20) >> Gray() >> Otsu(), Gray() >> Otsu()
    joined = (coarse & fine)(image)
    assert joined.shape == (40, 60)
    assert np.count_nonzero(joined) == 400


def test_branches_give_a_dictionary_and_refuse_what_is_none():
    image = np.array([[10, 200]], np.uint8)
    found = Branches({"dark": ~Otsu(), "bright": Otsu()})(image)
    assert {name: mask.tolist() for name, mask in found.items()} == {
        "dark": [[255, 0]],
        "bright": [[0, 255]],
    }
    for wrong in ([], 3, {"a": 3}, [("a", Otsu()), ("a", Otsu())], {"a__b": Otsu()}):
        with pytest.raises(ParameterError):
            Branches(wrong)(image)
    assert isinstance(Or([("a", Otsu())])(image), np.ndarray)
