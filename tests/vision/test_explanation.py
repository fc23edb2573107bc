"""`explain` and `Explain`: scorers of a known place, through every step in front of them."""

import numpy as np
import pytest
import sklearn.pipeline
from sklearn.base import ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC, LinearSVC

import vision
from classical import (
    GLCM,
    HOG,
    BagOfVisualWords,
    Canny,
    ColorHistogram,
    Crop,
    Flip,
    GaussianBlur,
    Gray,
    Otsu,
    Pad,
    RawPixels,
    Resize,
    Rotate,
)
from tests.vision.corner import Corner
from tests.vision.run_folders import put, stored, table
from vision import Explain, Heatmap, explain
from vision.catalogue import EXPLAINERS
from vision.errors import ImageError, KindError, ParameterError, UnknownNameError
from vision.explanation import automatic, divided, explainer_of
from vision.target_scores import TargetScores, flat_steps

pytestmark = pytest.mark.cv2


def scene(height=96, width=128):
    """Dark noise, everywhere brighter than black."""
    return np.random.default_rng(0).integers(20, 90, (height, width, 3), np.uint8)


# What is in front of the corner scorer, and where in the given image (left, top, right, bottom)
# the upper left quarter, by its sides, of what it gets lies.
FRONTS = {
    "nothing": (None, (0, 0, 32, 24)),
    "resize": (Resize(width=64, height=64), (0, 0, 32, 24)),
    "crop": (Crop(40, 20, 80, 48), (40, 20, 60, 32)),
    "crop, resize": (Crop(40, 20, 80, 48) >> Resize(40), (40, 20, 60, 32)),
    "resize, crop": (Resize(factor=0.5) >> Crop(20, 10, 40, 32), (40, 20, 60, 36)),
    "flip": (Flip(), (96, 0, 128, 24)),
    "quarter turn": (Rotate(90, expand=True), (96, 0, 128, 24)),
    "gray, blur": (Gray() >> GaussianBlur(3) >> Crop(64, 48), (64, 48, 80, 60)),
    "nested": ((Crop(40, 20) >> (Flip() >> Flip())), (40, 20, 62, 39)),
}


@pytest.mark.parametrize("front", FRONTS)
def test_the_map_peaks_where_the_scorer_looks_in_the_given_image(front):
    steps, (left, top, right, bottom) = FRONTS[front]
    image = scene()
    image[top:bottom, left:right] = 250
    classifier = Corner() if steps is None else steps >> Corner()
    heat = explain(classifier, image)
    x, y = heat.peak
    assert (heat.shape, heat.target, heat.method) == ((96, 128), "bright", "occlusion")
    assert left <= x < right
    assert top <= y < bottom
    outside = np.ones(heat.shape, bool)
    outside[max(0, top - 14) : bottom + 14, max(0, left - 14) : right + 14] = False
    assert np.abs(heat.values[outside]).max() < 0.02


def test_what_was_cropped_away_counts_as_nothing():
    heat = explain(Crop(40, 20, 80, 48) >> Corner(), scene())
    inside = np.zeros(heat.shape, bool)
    inside[20:68, 40:120] = True
    assert not heat.values[~inside].any()
    assert heat.values[inside].any()


def test_the_map_of_a_resize_is_the_small_map_brought_back():
    image = scene()
    small = Resize(width=32, height=24)(image)
    inner = explain(Corner(), small).values
    outer = explain(Resize(width=32, height=24) >> Corner(), image).values
    # Pixel edges lie on pixel edges, four times as far apart: in the middle of a small pixel its
    # four middle pixels have its value as their mean.
    mean = (outer[1::4] + outer[2::4])[:, 1::4] / 4 + (outer[1::4] + outer[2::4])[:, 2::4] / 4
    middle = np.s_[1:-1, 1:-1]
    curvature = np.abs(mean - inner)[middle].max()
    assert curvature < 0.2 * np.abs(inner).max()
    assert np.corrcoef(mean[middle].ravel(), inner[middle].ravel())[0, 1] > 0.99


