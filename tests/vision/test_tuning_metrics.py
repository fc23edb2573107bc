"""What a search can be for, against scikit-learn's scores of the foreground."""

import re

import numpy as np
import pytest
from skimage import data
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, get_scorer, jaccard_score, make_scorer

import vision
from classical import Canny, FindContours, KMeansSegmenter, Otsu, RawPixels, Threshold
from vision import chain
from vision.errors import ParameterError
from vision.tuning_metrics import scoring_of

IMAGES = [data.coins()[:100], data.coins()[100:250]]
TRUTH = [np.where(image > 107, 255, 0).astype(np.uint8) for image in IMAGES]
MASKS = chain(Threshold(90))
CLASSES = RawPixels(4) >> LogisticRegression()
SPACE = {"threshold__value": [60, 107, 160]}


@pytest.mark.parametrize(("name", "theirs"), [("iou", jaccard_score), ("dice", f1_score)])
def test_the_foreground_of_masks_is_scored_as_by_scikit_learn(name, theirs):
    pairs = [(true.ravel() > 0, image.ravel() > 90) for image, true in zip(IMAGES, TRUTH)]
    expected = np.mean([theirs(*pair) for pair in pairs])
    assert scoring_of(name, MASKS, "tune")(MASKS, IMAGES, TRUTH) == pytest.approx(expected)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_search_for_the_foreground(n_jobs):
    found = vision.tune(MASKS, SPACE, IMAGES, TRUTH, cv=2, metric="dice", n_jobs=n_jobs)
    assert found.parameters == {"threshold__value": 107}
    expected = scoring_of("dice", MASKS, "tune")
    as_it_came = [expected(MASKS, [image], [true]) for image, true in zip(IMAGES, TRUTH)]
    assert sorted(found.trials[0].scores) == pytest.approx(sorted(as_it_came))


def test_the_estimator_scores_by_what_it_searched_for():
    tuned = vision.Tune(MASKS, {"threshold__value": [60]}, cv=2, metric="iou").fit(IMAGES, TRUTH)
    expected = scoring_of("iou", MASKS, "tune")(tuned.best_estimator_, IMAGES, TRUTH)
    assert tuned.score(IMAGES, TRUTH) == expected


def test_truth_that_is_no_mask_is_refused_with_what_makes_it_one():
    with pytest.raises(ParameterError, match=r"'truth' of a pipeline that gives a mask"):
        scoring_of("iou", MASKS, "tune")(MASKS, IMAGES, [true > 0 for true in TRUTH])


@pytest.mark.parametrize("metric", [vision.iou, vision.ssim, lambda predicted, truth: 1.0])
def test_a_function_of_a_pair_is_refused_with_a_callable_that_works(metric):
    with pytest.raises(ParameterError, match=r"metric\(pipeline, images, truth\)") as caught:
        vision.tune(MASKS, SPACE, IMAGES, TRUTH, cv=2, metric=metric)
    told = re.search(r"lambda pipeline.*\)\]\)", str(caught.value))[0]
    name = getattr(metric, "__name__", "metric").replace("<lambda>", "metric")
    mended = eval(told, {"np": np, name: metric})  # noqa: S307
    found = vision.tune(MASKS, SPACE, IMAGES, TRUTH, cv=2, metric=mended)
    assert found.score == 1


def test_a_function_of_scikit_learn_is_refused_with_its_scorer():
    told = r"make_scorer\(accuracy_score\) makes one"
    with pytest.raises(ParameterError, match=told):
        scoring_of(accuracy_score, CLASSES, "tune")
    for scorer in (make_scorer(accuracy_score), get_scorer("accuracy"), max):
        assert scoring_of(scorer, CLASSES, "tune") is scorer


@pytest.mark.parametrize(
    ("pipeline", "metric", "said"),
    [
        (MASKS, "jaccard", r"own score \(mean IoU\), 'iou' or 'dice'.* or a callable.*lambda"),
        (MASKS, "ioU", r"Did you mean 'iou'"),
        (MASKS, 3, r"'iou' or 'dice'"),
        (chain(Canny()), "f1", r"own score \(ODS F-measure\), or a callable"),
        (chain(KMeansSegmenter()), "iou", r"own score \(mean IoU\), or a callable.*lambda"),
        (Otsu() >> FindContours(), "iou", r"own score \(mAP\), or a callable"),
        (CLASSES, "acuracy", r"get_scorer_names\(\).*or a callable.*Did you mean 'accuracy'"),
        (CLASSES, "iou", r"get_scorer_names\(\)"),
        (CLASSES, ["accuracy", "f1"], r"get_scorer_names\(\).*Got \['accuracy'"),
    ],
)
def test_names_that_cannot_score_such_a_pipeline_are_refused(pipeline, metric, said):
    with pytest.raises(ParameterError, match=rf"'metric' of tune must be .*{said}"):
        scoring_of(metric, pipeline, "tune")


@pytest.mark.parametrize("metric", [None, "accuracy", "roc_auc"])
def test_what_scikit_learn_knows_is_left_to_it(metric):
    assert scoring_of(metric, CLASSES, "tune") == metric
