"""Every refused pair of catalogue steps comes with a chain that composes and runs."""

import numpy as np
import pytest

from tests.test_contract import NAMES, photograph, stand_in
from vision import catalogue
from vision.composition import chain
from vision.errors import KindError
from vision.flow import is_stateless
from vision.kinds import Kind
from vision.repair import find_repair


def refused(first, second):
    try:
        chain(catalogue.make(first), catalogue.make(second))
    except KindError as error:
        return error
    return None


@pytest.mark.parametrize("first", NAMES)
def test_the_suggestion_for_every_refused_pair_composes_and_runs(first):
    for second in NAMES:
        error = refused(first, second)
        if error is None:
            continue
        assert error.suggestion is not None, f"{first} >> {second}: {error}"
        suggestion = error.suggestion
        if not all(is_stateless(step) for _, step in suggestion.steps):
            continue
        image = photograph()
        kind = suggestion.takes[0]
        suggestion(image if kind is Kind.ANY else stand_in(kind, image))


def test_the_designs_own_example():
    error = refused("ToHSV", "HoughLines")
    assert str(error) == (
        "HoughLines takes an edge mask or a mask, but ToHSV gives an hsv image. "
        "Use Gray() >> Canny() instead of ToHSV()."
    )


def test_the_repair_keeps_what_stands_before_and_after():
    from classical import FindContours, GaussianBlur, Resize

    with pytest.raises(KindError) as caught:
        Resize(32) >> GaussianBlur() >> FindContours()
    names = [type(step).__name__ for _, step in caught.value.suggestion.steps]
    assert names == ["Resize", "GaussianBlur", "Gray", "Otsu", "FindContours"]
    found = caught.value.suggestion(np.full((40, 40, 3), 9, np.uint8))
    assert found.shape == (40, 40)


def test_nothing_follows_a_classifier():
    from sklearn.svm import SVC

    from classical import Canny, RawPixels

    with pytest.raises(KindError, match="nothing can follow"):
        RawPixels() >> SVC() >> Canny()


@pytest.mark.parametrize(
    ("steps", "advice"),
    [
        ("Gray Otsu", "Put ToUint8() before Otsu()."),
        ("Gray GaussianBlur FindContours", "Put ToUint8() >> Otsu() before FindContours()."),
        ("GaussianBlur Canny", "Put ToUint8() >> Gray() before Canny()."),
        ("GaussianBlur ToHSV", "Put ToUint8() before ToHSV()."),
    ],
)
def test_a_float_image_is_brought_to_8_bits_gray_where_its_colours_are_not_wanted(steps, advice):
    steps = [catalogue.make(name) for name in steps.split()]
    repair = find_repair(steps, len(steps) - 1, Kind.FLOAT)
    assert repair.advice == advice
    floating = repair.pipeline(photograph().astype(np.float32) / 255)
    whole = chain(*[step for _, step in repair.pipeline.steps if type(step).__name__ != "ToUint8"])
    if isinstance(floating, np.ndarray):
        assert np.mean(np.abs(floating.astype(int) - whole(photograph())) > 2) < 0.01
    else:
        assert len(floating) == len(whole(photograph()))


def test_parameters_that_do_not_fit_are_named_instead_of_leaving_the_step_out():
    from classical import FindContours, Gray, Threshold

    with pytest.raises(KindError) as caught:
        Gray() >> Threshold(-1) >> FindContours()
    assert str(caught.value) == (
        "Threshold takes a map, but Gray gives a gray image. "
        "Threshold() would fit, Threshold(value=-1) does not."
    )
    assert caught.value.suggestion(photograph()).shape == photograph().shape[:2]