def test_the_peak_is_1_and_signs_turn_with_the_class():
    bright = explain(Corner(), scene(), "bright")
    dark = explain(Corner(), scene(), "dark")
    assert np.abs(bright.values).max() == 1
    assert bright.signed
    np.testing.assert_allclose(bright.values, -dark.values, atol=1e-5)


def test_options_go_to_the_method():
    image = np.full((8, 8), 200, np.uint8)
    heat = explain(Corner(), image, window=1, fill=0)
    expected = np.zeros((8, 8))
    expected[:2, :2] = 1
    np.testing.assert_allclose(heat.values, expected, atol=1e-6)
    with pytest.raises(ParameterError, match=r"'windwo'. Did you mean 'window'\?"):
        explain(Corner(), image, windwo=1)


def test_a_method_is_named_exactly():
    with pytest.raises(UnknownNameError, match=r"'gradcm'. Did you mean 'gradcam'\?"):
        explain(Corner(), scene(), method="gradcm")
    with pytest.raises(UnknownNameError, match="There are occlusion, gradcam"):
        explain(Corner(), scene(), method="zzz")
    with pytest.raises(ParameterError, match="'method' of explain"):
        explain(Corner(), scene(), method=3)


def test_a_method_for_networks_refuses_the_rest():
    with pytest.raises(KindError, match=r"'gradcam' explains networks, but gets Corner\. method="):
        explain(Resize(8) >> Corner(), scene(), method="gradcam")


def test_every_method_of_vision_and_classical_is_there():
    for method, module in EXPLAINERS.items():
        if not module.startswith("deep."):
            assert explainer_of(method).__module__ == module


def test_a_wrong_class_is_answered_with_the_right_one():
    with pytest.raises(ParameterError, match=r"'bright', 'dark'. Got 'brigth'. Did you mean"):
        explain(Corner(), scene(), "brigth")


def test_what_cannot_enter_is_refused_as_by_the_pipeline():
    with pytest.raises(KindError, match="takes an rgb image or a gray image"):
        explain(Resize(8) >> Corner(), scene().astype(np.float64))
    with pytest.raises(ImageError, match="at least one pixel"):
        explain(Corner(), scene()[:0])
    with pytest.raises(KindError, match="asks a classifier or a regressor, but Otsu gives"):
        explain(Gray() >> Otsu(), scene())
    with pytest.raises(NotFittedError, match="SVC is not fitted yet"):
        explain(Gray() >> RawPixels() >> SVC(), scene())


def test_the_image_is_left_as_it_is():
    image = scene()
    image.flags.writeable = False
    explain(Crop(10, 10) >> Corner(), image)
    assert np.array_equal(image, scene())


# What the methods get


IMAGES = [np.full((32, 32, 3), level, np.uint8) for level in (20, 40, 200, 220)]
LABELS = ["dark", "dark", "bright", "bright"]


def parts(estimator, image=None):
    front, last = divided(estimator, IMAGES[0] if image is None else image)
    return front.steps, flat_steps(last)


def test_steps_that_give_pictures_run_in_front():
    model = (Gray() >> Resize(16) >> RawPixels(4) >> StandardScaler() >> GaussianNB()).fit(
        IMAGES, LABELS
    )
    front, last = parts(model)
    assert [type(step).__name__ for step in front] == ["Gray", "Resize"]
    assert [type(step).__name__ for step in last] == ["RawPixels", "StandardScaler", "GaussianNB"]


def test_pipelines_within_and_the_winners_of_searches_are_looked_into():
    inner = sklearn.pipeline.Pipeline([("scale", StandardScaler()), ("name", GaussianNB())])
    search = GridSearchCV(Gray() >> RawPixels(4) >> inner, {"rawpixels__size": [2, 4]}, cv=2)
    search.fit(IMAGES, LABELS)
    front, last = parts(FrozenEstimator(Resize(8) >> search.best_estimator_))
    assert [type(step).__name__ for step in front] == ["Resize", "Gray"]
    assert last[0].size == search.best_params_["rawpixels__size"]
    assert explain(search, IMAGES[3]).target == "bright"


