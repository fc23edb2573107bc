"""`ForEach`: coins found classically and named by a classifier; geometry solved by hand."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from classical import (
    Canny,
    FindContours,
    Gray,
    HoughLines,
    MedianBlur,
    Otsu,
    RawPixels,
    Threshold,
)
from vision import Detections, ForEach, KindError, ParameterError

LABELS = np.array(["bar", "square"])


def scene(seed):
    """Bars and squares of random brightness on black at known places."""
    rng = np.random.default_rng(seed)
    image = np.zeros((120, 160, 3), np.uint8)
    boxes, labels = [], []
    for row in range(3):
        for column in range(3):
            kind = int(rng.integers(2))
            width, height = (20, 20) if kind else (36, 8)
            left = 8 + column * 50 + int(rng.integers(5))
            top = 8 + row * 38 + int(rng.integers(5))
            image[top : top + height, left : left + width] = rng.integers(150, 255)
            boxes.append([left, top, left + width, top + height])
            labels.append(LABELS[kind])
    return image, Detections(np.array(boxes, float), labels=np.array(labels))


def namer():
    return Gray() >> RawPixels(8) >> KNeighborsClassifier(1)


@pytest.fixture(scope="module")
def trained():
    scenes = [scene(seed) for seed in range(4)]
    find = Gray() >> Threshold(100) >> FindContours()
    pipeline = ForEach(find, namer(), padding=4)
    return pipeline.fit([image for image, _ in scenes], [truth for _, truth in scenes])


def test_objects_are_found_where_they_are_and_named_what_they_are(trained):
    image, truth = scene(99)
    found = trained(image)
    order = np.lexsort(found.boxes.T[[0, 1]])
    expected = np.lexsort(truth.boxes.T[[0, 1]])
    assert found.boxes[order].tolist() == truth.boxes[expected].tolist()
    assert found.labels[order].tolist() == truth.labels[expected].tolist()
    assert (found.scores == 1.0).all()


def test_a_batch_goes_through_the_classifier_at_once_and_equals_single_images(trained, monkeypatch):
    images = [scene(seed)[0] for seed in (7, 8)]
    single = [trained(image) for image in images]
    calls = []
    original = KNeighborsClassifier.predict
    monkeypatch.setattr(
        KNeighborsClassifier, "predict", lambda self, X: calls.append(len(X)) or original(self, X)
    )
    assert trained.apply_many(images) == single
    assert calls == [18]


def test_it_trains_and_scores_by_coco_map_at_the_end_of_a_pipeline():
    scenes = [scene(seed) for seed in range(6)]
    images, truth = [s[0] for s in scenes], [s[1] for s in scenes]
    find = Gray() >> Threshold(100) >> FindContours()
    pipeline = MedianBlur(3) >> ForEach(find, namer(), padding=4)
    pipeline.fit(images[:4], truth[:4])
    # The median takes the corners of each object and leaves its box.
    assert pipeline.score(images[4:], truth[4:]) == 1.0


def test_boxes_that_match_nothing_are_not_learned_from():
    image, truth = scene(1)
    far = Detections(truth.boxes + 1000, labels=truth.labels)
    find = Gray() >> Threshold(100) >> FindContours()
    with pytest.raises(ParameterError, match="overlaps a true box"):
        ForEach(find, namer()).fit([image], [far])


def test_what_is_trained_is_a_copy():
    find, then = Gray() >> Threshold(100) >> FindContours(), namer()
    image, truth = scene(1)
    ForEach(find, then, padding=4).fit([image], [truth])
    assert not hasattr(then[-1], "classes_")


def test_no_object_gives_no_detections(trained):
    found = trained(np.zeros((50, 50, 3), np.uint8))
    assert len(found) == 0
    assert found.shape == (50, 50)


def test_scores_are_left_out_where_there_are_no_probabilities():
    image, truth = scene(3)
    then = Gray() >> RawPixels(8) >> make_pipeline(StandardScaler(), SVC())
    found = ForEach(Gray() >> Threshold(100) >> FindContours(), then).fit([image], [truth])(image)
    assert found.scores is None
    assert set(found.labels) == {"bar", "square"}


def test_parts_that_do_not_fit_are_refused_by_name():
    with pytest.raises(KindError, match="'find' gives lines"):
        ForEach(Gray() >> Canny() >> HoughLines(), namer()).fit([], [])
    with pytest.raises(KindError, match="needs a classifier"):
        ForEach(Gray() >> Otsu() >> FindContours(), Gray() >> RawPixels()).fit([], [])
    with pytest.raises(ParameterError, match="'padding' of ForEach"):
        ForEach(Gray() >> Otsu() >> FindContours(), namer(), padding=-1).fit([], [])
    with pytest.raises(ParameterError, match="one entry per image"):
        ForEach(Gray() >> Otsu() >> FindContours(), namer()).fit([scene(1)[0]], None)


def test_nested_parameters_are_keywords(trained):
    params = trained.get_params()
    assert params["find__threshold__value"] == 100
    assert params["then__rawpixels__size"] == 8
