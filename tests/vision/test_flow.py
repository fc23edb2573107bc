"""What flows through chains of ours and scikit-learn's steps, and what is refused, and how."""

import numpy as np
import pytest
from skimage import data
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from classical import (
    Canny,
    Closing,
    ColorHistogram,
    Crop,
    Dilation,
    Erosion,
    FindContours,
    Gray,
    Opening,
    Otsu,
    RawPixels,
    Resize,
    Threshold,
    ToHSV,
    ToUint8,
)
from vision import Branches, Kind, KindError, Pick, Pipeline, chain
from vision.flow import chain_kinds, first_narrow

MASKED = Gray() >> Otsu()


@pytest.mark.parametrize(
    "chained",
    [
        MASKED >> (Opening(3) >> FindContours()),
        Pipeline([("mask", MASKED), ("clean", Opening(3) >> Closing(3)), ("find", FindContours())]),
        MASKED >> Branches({"a": Opening(3), "b": Closing(3)}) >> Pick("a") >> FindContours(),
        MASKED >> (Dilation(3) ^ Erosion(3)) >> FindContours(),
        chain(FrozenEstimator(MASKED), FindContours()),
        chain(make_pipeline(Gray(), Otsu()), FindContours()),
    ],
)
def test_a_mask_stays_one_through_nesting_branches_and_operators(chained):
    assert chained.gives is Kind.CONTOURS
    assert chained(data.coffee()).shape == (400, 600)


def test_grouping_does_not_change_what_a_chain_gives():
    image = data.coffee()
    flat = Gray() >> Otsu() >> Opening(3) >> FindContours()
    grouped = (Gray() >> Otsu()) >> (Opening(3) >> FindContours())
    assert grouped(image) == flat(image)


def test_cleaning_that_keeps_kinds_is_a_chain_for_masks_alone_before_contours():
    assert chain_kinds([Opening(3), FindContours()]) == {Kind.MASK: Kind.CONTOURS}
    with pytest.raises(
        KindError, match=r"FindContours takes a mask or a label map, but Gray gives a gray image"
    ):
        Gray() >> FindContours()


def test_the_step_that_cannot_take_the_image_is_named_and_not_the_first():
    with pytest.raises(KindError, match=r"Otsu takes a gray image, but Resize gives an rgb image"):
        (Resize(64) >> Otsu())(data.coffee())


def test_a_search_and_a_frozen_estimator_give_what_is_inside_them():
    search = GridSearchCV(Gray() >> Threshold(), {"threshold__value": [1, 50]}, cv=2)
    assert set(chain_kinds([Resize(64), search]).values()) == {Kind.MASK}
    assert chain_kinds([FrozenEstimator(SVC())]) == {Kind.FEATURES: Kind.CLASS}
    assert chain_kinds([FrozenEstimator(Gray() >> RawPixels() >> Ridge())])[Kind.RGB] is Kind.VALUE


def test_a_search_over_masks_is_a_step_whose_mask_is_brought_back():
    image = data.coffee()
    small = Resize(64)(image)
    truth = (Gray() >> Threshold(50))(small)
    search = GridSearchCV(Gray() >> Threshold(), {"threshold__value": [1, 50]}, cv=2)
    back = (Resize(64) >> Gray() >> Threshold(50))(image)
    fitted = chain(Resize(64), search.fit([small] * 4, [truth] * 4))
    assert np.array_equal(fitted(image), back)
    assert np.array_equal(fitted.transform([image])[0], back)


def test_all_parts_of_a_union_are_looked_at():
    with pytest.raises(KindError, match="different ones: a gray image; an rgb image"):
        chain(FeatureUnion([("a", RawPixels(2)), ("b", ColorHistogram())]), SVC())
    with pytest.raises(KindError, match="its part 'a' gives a mask"):
        chain(Gray(), FeatureUnion([("a", Otsu()), ("b", RawPixels(2))]), SVC())


def test_a_union_of_image_features_feeds_a_classifier():
    images = [data.coffee()[:64, :64], data.chelsea()[:64, :64]] * 3
    union = FeatureUnion([("pixels", Gray() >> RawPixels(2)), ("colours", ColorHistogram())])
    fitted = chain(union, SVC()).fit(images, ["cup", "cat"] * 3)
    assert [fitted(image).label for image in images[:2]] == ["cup", "cat"]


@pytest.mark.parametrize(
    ("made", "narrow"),
    [
        (Gray() >> Canny(), "Canny"),
        (Branches({"a": Gray() >> Canny()}), "Canny"),
        ((Gray() >> Otsu()) & (Gray() >> Canny()), "Canny"),
        (Pipeline([("in", Gray() >> Canny())]), "Canny"),
        (Gray() >> Otsu() >> Dilation(3), None),
        (Gray() >> ToUint8() >> Canny(), None),
        (Branches({"a": Gray(), "b": Gray() >> ToUint8()}) >> Pick("a") >> Canny(), "Canny"),
        (Branches({"a": Gray(), "b": Gray() >> ToUint8()}) >> Pick("b") >> Canny(), None),
    ],
)
def test_16_bits_are_followed_through_nesting_and_branches(made, narrow):
    image = data.coffee()[:40, :50].astype(np.uint16) * 257
    offender = first_narrow([made])
    assert (None if offender is None else type(offender).__name__) == narrow
    assert made.dtypes == (("uint8", "uint16") if narrow is None else ("uint8",))
    if narrow is None:
        made(image)
    else:
        with pytest.raises(KindError, match=r"uint8|8-bit"):
            made(image)


def test_deep_nesting_is_checked_in_linear_time(monkeypatch):
    calls = []
    original = Opening.gives_for
    monkeypatch.setattr(
        Opening, "gives_for", lambda self, kind: calls.append(1) or original(self, kind)
    )
    nested = Opening(3)
    for _ in range(30):
        nested = Pipeline([("in", nested)])
    assert nested.gives is nested.takes[0]
    assert len(calls) < 2000


def test_a_colour_conversion_behind_gray_is_repaired_by_leaving_gray_out():
    with pytest.raises(KindError, match=r"Leave out Gray\(\)"):
        Gray() >> ToHSV()


def test_a_branch_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(KindError, match=r"Pick finds no branch 'b' among 'a'"):
        Branches({"a": Otsu()}) >> Pick("b")


def test_a_function_of_rows_and_one_of_images_get_the_batch_in_its_usual_form():
    doubled = chain(FunctionTransformer(lambda images: [image // 2 for image in images]), Otsu())
    narrow = np.random.default_rng(0).integers(0, 256, (9, 3), np.uint8)
    assert np.array_equal(doubled(narrow), Otsu()(narrow // 2))
    scaled = chain(RawPixels(2), FunctionTransformer(lambda rows: rows * 2.0), StandardScaler())
    images = [narrow, narrow.T.copy()]
    fitted = scaled.fit(images)
    assert np.allclose(fitted(images[1]), fitted.transform(images)[1])


def test_crop_before_contours_is_for_masks_and_says_so_for_a_photograph():
    with pytest.raises(KindError, match=r"Put Gray\(\) >> Otsu\(\) before FindContours\(\)"):
        (Crop(5, 5) >> FindContours())(data.coffee())