def test_a_classifier_of_images_gets_them_after_unknown_steps_too():
    same = FunctionTransformer(lambda images: images)
    front, last = parts(same >> Resize(16) >> Corner())
    assert len(front) == 2
    assert isinstance(last[0], Corner)


def test_branches_of_features_are_explained_by_what_enters_them():
    both = vision.Branches({"colour": ColorHistogram(), "gray": Gray() >> RawPixels(2)})
    model = (Resize(16) >> both >> GaussianNB()).fit(IMAGES, LABELS)
    front, last = parts(model)
    assert [type(step).__name__ for step in front] == ["Resize"]
    assert explain(model, IMAGES[0]).method == "occlusion"
    assert len(last) == 2


def test_the_method_is_chosen_by_what_is_explained():
    assert automatic(HOG() >> LinearSVC()) == "occlusion"  # not fitted: no weights
    grays = [image[..., 0] for image in IMAGES]
    noise = [np.random.default_rng(n).integers(0, 256, (64, 64), np.uint8) for n in range(4)]
    fitted = {
        "hog": HOG() >> StandardScaler() >> LogisticRegression(),
        "occlusion": HOG() >> RandomForestClassifier(2),
    }
    for method, model in fitted.items():
        assert automatic(model.fit(grays, LABELS)) == method
    colours = ColorHistogram() >> RandomForestClassifier(2)
    assert automatic(colours.fit(IMAGES, LABELS)) == "histogram"
    assert automatic((BagOfVisualWords(n_words=3) >> SVC()).fit(noise, LABELS)) == "words"
    assert automatic(GLCM() >> SVC()) == "occlusion"
    assert automatic(Corner()) == "occlusion"


class KerasLike:
    """As a network looks from outside: fitted, with `model_` and `classes_`."""

    model_, classes_ = object(), np.array(["a", "b"])


def test_a_network_is_explained_by_gradcam():
    assert automatic(KerasLike()) == "gradcam"


# Scores


def test_scores_are_those_of_scikit_learn():
    random = np.random.default_rng(0)
    images = [random.integers(0, 256, (8, 8), np.uint8) for _ in range(40)]
    labels = np.arange(40) % 3
    for last in (GaussianNB(), SVC(), LogisticRegression(max_iter=2000)):
        model = (RawPixels(4) >> last).fit(images, labels)
        scores = TargetScores(model, images[0], np.int64(2))
        table_ = model.predict_proba if hasattr(last, "predict_proba") else model.decision_function
        np.testing.assert_allclose(scores(images), table_(images)[:, 2], rtol=1e-6, atol=1e-9)
        assert TargetScores(model, images[5]).target == model.predict(images)[5]
    binary = (RawPixels(4) >> LinearSVC()).fit(images, labels > 0)
    decisions = binary.decision_function(images)
    np.testing.assert_allclose(TargetScores(binary, images[0], True)(images), decisions)
    np.testing.assert_allclose(TargetScores(binary, images[0], False)(images), -decisions)


def test_no_images_have_no_scores():
    assert TargetScores(Corner(), scene())([]).shape == (0,)


class ListClassifier(ClassifierMixin):
    """A classifier that someone wrote for lists of images, without our base class."""

    classes_ = np.array([0, 1])

    def get_params(self, deep=True):
        return {}

    def fit(self, images, labels):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def __sklearn_tags__(self):
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        tags = InputTags(two_d_array=False, three_d_array=True)
        return Tags("classifier", TargetTags(required=True), None, ClassifierTags(), None, True,
                    True, True, tags)  # fmt: skip

    def predict(self, images):
        return self.predict_proba(images).argmax(axis=1)

    def predict_proba(self, images):
        bright = np.array([image[-8:, -8:].mean() / 255 for image in images])
        return np.column_stack([1 - bright, bright])


def test_any_estimator_of_images_with_scores_is_explained():
    image = np.full((32, 48, 3), 20, np.uint8)
    image[-8:, -8:] = 250
    heat = explain(ListClassifier(), image)
    x, y = heat.peak
    assert heat.target == 1
    assert x >= 40
    assert y >= 24


# The step


def test_the_step_gives_what_the_function_gives():
    image = scene()
    step = Explain(Resize(32) >> Corner(), "dark", "occlusion", {"window": 8})
    expected = explain(Resize(32) >> Corner(), image, "dark", window=8)
    assert step(image) == expected
    assert step.transform([image, image])[1] == expected


def test_the_step_in_a_pipeline_is_brought_back_too():
    image = scene()
    image[20:32, 40:60] = 250
    heat = (Crop(40, 20, 80, 48) >> Explain(Resize(40) >> Corner()))(image)
    x, y = heat.peak
    assert heat.shape == (96, 128)
    assert 40 <= x < 60
    assert 20 <= y < 32


def test_fit_trains_a_copy_of_the_estimator():
    untrained = Gray() >> RawPixels(2) >> GaussianNB()
    step = Explain(untrained)
    with pytest.raises(NotFittedError):
        step(IMAGES[0])
    step.fit(IMAGES, LABELS)
    assert step(IMAGES[3]).target == "bright"
    with pytest.raises(NotFittedError):
        untrained(IMAGES[0])


@pytest.mark.parametrize(
    ("parameters", "error", "says"),
    [
        ({"estimator": 3}, ParameterError, "'estimator' of Explain"),
        ({"estimator": Gray()}, ParameterError, "'estimator' of Explain"),
        ({"estimator": Gray() >> Canny()}, KindError, "gives an edge mask. End it with one"),
        ({"target": 2.5}, ParameterError, "'target' of Explain"),
        ({"target": "grey"}, ParameterError, "'target' of explain"),
        ({"method": 3}, ParameterError, "'method' of Explain"),
        ({"method": "hgo"}, UnknownNameError, "Did you mean 'hog'"),
        ({"options": [3]}, ParameterError, "'options' of Explain"),
        ({"options": {"colour": 3}}, ParameterError, "'options' of the method 'occlusion'"),
    ],
)
def test_the_step_refuses(parameters, error, says):
    with pytest.raises(error, match=says):
        Explain(**{"estimator": Corner(), **parameters})(scene())


def test_a_saved_step_explains_as_before(tmp_path):
    step = Explain(Gray() >> RawPixels(4) >> GaussianNB(), method="occlusion")
    step.fit(IMAGES, LABELS)
    vision.save(step, tmp_path / "why.vision")
    again = vision.load(tmp_path / "why.vision")
    np.testing.assert_allclose(again(IMAGES[2]).values, step(IMAGES[2]).values, atol=1e-6)


def test_a_run_writes_the_overlay_and_the_peak(tmp_path):
    image = scene()
    image[:24, :32] = 250
    put(tmp_path / "photos", "a/one.png", image)
    step = Explain(Corner())
    summary = vision.run(step, tmp_path / "photos", tmp_path / "why", overlay=True, progress=False)
    assert summary.done == 1
    heat = explain(Corner(), image)
    assert np.array_equal(stored(tmp_path / "why/overlays/a/one.png"), heat.draw(image))
    row = table(tmp_path / "why/results.csv")[0]
    assert (row["target"], row["method"]) == ("bright", "occlusion")
    assert (int(row["x"]), int(row["y"])) == heat.peak


def test_padding_that_is_looked_at_does_not_show():
    heat = explain(Pad(40) >> Corner(), scene())
    assert isinstance(heat, Heatmap)
    assert heat.shape == (96, 128)
